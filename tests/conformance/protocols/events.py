#!/usr/bin/env python3
"""Event streams that Brume writes, read back by botocore's own parser: events.py DRIVER [--client DIR].

Every kind of header and payload that a model can ask for, in each protocol, with the first message of the RPC protocols
and with exceptions, over a model made for it: no served operation has them all.
"""
import argparse
import base64
import datetime
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tally  # noqa: E402
from driver import Driver  # noqa: E402
from run import CACHE, VERSION, load_botocore  # noqa: E402

HEADER, PAYLOAD = {'eventheader': True}, {'eventpayload': True}
SHAPES = {
    'Out': {'type': 'structure', 'members': {'id': {'shape': 'Text'}, 'events': {'shape': 'Events'}}},
    'Events': {'type': 'structure', 'eventstream': True, 'members': {
        'news': {'shape': 'News'}, 'marked': {'shape': 'Marked'}, 'line': {'shape': 'Line'},
        'letter': {'shape': 'Letter'}, 'both': {'shape': 'Both'}, 'empty': {'shape': 'Empty'},
        'Overrun': {'shape': 'Overrun'}}},
    'News': {'type': 'structure', 'event': True, 'members': {'text': {'shape': 'Text'}, 'count': {'shape': 'Count'},
                                                             'words': {'shape': 'Texts'}}},
    'Marked': {'type': 'structure', 'event': True, 'members': {
        'yes': {'shape': 'Flag', **HEADER}, 'no': {'shape': 'Flag', **HEADER}, 'count': {'shape': 'Count', **HEADER},
        'total': {'shape': 'Total', **HEADER}, 'at': {'shape': 'At', **HEADER}, 'mark': {'shape': 'Bytes', **HEADER},
        'word': {'shape': 'Text', **HEADER}, 'bytes': {'shape': 'Bytes', **PAYLOAD}}},
    'Line': {'type': 'structure', 'event': True, 'members': {'text': {'shape': 'Text', **PAYLOAD}}},
    'Letter': {'type': 'structure', 'event': True, 'members': {'news': {'shape': 'News', **PAYLOAD},
                                                               'to': {'shape': 'Text', **HEADER}}},
    'Both': {'type': 'structure', 'event': True, 'members': {'to': {'shape': 'Text', **HEADER},
                                                             'text': {'shape': 'Text'}}},
    'Empty': {'type': 'structure', 'event': True, 'members': {}},
    'Overrun': {'type': 'structure', 'exception': True, 'members': {'message': {'shape': 'Text'}}},
    'Text': {'type': 'string'}, 'Texts': {'type': 'list', 'member': {'shape': 'Text'}}, 'Count': {'type': 'integer'},
    'Total': {'type': 'long'}, 'Flag': {'type': 'boolean'}, 'At': {'type': 'timestamp'}, 'Bytes': {'type': 'blob'}}
PROTOCOLS = {'json': {'jsonVersion': '1.1', 'targetPrefix': 'S'}, 'rest-json': {}, 'rest-xml': {},
             'smithy-rpc-v2-cbor': {'protocols': ['smithy-rpc-v2-cbor'], 'targetPrefix': 'S'}}
AT = 1772366400
EVENTS = [
    {'news': {'text': 'a < b & "c" \u20ac', 'count': -7, 'words': ['x', 'y']}},
    {'marked': {'yes': True, 'no': False, 'count': -2147483648, 'total': 9007199254740993, 'at': AT, 'mark': 'm\x7f',
                'word': 'h\u00e9', 'bytes': 'raw \x00 bytes'}},
    {'marked': {'bytes': ''}},
    {'line': {'text': 'one\ntwo'}},
    {'letter': {'to': 'you', 'news': {'text': 'hi', 'words': []}}},
    {'both': {'to': 'me', 'text': 'there'}},
    {'empty': {}}]


class Raw:
    """A body as it comes: in pieces that end anywhere."""

    def __init__(self, data):
        self.data = data

    def stream(self):
        return iter(self.data[at:at + 7] for at in range(0, len(self.data), 7))

    def close(self):
        pass


def seen(value):
    """As the driver is given values: blobs as their text, moments as seconds; what is empty may be left out."""
    if isinstance(value, dict):
        return {key: seen(each) for key, each in value.items() if each not in (None, [], {})}
    if isinstance(value, list):
        return [seen(each) for each in value]
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return value.decode() if isinstance(value, bytes) else value


def check(driver, botocore, protocol, more, events, last=None):
    from botocore import eventstream, exceptions, parsers
    metadata = {'protocol': protocol, 'serviceId': 'S', 'endpointPrefix': 's', 'apiVersion': '1', **more}
    operation = {'name': 'Watch', 'http': {'method': 'POST', 'requestUri': '/'}, 'output': {'shape': 'Out'}}
    model = {'metadata': metadata, 'shapes': SHAPES, 'operations': {'Watch': operation}}
    answer = driver.ask({'do': 'events', 'service': 's', 'model': model, 'operation': 'Watch', 'result': {'id': '7'},
                         'events': events + ([last] if last else [])})
    if 'failure' in answer:
        return [answer['failure']]
    shape = botocore['service_model'](model, 's').operation_model('Watch').output_shape
    parser = parsers.create_parser(protocol)._event_stream_parser
    stream = eventstream.EventStream(Raw(base64.b64decode(answer['body'])), shape.members['events'], parser, 'Watch')
    wrong = []
    if protocol in ('json', 'smithy-rpc-v2-cbor'):
        first = parser._initial_body_parse(stream.get_initial_response().payload)
        if first.get('id') != '7':
            wrong.append(f'the first message says {first}')
    got = []
    try:
        for event in stream:
            got.append(seen(event))
    except exceptions.EventStreamError as error:
        found = error.response['Error']
        if last is None or (found['Code'], found['Message']) != (last['error'], last['message']):
            wrong.append(f'ended by {found}')
    else:
        if last is not None:
            wrong.append(f'not ended by {last}')
    wanted = [seen(event) for event in events]
    # An event without members is its name alone.
    wrong += [f'wanted {want}, got {have}' for want, have in zip(wanted, got) if want != have]
    return wrong if len(got) == len(wanted) else [*wrong, f'{len(got)} events of {len(wanted)}: {got}']


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('driver')
    arguments.add_argument('--client', default=CACHE / f'client-{VERSION}')
    options = arguments.parse_args()
    if not pathlib.Path(options.client).is_dir():
        sys.exit('botocore is not here: run tools/fetch-conformance')
    driver, botocore, failed = Driver(options.driver), load_botocore(options.client), 0
    endings = [None, {'error': 'Overrun', 'message': 'too <much>'}, {'error': 'InternalFailure', 'message': 'no'}]
    for protocol, more in PROTOCOLS.items():
        cases = [([event], None) for event in EVENTS] + [(EVENTS, last) for last in endings]
        found = [(case, wrong) for case in cases if (wrong := check(driver, botocore, protocol, more, *case))]
        for case, wrong in found:
            print(f'{protocol} {json.dumps(case)[:100]}: ' + '; '.join(wrong))
        print(f'event streams {protocol}: {len(cases) - len(found)} of {len(cases)}')
        tally.record(f'event streams {protocol}', len(cases) - len(found), len(found), 0)
        failed += len(found)
    driver.close()
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
