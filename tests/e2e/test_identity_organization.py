"""Service control policies: what an organization does not let an account do, nobody in it may, root neither; with AWS's
words for it, and what `brume why` says."""
import json

import pytest
from botocore.exceptions import ClientError

from cloud import REGION
from conftest import end, make_cloud, served

ACCOUNT = '111111111111'
EVERYTHING = {'Effect': 'Allow', 'Action': '*', 'Resource': '*'}
# "SCP examples": a Region that is not to be used, and nobody leaves the trails.
ROOT = [EVERYTHING, {'Sid': 'Europe', 'Effect': 'Deny', 'NotAction': ['iam:*', 'sts:*'], 'Resource': '*',
                     'Condition': {'StringNotEquals': {'aws:RequestedRegion': [REGION, 'us-east-1']}}},
        {'Sid': 'Trails', 'Effect': 'Deny', 'Action': 'cloudtrail:StopLogging', 'Resource': '*'}]
UNIT = [{'Effect': 'Allow', 'Action': ['s3:*', 'iam:*', 'sts:*', 'cloudtrail:*', 'ec2:Describe*'], 'Resource': '*'}]


def policy(*statements):
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


@pytest.fixture(scope='module')
def cloud(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp('organization')
    options = []
    for name, statements in (('root.json', ROOT), ('unit.json', UNIT)):
        (directory / name).write_text(policy(*statements))
        options += ['--service-control-policy', directory / name]
    with served(request.path.stem, '--offline', *options) as cloud:
        yield cloud


@pytest.fixture(scope='module')
def user(cloud):
    iam = cloud.client('iam', key=ACCOUNT)
    iam.create_user(UserName='ann')
    iam.put_user_policy(UserName='ann', PolicyName='all', PolicyDocument=policy(EVERYTHING))
    return iam.create_access_key(UserName='ann')['AccessKey']


def denial(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response


def test_what_no_level_allows_nobody_may(cloud, user):
    for client, who in ((cloud.session_client('dynamodb', user), f'arn:aws:iam::{ACCOUNT}:user/ann'),
                        (cloud.client('dynamodb', key=ACCOUNT), f'arn:aws:iam::{ACCOUNT}:root')):
        given = denial(client.list_tables)
        assert given['Error']['Code'] == 'AccessDeniedException'
        assert given['Error']['Message'] == (
            f'User: {who} is not authorized to perform: dynamodb:ListTables on resource: * because no service control '
            'policy allows the dynamodb:ListTables action')
        why = cloud.brume('why', given['ResponseMetadata']['RequestId']).stdout
        assert 'service control policy root.json' in why and 'service control policy unit.json' in why
        assert 'add to a service control policy of the account: {"Effect":"Allow","Action":"dynamodb:ListTables"' in why
    # Its own policies are asked as ever: the organization gives nothing.
    assert cloud.session_client('s3', user).list_buckets()['Buckets'] == []
    iam = cloud.client('iam', key=ACCOUNT)
    iam.create_user(UserName='bob')
    bob = cloud.session_client('s3', iam.create_access_key(UserName='bob')['AccessKey'])
    assert 'because no identity-based policy allows' in denial(bob.list_buckets)['Error']['Message']


def test_what_one_level_denies_is_denied(cloud, user):
    given = denial(cloud.session_client('ec2', user, region='ap-south-1').describe_vpcs)
    assert given['Error']['Code'] == 'UnauthorizedOperation'
    assert given['Error']['Message'].endswith('with an explicit deny in a service control policy')
    why = cloud.brume('why', given['ResponseMetadata']['RequestId']).stdout
    assert 'remove or narrow statement 2 (Europe) of the service control policy root.json' in why
    assert cloud.session_client('ec2', user).describe_vpcs()['Vpcs'], 'in another Region it may'
    trails = cloud.client('cloudtrail', key=ACCOUNT)
    arn = f'arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all'
    assert denial(trails.stop_logging, Name='all')['Error']['Message'] == (
        f'User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: cloudtrail:StopLogging on resource: {arn} '
        'with an explicit deny in a service control policy')


def test_a_session_of_another_account_is_its_own_accounts(cloud):
    """All accounts are in the organization: who comes from elsewhere in it is limited by it too."""
    s3 = cloud.client('s3', key='222222222222', region='ap-south-1', s3={'addressing_style': 'path'})
    assert denial(s3.list_buckets)['Error']['Message'].endswith('with an explicit deny in a service control policy')


def test_a_file_that_is_no_policy_is_refused_at_the_start(tmp_path):
    bad = tmp_path / 'bad.json'
    bad.write_text(policy({'Effect': 'Maybe', 'Action': '*', 'Resource': '*'}))
    for file, reason in ((bad, 'Syntax errors in policy.'), (tmp_path / 'absent.json', 'cannot read')):
        cloud = make_cloud('--offline', '--service-control-policy', file)
        try:
            done = cloud.brume('up', '--detach', '--port', 0, *cloud.options, check=False)
            assert done.returncode != 0 and reason in done.stderr and str(file) in done.stderr
        finally:
            end(cloud)
