"""SQS by boto3 and the aws cli: queues, messages, FIFO, dead letters, long polls, kills, the clock, other accounts, audit."""
import concurrent.futures
import hashlib
import json
import time

import pytest
from botocore.exceptions import ClientError

from waiting import now, wait_until

GUEST = '111122223333'


@pytest.fixture(scope='module')
def sqs(cloud):
    return cloud.client('sqs')


def make(sqs, name, **attributes):
    return sqs.create_queue(QueueName=name, Attributes={key: str(value) for key, value in attributes.items()})['QueueUrl']


def counts(sqs, url):
    kinds = ('', 'NotVisible', 'Delayed')
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])['Attributes']
    return [int(attributes['ApproximateNumberOfMessages' + kind]) for kind in kinds]


def receive(sqs, url, most=10, **more):
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=most, AttributeNames=['All'],
                               MessageAttributeNames=['All'], **more).get('Messages', [])


def arn_of(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']


def code_of(error):
    return error.value.response['Error']['Code']


def test_the_aws_cli_inside_by_the_services_own_host(cloud):
    url = cloud.aws('sqs', 'create-queue', '--queue-name', 'inside', '--tags', 'team=shop')['QueueUrl']
    assert url == 'https://sqs.eu-west-1.amazonaws.com/000000000000/inside'
    sent = cloud.aws('sqs', 'send-message', '--queue-url', url, '--message-body', 'hello', '--message-attributes',
                     '{"kind": {"DataType": "String", "StringValue": "greeting"}}')
    assert sent['MD5OfMessageBody'] == hashlib.md5(b'hello').hexdigest()
    message = cloud.aws('sqs', 'receive-message', '--queue-url', url, '--message-attribute-names', 'All')['Messages'][0]
    assert message['Body'] == 'hello' and message['MessageAttributes']['kind']['StringValue'] == 'greeting'
    cloud.aws('sqs', 'delete-message', '--queue-url', url, '--receipt-handle', message['ReceiptHandle'])
    assert cloud.aws('sqs', 'list-queue-tags', '--queue-url', url)['Tags'] == {'team': 'shop'}
    gone = cloud.aws('sqs', 'get-queue-url', '--queue-name', 'nowhere', check=False)
    assert 'NonExistentQueue' in gone.stderr


def test_a_long_poll_is_answered_when_a_message_comes(sqs):
    url = make(sqs, 'poll')
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        polls = [pool.submit(receive, sqs, url, 1, WaitTimeSeconds=20) for _ in range(2)]
        begun = now()
        sqs.send_message_batch(QueueUrl=url, Entries=[{'Id': str(i), 'MessageBody': str(i)} for i in range(2)])
        bodies = [message['Body'] for poll in polls for message in poll.result()]
    assert sorted(bodies) == ['0', '1']
    assert now() - begun < 15  # neither waited until its end


def test_fifo_order_deduplication_and_dead_letters(sqs):
    dead = make(sqs, 'dead.fifo', FifoQueue='true')
    url = make(sqs, 'live.fifo', FifoQueue='true', ContentBasedDeduplication='true', VisibilityTimeout=0,
               RedrivePolicy=json.dumps({'deadLetterTargetArn': arn_of(sqs, dead), 'maxReceiveCount': 1}))
    for body in ('a', 'b', 'a'):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId='g')
    assert counts(sqs, url) == [2, 0, 0]
    assert [message['Body'] for message in receive(sqs, url)] == ['a', 'b']
    assert receive(sqs, url) == []
    letters = receive(sqs, dead, VisibilityTimeout=0)
    assert [letter['Body'] for letter in letters] == ['a', 'b']
    assert letters[0]['Attributes']['DeadLetterQueueSourceArn'] == arn_of(sqs, url)
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)['queueUrls'] == [url]
    sqs.start_message_move_task(SourceArn=arn_of(sqs, dead))
    wait_until(lambda: counts(sqs, url)[0] == 2, 10, 'the messages back in their queue')
    [task] = sqs.list_message_move_tasks(SourceArn=arn_of(sqs, dead))['Results']
    assert (task['Status'], task['ApproximateNumberOfMessagesMoved']) == ('COMPLETED', 2)


