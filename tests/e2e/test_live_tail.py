"""StartLiveTail: an answer that is an event stream, read by boto3 inside under AWS's own name, and byte by byte."""
import json
import struct
import sys
import zlib

import pytest
from botocore.exceptions import ClientError

import raw
from waiting import now, wait_until

REGION = 'eu-west-1'
GROUP = f'arn:aws:logs:{REGION}:000000000000:log-group:/tail'
TAIL = '''
import boto3, json, sys
logs = boto3.client('logs', region_name='eu-west-1')
words = json.loads(sys.argv[1])
stream = logs.start_live_tail(**words)['responseStream']
for event in stream:
    print(json.dumps(event, default=str), flush=True)
    if any(each['message'] == 'last' for each in event.get('sessionUpdate', {}).get('sessionResults', [])):
        break
'''


@pytest.fixture(scope='module')
def logs(cloud):
    client = cloud.client('logs')
    client.create_log_group(logGroupName='/tail')
    for stream in ('web-1', 'web-2', 'db-1'):
        client.create_log_stream(logGroupName='/tail', logStreamName=stream)
    return client


def put(logs, stream, *lines):
    events = [{'timestamp': int(now() * 1000), 'message': line} for line in lines]
    logs.put_log_events(logGroupName='/tail', logStreamName=stream, logEvents=events)


def messages(data):
    """The messages of a whole event stream, checked by their checksums."""
    found, at = [], 0
    while at < len(data):
        total, headers, checksum = struct.unpack('>III', data[at:at + 12])
        message = data[at:at + total]
        assert zlib.crc32(message[:8]) == checksum
        assert zlib.crc32(message[:-4]) == struct.unpack('>I', message[-4:])[0]
        names, rest = {}, message[12:12 + headers]
        while rest:
            size = rest[0]
            name, rest = rest[1:1 + size].decode(), rest[1 + size:]
            length = struct.unpack('>H', rest[1:3])[0]
            names[name], rest = rest[3:3 + length].decode(), rest[3 + length:]
        found.append((names, json.loads(message[12 + headers:-4])))
        at += total
    return found


def chunks(data):
    """The chunks of a body that have come so far, put together; and whether it has ended."""
    whole, at = [], 0
    while (end := data.find(b'\r\n', at)) >= 0:
        length = int(data[at:end], 16)
        if length == 0:
            return b''.join(whole), True
        if len(data) < end + 4 + length:
            break
        whole.append(data[end + 2:end + 2 + length])
        at = end + 4 + length
    return b''.join(whole), False


def tail_bytes(cloud, **words):
    body = json.dumps({'logGroupIdentifiers': [GROUP], **words}).encode()
    connection = raw.Connection(cloud.port)
    connection.send(raw.signed('logs', body=body, headers=raw.json_headers('Logs_20140328.StartLiveTail')))
    return connection


def read_until(connection, name):
    """The answer's head and the messages so far, when one of that name has come whole. Read once, at the end: three
    hours of updates are many."""
    while True:
        connection.held += connection.socket.recv(1 << 20)
        if name.encode() not in connection.held[-(2 << 20):]:
            continue
        head, _, body = connection.held.partition(b'\r\n\r\n')
        found = messages(chunks(body)[0])
        if any(name in headers.values() for headers, _ in found):
            return head.decode().lower(), found


def test_boto3_follows_lines_as_they_come(cloud, logs):
    words = {'logGroupIdentifiers': [GROUP], 'logStreamNamePrefixes': ['web'], 'logEventFilterPattern': '-secret'}
    tail = cloud.start(sys.executable, '-c', TAIL, json.dumps(words), stdout=-1, stderr=-1)
    try:
        start = json.loads(tail.stdout.readline())['sessionStart']
        assert start['logGroupIdentifiers'] == [GROUP] and start['logStreamNamePrefixes'] == ['web']
        assert start['sessionId'] and start['requestId']
        put(logs, 'db-1', 'of the database')
        put(logs, 'web-1', 'hello', 'a secret')
        put(logs, 'web-2', 'last')
        updates = [json.loads(line)['sessionUpdate'] for line in tail.stdout]
        assert tail.wait(timeout=30) == 0
    finally:
        tail.kill()
        tail.communicate()
    results = [each for update in updates for each in update['sessionResults']]
    assert [(each['logStreamName'], each['message']) for each in results] == [('web-1', 'hello'), ('web-2', 'last')]
    assert {each['logGroupIdentifier'] for each in results} == {'000000000000:/tail'}
    assert all(update['sessionMetadata'] == {'sampled': False} for update in updates)


def test_the_stream_byte_by_byte(cloud, logs):
    with tail_bytes(cloud) as connection:
        head, found = read_until(connection, 'sessionStart')
        assert 'content-type: application/vnd.amazon.eventstream' in head and 'transfer-encoding: chunked' in head
        assert 'content-length' not in head and 'x-amzn-requestid' in head
        assert [headers[':event-type'] for headers, _ in found[:2]] == ['initial-response', 'sessionStart']
        assert found[0][1] == {} and found[1][0][':content-type'] == 'application/json'


def test_a_session_ends_after_three_hours_and_a_client_that_goes_is_forgotten(cloud, logs):
    with tail_bytes(cloud) as connection:
        read_until(connection, 'sessionStart')
        cloud.brume('clock', 'advance', '3h1s')
        _, found = read_until(connection, 'SessionTimeoutException')
        assert found[-1][0][':message-type'] == 'exception' and 'three hours' in found[-1][1]['message']
    # Fifteen at once, and their places are free again when their clients have gone.
    held = [tail_bytes(cloud) for _ in range(15)]
    for connection in held:
        read_until(connection, 'sessionStart')
    with pytest.raises(ClientError, match='LimitExceededException'):
        outside(cloud).start_live_tail(logGroupIdentifiers=[GROUP])
    for connection in held:
        connection.close()

    def free():
        with tail_bytes(cloud) as connection:
            return b'200 OK' in connection.socket.recv(15)
    wait_until(free, 30, 'a place for a session')


def outside(cloud):
    return cloud.client('logs', inject_host_prefix=False)


def test_wrong_requests_are_refused(cloud, logs):
    tail = outside(cloud).start_live_tail
    for code, words in (('InvalidParameterException', {'logGroupIdentifiers': ['/tail']}),
                        ('InvalidParameterException', {'logGroupIdentifiers': [GROUP + ':*']}),
                        ('InvalidParameterException', {'logStreamNames': ['web-1'], 'logStreamNamePrefixes': ['web']}),
                        ('ResourceNotFoundException', {'logGroupIdentifiers': [GROUP + '-none']}),
                        ('ResourceNotFoundException', {'logStreamNames': ['none']})):
        with pytest.raises(ClientError, match=code):
            tail(**{'logGroupIdentifiers': [GROUP], **words})


def test_other_event_streams_are_refused_by_name(cloud):
    s3 = cloud.client('s3')
    s3.create_bucket(Bucket='streams', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_object(Bucket='streams', Key='a.csv', Body=b'a,b')
    with pytest.raises(ClientError, match='Brume does not serve the operation s3:SelectObjectContent'):
        s3.select_object_content(Bucket='streams', Key='a.csv', Expression='SELECT 1', ExpressionType='SQL',
                                 InputSerialization={'CSV': {}}, OutputSerialization={'CSV': {}})
