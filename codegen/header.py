"""gen/<service>.h: structs, aliases, error factories and the declarations of handlers."""
from naming import literal, snake


def struct_lines(model, name):
    if name in model.empty:
        return [f'struct {name} {{', f'  bool operator==(const {name}&) const = default;', '};']
    lines = [f'struct {name} {{']
    lines += [f'  {model.member_type(name, member)} {snake(member)};' for member in model.shapes[name]['members']]
    return lines + [f'  bool operator==(const {name}&) const = default;', '};']


def error_lines(model):
    lines = []
    for name in model.errors:
        code, query_code = model.error_code(name)
        lines.append(f'inline ::brume::AwsError {snake(name)}(std::string message) {{')
        lines.append(f'  ::brume::AwsError error({literal(code)}, std::move(message), {model.error_status(name)});')
        if query_code:
            lines.append(f'  error.query_code = {literal(query_code)};')
        lines += ['  return error;', '}']
    return lines


def handler_lines(model):
    lines = []
    for operation in model.operations:
        name = operation['name']
        request = f'{model.struct}&, ::brume::Tx&, const ::brume::Request<{name}Input>&'
        if 'deferred' in model.served[name].flags:
            lines.append(f'void {snake(name)}({request}, ::brume::Deferred<{name}Output>);')
        else:
            lines.append(f'{name}Output {snake(name)}({request});')
    return lines


def render(model):
    lines = [f'// Generated from models/{model.service}.json and models/served/{model.service}.txt by codegen/. Do not edit.',
             '#pragma once', '', '#include <cstdint>', '#include <map>', '#include <string>', '#include <utility>',
             '#include <vector>', '', '#include "aws/request.h"', '#include "core/deferred.h"',
             '#include "core/error.h"',
             *(['#include "core/events.h"'] if model.has_events() else []), '#include "core/file_body.h"', '#include "core/opt.h"',
             '#include "core/time.h"', '', 'namespace brume {', 'class Tx;', 'namespace model {', 'struct Service;',
             'struct Handlers;', '}  // namespace model', '}  // namespace brume', '',
             f'namespace brume::{model.service} {{', '', f'struct {model.struct};  // the service object', '']
    lines += [f'struct {name};' for name in model.forward] + ['']
    for name in model.structs:
        lines += struct_lines(model, name) + ['']
    lines += ['// Inputs and outputs by the name of their operation.']
    lines += [f'using {alias} = {name};' for alias, name in sorted(model.aliases)]
    lines += ['', '// Errors.'] + error_lines(model)
    lines += ['', '// Handlers: defined in services/' + model.service + '/operations.'] + handler_lines(model)
    lines += ['', '// The tables, for the front. handlers() lives in its own library, since it needs every handler.',
              'const ::brume::model::Service& service_model();', '::brume::model::Handlers handlers();', '',
              f'}}  // namespace brume::{model.service}']
    return '\n'.join(lines) + '\n'
