#!/usr/bin/env python3
"""Made-up values for every served operation, through botocore and Brume's codecs: roundtrip.py DRIVER [--seed N].

What botocore serializes must be read, into the generated structs, as what it was made from; what Brume writes of them
must be read back by botocore. Each member of each served operation travels at least once in each direction.
"""
import argparse
import base64
import json
import pathlib
import random
import re
import sys

from run import CACHE, VERSION, Driver, load_botocore, plain, tally

ROOT = pathlib.Path(__file__).resolve().parents[3]
# For shapes with a pattern: one of these fits each.
FITTING = ['abcd1234', '123456789012', 'arn:aws:iam::123456789012:role/name', 'sha256:' + '0123456789abcdef' * 4,
           '2020-01-01', '1', 'a', 'AKIAIOSFODNN7EXAMPLE', '/path/', 'true', 'arn:aws:ecs:eu-west-1:123456789012:cluster/n',
           'vpc-0123456789abcdef0', '01234567-89ab-cdef-0123-456789abcdef', 'ipv4pool-coip-1', 'ipam-pool-1', '200',
           'HTTP', 'v1', 'arn:aws:s3:::bucket', '123456', 'b' * 24]
WORDS = ['a', 'b c', '<&>"\'', 'ünï', '/x/y', '100%', '+=?']


