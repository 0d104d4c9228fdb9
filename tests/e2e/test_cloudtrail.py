"""CloudTrail: every request is an event, refused ones too; trails deliver to S3 and Logs; brume audit shows them."""
import gzip
import json
import subprocess

import pytest
from botocore.exceptions import ClientError

from waiting import wait_until

REGION = 'eu-west-1'
ACCOUNT = '000000000000'


def look_up(trail, **attribute):
    (key, value), = attribute.items()
    found = trail.lookup_events(LookupAttributes=[{'AttributeKey': key, 'AttributeValue': value}])['Events']
    return [dict(event, record=json.loads(event['CloudTrailEvent'])) for event in found]


@pytest.fixture(scope='module')
def trail(cloud):
    return cloud.client('cloudtrail')


def test_a_write_and_a_refusal_are_events(cloud, trail):
    ec2 = cloud.client('ec2')
    vpc = ec2.create_vpc(CidrBlock='10.9.0.0/16')['Vpc']['VpcId']
    with pytest.raises(ClientError):
        ec2.delete_vpc(VpcId='vpc-00000000000000000')
    made, = look_up(trail, ResourceName=vpc)
    assert made['EventName'] == 'CreateVpc' and made['EventSource'] == 'ec2.amazonaws.com' and made['ReadOnly'] == 'false'
    assert made['record']['requestParameters']['cidrBlock'] == '10.9.0.0/16'
    answered = made['record']['responseElements']
    assert answered['requestId'] == made['record']['requestID'] and answered['vpc']['vpcId'] == vpc
    blocks = answered['vpc']['cidrBlockAssociationSet']['items']
    assert [block['cidrBlock'] for block in blocks] == ['10.9.0.0/16'] and answered['vpc']['tagSet'] == {}
    assert made['record']['userIdentity'] == {'type': 'Root', 'principalId': ACCOUNT, 'accountId': ACCOUNT,
                                              'arn': f'arn:aws:iam::{ACCOUNT}:root', 'accessKeyId': 'test'}
    assert made['record']['awsRegion'] == REGION and 'boto' in made['record']['userAgent'].lower()
    refused, = look_up(trail, EventName='DeleteVpc')
    assert refused['record']['errorCode'] == 'Client.InvalidVpcID.NotFound'
    assert refused['record']['requestParameters'] == {'vpcId': 'vpc-00000000000000000'}


def parameters(trail, name):
    return look_up(trail, EventName=name)[0]['record']['requestParameters']


