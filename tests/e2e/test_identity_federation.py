"""A workflow that proves itself by a signed token: a GitHub-style issuer inside the internet namespace."""
import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import time

import pytest
from botocore.exceptions import ClientError

from conftest import served

ACCOUNT = '000000000000'
ISSUER = 'token.actions.githubusercontent.com'
ADDRESS = '198.18.77.1'
PROVIDER = f'arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}'


def openssl(*words, input=None):
    return subprocess.run(['openssl', *[str(word) for word in words]], check=True, capture_output=True, input=input).stdout


def encoded(data):
    data = json.dumps(data).encode() if isinstance(data, dict) else data
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class Issuer:
    """Its directory: a certificate of its own, and the keys that it publishes."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', self.directory / 'key.pem', '-out',
                self.directory / 'cert.pem', '-days', '2', '-subj', f'/CN={ISSUER}', '-addext',
                f'subjectAltName=DNS:{ISSUER}')
        der = openssl('x509', '-in', self.directory / 'cert.pem', '-outform', 'DER')
        self.thumbprint = hashlib.sha1(der).hexdigest()
        self.write('.well-known/openid-configuration',
                   {'issuer': f'https://{ISSUER}', 'jwks_uri': f'https://{ISSUER}/.well-known/jwks'})
        self.key = self.make_key('signing')
        modulus = openssl('rsa', '-in', self.key, '-noout', '-modulus').decode().strip().split('=')[1]
        self.write('.well-known/jwks', {'keys': [{'kty': 'RSA', 'use': 'sig', 'alg': 'RS256', 'kid': 'k1', 'e': 'AQAB',
                                                  'n': encoded(bytes.fromhex(modulus))}]})

    def write(self, path, document):
        (self.directory / path.replace('/', '_')).write_text(json.dumps(document))

    def make_key(self, name):
        path = self.directory / f'{name}.pem'
        openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', path)
        return path

    def token(self, key=None, algorithm='RS256', **changes):
        now = int(time.time())
        claims = {'iss': f'https://{ISSUER}', 'aud': 'sts.amazonaws.com', 'sub': 'repo:acme/shop:ref:refs/heads/main',
                  'repository': 'acme/shop', 'iat': now, 'nbf': now, 'exp': now + 300, **changes}
        text = encoded({'typ': 'JWT', 'alg': algorithm, 'kid': 'k1'}) + '.' + encoded(claims)
        if algorithm == 'none':
            return text + '.'
        return text + '.' + encoded(openssl('dgst', '-sha256', '-sign', key or self.key, input=text.encode()))


@pytest.fixture(scope='module')
def cloud(request):
    with served(request.path.stem, '--offline', '--name', f'{ISSUER}={ADDRESS}') as cloud:
        yield cloud


@pytest.fixture(scope='module')
def issuer(cloud, tmp_path_factory):
    issuer = Issuer(tmp_path_factory.mktemp('issuer'))
    script = pathlib.Path(__file__).with_name('issuer.py')
    server = cloud.start(sys.executable, script, issuer.directory, ADDRESS, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
    assert server.stdout.readline().strip() == 'ready'
    try:
        yield issuer
    finally:
        server.communicate(timeout=20)


@pytest.fixture(scope='module')
def role(cloud, issuer):
    iam = cloud.client('iam')
    iam.create_open_id_connect_provider(Url=f'https://{ISSUER}', ClientIDList=['sts.amazonaws.com'],
                                        ThumbprintList=[issuer.thumbprint])
    trust = {'Version': '2012-10-17', 'Statement': [{
        'Effect': 'Allow', 'Principal': {'Federated': PROVIDER}, 'Action': 'sts:AssumeRoleWithWebIdentity',
        'Condition': {'StringEquals': {f'{ISSUER}:aud': 'sts.amazonaws.com'},
                      'StringLike': {f'{ISSUER}:sub': 'repo:acme/shop:*'}}}]}
    role = iam.create_role(RoleName='deploy', AssumeRolePolicyDocument=json.dumps(trust))['Role']['Arn']
    iam.put_role_policy(RoleName='deploy', PolicyName='p', PolicyDocument=json.dumps(
        {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:ListAllMyBuckets', 'Resource': '*'}]}))
    return role


@pytest.fixture(scope='module')
def assume(cloud, role):
    sts = cloud.client('sts')

    def call(token):
        return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName='run-1', WebIdentityToken=token)
    return call


def refused(call, *arguments):
    with pytest.raises(ClientError) as error:
        call(*arguments)
    return error.value.response['Error']['Code']


def test_a_signed_token_becomes_a_session(cloud, issuer, assume):
    answer = assume(issuer.token())
    assert answer['Provider'] == PROVIDER
    assert answer['SubjectFromWebIdentityToken'] == 'repo:acme/shop:ref:refs/heads/main'
    session = answer['Credentials']
    arn = cloud.session_client('sts', session).get_caller_identity()['Arn']
    assert arn == f'arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run-1'
    assert cloud.session_client('s3', session).list_buckets()['Buckets'] == []


def test_tools_inside_find_their_token_by_themselves(cloud, issuer, role):
    path = cloud.work / 'token'
    path.write_text(issuer.token())
    # A home of its own: the cli keeps a role's credentials there, for the next cloud too.
    answer = cloud.aws('sts', 'get-caller-identity', credentials={
        'HOME': str(cloud.work), 'AWS_WEB_IDENTITY_TOKEN_FILE': str(path), 'AWS_ROLE_ARN': role, 'AWS_ROLE_SESSION_NAME': 'cli'})
    assert answer['Arn'].endswith('assumed-role/deploy/cli')


def test_tokens_that_prove_nothing_are_refused(issuer, assume):
    now = int(time.time())
    assert refused(assume, issuer.token(algorithm='none')) == 'InvalidIdentityToken'
    assert refused(assume, issuer.token(key=issuer.make_key('stranger'))) == 'InvalidIdentityToken'
    assert refused(assume, issuer.token(iss='https://evil.example')) == 'InvalidIdentityToken'
    assert refused(assume, issuer.token(aud='somebody-else')) == 'InvalidIdentityToken'
    assert refused(assume, issuer.token(exp=now - 1, iat=now - 300)) == 'ExpiredTokenException'
    head, claims, signature = issuer.token().split('.')
    assert refused(assume, f'{head}.{encoded({"iss": f"https://{ISSUER}", "sub": "x"})}.{signature}') \
        == 'InvalidIdentityToken'
    assert refused(assume, 'x' * 10_000) == 'InvalidIdentityToken'
    # Signed by the issuer, for a repository that the role does not trust.
    assert refused(assume, issuer.token(sub='repo:mallory/shop:ref:refs/heads/main')) == 'AccessDenied'
    assert assume(issuer.token())['Credentials']


def test_an_issuer_whose_certificate_is_unknown_is_not_believed(cloud, issuer, assume):
    iam = cloud.client('iam')
    assert assume(issuer.token())
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=PROVIDER, ThumbprintList=['0' * 40])
    assert refused(assume, issuer.token()) == 'InvalidIdentityToken'
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=PROVIDER, ThumbprintList=[issuer.thumbprint])
    assert assume(issuer.token())


def test_why_names_the_claim_that_did_not_fit(cloud, issuer, assume):
    with pytest.raises(ClientError) as error:
        assume(issuer.token(sub='repo:mallory/shop:ref:refs/heads/main'))
    text = cloud.brume('why', error.value.response['ResponseMetadata']['RequestId']).stdout
    assert f'✗ Condition StringLike {ISSUER}:sub: the policy says repo:acme/shop:*; the request has ' \
           'repo:mallory/shop:ref:refs/heads/main' in text


def test_each_attempt_is_an_event_in_the_roles_account(cloud, issuer, assume):
    token = issuer.token()
    good = assume(token)
    bad = issuer.token(sub='repo:mallory/shop:ref:refs/heads/main')
    assert refused(assume, bad) == 'AccessDenied'
    # An unsigned request to an address without a Region's name is the default Region's.
    events = cloud.client('cloudtrail', region='us-east-1').lookup_events(
        LookupAttributes=[{'AttributeKey': 'EventName', 'AttributeValue': 'AssumeRoleWithWebIdentity'}])['Events']
    denied, allowed = [json.loads(event['CloudTrailEvent']) for event in events[:2]]
    assert allowed['requestID'] == good['ResponseMetadata']['RequestId'] and allowed['recipientAccountId'] == ACCOUNT
    subject = 'repo:acme/shop:ref:refs/heads/main'
    assert allowed['userIdentity'] == {'type': 'WebIdentityUser', 'userName': subject, 'identityProvider': PROVIDER,
                                       'principalId': f'{PROVIDER}:sts.amazonaws.com:{subject}'}
    assert events[1]['Username'] == subject
    assert denied['errorCode'] == 'AccessDenied' and denied['userIdentity'] == {'type': 'WebIdentityUser'}
    for event in events:
        assert token not in event['CloudTrailEvent'] and bad not in event['CloudTrailEvent']


def test_a_replayed_token_ends_with_its_time(cloud, issuer, assume):
    token = issuer.token()
    first, second = assume(token)['Credentials'], assume(token)['Credentials']
    assert first['AccessKeyId'] != second['AccessKeyId'], 'it may be used again: AWS documents nothing else'
    cloud.brume('clock', 'advance', '6m')
    assert refused(assume, token) == 'ExpiredTokenException'
