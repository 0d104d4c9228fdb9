"""A service's model as the generator sees it: the imported facts, the served list, and the C++ type of every shape."""
import json
import pathlib
import re

import query_facts
from naming import snake

# The names of service objects, and of IAM action prefixes where they are not the signing name.
SERVICE_STRUCTS = {'sts': 'Sts', 'iam': 'Iam', 'ec2': 'Ec2', 'elbv2': 'Elbv2', 'ecs': 'Ecs', 'ecr': 'Ecr',
                   'logs': 'Logs', 's3': 'S3', 'dynamodb': 'Dynamodb', 'cloudtrail': 'Cloudtrail',
                   'resourcegroupstaggingapi': 'TaggingApi', 'sqs': 'Sqs'}
ACTION_PREFIXES = {'cloudwatch': 'cloudwatch', 'elbv2': 'elasticloadbalancing', 'resourcegroupstaggingapi': 'tag'}
# Protocols that a service speaks and its model does not list: clients of SQS from before 2023 send query.
EXTRA_PROTOCOLS = {'sqs': ['query']}
SCALARS = {'string': 'std::string', 'character': 'std::string', 'integer': 'std::int64_t', 'long': 'std::int64_t',
           'float': 'double', 'double': 'double', 'boolean': 'bool', 'timestamp': '::brume::Time',
           'blob': 'std::string', 'bigdecimal': 'double', 'biginteger': 'std::int64_t'}
FLAGS = {'deferred', 'public', 'unchecked'}


class ModelError(Exception):
    pass


class Served:
    """A line of models/served/<service>.txt."""

    def __init__(self, words, path):
        self.name = words[0]
        self.flags = {word for word in words[1:] if word in FLAGS}
        self.permissions, self.by_handler = [], []
        for word in words[1:]:
            kind, equals, row = word.partition('=')
            if equals and kind in ('allow', 'handler'):
                action, _, resource = row.partition('@')
                (self.permissions if kind == 'allow' else self.by_handler).append((action, resource or '*'))
            elif word not in FLAGS:
                raise ModelError(f'{path}: {self.name}: unknown word "{word}"')


