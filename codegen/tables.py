"""<service>_tables.cpp: the constant tables of core/model.h for one service."""
from model import ModelError
from naming import literal, snake

KINDS = {'string': 'string', 'character': 'string', 'integer': 'integer', 'long': 'integer', 'biginteger': 'integer',
         'float': 'number', 'double': 'number', 'bigdecimal': 'number', 'boolean': 'boolean',
         'timestamp': 'timestamp', 'blob': 'blob', 'structure': 'structure', 'list': 'list', 'map': 'map'}
LOCATIONS = {'header': 'header', 'headers': 'headers', 'querystring': 'query', 'uri': 'uri',
             'statusCode': 'status_code'}
FORMATS = {'iso8601': 'iso8601', 'unixTimestamp': 'unix_seconds', 'rfc822': 'http_date'}
PROTOCOLS = {'query': 'query', 'ec2': 'ec2', 'json': 'json', 'rest-json': 'rest_json', 'rest-xml': 'rest_xml',
             'smithy-rpc-v2-cbor': 'rpc_v2_cbor'}
STREAM = 'Stream'


def fields(pairs):
    """A designated initializer of the fields that are not their default."""
    return '{' + ', '.join(f'.{name} = {value}' for name, value in pairs if value not in (None, 'false', '""')) + '}'


def flag(value):
    return 'true' if value else 'false'


def namespace_fields(holder):
    namespace = holder.get('xmlNamespace', {})
    if isinstance(namespace, str):
        namespace = {'uri': namespace}
    return [('xml_namespace', literal(namespace.get('uri', ''))), ('xml_prefix', literal(namespace.get('prefix', '')))]


