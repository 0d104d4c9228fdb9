"""Browser uploads: forms that boto3 signs, posted as a browser posts them; each thing that may be wrong has its error."""
import http.client
import json
import re
import urllib.parse

import pytest

from cloud import REGION

BUCKET = 'forms'


@pytest.fixture(scope='module')
def s3(cloud):
    client = cloud.client('s3', signature_version='s3v4', s3={'addressing_style': 'path'})
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={'LocationConstraint': REGION})
    return client


def form(fields, content, name='photo.png', boundary='----form'):
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
             for key, value in fields.items()]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
                 'Content-Type: image/png\r\n\r\n'.encode() + content + b'\r\n')
    return b''.join(parts) + f'--{boundary}--\r\n'.encode(), {'Content-Type': f'multipart/form-data; boundary={boundary}'}


def post(cloud, fields, content=b'picture', bucket=BUCKET, **options):
    body, headers = form(fields, content, **options)
    connection = http.client.HTTPConnection('127.0.0.1', cloud.port, timeout=30)
    connection.request('POST', f'/{bucket}', body=body, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    found = re.search(r'<Code>(\w+)</Code>', text)
    return answer, text, found and found[1]


def presigned(s3, key='up/${filename}', fields=(), conditions=(), **options):
    fields = dict(fields)
    return s3.generate_presigned_post(BUCKET, key, Fields=fields,
                                      Conditions=[*({name: value} for name, value in fields.items()), *conditions], **options)['fields']


def test_a_form_is_an_object(cloud, s3):
    answer, text, _ = post(cloud, presigned(s3, fields={'Content-Type': 'image/png', 'x-amz-meta-who': 'ann'}))
    assert (answer.status, text) == (204, '') and answer.headers['ETag']
    got = s3.get_object(Bucket=BUCKET, Key='up/photo.png')
    assert got['Body'].read() == b'picture' and got['ContentType'] == 'image/png' and got['Metadata'] == {'who': 'ann'}
    # One that does not fit into memory, and whose content looks like a form's.
    large = (b'\r\n------for\r\n--' + bytes(range(256))) * 2000
    answer, _, _ = post(cloud, presigned(s3, key='large'), large)
    assert answer.status == 204 and s3.get_object(Bucket=BUCKET, Key='large')['Body'].read() == large


def test_answers_are_as_the_form_wants_them(cloud, s3):
    answer, text, _ = post(cloud, presigned(s3, key='a&b', fields={'success_action_status': '201'}))
    assert answer.status == 201 and '<PostResponse>' in text and '<Key>a&amp;b</Key>' in text and answer.headers['Location'].endswith('/forms/a%26b')
    answer, _, _ = post(cloud, presigned(s3, fields={'success_action_status': '200'}))
    assert answer.status == 200
    target = 'http://example.com/done?x=1'
    answer, _, _ = post(cloud, presigned(s3, key='r', fields={'success_action_redirect': target}))
    where = urllib.parse.urlparse(answer.headers['Location'])
    assert answer.status == 303 and dict(urllib.parse.parse_qsl(where.query))['key'] == 'r' and where.netloc == 'example.com'


def wrong_forms(s3):
    good = presigned(s3)
    yield 'AccessDenied', dict(good, key='elsewhere')
    yield 'AccessDenied', {'x-amz-meta-extra': '1', **good}
    yield 'SignatureDoesNotMatch', dict(good, **{'x-amz-signature': '0' * 64})
    yield 'InvalidAccessKeyId', dict(good, **{'x-amz-credential': good['x-amz-credential'].replace('test/', 'AKIAIOSFODNN7EXAMPLE/')})
    yield 'AuthorizationHeaderMalformed', dict(good, **{'x-amz-credential': good['x-amz-credential'].replace('/s3/', '/sts/')})
    yield 'InvalidToken', {'x-amz-security-token': 'made-up', **good}
    yield 'InvalidArgument', {name: value for name, value in good.items() if name != 'key'}
    yield 'InvalidArgument', {name: value for name, value in good.items() if name != 'x-amz-date'}
    yield 'AccessDenied', presigned(s3, ExpiresIn=-60)
    yield 'EntityTooLarge', presigned(s3, conditions=[['content-length-range', 1, 3]])
    yield 'EntityTooSmall', presigned(s3, conditions=[['content-length-range', 100, 200]])
    yield 'AccessDenied', {'key': 'anonymous'}


def test_each_fault_has_its_error_and_leaves_nothing(cloud, s3):
    before = {each['Key'] for each in s3.list_objects_v2(Bucket=BUCKET).get('Contents', [])}
    for wanted, fields in wrong_forms(s3):
        answer, text, code = post(cloud, fields)
        assert code == wanted and 400 <= answer.status < 500, (wanted, fields, text)
    _, _, code = post(cloud, presigned(s3), bucket='other')
    assert code == 'AccessDenied'
    assert post(cloud, {'key': 'anonymous'}, b'x' * (2 << 20))[2] == 'EntityTooLarge'
    body, headers = form(presigned(s3), b'cut')
    connection = http.client.HTTPConnection('127.0.0.1', cloud.port, timeout=30)
    connection.request('POST', f'/{BUCKET}', body=body[:-20], headers=headers)
    assert b'MalformedPOSTRequest' in connection.getresponse().read()
    connection.close()
    assert {each['Key'] for each in s3.list_objects_v2(Bucket=BUCKET).get('Contents', [])} == before


def test_a_user_needs_the_permission_and_a_session_its_token(cloud, s3):
    iam = cloud.client('iam')
    iam.create_user(UserName='uploader')
    key = iam.create_access_key(UserName='uploader')['AccessKey']
    mine = cloud.client('s3', key=key['AccessKeyId'], secret=key['SecretAccessKey'], signature_version='s3v4')
    assert post(cloud, presigned(mine, key='by-user'))[2] == 'AccessDenied'
    iam.put_user_policy(UserName='uploader', PolicyName='p', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [
        {'Effect': 'Allow', 'Action': 's3:PutObject', 'Resource': f'arn:aws:s3:::{BUCKET}/by-user'}]}))
    assert post(cloud, presigned(mine, key='by-user'))[0].status == 204
    session = cloud.client('sts', key=key['AccessKeyId'], secret=key['SecretAccessKey']).get_session_token()['Credentials']
    theirs = cloud.session_client('s3', session, signature_version='s3v4')
    fields = presigned(theirs, key='by-user')
    assert 'x-amz-security-token' in fields and post(cloud, fields)[0].status == 204
