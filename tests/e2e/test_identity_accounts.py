"""Three accounts: roles and buckets across them, boundaries, sessions, tags; each allowed and refused, why, and in whose
audit trail."""
import gzip
import json
import re

import pytest
from botocore.exceptions import ClientError

from cloud import REGION
from waiting import wait_until

OWNER, PARTNER, STRANGER = '111111111111', '222222222222', '333333333333'


def policy(*statements):
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


def allow(action, resource='*', **more):
    return {'Effect': 'Allow', 'Action': action, 'Resource': resource, **more}


# What every user of this file asked for, to be found in the trails at the end: (request id, operation, error code).
ASKED = []
# Those of them that the aws cli asked for.
CALLED_BY_CLI = set()
# Those that an account beside the caller's is told of: {request id: account}.
SHARED = {}


def acting(cloud, service, keys, **options):
    """A client of a user or session, each of whose requests must be an event."""
    client = cloud.session_client(service, keys, **options)

    def note(parsed, model, **_):
        ASKED.append((parsed['ResponseMetadata']['RequestId'], model.name, parsed.get('Error', {}).get('Code')))
    client.meta.events.register('after-call', note)
    return client


def by_cli(cloud, keys, operation, *words):
    """The same through the aws cli, which tells a request's id only to who debugs: its error's code, or None."""
    names = {'AWS_ACCESS_KEY_ID': keys['AccessKeyId'], 'AWS_SECRET_ACCESS_KEY': keys['SecretAccessKey']}
    if keys.get('SessionToken'):
        names['AWS_SESSION_TOKEN'] = keys['SessionToken']
    done = cloud.aws(*words, '--debug', check=False, credentials=names)
    request, = set(re.findall(r"'x-amzn?-request-?id': '([^']+)'", done.stderr, re.IGNORECASE))
    error = re.search(r'An error occurred \((\w+)\)', done.stderr)
    assert bool(error) == (done.returncode != 0), done.stderr
    ASKED.append((request, operation, error[1] if error else None))
    CALLED_BY_CLI.add(request)
    return ASKED[-1][2]


def told(account):
    """The last request is told to this account as well."""
    SHARED[ASKED[-1][0]] = account


@pytest.fixture(scope='module', autouse=True)
def trails(cloud):
    """Every account has a trail of everything, data events too: {account: its bucket}."""
    buckets = {}
    for account in (OWNER, PARTNER, STRANGER):
        s3, bucket = cloud.client('s3', key=account, s3={'addressing_style': 'path'}), f'trail-of-{account}'
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={'LocationConstraint': REGION})
        service = {'Effect': 'Allow', 'Principal': {'Service': 'cloudtrail.amazonaws.com'}}
        s3.put_bucket_policy(Bucket=bucket, Policy=policy(
            {**service, 'Action': 's3:GetBucketAcl', 'Resource': f'arn:aws:s3:::{bucket}'},
            {**service, 'Action': 's3:PutObject', 'Resource': f'arn:aws:s3:::{bucket}/AWSLogs/{account}/*'}))
        trail = cloud.client('cloudtrail', key=account)
        trail.create_trail(Name='all', S3BucketName=bucket, IsMultiRegionTrail=True)
        trail.put_event_selectors(TrailName='all', EventSelectors=[
            {'ReadWriteType': 'All', 'IncludeManagementEvents': True,
             'DataResources': [{'Type': 'AWS::S3::Object', 'Values': ['arn:aws:s3']}]}])
        trail.start_logging(Name='all')
        buckets[account] = bucket
    return buckets


class Denied:
    """The error of a call that must be refused."""

    def __init__(self, call, **arguments):
        with pytest.raises(ClientError) as error:
            call(**arguments)
        self.code = error.value.response['Error']['Code']
        self.message = error.value.response['Error']['Message']
        self.request = error.value.response['ResponseMetadata']['RequestId']


@pytest.fixture(scope='module')
def user(cloud):
    """A function that makes a user of an account with a policy, and gives its keys."""
    def make(account, name, *statements, boundary=None):
        iam = cloud.client('iam', key=account)
        more = {'PermissionsBoundary': boundary} if boundary else {}
        iam.create_user(UserName=name, **more)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName='own', PolicyDocument=policy(*statements))
        return {**iam.create_access_key(UserName=name)['AccessKey'], 'SessionToken': None}
    return make