def test_records_have_the_form_that_detection_rules_read(cloud, trail):
    """Expected records are those that AWS's documents and public rules' fixtures show of these operations."""
    ec2 = cloud.client('ec2')
    vpc = ec2.create_vpc(CidrBlock='10.8.0.0/16')['Vpc']['VpcId']
    group = ec2.create_security_group(GroupName='web', Description='of the web', VpcId=vpc)['GroupId']
    rule = {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    ec2.create_tags(Resources=[group], Tags=[{'Key': 'Name', 'Value': 'web'}])
    ec2.describe_security_groups(GroupIds=[group])
    ec2.describe_instances()
    ec2.describe_route_tables(Filters=[{'Name': 'vpc-id', 'Values': [vpc]}])
    ec2.describe_nat_gateways()
    assert parameters(trail, 'CreateSecurityGroup') == {'groupName': 'web', 'groupDescription': 'of the web', 'vpcId': vpc}
    assert parameters(trail, 'AuthorizeSecurityGroupIngress') == {'groupId': group, 'ipPermissions': {'items': [
        {'ipProtocol': 'tcp', 'fromPort': 22, 'toPort': 22, 'ipRanges': {'items': [{'cidrIp': '0.0.0.0/0'}]},
         'groups': {}, 'ipv6Ranges': {}, 'prefixListIds': {}}]}}
    opened = look_up(trail, EventName='AuthorizeSecurityGroupIngress')[0]['record']['responseElements']
    assert opened['_return'] is True and opened['securityGroupRuleSet']['items'][0]['cidrIpv4'] == '0.0.0.0/0'
    assert parameters(trail, 'CreateTags') == {'resourcesSet': {'items': [{'resourceId': group}]},
                                               'tagSet': {'items': [{'key': 'Name', 'value': 'web'}]}}
    assert parameters(trail, 'DescribeSecurityGroups') == {
        'filterSet': {}, 'securityGroupSet': {}, 'securityGroupIdSet': {'items': [{'groupId': group}]}}
    assert parameters(trail, 'DescribeInstances') == {'instancesSet': {}, 'filterSet': {}}
    assert parameters(trail, 'DescribeRouteTables') == {'routeTableIdSet': {}, 'filterSet': {'items': [
        {'name': 'vpc-id', 'valueSet': {'items': [{'value': vpc}]}}]}}
    assert parameters(trail, 'DescribeNatGateways') == {'DescribeNatGatewaysRequest': ''}
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)
    gone, = [event['record'] for event in look_up(trail, ResourceName=vpc) if event['EventName'] == 'DeleteVpc']
    assert gone['requestParameters'] == {'vpcId': vpc}
    assert gone['responseElements'] == {'requestId': gone['requestID'], '_return': True}
    s3 = cloud.client('s3')
    s3.create_bucket(Bucket='rules', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_bucket_tagging(Bucket='rules', Tagging={'TagSet': [{'Key': 'a', 'Value': 'b'}]})
    tagged = look_up(trail, EventName='PutBucketTagging')[0]['record']
    assert tagged['requestParameters'].pop('Host') == f'127.0.0.1:{cloud.port}'
    assert {name: value for name, value in tagged['requestParameters'].items() if not name.startswith('x-amz-')} == {
        'bucketName': 'rules', 'tagging': '', 'Tagging': {'xmlns': 'http://s3.amazonaws.com/doc/2006-03-01/',
                                                          'TagSet': {'Tag': {'Key': 'a', 'Value': 'b'}}}}
    assert tagged['resources'] == [{'accountId': ACCOUNT, 'type': 'AWS::S3::Bucket', 'ARN': 'arn:aws:s3:::rules'}]
    assert tagged['responseElements'] is None


def test_a_denied_user_is_named_and_secrets_are_not(cloud, trail):
    iam = cloud.client('iam')
    iam.create_user(UserName='mallory')
    key = iam.create_access_key(UserName='mallory')['AccessKey']
    mallory = cloud.client('s3', key=key['AccessKeyId'], secret=key['SecretAccessKey'])
    with pytest.raises(ClientError, match='AccessDenied'):
        mallory.list_buckets()
    denied = [event for event in look_up(trail, Username='mallory') if event['EventName'] == 'ListBuckets']
    assert denied[0]['record']['errorCode'] == 'AccessDenied'
    assert denied[0]['record']['userIdentity']['userName'] == 'mallory'
    assert denied[0]['AccessKeyId'] == key['AccessKeyId']
    made, = [event for event in look_up(cloud.client('cloudtrail', region='us-east-1'), EventName='CreateAccessKey')]
    assert key['SecretAccessKey'] not in made['CloudTrailEvent']
    assert made['record']['responseElements']['accessKey']['accessKeyId'] == key['AccessKeyId']


def test_no_secret_is_in_any_event(cloud):
    iam = cloud.client('iam')
    iam.create_user(UserName='keeper')
    iam.create_login_profile(UserName='keeper', Password='Sesame-0pen!')
    iam.update_login_profile(UserName='keeper', Password='Sesame-0pen?')
    key = iam.create_access_key(UserName='keeper')['AccessKey']
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName='keeper')['VirtualMFADevice']
    session = cloud.session_client('sts', key).get_session_token()['Credentials']
    token = cloud.client('ecr').get_authorization_token()['authorizationData'][0]['authorizationToken']
    secrets = ['Sesame-0pen', key['SecretAccessKey'], session['SecretAccessKey'], session['SessionToken'], token,
               device['Base32StringSeed'].decode()]
    names = set()
    for region in (REGION, 'us-east-1'):
        pages = cloud.client('cloudtrail', region=region).get_paginator('lookup_events').paginate()
        for event in (event for page in pages for event in page['Events']):
            names.add(event['EventName'])
            assert not [secret for secret in secrets if secret in event['CloudTrailEvent']], event['EventName']
    assert {'CreateLoginProfile', 'UpdateLoginProfile', 'CreateAccessKey', 'CreateVirtualMFADevice', 'GetSessionToken',
            'GetAuthorizationToken'} <= names


