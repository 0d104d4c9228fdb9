"""A three-tier VPC for tests of isolation: an internet-facing load balancer, app tasks and data tasks over public,
private and isolated subnets in two zones, with groups, network ACLs and routes of their own."""
import json
import pathlib
import subprocess

from cloud import REGION
from probes import COMMANDS, ask
from waiting import wait_until

ZONES = [f'{REGION}a', f'{REGION}b']
SPACES = 'sandbox.*'


def addresses_inside(path):
    """({address}, the VPC's id) of a sandbox's namespace."""
    def show(*words):
        done = subprocess.run(['nsenter', f'--net={path}', 'ip', '-json', *words], capture_output=True, text=True,
                              check=True)
        return json.loads(done.stdout or '[]')
    found = {each['local'] for link in show('-4', 'address') for each in link.get('addr_info', []) if link['ifname'] != 'lo'}
    return found, show('link', 'show', 'lo')[0].get('ifalias', '')


def namespaces(cloud):
    """{(VPC, address): path} of all sandboxes."""
    found = {}
    for path in pathlib.Path(cloud.status()['run'], 'netns').glob(SPACES):
        addresses, vpc = addresses_inside(path)
        found.update({(vpc, address): path for address in addresses})
    return found


class ThreeTiers:
    def __init__(self, cloud, name, image, balancer=True, apps=3, datas=2, block='10.20', session=None):
        self.cloud, self.name, self.image = cloud, name, image
        client = session or cloud.client
        self.ec2, self.ecs, self.elb = client('ec2'), client('ecs'), client('elbv2')
        self.block = block
        self.make_network()
        self.make_groups()
        self.make_acls()
        # An interface that is plugged nowhere: a route to it is a blackhole.
        self.spare = self.ec2.create_network_interface(SubnetId=self.subnets['private', 0])['NetworkInterface'][
            'NetworkInterfaceId']
        self.ecs.create_cluster(clusterName=name)
        if balancer:
            self.make_balancer()
        self.tasks = {}
        # A task must reach its registry to start; afterwards the isolated tier is isolated.
        way_out = {'RouteTableId': self.tables['isolated'], 'DestinationCidrBlock': '0.0.0.0/0'}
        self.ec2.create_route(**way_out, NatGatewayId=self.nat)
        for tier, count in (('private', apps), ('isolated', datas)):
            for index in range(count):
                # The last of each tier is in a second group.
                also = [self.groups['extra']] if count > 1 and index == count - 1 else []
                self.start_task(tier, index, [self.groups[tier], *also])
        self.wait_tasks()
        self.ec2.delete_route(**way_out)

    # Making.

    def make_network(self):
        ec2 = self.ec2
        self.vpc = ec2.create_vpc(CidrBlock=f'{self.block}.0.0/16')['Vpc']['VpcId']
        self.gateway = ec2.create_internet_gateway()['InternetGateway']['InternetGatewayId']
        ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.subnets, self.tables, self.subnet_associations = {}, {}, {}
        for row, tier in enumerate(('public', 'private', 'isolated')):
            self.tables[tier] = ec2.create_route_table(VpcId=self.vpc)['RouteTable']['RouteTableId']
            for column, zone in enumerate(ZONES):
                subnet = ec2.create_subnet(VpcId=self.vpc, AvailabilityZone=zone,
                                           CidrBlock=f'{self.block}.{row * 16 + column}.0/24')['Subnet']['SubnetId']
                self.subnets[tier, column] = subnet
                made = ec2.associate_route_table(RouteTableId=self.tables[tier], SubnetId=subnet)
                self.subnet_associations[subnet] = made['AssociationId']
        ec2.create_route(RouteTableId=self.tables['public'], DestinationCidrBlock='0.0.0.0/0', GatewayId=self.gateway)
        address = ec2.allocate_address(Domain='vpc')['AllocationId']
        self.nat = ec2.create_nat_gateway(SubnetId=self.subnets['public', 0], AllocationId=address)['NatGateway']['NatGatewayId']
        wait_until(lambda: ec2.describe_nat_gateways(NatGatewayIds=[self.nat])['NatGateways'][0]['State'] == 'available',
                   30, 'the NAT gateway')
        ec2.create_route(RouteTableId=self.tables['private'], DestinationCidrBlock='0.0.0.0/0', NatGatewayId=self.nat)

    def make_groups(self):
        self.groups = {}
        for tier in ('public', 'private', 'isolated', 'extra'):
            self.groups[tier] = self.ec2.create_security_group(GroupName=f'{self.name}-{tier}', Description=tier,
                                                               VpcId=self.vpc)['GroupId']
        self.allow('public', {'IpProtocol': 'tcp', 'FromPort': 80, 'ToPort': 443, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]})
        self.allow('private', self.by_group('tcp', 8000, 8001, 'public'))
        self.allow('private', self.by_group('icmp', 8, -1, 'private'))
        self.allow('isolated', self.by_group('tcp', 5432, 5432, 'private'))
        self.allow('isolated', self.by_group('udp', 5353, 5353, 'private'))

    def by_group(self, protocol, low, high, tier):
        return {'IpProtocol': protocol, 'FromPort': low, 'ToPort': high, 'UserIdGroupPairs': [{'GroupId': self.groups[tier]}]}

    def allow(self, tier, permission):
        self.ec2.authorize_security_group_ingress(GroupId=self.groups[tier], IpPermissions=[permission])

    def make_acls(self):
        """One for each tier, open at first; the default one stays beside them."""
        self.acls = {}
        for tier in ('public', 'private', 'isolated'):
            acl = self.acls[tier] = self.ec2.create_network_acl(VpcId=self.vpc)['NetworkAcl']['NetworkAclId']
            for egress in (False, True):
                self.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=1000, Egress=egress, Protocol='-1',
                                                  RuleAction='allow', CidrBlock='0.0.0.0/0')
            for column in range(len(ZONES)):
                self.associate_acl(acl, self.subnets[tier, column])

    def associate_acl(self, acl, subnet):
        for each in self.ec2.describe_network_acls(Filters=[{'Name': 'vpc-id', 'Values': [self.vpc]}])['NetworkAcls']:
            for association in each['Associations']:
                if association['SubnetId'] == subnet:
                    self.ec2.replace_network_acl_association(AssociationId=association['NetworkAclAssociationId'],
                                                             NetworkAclId=acl)

    def make_balancer(self):
        made = self.elb.create_load_balancer(Name=self.name, SecurityGroups=[self.groups['public']],
                                             Subnets=[self.subnets['public', 0], self.subnets['public', 1]])
        self.balancer = made['LoadBalancers'][0]['LoadBalancerArn']
        answer = {'Type': 'fixed-response', 'FixedResponseConfig': {'StatusCode': '200', 'MessageBody': 'ok'}}
        self.elb.create_listener(LoadBalancerArn=self.balancer, Protocol='HTTP', Port=80, DefaultActions=[answer])
        wait_until(lambda: self.elb.describe_load_balancers(LoadBalancerArns=[self.balancer])['LoadBalancers'][0]
                   ['State']['Code'] == 'active', 60, 'an active load balancer')

    def start_task(self, tier, index, groups=None, public=False, role=None, **container):
        """A task named by its tier and a number; its container obeys commands (probes/intruder.cpp)."""
        family = f'{self.name}-{tier}-{index}'
        more = {'taskRoleArn': role} if role else {}
        self.ecs.register_task_definition(
            family=family, requiresCompatibilities=['FARGATE'], networkMode='awsvpc', cpu='256', memory='512',
            containerDefinitions=[{'name': 'intruder', 'image': self.image, 'command': ['serve', str(COMMANDS)],
                                   **container}], **more)
        answer = self.ecs.run_task(cluster=self.name, taskDefinition=family, launchType='FARGATE', networkConfiguration={
            'awsvpcConfiguration': {'subnets': [self.subnets[tier, index % len(ZONES)]],
                                    'securityGroups': groups or [self.groups[tier]],
                                    'assignPublicIp': 'ENABLED' if public else 'DISABLED'}})
        assert not answer['failures'], answer['failures']
        self.tasks[tier, index] = answer['tasks'][0]['taskArn']

    def wait_tasks(self):
        def running():
            tasks = self.ecs.describe_tasks(cluster=self.name, tasks=list(self.tasks.values()))['tasks']
            stopped = [each['stoppedReason'] for each in tasks if each['lastStatus'] == 'STOPPED']
            assert not stopped, stopped
            return all(each['lastStatus'] == 'RUNNING' for each in tasks)
        wait_until(running, 60, 'running tasks')

    def namespace(self, tier, index):
        """Of a task's network."""
        return pathlib.Path(self.cloud.status()['run'], 'netns', 'sandbox.' + self.tasks[tier, index].rsplit('/', 1)[-1])

    def ask(self, tier, index, *words):
        """What the intruder in that task answers."""
        return ask(self.namespace(tier, index), *words)

    def address(self, tier, index):
        task = self.ecs.describe_tasks(cluster=self.name, tasks=[self.tasks[tier, index]])['tasks'][0]
        details = {each['name']: each['value'] for each in task['attachments'][0]['details']}
        return details['privateIPv4Address']

    def interfaces(self):
        """The interfaces that have a namespace: those of tasks and of the load balancer."""
        found = self.ec2.describe_network_interfaces(Filters=[{'Name': 'vpc-id', 'Values': [self.vpc]}])['NetworkInterfaces']
        return [each for each in found if each['InterfaceType'] != 'nat_gateway' and each['Status'] == 'in-use']