@pytest.fixture(scope='module')
def role(cloud):
    """The owner's role that the partner may assume with its external id."""
    iam = cloud.client('iam', key=OWNER)
    trust = policy({'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{PARTNER}:root'}, 'Action': 'sts:AssumeRole',
                    'Condition': {'StringEquals': {'sts:ExternalId': 'order-66'}}})
    arn = iam.create_role(RoleName='partner', AssumeRolePolicyDocument=trust)['Role']['Arn']
    iam.put_role_policy(RoleName='partner', PolicyName='own', PolicyDocument=policy(allow('s3:*')))
    return arn


@pytest.fixture(scope='module')
def bucket(cloud):
    s3 = cloud.client('s3', key=OWNER, s3={'addressing_style': 'path'})
    s3.create_bucket(Bucket='ledger', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_object(Bucket='ledger', Key='open/1', Body=b'1')
    s3.put_object(Bucket='ledger', Key='shut/1', Body=b'2')
    return s3


def test_a_role_across_accounts_needs_its_external_id(cloud, role, user):
    partner = acting(cloud, 'sts', user(PARTNER, 'pia', allow('sts:AssumeRole', role)))
    stranger = acting(cloud, 'sts', user(STRANGER, 'sam', allow('sts:AssumeRole', role)))
    without = Denied(partner.assume_role, RoleArn=role, RoleSessionName='visit')
    assert without.code == 'AccessDenied'
    assert f'User: arn:aws:iam::{PARTNER}:user/pia is not authorized to perform: sts:AssumeRole on resource: {role}' \
        in without.message
    assert Denied(partner.assume_role, RoleArn=role, RoleSessionName='visit', ExternalId='wrong').code == 'AccessDenied'
    assert Denied(stranger.assume_role, RoleArn=role, RoleSessionName='visit', ExternalId='order-66').code == 'AccessDenied'
    session = partner.assume_role(RoleArn=role, RoleSessionName='visit', ExternalId='order-66')['Credentials']
    told(OWNER)
    assert acting(cloud, 'sts', session).get_caller_identity()['Account'] == OWNER
    why = cloud.brume('why', without.request).stdout
    assert '✗ Condition StringEquals sts:ExternalId: the policy says order-66; the request does not have it' in why
    assert 'both sides must allow' in why and 'role trust policy' in why
    keys = user(PARTNER, 'cli', allow('sts:AssumeRole', role))
    words = ['sts', 'assume-role', '--role-arn', role, '--role-session-name', 'cli']
    assert by_cli(cloud, keys, 'AssumeRole', *words) == 'AccessDenied'
    assert by_cli(cloud, keys, 'AssumeRole', *words, '--external-id', 'order-66') is None
    told(OWNER)
    stray = user(STRANGER, 'cli', allow('sts:AssumeRole', role))
    assert by_cli(cloud, stray, 'AssumeRole', *words, '--external-id', 'order-66') == 'AccessDenied'


def test_a_chained_session_lasts_an_hour_and_keeps_its_tags(cloud, user):
    iam = cloud.client('iam', key=OWNER)
    trust = policy({'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{OWNER}:root'},
                    'Action': ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']})
    roles = [iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, MaxSessionDuration=7200)['Role']['Arn']
             for name in ('first', 'second')]
    iam.put_role_policy(RoleName='first', PolicyName='own', PolicyDocument=policy(
        allow(['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'])))
    sts = acting(cloud, 'sts', user(OWNER, 'chain', allow('sts:*')))
    first = sts.assume_role(RoleArn=roles[0], RoleSessionName='first', DurationSeconds=7200, SourceIdentity='olivia',
                            Tags=[{'Key': 'team', 'Value': 'red'}], TransitiveTagKeys=['team'])['Credentials']
    chained = acting(cloud, 'sts', first)
    assert Denied(chained.assume_role, RoleArn=roles[1], RoleSessionName='second',
                  DurationSeconds=3601).code == 'ValidationError'
    assert Denied(chained.assume_role, RoleArn=roles[1], RoleSessionName='second', SourceIdentity='eve').code == 'AccessDenied'
    answer = chained.assume_role(RoleArn=roles[1], RoleSessionName='second')
    assert answer['SourceIdentity'] == 'olivia'
    iam.put_role_policy(RoleName='second', PolicyName='own', PolicyDocument=policy(
        allow('s3:ListAllMyBuckets', Condition={'StringEquals': {'aws:PrincipalTag/team': 'red'}})))
    assert acting(cloud, 's3', answer['Credentials']).list_buckets()


def test_a_bucket_policy_across_accounts_needs_both_sides(cloud, bucket, user):
    keys = user(PARTNER, 'bea')
    s3 = acting(cloud, 's3', keys, s3={'addressing_style': 'path'})
    bucket.put_bucket_policy(Bucket='ledger', Policy=policy(
        {'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{PARTNER}:user/bea'}, 'Action': 's3:GetObject',
         'Resource': 'arn:aws:s3:::ledger/open/*'}))
    alone = Denied(s3.get_object, Bucket='ledger', Key='open/1')
    told(OWNER)
    assert 'because no identity-based policy allows the s3:GetObject action' in alone.message
    why = json.loads(cloud.brume('why', '--json', alone.request).stdout)['asks'][0]
    assert why['resource_account'] == OWNER and not why['allowed']
    assert [one['kind'] for one in why['policies']] == ['resource-based policy']
    assert why['policies'][0]['statements'][0]['applied'] is True
    assert any('"s3:GetObject"' in remedy for remedy in why['remedies'])
    cloud.client('iam', key=PARTNER).put_user_policy(UserName='bea', PolicyName='own',
                                                     PolicyDocument=policy(allow('s3:GetObject')))
    assert s3.get_object(Bucket='ledger', Key='open/1')['Body'].read() == b'1'
    told(OWNER)
    shut = Denied(s3.get_object, Bucket='ledger', Key='shut/1')
    told(OWNER)
    assert 'because no resource-based policy allows the s3:GetObject action' in shut.message
    stranger = acting(cloud, 's3', user(STRANGER, 'stan', allow('s3:*')), s3={'addressing_style': 'path'})
    assert Denied(stranger.get_object, Bucket='ledger', Key='open/1').code == 'AccessDenied'
    told(OWNER)
    words = ['s3api', 'get-object', '--bucket', 'ledger', str(cloud.work / 'got'), '--key']
    for key, code in (('open/1', None), ('shut/1', 'AccessDenied')):
        assert by_cli(cloud, keys, 'GetObject', *words, key) == code
        told(OWNER)
    assert (cloud.work / 'got').read_text() == '1'


