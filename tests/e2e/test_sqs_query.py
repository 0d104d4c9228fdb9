"""SQS's query protocol, as clients from before 2023 speak it: forms signed by hand, to the service and to the queue's own
path, and XML in AWS's shapes ("Making query API requests"). An old boto3 does the same nightly."""
import hashlib
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from network import on_host

SPACE = '{http://queue.amazonaws.com/doc/2012-11-05/}'


@pytest.fixture(scope='module')
def ask(cloud):
    def send(action, path='/', method='POST', **parameters):
        """The answer's status and root element. Names with dots are given as they are: ask('X', **{'A.1': 'b'})."""
        form = urllib.parse.urlencode({'Action': action, 'Version': '2012-11-05', **parameters})
        url = f'http://127.0.0.1:{cloud.port}{path}' + ('?' + form if method == 'GET' else '')
        request = AWSRequest(method, url, data=form if method == 'POST' else None,
                             headers={'Content-Type': 'application/x-www-form-urlencoded'})
        SigV4Auth(Credentials('test', 'test'), 'sqs', 'eu-west-1').add_auth(request)
        prepared = request.prepare()
        raw = urllib.request.Request(prepared.url, data=form.encode() if method == 'POST' else None, method=method,
                                     headers=dict(prepared.headers))
        try:
            with urllib.request.urlopen(raw, timeout=30) as answer:
                assert answer.headers['Content-Type'].startswith('text/xml')
                return answer.status, ElementTree.fromstring(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, ElementTree.fromstring(error.read())
    return send


def texts(root, path):
    return [each.text for each in root.findall('/'.join(SPACE + part for part in path.split('/')))]


@pytest.fixture(scope='module')
def queue(ask):
    status, root = ask('CreateQueue', QueueName='old', **{
        'Attribute.1.Name': 'VisibilityTimeout', 'Attribute.1.Value': '77', 'Tag.1.Key': 'team', 'Tag.1.Value': 'shop'})
    assert (status, root.tag) == (200, SPACE + 'CreateQueueResponse')
    assert texts(root, 'ResponseMetadata/RequestId')[0]
    [url] = texts(root, 'CreateQueueResult/QueueUrl')
    return url


def test_attributes_and_tags_are_flattened(ask, queue):
    _, root = ask('GetQueueAttributes', QueueUrl=queue, **{'AttributeName.1': 'VisibilityTimeout', 'AttributeName.2': 'QueueArn'})
    names = texts(root, 'GetQueueAttributesResult/Attribute/Name')
    assert dict(zip(names, texts(root, 'GetQueueAttributesResult/Attribute/Value'))) == {
        'VisibilityTimeout': '77', 'QueueArn': 'arn:aws:sqs:eu-west-1:000000000000:old'}
    _, root = ask('ListQueueTags', QueueUrl=queue)
    assert (texts(root, 'ListQueueTagsResult/Tag/Key'), texts(root, 'ListQueueTagsResult/Tag/Value')) == (['team'], ['shop'])
    _, root = ask('SetQueueAttributes', QueueUrl=queue, **{'Attribute.Name': 'x', 'Attribute.1.Name': 'DelaySeconds', 'Attribute.1.Value': '0'})
    assert root.tag == SPACE + 'SetQueueAttributesResponse' and [child.tag for child in root] == [SPACE + 'ResponseMetadata']
    _, root = ask('ListQueues', QueueNamePrefix='ol')
    assert texts(root, 'ListQueuesResult/QueueUrl') == [queue]


def test_messages_by_the_queues_own_path(ask, queue):
    path = urllib.parse.urlsplit(queue).path
    _, root = ask('SendMessage', path, MessageBody='a < b & c', **{
        'MessageAttribute.1.Name': 'kind', 'MessageAttribute.1.Value.DataType': 'String',
        'MessageAttribute.1.Value.StringValue': 'greeting'})
    assert texts(root, 'SendMessageResult/MD5OfMessageBody') == [hashlib.md5(b'a < b & c').hexdigest()]
    _, root = ask('ReceiveMessage', path, 'GET', **{'AttributeName.1': 'All', 'MessageAttributeName.1': 'All', 'MaxNumberOfMessages': '10'})
    message = 'ReceiveMessageResult/Message/'
    assert texts(root, message + 'Body') == ['a < b & c']
    assert 'SentTimestamp' in texts(root, message + 'Attribute/Name')
    assert texts(root, message + 'MessageAttribute/Name') == ['kind']
    assert texts(root, message + 'MessageAttribute/Value/StringValue') == ['greeting']
    status, root = ask('DeleteMessage', path, ReceiptHandle=texts(root, message + 'ReceiptHandle')[0])
    assert (status, root.tag) == (200, SPACE + 'DeleteMessageResponse')


def test_batches_name_each_entry(ask, queue):
    entry = 'SendMessageBatchRequestEntry.'
    _, root = ask('SendMessageBatch', QueueUrl=queue, **{
        entry + '1.Id': 'good', entry + '1.MessageBody': 'x', entry + '2.Id': 'late', entry + '2.MessageBody': 'y',
        entry + '2.DelaySeconds': '901'})
    assert texts(root, 'SendMessageBatchResult/SendMessageBatchResultEntry/Id') == ['good']
    failed = 'SendMessageBatchResult/BatchResultErrorEntry/'
    assert (texts(root, failed + 'Id'), texts(root, failed + 'Code')) == (['late'], ['InvalidParameterValue'])
    assert texts(root, failed + 'SenderFault') == ['true']


def test_errors_have_the_codes_of_the_query_protocol(ask, queue):
    def code(*words, **parameters):
        status, root = ask(*words, **parameters)
        assert root.tag == SPACE + 'ErrorResponse' and texts(root, 'RequestId')
        return status, texts(root, 'Error/Type')[0], texts(root, 'Error/Code')[0]
    assert code('GetQueueUrl', QueueName='none') == (400, 'Sender', 'AWS.SimpleQueueService.NonExistentQueue')
    assert code('SendMessageBatch', QueueUrl=queue) == (400, 'Sender', 'AWS.SimpleQueueService.EmptyBatchRequest')
    assert code('ReceiveMessage', QueueUrl=queue, MaxNumberOfMessages='11') == (400, 'Sender', 'InvalidParameterValue')
    assert code('SendMessage', QueueUrl=queue) == (400, 'Sender', 'MissingParameter')
    assert code('CreateQueue', QueueName='old', **{'Attribute.1.Name': 'DelaySeconds', 'Attribute.1.Value': '5'}) == (
        400, 'Sender', 'QueueAlreadyExists')


def test_both_protocols_and_the_first_host_names_meet_the_same_queue(cloud, ask, queue):
    assert cloud.client('sqs').get_queue_url(QueueName='old')['QueueUrl'] == queue
    for host in ('eu-west-1.queue.amazonaws.com', 'queue.amazonaws.com'):
        assert cloud.exec('getent', 'hosts', host).stdout.split()[1] == host
    url = cloud.aws('sqs', 'create-queue', '--queue-name', 'first', '--endpoint-url',
                    'https://eu-west-1.queue.amazonaws.com')['QueueUrl']
    assert url == 'https://eu-west-1.queue.amazonaws.com/000000000000/first'
    assert cloud.aws('sqs', 'get-queue-attributes', '--queue-url', url, '--attribute-names', 'QueueArn')['Attributes']


OLD_CLIENT = """
import sys
sys.path.insert(0, sys.argv[1])
import boto3, botocore
sqs = boto3.client('sqs', endpoint_url=sys.argv[2], region_name='eu-west-1', aws_access_key_id='test', aws_secret_access_key='test')
assert sqs.meta.service_model.protocol == 'query', botocore.__version__
url = sqs.create_queue(QueueName='older.fifo', Attributes={'FifoQueue': 'true'}, tags={'a': '1'})['QueueUrl']
assert sqs.list_queue_tags(QueueUrl=url)['Tags'] == {'a': '1'}
entries = [{'Id': str(i), 'MessageBody': f'<{i}>', 'MessageGroupId': 'g', 'MessageDeduplicationId': str(i),
            'MessageAttributes': {'n': {'DataType': 'Binary', 'BinaryValue': bytes(2)}}} for i in range(3)]
assert len(sqs.send_message_batch(QueueUrl=url, Entries=entries)['Successful']) == 3
messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=['All'], MessageAttributeNames=['All'])['Messages']
assert [message['Body'] for message in messages] == ['<0>', '<1>', '<2>']
assert messages[0]['MessageAttributes']['n']['BinaryValue'] == bytes(2) and messages[0]['Attributes']['SequenceNumber']
sqs.delete_message_batch(QueueUrl=url, Entries=[{'Id': 'a', 'ReceiptHandle': messages[0]['ReceiptHandle']}])
sqs.add_permission(QueueUrl=url, Label='l', AWSAccountIds=['111122223333'], Actions=['SendMessage'])
assert 'SQS:SendMessage' in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['Policy'])['Attributes']['Policy']
try:
    sqs.get_queue_url(QueueName='none')
except sqs.exceptions.QueueDoesNotExist as error:
    assert error.response['Error']['Code'] == 'AWS.SimpleQueueService.NonExistentQueue'
else:
    sys.exit('no error')
"""


@pytest.mark.nightly
def test_an_old_boto3(cloud):
    directory = cloud.work / 'old'
    subprocess.run(on_host([sys.executable, '-m', 'pip', '--quiet', 'install', '--target', str(directory), 'boto3==1.28.0',
                            'botocore==1.31.0']), check=True)
    subprocess.run([sys.executable, '-S', '-c', OLD_CLIENT, str(directory), f'http://127.0.0.1:{cloud.port}'], check=True)
