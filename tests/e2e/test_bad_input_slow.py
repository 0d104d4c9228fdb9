"""Slow and silent clients: ten thousand of them cost bounded memory, and whoever asks meanwhile is answered."""
import contextlib
import pathlib
import socket
import ssl
import time

import pytest

from raw import Connection, ask, descriptors, identity, json_headers, many_descriptors, memory_kib, signed
from waiting import wait_until

CLIENTS = 10_000
HEAD = b'POST / HTTP/1.1\r\nHost: sts.eu-west-1.amazonaws.com\r\n'

# How each slow client begins and what it sends from time to time.
SLOW = {
    'idle': (b'', b''),
    'head': (HEAD + b'X-Slow: ', b'a'),
    'body': (HEAD + b'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000000\r\n\r\n', b'a'),
    'chunks': (HEAD + b'Content-Type: application/x-amz-json-1.1\r\nTransfer-Encoding: chunked\r\n\r\n', b'1\r\na\r\n'),
    'large-heads': (HEAD + b'X-Large: ' + b'a' * 14_000, b'a'),
}
# KiB of anonymous memory that one of them may cost.
LIMIT_KIB = {'idle': 8, 'head': 10, 'body': 24, 'chunks': 24, 'large-heads': 40}


def is_served(cloud):
    with Connection(cloud.port, 10) as connection:
        for _ in range(3):
            connection.send(identity(cloud.port))
            answer = connection.answer()
            assert answer.status == 200, answer
    return True


def settle(cloud):
    """The number of descriptors when nobody is connected."""
    counts = []

    def steady():
        counts.append(len(descriptors(cloud.pid)))
        return counts[-5:] == counts[-1:] * 5
    wait_until(steady, 30, 'a steady number of descriptors')
    return counts[-1]


@contextlib.contextmanager
def clients(cloud, count, first, secure=None):
    made = []
    try:
        for _ in range(count):
            client = socket.create_connection(('127.0.0.1', cloud.port), timeout=10)
            client = secure.wrap_socket(client, server_hostname='sts.eu-west-1.amazonaws.com') if secure else client
            made.append(client)
            if first:
                client.sendall(first)
        yield made
    finally:
        for client in made:
            client.close()


@contextlib.contextmanager
def small_socket_buffers():
    """The kernel takes 64 KiB of what a connection sends, not four megabytes: the rest stays with the program."""
    files = [pathlib.Path(f'/proc/sys/net/ipv4/tcp_{way}mem') for way in 'rw']
    before = [file.read_text() for file in files]
    try:
        for file in files:
            file.write_text('4096 16384 65536')
        yield
    finally:
        for file, text in zip(files, before):
            file.write_text(text)


@pytest.fixture(scope='module')
def memory(cloud):
    """KiB at the beginning: what an earlier test freed is still the process's."""
    assert is_served(cloud)
    return memory_kib(cloud.pid)


def grow(cloud, memory, count, first, more, secure=None):
    """The KiB that so many clients cost while they send a little from time to time; others are answered meanwhile."""
    files = settle(cloud)
    with many_descriptors(CLIENTS + 2_000), clients(cloud, count, first, secure) as made:
        wait_until(lambda: len(descriptors(cloud.pid)) >= files + count, 60, 'the acceptance of all')
        for _ in range(5):
            for client in made if more else ():
                with contextlib.suppress(ConnectionError):  # the longest waiting give way when memory is short
                    client.sendall(more)
            assert is_served(cloud)
        grown = memory_kib(cloud.pid) - memory
    wait_until(lambda: len(descriptors(cloud.pid)) <= files, 20, 'the end of their descriptors')
    assert is_served(cloud)
    return grown


def test_silent_clients_of_tls(cloud, memory):
    context = ssl.create_default_context(cafile=f'{cloud.state}/ca/ca.pem')
    grown = grow(cloud, memory, 1_000, b'', b'', context)
    print(f'TLS: {grown / 1_000:.1f} KiB each')
    assert grown < 60 * 1_000


@pytest.mark.parametrize('kind', SLOW)
def test_ten_thousand_slow_clients(cloud, memory, kind):
    grown = grow(cloud, memory, CLIENTS, *SLOW[kind])
    print(f'{kind}: {grown / CLIENTS:.1f} KiB each')
    assert grown < LIMIT_KIB[kind] * CLIENTS


def test_more_clients_than_there_is_room_for(cloud):
    """The longest waiting give way; those who ask are served, and nobody's descriptors stay."""
    files = settle(cloud)
    with many_descriptors(16_000), clients(cloud, 13_500, b'') as made:
        assert is_served(cloud)
        made[0].settimeout(20)
        assert made[0].recv(1) == b''
        assert is_served(cloud)
    wait_until(lambda: len(descriptors(cloud.pid)) <= files, 20, 'the end of their descriptors')


def test_readers_that_take_nothing(cloud):
    """Answers that nobody reads are held in memory up to a bound, and it goes back with them."""
    logs = cloud.client('logs')
    logs.create_log_group(logGroupName='long')
    logs.create_log_stream(logGroupName='long', logStreamName='a')
    moment = int(time.time() * 1000)
    for _ in range(4):
        logs.put_log_events(logGroupName='long', logStreamName='a', logEvents=[
            {'timestamp': moment, 'message': 'x' * 60_000} for _ in range(16)])
    body = b'{"logGroupName":"long","logStreamName":"a","startFromHead":true}'
    request = signed('logs', body=body, headers=json_headers('Logs_20140328.GetLogEvents'), port=cloud.port)
    assert len(ask(cloud.port, request).body) > 900_000
    before = memory_kib(cloud.pid)
    with small_socket_buffers(), many_descriptors(4_000), clients(cloud, 1_000, request):
        for _ in range(20):
            assert is_served(cloud)
            assert memory_kib(cloud.pid) - before < 320_000
    settle(cloud)
    wait_until(lambda: memory_kib(cloud.pid) - before < 60_000, 10, 'the memory of the answers to go back')


def test_client_that_goes_away_is_noticed(cloud):
    """Its descriptor is given back though its request never ended."""
    files = settle(cloud)
    with clients(cloud, 50, SLOW['body'][0]):
        wait_until(lambda: len(descriptors(cloud.pid)) >= files + 50, 20, 'the acceptance of all')
    wait_until(lambda: len(descriptors(cloud.pid)) <= files, 10, 'the end of their descriptors')