class Tables:
    def __init__(self, model):
        self.model = model
        self.names = self.reached_shapes()
        self.lines = []

    def reached_shapes(self):
        names, waiting = set(), list(self.model.structs)
        while waiting:
            name = waiting.pop()
            if name in names:
                continue
            names.add(name)
            shape = self.model.shapes[name]
            waiting += [member['shape'] for member in shape.get('members', {}).values()]
            waiting += [shape[role]['shape'] for role in ('member', 'key', 'value') if role in shape]
        return sorted(names)

    def kind(self, name):
        shape = self.model.shapes[name]
        return 'document' if shape.get('document') else KINDS[shape['type']]

    def constraints(self, name):
        shape = self.model.shapes[name]
        pairs = []
        for limit in ('min', 'max'):
            if limit in shape:
                pairs += [(f'has_{limit}', 'true')]
        pairs += [(limit, repr(float(shape[limit]))) for limit in ('min', 'max') if limit in shape]
        if 'pattern' in shape:
            pairs.append(('pattern', literal(shape['pattern'])))
        if 'enum' in shape:
            values = ', '.join(literal(value) for value in shape['enum'])
            self.lines.append(f'constexpr std::string_view values_{name}[] = {{{values}}};')
            pairs.append(('values', f'values_{name}'))
        if not pairs:
            return None
        self.lines.append(f'constexpr Constraints constraints_{name} = {fields(pairs)};')
        return f'&constraints_{name}'

    def member(self, struct, name):
        model = self.model
        shape = model.shapes[struct]
        member = shape['members'][name]
        target = model.shapes[member['shape']]
        stream = model.is_stream(member)
        cpp = model.stream_type(member) if stream else model.cpp_type(member['shape'])
        slot = 'kBoxSlot' if (struct, name) in model.boxed else 'kOptSlot'
        # An event's headers and payload are named as those of a message of HTTP are.
        location = 'header' if member.get('eventheader') else LOCATIONS.get(member.get('location'), 'body')
        kind = '&kStreamType' if stream else f'&type_{member["shape"]}'
        if model.is_event_stream(member):
            kind = f'&stream_{member["shape"]}'
        pairs = [('name', literal(name)), ('type', kind),
                 ('slot', f'&{slot}<{cpp}>'), ('offset', f'offsetof({struct}, {snake(name)})'),
                 ('location', f'Location::{location}' if location != 'body' else None)]
        if 'timestampFormat' in member:
            pairs.append(('timestamp_format', f'TimestampFormat::{FORMATS[member["timestampFormat"]]}'))
        pairs += [('required', flag(name in shape.get('required', []))),
                  ('flattened', flag(member.get('flattened') or target.get('flattened'))),
                  ('xml_attribute', flag(member.get('xmlAttribute'))),
                  ('idempotency_token', flag(member.get('idempotencyToken'))),
                  ('host_label', flag(member.get('hostLabel'))),
                  ('json_value', flag(member.get('jsonvalue') or target.get('jsonvalue'))),
                  ('sensitive', flag(member.get('sensitive') or target.get('sensitive'))),
                  ('location_name', literal(member.get('locationName', ''))),
                  ('query_name', literal(member.get('queryName', '')))] + namespace_fields(member)
        return '  ' + fields(pairs) + ','

    def element(self, reference):
        pairs = [('type', f'&type_{reference["shape"]}'), ('location_name', literal(reference.get('locationName', '')))]
        return fields(pairs + namespace_fields(reference))

    def type(self, name):
        shape = self.model.shapes[name]
        kind = self.kind(name)
        pairs = [('kind', f'Kind::{kind}'), ('name', literal(name)),
                 ('ops', f'&kTypeOps<{self.model.cpp_type(name)}>')]
        constraints = self.constraints(name)
        if kind == 'structure':
            members = list(shape['members'])
            if members:
                self.lines.append(f'constexpr Member members_{name}[] = {{')
                self.lines += [self.member(name, member) for member in members]
                self.lines.append('};')
                pairs.append(('members', f'members_{name}'))
            payload = shape.get('payload') or next((each for each in members if shape['members'][each].get('eventpayload')), None)
            if payload:
                pairs.append(('payload', str(members.index(payload))))
        elif kind == 'list':
            pairs.append(('element', self.element(shape['member'])))
        elif kind == 'map':
            pairs += [('element', self.element(shape['value'])), ('key', self.element(shape['key']))]
        pairs.append(('constraints', constraints))
        if 'timestampFormat' in shape:
            pairs.append(('timestamp_format', f'TimestampFormat::{FORMATS[shape["timestampFormat"]]}'))
        pairs += [('flattened', flag(shape.get('flattened'))), ('is_union', flag(shape.get('union'))),
                  ('event_stream', flag(shape.get('eventstream'))), ('sensitive', flag(shape.get('sensitive'))),
                  ('location_name', literal(shape.get('locationName', '')))] + namespace_fields(shape)
        self.lines.append(f'constexpr Type type_{name} = {fields(pairs)};')
        if shape.get('eventstream'):
            self.lines.append(f'constexpr Type stream_{name} = {{.kind = Kind::stream, .name = {literal(name)}, '
                              f'.ops = &kTypeOps<::brume::EventStream>, .element = {{.type = &type_{name}}}, '
                              '.event_stream = true};')

    def error(self, name):
        code, query_code = self.model.error_code(name)
        shape = self.model.shapes[name]
        return fields([('name', literal(name)), ('code', literal(code)), ('query_code', literal(query_code)),
                       ('status', str(self.model.error_status(name))),
                       ('sender_fault', 'false' if shape.get('fault') else None), ('type', f'&type_{name}')])

    def payload_streams(self, struct):
        shape = self.model.shapes[struct]
        return 'payload' in shape and self.model.is_stream(shape['members'][shape['payload']])

    def operation(self, index, operation):
        model, name = self.model, operation['name']
        served = model.served[name]
        input_type, output_type = model.roots['input'][name], model.roots['output'][name]
        reference = operation.get('input', {})
        namespace = reference.get('xmlNamespace', {})
        checksum = operation.get('httpChecksum', {})
        permissions = model.permissions(name)
        if permissions:
            rows = ', '.join(f'{{{literal(action)}, {literal(resource)}}}' for action, resource in permissions)
            self.lines.append(f'constexpr Permission permissions_{name}[] = {{{rows}}};')
        errors = operation.get('errors', [])
        if errors:
            rows = ', '.join(f'&errors[{model.errors.index(error)}]' for error in errors)
            self.lines.append(f'constexpr const ErrorShape* errors_{name}[] = {{{rows}}};')
        required = operation.get('httpChecksumRequired') or checksum.get('requestChecksumRequired')
        checksum_fields = fields([('request_algorithm_member', literal(checksum.get('requestAlgorithmMember', ''))),
                                  ('request_required', flag(required))])
        return fields([
            ('name', literal(name)), ('index', str(index)), ('method', literal(operation['http']['method'])),
            ('uri', literal(operation['http']['requestUri'])), ('status', str(operation['http'].get('responseCode', 200))),
            ('input', f'&type_{input_type}'), ('output', f'&type_{output_type}'),
            ('has_output', flag('output' in operation)), ('deferred', flag('deferred' in served.flags)),
            ('is_public', flag('public' in served.flags)), ('unchecked', flag('unchecked' in served.flags)),
            ('idempotent', flag(operation.get('idempotent'))), ('read_only', flag(operation.get('readonly'))),
            ('streaming_input', flag(self.payload_streams(input_type))),
            ('streaming_output', flag(self.payload_streams(output_type))),
            ('host_prefix', literal(operation.get('endpoint', {}).get('hostPrefix', ''))),
            ('result_wrapper', literal(operation.get('output', {}).get('resultWrapper', ''))),
            ('input_root', literal(reference.get('locationName', ''))),
            ('input_namespace', literal(namespace.get('uri', '') if isinstance(namespace, dict) else namespace)),
            ('errors', f'errors_{name}' if errors else None),
            ('permissions', f'permissions_{name}' if permissions else None),
            ('checksum', checksum_fields if checksum_fields != '{}' else None)])

    def service(self):
        metadata = self.model.metadata
        protocols = self.model.protocols()
        unknown = [protocol for protocol in protocols if protocol not in PROTOCOLS]
        if unknown:
            raise ModelError(f'{self.model.service}: unknown protocol {" ".join(unknown)}')
        self.lines.append('constexpr Protocol protocols[] = {'
                          + ', '.join(f'Protocol::{PROTOCOLS[protocol]}' for protocol in protocols) + '};')
        return fields([
            ('id', literal(self.model.service)), ('name', literal(metadata.get('serviceId', ''))),
            ('signing_name', literal(self.model.signing_name())),
            ('endpoint_prefix', literal(metadata['endpointPrefix'])), ('api_version', literal(metadata['apiVersion'])),
            ('xml_namespace', literal(metadata.get('xmlNamespace', ''))),
            ('target_prefix', literal(metadata.get('targetPrefix', ''))),
            ('json_version', literal(metadata.get('jsonVersion', ''))), ('protocols', 'protocols'),
            ('query_compatible', flag('awsQueryCompatible' in metadata)),
            ('global', flag('globalEndpoint' in metadata and self.model.service != 's3' and self.model.service != 'sts')),
            ('operations', 'operations'), ('errors', 'errors' if self.model.errors else None)])

    def render(self):
        service = self.model.service
        head = [f'// Generated from models/{service}.json and models/served/{service}.txt by codegen/. Do not edit.',
                f'#include "gen/{service}.h"', '', '#include <cstddef>', '', '#include "core/model_ops.h"', '',
                f'namespace brume::{service} {{', 'namespace {', 'using namespace ::brume::model;', '']
        for name in self.names:
            self.type(name)
        shapes, self.lines = self.lines, []
        if self.model.errors:
            self.lines.append('constexpr ErrorShape errors[] = {')
            self.lines += [f'  {self.error(name)},' for name in self.model.errors]
            self.lines.append('};')
        rows = [f'  {self.operation(index, operation)},' for index, operation in enumerate(self.model.operations)]
        self.lines += ['constexpr Operation operations[] = {'] + rows + ['};']
        service_row = self.service()
        self.lines.append(f'constexpr ::brume::model::Service service_table = {service_row};')
        declarations = [f'extern const Type type_{name};' for name in self.names]
        declarations += [f'extern const Type stream_{name};' for name in self.names
                         if self.model.shapes[name].get('eventstream')]
        declarations.append('constexpr Type kStreamType = {.kind = Kind::stream, .name = "StreamingBlob", '
                            '.ops = &kTypeOps<::brume::Body>};')
        tail = ['', '}  // namespace', '',
                'const ::brume::model::Service& service_model() { return service_table; }', '',
                f'}}  // namespace brume::{service}']
        return '\n'.join(head + declarations + shapes + self.lines + tail) + '\n'
