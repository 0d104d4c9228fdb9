"""The trail's proof: hourly digests by the cloud's clock, followed by `aws cloudtrail validate-logs`, which tells of every
file that was changed or taken away."""
import gzip
import json

import pytest

from waiting import wait_until

REGION, ACCOUNT, BUCKET = 'eu-west-1', '000000000000', 'proof-bucket'


@pytest.fixture(scope='module')
def s3(cloud):
    return cloud.client('s3', s3={'addressing_style': 'path'})


@pytest.fixture(scope='module')
def trail(cloud, s3):
    """A validated trail that has two hours behind it, each with events: its ARN, and when it began."""
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={'LocationConstraint': REGION})
    service = {'Effect': 'Allow', 'Principal': {'Service': 'cloudtrail.amazonaws.com'}}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({'Version': '2012-10-17', 'Statement': [
        {**service, 'Action': 's3:GetBucketAcl', 'Resource': f'arn:aws:s3:::{BUCKET}'},
        {**service, 'Action': 's3:PutObject', 'Resource': f'arn:aws:s3:::{BUCKET}/AWSLogs/{ACCOUNT}/*'}]}))
    client = cloud.client('cloudtrail')
    arn = client.create_trail(Name='proof', S3BucketName=BUCKET, EnableLogFileValidation=True)['TrailARN']
    began = client.start_logging(Name='proof')['ResponseMetadata']['HTTPHeaders']['date']
    for hour in (1, 2):
        vpc = cloud.client('ec2').create_vpc(CidrBlock=f'10.{hour}.0.0/16')['Vpc']['VpcId']
        wait_until(lambda: any(vpc in content(s3, key) for key in files(s3, 'CloudTrail/')), 60, 'the log file')
        cloud.brume('clock', 'advance', '61m')
        wait_until(lambda: len(files(s3, 'CloudTrail-Digest/')) >= hour, 60, 'the digest')
    return arn, began


def files(s3, part):
    pages = s3.get_paginator('list_objects_v2').paginate(Bucket=BUCKET, Prefix=f'AWSLogs/{ACCOUNT}/{part}')
    return sorted(item['Key'] for page in pages for item in page.get('Contents', []))


def content(s3, key):
    return gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)['Body'].read()).decode()


@pytest.fixture(scope='module')
def validate(cloud, trail):
    """What the aws cli says of the trail from its beginning on."""
    arn, began = trail

    def call():
        done = cloud.aws('cloudtrail', 'validate-logs', '--trail-arn', arn, '--start-time', began, '--verbose', check=False)
        return done.stdout + done.stderr
    return call


@pytest.fixture
def put_back(s3):
    """Sets an object aside; afterwards it is as it was, metadata too (a digest's signature is there)."""
    kept = []

    def take(key):
        found = s3.get_object(Bucket=BUCKET, Key=key)
        kept.append({'Key': key, 'Body': found['Body'].read(), 'Metadata': found['Metadata'],
                     'ContentEncoding': found['ContentEncoding'], 'ContentType': found['ContentType']})
        return kept[-1]
    yield take
    for each in kept:
        s3.put_object(Bucket=BUCKET, **each)


def logs_of_digest(s3):
    """A log file that a digest vouches for."""
    return next(entry['s3Object'] for key in files(s3, 'CloudTrail-Digest/')
                for entry in json.loads(content(s3, key))['logFiles'])


def test_everything_validates(s3, validate):
    told = validate()
    assert 'INVALID' not in told, told
    digests = files(s3, 'CloudTrail-Digest/')
    vouched = [entry['s3Object'] for key in digests for entry in json.loads(content(s3, key))['logFiles']]
    assert len(digests) >= 2 and len(vouched) >= 2
    assert f'{len(digests)}/{len(digests)} digest files valid' in told
    assert f'{len(vouched)}/{len(vouched)} log files valid' in told
    first, second = (json.loads(content(s3, key)) for key in digests[:2])
    assert first['previousDigestS3Object'] is None and second['previousDigestS3Object'] == digests[0]
    assert first['digestEndTime'] == second['digestStartTime']


def test_a_changed_log_file_is_told(s3, validate, put_back):
    key = logs_of_digest(s3)
    kept = put_back(key)
    changed = gzip.decompress(kept['Body']).replace(b'"Root"', b'"User"')
    s3.put_object(Bucket=BUCKET, **{**kept, 'Body': gzip.compress(changed)})
    told = validate()
    assert f's3://{BUCKET}/{key}\tINVALID: hash value doesn\'t match' in told, told


def test_a_deleted_log_file_is_told(s3, validate, put_back):
    key = logs_of_digest(s3)
    put_back(key)
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert f's3://{BUCKET}/{key}\tINVALID: not found' in validate()


def test_a_changed_digest_is_told(s3, validate, put_back):
    key = files(s3, 'CloudTrail-Digest/')[-1]
    kept = put_back(key)
    text = gzip.decompress(kept['Body']).decode()
    s3.put_object(Bucket=BUCKET, **{**kept, 'Body': gzip.compress(json.dumps({**json.loads(text), 'logFiles': []}).encode())})
    told = validate()
    assert f's3://{BUCKET}/{key}\tINVALID: signature verification failed' in told, told


def test_a_deleted_digest_is_told(s3, validate, put_back):
    key = files(s3, 'CloudTrail-Digest/')[0]
    put_back(key)
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert f's3://{BUCKET}/{key}\tINVALID: not found' in validate()


def test_what_is_as_it_was_validates_again(validate):
    assert 'INVALID' not in validate()
