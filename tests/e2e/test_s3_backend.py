"""Terraform's state in S3 with both kinds of lock, and objects by the aws cli, boto3 and presigned URLs."""
import hashlib
import io
import json
import os
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from cloud import REGION

BUCKET = 'states-of-tests'
LOCATION = {'LocationConstraint': REGION}

CONFIGURATION = '''
terraform {
  backend "s3" {
    bucket = "%s"
    key    = "%s"
    region = "eu-west-1"
    encrypt = true
    %s
  }
}
variable "word" { default = "first" }
resource "terraform_data" "it" { input = var.word }
output "word" { value = terraform_data.it.output }
'''


@pytest.fixture(scope='module')
def s3(cloud):
    client = cloud.client('s3', s3={'addressing_style': 'path'})
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=LOCATION)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={'Status': 'Enabled'})
    return client


@pytest.fixture(scope='module')
def dynamodb(cloud):
    client = cloud.client('dynamodb')
    client.create_table(TableName='locks', BillingMode='PAY_PER_REQUEST',
                        AttributeDefinitions=[{'AttributeName': 'LockID', 'AttributeType': 'S'}],
                        KeySchema=[{'AttributeName': 'LockID', 'KeyType': 'HASH'}])
    client.get_waiter('table_exists').wait(TableName='locks', WaiterConfig={'Delay': 1})
    return client


def module(cloud, name, lock):
    directory = cloud.work / name
    directory.mkdir()
    (directory / 'main.tf').write_text(CONFIGURATION % (BUCKET, f'{name}.tfstate', lock))
    cloud.terraform(directory, 'init', '-no-color')
    return directory


def test_state_and_lock_file(cloud, s3):
    directory = module(cloud, 'lockfile', 'use_lockfile = true')
    cloud.terraform(directory, 'apply', '-no-color', '-auto-approve')
    state = json.loads(s3.get_object(Bucket=BUCKET, Key='lockfile.tfstate')['Body'].read())
    assert state['outputs']['word']['value'] == 'first'
    assert s3.head_object(Bucket=BUCKET, Key='lockfile.tfstate')['ServerSideEncryption'] == 'AES256'
    keys = [each['Key'] for each in s3.list_objects_v2(Bucket=BUCKET).get('Contents', [])]
    assert 'lockfile.tfstate.tflock' not in keys, 'the lock is given back'

    lock = {'ID': '5d4a1c2e-0000-0000-0000-000000000000', 'Operation': 'OperationTypeApply', 'Who': 'somebody@else',
            'Version': '1.11.4', 'Created': '2026-01-01T00:00:00Z', 'Path': f'{BUCKET}/lockfile.tfstate', 'Info': ''}
    s3.put_object(Bucket=BUCKET, Key='lockfile.tfstate.tflock', Body=json.dumps(lock))
    refused = cloud.terraform(directory, 'apply', '-no-color', '-auto-approve', '-var=word=second', check=False)
    assert refused.returncode == 1 and 'somebody@else' in refused.stderr
    s3.delete_object(Bucket=BUCKET, Key='lockfile.tfstate.tflock')
    cloud.terraform(directory, 'apply', '-no-color', '-auto-approve', '-var=word=second')
    assert cloud.terraform(directory, 'output', '-raw', 'word').stdout == 'second'
    versions = s3.list_object_versions(Bucket=BUCKET, Prefix='lockfile.tfstate')['Versions']
    assert len([each for each in versions if each['Key'] == 'lockfile.tfstate']) >= 2


def test_workspaces(cloud, s3):
    directory = module(cloud, 'spaces', 'use_lockfile = true')
    cloud.terraform(directory, 'workspace', 'new', '-no-color', 'blue')
    cloud.terraform(directory, 'apply', '-no-color', '-auto-approve', '-var=word=blue')
    assert 'blue' in cloud.terraform(directory, 'workspace', 'list', '-no-color').stdout
    assert s3.head_object(Bucket=BUCKET, Key='env:/blue/spaces.tfstate')['ContentLength'] > 100
    cloud.terraform(directory, 'destroy', '-no-color', '-auto-approve')
    cloud.terraform(directory, 'workspace', 'select', '-no-color', 'default')
    cloud.terraform(directory, 'workspace', 'delete', '-no-color', 'blue')
    with pytest.raises(ClientError, match='404'):
        s3.head_object(Bucket=BUCKET, Key='env:/blue/spaces.tfstate')


