"""Three accounts: roles and buckets across them, boundaries, sessions, tags; each allowed and refused, and why."""
import json

import pytest
from botocore.exceptions import ClientError

from cloud import REGION

OWNER, PARTNER, STRANGER = '111111111111', '222222222222', '333333333333'


def policy(*statements):
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


def allow(action, resource='*', **more):
    return {'Effect': 'Allow', 'Action': action, 'Resource': resource, **more}


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
    partner = cloud.session_client('sts', user(PARTNER, 'pia', allow('sts:AssumeRole', role)))
    stranger = cloud.session_client('sts', user(STRANGER, 'sam', allow('sts:AssumeRole', role)))
    without = Denied(partner.assume_role, RoleArn=role, RoleSessionName='visit')
    assert without.code == 'AccessDenied'
    assert f'User: arn:aws:iam::{PARTNER}:user/pia is not authorized to perform: sts:AssumeRole on resource: {role}' \
        in without.message
    assert Denied(partner.assume_role, RoleArn=role, RoleSessionName='visit', ExternalId='wrong').code == 'AccessDenied'
    assert Denied(stranger.assume_role, RoleArn=role, RoleSessionName='visit', ExternalId='order-66').code == 'AccessDenied'
    session = partner.assume_role(RoleArn=role, RoleSessionName='visit', ExternalId='order-66')['Credentials']
    assert cloud.session_client('sts', session).get_caller_identity()['Account'] == OWNER
    why = cloud.brume('why', without.request).stdout
    assert '✗ Condition StringEquals sts:ExternalId: the policy says order-66; the request does not have it' in why
    assert 'both sides must allow' in why and 'role trust policy' in why
    # The same through the aws cli.
    keys = user(PARTNER, 'cli', allow('sts:AssumeRole', role))
    names = {'AWS_ACCESS_KEY_ID': keys['AccessKeyId'], 'AWS_SECRET_ACCESS_KEY': keys['SecretAccessKey']}
    words = ['sts', 'assume-role', '--role-arn', role, '--role-session-name', 'cli']
    assert 'AccessDenied' in cloud.aws(*words, check=False, credentials=names).stderr
    assert cloud.aws(*words, '--external-id', 'order-66', credentials=names)['AssumedRoleUser']['Arn'].endswith('/cli')


def test_a_chained_session_lasts_an_hour_and_keeps_its_tags(cloud, user):
    iam = cloud.client('iam', key=OWNER)
    trust = policy({'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{OWNER}:root'},
                    'Action': ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']})
    roles = [iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, MaxSessionDuration=7200)['Role']['Arn']
             for name in ('first', 'second')]
    iam.put_role_policy(RoleName='first', PolicyName='own', PolicyDocument=policy(
        allow(['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'])))
    sts = cloud.session_client('sts', user(OWNER, 'chain', allow('sts:*')))
    first = sts.assume_role(RoleArn=roles[0], RoleSessionName='first', DurationSeconds=7200, SourceIdentity='olivia',
                            Tags=[{'Key': 'team', 'Value': 'red'}], TransitiveTagKeys=['team'])['Credentials']
    chained = cloud.session_client('sts', first)
    assert Denied(chained.assume_role, RoleArn=roles[1], RoleSessionName='second',
                  DurationSeconds=3601).code == 'ValidationError'
    assert Denied(chained.assume_role, RoleArn=roles[1], RoleSessionName='second', SourceIdentity='eve').code == 'AccessDenied'
    answer = chained.assume_role(RoleArn=roles[1], RoleSessionName='second')
    assert answer['SourceIdentity'] == 'olivia'
    iam.put_role_policy(RoleName='second', PolicyName='own', PolicyDocument=policy(
        allow('s3:ListAllMyBuckets', Condition={'StringEquals': {'aws:PrincipalTag/team': 'red'}})))
    assert cloud.session_client('s3', answer['Credentials']).list_buckets()


def test_a_bucket_policy_across_accounts_needs_both_sides(cloud, bucket, user):
    keys = user(PARTNER, 'bea')
    s3 = cloud.session_client('s3', keys, s3={'addressing_style': 'path'})
    bucket.put_bucket_policy(Bucket='ledger', Policy=policy(
        {'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{PARTNER}:user/bea'}, 'Action': 's3:GetObject',
         'Resource': 'arn:aws:s3:::ledger/open/*'}))
    alone = Denied(s3.get_object, Bucket='ledger', Key='open/1')
    assert 'because no identity-based policy allows the s3:GetObject action' in alone.message
    why = json.loads(cloud.brume('why', '--json', alone.request).stdout)['asks'][0]
    assert why['resource_account'] == OWNER and not why['allowed']
    assert [one['kind'] for one in why['policies']] == ['resource-based policy']
    assert why['policies'][0]['statements'][0]['applied'] is True
    assert any('"s3:GetObject"' in remedy for remedy in why['remedies'])
    cloud.client('iam', key=PARTNER).put_user_policy(UserName='bea', PolicyName='own',
                                                     PolicyDocument=policy(allow('s3:GetObject')))
    assert s3.get_object(Bucket='ledger', Key='open/1')['Body'].read() == b'1'
    shut = Denied(s3.get_object, Bucket='ledger', Key='shut/1')
    assert 'because no resource-based policy allows the s3:GetObject action' in shut.message
    stranger = cloud.session_client('s3', user(STRANGER, 'stan', allow('s3:*')), s3={'addressing_style': 'path'})
    assert Denied(stranger.get_object, Bucket='ledger', Key='open/1').code == 'AccessDenied'