def test_many_deletions_are_asked_one_by_one(cloud, bucket, user):
    for key in ('mine/1', 'mine/2', 'yours/1'):
        bucket.put_object(Bucket='ledger', Key=key, Body=b'x')
    keys = user(OWNER, 'sweeper', allow('s3:DeleteObject', 'arn:aws:s3:::ledger/mine/*'))
    s3 = acting(cloud, 's3', keys, s3={'addressing_style': 'path'})
    answer = s3.delete_objects(Bucket='ledger', Delete={'Objects': [
        {'Key': key} for key in ('mine/1', 'yours/1', 'mine/2')]})
    assert [each['Key'] for each in answer['Deleted']] == ['mine/1', 'mine/2']
    error, = answer['Errors']
    assert (error['Key'], error['Code']) == ('yours/1', 'AccessDenied')
    assert error['Message'] == (
        f'User: arn:aws:iam::{OWNER}:user/sweeper is not authorized to perform: s3:DeleteObject on resource: '
        '"arn:aws:s3:::ledger/yours/1" because no identity-based policy allows the s3:DeleteObject action')
    assert bucket.list_objects_v2(Bucket='ledger', Prefix='yours/')['KeyCount'] == 1
    assert bucket.list_objects_v2(Bucket='ledger', Prefix='mine/')['KeyCount'] == 0


