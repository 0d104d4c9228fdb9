"""Tasks that abuse what the daemon serves inside their VPC: names, metadata, credentials; others are served meanwhile."""
import subprocess
import sys

import pytest

import probes
from probes import load_intruder
from raw import ask, descriptors, identity, memory_kib
from three_tiers import namespaces
from waiting import wait_until

# Run inside a task's namespace by the test itself: what any program in the task could do.
FLOOD = '''
import socket, sys, time
kind, count = sys.argv[1], int(sys.argv[2])
made = []
for _ in range(count):
    client = socket.socket()
    client.settimeout(5)
    try:
        client.connect(('169.254.170.2', 80))
        if kind == 'heads':
            client.sendall(b'GET /v4/x HTTP/1.1\\r\\nX-A: ')
        made.append(client)
    except OSError:
        client.close()
print(len(made), flush=True)
sys.stdin.read()
'''
GARBAGE = '''
import os, socket, sys
resolver = sys.argv[1]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
name = b'\\x03sts\\x09eu-west-1\\x09amazonaws\\x03com\\x00'
question = b'\\x00\\x01\\x00\\x01'
def packet(flags=b'\\x01\\x00', counts=b'\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00', body=name + question):
    return b'\\x12\\x34' + flags + counts + body
bad = [b'', b'\\x00', os.urandom(11), os.urandom(12), os.urandom(512), os.urandom(4096), b'\\xff' * 65000 ,
       packet(counts=b'\\xff\\xff' * 4), packet(body=b'\\xc0\\x0c' + question), packet(body=b'\\xc0\\x0e\\xc0\\x0c' + question),
       packet(body=b'\\x3f' + b'a' * 20), packet(body=b'\\x01a' * 200 + b'\\x00' + question), packet(body=b'\\x7fabc\\x00' + question),
       packet(flags=b'\\x81\\x80'), packet(flags=b'\\x79\\x00'), packet(body=name), packet(counts=b'\\x00' * 8, body=b''),
       packet(counts=b'\\x00\\x02\\x00\\x00\\x00\\x00\\x00\\x00', body=(name + question) * 2), packet(body=name + b'\\x00\\xff\\x00\\xff'),
       packet(body=name + b'\\x00\\xfc\\x00\\x01')]
for _ in range(200):
    for each in bad:
        try:
            udp.sendto(each, (resolver, 53))
        except OSError:
            pass
    try:
        while True:
            udp.recv(4096, socket.MSG_DONTWAIT)
    except OSError:
        pass
streams = []
for each in bad + [b'\\xff\\xff' + b'a' * 100, b'\\x00\\x00', b'\\x00']:
    for _ in range(20):
        stream = socket.socket()
        stream.settimeout(5)
        try:
            stream.connect((resolver, 53))
            stream.sendall(len(each).to_bytes(2, 'big')[-2:] + each if len(each) < 65536 and len(each) > 2 else each)
            streams.append(stream)
        except OSError:
            stream.close()
fresh = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fresh.settimeout(5)
fresh.sendto(packet(), (resolver, 53))
answer = fresh.recv(4096)
print(answer[:2].hex(), answer[3] & 15, int.from_bytes(answer[6:8], 'big'))
'''


@pytest.fixture(scope='module')
def place(cloud):
    """A running task's network namespace."""
    image = load_intruder(cloud)
    ecs, ec2 = cloud.client('ecs'), cloud.client('ec2')
    ecs.create_cluster(clusterName='default')
    subnet = ec2.describe_subnets()['Subnets'][0]['SubnetId']
    ecs.register_task_definition(
        family='abuser', requiresCompatibilities=['FARGATE'], networkMode='awsvpc', cpu='256', memory='512',
        containerDefinitions=[{'name': 'main', 'image': image, 'command': ['serve', '7000']}])
    task = ecs.run_task(taskDefinition='abuser', launchType='FARGATE', networkConfiguration={
        'awsvpcConfiguration': {'subnets': [subnet], 'assignPublicIp': 'ENABLED'}})['tasks'][0]['taskArn']
    wait_until(lambda: ecs.describe_tasks(tasks=[task])['tasks'][0]['lastStatus'] == 'RUNNING', 60, 'a running task')
    return next(path for path in namespaces(cloud).values() if task.rsplit('/', 1)[-1] in str(path))


def inside(place, script, *words, **options):
    return subprocess.Popen(['nsenter', f'--net={place}', sys.executable, '-c', script, *map(str, words)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)


ONE = '''
import http.client
connection = http.client.HTTPConnection('169.254.170.2', timeout=10)
connection.request('GET', '/v4/none')
print(connection.getresponse().status)
'''


def one(place):
    """The status of one request to the metadata's address from the same task."""
    process = inside(place, ONE)
    return int(process.communicate(timeout=30)[0])


@pytest.mark.parametrize('kind', ['silent', 'heads'])
def test_endless_connections_to_the_metadata(cloud, place, kind):
    assert one(place) == 404
    files, memory = len(descriptors(cloud.pid)), memory_kib(cloud.pid)
    process = inside(place, FLOOD, kind, 2_000)
    try:
        assert int(process.stdout.readline()) > 500
        assert one(place) == 404
        assert ask(cloud.port, identity(cloud.port)).status == 200
        wait_until(lambda: len(descriptors(cloud.pid)) - files < 600, 20, 'no more connections than are allowed')
        assert memory_kib(cloud.pid) - memory < 30_000
    finally:
        process.communicate('')
    wait_until(lambda: len(descriptors(cloud.pid)) <= files + 2, 20, 'the end of the descriptors')
    assert one(place) == 404


def test_garbage_for_the_resolver(cloud, place):
    files, memory = len(descriptors(cloud.pid)), memory_kib(cloud.pid)
    process = inside(place, GARBAGE, '169.254.169.253')
    output = process.communicate(timeout=120)[0]
    assert output.split() == ['1234', '0', '1'], output
    assert ask(cloud.port, identity(cloud.port)).status == 200
    assert memory_kib(cloud.pid) - memory < 30_000
    wait_until(lambda: len(descriptors(cloud.pid)) <= files + 2, 30, 'the end of the descriptors')


def test_fork_bomb_is_stopped_at_its_task(cloud, place):
    """A task has its share of processes, and the daemon and other programs the rest."""
    made, error = probes.ask(place, 'processes', 6_000).split()
    assert error == 'EAGAIN' and 3_900 < int(made) < 4_096, (made, error)
    assert one(place) == 404 and ask(cloud.port, identity(cloud.port)).status == 200
    # The control: fewer are started, and the task goes on.
    assert probes.ask(place, 'processes', 3_000).split() == ['3000', 'none']
