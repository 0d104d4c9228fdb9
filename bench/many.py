"""Ten thousand of a thing: what it costs to create one, to describe one by name, to list them all, and to refresh them as
Terraform does (one read each), per item, when there are 100, 2,500 and 10,000. Server CPU, so that the asking does not
count; flat means a ratio near 1."""
import json
import os
import tempfile
import time

from measure import Table, cpu_us, judged, median, shown
from operations import catch, item
from world import Cloud, replay

FEW, MIDDLE, MANY = 100, 2_500, 10_000
ROUNDS, BATCH = 10, 20  # a figure is the median of so many rounds of so many requests
SAMPLE = ROUNDS * BATCH
FLAT = 1.5  # what counts as flat: twice the tree's depth and colder caches


class Thing:
    """How one kind is made, read and listed. Each takes a client and, but for listing, a number. `equip` is what is done
    to each after it was made, `decide` asks what it may."""

    def __init__(self, name, service, create, read, pages, prepare=None, most=MANY, equip=None, decide=None):
        self.name, self.service, self.create, self.read, self.pages = name, service, create, read, pages
        self.prepare = prepare or (lambda client: None)
        self.equip, self.decide = equip, decide
        self.most = most  # AWS's quota, which Brume keeps, may be lower


def pages(operation, member, **given):
    def count(client):
        return sum(len(page.get(member) or []) for page in client.get_paginator(operation).paginate(**given))
    return count


TRUST = json.dumps({'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}}]})
OWN = json.dumps({'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::home-${aws:username}/*'}]})
DEFINITION = {'requiresCompatibilities': ['FARGATE'], 'networkMode': 'awsvpc', 'cpu': '256', 'memory': '512',
              'containerDefinitions': [{'name': 'web', 'image': 'web:1', 'portMappings': [{'containerPort': 8000}]}]}
KEYS = [{'AttributeName': 'id', 'KeyType': 'HASH'}]
TYPES = [{'AttributeName': 'id', 'AttributeType': 'S'}]


