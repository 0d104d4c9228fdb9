#!/usr/bin/env python3
"""Runs Smithy's protocol tests against Brume's codecs: run.py DRIVER [-v] [--ast FILE] [--only ID].

Malformed: a request that a server must refuse gets the status, the headers and the body of the test. Requests: what a
client sends must be read as the test's parameters. Responses: a result or an error must be written as the test says.
Tests that apply to clients alone are left aside. DRIVER is the program brume_protocol_vectors; tools/fetch-conformance
writes the models as Smithy's JSON AST. A case in exclusions.json must fail, or the run fails: the list only shrinks.
"""
import argparse
import base64
import collections
import json
import os
import pathlib
import re
import sys
from xml.etree import ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from ast_model import PROTOCOLS, Ast, Writer, short  # noqa: E402
import tally  # noqa: E402
from driver import Driver  # noqa: E402

VERSION = '1.74.1'
CACHE = pathlib.Path(os.environ.get('XDG_CACHE_HOME', pathlib.Path.home() / '.cache')) / 'brume' / 'conformance'
HERE = pathlib.Path(__file__).resolve().parent
MALFORMED, REQUESTS, RESPONSES = (f'smithy.test#http{kind}Tests' for kind in ('MalformedRequest', 'Request', 'Response'))


def filled(value, parameters):
    """The templates of parameterized tests: $name:L as it is, $name:S as a JSON string, $$ a dollar."""
    if isinstance(value, dict):
        return {filled(key, parameters): filled(each, parameters) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, parameters) for each in value]
    if not isinstance(value, str):
        return value

    def put(match):
        if match.group(0) == '$$':
            return '$'
        if match.group(1) not in parameters:
            return match.group(0)
        text = parameters[match.group(1)]
        return json.dumps(text, ensure_ascii=False) if match.group(2) == 'S' else text
    return re.sub(r'\$\$|\$(\w+):([LS])', put, value)


def expanded(test):
    parameters = test.get('testParameters')
    if not parameters:
        yield test['id'], {key: filled(test[key], {}) for key in ('request', 'response')}
        return
    for index in range(len(next(iter(parameters.values())))):
        values = {name: each[index] for name, each in parameters.items()}
        yield f'{test["id"]}_case{index}', {key: filled(test[key], values) for key in ('request', 'response')}


def request_of(test):
    path, _, query = test.get('uri', '/').partition('?')
    query = '&'.join(part for part in [query, *test.get('queryParams', [])] if part)
    body = test.get('body', '')
    headers = dict(test.get('headers', {}))
    if test.get('body') and 'bodyMediaType' in test:  # a few leave out the header that every request has
        headers.setdefault('Content-Type', test['bodyMediaType'])
    out = {'method': test['method'], 'path': path, 'query': query, 'headers': headers,
           'host': test.get('resolvedHost', test.get('host', ''))}
    out['bytes' if 'cbor' in test.get('bodyMediaType', '') else 'body'] = body
    return out


def headers_differ(answer, wanted):
    got = {name.lower(): value for name, value in answer['headers']}
    for name, value in wanted.items():
        if name.lower() == 'content-length':  # the front's business
            continue
        if re.sub(r',\s+', ',', got.get(name.lower(), '')) != re.sub(r',\s+', ',', value):
            return f'header {name}: wanted {value!r}, got {got.get(name.lower())!r}'
    return ''


