"""Smithy's JSON AST in the form that Brume's tables are loaded from (botocore's service-2.json, see models/)."""

API = 'smithy.api#'
SCALARS = {'string': 'string', 'blob': 'blob', 'boolean': 'boolean', 'byte': 'byte', 'short': 'short',
           'integer': 'integer', 'long': 'long', 'float': 'float', 'double': 'double', 'timestamp': 'timestamp',
           'bigInteger': 'biginteger', 'bigDecimal': 'bigdecimal', 'enum': 'string', 'intEnum': 'integer'}
PRELUDE = {'String': 'string', 'Blob': 'blob', 'Boolean': 'boolean', 'PrimitiveBoolean': 'boolean', 'Byte': 'byte',
           'PrimitiveByte': 'byte', 'Short': 'short', 'PrimitiveShort': 'short', 'Integer': 'integer',
           'PrimitiveInteger': 'integer', 'Long': 'long', 'PrimitiveLong': 'long', 'Float': 'float',
           'PrimitiveFloat': 'float', 'Double': 'double', 'PrimitiveDouble': 'double', 'Timestamp': 'timestamp',
           'BigInteger': 'bigInteger', 'BigDecimal': 'bigDecimal', 'Document': 'document', 'Unit': 'structure'}
TIMES = {'date-time': 'iso8601', 'epoch-seconds': 'unixTimestamp', 'http-date': 'rfc822'}
PROTOCOLS = {'aws.protocols#awsJson1_0': ('json', '1.0'), 'aws.protocols#awsJson1_1': ('json', '1.1'),
             'aws.protocols#awsQuery': ('query', ''), 'aws.protocols#ec2Query': ('ec2', ''),
             'aws.protocols#restJson1': ('rest-json', '1.1'), 'aws.protocols#restXml': ('rest-xml', ''),
             'smithy.protocols#rpcv2Cbor': ('smithy-rpc-v2-cbor', '')}
LIMITS = ('length', 'range', 'pattern', 'enum', 'uniqueItems')


def short(identifier):
    return identifier.split('#')[-1].split('$')[0]


class Ast:
    def __init__(self, document):
        self.shapes = document['shapes']
        self.service_of = {}
        for name, shape in self.shapes.items():
            if shape['type'] == 'service':
                for operation in self.operations_below(shape):
                    self.service_of[operation] = name

    def operations_below(self, shape):
        found = [each['target'] for each in shape.get('operations', [])]
        for each in shape.get('resources', []):
            resource = self.shapes[each['target']]
            found += self.operations_below(resource)
            found += [resource[role]['target'] for role in ('create', 'put', 'read', 'update', 'delete', 'list')
                      if role in resource]
        return found

    def get(self, identifier):
        if identifier in self.shapes:
            return self.shapes[identifier]
        return {'type': PRELUDE[short(identifier)], 'traits': {}}

    def traits(self, shape):
        out = {}
        for mixin in shape.get('mixins', []):
            out.update(self.traits(self.get(mixin['target'])))
            out.pop('mixin', None)
        out.update({key.removeprefix(API): value for key, value in shape.get('traits', {}).items()})
        return out

    def protocols(self, service):
        """The protocols of a service among those that AWS's services speak."""
        return [name for name in self.shapes[service].get('traits', {}) if name in PROTOCOLS]


