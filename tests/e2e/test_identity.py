"""Who one is and what one may: signatures, users, roles, policies; each denial beside what is allowed."""
import json

import pytest
from botocore.exceptions import ClientError

from cloud import REGION

ACCOUNT = '000000000000'
TRUST = {'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{ACCOUNT}:root'}, 'Action': 'sts:AssumeRole'}]}


def policy(*statements):
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


def code_of(error):
    return error.value.response['Error']['Code']


@pytest.fixture(scope='module')
def iam(cloud):
    return cloud.client('iam')


@pytest.fixture(scope='module')
def bucket(cloud):
    s3 = cloud.client('s3', s3={'addressing_style': 'path'})
    s3.create_bucket(Bucket='guarded', CreateBucketConfiguration={'LocationConstraint': REGION})
    for key in ('open/1', 'shut/1'):
        s3.put_object(Bucket='guarded', Key=key, Body=key.encode())
    return s3


@pytest.fixture(scope='module')
def user_sts(cloud, iam):
    """STS as a user who may assume roles: root may not."""
    iam.create_user(UserName='assumer')
    iam.put_user_policy(UserName='assumer', PolicyName='assume', PolicyDocument=policy(
        {'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Resource': '*'}))
    keys = iam.create_access_key(UserName='assumer')['AccessKey']
    return cloud.session_client('sts', keys)


@pytest.fixture(scope='module')
def reader(iam, bucket, user_sts):
    """The credentials of a role that may read below open/ and nothing else."""
    role = iam.create_role(RoleName='reader', AssumeRolePolicyDocument=json.dumps(TRUST))['Role']['Arn']
    iam.put_role_policy(RoleName='reader', PolicyName='open', PolicyDocument=policy(
        {'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::guarded/open/*'}))
    return user_sts.assume_role(RoleArn=role, RoleSessionName='test')['Credentials']


def test_caller_identity(cloud, reader):
    assert cloud.client('sts').get_caller_identity()['Arn'] == f'arn:aws:iam::{ACCOUNT}:root'
    assert cloud.client('sts', key='111122223333').get_caller_identity()['Account'] == '111122223333'
    session = cloud.session_client('sts', reader).get_caller_identity()
    assert session['Arn'] == f'arn:aws:sts::{ACCOUNT}:assumed-role/reader/test'
    assert cloud.aws('sts', 'get-caller-identity')['Account'] == ACCOUNT


def test_signatures_are_verified(cloud):
    with pytest.raises(ClientError) as wrong:
        cloud.client('sts', secret='not-test').get_caller_identity()
    assert code_of(wrong) == 'SignatureDoesNotMatch'
    with pytest.raises(ClientError) as unknown:
        cloud.client('sts', key='AKIAIOSFODNN7EXAMPLE', secret='x' * 40).get_caller_identity()
    assert code_of(unknown) == 'InvalidClientTokenId'


def test_role_may_what_its_policy_says_and_no_more(cloud, bucket, reader):
    s3 = cloud.session_client('s3', reader, s3={'addressing_style': 'path'})
    assert s3.get_object(Bucket='guarded', Key='open/1')['Body'].read() == b'open/1'
    for attempt in (lambda: s3.get_object(Bucket='guarded', Key='shut/1'),
                    lambda: s3.put_object(Bucket='guarded', Key='open/2', Body=b''),
                    lambda: s3.delete_object(Bucket='guarded', Key='open/1'),
                    lambda: s3.list_objects_v2(Bucket='guarded')):
        with pytest.raises(ClientError) as denied:
            attempt()
        assert code_of(denied) == 'AccessDenied'
    assert s3.get_object(Bucket='guarded', Key='open/1')['Body'].read() == b'open/1'
    with pytest.raises(ClientError) as other_service:
        cloud.session_client('ec2', reader).describe_vpcs()
    assert code_of(other_service) == 'UnauthorizedOperation'
    assert 'assumed-role/reader/test is not authorized to perform: ec2:DescribeVpcs' in str(other_service.value)


def test_deny_wins_and_its_removal_heals(cloud, iam, bucket, reader):
    s3 = cloud.session_client('s3', reader, s3={'addressing_style': 'path'})
    iam.put_role_policy(RoleName='reader', PolicyName='no', PolicyDocument=policy(
        {'Effect': 'Deny', 'Action': 's3:*', 'Resource': '*'}))
    with pytest.raises(ClientError) as denied:
        s3.get_object(Bucket='guarded', Key='open/1')
    assert code_of(denied) == 'AccessDenied'
    iam.delete_role_policy(RoleName='reader', PolicyName='no')
    assert s3.get_object(Bucket='guarded', Key='open/1')['Body'].read() == b'open/1'


