"""Clients that make others wait for them: of a load balancer by the host's port, and of an operation that waits for
somebody else. Each costs a bounded share, others are answered, and nothing of them stays when they go away."""
import contextlib
import subprocess
import sys
import urllib.parse

import pytest

from conftest import served
from raw import ask, descriptors, identity, memory_kib
from stack import Stack
from test_bad_input_slow import clients, settle
from test_identity_federation import ADDRESS, ISSUER, Issuer
from waiting import wait_until

SILENT = '''
import socket, subprocess, sys
subprocess.run(['ip', 'address', 'add', sys.argv[1] + '/32', 'dev', 'lo'], check=True)
try:
    server = socket.create_server((sys.argv[1], 443), backlog=512)
    print('ready', flush=True)
    sys.stdin.read()
finally:
    subprocess.run(['ip', 'address', 'del', sys.argv[1] + '/32', 'dev', 'lo'], check=False)
'''


@pytest.fixture(scope='module')
def cloud(request):
    with served(request.path.stem, '--offline', '--name', f'{ISSUER}={ADDRESS}') as cloud:
        yield cloud


@pytest.fixture(scope='module')
def stack(cloud):
    stack = Stack(cloud)
    stack.apply('1')
    return stack


def balancer_request(stack, body):
    return f'POST /whoami HTTP/1.1\r\nHost: {stack.host}\r\nContent-Length: {body}\r\n\r\n'.encode()


def is_served(stack):
    assert stack.get('/rule')[1] == 'rule 1'
    assert ask(stack.cloud.port, identity(stack.cloud.port)).status == 200
    return True


@pytest.mark.parametrize('first, more', [('head', b'a'), ('body', b'x' * 100)])
def test_slow_clients_of_a_load_balancer(stack, first, more):
    """Those that have sent their head hold a connection on either side of the daemon; bodies are passed on and not kept."""
    request = balancer_request(stack, 10**6)
    begun, each = (request, 2) if first == 'body' else (request[:-4] + b'\r\nX-Slow: ', 1)
    cloud = stack.cloud
    files, memory = settle(cloud), memory_kib(cloud.pid)
    with clients(cloud, 300, begun) as made:
        wait_until(lambda: len(descriptors(cloud.pid)) >= files + 300 * each, 30, 'all connections')
        for _ in range(5):
            for client in made:
                with contextlib.suppress(ConnectionError):
                    client.sendall(more)
            assert is_served(stack)
        assert memory_kib(cloud.pid) - memory < 300 * 64
    wait_until(lambda: len(descriptors(cloud.pid)) <= files, 20, 'the end of their descriptors, on both sides')
    assert is_served(stack)


def test_client_of_a_load_balancer_that_takes_nothing(stack):
    """Ten thousand answers asked for on a connection and none read: the load balancer waits, the daemon holds little."""
    cloud, one = stack.cloud, f'GET / HTTP/1.1\r\nHost: {stack.host}\r\n\r\n'.encode()
    files, memory = settle(cloud), memory_kib(cloud.pid)
    with clients(cloud, 50, one) as made:
        for client in made:
            client.settimeout(0.2)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(100):
                    client.sendall(one * 100)
        assert is_served(stack)
        assert memory_kib(cloud.pid) - memory < 50 * 400
    wait_until(lambda: len(descriptors(cloud.pid)) <= files, 20, 'the end of their descriptors')
    assert is_served(stack)


def form(role, token):
    body = urllib.parse.urlencode({'Action': 'AssumeRoleWithWebIdentity', 'Version': '2011-06-15', 'RoleArn': role,
                                   'RoleSessionName': 'waits', 'WebIdentityToken': token}).encode()
    return (b'POST / HTTP/1.1\r\nHost: sts.eu-west-1.amazonaws.com\r\nContent-Type: application/x-www-form-urlencoded\r\n'
            b'Content-Length: %d\r\n\r\n' % len(body)) + body


def test_clients_that_leave_while_their_request_waits(cloud, tmp_path):
    """The identity provider accepts and says nothing: who stays is told when its time is over, and then nothing is left of
    those who have gone."""
    issuer = Issuer(tmp_path)
    iam = cloud.client('iam')
    provider = iam.create_open_id_connect_provider(
        Url=f'https://{ISSUER}', ClientIDList=['sts.amazonaws.com'],
        ThumbprintList=[issuer.thumbprint])['OpenIDConnectProviderArn']
    role = iam.create_role(RoleName='waits', AssumeRolePolicyDocument=(
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", '
        f'"Principal": {{"Federated": "{provider}"}}, '
        f'"Condition": {{"StringEquals": {{"{ISSUER}:aud": "sts.amazonaws.com", "{ISSUER}:sub": "x"}}}}}}]}}'))['Role']['Arn']
    request = form(role, issuer.token(sub='x'))
    files = settle(cloud)
    memory = memory_kib(cloud.pid)
    server = cloud.start(sys.executable, '-c', SILENT, ADDRESS, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline().strip() == 'ready'
        with clients(cloud, 300, request) as made:
            wait_until(lambda: len(descriptors(cloud.pid)) >= files + 300, 20, 'the acceptance of all')
            stays, *leave = made
            for client in leave:
                client.settimeout(0)
                with pytest.raises(BlockingIOError):  # the control: they wait
                    client.recv(1)
                client.close()
            assert ask(cloud.port, identity(cloud.port)).status == 200
            stays.settimeout(30)
            answer = stays.recv(65536)
            assert answer.startswith(b'HTTP/1.1 400') and b'IDPCommunicationError' in answer, answer
    finally:
        server.communicate(timeout=20)
    wait_until(lambda: len(descriptors(cloud.pid)) <= files, 20, 'the end of all descriptors')
    assert memory_kib(cloud.pid) - memory < 10_000