def test_lock_in_dynamodb(cloud, s3, dynamodb):
    directory = module(cloud, 'table', 'dynamodb_table = "locks"')
    cloud.terraform(directory, 'apply', '-no-color', '-auto-approve')
    body = s3.get_object(Bucket=BUCKET, Key='table.tfstate')['Body'].read()
    digest = dynamodb.get_item(TableName='locks', Key={'LockID': {'S': f'{BUCKET}/table.tfstate-md5'}})['Item']
    assert digest['Digest']['S'] == hashlib.md5(body).hexdigest()

    held = {'LockID': {'S': f'{BUCKET}/table.tfstate'},
            'Info': {'S': json.dumps({'ID': 'x', 'Who': 'somebody@else', 'Operation': 'OperationTypePlan',
                                      'Created': '2026-01-01T00:00:00Z', 'Version': '', 'Path': '', 'Info': ''})}}
    dynamodb.put_item(TableName='locks', Item=held)
    with pytest.raises(ClientError, match='ConditionalCheckFailed'):
        dynamodb.put_item(TableName='locks', Item=held, ConditionExpression='attribute_not_exists(LockID)')
    refused = cloud.terraform(directory, 'apply', '-no-color', '-auto-approve', '-var=word=second', check=False)
    assert refused.returncode == 1 and 'somebody@else' in refused.stderr
    dynamodb.delete_item(TableName='locks', Key={'LockID': held['LockID']})
    cloud.terraform(directory, 'apply', '-no-color', '-auto-approve', '-var=word=second')
    assert 'Item' not in dynamodb.get_item(TableName='locks', Key={'LockID': held['LockID']})


def test_aws_cli_copies_and_lists(cloud, s3):
    content = os.urandom(300_000)
    (cloud.work / 'here.bin').write_bytes(content)
    cloud.exec('/usr/bin/aws', 's3', 'cp', '--no-progress', 'here.bin', f's3://{BUCKET}/there.bin',
               env={'AWS_DEFAULT_REGION': REGION})
    listed = cloud.exec('/usr/bin/aws', 's3', 'ls', f's3://{BUCKET}/', env={'AWS_DEFAULT_REGION': REGION}).stdout
    assert '300000 there.bin' in listed
    cloud.exec('/usr/bin/aws', 's3', 'cp', '--no-progress', f's3://{BUCKET}/there.bin', 'back.bin',
               env={'AWS_DEFAULT_REGION': REGION})
    assert (cloud.work / 'back.bin').read_bytes() == content
    missing = cloud.aws('s3api', 'head-object', '--bucket', BUCKET, '--key', 'nowhere', check=False)
    assert missing.returncode != 0 and '404' in missing.stderr


def test_multipart_upload_and_ranges(s3):
    size = 5 << 20
    parts = [os.urandom(size), os.urandom(size), os.urandom(1000)]
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key='large')['UploadId']
    done = [{'PartNumber': number, 'ETag': s3.upload_part(Bucket=BUCKET, Key='large', UploadId=upload, Body=part,
                                                          PartNumber=number)['ETag']}
            for number, part in enumerate(parts, 1)]
    answer = s3.complete_multipart_upload(Bucket=BUCKET, Key='large', UploadId=upload, MultipartUpload={'Parts': done})
    assert answer['ETag'].endswith('-3"')
    whole = b''.join(parts)
    assert s3.get_object(Bucket=BUCKET, Key='large')['Body'].read() == whole
    middle = s3.get_object(Bucket=BUCKET, Key='large', Range=f'bytes={size - 10}-{size + 9}')
    assert middle['Body'].read() == whole[size - 10:size + 10]
    assert middle['ContentRange'] == f'bytes {size - 10}-{size + 9}/{len(whole)}'
    with pytest.raises(ClientError, match='NoSuchUpload'):
        s3.upload_part(Bucket=BUCKET, Key='large', UploadId=upload, Body=b'x', PartNumber=9)


def test_conditional_writes(s3):
    s3.put_object(Bucket=BUCKET, Key='once', Body=b'1', IfNoneMatch='*')
    with pytest.raises(ClientError, match='PreconditionFailed'):
        s3.put_object(Bucket=BUCKET, Key='once', Body=b'2', IfNoneMatch='*')
    etag = s3.head_object(Bucket=BUCKET, Key='once')['ETag']
    s3.put_object(Bucket=BUCKET, Key='once', Body=b'3', IfMatch=etag)
    with pytest.raises(ClientError, match='PreconditionFailed'):
        s3.put_object(Bucket=BUCKET, Key='once', Body=b'4', IfMatch=etag)
    assert s3.get_object(Bucket=BUCKET, Key='once')['Body'].read() == b'3'


