#!/usr/bin/env python3
"""Runs botocore's protocol vectors against Brume's codecs: run.py DRIVER [--sources DIR] [--client DIR] [-v].

Input: the request that botocore would send must be read as the parameters it was made from. Output: what Brume writes
for a result must be the vector's own answer, order and white space aside, or be read back by botocore's own parser as
that result (vectors hold members that a client must ignore, too). DRIVER is the program brume_protocol_vectors;
the directories are those of tools/fetch-conformance, which prints them; BRUME_BOTOCORE_SOURCES and BRUME_BOTOCORE_CLIENT
name others. A case in exclusions.json must fail, or the run fails: the list only shrinks.
"""
import argparse
import base64
import collections
import json
import os
import pathlib
import sys
from xml.etree import ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tally  # noqa: E402
from driver import Driver  # noqa: E402

VERSION = '1.44.5'
CACHE = pathlib.Path(os.environ.get('XDG_CACHE_HOME', pathlib.Path.home() / '.cache')) / 'brume' / 'conformance'
HERE = pathlib.Path(__file__).resolve().parent
PROTOCOLS = ['query', 'ec2', 'json', 'json_1_0', 'json_1_0-query-compatible', 'rest-json', 'rest-xml',
             'smithy-rpc-v2-cbor', 'smithy-rpc-v2-cbor-query-compatible', 'smithy-rpc-v2-cbor-non-query-compatible']

IDEMPOTENCY_TOKEN = '00000000-0000-4000-8000-000000000000'


def model_of(suite, case):
    given = dict(case['given'])
    given.pop('documentation', None)
    given.pop('errors', None)
    return {'metadata': suite['metadata'], 'shapes': suite['shapes'], 'operations': {given['name']: given}}


def plain(value):
    """Numbers as floats and absent members gone, so that 1 and 1.0, null and nothing are the same."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(float(value))
    if isinstance(value, bytes):
        return value.decode()
    return {'Infinity': 'inf', '-Infinity': '-inf', 'NaN': 'nan'}.get(value, value) if isinstance(value, str) else value


def check_input(driver, suite, case):
    serialized = case['serialized']
    path, _, query = serialized.get('uri', '/').partition('?')
    # A path of the endpoint itself is cut off before a request reaches the codecs.
    host, _, base = serialized.get('host', '').partition('/')
    if base:
        path = path.removeprefix('/' + base)
    headers = dict(serialized.get('headers', {}))
    if suite['metadata']['protocol'] == 'json':  # a few vectors leave out the header that every request has
        headers.setdefault('X-Amz-Target', f'{suite["metadata"]["targetPrefix"]}.{case["given"]["name"]}')
    if suite['metadata']['protocol'] == 'rest-json' and serialized.get('body', '').startswith('{'):
        headers.setdefault('Content-Type', 'application/json')
    request = {'method': serialized.get('method', 'POST'), 'path': path, 'query': query, 'host': host,
               'headers': headers}
    # CBOR's bodies are bytes, which the vectors have in base64.
    request['bytes' if 'cbor' in suite['metadata']['protocol'] else 'body'] = serialized.get('body', '')
    answer = driver.ask({'do': 'decode', 'service': 'vectors', 'model': model_of(suite, case), 'request': request})
    if 'failure' in answer:
        return answer['failure']
    wanted, got = plain(case['params']), plain(answer['params'])
    # The client fills in a token that the parameters leave out; botocore's suite makes it this one.
    for name in [name for name, value in got.items() if value == IDEMPOTENCY_TOKEN and name not in wanted]:
        del got[name]
    return '' if got == wanted else f'wanted {wanted}, got {got}'


def parsed_answer(botocore, suite, case, answer, shape):
    parser = botocore['parsers'][suite['metadata']['protocol']](timestamp_parser=botocore['timestamp'])
    # An empty header prefix would take the request id, too.
    headers = {name: value for name, value in answer['headers'] if name != 'x-amzn-RequestId'}
    response = {'status_code': answer['status'], 'body': base64.b64decode(answer['body']),
                'headers': botocore['headers'](headers),
                'context': {'operation_name': case['given']['name']}}
    parsed = parser.parse(response, shape)
    parsed.pop('ResponseMetadata', None)
    return parsed


def output_shape(botocore, suite, case):
    description = json.loads(json.dumps(dict(suite, operations={case['given']['name']: case['given']})))
    model = botocore['service_model'](description)
    shape = botocore['operation_model'](case['given'], model).output_shape
    if suite['metadata']['protocol'] == 'query' and shape and shape.members:
        shape.serialization['resultWrapper'] = case['given']['name'] + 'Result'
    return model, shape


def document(text, protocol):
    """A body in a form that can be compared: the order of XML's elements and all white space aside."""
    if 'xml' not in protocol and protocol not in ('query', 'ec2'):
        return plain(json.loads(text)) if text.strip() else {}

    def node(element):
        children = sorted(json.dumps(node(child)) for child in element
                          if child.tag.split('}')[-1] not in ('ResponseMetadata', 'requestId', 'RequestId'))
        # The vectors of query and ec2 do not say the service's own namespace.
        return [element.tag.removeprefix('{https://example.com/}'), sorted(element.attrib.items()), (element.text or '').strip(), children]
    return node(ElementTree.fromstring(text))[3] if text.strip() else []


