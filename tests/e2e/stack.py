"""A container service behind a load balancer, driven as Terraform drives it: apply finds what is there, makes what is
missing and waits; it can be repeated after any failure. Without the waits that a tool has, so that a fault test can go
through it many times."""
import gzip
import hashlib
import http.client
import io
import json
import os
import tarfile

from botocore.exceptions import BotoCoreError, ClientError

from cloud import REGION
from hello import REGISTRY, server_program
from waiting import wait_until

NAME = 'stack'
TAGS = [{'Key': 'Name', 'Value': NAME}]


class Gone(Exception):
    """The daemon was not there to answer."""


def missing(call, *codes, **arguments):
    """The answer, or None when the thing does not exist."""
    try:
        return call(**arguments)
    except ClientError as error:
        if error.response['Error']['Code'] in codes:
            return None
        raise


class Image:
    """An image as buildah would push it: the static server and files of its own, so that each is unpacked anew."""

    def __init__(self, files=40):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode='w') as archive:
            archive.add(server_program(), 'server')
            for number in range(files):
                member = tarfile.TarInfo(f'data/{number}')
                member.size = 20_000
                archive.addfile(member, io.BytesIO(os.urandom(member.size)))
        config = {'architecture': 'amd64', 'os': 'linux', 'config': {'Entrypoint': ['/server'], 'User': '10001'},
                  'rootfs': {'type': 'layers', 'diff_ids': [self.digest(raw.getvalue())]}}
        self.layer, self.config = gzip.compress(raw.getvalue(), 1), json.dumps(config).encode()
        self.manifest = json.dumps({
            'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
            'config': self.descriptor('config.v1+json', self.config),
            'layers': [self.descriptor('layer.v1.tar+gzip', self.layer)]}).encode()

    @staticmethod
    def digest(content):
        return 'sha256:' + hashlib.sha256(content).hexdigest()

    def descriptor(self, kind, content):
        return {'mediaType': f'application/vnd.oci.image.{kind}', 'digest': self.digest(content), 'size': len(content)}

    def push(self, port, token, repository, tag):
        """Into the registry, by its protocol."""
        def ask(method, path, body=b'', **headers):
            connection = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
            try:
                connection.request(method, path, body, {'Host': REGISTRY, 'Authorization': f'Basic {token}', **headers})
                answer = connection.getresponse()
                answer.read()
                return answer
            except (OSError, http.client.HTTPException) as error:
                raise Gone(str(error)) from error
            finally:
                connection.close()
        for blob in (self.config, self.layer):
            if ask('HEAD', f'/v2/{repository}/blobs/{self.digest(blob)}').status == 200:
                continue
            begun = ask('POST', f'/v2/{repository}/blobs/uploads/')
            assert begun.status == 202, begun.status
            stored = ask('PUT', begun.getheader('Location') + '?digest=' + self.digest(blob), blob)
            assert stored.status == 201, stored.status
        put = ask('PUT', f'/v2/{repository}/manifests/{tag}', self.manifest,
                  **{'Content-Type': 'application/vnd.oci.image.manifest.v1+json'})
        assert put.status == 201, put.status


