"""Requests that are malformed, smuggled, over-long or nested without end: a clear error each, and nothing else happens."""
import base64
import gzip
import hashlib
import json
import zlib

import pytest

from cloud import REGION
from raw import FORM, Connection, ask, descriptors, files_below, identity, json_headers, memory_kib, query, signed

HOST = b'Host: sts.eu-west-1.amazonaws.com\r\n'
POST = b'POST / HTTP/1.1\r\n' + HOST
GET = b'GET / HTTP/1.1\r\n' + HOST
SMUGGLED = b'GET /smuggled HTTP/1.1\r\n' + HOST + b'\r\n'

# What two servers could read differently, and what none should read at all: refused, and the connection ends.
REFUSED = {
    'length and chunks': (POST + b'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX', 400),
    'chunks and length': (POST + b'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n', 400),
    'two equal lengths': (POST + b'Content-Length: 0\r\nContent-Length: 0\r\n\r\n', 400),
    'two lengths': (POST + b'Content-Length: 0\r\nContent-Length: 44\r\n\r\n', 400),
    'a list of lengths': (POST + b'Content-Length: 0, 0\r\n\r\n', 400),
    'a signed length': (POST + b'Content-Length: +0\r\n\r\n', 400),
    'a negative length': (POST + b'Content-Length: -1\r\n\r\n', 400),
    'a hexadecimal length': (POST + b'Content-Length: 0x0\r\n\r\n', 400),
    'an endless length': (POST + b'Content-Length: 18446744073709551616\r\n\r\n', 400),
    'an empty length': (POST + b'Content-Length:\r\n\r\n', 400),
    'two codings': (POST + b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400),
    'a coding before chunked': (POST + b'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 501),
    'a coding that looks like chunked': (POST + b'Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n', 400),
    'chunked in HTTP/1.0': (POST.replace(b'1.1', b'1.0') + b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400),
    'a folded header': (GET + b'X-A: 1\r\n  Content-Length: 44\r\n\r\n', 400),
    'a first header that is folded': (b'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400),
    'a bare line feed': (b'GET / HTTP/1.1\n' + HOST + b'\r\n', 400),
    'a bare line feed inside': (GET + b'X-A: 1\nContent-Length: 44\r\n\r\n', 400),
    'a bare carriage return': (GET + b'X-A: 1\rContent-Length: 44\r\n\r\n', 400),
    'a NUL in a header': (GET + b'X-A: 1\x002\r\n\r\n', 400),
    'a NUL in the target': (b'GET /\x00 HTTP/1.1\r\n' + HOST + b'\r\n', 400),
    'a space before the colon': (GET + b'Content-Length : 44\r\n\r\n', 400),
    'a header without a name': (GET + b': x\r\n\r\n', 400),
    'a header without a colon': (GET + b'X-A\r\n\r\n', 400),
    'no host': (b'GET / HTTP/1.1\r\n\r\n', 400),
    'two hosts': (GET + b'Host: s3.amazonaws.com\r\n\r\n', 400),
    'a host that is none': (b'GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n', 400),
    'a target of another host': (b'GET http://s3.amazonaws.com/ HTTP/1.1\r\n' + HOST + b'\r\n', 400),
    'a target without a host': (b'GET http:///x HTTP/1.1\r\n' + HOST + b'\r\n', 400),
    'a target that is no path': (b'CONNECT sts.eu-west-1.amazonaws.com:443 HTTP/1.1\r\n' + HOST + b'\r\n', 400),
    'a broken escape': (b'GET /%zz HTTP/1.1\r\n' + HOST + b'\r\n', 400),
    'a fragment': (b'GET /a#b HTTP/1.1\r\n' + HOST + b'\r\n', 400),
    'two spaces': (b'GET  / HTTP/1.1\r\n' + HOST + b'\r\n', 400),
    'HTTP/2': (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
    'HTTP/0.9': (b'GET /\r\n\r\n', 400),
    'no HTTP': (b'SSH-2.0-OpenSSH_9.2\r\n\r\n', 400),
    'an unknown expectation': (GET + b'Expect: 200-ok\r\n\r\n', 417),
    'a long target': (b'GET /' + b'a' * 20_000 + b' HTTP/1.1\r\n' + HOST + b'\r\n', 414),
    'a target without end': (b'GET /' + b'a' * 70_000, 414),
    'many headers': (GET + b'X-A: 1\r\n' * 200 + b'\r\n', 431),
    'a large head': (GET + b'X-A: ' + b'a' * 70_000 + b'\r\n\r\n', 431),
    'a head without end': (GET + b'X-A: 1\r\n' * 20_000, 431),
}

# Bodies whose chunks do not add up.
BROKEN_CHUNKS = {
    'an extension without end': b'1;' + b'a' * 100_000,
    'many extensions': b'1;a=b\r\nx\r\n' * 10 + b'1' + b';a=b' * 2_000 + b'\r\n',
    'an endless size': b'fffffffffffffffff\r\n',
    'a size with a sign': b'+1\r\nx\r\n0\r\n\r\n',
    'a size with a prefix': b'0x1\r\nx\r\n0\r\n\r\n',
    'a size with a space': b'1 \r\nx\r\n0\r\n\r\n',
    'no size': b'\r\nx\r\n0\r\n\r\n',
    'a bare line feed': b'1\nx\n0\n\n',
    'more than its size': b'1\r\nxx\r\n0\r\n\r\n',
    'trailers without end': b'0\r\n' + b'X-A: 1\r\n' * 10_000,
    'a trailer without a name': b'0\r\n: x\r\n\r\n',
    'a folded trailer': b'0\r\nX-A: 1\r\n 2\r\n\r\n',
}


@pytest.mark.parametrize('name', REFUSED)
def test_refused_heads(cloud, name):
    data, status = REFUSED[name]
    with Connection(cloud.port) as connection:
        connection.send(data)
        answer = connection.answer()
        assert answer.status == status and answer.code(), answer
        assert 'Connection: close' in answer.head
        # Whatever follows is not read as a request.
        try:
            connection.send(SMUGGLED)
        except ConnectionError:
            pass
        assert connection.ended() == b''


@pytest.mark.parametrize('name', BROKEN_CHUNKS)
def test_broken_chunks(cloud, name):
    head = POST + b'Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n'
    with Connection(cloud.port) as connection:
        try:
            connection.send(head + BROKEN_CHUNKS[name] + SMUGGLED)
        except ConnectionError:
            pass
        answer = connection.answer()
        assert answer.status == 400, answer
        assert 'Connection: close' in answer.head and connection.ended() == b''


def test_pipelines_keep_their_order(cloud):
    """Good requests, one with a body in chunks, one that is refused by its operation, and then one that is malformed."""
    good = identity(cloud.port)
    chunked = signed('sts', body=query('GetCallerIdentity', '2011-06-15'), headers=FORM, port=cloud.port)
    head, _, body = chunked.partition(b'\r\n\r\n')
    lines = [line for line in head.split(b'\r\n') if not line.lower().startswith(b'content-length')]
    pieces = b''.join(b'%x;ignored=yes\r\n%s\r\n' % (len(body[i:i + 7]), body[i:i + 7]) for i in range(0, len(body), 7))
    chunked = b'\r\n'.join([*lines, b'Transfer-Encoding: chunked', b'', b'']) + pieces + b'0\r\nX-Trailer: 1\r\n\r\n'
    wrong = identity(cloud.port, secret='wrong')
    with Connection(cloud.port) as connection:
        connection.send((good + chunked + wrong) * 20 + REFUSED['two lengths'][0] + good)
        found = [connection.answer().status for _ in range(61)]
        assert found == [200, 200, 403] * 20 + [400]
        assert connection.ended() == b''


def test_absolute_target_is_the_same_request(cloud):
    whole = identity(cloud.port)
    assert ask(cloud.port, whole).status == 200
    absolute = whole.replace(b'POST / ', f'POST http://127.0.0.1:{cloud.port}/ '.encode())
    assert ask(cloud.port, absolute).status == 200


def ecs(cloud, operation, body, more=(), **options):
    headers = dict(json_headers(f'AmazonEC2ContainerServiceV20141113.{operation}'), **dict(more))
    return ask(cloud.port, signed('ecs', body=body, port=cloud.port, headers=headers, **options))


BAD_JSON = {
    'deep lists': b'[' * 200_000 + b']' * 200_000,
    'deep structures': b'{"a":' * 100_000 + b'1' + b'}' * 100_000,
    'deep in a member': b'{"clusters":' + b'[' * 5_000 + b']' * 5_000 + b'}',
    'open': b'{"clusters":["a"',
    'two documents': b'{}{}',
    'a comment': b'{/**/}',
    'no UTF-8': b'{"clusters":["\xff\xfe"]}',
    'half a surrogate': b'{"clusters":["\\ud800"]}',
    'a raw NUL': b'{"clusters":["\x00"]}',
    'a list': b'[]',
    'a number': b'{"maxResults":1e400}',
    'an integer with a fraction': b'{"maxResults":1.5}',
    'an integer too large': b'{"maxResults":99999999999999999999}',
    'a text for a list': b'{"clusters":"a"}',
    'a structure for a text': b'{"clusters":[{}]}',
}


@pytest.mark.parametrize('name', BAD_JSON)
def test_bad_json(cloud, name):
    operation = 'ListClusters' if b'maxResults' in BAD_JSON[name] else 'DescribeClusters'
    answer = ecs(cloud, operation, BAD_JSON[name])
    assert (answer.status, answer.code()) == (400, 'SerializationException'), answer


BAD_XML = {
    'deep': b'<Tagging>' + b'<a>' * 200_000 + b'</a>' * 200_000 + b'</Tagging>',
    'deep in a member': b'<Tagging><TagSet>' + b'<Tag>' * 10_000 + b'</Tag>' * 10_000 + b'</TagSet></Tagging>',
    'entities': b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx">' + b''.join(
        b'<!ENTITY x%d "%s">' % (i, b'&x%d;' % (i - 1) * 10 if i else b'&x;' * 10) for i in range(10)) +
        b']><Tagging><TagSet><Tag><Key>&x9;</Key><Value>&x9;</Value></Tag></TagSet></Tagging>',
    'a file': b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Tagging><TagSet><Tag><Key>a</Key><Value>&x;</Value>'
              b'</Tag></TagSet></Tagging>',
    'open': b'<Tagging><TagSet>',
    'another root': b'<Delete></Delete>',
    'two roots': b'<Tagging/><Tagging/>',
    'nothing': b'',
    'no XML': b'{"a": 1}',
    'a NUL': b'<Tagging><TagSet><Tag><Key>a\x00b</Key><Value/></Tag></TagSet></Tagging>',
}


@pytest.fixture(scope='module')
def bucket(cloud):
    s3 = cloud.client('s3', s3={'addressing_style': 'path'})
    s3.create_bucket(Bucket='bad-input', CreateBucketConfiguration={'LocationConstraint': REGION})
    return s3


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def s3(cloud, method, path, body=b'', **options):
    return ask(cloud.port, signed('s3', method, path, body, port=cloud.port, **options), method)


@pytest.mark.parametrize('name', BAD_XML)
def test_bad_xml(cloud, bucket, name):
    before = memory_kib(cloud.pid)
    answer = s3(cloud, 'PUT', '/bad-input?tagging=', BAD_XML[name], headers={'Content-MD5': md5(BAD_XML[name])})
    assert answer.status == 400 and answer.code() == ('MalformedXML' if BAD_XML[name] else 'MissingRequestBodyError')
    assert b'root:' not in answer.body
    assert memory_kib(cloud.pid) - before < 200_000


def ec2(cloud, action, more):
    return ask(cloud.port, signed('ec2', body=query(action, '2016-11-15') + more, headers=FORM, port=cloud.port))


def test_query_lists_by_absurd_numbers(cloud):
    """A list's elements are told by number; the number is no size."""
    before = memory_kib(cloud.pid)
    for number in ('999999999', '4294967297', '9223372036854775807'):
        answer = ec2(cloud, 'DescribeVpcs', f'&Filter.{number}.Name=state&Filter.{number}.Value.{number}=available'.encode())
        assert answer.status == 200 and b'<vpcId>' in answer.body, answer
    for number in ('-1', '99999999999999999999', '1e9', '0x1', '', '%00'):
        answer = ec2(cloud, 'DescribeVpcs', f'&Filter.{number}.Name=state'.encode())
        assert answer.status in (200, 400), answer
    answer = ask(cloud.port, signed('iam', body=query('TagUser', '2010-05-08', UserName='none') +
                                    b'&Tags.member.999999999.Key=a&Tags.member.999999999.Value=b',
                                    headers=FORM, port=cloud.port, region='us-east-1'))
    assert answer.code() == 'NoSuchEntity', answer
    assert memory_kib(cloud.pid) - before < 50_000


def test_query_names_and_numbers_without_end(cloud):
    for more in (b'&a=%ff', b'&a' * 30_000, b'&' + b'a' * 100_000 + b'=1', b'&Filter.1' + b'.Value.1' * 10_000 + b'=1',
                 b'&a=%', b'&a=%f', b'&%=1'):
        answer = ec2(cloud, 'DescribeVpcs', more)
        assert answer.status == 400 and answer.code(), answer
    assert ec2(cloud, 'DescribeVpcs', b'&' * 1_000_000).status == 200
    many = ''.join(f'&Filter.{i}.Name=vpc-id&Filter.{i}.Value.1=vpc-{i:017x}' for i in range(5_000)).encode()
    answer = ec2(cloud, 'DescribeVpcs', many)
    assert answer.status in (200, 400) and b'<vpcId>' not in answer.body


def test_bodies_over_the_limit(cloud, bucket):
    for size in (17 << 20, 1 << 40):
        answer = ask(cloud.port, signed('ecs', body=b'{}', length=size, port=cloud.port,
                                        headers=json_headers('AmazonEC2ContainerServiceV20141113.ListClusters')))
        assert (answer.status, answer.code()) == (413, 'RequestEntityTooLargeException'), answer
    answer = ask(cloud.port, signed('sts', body=b'a', length=1 << 40, headers=FORM, port=cloud.port))
    assert (answer.status, answer.code()) == (413, 'RequestEntityTooLarge'), answer
    answer = ask(cloud.port, signed('s3', 'PUT', '/bad-input/a', b'a', length=(5 << 30) + 1, port=cloud.port))
    assert (answer.status, answer.code()) == (400, 'EntityTooLarge'), answer
    assert 'Contents' not in bucket.list_objects_v2(Bucket='bad-input')


def test_compressed_bodies(cloud):
    """Request compression of the SDKs: the signature is of the bytes as they were sent."""
    compressed = {'more': {'Content-Encoding': 'gzip'}}
    assert ecs(cloud, 'ListClusters', gzip.compress(b'{"maxResults": 3}'), **compressed).status == 200
    whole = signed('sts', body=gzip.compress(query('GetCallerIdentity', '2011-06-15')), port=cloud.port,
                   headers={**FORM, 'Content-Encoding': 'gzip'})
    assert b'<Account>000000000000' in ask(cloud.port, whole).body
    maker = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b''.join(maker.compress(b' ' * (1 << 20)) for _ in range(512)) + maker.flush()
    before = memory_kib(cloud.pid)
    answer = ecs(cloud, 'ListClusters', bomb, **compressed)
    assert (answer.status, answer.code()) == (413, 'RequestEntityTooLargeException'), answer
    assert memory_kib(cloud.pid) - before < 40_000
    for body in (b'{}', gzip.compress(b'{}')[:-3], gzip.compress(b'{}') + b'{}'):
        answer = ecs(cloud, 'ListClusters', body, **compressed)
        assert (answer.status, answer.code()) == (400, 'SerializationException'), answer
    answer = ecs(cloud, 'ListClusters', b'{}', more={'Content-Encoding': 'br'})
    assert (answer.status, answer.code()) == (415, 'UnsupportedMediaTypeException'), answer
    # A caller who is not known makes no work: what is inside is not looked at.
    answer = ecs(cloud, 'ListClusters', bomb, secret='wrong', **compressed)
    assert answer.code() == 'InvalidSignatureException'


BAD_KEYS = {
    '/bad-input/' + 'a' * 1_025: ('KeyTooLongError', 400),
    '/bad-input/%00': (None, 200),
    '/bad-input/../../../etc/passwd': (None, 200),
    '/bad-input/a/../../x': (None, 200),
    '/bad-input/%FF%FE': ('InvalidURI', 400),
    '/Bad_Input/a': ('NoSuchBucket', 404),
    '/../bad-input/a': ('NoSuchBucket', 404),
}


def test_keys_are_names_and_no_paths(cloud, bucket):
    before = files_below(cloud.state)
    found = {}
    for path in BAD_KEYS:
        answer = s3(cloud, 'PUT', path, b'x')
        found[path] = (answer.code(), answer.status)
    assert found == BAD_KEYS
    new = set(files_below(cloud.state)) - set(before)
    assert not [name for name in new if '..' in name or 'passwd' in name]
    for path, (code, _) in BAD_KEYS.items():
        if code is None:
            assert s3(cloud, 'GET', path).body == b'x'
            assert s3(cloud, 'DELETE', path).status == 204


def test_lists_of_hostile_sizes(cloud, bucket):
    names = [f'arn:aws:ecs:{REGION}:000000000000:cluster/{i}' for i in range(50_000)]
    answer = ecs(cloud, 'DescribeClusters', json.dumps({'clusters': names}).encode())
    assert answer.status == 400 and answer.code() in ('InvalidParameterException', 'ClientException'), answer
    answer = ask(cloud.port, signed('dynamodb', port=cloud.port, headers=json_headers(
        'DynamoDB_20120810.BatchGetItem', '1.0'), body=json.dumps({'RequestItems': {
            f'table-{i}': {'Keys': [{'a': {'S': 'b'}}] * 10} for i in range(10_000)}}).encode()))
    assert (answer.status, answer.code()) == (400, 'ValidationException'), answer
    cloud.client('dynamodb').create_table(
        TableName='items', BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'a', 'KeyType': 'HASH'}],
        AttributeDefinitions=[{'AttributeName': 'a', 'AttributeType': 'S'}])
    deep = b'{"L":[' * 33 + b'{"S":"a"}' + b']}' * 33
    answer = ask(cloud.port, signed('dynamodb', port=cloud.port, headers=json_headers('DynamoDB_20120810.PutItem', '1.0'),
                                    body=b'{"TableName":"items","Item":{"a":{"S":"1"},"b":' + deep + b'}}'))
    assert (answer.status, answer.code()) == (400, 'ValidationException'), answer
    delete = b'<Delete>' + b'<Object><Key>a</Key></Object>' * 1_001 + b'</Delete>'
    answer = s3(cloud, 'POST', '/bad-input?delete=', delete, headers={'Content-MD5': md5(delete)})
    assert (answer.status, answer.code()) == (400, 'MalformedXML'), answer


def test_everything_is_as_before(cloud):
    before = descriptors(cloud.pid), files_below(cloud.state)
    for data, _ in REFUSED.values():
        ask(cloud.port, data)
    for name in BAD_JSON:
        test_bad_json(cloud, name)
    after = descriptors(cloud.pid), files_below(cloud.state)
    assert abs(len(after[0]) - len(before[0])) < 12
    assert after[1] == before[1]
    assert ask(cloud.port, identity(cloud.port)).status == 200
    assert ' error ' not in cloud.log(), cloud.log()[-2000:]
