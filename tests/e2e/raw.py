"""Requests byte by byte, for what no client library sends, and what the daemon holds meanwhile."""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import resource
import socket

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloud import REGION


class Answer:
    def __init__(self, head, body):
        self.status = int(head[9:12]) if head[:5] == b'HTTP/' else 0  # 0: the connection ended without an answer
        self.head, self.body = head.decode('latin-1'), body

    def code(self):
        """The error's code, in whichever protocol's form."""
        text = self.body.decode('utf-8', 'replace')
        found = re.search(r'<Code>([^<]*)</Code>', text)
        if found:
            return found[1]
        with contextlib.suppress(ValueError, AttributeError):
            value = json.loads(text)
            return (value.get('__type') or value.get('code') or value['errors'][0]['code']).split('#')[-1]
        return None

    def __repr__(self):
        return f'{self.head.splitlines()[:1]} {self.body[:300]!r}'


class Connection:
    def __init__(self, port, timeout=30):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=timeout)
        self.held = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            data = b''
        self.held += data
        return bool(data)

    def answer(self, method='GET'):
        while b'\r\n\r\n' not in self.held:
            if not self.more():
                break
        head, _, self.held = self.held.partition(b'\r\n\r\n')
        length = re.search(rb'content-length: *(\d+)', head, re.IGNORECASE)
        size = int(length[1]) if length and method != 'HEAD' else 0
        while len(self.held) < size and self.more():
            pass
        body, self.held = self.held[:size], self.held[size:]
        return Answer(head, body)

    def ended(self):
        """Reads to the end; the bytes that came."""
        while self.more():
            pass
        return self.held


def ask(port, data, method='GET', timeout=30):
    """One request's bytes; the answer."""
    with Connection(port, timeout) as connection:
        with contextlib.suppress(ConnectionError):  # a server may answer and close before it has read everything
            connection.send(data)
        return connection.answer(method)


def signed(service, method='POST', path='/', body=b'', headers=(), key='test', secret='test', token=None, region=REGION,
           host=None, port=0, change=None, length=None):
    """A signed request's bytes. `change` gets the headers, a dict, after they were signed; `length` is declared instead
    of the body's own."""
    host = host or f'127.0.0.1:{port}'
    request = AWSRequest(method, f'http://{host}{path}', data=body, headers=dict(headers, Host=host))
    if service == 's3':
        request.headers['x-amz-content-sha256'] = hashlib.sha256(body).hexdigest()
    (S3SigV4Auth if service == 's3' else SigV4Auth)(Credentials(key, secret, token), service, region).add_auth(request)
    sent = dict(request.headers.items())
    if change:
        change(sent)
    sent['Content-Length'] = str(len(body) if length is None else length)
    lines = [f'{method} {path} HTTP/1.1', *(f'{name}: {value}' for name, value in sent.items()), '', '']
    return '\r\n'.join(lines).encode('latin-1') + body


def query(action, version, **parameters):
    return '&'.join(f'{name}={value}' for name, value in {'Action': action, 'Version': version, **parameters}.items()
                    ).encode()


FORM = {'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8'}


def identity(port, **options):
    """GetCallerIdentity's bytes: what is asked to see that others are still served."""
    return signed('sts', body=query('GetCallerIdentity', '2011-06-15'), headers=FORM, port=port, **options)


def json_headers(target, version='1.1'):
    return {'Content-Type': f'application/x-amz-json-{version}', 'X-Amz-Target': target}


# What the daemon holds.

def memory_kib(pid):
    """Anonymous memory: what is the process's own and not the page cache's."""
    return int(re.search(r'RssAnon:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text())[1])


def descriptors(pid):
    """Of each open descriptor what it is; sockets and pipes without their numbers."""
    kinds = []
    for entry in os.listdir(f'/proc/{pid}/fd'):
        with contextlib.suppress(FileNotFoundError):
            kinds.append(re.sub(r'\[\d+\]', '', os.readlink(f'/proc/{pid}/fd/{entry}')))
    return sorted(kinds)


def files_below(directory):
    return sorted(str(path.relative_to(directory)) for path in pathlib.Path(directory).rglob('*')
                  if path.is_file() and '/store/' not in str(path))


@contextlib.contextmanager
def many_descriptors(count):
    """This process may open that many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), max(hard, count)))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
