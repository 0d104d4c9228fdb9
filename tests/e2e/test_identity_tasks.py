"""A task's role while the task runs: what it may do changes with the next request, and its credentials are renewed, in
the same process with the same clients. And who may start a task with a role at all."""
import json
import subprocess

import pytest
from botocore.exceptions import ClientError

from cloud import REGION
from python_image import python_image
from three_tiers import namespaces
from waiting import wait_until

ACCOUNT = '000000000000'
IMAGE = 'docker.io/library/asker:1'
PORT = 8000
# In the container: one process that asks AWS with the clients that it made when it began, when it is told to.
APP = '''
import http.server, json, os, boto3
from botocore.exceptions import ClientError
session = boto3.Session()
s3, dynamodb, sts = (session.client(name) for name in ("s3", "dynamodb", "sts"))
calls = {
    "/s3": lambda: s3.get_object(Bucket="shelf", Key="book")["Body"].read().decode(),
    "/dynamodb": lambda: dynamodb.get_item(TableName="cards", Key={"id": {"S": "1"}})["Item"]["name"]["S"],
    "/table": lambda: dynamodb.describe_table(TableName="cards")["Table"]["TableName"],
    "/fresh": lambda: boto3.Session().client("s3").get_object(Bucket="shelf", Key="book")["Body"].read().decode(),
    "/sts": lambda: sts.get_caller_identity()["Arn"],
    "/key": lambda: boto3.Session().get_credentials().get_frozen_credentials().access_key,
    "/again": lambda: boto3.Session().client("sts").get_caller_identity()["Arn"],
}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = {"pid": os.getpid()}
        try:
            answer["result"] = calls[self.path]()
        except ClientError as error:
            answer.update(error.response["Error"], request=error.response["ResponseMetadata"]["RequestId"])
        except Exception as error:
            answer.update(Code=type(error).__name__, Message=str(error))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
'''


def policy(*statements):
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


def allow(action, resource='*', **more):
    return {'Effect': 'Allow', 'Action': action, 'Resource': resource, **more}


@pytest.fixture(scope='module')
def iam(cloud):
    return cloud.client('iam')


@pytest.fixture(scope='module')
def roles(iam):
    """A task role that may do nothing yet, and one more."""
    trust = policy({'Effect': 'Allow', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}, 'Action': 'sts:AssumeRole'})
    return {name: iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)['Role']['Arn']
            for name in ('asker', 'other')}


@pytest.fixture(scope='module')
def definition(cloud, roles):
    archive = python_image(cloud.work / 'asker.tar', APP, [f'AWS_DEFAULT_REGION={REGION}'])
    cloud.brume('image', 'load', archive, IMAGE)
    archive.unlink()
    ecs = cloud.client('ecs')
    ecs.create_cluster(clusterName='c')
    return ecs.register_task_definition(
        family='asker', networkMode='awsvpc', requiresCompatibilities=['FARGATE'], cpu='256', memory='512',
        taskRoleArn=roles['asker'], executionRoleArn=roles['other'], containerDefinitions=[
            {'name': 'asker', 'image': IMAGE, 'essential': True}])['taskDefinition']['taskDefinitionArn']


@pytest.fixture(scope='module')
def network(cloud):
    subnets = cloud.client('ec2').describe_subnets()['Subnets']
    return {'awsvpcConfiguration': {'subnets': [subnets[0]['SubnetId']], 'assignPublicIp': 'ENABLED'}}


@pytest.fixture(scope='module')
def runner(cloud, iam):
    """A user who may do everything with ECS, and pass no role yet."""
    iam.create_user(UserName='runner')
    iam.put_user_policy(UserName='runner', PolicyName='ecs', PolicyDocument=policy(allow('ecs:*')))
    return cloud.session_client('ecs', iam.create_access_key(UserName='runner')['AccessKey'])


