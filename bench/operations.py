"""The requests whose cost is measured, as boto3 writes and signs them: caught on their way out, each with its own input
where that is natural, so that no signature is seen twice."""
import json

from botocore.awsrequest import AWSResponse

from world import REGION

DISTINCT = 400


class Caught(Exception):
    pass


def raw(request):
    """An AWSPreparedRequest as it goes over the wire."""
    url = request.url.split('/', 3)
    body = request.body or b''
    if hasattr(body, 'read'):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    lines = [f'{request.method} /{url[3] if len(url) > 3 else ""} HTTP/1.1', f'Host: {url[2]}']
    for name, value in request.headers.items():
        if name.lower() not in ('host', 'content-length', 'expect'):
            lines.append(f'{name}: {value.decode() if isinstance(value, bytes) else value}')
    lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def catch(client, call):
    """The bytes of the request that call(client) would send."""
    caught = []

    def stop(request, **_):
        caught.append(raw(request))
        return AWSResponse(request.url, 200, {}, None)
    client.meta.events.register('before-send', stop)
    try:
        call(client)
    except Exception:  # noqa: BLE001: the answer is no answer; only what was asked matters
        pass
    finally:
        client.meta.events.unregister('before-send', stop)
    return caught[0]


def write_requests(path, client, call, count=DISTINCT):
    with open(path, 'wb') as file:
        for number in range(count):
            request = catch(client, lambda c, n=number: call(c, n))
            file.write(f'{len(request)}\n'.encode() + request)


POLICY = {'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Action': ['sts:*', 'ec2:*', 'iam:*', 'dynamodb:*', 's3:*', 'logs:*', 'ecs:*', 'ecr:*',
                                   'elasticloadbalancing:*', 'sqs:*'], 'Resource': '*'},
    {'Effect': 'Deny', 'Action': 's3:DeleteBucket', 'Resource': 'arn:aws:s3:::precious*'}]}


