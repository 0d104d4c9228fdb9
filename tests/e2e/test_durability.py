"""What was acknowledged is there after kill -9 of the daemon, again and again, while clients write."""
import http.client
import itertools
import signal
import socket
import subprocess
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from cloud import REGION
from stack import Image
from waiting import wait_until

ROUNDS = 4
PER_ROUND = 40


class Writer(threading.Thread):
    """Writes numbered things until it is told to stop, and keeps the numbers that were acknowledged."""

    def __init__(self, write, numbers):
        super().__init__()
        self.write, self.numbers = write, numbers
        self.acknowledged, self.stopping = [], threading.Event()

    def run(self):
        while not self.stopping.is_set():
            number = next(self.numbers)
            try:
                self.write(number)
            except (BotoCoreError, ClientError):
                if self.stopping.is_set():
                    return
                continue
            self.acknowledged.append(number)


@pytest.fixture(scope='module')
def prepared(cloud):
    s3, dynamodb = cloud.client('s3', s3={'addressing_style': 'path'}), cloud.client('dynamodb')
    s3.create_bucket(Bucket='durable', CreateBucketConfiguration={'LocationConstraint': REGION})
    dynamodb.create_table(TableName='durable', BillingMode='PAY_PER_REQUEST',
                          AttributeDefinitions=[{'AttributeName': 'n', 'AttributeType': 'N'}],
                          KeySchema=[{'AttributeName': 'n', 'KeyType': 'HASH'}])
    dynamodb.get_waiter('table_exists').wait(TableName='durable', WaiterConfig={'Delay': 1})
    return cloud


def test_nothing_acknowledged_is_lost(prepared):
    cloud, numbers = prepared, itertools.count()
    objects, items, groups = [], [], []
    for _ in range(ROUNDS):
        # New clients each time: the port is the same, the connections are not.
        s3, dynamodb = cloud.client('s3', s3={'addressing_style': 'path'}), cloud.client('dynamodb')
        ec2 = cloud.client('ec2')
        vpc = ec2.describe_vpcs(Filters=[{'Name': 'is-default', 'Values': ['true']}])['Vpcs'][0]['VpcId']
        writers = {
            'objects': Writer(lambda n, s3=s3: s3.put_object(Bucket='durable', Key=f'{n}', Body=b'%d' % n * 500), numbers),
            'items': Writer(lambda n, db=dynamodb: db.put_item(TableName='durable', Item={
                'n': {'N': str(n)}, 'text': {'S': 'x' * 300}}), numbers),
            'groups': Writer(lambda n, ec2=ec2, vpc=vpc: ec2.create_security_group(
                GroupName=f'g{n}', Description='durable', VpcId=vpc), numbers),
        }
        for writer in writers.values():
            writer.start()
        wait_until(lambda: all(len(writer.acknowledged) >= PER_ROUND for writer in writers.values()), 60, 'writes')
        cloud.kill()
        for writer in writers.values():
            writer.stopping.set()
            writer.join()
        objects += writers['objects'].acknowledged
        items += writers['items'].acknowledged
        groups += writers['groups'].acknowledged
        cloud.up()

    s3, dynamodb, ec2 = cloud.client('s3', s3={'addressing_style': 'path'}), cloud.client('dynamodb'), cloud.client('ec2')
    for number in objects:
        assert s3.get_object(Bucket='durable', Key=f'{number}')['Body'].read() == b'%d' % number * 500
    pages = dynamodb.get_paginator('scan').paginate(TableName='durable', ConsistentRead=True)
    found = {int(item['n']['N']) for page in pages for item in page['Items']}
    assert set(items) <= found
    pages = ec2.get_paginator('describe_security_groups').paginate()
    names = {group['GroupName'] for page in pages for group in page['SecurityGroups']}
    assert {f'g{number}' for number in groups} <= names
    assert len(objects) + len(items) + len(groups) >= 3 * ROUNDS * PER_ROUND