def test_versions_tags_and_acls_have_actions_of_their_own(cloud, bucket, user):
    bucket.create_bucket(Bucket='versions', CreateBucketConfiguration={'LocationConstraint': REGION})
    bucket.put_bucket_versioning(Bucket='versions', VersioningConfiguration={'Status': 'Enabled'})
    first, second = (bucket.put_object(Bucket='versions', Key='k', Body=body)['VersionId'] for body in (b'1', b'2'))
    keys = user(OWNER, 'current', allow(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], 'arn:aws:s3:::versions/*'))
    s3 = acting(cloud, 's3', keys, s3={'addressing_style': 'path'})
    assert s3.get_object(Bucket='versions', Key='k')['Body'].read() == b'2'
    for call, action, more in (
            (s3.get_object, 's3:GetObjectVersion', {'VersionId': first}),
            (s3.delete_object, 's3:DeleteObjectVersion', {'VersionId': first}),
            (s3.put_object, 's3:PutObjectTagging', {'Tagging': 'a=b'}),
            (s3.put_object, 's3:PutObjectAcl', {'ACL': 'bucket-owner-full-control'})):
        assert f'no identity-based policy allows the {action} action' in Denied(
            call, Bucket='versions', Key='k', **more).message
    many = s3.delete_objects(Bucket='versions', Delete={'Objects': [{'Key': 'k', 'VersionId': first}]})
    assert 's3:DeleteObjectVersion' in many['Errors'][0]['Message']
    # Who may read versions may not read what is current.
    history = acting(cloud, 's3', user(OWNER, 'history', allow(
        ['s3:GetObjectVersion', 's3:DeleteObjectVersion'], 'arn:aws:s3:::versions/*')), s3={'addressing_style': 'path'})
    assert history.get_object(Bucket='versions', Key='k', VersionId=first)['Body'].read() == b'1'
    assert Denied(history.get_object, Bucket='versions', Key='k').code == 'AccessDenied'
    history.delete_object(Bucket='versions', Key='k', VersionId=first)
    assert [each['VersionId'] for each in bucket.list_object_versions(Bucket='versions')['Versions']] == [second]


def test_a_boundary_and_a_session_policy_only_narrow(cloud, user):
    iam = cloud.client('iam', key=OWNER)
    boundary = iam.create_policy(PolicyName='only-s3', PolicyDocument=policy(allow('s3:*')))['Policy']['Arn']
    keys = user(OWNER, 'bound', allow('*'), boundary=boundary)
    assert acting(cloud, 's3', keys).list_buckets()
    outside = Denied(acting(cloud, 'logs', keys).describe_log_groups)
    assert 'because no permissions boundary allows the logs:DescribeLogGroups action' in outside.message
    assert 'add to the permissions boundary' in cloud.brume('why', outside.request).stdout
    # A federated session has what both its user and the session policy allow.
    token = acting(cloud, 'sts', user(OWNER, 'fed', allow('*'))).get_federation_token(
        Name='guest', Policy=policy(allow('s3:ListAllMyBuckets')))['Credentials']
    assert acting(cloud, 'sts', token).get_caller_identity()['Arn'] == \
        f'arn:aws:sts::{OWNER}:federated-user/guest'
    assert acting(cloud, 's3', token).list_buckets()
    assert 'no session policy' in Denied(acting(cloud, 'logs', token).describe_log_groups).message
    for who in (keys, token):
        assert by_cli(cloud, who, 'ListBuckets', 's3api', 'list-buckets') is None
        assert by_cli(cloud, who, 'DescribeLogGroups', 'logs', 'describe-log-groups') == 'AccessDeniedException'
    # Who may make users may make them only within the boundary.
    maker = acting(cloud, 'iam', user(OWNER, 'maker', allow(
        'iam:CreateUser', Condition={'StringEquals': {'iam:PermissionsBoundary': boundary}})))
    assert Denied(maker.create_user, UserName='free').code == 'AccessDenied'
    assert maker.create_user(UserName='within', PermissionsBoundary=boundary)