def test_pages_are_whole_and_newest_first(cloud, trail):
    sts = cloud.client('sts')
    ids = [sts.get_caller_identity()['ResponseMetadata']['RequestId'] for _ in range(25)]
    pages = list(trail.get_paginator('lookup_events').paginate(
        LookupAttributes=[{'AttributeKey': 'EventName', 'AttributeValue': 'GetCallerIdentity'}],
        PaginationConfig={'PageSize': 10}))
    seen = [json.loads(event['CloudTrailEvent'])['requestID'] for page in pages for event in page['Events']]
    assert seen[:25] == list(reversed(ids))


def test_events_survive_a_killed_daemon(cloud, trail):
    cloud.client('ec2').create_vpc(CidrBlock='10.77.0.0/16')
    trail.lookup_events()  # it is on disk when it can be looked up
    cloud.kill()
    cloud.up()
    found = look_up(cloud.client('cloudtrail'), EventName='CreateVpc')
    assert '10.77.0.0/16' in [event['record']['requestParameters']['cidrBlock'] for event in found]


def bucket_policy(bucket):
    service = {'Service': 'cloudtrail.amazonaws.com'}
    return json.dumps({'Version': '2012-10-17', 'Statement': [
        {'Effect': 'Allow', 'Principal': service, 'Action': 's3:GetBucketAcl', 'Resource': f'arn:aws:s3:::{bucket}'},
        {'Effect': 'Allow', 'Principal': service, 'Action': 's3:PutObject',
         'Resource': f'arn:aws:s3:::{bucket}/AWSLogs/{ACCOUNT}/*',
         'Condition': {'StringEquals': {'s3:x-amz-acl': 'bucket-owner-full-control',
                                        'aws:SourceArn': f'arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main'}}}]})


