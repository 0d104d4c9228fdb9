"""operation_names.cpp: models/operations.txt as one constant, parsed by front/protocols/catalogue when it is asked, and
the integers of 32 bits of the served services' models."""
import json
import pathlib

from naming import literal


def function(name, lines):
    return [f'std::string_view {name}() {{', '  return ""'] + [literal(line + '\n') for line in lines] + ['      ;', '}']


def narrow_integers(models):
    for path in sorted(models.glob('*.json')):
        shapes = json.loads(path.read_text()).get('shapes', {})
        yield from (f'{path.stem}:{name}' for name, shape in sorted(shapes.items()) if shape.get('type') == 'integer')


def render(root):
    models = pathlib.Path(root) / 'models'
    names = [line for line in (models / 'operations.txt').read_text().splitlines() if not line.startswith('#')]
    return '\n'.join(['// Generated from models/ by codegen/. Do not edit.', '#include <string_view>', '',
                      'namespace brume::model {', *function('operation_names', names),
                      *function('narrow_integers', narrow_integers(models)), '}  // namespace brume::model']) + '\n'