def test_a_kill_loses_no_message_and_no_receive(cloud, sqs):
    url = make(sqs, 'durable', VisibilityTimeout=600)
    for at in range(0, 100, 10):
        sqs.send_message_batch(QueueUrl=url, Entries=[{'Id': str(i), 'MessageBody': str(i)} for i in range(at, at + 10)])
    taken = receive(sqs, url)
    for message in taken[:5]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'])
    cloud.kill()
    cloud.up()
    again = cloud.client('sqs')
    assert counts(again, url) == [90, 5, 0]
    again.change_message_visibility(QueueUrl=url, ReceiptHandle=taken[5]['ReceiptHandle'], VisibilityTimeout=0)
    [message] = receive(again, url, 1)
    assert (message['Body'], message['Attributes']['ApproximateReceiveCount']) == (taken[5]['Body'], '2')
    left = {message['Body'] for _ in range(9) for message in receive(again, url)}
    assert left | {message['Body'] for message in taken} == {str(i) for i in range(100)}


def test_an_advance_crosses_delay_visibility_and_retention(cloud, sqs):
    url = make(sqs, 'clock', VisibilityTimeout=3600, MessageRetentionPeriod=86400)
    sqs.send_message(QueueUrl=url, MessageBody='x', DelaySeconds=900)
    assert counts(sqs, url) == [0, 0, 1]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        cloud.brume('clock', 'pause')
        try:
            poll = pool.submit(receive, sqs, url, WaitTimeSeconds=20)
            wait_until(lambda: cloud.status() and True, 5, 'the daemon')
            cloud.brume('clock', 'advance', '890s')
            assert poll.result() == []  # the wait of twenty seconds is over before the delay is
        finally:
            cloud.brume('clock', 'resume')
    cloud.brume('clock', 'advance', '10s')
    assert len(receive(sqs, url)) == 1 and counts(sqs, url) == [0, 1, 0]
    cloud.brume('clock', 'advance', '1h')
    assert counts(sqs, url) == [1, 0, 0]
    cloud.brume('clock', 'advance', '22h')
    assert counts(sqs, url) == [1, 0, 0]
    cloud.brume('clock', 'advance', '2h')
    assert counts(sqs, url) == [0, 0, 0]


def user_of(cloud, account, name, *statements):
    iam = cloud.client('iam', key=account)
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName='p', PolicyDocument=json.dumps(
            {'Version': '2012-10-17', 'Statement': list(statements)}))
    key = iam.create_access_key(UserName=name)['AccessKey']
    return cloud.client('sqs', key=key['AccessKeyId'], secret=key['SecretAccessKey'])


def test_another_account_needs_both_policies(cloud, sqs):
    url = make(sqs, 'shared')
    allow = {'Effect': 'Allow', 'Action': 'sqs:*', 'Resource': '*'}
    guest, bare = user_of(cloud, GUEST, 'guest', allow), user_of(cloud, GUEST, 'bare')
    with pytest.raises(ClientError) as refused:
        guest.send_message(QueueUrl=url, MessageBody='x')
    assert code_of(refused) == 'AccessDenied' and 'no resource-based policy allows' in str(refused.value)
    sqs.add_permission(QueueUrl=url, Label='guests', AWSAccountIds=[GUEST], Actions=['SendMessage', 'GetQueueUrl'])
    guest.send_message(QueueUrl=url, MessageBody='from outside')
    assert guest.get_queue_url(QueueName='shared', QueueOwnerAWSAccountId='000000000000')['QueueUrl'] == url
    with pytest.raises(ClientError) as refused:
        bare.send_message(QueueUrl=url, MessageBody='x')
    assert 'no identity-based policy allows' in str(refused.value)
    with pytest.raises(ClientError) as refused:
        guest.receive_message(QueueUrl=url)
    assert code_of(refused) == 'AccessDenied'
    sqs.remove_permission(QueueUrl=url, Label='guests')
    with pytest.raises(ClientError) as refused:
        guest.send_message(QueueUrl=url, MessageBody='x')
    assert code_of(refused) == 'AccessDenied'
    assert counts(sqs, url) == [1, 0, 0]


def test_permissions_are_of_queues_and_their_tags(cloud, sqs):
    one = sqs.create_queue(QueueName='one', tags={'team': 'shop'})['QueueUrl']
    other = make(sqs, 'other')
    user = user_of(cloud, '000000000000', 'shopper', {
        'Effect': 'Allow', 'Action': 'sqs:SendMessage', 'Resource': '*',
        'Condition': {'StringEquals': {'aws:ResourceTag/team': 'shop'}}})
    user.send_message(QueueUrl=one, MessageBody='x')
    with pytest.raises(ClientError) as refused:
        user.send_message(QueueUrl=other, MessageBody='x')
    assert 'arn:aws:sqs:eu-west-1:000000000000:other' in str(refused.value)