def test_session_policy_narrows(cloud, iam, user_sts, reader):
    role = iam.get_role(RoleName='reader')['Role']['Arn']
    narrow = user_sts.assume_role(RoleArn=role, RoleSessionName='narrow', Policy=policy(
        {'Effect': 'Allow', 'Action': 's3:ListBucket', 'Resource': '*'}))['Credentials']
    s3 = cloud.session_client('s3', narrow, s3={'addressing_style': 'path'})
    for attempt in (lambda: s3.get_object(Bucket='guarded', Key='open/1'), lambda: s3.list_objects_v2(Bucket='guarded')):
        with pytest.raises(ClientError) as denied:
            attempt()
        assert code_of(denied) == 'AccessDenied'


def test_user_with_keys_and_a_managed_policy(cloud, iam, bucket):
    iam.create_user(UserName='ann')
    keys = iam.create_access_key(UserName='ann')['AccessKey']
    s3 = cloud.client('s3', key=keys['AccessKeyId'], secret=keys['SecretAccessKey'], s3={'addressing_style': 'path'})
    with pytest.raises(ClientError) as nothing:
        s3.list_objects_v2(Bucket='guarded')
    assert code_of(nothing) == 'AccessDenied'
    arn = iam.create_policy(PolicyName='list', PolicyDocument=policy(
        {'Effect': 'Allow', 'Action': 's3:ListBucket', 'Resource': 'arn:aws:s3:::guarded',
         'Condition': {'StringLike': {'s3:prefix': 'open/*'}}}))['Policy']['Arn']
    iam.attach_user_policy(UserName='ann', PolicyArn=arn)
    assert s3.list_objects_v2(Bucket='guarded', Prefix='open/')['KeyCount'] == 1
    with pytest.raises(ClientError) as condition:
        s3.list_objects_v2(Bucket='guarded', Prefix='shut/')
    assert code_of(condition) == 'AccessDenied'
    iam.update_access_key(UserName='ann', AccessKeyId=keys['AccessKeyId'], Status='Inactive')
    with pytest.raises(ClientError) as inactive:
        s3.list_objects_v2(Bucket='guarded', Prefix='open/')
    assert code_of(inactive) == 'InvalidAccessKeyId'


def test_root_assumes_no_role(cloud, reader):
    with pytest.raises(ClientError, match='Roles may not be assumed by root accounts'):
        cloud.client('sts').assume_role(RoleArn=f'arn:aws:iam::{ACCOUNT}:role/reader', RoleSessionName='root')


def test_managed_policy_is_tagged(iam):
    arn = iam.create_policy(PolicyName='tagged', Tags=[{'Key': 'a', 'Value': '1'}], PolicyDocument=policy(
        {'Effect': 'Allow', 'Action': 's3:ListAllMyBuckets', 'Resource': '*'}))['Policy']['Arn']
    iam.tag_policy(PolicyArn=arn, Tags=[{'Key': 'b', 'Value': '2'}])
    iam.untag_policy(PolicyArn=arn, TagKeys=['a'])
    assert iam.list_policy_tags(PolicyArn=arn)['Tags'] == [{'Key': 'b', 'Value': '2'}]


def test_trust_policy_decides_who_becomes_a_role(iam, user_sts):
    iam.create_role(RoleName='for-ecs', AssumeRolePolicyDocument=policy(
        {'Effect': 'Allow', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}, 'Action': 'sts:AssumeRole'}))
    with pytest.raises(ClientError) as denied:
        user_sts.assume_role(RoleArn=f'arn:aws:iam::{ACCOUNT}:role/for-ecs', RoleSessionName='test')
    assert code_of(denied) == 'AccessDenied'


def test_policy_that_cannot_be_understood_is_refused(iam):
    with pytest.raises(ClientError) as operator:
        iam.put_role_policy(RoleName='reader', PolicyName='odd', PolicyDocument=policy(
            {'Effect': 'Allow', 'Action': '*', 'Resource': '*', 'Condition': {'StringAlmostEquals': {'aws:x': 'y'}}}))
    assert code_of(operator) == 'MalformedPolicyDocument'
    with pytest.raises(ClientError) as broken:
        iam.put_role_policy(RoleName='reader', PolicyName='odd', PolicyDocument='{"Statement": ')
    assert code_of(broken) == 'MalformedPolicyDocument'


def test_bucket_policy_of_another_account(cloud, bucket):
    other = cloud.client('s3', key='111122223333', s3={'addressing_style': 'path'})
    with pytest.raises(ClientError) as before:
        other.get_object(Bucket='guarded', Key='open/1')
    assert code_of(before) == 'AccessDenied'
    bucket.put_bucket_policy(Bucket='guarded', Policy=policy(
        {'Effect': 'Allow', 'Principal': {'AWS': 'arn:aws:iam::111122223333:root'}, 'Action': 's3:GetObject',
         'Resource': 'arn:aws:s3:::guarded/open/*'}))
    assert other.get_object(Bucket='guarded', Key='open/1')['Body'].read() == b'open/1'
    with pytest.raises(ClientError) as shut:
        other.get_object(Bucket='guarded', Key='shut/1')
    assert code_of(shut) == 'AccessDenied'