class World:
    """What the operations act on, and a user whom a policy allows them: the root is never asked."""

    def __init__(self, cloud):
        root = cloud.client
        iam = root('iam')
        iam.create_user(UserName='bench')
        iam.put_user_policy(UserName='bench', PolicyName='work', PolicyDocument=json.dumps(POLICY))
        key = iam.create_access_key(UserName='bench')['AccessKey']
        self.client = lambda service: root(service, key['AccessKeyId'], key['SecretAccessKey'])
        trust = {'Version': '2012-10-17', 'Statement': [
            {'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}}]}
        iam.create_role(RoleName='bench', AssumeRolePolicyDocument=json.dumps(trust))
        ec2 = root('ec2')
        self.vpc = ec2.create_vpc(CidrBlock='10.9.0.0/16')['Vpc']['VpcId']
        self.subnets = [ec2.create_subnet(VpcId=self.vpc, CidrBlock=f'10.9.{i}.0/24',
                                          AvailabilityZone=f'{REGION}{"ab"[i]}')['Subnet']['SubnetId'] for i in (0, 1)]
        table = {'AttributeName': 'id', 'KeyType': 'HASH'}, {'AttributeName': 'at', 'KeyType': 'RANGE'}
        dynamodb = root('dynamodb')
        dynamodb.create_table(TableName='bench', KeySchema=list(table), BillingMode='PAY_PER_REQUEST',
                              AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'},
                                                    {'AttributeName': 'at', 'AttributeType': 'N'}])
        dynamodb.get_waiter('table_exists').wait(TableName='bench', WaiterConfig={'Delay': 1})
        for number in range(50):
            dynamodb.put_item(TableName='bench', Item=item('query', number))
        dynamodb.put_item(TableName='bench', Item=item('get', 1))
        s3 = root('s3')
        s3.create_bucket(Bucket='bench', CreateBucketConfiguration={'LocationConstraint': REGION})
        s3.put_object(Bucket='bench', Key='read', Body=b'x' * 1024)
        logs = root('logs')
        logs.create_log_group(logGroupName='/bench')
        logs.create_log_stream(logGroupName='/bench', logStreamName='one')
        ecs = root('ecs')
        ecs.create_cluster(clusterName='bench')
        ecs.register_task_definition(family='bench', networkMode='awsvpc', requiresCompatibilities=['FARGATE'],
                                     cpu='256', memory='512', containerDefinitions=[{'name': 'web', 'image': 'web'}])
        ecs.create_service(cluster='bench', serviceName='bench', taskDefinition='bench', desiredCount=0,
                           launchType='FARGATE', networkConfiguration={'awsvpcConfiguration': {'subnets': self.subnets}})
        root('elbv2').create_target_group(Name='bench', Protocol='HTTP', Port=80, VpcId=self.vpc, TargetType='ip')
        root('ecr').create_repository(repositoryName='bench')
        sqs = root('sqs')
        self.queue = sqs.create_queue(QueueName='bench')['QueueUrl']
        # What is received from it can be received again at once.
        self.full = sqs.create_queue(QueueName='full', Attributes={'VisibilityTimeout': '0'})['QueueUrl']
        for _ in range(5):
            sqs.send_message_batch(QueueUrl=self.full, Entries=[
                {'Id': str(i), 'MessageBody': 'x' * 200} for i in range(10)])


def item(key, number):
    return {'id': {'S': key}, 'at': {'N': str(number)}, 'name': {'S': 'someone'}, 'tags': {'L': [{'S': 'a'}, {'S': 'b'}]},
            'count': {'N': '42'}, 'note': {'S': 'x' * 200}}


def operations(world):
    """(kind, service, name, call) of each; kind is read or write."""
    now = 1000 * int(__import__('time').time())
    return [
        ('read', 'sts', 'GetCallerIdentity', lambda c, n: c.get_caller_identity()),
        ('read', 'ec2', 'DescribeVpcs', lambda c, n: c.describe_vpcs(VpcIds=[world.vpc])),
        ('read', 'iam', 'GetRole', lambda c, n: c.get_role(RoleName='bench')),
        ('read', 'dynamodb', 'GetItem',
         lambda c, n: c.get_item(TableName='bench', Key={'id': {'S': 'get'}, 'at': {'N': '1'}})),
        ('read', 'dynamodb', 'Query of 10', lambda c, n: c.query(
            TableName='bench', KeyConditionExpression='id = :id AND #at >= :from', Limit=10,
            ExpressionAttributeNames={'#at': 'at'},
            ExpressionAttributeValues={':id': {'S': 'query'}, ':from': {'N': str(n % 30)}})),
        ('read', 's3', 'GetObject 1 KiB', lambda c, n: c.get_object(Bucket='bench', Key='read')),
        ('read', 's3', 'HeadObject', lambda c, n: c.head_object(Bucket='bench', Key='read')),
        ('read', 'logs', 'DescribeLogGroups', lambda c, n: c.describe_log_groups(logGroupNamePrefix='/bench')),
        ('read', 'ecs', 'DescribeServices', lambda c, n: c.describe_services(cluster='bench', services=['bench'])),
        ('read', 'elbv2', 'DescribeTargetGroups', lambda c, n: c.describe_target_groups(Names=['bench'])),
        ('read', 'ecr', 'DescribeRepositories', lambda c, n: c.describe_repositories(repositoryNames=['bench'])),
        ('write', 'dynamodb', 'PutItem', lambda c, n: c.put_item(TableName='bench', Item=item(f'put-{n}', n))),
        ('write', 'dynamodb', 'UpdateItem', lambda c, n: c.update_item(
            TableName='bench', Key={'id': {'S': 'update'}, 'at': {'N': str(n % 10)}}, UpdateExpression='ADD hits :one',
            ExpressionAttributeValues={':one': {'N': '1'}})),
        ('write', 's3', 'PutObject 1 KiB', lambda c, n: c.put_object(Bucket='bench', Key=f'k{n}', Body=b'y' * 1024)),
        ('write', 'logs', 'PutLogEvents of 10', lambda c, n: c.put_log_events(
            logGroupName='/bench', logStreamName='one',
            logEvents=[{'timestamp': now + i, 'message': f'line {n} {i} of a request that went well'} for i in range(10)])),
        ('write', 'sqs', 'SendMessage',
         lambda c, n: c.send_message(QueueUrl=world.queue, MessageBody=f'{n} ' + 'x' * 200)),
        ('write', 'sqs', 'ReceiveMessage', lambda c, n: c.receive_message(QueueUrl=world.full)),
        ('write', 'ec2', 'CreateTags', lambda c, n: c.create_tags(
            Resources=[world.vpc], Tags=[{'Key': 'Name', 'Value': f'name-{n}'}])),
        ('write', 'iam', 'TagRole', lambda c, n: c.tag_role(
            RoleName='bench', Tags=[{'Key': 'Name', 'Value': f'name-{n}'}])),
    ]