class Stack:
    def __init__(self, cloud, count=2):
        self.cloud, self.count = cloud, count
        self.image = Image()
        self.clients = {}

    def __getattr__(self, service):
        """The client of a service; the port may change with the daemon."""
        if service not in ('ec2', 'ecs', 'elbv2', 'ecr', 'logs', 's3'):
            raise AttributeError(service)
        if service not in self.clients:
            more = {'s3': {'addressing_style': 'path'}} if service == 's3' else {}
            self.clients[service] = self.cloud.client(service, **more)
        return self.clients[service]

    def run(self, phase, *arguments):
        """One of the phases; Gone when the daemon was not there at some moment of it."""
        try:
            return phase(*arguments)
        except BotoCoreError as error:
            raise Gone(str(error)) from error

    # What is made.

    def apply(self, version='1'):
        self.objects(version)
        vpc = self.network()
        self.image_pushed()
        self.service(vpc, version)
        self.converged(version)
        self.rule(version)

    def objects(self, version):
        missing(self.s3.create_bucket, 'BucketAlreadyOwnedByYou', Bucket=f'{NAME}-bucket',
                CreateBucketConfiguration={'LocationConstraint': REGION})
        for key in ('first', 'second'):
            self.s3.put_object(Bucket=f'{NAME}-bucket', Key=key, Body=(key + version).encode() * 40_000)

    def found(self, call, kind, *filters):
        answer = call(Filters=[{'Name': 'tag:Name', 'Values': [NAME]}, *filters])[kind]
        return answer[0] if answer else None

    def tagged(self, kind, name=NAME):
        return [{'ResourceType': kind, 'Tags': [{'Key': 'Name', 'Value': name}]}]

    def network(self):
        ec2 = self.ec2
        vpc = (self.found(ec2.describe_vpcs, 'Vpcs') or ec2.create_vpc(
            CidrBlock='10.9.0.0/16', TagSpecifications=self.tagged('vpc'))['Vpc'])['VpcId']
        gateway = self.found(ec2.describe_internet_gateways, 'InternetGateways') or ec2.create_internet_gateway(
            TagSpecifications=self.tagged('internet-gateway'))['InternetGateway']
        if not gateway['Attachments']:
            ec2.attach_internet_gateway(InternetGatewayId=gateway['InternetGatewayId'], VpcId=vpc)
        subnets = self.subnets(vpc)
        nat = self.nat(subnets['public0'])
        self.routes(vpc, 'public', [subnets['public0'], subnets['public1']], GatewayId=gateway['InternetGatewayId'])
        self.routes(vpc, 'private', [subnets['private0'], subnets['private1']], NatGatewayId=nat)
        self.groups(vpc)
        return vpc

    def subnets(self, vpc):
        there = {subnet['CidrBlock']: subnet['SubnetId'] for subnet in self.ec2.describe_subnets(
            Filters=[{'Name': 'vpc-id', 'Values': [vpc]}])['Subnets']}
        made = {}
        for index, name in enumerate(('public0', 'public1', 'private0', 'private1')):
            block = f'10.9.{index}.0/24'
            made[name] = there.get(block) or self.ec2.create_subnet(
                VpcId=vpc, CidrBlock=block, AvailabilityZone=f'{REGION}{"ab"[index % 2]}',
                TagSpecifications=self.tagged('subnet'))['Subnet']['SubnetId']
        return made

    def nat(self, subnet):
        ec2 = self.ec2
        address = (self.found(ec2.describe_addresses, 'Addresses') or ec2.allocate_address(
            Domain='vpc', TagSpecifications=self.tagged('elastic-ip')))['AllocationId']
        living = {'Name': 'state', 'Values': ['pending', 'available']}
        gateway = self.found(lambda **more: ec2.describe_nat_gateways(Filter=more['Filters']), 'NatGateways', living)
        if not gateway:
            gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address,
                                             TagSpecifications=self.tagged('natgateway'))['NatGateway']
        identity = gateway['NatGatewayId']
        wait_until(lambda: ec2.describe_nat_gateways(NatGatewayIds=[identity])['NatGateways'][0]['State'] == 'available',
                   30, 'the NAT gateway')
        return identity

    def routes(self, vpc, name, subnets, **target):
        ec2 = self.ec2
        tables = ec2.describe_route_tables(Filters=[{'Name': 'tag:Name', 'Values': [name]}])['RouteTables']
        table = tables[0] if tables else ec2.create_route_table(
            VpcId=vpc, TagSpecifications=self.tagged('route-table', name))['RouteTable']
        identity = table['RouteTableId']
        if not [route for route in table['Routes'] if route.get('DestinationCidrBlock') == '0.0.0.0/0']:
            ec2.create_route(RouteTableId=identity, DestinationCidrBlock='0.0.0.0/0', **target)
        there = {each.get('SubnetId') for each in table['Associations']}
        for subnet in subnets:
            if subnet not in there:
                ec2.associate_route_table(RouteTableId=identity, SubnetId=subnet)

    def group(self, vpc, name):
        found = self.ec2.describe_security_groups(Filters=[{'Name': 'group-name', 'Values': [name]},
                                                           {'Name': 'vpc-id', 'Values': [vpc]}])['SecurityGroups']
        return found[0]['GroupId'] if found else self.ec2.create_security_group(
            GroupName=name, Description=name, VpcId=vpc)['GroupId']

    def groups(self, vpc):
        front, back = self.group(vpc, 'front'), self.group(vpc, 'back')
        for group, rule in ((front, {'FromPort': 80, 'ToPort': 80, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}),
                            (back, {'FromPort': 8000, 'ToPort': 8000, 'UserIdGroupPairs': [{'GroupId': front}]})):
            missing(self.ec2.authorize_security_group_ingress, 'InvalidPermission.Duplicate', GroupId=group,
                    IpPermissions=[{'IpProtocol': 'tcp', **rule}])
        return front, back

    def image_pushed(self):
        missing(self.ecr.create_repository, 'RepositoryAlreadyExistsException', repositoryName=NAME)
        token = self.ecr.get_authorization_token()['authorizationData'][0]['authorizationToken']
        self.image.push(self.cloud.port, token, NAME, 'latest')

    def balancer(self, vpc):
        elb, subnets, (front, _) = self.elbv2, self.subnets(vpc), self.groups(vpc)
        found = missing(elb.describe_target_groups, 'TargetGroupNotFound', Names=[NAME])
        group = (found or elb.create_target_group(
            Name=NAME, Protocol='HTTP', Port=8000, VpcId=vpc, TargetType='ip', HealthCheckPath='/health',
            HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2))['TargetGroups'][0]
        self.target_group = group['TargetGroupArn']
        elb.modify_target_group_attributes(TargetGroupArn=self.target_group, Attributes=[
            {'Key': 'deregistration_delay.timeout_seconds', 'Value': '1'}])
        found = missing(elb.describe_load_balancers, 'LoadBalancerNotFound', Names=[NAME])
        balancer = (found or elb.create_load_balancer(
            Name=NAME, Subnets=[subnets['public0'], subnets['public1']], SecurityGroups=[front]))['LoadBalancers'][0]
        self.host = balancer['DNSName']
        arn = balancer['LoadBalancerArn']
        wait_until(lambda: elb.describe_load_balancers(LoadBalancerArns=[arn])['LoadBalancers'][0]['State']['Code'] ==
                   'active', 30, 'the load balancer')
        listeners = elb.describe_listeners(LoadBalancerArn=arn)['Listeners']
        self.listener = (listeners or elb.create_listener(
            LoadBalancerArn=arn, Protocol='HTTP', Port=80, DefaultActions=[
                {'Type': 'forward', 'TargetGroupArn': self.target_group}])['Listeners'])[0]['ListenerArn']

    def rule(self, version):
        """A rule of the listener whose answer says the version: HAProxy is reloaded for it."""
        action = [{'Type': 'fixed-response', 'FixedResponseConfig': {
            'StatusCode': '200', 'ContentType': 'text/plain', 'MessageBody': f'rule {version}'}}]
        rules = [rule for rule in self.elbv2.describe_rules(ListenerArn=self.listener)['Rules'] if not rule['IsDefault']]
        if rules:
            self.elbv2.modify_rule(RuleArn=rules[0]['RuleArn'], Actions=action)
        else:
            self.elbv2.create_rule(ListenerArn=self.listener, Priority=1, Actions=action, Conditions=[
                {'Field': 'path-pattern', 'PathPatternConfig': {'Values': ['/rule']}}])
        # The daemon is asked too: whoever waits for the load balancer alone does not see that it is gone.
        wait_until(lambda: self.elbv2.describe_rules(ListenerArn=self.listener)['Rules'] and
                   self.get('/rule')[1] == f'rule {version}', 30, 'the new rule')

    def revision(self, version):
        """The latest revision when it is this version's, else a new one."""
        found = missing(self.ecs.describe_task_definition, 'ClientException', taskDefinition=NAME)
        if found:
            container = found['taskDefinition']['containerDefinitions'][0]
            if {'name': 'GREETING', 'value': version} in container['environment']:
                return found['taskDefinition']['taskDefinitionArn']
        container = {'name': 'web', 'image': f'{REGISTRY}/{NAME}:latest', 'essential': True,
                     'environment': [{'name': 'GREETING', 'value': version}, {'name': 'PORT', 'value': '8000'}],
                     'portMappings': [{'containerPort': 8000}],
                     'logConfiguration': {'logDriver': 'awslogs', 'options': {
                         'awslogs-group': NAME, 'awslogs-region': REGION, 'awslogs-stream-prefix': 'web'}}}
        return self.ecs.register_task_definition(
            family=NAME, requiresCompatibilities=['FARGATE'], networkMode='awsvpc', cpu='256', memory='512',
            executionRoleArn=self.role(), containerDefinitions=[container])['taskDefinition']['taskDefinitionArn']

    def role(self):
        iam = self.cloud.client('iam')
        trust = {'Version': '2012-10-17', 'Statement': [{
            'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}}]}
        found = missing(iam.get_role, 'NoSuchEntity', RoleName=NAME) or iam.create_role(
            RoleName=NAME, AssumeRolePolicyDocument=json.dumps(trust))
        iam.attach_role_policy(RoleName=NAME, PolicyArn='arn:aws:iam::aws:policy/service-role/'
                                                        'AmazonECSTaskExecutionRolePolicy')
        return found['Role']['Arn']

    def service(self, vpc, version):
        ecs, subnets, (_, back) = self.ecs, self.subnets(vpc), self.groups(vpc)
        missing(self.logs.create_log_group, 'ResourceAlreadyExistsException', logGroupName=NAME)
        self.balancer(vpc)
        ecs.create_cluster(clusterName=NAME)
        revision = self.revision(version)
        found = [each for each in ecs.describe_services(cluster=NAME, services=[NAME])['services']
                 if each['status'] == 'ACTIVE']
        if found:
            if found[0]['taskDefinition'] != revision:
                ecs.update_service(cluster=NAME, service=NAME, taskDefinition=revision)
            return
        ecs.create_service(
            cluster=NAME, serviceName=NAME, taskDefinition=revision, desiredCount=self.count, launchType='FARGATE',
            deploymentConfiguration={'minimumHealthyPercent': 100, 'maximumPercent': 200},
            loadBalancers=[{'targetGroupArn': self.target_group, 'containerName': 'web', 'containerPort': 8000}],
            networkConfiguration={'awsvpcConfiguration': {
                'subnets': [subnets['private0'], subnets['private1']], 'securityGroups': [back]}})

    # What has come of it.

    def tasks(self):
        return {arn.rsplit('/', 1)[-1] for arn in self.ecs.list_tasks(cluster=NAME, serviceName=NAME)['taskArns']}

    def healthy(self):
        described = self.elbv2.describe_target_health(TargetGroupArn=self.target_group)['TargetHealthDescriptions']
        return [each['TargetHealth']['State'] for each in described] == ['healthy'] * self.count

    def stable(self):
        service = self.ecs.describe_services(cluster=NAME, services=[NAME])['services'][0]
        return (len(service['deployments']) == 1 and service['deployments'][0]['rolloutState'] == 'COMPLETED' and
                service['runningCount'] == self.count and service['pendingCount'] == 0 and
                len(self.tasks()) == self.count and self.healthy())

    def get(self, path='/whoami', timeout=10):
        """(status, body) of the load balancer, by the relay on the host; status 0 without an answer."""
        connection = http.client.HTTPConnection('127.0.0.1', self.cloud.port, timeout=timeout)
        try:
            connection.request('GET', path, headers={'Host': self.host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ''
        finally:
            connection.close()

    def told(self):
        """What the services say of the state of things, for whoever wants to know why it is not stable."""
        service = self.ecs.describe_services(cluster=NAME, services=[NAME])['services'][0]
        health = self.elbv2.describe_target_health(TargetGroupArn=self.target_group)['TargetHealthDescriptions']
        tasks = self.ecs.describe_tasks(cluster=NAME, tasks=sorted(self.tasks()))['tasks'] if self.tasks() else []
        return json.dumps({
            'deployments': service['deployments'], 'events': service['events'][:8],
            'health': [(each['Target'], each['TargetHealth']) for each in health],
            'tasks': [{name: task.get(name) for name in ('taskArn', 'lastStatus', 'desiredStatus', 'stoppedReason',
                                                         'healthStatus', 'connectivity', 'containers')}
                      for task in tasks]}, default=str, indent=1)

    def converged(self, version):
        try:
            wait_until(self.stable, 90, 'a stable service', every=0.2)
        except AssertionError as error:
            raise AssertionError(self.told()) from error
        answered = set()

        def all_answer():
            status, body = self.get()
            if status == 200:
                answered.add(json.loads(body)['task'])
            return answered == self.tasks()
        try:
            wait_until(all_answer, 30, 'an answer of each task and of no other')
        except AssertionError as error:
            raise AssertionError(f'{answered} answered, {self.tasks()} are there; last {self.get()}') from error
        wait_until(lambda: self.tasks() and version in self.get('/')[1], 10, 'the deployed version')
        for key in ('first', 'second'):
            body = self.s3.get_object(Bucket=f'{NAME}-bucket', Key=key)['Body'].read()
            assert body == (key + version).encode() * 40_000

    # What goes.

    def destroy(self):
        self.destroy_service()
        self.destroy_network()
        if missing(self.s3.head_bucket, '404', Bucket=f'{NAME}-bucket'):
            for key in ('first', 'second'):
                self.s3.delete_object(Bucket=f'{NAME}-bucket', Key=key)
            self.s3.delete_bucket(Bucket=f'{NAME}-bucket')
        missing(self.ecr.delete_repository, 'RepositoryNotFoundException', repositoryName=NAME, force=True)
        missing(self.logs.delete_log_group, 'ResourceNotFoundException', logGroupName=NAME)

    def destroy_service(self):
        ecs, elb = self.ecs, self.elbv2
        clusters = ecs.describe_clusters(clusters=[NAME])['clusters']
        if clusters and clusters[0]['status'] == 'ACTIVE':
            missing(ecs.delete_service, 'ServiceNotFoundException', 'ServiceNotActiveException', cluster=NAME,
                    service=NAME, force=True)
            wait_until(self.drained, 60, 'the end of the service')
            ecs.delete_cluster(cluster=NAME)
        found = missing(elb.describe_load_balancers, 'LoadBalancerNotFound', Names=[NAME])
        for balancer in found['LoadBalancers'] if found else []:
            elb.delete_load_balancer(LoadBalancerArn=balancer['LoadBalancerArn'])
        found = missing(elb.describe_target_groups, 'TargetGroupNotFound', Names=[NAME])
        for group in found['TargetGroups'] if found else []:
            wait_until(lambda: missing(elb.delete_target_group, 'ResourceInUse',
                                       TargetGroupArn=group['TargetGroupArn']), 30, 'a target group that is let go')
        for revision in ecs.list_task_definitions(familyPrefix=NAME)['taskDefinitionArns']:
            ecs.deregister_task_definition(taskDefinition=revision)

    def drained(self):
        """Its tasks have stopped; a list of them would be of those of earlier rounds too, and of a hundred at most."""
        described = self.ecs.describe_services(cluster=NAME, services=[NAME])['services']
        return all(service['status'] == 'INACTIVE' for service in described)

    def destroy_network(self):
        ec2 = self.ec2
        vpc = self.found(ec2.describe_vpcs, 'Vpcs')
        living = [{'Name': 'state', 'Values': ['pending', 'available', 'deleting']}]
        for gateway in ec2.describe_nat_gateways(Filter=living)['NatGateways']:
            if gateway['State'] != 'deleting':
                ec2.delete_nat_gateway(NatGatewayId=gateway['NatGatewayId'])
        wait_until(lambda: not ec2.describe_nat_gateways(Filter=living)['NatGateways'], 30, 'the end of NAT')
        for address in ec2.describe_addresses()['Addresses']:
            ec2.release_address(AllocationId=address['AllocationId'])
        if not vpc:
            return
        here = [{'Name': 'vpc-id', 'Values': [vpc['VpcId']]}]
        wait_until(lambda: not ec2.describe_network_interfaces(Filters=here)['NetworkInterfaces'], 60,
                   'the end of the interfaces')
        groups = {group['GroupName']: group['GroupId']
                  for group in ec2.describe_security_groups(Filters=here)['SecurityGroups']}
        for name in ('back', 'front'):
            if name in groups:
                ec2.delete_security_group(GroupId=groups[name])
        for subnet in ec2.describe_subnets(Filters=here)['Subnets']:
            ec2.delete_subnet(SubnetId=subnet['SubnetId'])
        for table in ec2.describe_route_tables(Filters=here)['RouteTables']:
            if not any(each.get('Main') for each in table['Associations']):
                ec2.delete_route_table(RouteTableId=table['RouteTableId'])
        gateway = self.found(ec2.describe_internet_gateways, 'InternetGateways')
        if gateway:
            if gateway['Attachments']:
                ec2.detach_internet_gateway(InternetGatewayId=gateway['InternetGatewayId'], VpcId=vpc['VpcId'])
            ec2.delete_internet_gateway(InternetGatewayId=gateway['InternetGatewayId'])
        ec2.delete_vpc(VpcId=vpc['VpcId'])