def test_whoever_runs_a_task_must_be_allowed_to_pass_its_roles(cloud, iam, runner, roles, definition, network):
    run = {'cluster': 'c', 'taskDefinition': definition, 'networkConfiguration': network, 'count': 1}
    service = {'cluster': 'c', 'serviceName': 's', 'taskDefinition': definition, 'networkConfiguration': network,
               'desiredCount': 0}

    def passing(*arns):
        iam.put_user_policy(UserName='runner', PolicyName='pass', PolicyDocument=policy(allow(
            'iam:PassRole', list(arns), Condition={'StringEquals': {'iam:PassedToService': 'ecs-tasks.amazonaws.com'}})))

    def refused(call, **arguments):
        with pytest.raises(ClientError) as error:
            call(**arguments)
        assert error.value.response['Error']['Code'] == 'AccessDeniedException'
        return error.value.response['Error']['Message']
    for call, arguments in ((runner.run_task, run), (runner.create_service, service)):
        assert refused(call, **arguments) == (
            f'User: arn:aws:iam::{ACCOUNT}:user/runner is not authorized to perform: iam:PassRole on resource: '
            f'{roles["asker"]} because no identity-based policy allows the iam:PassRole action')
    passing(roles['asker'])
    assert roles['other'] in refused(runner.run_task, **run), 'the execution role is passed too'
    # A role that the request names instead is the one that is passed.
    passing(roles['other'])
    assert roles['asker'] in refused(runner.run_task, **run, overrides={'executionRoleArn': roles['other']})
    passing(roles['asker'], roles['other'])
    assert runner.create_service(**service)['service']['status'] == 'ACTIVE'
    iam.delete_user_policy(UserName='runner', PolicyName='pass')
    assert runner.update_service(cluster='c', service='s', desiredCount=0), 'who only scales passes nothing'
    assert roles['asker'] in refused(runner.update_service, cluster='c', service='s', taskDefinition=definition)


@pytest.fixture(scope='module')
def task(cloud, definition, network):
    ecs = cloud.client('ecs')
    started = ecs.run_task(cluster='c', taskDefinition=definition, networkConfiguration=network)
    assert not started['failures']
    arn = started['tasks'][0]['taskArn']

    def running():
        found = ecs.describe_tasks(cluster='c', tasks=[arn])['tasks'][0]
        assert found['lastStatus'] != 'STOPPED', found.get('stoppedReason')
        return found if found['lastStatus'] == 'RUNNING' else None
    return wait_until(running, 90, 'the task')


@pytest.fixture(scope='module')
def ask(cloud, task):
    """What the process in the container gets for a call of its own."""
    details = {each['name']: each['value'] for each in task['attachments'][0]['details']}
    place, = [path for (_, address), path in namespaces(cloud).items() if address == details['privateIPv4Address']]

    def call(what):
        done = subprocess.run(['nsenter', f'--net={place}', 'curl', '-sS', '--max-time', '30', '--noproxy', '*',
                               f'http://127.0.0.1:{PORT}/{what}'], capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else None
    wait_until(lambda: call('key'), 60, 'the process in the container')
    return call


def test_a_running_task_gains_and_loses_an_action_with_the_next_request(cloud, iam, task, ask):
    s3 = cloud.client('s3', s3={'addressing_style': 'path'})
    s3.create_bucket(Bucket='shelf', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_object(Bucket='shelf', Key='book', Body=b'once upon a time')
    dynamodb = cloud.client('dynamodb')
    dynamodb.create_table(TableName='cards', BillingMode='PAY_PER_REQUEST', KeySchema=[
        {'AttributeName': 'id', 'KeyType': 'HASH'}], AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}])
    dynamodb.get_waiter('table_exists').wait(TableName='cards', WaiterConfig={'Delay': 1})
    dynamodb.put_item(TableName='cards', Item={'id': {'S': '1'}, 'name': {'S': 'ada'}})
    session = f'arn:aws:sts::{ACCOUNT}:assumed-role/asker/' + task['taskArn'].rsplit('/', 1)[1]
    who = ask('sts')
    assert who['result'] == session

    for what, action, code, result, resource in (
            ('s3', 's3:GetObject', 'AccessDenied', 'once upon a time', 'arn:aws:s3:::shelf/book'),
            ('dynamodb', 'dynamodb:GetItem', 'AccessDeniedException', 'ada',
             f'arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/cards')):
        denied = ask(what)
        assert denied['Code'] == code, denied
        shown = f'"{resource}"' if what == 's3' else resource
        assert denied['Message'] == (
            f'User: {session} is not authorized to perform: {action} on resource: {shown} '
            f'because no identity-based policy allows the {action} action')
        assert f'DENIED: {action} on {resource}' in cloud.brume('why', denied['request']).stdout
        iam.put_role_policy(RoleName='asker', PolicyName=what, PolicyDocument=policy(allow(action, resource)))
        assert ask(what)['result'] == result, 'it may with the next request'
        iam.delete_role_policy(RoleName='asker', PolicyName=what)
        again = ask(what)
        assert again['Code'] == code and again['Message'] == denied['Message']
        assert again['pid'] == who['pid'], 'the process was never restarted'


