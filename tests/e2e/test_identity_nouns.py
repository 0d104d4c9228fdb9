"""IAM's nouns through boto3: groups, providers, devices, passwords, aliases, reports, simulation."""
import base64
import csv
import hashlib
import hmac
import io
import json
import struct
import time
import zlib

import pytest
import zxingcpp
from botocore.exceptions import ClientError

ACCOUNT = '000000000000'
READ = {'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::b/*'}


def policy(*statements):
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


def refused(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response['Error']['Code']


def codes_at(seed, step, count=2):
    """What an authenticator app shows from that step on (RFC 6238)."""
    shown = []
    for moment in range(step, step + count):
        digest = hmac.new(base64.b32decode(seed), struct.pack('>Q', moment), hashlib.sha1).digest()
        offset = digest[-1] & 15
        number = struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7fffffff
        shown.append(f'{number % 1_000_000:06d}')
    return shown


@pytest.fixture(scope='module')
def iam(cloud):
    return cloud.client('iam')


def test_groups(iam):
    iam.create_group(GroupName='readers', Path='/team/')
    iam.create_user(UserName='ann')
    iam.add_user_to_group(GroupName='readers', UserName='ann')
    iam.put_group_policy(GroupName='readers', PolicyName='read', PolicyDocument=policy(READ))
    iam.attach_group_policy(GroupName='readers', PolicyArn='arn:aws:iam::aws:policy/AWSDenyAll')
    assert [user['UserName'] for user in iam.get_group(GroupName='readers')['Users']] == ['ann']
    assert [group['Arn'] for group in iam.list_groups(PathPrefix='/team/')['Groups']] == [
        f'arn:aws:iam::{ACCOUNT}:group/team/readers']
    assert iam.get_group_policy(GroupName='readers', PolicyName='read')['PolicyDocument']['Statement'] == [READ]
    assert iam.list_group_policies(GroupName='readers')['PolicyNames'] == ['read']
    assert len(iam.list_attached_group_policies(GroupName='readers')['AttachedPolicies']) == 1
    assert refused(iam.delete_group, GroupName='readers') == 'DeleteConflict'
    assert refused(iam.delete_user, UserName='ann') == 'DeleteConflict'
    iam.update_group(GroupName='readers', NewGroupName='lectors')
    assert [group['GroupName'] for group in iam.list_groups_for_user(UserName='ann')['Groups']] == ['lectors']
    iam.remove_user_from_group(GroupName='lectors', UserName='ann')
    iam.detach_group_policy(GroupName='lectors', PolicyArn='arn:aws:iam::aws:policy/AWSDenyAll')
    iam.delete_group_policy(GroupName='lectors', PolicyName='read')
    iam.delete_group(GroupName='lectors')
    assert refused(iam.get_group, GroupName='lectors') == 'NoSuchEntity'


def test_open_id_connect_providers(iam):
    made = iam.create_open_id_connect_provider(Url='https://id.example.org/team', ClientIDList=['one'],
                                               ThumbprintList=['a' * 40], Tags=[{'Key': 'a', 'Value': '1'}])
    arn = made['OpenIDConnectProviderArn']
    assert arn == f'arn:aws:iam::{ACCOUNT}:oidc-provider/id.example.org/team'
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID='two')
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID='one')
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=['b' * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{'Key': 'b', 'Value': '2'}])
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=['a'])
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (found['ClientIDList'], found['ThumbprintList']) == (['two'], ['b' * 40])
    assert iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)['Tags'] == [{'Key': 'b', 'Value': '2'}]
    assert {'Arn': arn} in iam.list_open_id_connect_providers()['OpenIDConnectProviderList']
    assert refused(iam.create_open_id_connect_provider, Url='http://id.example.org') == 'ValidationError'
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert refused(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn) == 'NoSuchEntity'


