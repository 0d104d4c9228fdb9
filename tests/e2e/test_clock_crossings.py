"""What AWS takes minutes, days or a month for, crossed by one `brume clock advance`, with the right effects in order."""
import datetime
import json
import time
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cloud import AWS, REGION
from waiting import wait_until


def advance(cloud, span):
    return json.loads(cloud.brume('clock', 'advance', span) and cloud.brume('clock', '--json').stdout)


def cloud_ms(cloud):
    text = json.loads(cloud.brume('clock', '--json').stdout)['now']
    return int(datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp() * 1000)


def status_of(url):
    try:
        return urllib.request.urlopen(url, timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code


def test_retention_of_thirty_days(cloud):
    logs = cloud.client('logs')
    logs.create_log_group(logGroupName='kept')
    logs.create_log_group(logGroupName='short')
    logs.put_retention_policy(logGroupName='short', retentionInDays=30)
    for group in ('kept', 'short'):
        logs.create_log_stream(logGroupName=group, logStreamName='s')
        logs.put_log_events(logGroupName=group, logStreamName='s',
                            logEvents=[{'timestamp': cloud_ms(cloud), 'message': 'old'}])

    def messages(group):
        return [event['message'] for event in logs.filter_log_events(logGroupName=group)['events']]
    advance(cloud, '29d')
    assert messages('short') == ['old']
    logs.put_log_events(logGroupName='short', logStreamName='s',
                        logEvents=[{'timestamp': cloud_ms(cloud), 'message': 'new'}])
    advance(cloud, '2d')
    assert messages('short') == ['new']
    assert messages('kept') == ['old']


def test_retention_of_one_day_counts_from_the_events(cloud):
    logs = cloud.client('logs')
    logs.create_log_group(logGroupName='day')
    logs.put_retention_policy(logGroupName='day', retentionInDays=1)
    logs.create_log_stream(logGroupName='day', logStreamName='s')
    now = cloud_ms(cloud)
    logs.put_log_events(logGroupName='day', logStreamName='s', logEvents=[
        {'timestamp': now - 12 * 3600_000, 'message': 'half a day old'}, {'timestamp': now, 'message': 'new'}])

    def messages():
        return [event['message'] for event in logs.filter_log_events(logGroupName='day')['events']]
    assert messages() == ['half a day old', 'new']
    advance(cloud, '14h')
    assert messages() == ['new']
    advance(cloud, '12h')
    assert messages() == []


def test_time_to_live_of_items(cloud):
    table = cloud.client('dynamodb')
    table.create_table(TableName='ttl', BillingMode='PAY_PER_REQUEST',
                       KeySchema=[{'AttributeName': 'k', 'KeyType': 'HASH'}],
                       AttributeDefinitions=[{'AttributeName': 'k', 'AttributeType': 'S'}])
    table.update_time_to_live(TableName='ttl', TimeToLiveSpecification={'Enabled': True, 'AttributeName': 'until'})
    now = cloud_ms(cloud) // 1000
    for name, until in (('hour', now + 3600), ('week', now + 7 * 86400)):
        table.put_item(TableName='ttl', Item={'k': {'S': name}, 'until': {'N': str(until)}})

    def left():
        return sorted(item['k']['S'] for item in table.scan(TableName='ttl')['Items'])
    assert left() == ['hour', 'week']
    advance(cloud, '3d')  # AWS deletes within a few days
    assert left() == ['week']
    advance(cloud, '7d')
    assert left() == []


def test_a_roles_session_ends(cloud):
    iam, sts = cloud.client('iam'), cloud.client('sts')
    user = iam.create_user(UserName='caller')['User']['Arn']
    key = iam.create_access_key(UserName='caller')['AccessKey']
    trust = {'Version': '2012-10-17',
             'Statement': [{'Effect': 'Allow', 'Principal': {'AWS': user}, 'Action': 'sts:AssumeRole'}]}
    role = iam.create_role(RoleName='role', AssumeRolePolicyDocument=json.dumps(trust))['Role']['Arn']
    caller = cloud.client('sts', key=key['AccessKeyId'], secret=key['SecretAccessKey'])
    session = caller.assume_role(RoleArn=role, RoleSessionName='session', DurationSeconds=3600)['Credentials']
    assert session['Expiration'].timestamp() * 1000 - cloud_ms(cloud) <= 3600_000
    advance(cloud, '59m')
    assert 'assumed-role/role/session' in cloud.session_client('sts', session).get_caller_identity()['Arn']
    advance(cloud, '2m')
    with pytest.raises(ClientError) as refused:
        cloud.session_client('sts', session).get_caller_identity()
    assert refused.value.response['Error']['Code'] == 'ExpiredToken'
    assert sts.get_caller_identity()['Account']  # keys without an end go on, signed by the machine's clock


def next_second():
    """Dates of signatures are whole seconds: what is signed in the second of an advance counts as signed after it."""
    begun = int(time.time())
    wait_until(lambda: int(time.time()) > begun, 5, 'the next second')


def presigned(cloud, version='s3v4'):
    client = boto3.client('s3', endpoint_url=f'http://127.0.0.1:{cloud.port}', region_name=REGION,
                          aws_access_key_id='test', aws_secret_access_key='test',
                          config=Config(signature_version=version, s3={'addressing_style': 'path'}))
    return client.generate_presigned_url('get_object', {'Bucket': 'urls', 'Key': 'k'}, ExpiresIn=3600)


def test_presigned_urls_expire(cloud):
    s3 = cloud.client('s3')
    s3.create_bucket(Bucket='urls', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_object(Bucket='urls', Key='k', Body=b'body')
    outside = presigned(cloud)
    assert status_of(outside) == 200
    next_second()
    advance(cloud, '59m')
    assert status_of(outside) == 200
    fresh = presigned(cloud)  # signed by the machine's clock, which is an hour behind
    next_second()
    advance(cloud, '2m')
    assert status_of(outside) == 403
    assert status_of(fresh) == 200
    advance(cloud, '1h')
    assert status_of(fresh) == 403


def test_urls_that_the_cli_signs_inside(cloud):
    cloud.client('s3').create_bucket(Bucket='cli-urls', CreateBucketConfiguration={'LocationConstraint': REGION})
    cloud.client('s3').put_object(Bucket='cli-urls', Key='k', Body=b'body')
    cloud.brume('clock', 'advance', '3d')

    def sign(region):
        return cloud.exec(AWS, 's3', 'presign', 's3://cli-urls/k', '--expires-in', '3600',
                          env={'AWS_DEFAULT_REGION': region}).stdout.strip()

    def fetch(url):
        return cloud.exec('curl', '-s', '-w', '\n%{http_code}', url).stdout.rsplit('\n', 1)
    url = sign(REGION)
    assert fetch(url) == ['body', '200']
    # As on AWS: signed for another region's endpoint it names the one of the bucket.
    body, status = fetch(sign('us-east-1'))
    assert status == '301' and 'PermanentRedirect' in body and REGION in body
    advance(cloud, '59m')
    assert fetch(url)[1] == '200'
    advance(cloud, '2m')
    assert fetch(url)[1] == '403'


def test_one_advance_over_many_due_points_has_all_their_effects_in_order(cloud):
    """A session of an hour, an item of two days and lines of thirty, asked for at each stage and passed at once."""
    iam, table, logs = cloud.client('iam'), cloud.client('dynamodb'), cloud.client('logs')
    role = iam.get_role(RoleName='role')['Role']['Arn']
    key = iam.create_access_key(UserName='caller')['AccessKey']
    caller = cloud.client('sts', key=key['AccessKeyId'], secret=key['SecretAccessKey'])
    table.create_table(TableName='order', BillingMode='PAY_PER_REQUEST',
                       KeySchema=[{'AttributeName': 'k', 'KeyType': 'HASH'}],
                       AttributeDefinitions=[{'AttributeName': 'k', 'AttributeType': 'S'}])
    table.update_time_to_live(TableName='order', TimeToLiveSpecification={'Enabled': True, 'AttributeName': 'until'})
    logs.create_log_group(logGroupName='order')
    logs.put_retention_policy(logGroupName='order', retentionInDays=30)
    logs.create_log_stream(logGroupName='order', logStreamName='s')

    def begin():
        now = cloud_ms(cloud)
        table.put_item(TableName='order', Item={'k': {'S': 'k'}, 'until': {'N': str(now // 1000 + 2 * 86400)}})
        logs.put_log_events(logGroupName='order', logStreamName='s', logEvents=[{'timestamp': now, 'message': 'm'}])
        return caller.assume_role(RoleArn=role, RoleSessionName='session', DurationSeconds=3600)['Credentials']

    def left(session):
        try:
            cloud.session_client('sts', session).get_caller_identity()
            lives = True
        except ClientError:
            lives = False
        return (lives, len(table.scan(TableName='order')['Items']),
                len(logs.filter_log_events(logGroupName='order')['events']))
    session = begin()
    stages = [left(session)]
    for span in ('2h', '2d', '29d'):
        advance(cloud, span)
        stages.append(left(session))
    assert stages == [(True, 1, 1), (False, 1, 1), (False, 0, 1), (False, 0, 0)]
    session = begin()
    assert left(session) == (True, 1, 1)
    advance(cloud, '32d')
    assert left(session) == (False, 0, 0)


def test_tools_outside_work_at_any_setting(cloud):
    for words in (['advance', '40d'], ['speed', 100], ['pause'], ['resume'], ['speed', 1]):
        cloud.brume('clock', *words)
        assert cloud.client('sts').get_caller_identity()['Account'] == '000000000000'
        assert cloud.client('s3').list_buckets()['Buckets'] is not None
    assert cloud.exec('curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', 'https://sts.amazonaws.com/').stdout != '000'


def test_certificates_hold_by_both_clocks_after_decades(cloud):
    """One that was handed out before the advances, and a new one: inside by the cloud's clock, outside by the machine's."""
    def code(host, *way):
        return cloud.brume('exec', *way, '--', 'curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}',
                           f'https://{host}.amazonaws.com/').stdout
    assert code('sts') == '400'
    for _ in range(2):
        cloud.brume('clock', 'advance', '7000d')
    for host in ('sts', 'iam'):
        assert code(host) == '400'
        assert code(host, '--real') == '400'
    assert cloud.aws('sts', 'get-caller-identity')['Account'] == '000000000000'
