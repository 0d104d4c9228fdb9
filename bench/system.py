"""A small system for what needs planes: a VPC with two public subnets, a static server as an image, tasks of it, and
ways into the namespaces."""
import ctypes
import hashlib
import http.client
import io
import json
import os
import pathlib
import socket
import tarfile
import threading
import time

from world import TOOLS, Cloud

IMAGE = 'docker.io/library/bench:1'
LIBC = ctypes.CDLL(None, use_errno=True)


def write_image(path, programs):
    """A docker archive of one layer with these static programs in its root."""
    def packed(files):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode='w') as tar:
            for name, (content, mode) in files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(content), mode
                tar.addfile(info, io.BytesIO(content))
        return out.getvalue()
    layer = packed({name: (pathlib.Path(file).read_bytes(), 0o755) for name, file in programs.items()})
    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {'Cmd': ['/server'], 'Env': ['PORT=8000']},
                         'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(layer).hexdigest()]}}).encode()
    manifest = json.dumps([{'Config': 'config.json', 'RepoTags': [IMAGE], 'Layers': ['layer.tar']}]).encode()
    path.write_bytes(packed({'manifest.json': (manifest, 0o644), 'config.json': (config, 0o644),
                             'layer.tar': (layer, 0o644)}))


def server_program():
    from hello import server_program as built
    return built()


class Inside(threading.Thread):
    """A function that runs on a thread in the network namespace of a path; result() is what it gave."""

    def __init__(self, path, function):
        super().__init__(daemon=True)
        self.path, self.function, self.value, self.failure = str(path), function, None, None
        self.start()

    def run(self):
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        if LIBC.setns(fd, 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), self.path)
        os.close(fd)
        try:
            self.value = self.function()
        except Exception as failure:  # noqa: BLE001: told by result()
            self.failure = failure

    def result(self):
        self.join()
        if self.failure:
            raise self.failure
        return self.value


def answers(address, port, host=None):
    """Whether GET /health is answered with 200 within a second."""
    connection = http.client.HTTPConnection(address, port, timeout=1)
    try:
        connection.request('GET', '/health', headers={'Host': host} if host else {})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def connects(address, port, seconds=0.2):
    try:
        socket.create_connection((address, port), seconds).close()
        return True
    except OSError:
        return False


def until(condition, seconds=60, pause=0.0005):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(pause)
    raise TimeoutError('it did not come about')


class System:
    def __init__(self):
        self.cloud = Cloud()
        self.ec2, self.ecs, self.elbv2 = (self.cloud.client(name) for name in ('ec2', 'ecs', 'elbv2'))
        archive = pathlib.Path(self.cloud.state, 'bench-image.tar')
        write_image(archive, {'server': server_program(), 'echo': TOOLS / 'echo'})
        self.cloud.brume('image', 'load', str(archive), IMAGE)
        ec2 = self.ec2
        self.vpc = ec2.create_vpc(CidrBlock='10.9.0.0/16')['Vpc']['VpcId']
        gateway = ec2.create_internet_gateway()['InternetGateway']['InternetGatewayId']
        ec2.attach_internet_gateway(VpcId=self.vpc, InternetGatewayId=gateway)
        table = ec2.describe_route_tables(Filters=[{'Name': 'vpc-id', 'Values': [self.vpc]}])['RouteTables'][0]
        ec2.create_route(RouteTableId=table['RouteTableId'], DestinationCidrBlock='0.0.0.0/0', GatewayId=gateway)
        self.subnets = [ec2.create_subnet(VpcId=self.vpc, CidrBlock=f'10.9.{16 * i}.0/20', AvailabilityZone=f'eu-west-1{zone}')
                        ['Subnet']['SubnetId'] for i, zone in enumerate('ab')]
        self.open_group = self.group('open', [(0, 65535)])
        self.ecs.create_cluster(clusterName='bench')
        self.register('web', ['/server'])
        self.internet = pathlib.Path(self.cloud.status()['run'], 'netns/internet')

    def group(self, name, ports):
        group = self.ec2.create_security_group(GroupName=name, Description='bench', VpcId=self.vpc)['GroupId']
        for first, last in ports:
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
                {'IpProtocol': 'tcp', 'FromPort': first, 'ToPort': last, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])
        return group

    def register(self, family, command):
        self.ecs.register_task_definition(
            family=family, networkMode='awsvpc', requiresCompatibilities=['FARGATE'], cpu='256', memory='512',
            containerDefinitions=[{'name': 'web', 'image': IMAGE, 'command': command,
                                   'portMappings': [{'containerPort': 8000}]}])

    def run_task(self, family='web', group=None):
        network = {'subnets': self.subnets[:1], 'securityGroups': [group or self.open_group], 'assignPublicIp': 'ENABLED'}
        return self.ecs.run_task(cluster='bench', taskDefinition=family, launchType='FARGATE',
                                 networkConfiguration={'awsvpcConfiguration': network})['tasks'][0]['taskArn']

    def interface(self, arn):
        """The task's interface once it has one: (id, private address)."""
        task = self.ecs.describe_tasks(cluster='bench', tasks=[arn])['tasks'][0]
        details = {item['name']: item['value'] for attachment in task['attachments'] for item in attachment['details']}
        if 'networkInterfaceId' not in details or 'privateIPv4Address' not in details:
            return None
        return details['networkInterfaceId'], details['privateIPv4Address']

    def public_address(self, interface):
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])['NetworkInterfaces'][0]
        return found.get('Association', {}).get('PublicIp')

    def wait(self, arn, status):
        until(lambda: self.ecs.describe_tasks(cluster='bench', tasks=[arn])['tasks'][0]['lastStatus'] == status, 60, 0.01)

    def stop(self, arn):
        self.ecs.stop_task(cluster='bench', task=arn)
        self.wait(arn, 'STOPPED')

    def process_of(self, arn, program):
        """The pid of the task's program, found by its cgroup."""
        task = arn.rsplit('/', 1)[-1]
        for entry in pathlib.Path('/proc').iterdir():
            if entry.name.isdigit():
                try:
                    if task in (entry / 'cgroup').read_text() and program in (entry / 'cmdline').read_text():
                        return int(entry.name)
                except OSError:
                    continue
        raise LookupError(program)

    def remove(self):
        for arn in self.ecs.list_tasks(cluster='bench')['taskArns']:
            self.ecs.stop_task(cluster='bench', task=arn)
        self.cloud.remove()