def test_a_boundary_and_a_session_policy_only_narrow(cloud, user):
    iam = cloud.client('iam', key=OWNER)
    boundary = iam.create_policy(PolicyName='only-s3', PolicyDocument=policy(allow('s3:*')))['Policy']['Arn']
    keys = user(OWNER, 'bound', allow('*'), boundary=boundary)
    assert cloud.session_client('s3', keys).list_buckets()
    outside = Denied(cloud.session_client('logs', keys).describe_log_groups)
    assert 'because no permissions boundary allows the logs:DescribeLogGroups action' in outside.message
    assert 'add to the permissions boundary' in cloud.brume('why', outside.request).stdout
    # A federated session has what both its user and the session policy allow.
    token = cloud.session_client('sts', user(OWNER, 'fed', allow('*'))).get_federation_token(
        Name='guest', Policy=policy(allow('s3:ListAllMyBuckets')))['Credentials']
    assert cloud.session_client('sts', token).get_caller_identity()['Arn'] == \
        f'arn:aws:sts::{OWNER}:federated-user/guest'
    assert cloud.session_client('s3', token).list_buckets()
    assert 'no session policy' in Denied(cloud.session_client('logs', token).describe_log_groups).message
    # Who may make users may make them only within the boundary.
    maker = cloud.session_client('iam', user(OWNER, 'maker', allow(
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
    logs, root = cloud.session_client('logs', keys), cloud.client('logs', key=OWNER)
    assert Denied(logs.create_log_group, logGroupName='plain').code == 'AccessDeniedException'
    assert Denied(logs.create_log_group, logGroupName='blue', tags={'team': 'blue'}).code == 'AccessDeniedException'
    logs.create_log_group(logGroupName='red', tags={'team': 'red'})
    root.create_log_group(logGroupName='blue', tags={'team': 'blue'})
    other = Denied(logs.delete_log_group, logGroupName='blue')
    assert 'Condition StringEquals aws:ResourceTag/team' in cloud.brume('why', other.request).stdout
    logs.delete_log_group(logGroupName='red')
    # The tag itself is what gives and takes.
    root.tag_log_group(logGroupName='blue', tags={'team': 'red'})
    logs.delete_log_group(logGroupName='blue')


def test_a_role_is_passed_only_by_who_may_pass_it(cloud, user):
    iam = cloud.client('iam', key=OWNER)
    trust = policy({'Effect': 'Allow', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}, 'Action': 'sts:AssumeRole'})
    arn = iam.create_role(RoleName='task', AssumeRolePolicyDocument=trust)['Role']['Arn']
    keys = user(OWNER, 'runner', allow('ecs:*'))
    ecs = cloud.session_client('ecs', keys)
    definition = {'family': 'f', 'taskRoleArn': arn, 'networkMode': 'awsvpc', 'requiresCompatibilities': ['FARGATE'],
                  'cpu': '256', 'memory': '512', 'containerDefinitions': [{'name': 'c', 'image': 'i'}]}
    denied = Denied(ecs.register_task_definition, **definition)
    assert f'is not authorized to perform: iam:PassRole on resource: {arn}' in denied.message
    iam.put_user_policy(UserName='runner', PolicyName='pass', PolicyDocument=policy(allow(
        'iam:PassRole', arn, Condition={'StringEquals': {'iam:PassedToService': 'ecs-tasks.amazonaws.com'}})))
    assert ecs.register_task_definition(**definition)


def test_encoded_messages_are_decoded(cloud, user):
    keys = user(OWNER, 'netty', allow('sts:DecodeAuthorizationMessage'))
    denied = Denied(cloud.session_client('ec2', keys).create_vpc, CidrBlock='10.0.0.0/16')
    assert denied.code == 'UnauthorizedOperation'
    message = denied.message.split('Encoded authorization failure message: ')[1]
    sts = cloud.session_client('sts', keys)
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
    s3 = cloud.session_client('s3', keys)
    session = cloud.session_client('sts', keys).get_session_token()['Credentials']
    assert s3.list_buckets() and cloud.session_client('s3', session).list_buckets()
    iam = cloud.client('iam', key=STRANGER)
    iam.delete_access_key(UserName='gone', AccessKeyId=keys['AccessKeyId'])
    assert Denied(s3.list_buckets).code == 'InvalidAccessKeyId'
    iam.delete_user_policy(UserName='gone', PolicyName='own')
    iam.delete_user(UserName='gone')
    assert Denied(cloud.session_client('s3', session).list_buckets).code == 'AccessDenied'
    # A user of the same name is another user.
    user(STRANGER, 'gone', allow('s3:ListAllMyBuckets'))
    assert Denied(cloud.session_client('s3', session).list_buckets).code == 'AccessDenied'
