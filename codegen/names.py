"""operation_names.cpp: models/operations.txt as one constant, parsed by front/protocols/catalogue when it is asked."""
import pathlib

from naming import literal


def render(root):
    text = (pathlib.Path(root) / 'models' / 'operations.txt').read_text()
    rows = [literal(line + '\n') for line in text.splitlines() if not line.startswith('#')]
    return '\n'.join(['// Generated from models/operations.txt by codegen/. Do not edit.', '#include <string_view>', '',
                      'namespace brume::model {', 'std::string_view operation_names() {', '  return'] + rows
                     + ['      ;', '}', '}  // namespace brume::model']) + '\n'