def test_versions_and_delete_markers(s3):
    first = s3.put_object(Bucket=BUCKET, Key='aged', Body=b'one')['VersionId']
    s3.put_object(Bucket=BUCKET, Key='aged', Body=b'two')
    marker = s3.delete_object(Bucket=BUCKET, Key='aged')
    assert marker['DeleteMarker']
    with pytest.raises(ClientError, match='NoSuchKey'):
        s3.get_object(Bucket=BUCKET, Key='aged')
    assert s3.get_object(Bucket=BUCKET, Key='aged', VersionId=first)['Body'].read() == b'one'
    s3.delete_object(Bucket=BUCKET, Key='aged', VersionId=marker['VersionId'])
    assert s3.get_object(Bucket=BUCKET, Key='aged')['Body'].read() == b'two'


def fetch(url, method='GET', body=None, **headers):
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize('version', ['s3v4', 's3'])
def test_presigned_urls(cloud, s3, version):
    """Both signatures; the older one signs the content type too."""
    signer = cloud.client('s3', signature_version=version, s3={'addressing_style': 'path'})
    put = signer.generate_presigned_url('put_object', {'Bucket': BUCKET, 'Key': 'signed', 'ContentType': 'text/x'},
                                        ExpiresIn=60)
    assert fetch(put, 'PUT', b'by url', **{'Content-Type': 'text/x'})[0] == 200
    status, body = fetch(put, 'PUT', b'by url', **{'Content-Type': 'text/y'})
    assert status == 403 and b'SignatureDoesNotMatch' in body
    get = signer.generate_presigned_url('get_object', {'Bucket': BUCKET, 'Key': 'signed'}, ExpiresIn=60)
    assert fetch(get) == (200, b'by url')
    status, body = fetch(get.replace('signed?', 'other?'))
    assert status == 403 and b'SignatureDoesNotMatch' in body
    status, body = fetch(get.split('?')[0])
    assert status == 403 and b'AccessDenied' in body, 'nobody reads without a signature'


def status(answer):
    return answer['ResponseMetadata']['HTTPStatusCode']


def test_statuses_of_successes(s3):
    s3.put_object(Bucket=BUCKET, Key='ranged', Body=b'0123456789')
    part = s3.get_object(Bucket=BUCKET, Key='ranged', Range='bytes=2-4')
    assert status(part) == 206 and part['Body'].read() == b'234' and part['ContentRange'] == 'bytes 2-4/10'
    assert status(s3.head_object(Bucket=BUCKET, Key='ranged', Range='bytes=2-4')) == 206
    assert status(s3.get_object(Bucket=BUCKET, Key='ranged')) == 200
    assert status(s3.put_bucket_tagging(Bucket=BUCKET, Tagging={'TagSet': [{'Key': 'a', 'Value': 'b'}]})) == 204
    assert status(s3.delete_bucket_tagging(Bucket=BUCKET)) == 204
    assert status(s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={
        'CORSRules': [{'AllowedMethods': ['GET'], 'AllowedOrigins': ['*']}]})) == 200
    assert status(s3.delete_bucket_cors(Bucket=BUCKET)) == 204
    head = s3.head_bucket(Bucket=BUCKET)
    assert head['ResponseMetadata']['HTTPHeaders']['content-type'] == 'application/xml'


def test_the_service_judges_locations(cloud, s3):
    def code(client, location):
        with pytest.raises(ClientError) as refused:
            client.create_bucket(Bucket='placed', CreateBucketConfiguration={'LocationConstraint': location})
        return refused.value.response['Error']['Code']
    assert code(s3, 'moon-1') == 'IllegalLocationConstraintException'
    virginia = cloud.client('s3', region='us-east-1', s3={'addressing_style': 'path'})
    assert code(virginia, 'moon-1') == 'InvalidLocationConstraint'


def test_a_connection_goes_on_after_an_expected_continue(cloud, s3):
    """Files are put with Expect: 100-continue; a refusal comes in place of the 100."""
    one = cloud.client('s3', s3={'addressing_style': 'path'}, max_pool_connections=1, read_timeout=5)
    for body in (b'', b'some'):
        for _ in range(3):
            one.put_object(Bucket=BUCKET, Key='expected', Body=io.BytesIO(body))
            assert one.head_object(Bucket=BUCKET, Key='expected')['ContentLength'] == len(body)
            with pytest.raises(ClientError, match='NoSuchBucket'):
                one.put_object(Bucket='no-such-bucket-here', Key='expected', Body=io.BytesIO(body))
            assert one.get_object(Bucket=BUCKET, Key='expected')['Body'].read() == body


def statement(**more):
    return json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', **more}]})


