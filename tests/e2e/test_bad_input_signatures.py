"""Signatures that are wrong, stale or meant for elsewhere: each service family answers with its own error, and a right
one beside it is answered."""
import datetime
import json
import re
import urllib.parse

import botocore.session
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloud import REGION
from raw import FORM, ask, descriptors, files_below, json_headers, query, signed
from waiting import now

# One operation of each family: the service's signing name and how it is asked.
FAMILIES = {
    'query': ('sts', dict(body=query('GetCallerIdentity', '2011-06-15'), headers=FORM)),
    'iam': ('iam', dict(body=query('ListUsers', '2010-05-08'), headers=FORM, region='us-east-1')),
    'ec2': ('ec2', dict(body=query('DescribeVpcs', '2016-11-15'), headers=FORM)),
    'elbv2': ('elasticloadbalancing', dict(body=query('DescribeLoadBalancers', '2015-12-01'), headers=FORM)),
    'json': ('ecs', dict(body=b'{}', headers=json_headers('AmazonEC2ContainerServiceV20141113.ListClusters'))),
    'ecr': ('ecr', dict(body=b'{}', headers=json_headers('AmazonEC2ContainerRegistry_V20150921.DescribeRepositories'))),
    'logs': ('logs', dict(body=b'{}', headers=json_headers('Logs_20140328.DescribeLogGroups'))),
    'dynamodb': ('dynamodb', dict(body=b'{}', headers=json_headers('DynamoDB_20120810.ListTables', '1.0'))),
    's3': ('s3', dict(method='GET')),
}
QUERY, JSON = ('query', 'iam', 'elbv2'), ('json', 'ecr', 'logs', 'dynamodb')


def by_family(query, ec2, json, s3):
    return {**dict.fromkeys(QUERY, query), 'ec2': ec2, **dict.fromkeys(JSON, json), 's3': s3}


def authorization(change):
    def apply(headers):
        headers['Authorization'] = change(headers['Authorization'])
    return apply


def dated(offset):
    """The request's own date, moved after it was signed: too old or too new is judged before the signature."""
    moment = datetime.datetime.fromtimestamp(now() + offset, datetime.timezone.utc)

    def apply(headers):
        headers['X-Amz-Date'] = moment.strftime('%Y%m%dT%H%M%SZ')
        headers['Authorization'] = re.sub(r'/\d{8}/', f'/{moment:%Y%m%d}/', headers['Authorization'])
    return apply


def without(name):
    def apply(headers):
        del headers[name]
    return apply


def added(name, value):
    def apply(headers):
        headers[name] = value
    return apply


MISMATCH = by_family((403, 'SignatureDoesNotMatch'), (401, 'AuthFailure'), (400, 'InvalidSignatureException'),
                     (403, 'SignatureDoesNotMatch'))
UNKNOWN = by_family((403, 'InvalidClientTokenId'), (401, 'AuthFailure'), (400, 'UnrecognizedClientException'),
                    (403, 'InvalidAccessKeyId'))
INCOMPLETE = by_family((400, 'IncompleteSignature'), (400, 'IncompleteSignature'), (400, 'IncompleteSignatureException'),
                       (400, 'AuthorizationHeaderMalformed'))
SCOPE = {**MISMATCH, 's3': (400, 'AuthorizationHeaderMalformed')}
SKEWED = {**MISMATCH, 's3': (403, 'RequestTimeTooSkewed')}

WRONG = {
    'secret': (dict(secret='not-test'), MISMATCH),
    'key': (dict(key='AKIAIOSFODNN7EXAMPLE'), UNKNOWN),
    'key of root with another secret': (dict(key='111122223333', secret='x'), MISMATCH),
    'session token of nobody': (dict(token='made-up'), {**UNKNOWN, 's3': (400, 'InvalidToken')}),
    'no signature': (dict(change=without('Authorization')), by_family(
        (403, 'MissingAuthenticationToken'), (401, 'AuthFailure'), (400, 'MissingAuthenticationTokenException'),
        (403, 'AccessDenied'))),
    'stale': (dict(change=dated(-3600)), {**SKEWED, 'ec2': (400, 'RequestExpired')}),
    'early': (dict(change=dated(+3600)), {**SKEWED, 'ec2': (400, 'RequestExpired')}),
    'service': (dict(change=authorization(lambda text: re.sub(r'/[a-z0-9]+/aws4_request', '/rds/aws4_request', text))),
                None),
    'terminator': (dict(change=authorization(lambda text: text.replace('aws4_request', 'aws4'))), INCOMPLETE),
    'day of the scope': (dict(change=authorization(lambda text: re.sub(r'/\d{8}/', '/20200101/', text))), SCOPE),
    'scope cut short': (dict(change=authorization(lambda text: re.sub(r'/[a-z0-9]+/aws4_request', '', text))),
                        INCOMPLETE),
    'no signature in the header': (dict(change=authorization(lambda text: text[:text.index(', Signature=')])),
                                   INCOMPLETE),
    'no date': (dict(change=without('X-Amz-Date')), {**INCOMPLETE, 's3': (403, 'AccessDenied')}),
    'algorithm': (dict(change=authorization(lambda text: text.replace('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1'))),
                  {**INCOMPLETE, 's3': (400, 'InvalidRequest')}),
    'Signature Version 2': (dict(change=authorization(lambda text: 'AWS test:c2lnbmF0dXJl')),
                            {**INCOMPLETE, 's3': (400, 'InvalidRequest')}),
    'garbage': (dict(change=authorization(lambda text: '\xff' * 4000)), {**INCOMPLETE, 's3': (400, 'InvalidRequest')}),
    'signature of another case': (dict(change=authorization(
        lambda text: re.sub(r'Signature=(\w+)', lambda found: f'Signature={found[1].upper()}', text))), MISMATCH),
    'unsigned token': (dict(change=added('X-Amz-Security-Token', 'made-up')), None),
}


