"""Uploads that end in the middle, lie about their size or may not be: bounded memory, and no file is left."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import time

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloud import REGION
from hello import REGISTRY
from raw import Connection, ask, descriptors, files_below, identity, memory_kib, signed
from waiting import wait_until

GIB = 1 << 30
MIB = 1 << 20


@pytest.fixture(scope='module')
def bucket(cloud):
    s3 = cloud.client('s3', s3={'addressing_style': 'path'})
    s3.create_bucket(Bucket='uploads', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_object(Bucket='uploads', Key='first', Body=os.urandom(9 * MIB))
    return s3


@pytest.fixture(scope='module')
def token(cloud):
    ecr = cloud.client('ecr')
    ecr.create_repository(repositoryName='app')
    return ecr.get_authorization_token()['authorizationData'][0]['authorizationToken']


def registry(method, path, token, headers=(), body=b'', length=None):
    head = {'Host': REGISTRY, **({'Authorization': f'Basic {token}'} if token else {}), **dict(headers),
            'Content-Length': len(body) if length is None else length}
    return '\r\n'.join([f'{method} {path} HTTP/1.1', *(f'{name}: {value}' for name, value in head.items()), '', '']
                       ).encode() + body


def start_layer(cloud, token):
    answer = ask(cloud.port, registry('POST', '/v2/app/blobs/uploads/', token))
    assert answer.status == 202, answer
    return next(line.split(': ', 1)[1] for line in answer.head.splitlines() if line.lower().startswith('location'))


def send(connection, size, piece=os.urandom(MIB)):
    for _ in range(size // len(piece)):
        connection.send(piece)


def spooled(cloud):
    """Bytes of bodies on their way."""
    return sum(path.stat().st_size for path in pathlib.Path(cloud.state).rglob('body-*') if path.is_file())


def cut(cloud, head, size=64 * MIB, declared=5 * GIB):
    """Sends a part of what was announced and goes away: how the memory grew meanwhile, in KiB."""
    files, open_ones = files_below(cloud.state), len(descriptors(cloud.pid))
    before = memory_kib(cloud.pid)
    with Connection(cloud.port) as connection:
        connection.send(head)
        largest = 0
        for _ in range(size // (8 * MIB)):
            send(connection, 8 * MIB)
            largest = max(largest, memory_kib(cloud.pid) - before)
        wait_until(lambda: spooled(cloud) >= size // 2, 20, 'the arrival of the bytes')
        largest = max(largest, memory_kib(cloud.pid) - before)
        assert ask(cloud.port, identity(cloud.port)).status == 200
    wait_until(lambda: files_below(cloud.state) == files, 10, 'the end of the spool file')
    wait_until(lambda: len(descriptors(cloud.pid)) <= open_ones, 10, 'the end of the descriptors')
    return largest


def test_object_of_five_gib_that_is_cut(cloud, bucket):
    grown = cut(cloud, signed_unsigned(cloud, '/uploads/cut', 5 * GIB))
    print(f'S3: {grown} KiB')
    assert grown <= 8 * 1024
    assert [each['Key'] for each in bucket.list_objects_v2(Bucket='uploads')['Contents']] == ['first']


def signed_unsigned(cloud, path, length, **options):
    """The head of a PUT whose body is not signed."""
    host = f'127.0.0.1:{cloud.port}'
    request = AWSRequest('PUT', f'http://{host}{path}', headers={'Host': host, **options.get('headers', {})})
    auth = S3SigV4Auth(Credentials('test', options.get('secret', 'test')), 's3', REGION)
    auth.payload = lambda _: 'UNSIGNED-PAYLOAD'
    auth.add_auth(request)
    sent = dict(request.headers.items())
    sent['Content-Length'] = str(length)
    return '\r\n'.join([f'PUT {path} HTTP/1.1', *(f'{name}: {value}' for name, value in sent.items()), '', '']).encode()


def test_part_that_is_cut(cloud, bucket):
    upload = bucket.create_multipart_upload(Bucket='uploads', Key='parts')['UploadId']
    grown = cut(cloud, signed_unsigned(cloud, f'/uploads/parts?partNumber=1&uploadId={upload}', 5 * GIB))
    assert grown <= 8 * 1024
    assert 'Parts' not in bucket.list_parts(Bucket='uploads', Key='parts', UploadId=upload)
    bucket.abort_multipart_upload(Bucket='uploads', Key='parts', UploadId=upload)


def test_layer_that_is_cut(cloud, token):
    place = start_layer(cloud, token)
    grown = cut(cloud, registry('PATCH', place, token, length=5 * GIB))
    print(f'ECR: {grown} KiB')
    assert grown <= 8 * 1024
    answer = ask(cloud.port, registry('GET', place, token))
    assert answer.status == 204 and 'Range: 0-0' in answer.head
    assert ask(cloud.port, registry('DELETE', place, token)).status == 204


def test_layer_in_many_pieces_that_is_never_ended(cloud, token):
    """What a client sent before it went away is removed when it says so."""
    files = files_below(cloud.state)
    place = start_layer(cloud, token)
    for _ in range(4):
        answer = ask(cloud.port, registry('PATCH', place, token, body=os.urandom(MIB)))
        assert answer.status == 202, answer
    assert len(files_below(cloud.state)) == len(files) + 4
    assert ask(cloud.port, registry('PATCH', place, token, {'Content-Range': '1-3'}, b'abc')).status == 416
    assert ask(cloud.port, registry('DELETE', place, token)).status == 204
    assert files_below(cloud.state) == files


def test_layers_of_a_wrong_digest_or_to_nowhere(cloud, token):
    files = files_below(cloud.state)
    layer = os.urandom(MIB)
    for digest, code in (('sha256:' + '0' * 64, 'DIGEST_INVALID'), ('md5:' + '0' * 32, 'DIGEST_INVALID'),
                         ('sha256:../../../../etc/passwd', 'DIGEST_INVALID'), ('', 'DIGEST_INVALID')):
        place = start_layer(cloud, token)
        answer = ask(cloud.port, registry('PUT', f'{place}?digest={digest}', token, body=layer))
        assert (answer.status, answer.code()) == (400, code), answer
    for place, status in (('/v2/app/blobs/uploads/made-up', 404), ('/v2/none/blobs/uploads/', 404),
                          ('/v2/../../etc/blobs/uploads/', 404)):
        method = 'POST' if place.endswith('/') else 'PATCH'
        assert ask(cloud.port, registry(method, place, token, body=layer)).status == status
    wait_until(lambda: files_below(cloud.state) == files, 10, 'the end of the files')


def refused_at_once(cloud, head):
    """The answer to a request whose body is never sent."""
    with Connection(cloud.port, 10) as connection:
        connection.send(head)
        return connection.answer()


def test_strangers_do_not_fill_the_disk(cloud, bucket, token):
    """Who may not is told so before anything was received."""
    place = start_layer(cloud, token)
    for stranger in (None, base64.b64encode(b'AWS:made-up').decode(), token[:-8]):
        answer = refused_at_once(cloud, registry('PATCH', place, stranger, length=5 * GIB))
        assert (answer.status, answer.code()) == (401, 'UNAUTHORIZED'), answer
    answer = refused_at_once(cloud, registry('PATCH', '/v2/app/blobs/uploads/made-up', token, length=5 * GIB))
    assert answer.status == 404, answer
    answer = refused_at_once(cloud, registry('PATCH', place, token, length=11 * GIB))
    assert answer.status == 413, answer
    answer = refused_at_once(cloud, registry('PUT', '/v2/app/manifests/1', token, length=5 * MIB))
    assert answer.status == 413, answer
    answer = refused_at_once(cloud, signed_unsigned(cloud, '/uploads/x', 5 * GIB, secret='wrong'))
    assert (answer.status, answer.code()) == (403, 'SignatureDoesNotMatch'), answer
    assert ask(cloud.port, registry('DELETE', place, token)).status == 204


def test_chunks_that_are_not_what_was_signed(cloud, bucket):
    files = files_below(cloud.state)
    wrong = {'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'x-amz-decoded-content-length': str(MIB)}

    def change(headers):
        headers.update(wrong)
    answer = ask(cloud.port, signed('s3', 'PUT', '/uploads/chunks', b'0;chunk-signature=0\r\n\r\n', port=cloud.port,
                                    change=change))
    assert answer.status in (400, 403) and answer.code(), answer
    assert files_below(cloud.state) == files


def manifest(layers, config='sha256:' + '1' * 64, **more):
    return json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.docker.distribution.manifest.v2+json',
                       'config': {'mediaType': 'application/vnd.docker.container.image.v1+json', 'size': 2,
                                  'digest': config}, 'layers': layers, **more}).encode()


def put_manifest(cloud, token, body, reference='bad'):
    return ask(cloud.port, registry('PUT', f'/v2/app/manifests/{reference}', token, {
        'Content-Type': 'application/vnd.docker.distribution.manifest.v2+json'}, body))


def test_manifests(cloud, token):
    """Of layers that are not there, by the hundred thousand, nested, not JSON, over the limit."""
    layer = {'mediaType': 'application/vnd.docker.image.rootfs.diff.tar.gzip', 'size': 1, 'digest': 'sha256:' + '2' * 64}
    refused = {
        'unknown layer': (manifest([layer]), 'MANIFEST_BLOB_UNKNOWN'),
        'a digest that is a path': (manifest([{**layer, 'digest': 'sha256:../../../etc/passwd'}]), 'MANIFEST_INVALID'),
        'another algorithm': (manifest([{**layer, 'digest': 'md5:' + '2' * 32}]), 'MANIFEST_INVALID'),
        'a negative size': (manifest([{**layer, 'size': -1}]), 'MANIFEST_INVALID'),
        'no JSON': (b'{', 'MANIFEST_INVALID'),
        'a list': (b'[]', 'MANIFEST_INVALID'),
        'deep': (b'{"layers":' + b'[' * 500_000 + b']' * 500_000 + b'}', 'MANIFEST_INVALID'),
        'layers without end': (manifest([{'digest': 'sha256:' + '2' * 64}] * 35_000), 'MANIFEST_BLOB_UNKNOWN'),
        'layers that are none': (manifest('layers'), 'MANIFEST_INVALID'),
    }
    started = time.monotonic()
    found = {name: put_manifest(cloud, token, body) for name, (body, _) in refused.items()}
    assert {name: answer.code() for name, answer in found.items()} == {name: code for name, (_, code) in refused.items()}
    assert all(answer.status == 400 for answer in found.values())
    answer = put_manifest(cloud, token, manifest([{**layer, 'digest': 'sha256:' + f'{i:064x}'} for i in range(100_000)]))
    assert answer.status == 413, answer
    digest = 'sha256:' + hashlib.sha256(b'other').hexdigest()
    assert put_manifest(cloud, token, refused['unknown layer'][0], digest).code() == 'DIGEST_INVALID'
    assert time.monotonic() - started < 30
    answer = ask(cloud.port, registry('GET', '/v2/app/manifests/bad', token))
    assert (answer.status, answer.code()) == (404, 'MANIFEST_UNKNOWN')


def test_nothing_was_left(cloud, bucket, token):
    assert spooled(cloud) == 0
    assert not [name for name in files_below(cloud.state) if 'spool' in name]
    with contextlib.suppress(ConnectionError):
        assert ask(cloud.port, identity(cloud.port)).status == 200
    assert ' error ' not in cloud.log(), cloud.log()[-2000:]
