"""A denial of each kind: AWS's words for it, and what `brume why` says of it, statement by statement, with the way out."""
import json

import pytest
from botocore.exceptions import ClientError

from cloud import REGION

ACCOUNT, OTHER = '111111111111', '222222222222'
KEY = 'arn:aws:s3:::papers/memo'
GET = {'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::papers/*'}


def policy(*statements):
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


def allow(**more):
    return {'Effect': 'Allow', **GET, **more}


def deny(**more):
    return {'Effect': 'Deny', **GET, **more}


EVERYTHING = {'Effect': 'Allow', 'Action': '*', 'Resource': '*'}
# identity, boundary, session and bucket policies; the end of the message; what `brume why` says among other things.
KINDS = {
    'no identity': (
        dict(identity=[allow(Action='s3:PutObject')]), 'because no identity-based policy allows the s3:GetObject action',
        ['explicit deny              none applies', 'identity-based policies    no Allow applies',
         'give {who} a policy with {{"Effect":"Allow","Action":"s3:GetObject","Resource":"{key}"}}']),
    'no identity by a condition': (
        dict(identity=[allow(Sid='Hours', Condition={'StringEquals': {'aws:PrincipalTag/shift': 'night'}})]),
        'because no identity-based policy allows the s3:GetObject action',
        ['✗ Condition StringEquals aws:PrincipalTag/shift: the policy says night; the request does not have it',
         'statement 1 (Hours) of the identity-based policy own would allow it if its Condition']),
    'deny in identity': (
        dict(identity=[EVERYTHING, deny(Sid='Never')]), 'with an explicit deny in an identity-based policy',
        ['explicit deny              a statement denies: nothing else counts', 'statement 2 (Never), Deny: applies',
         'remove or narrow statement 2 (Never) of the identity-based policy own: a Deny wins over every Allow']),
    'no boundary': (
        dict(identity=[EVERYTHING], boundary=[allow(Action='s3:PutObject')]),
        'because no permissions boundary allows the s3:GetObject action',
        ['permissions boundary       no Allow applies', 'add to the permissions boundary of {who}']),
    'deny in boundary': (
        dict(identity=[EVERYTHING], boundary=[EVERYTHING, deny()]), 'with an explicit deny in a permissions boundary',
        ['remove or narrow statement 2 of the permissions boundary']),
    'no session': (
        dict(identity=[EVERYTHING], session=[allow(Action='s3:PutObject')]),
        'because no session policy allows the s3:GetObject action',
        ['session policies           no Allow applies', 'ask for the session with a session policy that has']),
    'deny in session': (
        dict(identity=[EVERYTHING], session=[EVERYTHING, deny()]), 'with an explicit deny in a session policy',
        ['remove or narrow statement 2 of the session policy']),
    'deny in resource': (
        dict(identity=[EVERYTHING], bucket=[deny(Principal='*', Sid='Closed')]),
        'with an explicit deny in a resource-based policy',
        ['resource-based policy      no Allow applies', 'statement 1 (Closed), Deny: applies',
         'remove or narrow statement 1 (Closed) of the resource-based policy arn:aws:s3:::papers']),
    'no resource, of another account': (
        dict(identity=[EVERYTHING], account=OTHER), 'because no resource-based policy allows the s3:GetObject action',
        [f'the resource is of account {ACCOUNT} and the caller of {OTHER}: both sides must allow',
         'resource-based policy      the resource has none', 'add to the policy of {key}: ']),
}