@pytest.mark.parametrize('family', FAMILIES)
def test_every_family_words_its_own_errors(cloud, family):
    service, asked = FAMILIES[family]
    host = f'{service}.{asked.get("region", REGION)}.amazonaws.com' if service not in ('iam', 's3') else None
    found, expected = {}, {}
    for name, (options, errors) in WRONG.items():
        answer = ask(cloud.port, signed(service, port=cloud.port, **{**asked, **options}))
        assert 400 <= answer.status < 500, (name, answer)
        if errors:
            found[name], expected[name] = (answer.status, answer.code()), errors[family]
    assert found == expected
    # The host says what is asked for: a scope of another region or service is no way in.
    for change in ({'region': 'ap-south-1'}, {'change': WRONG['service'][0]['change']}) if host else ():
        answer = ask(cloud.port, signed(service, host=host, **{**asked, **change}))
        assert (answer.status, answer.code()) == SCOPE[family], (change, answer)
    assert ask(cloud.port, signed(service, port=cloud.port, **asked)).status == 200


def test_what_was_signed_cannot_be_changed(cloud):
    for service, asked in FAMILIES.values():
        whole = signed(service, port=cloud.port, **asked)
        assert ask(cloud.port, whole).status == 200
        for old, new in ((b' / HTTP', b' /?x=1 HTTP'), (b'\r\nHost: 127', b'\r\nHost: 128'), (b'\r\n\r\n{', b'\r\n\r\n ')):
            if old in whole:
                answer = ask(cloud.port, whole.replace(old, new))
                assert answer.status in (400, 401, 403), (service, old, answer)


@pytest.fixture(scope='module')
def bucket(cloud):
    s3 = cloud.client('s3', s3={'addressing_style': 'path'})
    s3.create_bucket(Bucket='signed', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_object(Bucket='signed', Key='key', Body=b'hello')
    return s3


def test_body_that_is_not_what_was_signed(cloud, bucket):
    whole = signed('s3', 'PUT', '/signed/other', b'hello', port=cloud.port)
    answer = ask(cloud.port, whole[:-5] + b'world')
    assert (answer.status, answer.code()) == (400, 'XAmzContentSHA256Mismatch')
    assert 'Contents' not in bucket.list_objects_v2(Bucket='signed', Prefix='other')
    answer = ask(cloud.port, signed('s3', 'PUT', '/signed/other', b'hello', port=cloud.port,
                                    change=added('x-amz-acl', 'public-read')))
    assert (answer.status, answer.code()) == (403, 'AccessDenied'), 'x-amz- headers must be signed'


def presign(cloud, seconds=60, offset=0, method='GET', path='/signed/key', region=REGION, secret='test'):
    """A URL's path and query, made `offset` seconds from now."""
    auth = S3SigV4QueryAuth(Credentials('test', secret), 's3', region, expires=seconds)
    request = AWSRequest(method, f'http://127.0.0.1:{cloud.port}{path}')
    moment = datetime.datetime.fromtimestamp(now() + offset, datetime.timezone.utc)
    request.context['timestamp'] = moment.strftime('%Y%m%dT%H%M%SZ')
    request.headers['host'] = f'127.0.0.1:{cloud.port}'
    auth._modify_request_before_signing(request)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(text, request))
    return request.url.split(str(cloud.port), 1)[1]


def get(cloud, target, host=None):
    return ask(cloud.port, f'GET {target} HTTP/1.1\r\nHost: {host or f"127.0.0.1:{cloud.port}"}\r\n\r\n'.encode())