def test_a_trail_delivers_to_s3_and_logs(cloud):
    trail, s3, logs, iam = (cloud.client(name) for name in ('cloudtrail', 's3', 'logs', 'iam'))
    s3.create_bucket(Bucket='trail-bucket', CreateBucketConfiguration={'LocationConstraint': REGION})
    wanted = {'Name': 'main', 'S3BucketName': 'trail-bucket', 'EnableLogFileValidation': True}
    with pytest.raises(ClientError, match='InsufficientS3BucketPolicyException'):
        trail.create_trail(**wanted)
    s3.put_bucket_policy(Bucket='trail-bucket', Policy=bucket_policy('trail-bucket'))
    logs.create_log_group(logGroupName='trail')
    trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'sts:AssumeRole',
                                                     'Principal': {'Service': 'cloudtrail.amazonaws.com'}}]}
    role = iam.create_role(RoleName='trail', AssumeRolePolicyDocument=json.dumps(trust))['Role']['Arn']
    group = {'CloudWatchLogsLogGroupArn': f'arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail:*',
             'CloudWatchLogsRoleArn': role}
    with pytest.raises(ClientError, match='InvalidCloudWatchLogsRoleArnException'):
        trail.create_trail(**wanted, **group)
    allow = {'Effect': 'Allow', 'Action': ['logs:CreateLogStream', 'logs:PutLogEvents'], 'Resource': '*'}
    iam.put_role_policy(RoleName='trail', PolicyName='p',
                        PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [allow]}))
    arn = trail.create_trail(**wanted, **group, TagsList=[{'Key': 'team', 'Value': 'audit'}])['TrailARN']
    assert trail.get_trail(Name='main')['Trail']['TrailARN'] == arn
    assert [each['Name'] for each in trail.describe_trails()['trailList']] == ['main']
    assert [each['TrailARN'] for each in trail.list_trails()['Trails']] == [arn]
    trail.put_event_selectors(TrailName='main', EventSelectors=[
        {'ReadWriteType': 'WriteOnly', 'IncludeManagementEvents': True,
         'DataResources': [{'Type': 'AWS::S3::Object', 'Values': ['arn:aws:s3:::data-bucket/']}]}])
    assert trail.get_event_selectors(TrailName='main')['EventSelectors'][0]['ReadWriteType'] == 'WriteOnly'
    trail.start_logging(Name='main')
    s3.create_bucket(Bucket='data-bucket', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_object(Bucket='data-bucket', Key='secret.txt', Body=b'x')
    s3.put_object(Bucket='trail-bucket', Key='unrecorded', Body=b'x')
    s3.list_buckets()

    def records():
        found = []
        for item in s3.list_objects_v2(Bucket='trail-bucket', Prefix='AWSLogs/').get('Contents', []):
            body = s3.get_object(Bucket='trail-bucket', Key=item['Key'])['Body'].read()
            found += json.loads(gzip.decompress(body))['Records']
        return {record['eventName']: record for record in found}
    delivered = wait_until(lambda: records() if 'PutObject' in records() else None, 30, 'the delivery')
    assert delivered['PutObject']['requestParameters']['bucketName'] == 'data-bucket'
    assert delivered['PutObject']['eventCategory'] == 'Data' and 'CreateBucket' in delivered
    assert 'ListBuckets' not in delivered, 'it only reads'
    lines = logs.filter_log_events(logGroupName='trail')['events']
    assert {json.loads(line['message'])['eventName'] for line in lines} == set(delivered)
    assert lines[0]['logStreamName'] == f'{ACCOUNT}_CloudTrail_{REGION}'
    status = trail.get_trail_status(Name='main')
    assert status['IsLogging'] and 'LatestDeliveryTime' in status and 'LatestCloudWatchLogsDeliveryTime' in status


def test_trails_change_and_go(cloud):
    trail = cloud.client('cloudtrail')
    arn = trail.update_trail(Name='main', IsMultiRegionTrail=True)['TrailARN']
    elsewhere = cloud.client('cloudtrail', region='us-west-2')
    assert elsewhere.describe_trails()['trailList'][0]['HomeRegion'] == REGION
    assert elsewhere.describe_trails(includeShadowTrails=False)['trailList'] == []
    with pytest.raises(ClientError, match='InvalidHomeRegionException'):
        elsewhere.stop_logging(Name='main')
    trail.add_tags(ResourceId=arn, TagsList=[{'Key': 'stage', 'Value': 'test'}])
    trail.remove_tags(ResourceId=arn, TagsList=[{'Key': 'team'}])
    tags = trail.list_tags(ResourceIdList=[arn])['ResourceTagList'][0]['TagsList']
    assert tags == [{'Key': 'stage', 'Value': 'test'}]
    trail.stop_logging(Name='main')
    assert not trail.get_trail_status(Name='main')['IsLogging']
    assert isinstance(trail.list_public_keys()['PublicKeyList'], list)
    trail.delete_trail(Name='main')
    with pytest.raises(ClientError, match='TrailNotFoundException'):
        trail.get_trail(Name='main')


def test_brume_audit(cloud):
    cloud.client('ec2').describe_vpcs()
    with pytest.raises(ClientError):
        cloud.client('iam').get_role(RoleName='nobody')
    lines = cloud.brume('audit', '--limit', 5).stdout.splitlines()
    assert len(lines) == 5 and 'iam:GetRole roleName=nobody -> NoSuchEntity' in lines[-1]
    assert 'ec2:DescribeVpcs' in lines[-2] and f'{ACCOUNT} root' in lines[-2]
    assert all(' -> ' in line for line in cloud.brume('audit', '--failed').stdout.splitlines())
    event = json.loads(cloud.brume('audit', '--json', '--limit', 1).stdout)
    assert event['eventName'] == 'GetRole' and event['eventCategory'] == 'Management'


def test_brume_audit_follows_whatever_the_clock_does(cloud):
    process = subprocess.Popen([cloud.program, '--state', cloud.state, 'audit', '--follow', '--json', '--limit', '1'],
                               stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(process.stdout.readline())['eventName'], 'it begins with the newest one'
        cloud.brume('clock', 'pause')
        asked = [cloud.client('sts').get_caller_identity()['ResponseMetadata']['RequestId'] for _ in range(60)]
        cloud.brume('clock', 'resume')
        seen = []
        while len(seen) < len(asked):
            request = json.loads(process.stdout.readline())['requestID']
            seen += [request] if request in asked else []
        assert seen == asked, 'each once, in order, however many came at one moment'
    finally:
        process.kill()
        process.wait()