@pytest.fixture(scope='module')
def bucket(cloud):
    s3 = cloud.client('s3', key=ACCOUNT, s3={'addressing_style': 'path'})
    s3.create_bucket(Bucket='papers', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_object(Bucket='papers', Key='memo', Body=b'x')
    return s3


def session_of(cloud, name, identity, boundary=None, session=None, account=ACCOUNT):
    """The session's keys and the role's ARN."""
    iam = cloud.client('iam', key=account)
    more = {}
    if boundary:
        more['PermissionsBoundary'] = iam.create_policy(
            PolicyName=name, PolicyDocument=policy(*boundary))['Policy']['Arn']
    trust = policy({'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'AWS': account}})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)['Role']['Arn']
    iam.put_role_policy(RoleName=name, PolicyName='own', PolicyDocument=policy(*identity))
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName='own', PolicyDocument=policy(EVERYTHING))
    sts = cloud.session_client('sts', iam.create_access_key(UserName=name)['AccessKey'])
    limits = {'Policy': policy(*session)} if session else {}
    return sts.assume_role(RoleArn=arn, RoleSessionName='one', **limits)['Credentials'], arn


@pytest.mark.parametrize('kind', KINDS)
def test_a_denial_says_why(cloud, bucket, kind):
    given, end, explained = KINDS[kind]
    given = dict(given)
    statements = given.pop('bucket', None)
    name = kind.replace(' ', '-').replace(',', '')
    keys, role = session_of(cloud, name, **given)
    s3 = cloud.session_client('s3', keys, s3={'addressing_style': 'path'})
    if statements:
        bucket.put_bucket_policy(Bucket='papers', Policy=policy(*statements))
    try:
        with pytest.raises(ClientError) as error:
            s3.get_object(Bucket='papers', Key='memo')
    finally:
        bucket.delete_bucket_policy(Bucket='papers')
    account = given.get('account', ACCOUNT)
    assert error.value.response['Error'] == {'Code': 'AccessDenied', 'Message': (
        f'User: arn:aws:sts::{account}:assumed-role/{name}/one is not authorized to perform: s3:GetObject on resource: '
        f'"{KEY}" {end}'), **{key: value for key, value in error.value.response['Error'].items()
                            if key not in ('Code', 'Message')}}
    why = cloud.brume('why', error.value.response['ResponseMetadata']['RequestId']).stdout
    assert f'DENIED: s3:GetObject on {KEY}\n  {end}\n' in why
    for words in explained:
        assert words.format(who=role, key=KEY) in why, why


def test_what_takes_the_denial_away_is_what_was_said(cloud, bucket):
    """The remedy of the explanation, put where it says, is enough."""
    keys, role = session_of(cloud, 'healed', [allow(Action='s3:PutObject')])
    s3 = cloud.session_client('s3', keys, s3={'addressing_style': 'path'})
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket='papers', Key='memo')
    ask, = json.loads(cloud.brume('why', '--json', error.value.response['ResponseMetadata']['RequestId']).stdout)['asks']
    remedy, = ask['remedies']
    statement = json.loads(remedy[remedy.index('{'):])
    cloud.client('iam', key=ACCOUNT).put_role_policy(RoleName='healed', PolicyName='more', PolicyDocument=policy(statement))
    assert s3.get_object(Bucket='papers', Key='memo')['Body'].read() == b'x'


def test_each_protocol_has_its_code(cloud):
    keys, _ = session_of(cloud, 'nobody', [deny()])
    expected = {'ec2': ('UnauthorizedOperation', 403), 'iam': ('AccessDenied', 403), 's3': ('AccessDenied', 403),
                'dynamodb': ('AccessDeniedException', 400), 'ecs': ('AccessDeniedException', 400),
                'logs': ('AccessDeniedException', 400), 'elbv2': ('AccessDenied', 403), 'cloudtrail': ('AccessDeniedException', 400)}
    calls = {'ec2': 'create_vpc', 'iam': 'list_users', 's3': 'list_buckets', 'dynamodb': 'list_tables',
             'ecs': 'list_clusters', 'logs': 'describe_log_groups', 'elbv2': 'describe_load_balancers',
             'cloudtrail': 'list_trails'}
    for service, call in calls.items():
        client = cloud.session_client(service, keys)
        with pytest.raises(ClientError) as error:
            getattr(client, call)(**({'CidrBlock': '10.0.0.0/16'} if service == 'ec2' else {}))
        given = error.value.response
        assert (given['Error']['Code'], given['ResponseMetadata']['HTTPStatusCode']) == expected[service], service
        assert 'is not authorized to perform: ' in given['Error']['Message']
        assert 'because no identity-based policy allows the ' in given['Error']['Message']
        # EC2 alone seals what DecodeAuthorizationMessage reads.
        assert ('Encoded authorization failure message: ' in given['Error']['Message']) == (service == 'ec2')