def test_presigned_urls(cloud, bucket):
    assert get(cloud, presign(cloud)).body == b'hello'
    assert get(cloud, presign(cloud, 900, -600)).body == b'hello'
    url = presign(cloud)
    refused = {
        'expired': (presign(cloud, 60, -120), 403, 'AccessDenied'),
        'not yet valid': (presign(cloud, 60, +3600), 403, 'AccessDenied'),
        'of another method': (presign(cloud, method='PUT'), 403, 'SignatureDoesNotMatch'),
        'of another key': (url.replace('/key', '/yek'), 403, 'SignatureDoesNotMatch'),
        'with one more parameter': (url + '&versionId=null', 403, 'SignatureDoesNotMatch'),
        'made to last': (url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600'), 403, 'SignatureDoesNotMatch'),
        'of nobody': (presign(cloud, secret='x'), 403, 'SignatureDoesNotMatch'),
        'of more than a week': (presign(cloud, 604_801), 400, 'AuthorizationQueryParametersError'),
        'of less than nothing': (presign(cloud, -1), 400, 'AuthorizationQueryParametersError'),
        'of no number': (url.replace('Expires=60', 'Expires=soon'), 400, 'AuthorizationQueryParametersError'),
        'without an algorithm': (url.replace('AWS4-HMAC-SHA256', 'none'), 400, 'AuthorizationQueryParametersError'),
        'without a signature': (re.sub(r'&X-Amz-Signature=\w+', '', url), 400, 'AuthorizationQueryParametersError'),
        'with a bad date': (re.sub(r'X-Amz-Date=\w+', 'X-Amz-Date=now', url), 400, 'AuthorizationQueryParametersError'),
    }
    found = {name: (answer.status, answer.code()) for name, (target, _, _) in refused.items()
             for answer in [get(cloud, target)]}
    assert found == {name: (status, code) for name, (_, status, code) in refused.items()}
    answer = get(cloud, url.replace('%2Fs3%2F', '%2Fec2%2F'), f's3.{REGION}.amazonaws.com')
    assert (answer.status, answer.code()) == (400, 'AuthorizationQueryParametersError')
    expired = get(cloud, refused['expired'][0]).body.decode()
    assert 'Request has expired' in expired and '<Expires>' in expired and '<ServerTime>' in expired
    assert get(cloud, url).body == b'hello'


def test_expired_url_of_the_sdk_and_of_version_two(cloud, bucket):
    moment = int(now())
    for expires, status in ((moment + 60, 403), (moment - 60, 403), ('soon', 403)):
        target = f'/signed/key?AWSAccessKeyId=test&Expires={expires}&Signature=' + urllib.parse.quote('c2ln')
        answer = get(cloud, target)
        assert answer.status == status and answer.code() in ('AccessDenied', 'SignatureDoesNotMatch')
    session = botocore.session.Session()
    session.set_credentials('test', 'test')
    client = session.create_client('s3', REGION, endpoint_url=f'http://127.0.0.1:{cloud.port}')
    url = client.generate_presigned_url('get_object', {'Bucket': 'signed', 'Key': 'key'}, ExpiresIn=60)
    assert get(cloud, url.split(str(cloud.port), 1)[1]).body == b'hello'


def test_session_of_a_role_is_its_own(cloud):
    """Keys of a session without their token, with another's, and after their end."""
    iam = cloud.client('iam')
    trust = {'Version': '2012-10-17', 'Statement': [
        {'Effect': 'Allow', 'Principal': {'AWS': '*'}, 'Action': 'sts:AssumeRole'}]}
    role = iam.create_role(RoleName='own', AssumeRolePolicyDocument=json.dumps(trust))['Role']['Arn']
    iam.create_user(UserName='assumer')
    iam.put_user_policy(UserName='assumer', PolicyName='assume', PolicyDocument=json.dumps(
        {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Resource': '*'}]}))
    keys = iam.create_access_key(UserName='assumer')['AccessKey']
    sts = cloud.session_client('sts', keys)
    one, two = (sts.assume_role(RoleArn=role, RoleSessionName=name)['Credentials'] for name in ('one', 'two'))
    service, asked = FAMILIES['query']

    def caller(token):
        return ask(cloud.port, signed(service, port=cloud.port, key=one['AccessKeyId'], secret=one['SecretAccessKey'],
                                      token=token, **asked))
    assert b'assumed-role/own/one' in caller(one['SessionToken']).body
    for token in (None, two['SessionToken'], one['SessionToken'][:-1], one['SessionToken'] + 'A'):
        answer = caller(token)
        assert (answer.status, answer.code()) == (403, 'InvalidClientTokenId')


def test_nothing_was_left(cloud, bucket):
    before = descriptors(cloud.pid), files_below(cloud.state)
    for _ in range(50):
        ask(cloud.port, signed('s3', 'PUT', '/signed/other', b'x' * 100_000, secret='wrong', port=cloud.port))
    assert 'Contents' not in bucket.list_objects_v2(Bucket='signed', Prefix='other')
    assert files_below(cloud.state) == before[1]
    assert abs(len(descriptors(cloud.pid)) - len(before[0])) < 10