def test_a_vpc_endpoints_policy_limits_it_and_why_says_the_way_out(cloud, iam, task, ask):
    ec2 = cloud.client('ec2')
    iam.put_role_policy(RoleName='asker', PolicyName='s3', PolicyDocument=policy(allow('s3:GetObject')))
    assert ask('fresh')['result'] == 'once upon a time'
    vpc = ec2.describe_vpcs(Filters=[{'Name': 'is-default', 'Values': ['true']}])['Vpcs'][0]['VpcId']
    tables = [each['RouteTableId'] for each in ec2.describe_route_tables(
        Filters=[{'Name': 'vpc-id', 'Values': [vpc]}])['RouteTables']]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=f'com.amazonaws.{REGION}.s3', RouteTableIds=tables,
        PolicyDocument=policy(allow('s3:PutObject', Principal='*')))['VpcEndpoint']['VpcEndpointId']
    try:
        denied = wait_until(lambda: next((given for given in [ask('fresh')] if 'Code' in given), None), 30,
                            'the way through the endpoint')
        session = f'arn:aws:sts::{ACCOUNT}:assumed-role/asker/' + task['taskArn'].rsplit('/', 1)[1]
        start = f'User: {session} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::shelf/book" '
        assert denied['Code'] == 'AccessDenied'
        assert denied['Message'] == start + 'because no VPC endpoint policy allows the s3:GetObject action'
        why = cloud.brume('why', denied['request']).stdout
        assert f'VPC endpoint policy {endpoint}' in why
        assert 'no Allow applies: nothing else counts' in why and '1 statement of other actions' in why, why
        # The remedy, put where it says, is enough.
        asked, = json.loads(cloud.brume('why', '--json', denied['request']).stdout)['asks']
        remedy, = asked['remedies']
        assert remedy.startswith('add to the policy of the VPC endpoint, which the request came through: {')
        statement = json.loads(remedy[remedy.index('{'):])
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=policy(statement))
        assert ask('fresh')['result'] == 'once upon a time'
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=policy(
            allow('*', Principal='*'),
            {'Sid': 'NoReads', 'Effect': 'Deny', 'Principal': '*', 'Action': 's3:Get*', 'Resource': '*'}))
        denied = ask('fresh')
        assert denied['Message'] == start + 'with an explicit deny in a VPC endpoint policy'
        assert f'remove or narrow statement 2 (NoReads) of the VPC endpoint policy {endpoint}' in cloud.brume(
            'why', denied['request']).stdout
    finally:
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
        iam.delete_role_policy(RoleName='asker', PolicyName='s3')


def test_its_refusals_are_in_the_audit_trail(cloud, ask):
    denied = ask('table')
    assert denied['Code'] == 'AccessDeniedException'
    events = cloud.client('cloudtrail').lookup_events(
        LookupAttributes=[{'AttributeKey': 'EventName', 'AttributeValue': 'DescribeTable'}])['Events']
    record, = [one for one in (json.loads(event['CloudTrailEvent']) for event in events)
               if one['requestID'] == denied['request']]
    assert record['errorCode'] == 'AccessDeniedException' and record['errorMessage'] == denied['Message']
    assert record['userIdentity']['type'] == 'AssumedRole'
    assert record['userIdentity']['sessionContext']['sessionIssuer']['userName'] == 'asker'


def test_its_credentials_expire_and_are_renewed(cloud, ask):
    before = ask('key')
    assert ask('key')['result'] == before['result'], 'kept while they are good'
    cloud.brume('clock', 'advance', '5h55m')
    after = ask('key')
    assert after['result'].startswith('ASIA') and after['result'] != before['result'], 'the next ones come before the end'
    cloud.brume('clock', 'advance', '10m')
    # The clock of a container is the machine's (docs/user/time.md): its old clients do not know that six hours are over.
    assert ask('sts')['Code'] == 'ExpiredToken'
    assert ':assumed-role/asker/' in ask('again')['result']