def things():
    return [
        Thing('iam roles', 'iam',
              lambda c, n: c.create_role(RoleName=f'role-{n:05}', AssumeRolePolicyDocument=TRUST),
              lambda c, n: c.get_role(RoleName=f'role-{n:05}'), pages('list_roles', 'Roles')),
        Thing('iam users', 'iam', lambda c, n: c.create_user(UserName=f'user-{n:05}'),
              lambda c, n: c.get_user(UserName=f'user-{n:05}'), pages('list_users', 'Users'),
              equip=lambda c, n: c.put_user_policy(UserName=f'user-{n:05}', PolicyName='own', PolicyDocument=OWN),
              decide=lambda c, n: c.simulate_principal_policy(
                  PolicySourceArn=f'arn:aws:iam::000000000000:user/user-{n:05}', ActionNames=['s3:GetObject'],
                  ResourceArns=[f'arn:aws:s3:::home-user-{n:05}/x'])),
        Thing('iam policies', 'iam', lambda c, n: c.create_policy(PolicyName=f'policy-{n:05}', PolicyDocument=OWN),
              lambda c, n: c.get_policy(PolicyArn=f'arn:aws:iam::000000000000:policy/policy-{n:05}'),
              pages('list_policies', 'Policies', Scope='Local')),
        Thing('ec2 security groups', 'ec2',
              lambda c, n: c.create_security_group(GroupName=f'group-{n:05}', Description='bench'),
              lambda c, n: c.describe_security_groups(Filters=[{'Name': 'group-name', 'Values': [f'group-{n:05}']}]),
              pages('describe_security_groups', 'SecurityGroups', PaginationConfig={'PageSize': 1000}), most=2400),
        Thing('dynamodb items', 'dynamodb', lambda c, n: c.put_item(TableName='many', Item=item(f'{n:05}', n)),
              lambda c, n: c.get_item(TableName='many', Key={'id': {'S': f'{n:05}'}}),
              pages('scan', 'Items', TableName='many'),
              lambda c: c.create_table(TableName='many', KeySchema=KEYS, AttributeDefinitions=TYPES,
                                       BillingMode='PAY_PER_REQUEST')),
        Thing('dynamodb tables', 'dynamodb',
              lambda c, n: c.create_table(TableName=f'table-{n:05}', KeySchema=KEYS, AttributeDefinitions=TYPES,
                                          BillingMode='PAY_PER_REQUEST'),
              lambda c, n: c.describe_table(TableName=f'table-{n:05}'), pages('list_tables', 'TableNames'),
              most=2400),
        Thing('logs groups', 'logs', lambda c, n: c.create_log_group(logGroupName=f'/many/{n:05}'),
              lambda c, n: c.describe_log_groups(logGroupNamePrefix=f'/many/{n:05}'),
              pages('describe_log_groups', 'logGroups')),
        Thing('logs streams', 'logs', lambda c, n: c.create_log_stream(logGroupName='many', logStreamName=f'{n:05}'),
              lambda c, n: c.describe_log_streams(logGroupName='many', logStreamNamePrefix=f'{n:05}'),
              pages('describe_log_streams', 'logStreams', logGroupName='many'),
              lambda c: c.create_log_group(logGroupName='many')),
        Thing('ecs task definitions', 'ecs',
              lambda c, n: c.register_task_definition(family=f'family-{n % 50}', **DEFINITION),
              lambda c, n: c.describe_task_definition(taskDefinition=f'family-{n % 50}:{n // 50 + 1}'),
              pages('list_task_definitions', 'taskDefinitionArns')),
        Thing('ecr repositories', 'ecr', lambda c, n: c.create_repository(repositoryName=f'many/{n:05}'),
              lambda c, n: c.describe_repositories(repositoryNames=[f'many/{n:05}']),
              pages('describe_repositories', 'repositories')),
        Thing('ec2 network interfaces', 'ec2',
              lambda c, n: c.create_network_interface(SubnetId=VPC['subnet'], PrivateIpAddress=f'10.9.{n // 250}.{n % 250 + 4}'),
              lambda c, n: c.describe_network_interfaces(
                  Filters=[{'Name': 'private-ip-address', 'Values': [f'10.9.{n // 250}.{n % 250 + 4}']}]),
              pages('describe_network_interfaces', 'NetworkInterfaces', PaginationConfig={'PageSize': 1000}), most=4000),
        Thing('s3 buckets', 's3',
              lambda c, n: c.create_bucket(Bucket=f'many-{n:05}',
                                           CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'}),
              lambda c, n: c.head_bucket(Bucket=f'many-{n:05}'), pages('list_buckets', 'Buckets')),
        Thing('s3 objects', 's3', lambda c, n: c.put_object(Bucket='many', Key=f'{n:05}', Body=b'x' * 100),
              lambda c, n: c.head_object(Bucket='many', Key=f'{n:05}'),
              pages('list_objects_v2', 'Contents', Bucket='many'),
              lambda c: c.create_bucket(Bucket='many', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})),
        Thing('sqs queues', 'sqs', lambda c, n: c.create_queue(QueueName=f'queue-{n:05}'),
              lambda c, n: c.get_queue_attributes(QueueUrl=f'queue-{n:05}', AttributeNames=['QueueArn', 'Policy']),
              pages('list_queues', 'QueueUrls', PaginationConfig={'PageSize': 1000})),
        # The one that is received is the first of all; it can be received again at once.
        Thing('sqs messages', 'sqs', lambda c, n: c.send_message(QueueUrl='many', MessageBody=f'{n} ' + 'x' * 200),
              lambda c, n: c.receive_message(QueueUrl='many', AttributeNames=['All']),
              lambda c: int(c.get_queue_attributes(QueueUrl='many', AttributeNames=['All'])['Attributes'][
                  'ApproximateNumberOfMessages']),
              lambda c: c.create_queue(QueueName='many', Attributes={'VisibilityTimeout': '0'})),
        Thing('elbv2 target groups', 'elbv2',
              lambda c, n: c.create_target_group(Name=f'group-{n:05}', Protocol='HTTP', Port=80, TargetType='ip',
                                                 VpcId=VPC['id']),
              lambda c, n: c.describe_target_groups(Names=[f'group-{n:05}']),
              pages('describe_target_groups', 'TargetGroups'), most=2900),
    ]