def pixels(png):
    """The grey rows of a PNG, read by its specification: chunks with their checksums, no filter but those of bytes."""
    assert png[:8] == b'\x89PNG\r\n\x1a\n'
    at, data, size = 8, b'', None
    while at < len(png):
        length, = struct.unpack('>I', png[at:at + 4])
        kind, body = png[at + 4:at + 8], png[at + 8:at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack('>I', png[at + 8 + length:at + 12 + length])[0]
        if kind == b'IHDR':
            size = struct.unpack('>II', body[:8])
            assert body[8:] == bytes([8, 0, 0, 0, 0]), 'eight grey bits, not interlaced'
        data += body if kind == b'IDAT' else b''
        at += 12 + length
    width, height = size
    raw, above, rows = zlib.decompress(data), bytes(width), []
    for y in range(height):
        kind, row = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for x in range(width):
            left, up, corner = row[x - 1] if x else 0, above[x], above[x - 1] if x else 0
            paeth = min((left, up, corner), key=lambda near: abs(left + up - corner - near))
            row[x] = (row[x] + (0, left, up, (left + up) // 2, paeth)[kind]) & 255
        rows.append(bytes(row))
        above = row
    return memoryview(b''.join(rows)).cast('B', shape=[height, width])


def test_a_devices_code_can_be_scanned(iam):
    def scanned(name):
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)['VirtualMFADevice']
        codes = zxingcpp.read_barcodes(pixels(device['QRCodePNG']))
        assert [str(code.format) for code in codes] == ['QR Code']
        return codes[0].text, device['Base32StringSeed'].decode()

    text, seed = scanned('scan')
    assert text == f'otpauth://totp/Amazon%20Web%20Services:scan@{ACCOUNT}?secret={seed}&issuer=Amazon%20Web%20Services'
    # Of an account that has an alias it names that, and a long name has room too.
    iam.create_account_alias(AccountAlias='mist')
    text, seed = scanned('n' * 200)
    iam.delete_account_alias(AccountAlias='mist')
    assert text == f'otpauth://totp/Amazon%20Web%20Services:{"n" * 200}@mist?secret={seed}&issuer=Amazon%20Web%20Services'
    assert all('QRCodePNG' not in device for device in iam.list_virtual_mfa_devices()['VirtualMFADevices'])


def test_devices_and_the_sessions_that_they_open(cloud, iam):
    iam.create_user(UserName='mia')
    keys = iam.create_access_key(UserName='mia')['AccessKey']
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName='mia', Tags=[{'Key': 'a', 'Value': '1'}])[
        'VirtualMFADevice']
    serial, seed = device['SerialNumber'], device['Base32StringSeed']
    assert refused(iam.enable_mfa_device, UserName='mia', SerialNumber=serial, AuthenticationCode1='000000',
                   AuthenticationCode2='000000') == 'InvalidAuthenticationCode'
    first, second = codes_at(seed, int(time.time()) // 30)
    iam.enable_mfa_device(UserName='mia', SerialNumber=serial, AuthenticationCode1=first, AuthenticationCode2=second)
    assert iam.list_mfa_devices(UserName='mia')['MFADevices'][0]['SerialNumber'] == serial
    assert iam.get_mfa_device(SerialNumber=serial, UserName='mia')['UserName'] == 'mia'
    assert iam.list_virtual_mfa_devices(AssignmentStatus='Assigned')['VirtualMFADevices'][0]['User']['UserName'] == 'mia'
    iam.tag_mfa_device(SerialNumber=serial, Tags=[{'Key': 'b', 'Value': '2'}])
    iam.untag_mfa_device(SerialNumber=serial, TagKeys=['a'])
    assert iam.list_mfa_device_tags(SerialNumber=serial)['Tags'] == [{'Key': 'b', 'Value': '2'}]
    # What needs a second factor is denied to the key alone and to a session without one.
    iam.put_user_policy(UserName='mia', PolicyName='mfa', PolicyDocument=policy(
        {'Effect': 'Allow', 'Action': 's3:ListAllMyBuckets', 'Resource': '*',
         'Condition': {'Bool': {'aws:MultiFactorAuthPresent': 'true'}}}))
    sts = cloud.session_client('sts', {**keys, 'SessionToken': None})
    assert refused(cloud.session_client('s3', {**keys, 'SessionToken': None}).list_buckets) == 'AccessDenied'
    assert refused(cloud.session_client('s3', sts.get_session_token()['Credentials']).list_buckets) == 'AccessDenied'
    # The codes that enabled the device are spent: the wrong one and they open nothing.
    assert refused(sts.get_session_token, SerialNumber=serial, TokenCode=second) == 'AccessDenied'
    assert refused(iam.resync_mfa_device, UserName='mia', SerialNumber=serial, AuthenticationCode1='000000',
                   AuthenticationCode2='000000') == 'InvalidAuthenticationCode'
    assert refused(iam.delete_virtual_mfa_device, SerialNumber=serial) == 'DeleteConflict'
    iam.deactivate_mfa_device(UserName='mia', SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    # A fresh device's present code opens a session that has the second factor.
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName='mia')['VirtualMFADevice']
    past = int(time.time()) // 30 - 1
    before = codes_at(device['Base32StringSeed'], past, 3)
    iam.enable_mfa_device(UserName='mia', SerialNumber=device['SerialNumber'], AuthenticationCode1=before[0],
                          AuthenticationCode2=before[1])
    session = sts.get_session_token(SerialNumber=device['SerialNumber'], TokenCode=before[2])['Credentials']
    assert cloud.session_client('s3', session).list_buckets()['Buckets'] == []


def test_passwords(cloud, iam):
    assert refused(iam.get_account_password_policy) == 'NoSuchEntity'
    iam.create_user(UserName='pat')
    assert refused(iam.create_login_profile, UserName='pat', Password='short') == 'PasswordPolicyViolation'
    iam.create_login_profile(UserName='pat', Password='Correct-horse-1', PasswordResetRequired=True)
    assert iam.get_login_profile(UserName='pat')['LoginProfile']['PasswordResetRequired'] is True
    iam.update_account_password_policy(MinimumPasswordLength=12, PasswordReusePrevention=2, MaxPasswordAge=90)
    assert iam.get_account_password_policy()['PasswordPolicy']['ExpirePasswords'] is True
    assert refused(iam.update_login_profile, UserName='pat', Password='Battery-1') == 'PasswordPolicyViolation'
    iam.update_login_profile(UserName='pat', Password='Battery-staple-2', PasswordResetRequired=False)
    keys = iam.create_access_key(UserName='pat')['AccessKey']
    own = cloud.session_client('iam', {**keys, 'SessionToken': None})
    change = {'OldPassword': 'Battery-staple-2', 'NewPassword': 'Something-else-3'}
    assert refused(own.change_password, **change) == 'AccessDenied'  # no policy allows it
    iam.put_user_policy(UserName='pat', PolicyName='own', PolicyDocument=policy(
        {'Effect': 'Allow', 'Action': 'iam:ChangePassword', 'Resource': f'arn:aws:iam::{ACCOUNT}:user/${{aws:username}}'}))
    assert refused(own.change_password, OldPassword='wrong-wrong-wrong', NewPassword='x') == 'AccessDenied'
    own.change_password(**change)
    assert refused(own.change_password, OldPassword='Something-else-3',
                   NewPassword='Battery-staple-2') == 'PasswordPolicyViolation'
    iam.delete_login_profile(UserName='pat')
    assert refused(iam.get_login_profile, UserName='pat') == 'NoSuchEntity'
    iam.delete_account_password_policy()


def test_alias_summary_report_and_details(iam):
    iam.create_account_alias(AccountAlias='acme-shop')
    assert iam.list_account_aliases()['AccountAliases'] == ['acme-shop']
    iam.delete_account_alias(AccountAlias='acme-shop')
    iam.create_user(UserName='rob', Tags=[{'Key': 'team', 'Value': 'red'}])
    iam.put_user_policy(UserName='rob', PolicyName='read', PolicyDocument=policy(READ))
    assert iam.get_account_summary()['SummaryMap']['Users'] >= 1
    assert refused(iam.get_credential_report) == 'ReportNotPresent'
    assert iam.generate_credential_report()['State'] == 'STARTED'
    assert iam.generate_credential_report()['State'] == 'COMPLETE'
    rows = {row['user']: row for row in csv.DictReader(io.StringIO(
        iam.get_credential_report()['Content'].decode()))}
    assert rows['<root_account>']['arn'] == f'arn:aws:iam::{ACCOUNT}:root'
    assert rows['rob']['password_enabled'] == 'false' and rows['rob']['mfa_active'] == 'false'
    users = {}
    for page in iam.get_paginator('get_account_authorization_details').paginate(Filter=['User'],
                                                                                PaginationConfig={'PageSize': 1}):
        users.update({user['UserName']: user for user in page['UserDetailList']})
        assert not page['RoleDetailList']
    assert users['rob']['Tags'] == [{'Key': 'team', 'Value': 'red'}]
    assert users['rob']['UserPolicyList'][0]['PolicyDocument']['Statement'] == [READ]


def test_simulation(iam):
    document = policy(READ, {'Effect': 'Deny', 'Action': 's3:*', 'Resource': 'arn:aws:s3:::b/secret/*'},
                      {'Effect': 'Allow', 'Action': 's3:PutObject', 'Resource': '*',
                       'Condition': {'StringEquals': {'aws:SourceVpc': 'vpc-1'}}})
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[document])['ContextKeyNames'] == ['aws:SourceVpc']

    def simulated(action, resource, **more):
        results = iam.simulate_custom_policy(PolicyInputList=[document], ActionNames=[action],
                                             ResourceArns=[resource], **more)['EvaluationResults']
        return results[0]
    allowed = simulated('s3:GetObject', 'arn:aws:s3:::b/1')
    assert allowed['EvalDecision'] == 'allowed'
    assert allowed['MatchedStatements'][0]['StartPosition'] == {'Line': 1, 'Column': 41}
    assert simulated('s3:GetObject', 'arn:aws:s3:::b/secret/1')['EvalDecision'] == 'explicitDeny'
    missing = simulated('s3:PutObject', 'arn:aws:s3:::b/1')
    assert (missing['EvalDecision'], missing['MissingContextValues']) == ('implicitDeny', ['aws:SourceVpc'])
    with_key = simulated('s3:PutObject', 'arn:aws:s3:::b/1', ContextEntries=[
        {'ContextKeyName': 'aws:SourceVpc', 'ContextKeyValues': ['vpc-1'], 'ContextKeyType': 'string'}])
    assert with_key['EvalDecision'] == 'allowed'
    iam.create_user(UserName='sim')
    iam.put_user_policy(UserName='sim', PolicyName='p', PolicyDocument=document)
    arn = f'arn:aws:iam::{ACCOUNT}:user/sim'
    found = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=['s3:GetObject', 's3:DeleteObject'],
                                          ResourceArns=['arn:aws:s3:::b/1'])['EvaluationResults']
    assert [one['EvalDecision'] for one in found] == ['allowed', 'implicitDeny']
    assert iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)['ContextKeyNames'] == ['aws:SourceVpc']
    assert refused(iam.simulate_custom_policy, PolicyInputList=['{}'], ActionNames=['s3:GetObject']) == 'InvalidInput'
    # Of an organization every level must allow.
    everything = policy({'Effect': 'Allow', 'Action': '*', 'Resource': '*'})
    queues = policy({'Effect': 'Allow', 'Action': 'sqs:*', 'Resource': '*'})
    for levels, within in (([everything, everything], True), ([everything, queues], False), ([queues, everything], False)):
        found = simulated('s3:GetObject', 'arn:aws:s3:::b/1', OrderedOrganizationPolicyInputList=[
            {'ServiceControlPolicyInputList': [level]} for level in levels])
        assert found['OrganizationsDecisionDetail'] == {'AllowedByOrganizations': within}
        assert found['EvalDecision'] == ('allowed' if within else 'implicitDeny')