def test_tags_decide(cloud, user):
    iam = cloud.client('iam', key=OWNER)
    keys = user(OWNER, 'tagged',
                allow(['logs:CreateLogGroup', 'logs:TagResource'],
                      Condition={'StringEquals': {'aws:RequestTag/team': '${aws:PrincipalTag/team}'}}),
                allow('logs:DeleteLogGroup',
                      Condition={'StringEquals': {'aws:ResourceTag/team': '${aws:PrincipalTag/team}'}}))
    iam.tag_user(UserName='tagged', Tags=[{'Key': 'team', 'Value': 'red'}])
    logs, root = acting(cloud, 'logs', keys), cloud.client('logs', key=OWNER)
    assert Denied(logs.create_log_group, logGroupName='plain').code == 'AccessDeniedException'
    assert Denied(logs.create_log_group, logGroupName='blue', tags={'team': 'blue'}).code == 'AccessDeniedException'
    logs.create_log_group(logGroupName='red', tags={'team': 'red'})
    root.create_log_group(logGroupName='blue', tags={'team': 'blue'})
    other = Denied(logs.delete_log_group, logGroupName='blue')
    assert 'Condition StringEquals aws:ResourceTag/team' in cloud.brume('why', other.request).stdout
    logs.delete_log_group(logGroupName='red')
    # The tag itself is what gives and takes.
    remove = ['logs', 'delete-log-group', '--log-group-name', 'blue']
    assert by_cli(cloud, keys, 'DeleteLogGroup', *remove) == 'AccessDeniedException'
    root.tag_log_group(logGroupName='blue', tags={'team': 'red'})
    assert by_cli(cloud, keys, 'DeleteLogGroup', *remove) is None
    make = ['logs', 'create-log-group', '--log-group-name', 'cli']
    assert by_cli(cloud, keys, 'CreateLogGroup', *make) == 'AccessDeniedException'
    assert by_cli(cloud, keys, 'CreateLogGroup', *make, '--tags', 'team=red') is None


def test_a_role_is_passed_only_by_who_may_pass_it(cloud, user):
    iam = cloud.client('iam', key=OWNER)
    trust = policy({'Effect': 'Allow', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}, 'Action': 'sts:AssumeRole'})
    arn = iam.create_role(RoleName='task', AssumeRolePolicyDocument=trust)['Role']['Arn']
    keys = user(OWNER, 'runner', allow('ecs:*'))
    ecs = acting(cloud, 'ecs', keys)
    definition = {'family': 'f', 'taskRoleArn': arn, 'networkMode': 'awsvpc', 'requiresCompatibilities': ['FARGATE'],
                  'cpu': '256', 'memory': '512', 'containerDefinitions': [{'name': 'c', 'image': 'i'}]}
    denied = Denied(ecs.register_task_definition, **definition)
    assert f'is not authorized to perform: iam:PassRole on resource: {arn}' in denied.message
    iam.put_user_policy(UserName='runner', PolicyName='pass', PolicyDocument=policy(allow(
        'iam:PassRole', arn, Condition={'StringEquals': {'iam:PassedToService': 'ecs-tasks.amazonaws.com'}})))
    assert ecs.register_task_definition(**definition)


def test_encoded_messages_are_decoded(cloud, user):
    keys = user(OWNER, 'netty', allow('sts:DecodeAuthorizationMessage'))
    denied = Denied(acting(cloud, 'ec2', keys).create_vpc, CidrBlock='10.0.0.0/16')
    assert denied.code == 'UnauthorizedOperation'
    message = denied.message.split('Encoded authorization failure message: ')[1]
    sts = acting(cloud, 'sts', keys)
    decoded = json.loads(sts.decode_authorization_message(EncodedMessage=message)['DecodedMessage'])
    assert decoded['allowed'] is False and decoded['context']['action'] == 'ec2:CreateVpc'
    assert Denied(sts.decode_authorization_message, EncodedMessage='AAAA').code == 'InvalidAuthorizationMessageException'
    listing = cloud.brume('why').stdout
    assert 'ec2:CreateVpc' in listing and denied.request in listing
    assert cloud.brume('why', 'no-such-request', check=False).returncode == 1


def test_bad_documents_are_refused_quickly(cloud):
    iam = cloud.client('iam', key=OWNER)

    def refused(document):
        return Denied(iam.create_policy, PolicyName='bad', PolicyDocument=document).code
    large = policy(*[allow('s3:GetObject', f'arn:aws:s3:::b{i}/*') for i in range(1500)])
    assert refused(large) in ('MalformedPolicyDocument', 'LimitExceeded', 'ValidationError')
    assert refused('{"a":' * 2000) == 'MalformedPolicyDocument'
    assert refused(policy(*[allow('s3:*')] * 4000)) in ('MalformedPolicyDocument', 'ValidationError')
    assert refused('x' * 1_000_000) in ('ValidationError', 'MalformedPolicyDocument', 'RequestEntityTooLarge')
    assert refused(policy(allow('s3:*', Condition={'StringEquals': {'a': {'b': {'c': 'd'}}}}))) == 'MalformedPolicyDocument'
    assert refused(policy(allow('s3:*', Condition={'ForAllValues:ForAnyValue:StringEquals': {'a': 'b'}}))) \
        == 'MalformedPolicyDocument'
    assert iam.create_policy(PolicyName='good', PolicyDocument=policy(allow('s3:*')))


