"""Policies that no one should send: huge, nested, malformed, with ten thousand statements; to IAM, S3, ECR and STS. Each is
refused with AWS's error and its reason, quickly, and the daemon goes on."""
import json
import pathlib

import pytest
from botocore.exceptions import ClientError

from cloud import REGION

ACCOUNT = '000000000000'


def policy(*statements):
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


def allow(action='s3:GetObject', resource='*', **more):
    return {'Effect': 'Allow', 'Action': action, 'Resource': resource, **more}


def conditions(block):
    return policy(allow(Condition=block))


NESTED = '{"Version":"2012-10-17","Statement":' + '[' * 60_000 + ']' * 60_000 + '}'
TEN_THOUSAND = policy(*[allow(resource=f'arn:aws:s3:::b{n}/*') for n in range(10_000)])
# What the document says wrong, and IAM's reason. The words are those of "Troubleshoot IAM policies" and of AWS's answers.
MALFORMED = [
    ('', None),
    ('x', 'Syntax errors in policy.'),
    ('{"Statement": ', 'Syntax errors in policy.'),
    ('[]', 'Syntax errors in policy.'),
    (NESTED, 'Syntax errors in policy.'),
    ('{"a":' * 20_000, 'Syntax errors in policy.'),
    ('{"Version":"2012-10-17"}', 'Syntax errors in policy.'),
    (policy(), None),
    (policy({'Effect': 'Allow', 'Resource': '*'}), 'Policy statement must contain actions.'),
    (policy({'Effect': 'Allow', 'Action': 's3:*'}), 'Policy statement must contain resources.'),
    (policy({'Effect': 'Maybe', 'Action': 's3:*', 'Resource': '*'}), 'Syntax errors in policy.'),
    (policy(allow(action='GetObject')), 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'),
    (policy(allow(resource='bucket')), 'Resource bucket must be in ARN format or "*".'),
    (policy(allow(Principal='*')), 'Policy document should not specify a principal.'),
    (policy(allow(Sid='one'), allow(Sid='one')), 'Statement IDs (SID) in a single policy must be unique.'),
    (conditions({'StringEquals': {'a': {'b': {'c': 'd'}}}}), 'Syntax errors in policy.'),
    (conditions({'StringEquals': 'a'}), 'Syntax errors in policy.'),
    (conditions([{'StringEquals': {'aws:username': 'a'}}]), 'Syntax errors in policy.'),
    (conditions({'StringAlmostEquals': {'aws:username': 'a'}}), None),
    (conditions({'ForAllValues:ForAnyValue:StringEquals': {'aws:username': 'a'}}), None),
    (conditions({'IpAddress': {'aws:SourceIp': '300.1.1.1'}}), None),
    (conditions({'DateLessThan': {'aws:CurrentTime': 'soon'}}), None),
    (conditions({'NumericLessThan': {'aws:MultiFactorAuthAge': 'ten'}}), None),
    (json.dumps({'Version': '2025-01-01', 'Statement': [allow()]}), None),
]


def refused(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    given = error.value.response
    assert given['ResponseMetadata']['HTTPStatusCode'] < 500
    return given['Error']['Code'], given['Error']['Message']


@pytest.fixture(scope='module')
def iam(cloud):
    return cloud.client('iam')


@pytest.mark.parametrize('document,reason', MALFORMED, ids=range(len(MALFORMED)))
def test_iam_says_what_is_malformed(iam, document, reason):
    if not document:
        code, message = refused(iam._make_api_call, operation_name='CreatePolicy', api_params={
            'PolicyName': 'bad', 'PolicyDocument': ' '})
        assert code in ('MalformedPolicyDocument', 'ValidationError')
        return
    code, message = refused(iam.create_policy, PolicyName='bad', PolicyDocument=document)
    assert code == 'MalformedPolicyDocument' and (message == reason if reason else message)


def test_what_is_too_large_is_refused_by_its_limit(iam):
    too_long = "at 'policyDocument' failed to satisfy constraint: Member must have length less than or equal to 131072"
    for document in ('x' * 1_048_576, TEN_THOUSAND, NESTED * 2):
        code, message = refused(iam.create_policy, PolicyName='bad', PolicyDocument=document)
        assert code == 'ValidationError' and message.startswith('1 validation error detected: Value ')
        assert message.endswith(too_long)
    iam.create_user(UserName='long')
    iam.create_group(GroupName='long')
    tasks = policy({'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}})
    iam.create_role(RoleName='long', AssumeRolePolicyDocument=tasks)
    whole = iam.create_policy(PolicyName='whole', PolicyDocument=policy(allow()))['Policy']['Arn']
    # However many statements there are: a document is as large as its characters.
    for count in (100, 900, 1_001, 2_200):
        many = json.dumps(json.loads(policy(*[allow()] * count)), separators=(',', ':'))
        assert 6_144 < len(many) < 131_072 or count == 100
        if count > 100:
            for call, more in ((iam.create_policy, {'PolicyName': 'bad'}),
                               (iam.create_policy_version, {'PolicyArn': whole})):
                assert refused(call, PolicyDocument=many, **more) == (
                    'LimitExceeded', 'Cannot exceed quota for PolicySize: 6144')
            assert refused(iam.put_role_policy, RoleName='long', PolicyName='bad', PolicyDocument=many) == (
                'LimitExceeded', 'Maximum policy size of 10240 bytes exceeded for role long')
            # What is wrong is said before what is too much.
            assert refused(iam.create_policy, PolicyName='bad', PolicyDocument=many.replace('Allow', 'Maybe', 1)) == (
                'MalformedPolicyDocument', 'Syntax errors in policy.')
        assert refused(iam.put_user_policy, UserName='long', PolicyName='bad', PolicyDocument=many) == (
            'LimitExceeded', 'Maximum policy size of 2048 bytes exceeded for user long')
        assert refused(iam.put_group_policy, GroupName='long', PolicyName='bad', PolicyDocument=many) == (
            'LimitExceeded', 'Maximum policy size of 5120 bytes exceeded for group long')
    statement = {'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'AWS': ACCOUNT}}
    for call in (iam.create_role, lambda RoleName, AssumeRolePolicyDocument: iam.update_assume_role_policy(
            RoleName=RoleName, PolicyDocument=AssumeRolePolicyDocument)):
        assert refused(call, RoleName='long' if call != iam.create_role else 'longer',
                       AssumeRolePolicyDocument=policy(*[statement] * 1_100)) == (
            'LimitExceeded', 'Cannot exceed quota for ACLSizePerRole: 2048')
    trust = policy({'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'AWS': ACCOUNT},
                    'Condition': {'StringEquals': {'sts:ExternalId': [str(n) * 5 for n in range(800)]}}})
    assert refused(iam.create_role, RoleName='longer', AssumeRolePolicyDocument=trust) == (
        'LimitExceeded', 'Cannot exceed quota for ACLSizePerRole: 2048')
    # White space does not count.
    padded = policy(allow()).replace(' ', ' ' * 10_000)
    assert iam.create_policy(PolicyName='padded', PolicyDocument=padded)['Policy']['Arn']


def test_trust_policies_too(iam):
    def refusal(**statement):
        return refused(iam.create_role, RoleName='bad', AssumeRolePolicyDocument=policy({'Effect': 'Allow', **statement}))
    assert refusal(Action='sts:AssumeRole') == ('MalformedPolicyDocument', 'Missing required field Principal')
    assert refusal(Action='s3:*', Principal='*')[1] == 'AssumeRole policy may only specify STS AssumeRole actions.'
    assert refusal(Action='sts:AssumeRole', Principal='*', Resource='*')[1] == 'Has prohibited field Resource'
    gone = f'arn:aws:iam::{ACCOUNT}:user/nobody'
    assert refusal(Action='sts:AssumeRole', Principal={'AWS': gone}) == (
        'MalformedPolicyDocument', f'Invalid principal in policy: "AWS":"{gone}"')


def test_session_policies_too(cloud, iam):
    iam.create_user(UserName='federator')
    sts = cloud.session_client('sts', iam.create_access_key(UserName='federator')['AccessKey'])
    iam.put_user_policy(UserName='federator', PolicyName='p', PolicyDocument=policy(allow('sts:GetFederationToken')))
    for document in ('x', conditions({'StringEquals': {'a': {'b': 'c'}}}), NESTED[:2000]):
        assert refused(sts.get_federation_token, Name='guest', Policy=document)[0] == 'MalformedPolicyDocument'
    code, _ = refused(sts.get_federation_token, Name='guest', Policy=TEN_THOUSAND)
    assert code in ('ValidationError', 'PackedPolicyTooLarge')
    assert sts.get_federation_token(Name='guest', Policy=policy(allow()))['Credentials']


def test_bucket_policies_too(cloud):
    s3 = cloud.client('s3', s3={'addressing_style': 'path'})
    s3.create_bucket(Bucket='policed', CreateBucketConfiguration={'LocationConstraint': REGION})

    def refusal(document):
        return refused(s3.put_bucket_policy, Bucket='policed', Policy=document)

    def statement(**changes):
        return {'Effect': 'Allow', 'Principal': {'AWS': ACCOUNT}, 'Action': 's3:GetObject',
                'Resource': 'arn:aws:s3:::policed/*', **changes}
    huge = policy(*[statement() for _ in range(10_000)])
    assert len(huge) > 1_048_576
    for document in (huge, policy(*[statement() for _ in range(200)])):
        assert refusal(document) == ('MalformedPolicy', 'Policy exceeds the maximum allowed document size.')
    for document in ('x', '[]', NESTED[:15_000], policy(statement(Effect='Maybe')), policy(statement(Action='ec2:*')),
                     policy(statement(Resource='arn:aws:s3:::another/*')),
                     policy(statement(Principal={'AWS': 'nobody'})),
                     policy(statement(Condition={'StringEquals': {'a': {'b': 'c'}}})),
                     policy(statement(Condition={'StringAlmost': {'aws:username': 'b'}}))):
        code, message = refusal(document)
        assert code == 'MalformedPolicy' and message, document[:200]
    s3.put_bucket_policy(Bucket='policed', Policy=policy(statement()))


def test_repository_policies_too(cloud):
    ecr = cloud.client('ecr')
    ecr.create_repository(repositoryName='policed')
    statement = {'Effect': 'Allow', 'Principal': '*', 'Action': 'ecr:BatchGetImage'}
    for document in ('x' * 1_048_576, policy(*[statement] * 10_000)):
        code, message = refused(ecr.set_repository_policy, repositoryName='policed', policyText=document)
        assert code == 'InvalidParameterException' and '10240' in message
    for document in ('x', NESTED[:10_000], policy({**statement, 'Effect': 'Maybe'}),
                     policy({**statement, 'Condition': {'StringEquals': {'a': {'b': 'c'}}}})):
        code, message = refused(ecr.set_repository_policy, repositoryName='policed', policyText=document)
        assert code == 'InvalidParameterException' and 'PolicyText' in message
    assert ecr.set_repository_policy(repositoryName='policed', policyText=policy(statement))


def test_ten_thousand_statements_cost_little(cloud, iam):
    """What is refused for its size is not read at all; what is read costs the daemon no more than it is worth."""
    ticks = pathlib.Path(f'/proc/{cloud.pid}/stat')

    def cpu():
        words = ticks.read_text().rsplit(')', 1)[1].split()
        return int(words[11]) + int(words[12])
    before = cpu()
    for _ in range(20):
        refused(iam.create_policy, PolicyName='bad', PolicyDocument=TEN_THOUSAND)
        refused(iam.simulate_custom_policy, PolicyInputList=[NESTED[:100_000]], ActionNames=['s3:GetObject'])
    assert cpu() - before < 40 * 25, 'less than a quarter of a second for each'
    assert iam.list_users()['Users']