class Model:
    def __init__(self, root, service):
        self.service = service
        self.struct = SERVICE_STRUCTS[service]
        document = json.loads((pathlib.Path(root) / 'models' / f'{service}.json').read_text())
        self.metadata = document['metadata']
        self.shapes = document['shapes']
        query_facts.add(service, self.metadata, self.shapes)
        self.served = self.read_served(pathlib.Path(root) / 'models' / 'served' / f'{service}.txt')
        self.operations = [document['operations'][name] for name in sorted(self.served)
                           if name in document['operations']]
        missing = [name for name in self.served if name not in document['operations']]
        if missing:
            raise ModelError(f'{" ".join(missing)}: not in models/{service}.json; run tools/import-models')
        self.roots = {role: {} for role in ('input', 'output')}  # operation name -> structure name
        self.aliases = []                                        # (alias, structure)
        self.empty = []                                          # structures for operations without input or output
        self.name_roots()
        self.errors = sorted(name for name, shape in self.shapes.items() if shape.get('exception'))
        self.structs = []  # names of structures, each after those it holds
        self.forward = []  # structures that are used before they are defined
        self.boxed = set()  # (structure, member) held in a box
        self.order_structs()
        self.check_names()

    def read_served(self, path):
        served = {}
        for line in path.read_text().splitlines():
            words = line.split('#')[0].split()
            if words:
                served[words[0]] = Served(words, path)
        return served

    def name_roots(self):
        for operation in self.operations:
            for role, suffix in (('input', 'Input'), ('output', 'Output')):
                wanted = operation['name'] + suffix
                shape = operation.get(role, {}).get('shape')
                if shape is None:
                    self.empty.append(wanted)
                    shape = wanted
                    self.shapes.setdefault(shape, {'type': 'structure', 'members': {}})
                elif shape != wanted:
                    if wanted in self.shapes:
                        raise ModelError(f'{self.service}: {wanted} is another shape')
                    self.aliases.append((wanted, shape))
                self.roots[role][operation['name']] = shape

    def is_structure(self, name):
        shape = self.shapes[name]
        return shape['type'] == 'structure' and not shape.get('document')

    def children(self, name):
        """The structures that a structure holds: directly, or inside containers."""
        def walk(shape_name, direct):
            shape = self.shapes[shape_name]
            if shape['type'] == 'list':
                yield from walk(shape['member']['shape'], False)
            elif shape['type'] == 'map':
                yield from walk(shape['value']['shape'], False)
            elif self.is_structure(shape_name):
                yield shape_name, direct
        for member_name, member in self.shapes[name]['members'].items():
            for child, direct in walk(member['shape'], True):
                yield member_name, child, direct

    def order_structs(self):
        done, active = set(), []

        def visit(name):
            active.append(name)
            for member_name, child, direct in self.children(name):
                if child in active:
                    if child not in self.forward:
                        self.forward.append(child)
                    if direct:
                        self.boxed.add((name, member_name))
                elif child not in done:
                    visit(child)
            active.pop()
            done.add(name)
            self.structs.append(name)
        reached = set(self.roots['input'].values()) | set(self.roots['output'].values()) | set(self.errors)
        for name in sorted(reached):
            if name not in done:
                visit(name)

    def check_names(self):
        if self.struct in self.structs:
            raise ModelError(f'{self.service}: a shape is named {self.struct}, as the service object')
        for operation in self.operations:
            members = self.shapes[self.roots['input'][operation['name']]]['members']
            if any(self.is_event_stream(member) for member in members.values()):
                raise ModelError(f'{self.service}: {operation["name"]}: event streams of requests are not served')
        for name in self.structs:
            fields = [snake(member) for member in self.shapes[name]['members']]
            if len(set(fields)) != len(fields):
                raise ModelError(f'{self.service}: two members of {name} have one C++ name')
        for operation in self.operations:
            for action, resource in self.rows(operation['name']):
                _, condition, path = action.partition('?')
                if condition and not self.has_path(operation['name'], path.removeprefix('!')):
                    raise ModelError(f'{self.service}: {operation["name"]}: allow= asks for {path}, which the input lacks')
                resource, *keys = resource.split(';')
                self.check_template(operation['name'], resource)
                for key in keys:
                    name, equals, template = key.partition('=')
                    if not equals or ':' not in name:
                        raise ModelError(f'{self.service}: {operation["name"]}: "{key}" is no condition key')
                    self.check_template(operation['name'], template)

    def check_template(self, operation, resource):
        """Every member that a permission's template names must exist in the input."""
        depth, start = 0, 0
        for position, char in enumerate(resource):
            if char == '{':
                if depth == 0:
                    start = position + 1
                depth += 1
            elif char == '}':
                depth -= 1
                if depth == 0:
                    path = re.split(r'[|=]', resource[start:position])[0].removeprefix('@')
                    if path not in ('partition', 'region', 'account') and not self.has_path(operation, path):
                        raise ModelError(f'{self.service}: {operation}: allow= names {path}, which the input lacks')

    def has_path(self, operation, path):
        shape = self.shapes[self.roots['input'][operation]]
        for part in path.split('.'):
            name = part.removesuffix('[]')
            if shape['type'] != 'structure' or name not in shape['members']:
                return False
            shape = self.shapes[shape['members'][name]['shape']]
            if part.endswith('[]'):
                if shape['type'] not in ('list', 'map'):
                    return False
                shape = self.shapes[(shape.get('member') or shape.get('key'))['shape']]
        return True

    def has_events(self):
        return any(self.shapes[name].get('eventstream') for name in self.structs)

    def is_event_stream(self, member):
        return bool(self.shapes[member['shape']].get('eventstream'))

    def stream_type(self, member):
        return '::brume::EventStream' if self.is_event_stream(member) else '::brume::Body'

    def is_stream(self, member):
        """Whether the member streams: a blob, or the events of an answer."""
        shape = self.shapes[member['shape']]
        if shape.get('eventstream'):
            return True
        return shape['type'] == 'blob' and (member.get('streaming') or shape.get('streaming'))

    def cpp_type(self, name):
        shape = self.shapes[name]
        if shape.get('document'):
            return 'std::string'
        if shape['type'] == 'structure':
            return name
        if shape['type'] == 'list':
            element = self.cpp_type(shape['member']['shape'])
            if element == 'bool':
                raise ModelError(f'{self.service}: {name} is a list of booleans, which std::vector cannot lend')
            return f'std::vector<{element}>'
        if shape['type'] == 'map':
            return f'std::map<std::string, {self.cpp_type(shape["value"]["shape"])}>'
        return SCALARS[shape['type']]

    def member_type(self, struct, member_name):
        member = self.shapes[struct]['members'][member_name]
        if self.is_stream(member):
            return f'::brume::opt<{self.stream_type(member)}>'
        wrapper = 'box' if (struct, member_name) in self.boxed else 'opt'
        return f'::brume::{wrapper}<{self.cpp_type(member["shape"])}>'

    def protocols(self):
        listed = self.metadata.get('protocols') or [self.metadata['protocol']]
        return listed + [each for each in EXTRA_PROTOCOLS.get(self.service, []) if each not in listed]

    def signing_name(self):
        return self.metadata.get('signingName', self.metadata['endpointPrefix'])

    def rows(self, operation_name):
        """Everything that is asked for: what the front asks before the handler, and what the handler asks itself."""
        return self.permissions(operation_name) + self.served[operation_name].by_handler

    def permissions(self, operation_name):
        served = self.served[operation_name]
        if served.permissions or served.flags & {'public', 'unchecked'}:
            return served.permissions
        prefix = ACTION_PREFIXES.get(self.service, self.signing_name())
        return [(f'{prefix}:{operation_name}', '*')]

    def error_code(self, name):
        """The wire code: JSON protocols name the shape, the others have a code of their own."""
        shape = self.shapes[name]
        code = shape.get('error', {}).get('code', name)
        if any('json' in protocol or 'cbor' in protocol for protocol in self.protocols()):
            return name, code if 'awsQueryCompatible' in self.metadata and code != name else ''
        return code, ''

    def error_status(self, name):
        shape = self.shapes[name]
        return shape.get('error', {}).get('httpStatusCode', 500 if shape.get('fault') else 400)