def test_queues_are_found_and_tagged_by_the_tagging_api(cloud, sqs):
    url = make(sqs, 'tagged')
    tagging = cloud.client('resourcegroupstaggingapi')
    assert tagging.tag_resources(ResourceARNList=[arn_of(sqs, url)], Tags={'cost': '7'})['FailedResourcesMap'] == {}
    found = tagging.get_resources(ResourceTypeFilters=['sqs:queue'], TagFilters=[{'Key': 'cost', 'Values': ['7']}])
    assert [each['ResourceARN'] for each in found['ResourceTagMappingList']] == [arn_of(sqs, url)]
    assert sqs.list_queue_tags(QueueUrl=url)['Tags'] == {'cost': '7'}


def test_the_audit_trail_has_management_events_and_no_messages(cloud, sqs):
    url = make(sqs, 'audited', VisibilityTimeout=9)
    sqs.send_message(QueueUrl=url, MessageBody='the secret of the day')
    trail = cloud.client('cloudtrail')

    def events():
        found = trail.lookup_events(LookupAttributes=[{'AttributeKey': 'EventSource', 'AttributeValue': 'sqs.amazonaws.com'}],
                                    MaxResults=50)['Events']
        return [json.loads(event['CloudTrailEvent']) for event in found]
    wait_until(lambda: any(event['eventName'] == 'CreateQueue' and event['requestParameters']['queueName'] == 'audited'
                           for event in events()), 10, 'the event')
    assert not {event['eventName'] for event in events()} & {'SendMessage', 'ReceiveMessage', 'DeleteMessage'}
    assert 'the secret of the day' not in json.dumps(events())


def test_data_events_are_delivered_where_a_trail_asks_for_them(cloud, sqs):
    url = make(sqs, 'watched')
    s3, trail = cloud.client('s3'), cloud.client('cloudtrail')
    s3.create_bucket(Bucket='sqs-trail', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
    service = {'Effect': 'Allow', 'Principal': {'Service': 'cloudtrail.amazonaws.com'}}
    s3.put_bucket_policy(Bucket='sqs-trail', Policy=json.dumps({'Version': '2012-10-17', 'Statement': [
        {**service, 'Action': 's3:GetBucketAcl', 'Resource': 'arn:aws:s3:::sqs-trail'},
        {**service, 'Action': 's3:PutObject', 'Resource': 'arn:aws:s3:::sqs-trail/*'}]}))
    trail.create_trail(Name='queues', S3BucketName='sqs-trail')
    trail.put_event_selectors(TrailName='queues', AdvancedEventSelectors=[{'FieldSelectors': [
        {'Field': 'eventCategory', 'Equals': ['Data']}, {'Field': 'resources.type', 'Equals': ['AWS::SQS::Queue']},
        {'Field': 'resources.ARN', 'Equals': [arn_of(sqs, url)]}]}])
    trail.start_logging(Name='queues')
    sqs.send_message(QueueUrl=url, MessageBody='the secret of the night')
    receive(sqs, url)
    cloud.brume('clock', 'advance', '20m')

    def delivered():
        import gzip
        records = []
        for item in s3.list_objects_v2(Bucket='sqs-trail', Prefix='AWSLogs/').get('Contents', []):
            if '/CloudTrail/' in item['Key']:
                body = s3.get_object(Bucket='sqs-trail', Key=item['Key'])['Body'].read()
                records += json.loads(gzip.decompress(body))['Records']
        return records if {record['eventName'] for record in records} >= {'SendMessage', 'ReceiveMessage'} else None
    records = wait_until(delivered, 20, 'the delivery')
    assert 'the secret of the night' not in json.dumps(records)
    [sent] = [record for record in records if record['eventName'] == 'SendMessage']
    assert sent['requestParameters']['messageBody'] == 'HIDDEN_DUE_TO_SECURITY_REASONS'
    assert sent['managementEvent'] is False


def test_ten_thousand_messages_cost_no_more_each_than_a_hundred(sqs):
    def spent(url, rounds=30):
        """Per receive and delete, the least of the rounds: what others do on the machine only adds."""
        times = []
        for _ in range(rounds):
            begun = time.perf_counter()
            [message] = receive(sqs, url, 1)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'])
            times.append(time.perf_counter() - begun)
        return min(times)
    few, many = make(sqs, 'few'), make(sqs, 'many')
    for url, size in ((few, 100), (many, 10_000)):
        for at in range(0, size, 10):
            sqs.send_message_batch(QueueUrl=url, Entries=[{'Id': str(i), 'MessageBody': 'x' * 200} for i in range(10)])
    assert counts(sqs, many) == [10_000, 0, 0]
    assert spent(many) < 3 * spent(few)
