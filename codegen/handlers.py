"""<service>_handlers.cpp: the table of a service's handlers. It names every one, so that a missing one cannot link."""
from naming import snake

THUNKS = '''
template <class Input, class Output, auto function>
void call(void* service, Tx& tx, const RequestContext& context, const void* input, void* output) {
  const Request<Input> request(context, *static_cast<const Input*>(input));
  *static_cast<Output*>(output) = function(*static_cast<SERVICE*>(service), tx, request);
}

template <class Input, class Output, auto function, const model::Type& (*output_type)()>
void call_deferred(void* service, Tx& tx, const RequestContext& context, const void* input,
                   Deferred<model::Object> answer) {
  const Request<Input> request(context, *static_cast<const Input*>(input));
  Deferred<Output> typed(
      [answer](Output output) { answer.succeed(model::Object(output_type(), new Output(std::move(output)))); },
      [answer](const AwsError& error) { answer.fail(error); });
  function(*static_cast<SERVICE*>(service), tx, request, std::move(typed));
}

template <std::size_t index>
const model::Type& output_type() {
  return *service_model().operations[index].output;
}
'''


def render(model):
    lines = [f'// Generated from models/served/{model.service}.txt by codegen/. Do not edit.',
             f'#include "core/model.h"', f'#include "gen/{model.service}.h"', '',
             f'namespace brume::{model.service} {{', 'namespace {', THUNKS.replace('SERVICE', model.struct),
             'constexpr model::Handler table[] = {']
    for index, operation in enumerate(model.operations):
        name = operation['name']
        arguments = f'{name}Input, {name}Output, &{model.service}::{snake(name)}'
        if 'deferred' in model.served[name].flags:
            lines.append(f'    {{.invoke_deferred = &call_deferred<{arguments}, &output_type<{index}>>}},')
        else:
            lines.append(f'    {{.invoke = &call<{arguments}>}},')
    lines += ['};', '}  // namespace', '', 'model::Handlers handlers() { return {&service_model(), table}; }', '',
              f'}}  // namespace brume::{model.service}']
    return '\n'.join(lines) + '\n'
