"""When keys and roles were used last: told at once, there after a stop, and after a kill but for the last minute."""
import json

import pytest

from cloud import REGION

ACCOUNT = '000000000000'
OTHER_REGION = 'eu-central-1'


def policy(*statements):
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


EVERYTHING = policy({'Effect': 'Allow', 'Action': '*', 'Resource': '*'})


class Used:
    """A user with keys and a role; what they did last as IAM tells it to a client made anew."""

    def __init__(self, cloud):
        self.cloud = cloud
        iam = cloud.client('iam')
        iam.create_user(UserName='ann')
        iam.put_user_policy(UserName='ann', PolicyName='all', PolicyDocument=EVERYTHING)
        self.keys = iam.create_access_key(UserName='ann')['AccessKey']
        trust = policy({'Effect': 'Allow', 'Principal': {'AWS': ACCOUNT}, 'Action': 'sts:AssumeRole'})
        role = iam.create_role(RoleName='reader', AssumeRolePolicyDocument=trust)['Role']['Arn']
        iam.put_role_policy(RoleName='reader', PolicyName='all', PolicyDocument=EVERYTHING)
        self.session = cloud.session_client('sts', self.keys).assume_role(
            RoleArn=role, RoleSessionName='one')['Credentials']

    def use(self, region):
        self.cloud.session_client('ec2', self.keys, region=region).describe_vpcs()
        self.cloud.session_client('dynamodb', self.session, region=region).list_tables()

    def key(self):
        told = self.cloud.client('iam').get_access_key_last_used(AccessKeyId=self.keys['AccessKeyId'])
        assert told['UserName'] == 'ann'
        return told['AccessKeyLastUsed']

    def role(self):
        return self.cloud.client('iam').get_role(RoleName='reader')['Role']['RoleLastUsed']


@pytest.fixture(scope='module')
def used(cloud):
    return Used(cloud)


def test_it_is_told_at_once_and_in_every_place(cloud, used):
    assert used.key()['ServiceName'] == 'sts' and used.role() == {}
    used.use(REGION)
    told, role = used.key(), used.role()
    assert (told['ServiceName'], told['Region'], role['Region']) == ('ec2', REGION, REGION)
    assert told['LastUsedDate'] and role['LastUsedDate']
    details = cloud.client('iam').get_account_authorization_details(Filter=['Role'])['RoleDetailList']
    assert [each['RoleLastUsed'] for each in details if each['RoleName'] == 'reader'] == [role]


def test_it_is_there_after_a_stop(cloud, used):
    used.use(OTHER_REGION)
    before = used.key(), used.role()
    assert before[0]['Region'] == OTHER_REGION
    cloud.brume('down')
    cloud.up()
    assert (used.key(), used.role()) == before


def test_a_kill_loses_no_more_than_the_last_minute(cloud, used):
    used.use(REGION)
    before = used.key(), used.role()
    cloud.brume('clock', 'advance', '61s')
    used.use(OTHER_REGION)
    cloud.kill()
    cloud.up()
    after = used.key(), used.role()
    assert before[0]['Region'] == REGION and after == before, 'what is older than a minute, and not what was not yet written'
    used.use(OTHER_REGION)
    assert used.key()['Region'] == OTHER_REGION


def test_it_goes_with_the_key(cloud, used):
    iam = cloud.client('iam')
    iam.delete_access_key(UserName='ann', AccessKeyId=used.keys['AccessKeyId'])
    assert 'AccessDenied' in str(pytest.raises(iam.exceptions.ClientError, used.key).value)