class Writer:
    """One operation and what it reaches, in the form of models/*.json."""

    def __init__(self, ast, operation, protocol):
        self.ast, self.protocol = ast, protocol
        self.kind, self.version = PROTOCOLS[protocol]
        self.names, self.shapes = {}, {}
        self.operation = operation

    def model(self, extra_errors=()):
        service = self.ast.shapes[self.ast.service_of[self.operation]]
        traits = self.ast.traits(service)
        shape = self.ast.shapes[self.operation]
        operation_traits = self.ast.traits(shape)
        metadata = {'protocol': self.kind, 'serviceId': 'vectors', 'endpointPrefix': 'vectors',
                    'apiVersion': service.get('version', ''), 'jsonVersion': self.version,
                    'targetPrefix': short(self.ast.service_of[self.operation])}
        if 'xmlNamespace' in traits:
            metadata['xmlNamespace'] = traits['xmlNamespace']['uri']
        if 'aws.protocols#awsQueryCompatible' in service.get('traits', {}):
            metadata['awsQueryCompatible'] = {}
        http = operation_traits.get('http', {}) if self.kind.startswith('rest') else {}
        given = {'name': short(self.operation),
                 'http': {'method': http.get('method', 'POST'), 'requestUri': http.get('uri', '/'),
                          'responseCode': http.get('code', 200)}}
        if 'endpoint' in operation_traits:
            given['endpoint'] = {'hostPrefix': operation_traits['endpoint']['hostPrefix']}
        for role in ('input', 'output'):
            target = shape.get(role, {}).get('target', API + 'Unit')
            if short(target) == 'Unit' and target.startswith(API):
                continue
            given[role] = {'shape': self.shape(target)}
            of_input = self.ast.traits(self.ast.get(target))
            if role == 'input' and self.kind == 'rest-xml':
                given[role]['locationName'] = of_input.get('xmlName', short(target))
            if role == 'output' and self.kind == 'query':
                given[role]['resultWrapper'] = given['name'] + 'Result'
        for error in [each['target'] for each in shape.get('errors', [])] + list(extra_errors):
            if error in self.ast.shapes:
                self.shape(error)
        if any(short(each['target']) == 'ValidationException' for each in shape.get('errors', [])):
            self.validation_exception()
        return {'metadata': metadata, 'operations': {given['name']: given}, 'shapes': self.shapes}

    def validation_exception(self):
        """smithy.framework#ValidationException, which is in a jar of its own."""
        self.shapes['ValidationException'] = {
            'type': 'structure', 'exception': True, 'error': {'httpStatusCode': 400}, 'required': ['message'],
            'members': {'message': {'shape': 'FrameworkString'}, 'fieldList': {'shape': 'FrameworkFieldList'}}}
        self.shapes['FrameworkString'] = {'type': 'string'}
        self.shapes['FrameworkFieldList'] = {'type': 'list', 'member': {'shape': 'FrameworkField'}}
        self.shapes['FrameworkField'] = {'type': 'structure', 'required': ['path', 'message'], 'members': {
            'path': {'shape': 'FrameworkString'}, 'message': {'shape': 'FrameworkString'}}}

    def shape(self, identifier, member=None):
        """The name of the shape in the model; limits of the member make a shape of their own."""
        own = {key: value for key, value in self.ast.traits(member or {}).items() if key in LIMITS}
        key = (identifier, repr(own))
        if key in self.names:
            return self.names[key]
        name = short(identifier)
        while name in self.shapes:
            name += '_'
        self.names[key] = name
        self.shapes[name] = {}
        self.shapes[name].update(self.written(identifier, self.ast.get(identifier), own))
        return name

    def written(self, identifier, shape, own):
        traits = {**self.ast.traits(shape), **own}
        out = self.limits(traits)
        kind = shape['type']
        if 'sensitive' in traits:
            out['sensitive'] = True
        if 'xmlName' in traits:
            out['locationName'] = traits['xmlName']
        if 'xmlNamespace' in traits:
            out['xmlNamespace'] = traits['xmlNamespace']
        if 'timestampFormat' in traits:
            out['timestampFormat'] = TIMES[traits['timestampFormat']]
        if 'sparse' in traits:
            out['sparse'] = True
        if 'streaming' in traits and kind == 'blob':
            out['streaming'] = True
        if 'mediaType' in traits:
            out['mediaType'] = traits['mediaType']
        if 'error' in traits:
            out.update(exception=True, fault=traits['error'] == 'server', error=self.error(traits))
        if kind == 'document':
            return {**out, 'type': 'structure', 'members': {}, 'document': True}
        if kind in ('structure', 'union'):
            return {**out, **self.structure(shape, kind)}
        if kind in ('list', 'set'):
            return {**out, 'type': 'list', 'member': self.member(shape['member']),
                    **({'uniqueItems': True} if kind == 'set' else {})}
        if kind == 'map':
            return {**out, 'type': 'map', 'key': self.member(shape['key']), 'value': self.member(shape['value'])}
        if kind == 'enum':
            out['enum'] = [self.ast.traits(each).get('enumValue', name) for name, each in shape['members'].items()
                           if 'internal' not in self.ast.traits(each)]
        return {**out, 'type': SCALARS[kind]}

    def limits(self, traits):
        out = {}
        for trait in ('length', 'range'):
            out.update(traits.get(trait, {}))
        if 'pattern' in traits:
            out['pattern'] = traits['pattern']
        if 'enum' in traits:
            out['enum'] = [each['value'] for each in traits['enum'] if 'internal' not in each.get('tags', [])]
        if 'uniqueItems' in traits:
            out['uniqueItems'] = True
        return out

    def error(self, traits):
        out = {'httpStatusCode': traits.get('httpError', 400 if traits['error'] == 'client' else 500)}
        query = traits.get('aws.protocols#awsQueryError')
        if query:
            out['code'] = query['code']
            if self.kind == 'query':
                out['httpStatusCode'] = query['httpResponseCode']
        return out

    def structure(self, shape, kind):
        out = {'type': 'structure', 'members': {}}
        if kind == 'union':
            out['union'] = True
        required = []
        members = {}
        for mixin in shape.get('mixins', []):
            members.update(self.ast.get(mixin['target']).get('members', {}))
        members.update(shape.get('members', {}))
        for name, member in members.items():
            traits = self.ast.traits(member)
            out['members'][name] = self.member(member)
            if 'required' in traits:
                required.append(name)
            if 'httpPayload' in traits and self.kind.startswith('rest'):
                out['payload'] = name
        if required:
            out['required'] = required
        return out

    def member(self, member):
        traits = self.ast.traits(member)
        out = {'shape': self.shape(member['target'], member)}
        if self.kind.startswith('rest'):
            if 'httpHeader' in traits:
                out.update(location='header', locationName=traits['httpHeader'])
            elif 'httpPrefixHeaders' in traits:
                out.update(location='headers', locationName=traits['httpPrefixHeaders'])
            elif 'httpLabel' in traits:
                out.update(location='uri')
            elif 'httpQuery' in traits:
                out.update(location='querystring', locationName=traits['httpQuery'])
            elif 'httpQueryParams' in traits:
                out.update(location='querystring')
            elif 'httpResponseCode' in traits:
                out.update(location='statusCode')
        if 'jsonName' in traits and self.kind == 'rest-json':
            out['locationName'] = traits['jsonName']
        if self.kind in ('rest-xml', 'query', 'ec2') and 'location' not in out:
            if 'xmlName' in traits:
                out['locationName'] = traits['xmlName']
            if 'aws.protocols#ec2QueryName' in member.get('traits', {}):
                out['queryName'] = member['traits']['aws.protocols#ec2QueryName']
            for trait, key in (('xmlFlattened', 'flattened'), ('xmlAttribute', 'xmlAttribute')):
                if trait in traits:
                    out[key] = True
            if 'xmlNamespace' in traits:
                out['xmlNamespace'] = traits['xmlNamespace']
        if 'timestampFormat' in traits:
            out['timestampFormat'] = TIMES[traits['timestampFormat']]
        for trait in ('idempotencyToken', 'hostLabel'):
            if trait in traits:
                out[trait] = True
        if out.get('location') == 'header' and 'mediaType' in self.ast.traits(self.ast.get(member['target'])):
            out['jsonvalue'] = True
        return out