def test_half_written_object_is_not_there(prepared):
    """A body that was cut off by the daemon's death is no object, and its key can be written anew."""
    cloud = prepared
    s3 = cloud.client('s3', s3={'addressing_style': 'path'})
    url = s3.generate_presigned_url('put_object', {'Bucket': 'durable', 'Key': 'half'})
    connection = http.client.HTTPConnection('127.0.0.1', cloud.port, timeout=10)
    connection.putrequest('PUT', '/' + url.split('/', 3)[3], skip_accept_encoding=True)
    connection.putheader('Content-Length', '1000000')
    connection.endheaders()
    connection.send(b'x' * 500_000)
    cloud.kill()
    connection.close()
    cloud.up()
    s3 = cloud.client('s3', s3={'addressing_style': 'path'})
    with pytest.raises(ClientError, match='NoSuchKey'):
        s3.get_object(Bucket='durable', Key='half')
    s3.put_object(Bucket='durable', Key='half', Body=b'whole')
    assert s3.get_object(Bucket='durable', Key='half')['Body'].read() == b'whole'


def test_second_daemon_on_the_same_state_is_refused(prepared):
    again = prepared.brume('up', '--detach', '--offline', '--port', '0', check=False)
    assert again.returncode == 0 and 'up already' in again.stdout
    assert prepared.status()['pid'] == prepared.pid


class Asking(threading.Thread):
    """A request that may take its time."""

    def __init__(self, ask):
        super().__init__()
        self.ask, self.answer = ask, None
        self.start()

    def run(self):
        self.answer = self.ask()


def knock(cloud):
    """A request that is none, and its answer: the front door is awake, and had a moment to answer others."""
    with socket.create_connection(('127.0.0.1', cloud.port), timeout=10) as connection:
        connection.sendall(b'no request\r\n\r\n')
        return connection.recv(1000).split()[1]


@pytest.mark.parametrize('durable', [True, False])
def test_durable_answers_wait_until_the_disk_has_what_they_tell(fresh_cloud, durable):
    """With the commit thread held before its sync, neither who wrote nor who read it is answered; without --durable,
    which is the control of this test, both are."""
    cloud = fresh_cloud(*(['--durable'] if durable else []))
    hold, reached = cloud.work / 'hold', cloud.work / 'hold.reached'
    cloud.up(env={'BRUME_FAULT': f'hold store.sync {hold}'})
    writer, reader = cloud.client('dynamodb'), cloud.client('dynamodb')
    writer.create_table(TableName='durable', BillingMode='PAY_PER_REQUEST',
                        AttributeDefinitions=[{'AttributeName': 'n', 'AttributeType': 'N'}],
                        KeySchema=[{'AttributeName': 'n', 'KeyType': 'HASH'}])
    writer.get_waiter('table_exists').wait(TableName='durable', WaiterConfig={'Delay': 1})
    reader.get_item(TableName='durable', Key={'n': {'N': '1'}})
    hold.touch()
    asked = [Asking(lambda: writer.put_item(TableName='durable', Item={'n': {'N': '1'}, 'text': {'S': 'x'}}))]
    try:
        if durable:
            wait_until(reached.exists, 10, 'the commit thread before its sync')
        else:
            asked[0].join(20)
        asked.append(Asking(lambda: reader.get_item(TableName='durable', Key={'n': {'N': '1'}}, ConsistentRead=True)))
        if not durable:
            asked[1].join(20)
        for _ in range(100):
            assert knock(cloud) == b'400'
        assert [each.answer is None for each in asked] == [durable, durable]
    finally:
        hold.unlink()
        for each in asked:
            each.join(20)
    assert asked[1].answer['Item']['text'] == {'S': 'x'}
    assert reached.exists() == durable


@pytest.mark.parametrize('durable', [True, False])
def test_durable_image_is_on_the_disk_before_its_push_is_answered(fresh_cloud, durable):
    """Blobs, and the directory that names them; without --durable, which is the control, neither is synced."""
    cloud = fresh_cloud(*(['--durable'] if durable else []))
    cloud.up()
    ecr, image, log = cloud.client('ecr'), Image(files=10), cloud.work / 'strace'
    ecr.create_repository(repositoryName='durable')
    token = ecr.get_authorization_token()['authorizationData'][0]['authorizationToken']
    watching = subprocess.Popen(['strace', '-f', '-y', '-e', 'trace=fsync,syncfs', '-o', log, '-p', str(cloud.pid)],
                                stderr=subprocess.PIPE, text=True)
    try:
        assert 'attached' in watching.stderr.readline()
        image.push(cloud.port, token, 'durable', 'latest')
        synced = log.read_text()
    finally:
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=20)
    assert ('/spool/' in synced, '/images/blobs/sha256>' in synced) == (durable, durable), synced