def test_keys_of_a_deleted_user_open_nothing(cloud, user):
    keys = user(STRANGER, 'gone', allow('s3:ListAllMyBuckets'))
    s3 = acting(cloud, 's3', keys)
    session = acting(cloud, 'sts', keys).get_session_token()['Credentials']
    assert s3.list_buckets() and acting(cloud, 's3', session).list_buckets()
    iam = cloud.client('iam', key=STRANGER)
    iam.delete_access_key(UserName='gone', AccessKeyId=keys['AccessKeyId'])
    assert Denied(s3.list_buckets).code == 'InvalidAccessKeyId'
    iam.delete_user_policy(UserName='gone', PolicyName='own')
    iam.delete_user(UserName='gone')
    assert Denied(acting(cloud, 's3', session).list_buckets).code == 'AccessDenied'
    # A user of the same name is another user.
    user(STRANGER, 'gone', allow('s3:ListAllMyBuckets'))
    assert Denied(acting(cloud, 's3', session).list_buckets).code == 'AccessDenied'


def test_each_answer_is_an_event_where_it_belongs(cloud, trails):
    """Of everything that this file's users asked: in the caller's account, and in that of the other's resource."""
    def delivered():
        found = {}
        for account, bucket in trails.items():
            s3 = cloud.client('s3', key=account, s3={'addressing_style': 'path'})
            pages = s3.get_paginator('list_objects_v2').paginate(Bucket=bucket, Prefix='AWSLogs/')
            for item in (item for page in pages for item in page.get('Contents', [])):
                body = gzip.decompress(s3.get_object(Bucket=bucket, Key=item['Key'])['Body'].read())
                for record in json.loads(body)['Records']:
                    assert record['recipientAccountId'] == account
                    found.setdefault(record['requestID'], {})[account] = record
        # Keys that nobody has are in nobody's trail.
        wanted = [each for each in ASKED if each[2] != 'InvalidAccessKeyId']
        return found if all(request in found for request, _, _ in wanted) else None
    found = wait_until(delivered, 60, 'the delivery of all events')
    assert len(ASKED) > 50 and len(SHARED) >= 8 and len(CALLED_BY_CLI) == 13
    for request, operation, code in ASKED:
        if code == 'InvalidAccessKeyId':
            assert request not in found
            continue
        records = found[request]
        caller, = {record['userIdentity']['accountId'] for record in records.values()}
        own = records[caller]
        assert own['eventName'] == operation
        assert own.get('errorCode', '').removeprefix('Client.') == (code or ''), (operation, own)
        assert ('aws-cli' in own['userAgent']) == (request in CALLED_BY_CLI)
        assert own['userIdentity']['arn'] and own['userIdentity']['type'] != 'AWSAccount'
        assert set(records) == {caller, SHARED.get(request, caller)}, (operation, code)
        if request in SHARED:
            other = records[SHARED[request]]
            assert other['userIdentity'] == {'type': 'AWSAccount', 'accountId': caller,
                                             'principalId': own['userIdentity']['principalId']}
            assert other['sharedEventID'] == own['sharedEventID'] and other['eventID'] != own['eventID']
            assert other.get('errorCode') == own.get('errorCode')
    # Management events are in the history of both as well.
    assumed = [request for request in SHARED if found[request][OWNER]['eventName'] == 'AssumeRole']
    assert {request in CALLED_BY_CLI for request in assumed} == {True, False}
    for account, request in ((account, request) for account in (OWNER, PARTNER) for request in assumed):
        region = found[request][account]['awsRegion']
        events = cloud.client('cloudtrail', key=account, region=region).lookup_events(
            LookupAttributes=[{'AttributeKey': 'EventName', 'AttributeValue': 'AssumeRole'}])['Events']
        assert request in [json.loads(event['CloudTrailEvent'])['requestID'] for event in events]