def number(value):
    """Numbers as floats and special ones as their words; null and absent are the same."""
    if isinstance(value, dict):
        return {key: number(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [number(each) for each in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(float(value))
    return value


def document(text, media):
    if 'json' in media:
        value = number(json.loads(text)) if text.strip() else {}
        if isinstance(value, dict) and isinstance(value.get('__type'), str):  # a client drops the namespace
            value['__type'] = value['__type'].split('#')[-1]
        return value
    if 'xml' in media:
        def node(element):
            children = sorted(json.dumps(node(child)) for child in element
                              if child.tag.split('}')[-1] not in ('ResponseMetadata', 'requestId', 'RequestId', 'RequestID'))
            # The tests of errors do not say the service's own namespace.
            return [element.tag.removeprefix('{https://example.com/}'), sorted(element.attrib.items()), (element.text or '').strip(), children]
        return node(ElementTree.fromstring(text)) if text.strip() else []
    return text


def check_malformed(driver, model, test):
    wanted = test['response']
    answer = driver.ask({'do': 'answer', 'service': 'vectors', 'model': model, 'request': request_of(test['request'])})
    if 'status' not in answer:
        return f'wanted {wanted["code"]}, was accepted: {answer}'
    body = base64.b64decode(answer['body']).decode(errors='replace')
    if answer['status'] != wanted['code']:
        return f'wanted {wanted["code"]}, got {answer["status"]} {body}'
    problem = headers_differ(answer, wanted.get('headers', {}))
    if problem:
        return problem + f' ({body})'
    assertion = wanted.get('body', {}).get('assertion', {})
    if 'contents' in assertion and document(body, 'json') != document(assertion['contents'], 'json'):
        return f'wanted {assertion["contents"]}, got {body}'
    if 'messageRegex' in assertion and not re.fullmatch(assertion['messageRegex'], json.loads(body)['message']):
        return f'wanted {assertion["messageRegex"]}, got {body}'
    return ''


def defaults_aside(got, wanted):
    """What a client fills in by itself, which the parameters of the test leave out."""
    token = '00000000-0000-4000-8000-000000000000'
    return {name: value for name, value in got.items() if name in wanted or value != token}


def check_request(driver, model, test):
    request = request_of(test)
    if model['metadata']['protocol'] == 'json':  # a few leave out the header that every request has
        target = f'{model["metadata"]["targetPrefix"]}.{next(iter(model["operations"]))}'
        request['headers'].setdefault('X-Amz-Target', target)
    answer = driver.ask({'do': 'decode', 'service': 'vectors', 'model': model, 'request': request})
    if 'failure' in answer:
        return answer['failure']
    wanted, got = number(test.get('params', {})), number(answer['params'])
    got = defaults_aside(got, wanted)
    return '' if got == wanted else f'wanted {wanted}, got {got}'


def check_response(driver, model, test, shape, error):
    case = {'do': 'encode', 'service': 'vectors', 'model': model, 'operation': next(iter(model['operations'])),
            'result': test.get('params', {})}
    if error:
        members = dict(test.get('params', {}))
        message = next((members.pop(name) for name in list(members) if name.lower() == 'message'), '')
        case = {'do': 'error', 'service': 'vectors', 'model': model, 'code': short(shape), 'message': message,
                'members': members}
    answer = driver.ask(case)
    if 'failure' in answer:
        return answer['failure']
    if answer['status'] != test['code']:
        return f'wanted the status {test["code"]}, got {answer["status"]}'
    problem = headers_differ(answer, {name: value for name, value in test.get('headers', {}).items()
                                      if not error or name.lower() != 'content-type'})
    names = {name.lower() for name, _ in answer['headers']}
    forbidden = [name for name in test.get('forbidHeaders', []) if name.lower() in names]
    if problem or forbidden:
        return problem or f'forbidden headers: {forbidden}'
    if 'body' not in test:
        return ''
    media = test.get('bodyMediaType') or ('json' if 'json' in model['metadata']['protocol'] else 'xml')
    if not test['body'].lstrip().startswith(('<', '{')):
        media = test.get('bodyMediaType', '')
    raw = base64.b64decode(answer['body'])
    if 'cbor' in media:
        return '' if raw == base64.b64decode(test['body']) else f'wanted {test["body"]}, got {answer["body"]}'
    body = raw.decode(errors='replace')
    return '' if document(body, media) == document(test['body'], media) else f'wanted {test["body"]!r}, got {body!r}'


def cases(ast):
    """(suite, protocol, id, the test as a function of the driver)."""
    for name, shape in sorted(ast.shapes.items()):
        traits = shape.get('traits', {})
        for group in traits.get(MALFORMED, []):
            for identifier, test in expanded(group):
                yield 'malformed', group['protocol'], identifier, malformed(ast, name, group, test)
        operations = [name] if shape['type'] == 'operation' else [
            each for each, other in sorted(ast.shapes.items()) if other['type'] == 'operation' and each in ast.service_of
            and any(error['target'] == name for error in other.get('errors', []))]
        for kind, suite in ((REQUESTS, 'request'), (RESPONSES, 'response')):
            for test in traits.get(kind, []):
                if test.get('appliesTo') == 'client' or test['protocol'] not in PROTOCOLS:
                    continue
                fitting = [each for each in operations if each in ast.service_of
                           and test['protocol'] in ast.protocols(ast.service_of[each])]
                yield suite, test['protocol'], test['id'], plain_test(ast, fitting, name, suite, test)


def malformed(ast, name, group, test):
    return lambda driver: check_malformed(driver, Writer(ast, name, group['protocol']).model(), test)


def plain_test(ast, fitting, name, suite, test):
    def check(driver):
        if not fitting:
            return 'no operation of a service with this protocol has it'
        model = Writer(ast, fitting[0], test['protocol']).model()
        if suite == 'request':
            return check_request(driver, model, test)
        return check_response(driver, model, test, name, ast.shapes[name]['type'] == 'structure')
    return check


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('driver')
    arguments.add_argument('--ast', default=os.environ.get('BRUME_SMITHY_AST', CACHE / f'smithy-{VERSION}.json'))
    arguments.add_argument('--only', default='')
    arguments.add_argument('-v', '--verbose', action='store_true')
    options = arguments.parse_args()
    if not pathlib.Path(options.ast).exists():
        sys.exit('the models are not here: run tools/fetch-conformance smithy')
    ast = Ast(json.loads(pathlib.Path(options.ast).read_text()))
    exclusions = json.loads((HERE / 'exclusions.json').read_text())
    counts = collections.defaultdict(collections.Counter)
    seen = set()
    driver = Driver(options.driver)
    for suite, protocol, identifier, check in cases(ast):
        name = f'{suite}/{protocol.split("#")[1]}/{identifier}'
        if options.only not in name:
            continue
        seen.add(name)
        problem = check(driver)
        excluded = next((line for line in (name, re.sub(r'_case\d+$', '', name)) if line in exclusions), None)
        seen.add(excluded)
        verdict = ('excluded' if problem else 'excluded but passes') if excluded else 'failed' if problem else 'passed'
        counts[f'Smithy {suite} {protocol.split("#")[1]}'][verdict] += 1
        if verdict in ('failed', 'excluded but passes') or (options.verbose and problem):
            print(f'{name}: {verdict}: {problem}')
    driver.close()
    unknown = [] if options.only else [name for name in exclusions if name not in seen]
    for name in unknown:
        print(f'{name}: names no case')
    for suite, count in counts.items():
        print(f'{suite}: ' + ', '.join(f'{number} {word}' for word, number in sorted(count.items(), reverse=True)))
        tally.record(suite, count['passed'], count['failed'] + count['excluded but passes'], count['excluded'])
    bad = any(count['failed'] or count['excluded but passes'] for count in counts.values())
    sys.exit(1 if bad or unknown else 0)


if __name__ == '__main__':
    main()