def test_policies_see_what_is_listed(cloud, s3):
    s3.create_bucket(Bucket='homes-of-tests', CreateBucketConfiguration=LOCATION)
    for key in ('home/ann/1', 'home/bob/1', 'shared/1'):
        s3.put_object(Bucket='homes-of-tests', Key=key, Body=b'')
    iam = cloud.client('iam')
    iam.create_user(UserName='lister')
    iam.put_user_policy(UserName='lister', PolicyName='home', PolicyDocument=statement(
        Action=['s3:ListBucket', 's3:ListBucketVersions'], Resource='arn:aws:s3:::homes-of-tests',
        Condition={'StringLike': {'s3:prefix': 'home/ann/*'}, 'StringEquals': {'s3:delimiter': '/'}}))
    key = iam.create_access_key(UserName='lister')['AccessKey']
    ann = cloud.client('s3', key=key['AccessKeyId'], secret=key['SecretAccessKey'], s3={'addressing_style': 'path'})
    for listing in (ann.list_objects, ann.list_objects_v2, ann.list_object_versions):
        answer = listing(Bucket='homes-of-tests', Prefix='home/ann/', Delimiter='/')
        assert [each['Key'] for each in answer.get('Contents', answer.get('Versions'))] == ['home/ann/1']
        for asked in ({'Prefix': 'home/bob/', 'Delimiter': '/'}, {'Prefix': 'home/ann/'}, {}):
            with pytest.raises(ClientError, match='AccessDenied'):
                listing(Bucket='homes-of-tests', **asked)

    assert status(s3.put_bucket_policy(Bucket='homes-of-tests', Policy=statement(
        Principal={'AWS': '111122223333'}, Action='s3:ListBucket', Resource='arn:aws:s3:::homes-of-tests',
        Condition={'StringEquals': {'s3:prefix': 'shared/'}, 'NumericLessThanEquals': {'s3:max-keys': '10'}}))) == 204
    other = cloud.client('s3', key='111122223333', s3={'addressing_style': 'path'})
    assert other.list_objects_v2(Bucket='homes-of-tests', Prefix='shared/', MaxKeys=10)['KeyCount'] == 1
    for asked in ({'Prefix': 'shared/', 'MaxKeys': 11}, {'Prefix': 'home/', 'MaxKeys': 10}, {'Prefix': 'shared/'}):
        with pytest.raises(ClientError, match='AccessDenied'):
            other.list_objects_v2(Bucket='homes-of-tests', **asked)
    assert status(s3.delete_bucket_policy(Bucket='homes-of-tests')) == 204


def test_policies_see_the_tags_of_a_request(cloud):
    iam = cloud.client('iam')
    iam.create_user(UserName='tagger')
    iam.put_user_policy(UserName='tagger', PolicyName='team', PolicyDocument=statement(
        Action=['ec2:CreateVpc', 'ec2:CreateTags'], Resource='*', Condition={
            'StringEquals': {'aws:RequestTag/team': 'red'}, 'ForAllValues:StringEquals': {'aws:TagKeys': ['team']}}))
    key = iam.create_access_key(UserName='tagger')['AccessKey']
    ec2 = cloud.client('ec2', key=key['AccessKeyId'], secret=key['SecretAccessKey'])

    def make(**tags):
        specification = {'ResourceType': 'vpc', 'Tags': [{'Key': name, 'Value': tags[name]} for name in tags]}
        return ec2.create_vpc(CidrBlock='10.9.0.0/16', TagSpecifications=[specification] if tags else [])
    assert make(team='red')['Vpc']['Tags'] == [{'Key': 'team', 'Value': 'red'}]
    for tags in ({}, {'team': 'blue'}, {'team': 'red', 'cost': 'none'}):
        with pytest.raises(ClientError, match='UnauthorizedOperation'):
            make(**tags)


def test_objects_list_in_pages_and_by_prefix(s3):
    for number in range(25):
        s3.put_object(Bucket=BUCKET, Key=f'list/{number % 5}/{number:02}', Body=b'')
    pages = list(s3.get_paginator('list_objects_v2').paginate(Bucket=BUCKET, Prefix='list/',
                                                              PaginationConfig={'PageSize': 10}))
    keys = [each['Key'] for page in pages for each in page['Contents']]
    assert len(pages) == 3 and keys == sorted(keys) and len(keys) == 25
    grouped = s3.list_objects_v2(Bucket=BUCKET, Prefix='list/', Delimiter='/')
    assert [each['Prefix'] for each in grouped['CommonPrefixes']] == [f'list/{number}/' for number in range(5)]


def test_bucket_of_another_account_cannot_be_taken(cloud, s3):
    other = cloud.client('s3', key='111122223333', s3={'addressing_style': 'path'})
    with pytest.raises(ClientError, match='BucketAlreadyExists'):
        other.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=LOCATION)
    with pytest.raises(ClientError, match='AccessDenied'):
        other.list_objects_v2(Bucket=BUCKET)