class Maker:
    """Values that fit a shape. Depth bounds recursion; every member of the outermost structure is there."""

    def __init__(self, shapes, seed):
        self.shapes = shapes
        self.random = random.Random(seed)

    def value(self, name, member=None, depth=0):
        shape = self.shapes[name]
        kind = shape['type']
        if shape.get('document'):
            return {'key': ['text', 1.5, True]}
        if kind == 'structure':
            return self.structure(shape, depth)
        if kind == 'list':
            return [self.value(shape['member']['shape'], None, depth + 1) for _ in range(self.count(shape))]
        if kind == 'map':
            keys = [self.text(self.shapes[shape['key']['shape']], member) + str(index)
                    for index in range(self.count(shape))]
            if 'enum' in self.shapes[shape['key']['shape']]:
                keys = self.shapes[shape['key']['shape']]['enum'][:2]
            return {key.lower(): self.value(shape['value']['shape'], member, depth + 1) for key in keys} \
                if member and member.get('location') else \
                {key: self.value(shape['value']['shape'], None, depth + 1) for key in keys}
        return self.scalar(shape, kind, member)

    def count(self, shape):
        low = max(1, shape.get('min', 1))
        return max(low, min(shape.get('max', 2), 2))

    def structure(self, shape, depth):
        names = list(shape['members'])
        if shape.get('union'):
            names = [self.random.choice(names)]
        elif depth > 0:
            names = [name for name in names if name in shape.get('required', []) or self.random.random() < 0.7]
        if depth > 4:
            names = [name for name in names if name in shape.get('required', []) or
                     self.shapes[shape['members'][name]['shape']]['type'] not in ('structure', 'list', 'map')]
        # The query protocols cannot tell an empty structure from none.
        names = names or list(shape['members'])[:1]
        return {name: self.value(shape['members'][name]['shape'], shape['members'][name], depth + 1) for name in names}

    def text(self, shape, member):
        if 'enum' in shape:
            return self.random.choice(shape['enum'])
        low, high = shape.get('min', 1), shape.get('max', 40)
        if 'pattern' in shape:
            # Python has no names of classes of characters.
            pattern = re.compile(shape['pattern'].replace(r'\p{L}\p{Z}\p{N}', r'\w\s'))
            fitting = [text for text in FITTING if pattern.fullmatch(text) and low <= len(text) <= shape.get('max', 999)]
            return self.random.choice(fitting)
        text = 'abcd1234' if (member and member.get('location')) else self.random.choice(WORDS)
        return (text * (int(low) // len(text) + 1))[:max(int(high), 1)].strip() or 'a'

    def scalar(self, shape, kind, member):
        if kind in ('string', 'character'):
            return self.text(shape, member)
        if kind in ('integer', 'long'):
            low = int(shape.get('min', 0))
            return self.random.randint(low, int(shape.get('max', low + 1000)))
        if kind in ('float', 'double'):
            return float(shape.get('min', 0)) + 0.5
        if kind == 'boolean':
            return self.random.random() < 0.5
        if kind == 'timestamp':
            return 1_600_000_000 + self.random.randint(0, 1_000_000)
        return 'bytes'


def with_bytes(model, name, value):
    """Blobs as bytes, as botocore's serializer wants them."""
    shape = model['shapes'][name]
    if shape.get('document'):
        return value
    if shape['type'] == 'structure':
        return {key: with_bytes(model, shape['members'][key]['shape'], each) for key, each in value.items()}
    if shape['type'] == 'list':
        return [with_bytes(model, shape['member']['shape'], each) for each in value]
    if shape['type'] == 'map':
        return {key: with_bytes(model, shape['value']['shape'], each) for key, each in value.items()}
    return value.encode() if shape['type'] == 'blob' else value


def readable(value):
    """What botocore parsed, in the vectors' form: streams read, bytes as text."""
    if isinstance(value, dict):
        return {key: readable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [readable(each) for each in value]
    return value.decode() if isinstance(value, bytes) else value


def check_input(driver, service_model, model, service, protocol, name, params):
    from botocore import serialize
    from urllib.parse import urlencode
    operation = service_model.operation_model(name)
    serializer = serialize.create_serializer(protocols_of(model)[protocol], include_validation=False)
    shape = model['operations'][name].get('input', {}).get('shape')
    made = with_bytes(model, shape, params) if shape else {}
    request = serializer.serialize_to_request(made, operation)
    body = request['body']
    if isinstance(body, dict):
        body = urlencode(body)
    if isinstance(body, str):
        body = body.encode()
    path, _, query = request['url_path'].partition('?')
    query = '&'.join(part for part in (query, urlencode(request['query_string'], doseq=True)) if part)
    headers = {key: str(value) for key, value in request['headers'].items()}
    return driver.ask({'do': 'decode', 'service': service, 'protocol': protocol,
                       'request': {'method': request['method'], 'path': path, 'query': query, 'host': '',
                                   'bytes': base64.b64encode(body or b'').decode(), 'headers': headers}})


def check_output(driver, botocore, service_model, model, service, protocol, name, result):
    answer = driver.ask({'do': 'encode', 'service': service, 'protocol': protocol, 'operation': name, 'result': result})
    if 'failure' in answer:
        return answer
    operation = service_model.operation_model(name)
    parser = botocore['parsers'][protocols_of(model)[protocol]](timestamp_parser=botocore['timestamp'])
    body = base64.b64decode(answer['body'])
    shape = operation.output_shape
    parsed = parser.parse({'status_code': answer['status'], 'body': body, 'context': {'operation_name': name},
                           'headers': botocore['headers'](dict(answer['headers']))}, shape)
    parsed.pop('ResponseMetadata', None)
    return {'params': readable(parsed)}


def differences(wanted, got, path=''):
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted(set(wanted) | set(got)):
            if key not in wanted or key not in got:
                yield f'{path}.{key}: {"lost" if key in wanted else "added"}'
            else:
                yield from differences(wanted[key], got[key], f'{path}.{key}')
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, (left, right) in enumerate(zip(wanted, got)):
            yield from differences(left, right, f'{path}[{index}]')
    elif wanted != got:
        yield f'{path}: {wanted!r} became {got!r}'


def protocols_of(model):
    return model['metadata'].get('protocols') or [model['metadata']['protocol']]


# Where AWS's own protocol loses what was made up; each with its reason.
EXPECTED = {
    ('s3', 'output', '.ContentLength'): 'the front sets it from the body',
    ('s3', 'output', '.LocationConstraint'): 'GetBucketLocation: botocore reads it in a handler of its own',
}


def run(driver, botocore, seed):
    """Every served operation in every protocol that its service lists."""
    failed = 0
    for service in sorted(path.stem for path in (ROOT / 'models' / 'served').glob('*.txt')):
        model = json.loads((ROOT / 'models' / f'{service}.json').read_text())
        for protocol, protocol_name in enumerate(protocols_of(model)):
            failed += run_service(driver, botocore, seed, service, model, protocol, protocol_name)
    return failed


def run_service(driver, botocore, seed, service, model, protocol, protocol_name):
    description = json.loads(json.dumps(model))
    description['metadata']['protocol'] = protocol_name
    for operation in description['operations'].values():
        operation['errors'] = [{'shape': each} for each in operation.get('errors', [])]
    service_model = botocore['service_model'](description, service)
    maker = Maker(model['shapes'], seed)
    count, failed = {'input': 0, 'output': 0}, 0
    listed = (ROOT / 'models' / 'served' / f'{service}.txt').read_text().splitlines()
    served = {line.split()[0] for line in listed if line.split('#')[0].split()}
    for name, operation in ((name, model['operations'][name]) for name in sorted(served)):
        for role in ('input', 'output'):
            shape = operation.get(role, {}).get('shape')
            if shape and any(model['shapes'][member['shape']].get('eventstream')
                             for member in model['shapes'][shape]['members'].values()):
                continue  # the end-to-end tests read event streams with real clients
            made = maker.value(shape) if shape else {}
            check = check_input if role == 'input' else check_output
            how = (driver,) if role == 'input' else (driver, botocore)
            answer = check(*how, service_model, model, service, protocol, name, made)
            found = [answer['failure']] if 'failure' in answer else [
                each for each in differences(plain(made), plain(answer['params']))
                if (service, role, each.split(':')[0]) not in EXPECTED]
            count[role] += not found
            failed += bool(found)
            if found:
                print(f'{service} {protocol_name} {name} {role}: ' + '; '.join(found[:5]))
    print(f'{service} {protocol_name}: {len(served)} operations: {count["input"]} inputs, {count["output"]} outputs')
    tally.record(f'round trip {service} {protocol_name}', sum(count.values()), failed, 0)
    return failed


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('driver')
    arguments.add_argument('--client', default=CACHE / f'client-{VERSION}')
    arguments.add_argument('--seed', type=int, default=1)
    options = arguments.parse_args()
    if not pathlib.Path(options.client).is_dir():
        sys.exit('botocore is not here: run tools/fetch-conformance')
    driver = Driver(options.driver)
    failed = run(driver, load_botocore(options.client), options.seed)
    driver.close()
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