def same_document(answer, case, protocol):
    """Whether the answer is the vector's own, its headers included; None where it has many equal forms (CBOR)."""
    if 'cbor' in protocol:
        return None
    headers = {name.lower(): value for name, value in answer['headers']}
    wanted = {name.lower(): value for name, value in case['response'].get('headers', {}).items()}
    if any(headers.get(name) != value for name, value in wanted.items() if name not in ('content-type', 'content-length')):
        return False
    body = base64.b64decode(answer['body'])
    try:
        return document(body.decode(), protocol) == document(case['response'].get('body', ''), protocol)
    except (ElementTree.ParseError, ValueError):
        return body == case['response'].get('body', '').encode()


def check_output(driver, botocore, suite, case):
    model, shape = output_shape(botocore, suite, case)
    if 'error' in case:
        return check_error(driver, botocore, suite, case, model)
    answer = driver.ask({'do': 'encode', 'service': 'vectors', 'model': model_of(suite, case),
                         'operation': case['given']['name'], 'result': case['result']})
    if 'failure' in answer:
        return answer['failure']
    case['same document'] = same_document(answer, case, suite['metadata']['protocol'])
    wanted = plain(case['result'])
    # botocore cannot read a few of the vectors' own answers, which its suite skips: being that very answer is enough.
    if case['same document']:
        return ''
    got = plain(parsed_answer(botocore, suite, case, answer, shape))
    return '' if got == wanted else f'wanted {wanted}, got {got}; wrote {base64.b64decode(answer["body"])!r}'


def check_error(driver, botocore, suite, case, model):
    message = case.get('errorMessage', '')
    members = {key: value for key, value in case['error'].items() if key.lower() != 'message'}
    answer = driver.ask({'do': 'error', 'service': 'vectors', 'model': model_of(suite, case), 'members': members,
                         'code': case.get('errorCode', ''), 'message': message})
    if 'failure' in answer:
        return answer['failure']
    parsed = parsed_answer(botocore, suite, case, answer, None)
    code = parsed.get('Error', {}).get('Code')
    if code != case.get('errorCode') or parsed['Error'].get('Message', '') != message:
        return f'wanted {case.get("errorCode")}: {message}, got {parsed}'
    try:
        shape = model.shape_for_error_code(code)
    except Exception:  # botocore has no public name for it: the vector's error is not modelled
        return ''
    got = plain(parsed_answer(botocore, suite, case, answer, shape))
    missing = {key: value for key, value in plain(case['error']).items() if got.get(key) != value}
    return f'lost {missing}' if missing else ''


def load_botocore(client):
    sys.path.insert(0, str(client))
    from botocore import model, parsers, utils
    from botocore.awsrequest import HeadersDict
    from dateutil.tz import tzutc
    return {'service_model': model.ServiceModel, 'operation_model': model.OperationModel, 'headers': HeadersDict,
            'timestamp': lambda value: utils.parse_timestamp(value).astimezone(tzutc()).timestamp(),
            'unreadable': parsers.ResponseParserError,
            'parsers': {'ec2': parsers.EC2QueryParser, 'query': parsers.QueryParser, 'json': parsers.JSONParser,
                        'rest-json': parsers.RestJSONParser, 'rest-xml': parsers.RestXMLParser,
                        'smithy-rpc-v2-cbor': parsers.RpcV2CBORParser}}


def run(driver, botocore, sources, verbose):
    exclusions = json.loads((HERE / 'exclusions.json').read_text())
    failed = 0
    for direction in ('input', 'output'):
        for protocol in PROTOCOLS:
            count = collections.Counter()
            suites = json.loads((sources / 'tests/unit/protocols' / direction / f'{protocol}.json').read_text())
            for suite, case in ((suite, case) for suite in suites for case in suite['cases']):
                name = f'{direction}/{protocol}/{case["id"]}'
                try:
                    check = (check_input(driver, suite, case) if direction == 'input'
                             else check_output(driver, botocore, suite, case))
                except botocore['unreadable'] as error:
                    check = f'botocore cannot read it: {error}'
                excluded = name in exclusions
                verdict = ('excluded' if check else 'excluded but passes') if excluded else (
                    'failed' if check else 'passed')
                count[verdict] += 1
                count['to the same document'] += bool(case.get('same document'))
                if verbose and case.get('same document') is False:
                    print(f'{name}: another document than {case["response"].get("body")!r}')
                if verdict in ('failed', 'excluded but passes') or (verbose and check):
                    print(f'{name}: {verdict}: {check}')
            bad = count['failed'] + count['excluded but passes']
            failed += bad
            tally.record(f'botocore {direction} {protocol}', count['passed'], bad, count['excluded'])
            print(f'{direction:6} {protocol:26} '
                  + ', '.join(f'{number} {word}' for word, number in sorted(count.items(), reverse=True) if number))
    return failed


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('driver')
    arguments.add_argument('--sources', default=os.environ.get('BRUME_BOTOCORE_SOURCES', CACHE / f'botocore-{VERSION}'))
    arguments.add_argument('--client', default=os.environ.get('BRUME_BOTOCORE_CLIENT', CACHE / f'client-{VERSION}'))
    arguments.add_argument('-v', '--verbose', action='store_true')
    options = arguments.parse_args()
    if not pathlib.Path(options.sources).is_dir() or not pathlib.Path(options.client).is_dir():
        sys.exit('the vectors are not here: run tools/fetch-conformance')
    driver = Driver(options.driver)
    failed = run(driver, load_botocore(options.client), pathlib.Path(options.sources), options.verbose)
    driver.close()
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