VPC = {}


class Meter:
    def __init__(self, cloud):
        self.cloud, self.path = cloud, tempfile.mktemp(prefix='brume-bench-many-')

    def send(self, client, call, numbers, connections=8):
        """CPU microseconds of the server for one of these requests, each sent once."""
        with open(self.path, 'wb') as file:
            for number in numbers:
                request = catch(client, lambda c, n=number: call(c, n))
                file.write(f'{len(request)}\n'.encode() + request)
        before = cpu_us([self.cloud.pid])
        answer = replay(self.cloud.port, self.path, len(numbers), connections)
        os.unlink(self.path)
        if answer['failed']:
            raise SystemExit(f'{answer["failed"]} of {len(numbers)} requests failed')
        return (cpu_us([self.cloud.pid]) - before) / len(numbers)

    def rounds(self, client, call, numbers):
        return [self.send(client, call, numbers[i * BATCH:(i + 1) * BATCH]) for i in range(len(numbers) // BATCH)]

    def listing(self, client, thing, expected):
        before = cpu_us([self.cloud.pid])
        count = thing.pages(client)
        if count < expected:
            raise SystemExit(f'{count} of {expected} {thing.name} were listed')
        return (cpu_us([self.cloud.pid]) - before) / count


def spread(count):
    """Which are described: evenly from first to last, in another order than they were made."""
    return [(i * 7919 % SAMPLE) * count // SAMPLE for i in range(SAMPLE)]


def stages(most):
    return [FEW, MIDDLE, most] if most > MIDDLE + 1000 else [FEW, most]


def measure(meter, client, thing):
    """By act, the figures at each stage."""
    figures = {}

    def note(act, cost):
        figures.setdefault(act, []).append(cost)

    def make(numbers, noted):
        for act, call in (('create', thing.create), ('give a policy', thing.equip)):
            if call is not None and noted:
                note(act, meter.rounds(client, call, numbers))
            elif call is not None and numbers:
                meter.send(client, call, numbers)
    made = 0
    for stage in stages(thing.most):
        last = max(made, stage - SAMPLE)
        make(range(made, last), False)
        make(range(last, stage), True)
        made = stage
        meter.send(client, thing.read, spread(stage))  # the first warms
        note('describe one', meter.rounds(client, thing.read, spread(stage)))
        note('list, per item', [meter.listing(client, thing, stage) for _ in range(4)][1:])
        if thing.decide is not None:
            meter.send(client, thing.decide, spread(stage))
            note('decide for one', meter.rounds(client, thing.decide, spread(stage)))
    return figures


def run(only=''):
    table = Table(f'Per item, CPU µs of the server, with {FEW} and with many of its kind', 'kind', 'many', 'act',
                  f'at {FEW}', f'at {MIDDLE:,}', 'at many', 'ratio', 'goal')
    for thing in things():
        if only not in thing.name:
            continue
        cloud = Cloud()
        try:
            client = cloud.client(thing.service)
            if thing.name in ('elbv2 target groups', 'ec2 network interfaces'):
                ec2 = cloud.client('ec2')
                VPC['id'] = ec2.create_vpc(CidrBlock='10.9.0.0/16')['Vpc']['VpcId']
                VPC['subnet'] = ec2.create_subnet(VpcId=VPC['id'], CidrBlock='10.9.0.0/16')['Subnet']['SubnetId']
            thing.prepare(client)
            began = time.monotonic()
            for act, (few, *middle, many) in measure(Meter(cloud), client, thing).items():
                ratio = median(many) / median(few)
                table.add(thing.name, f'{thing.most:,}', act, shown(few), shown(middle[0]) if middle else '', shown(many),
                          f'{ratio:.2f}', judged(ratio, FLAT))
            print(f'{thing.name}: {time.monotonic() - began:.0f} s', flush=True)
        except SystemExit as failure:
            table.add(thing.name, f'{thing.most:,}', str(failure), '', '', '', '', 'MISSED')
        finally:
            cloud.remove()
    table.show()
