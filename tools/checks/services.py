"""Each service's README with its table of operations, and which operations have a test that names them."""
import re
import sys

from .repository import ROOT, Problem, files, text

sys.path.insert(0, str(ROOT / 'codegen'))
from naming import snake  # noqa: E402

BEGIN, END = '<!-- operations: written by tools/tidy --write -->', '<!-- end of operations -->'


def services():
    return sorted(path.removeprefix('models/served/').removesuffix('.txt') for path in files()
                  if path.startswith('models/served/'))


def served(service):
    rows = (line.split() for line in text(f'models/served/{service}.txt').split('\n'))
    return [row[0] for row in rows if row and not row[0].startswith('#')]


def handlers(service):
    """Operation -> the noun of the file that defines its handler."""
    found = {}
    names = {snake(operation): operation for operation in served(service)}
    for path in files():
        if path.startswith(f'src/services/{service}/operations/') and path.endswith('.cpp') and '_test' not in path:
            for match in re.finditer(r'(?m)^(?:\w+Output|void) (\w+)\(', text(path)):
                if match.group(1) in names:
                    found[names[match.group(1)]] = path.rsplit('/', 1)[-1].removesuffix('.cpp')
    return found


def all_operations(service):
    """How many operations AWS's model of the service has."""
    count, here = 0, False
    for line in text('models/operations.txt').split('\n'):
        if line.startswith('@'):
            here = line.split()[1] == service
        elif here and line and not line.startswith('#'):
            count += 1
    return count


def table(service):
    rows = {}
    defined = handlers(service)
    for operation in served(service):
        rows.setdefault(defined.get(operation, 'elsewhere').replace('_', ' '), []).append(operation)
    body = '\n'.join(f'| {noun} | {", ".join(sorted(rows[noun]))} |' for noun in sorted(rows))
    total = all_operations(service)
    count = f'{len(served(service))} operations' + (f' of AWS\'s {total}' if total else '')
    return f'{BEGIN}\n| {count} | |\n|---|---|\n{body}\n{END}'


def with_table(readme, fresh):
    if BEGIN in readme:
        return readme[:readme.index(BEGIN)] + fresh + readme[readme.index(END) + len(END):]
    known = readme.find('## Known differences')
    at = known if known >= 0 else len(readme)
    return readme[:at].rstrip() + '\n\n## Operations\n\n' + fresh + '\n' + ('\n' + readme[at:] if readme[at:] else '')


def write():
    """Brings the table of every service's README up to date."""
    for service in services():
        path = ROOT / 'src/services' / service / 'README.md'
        if not path.parent.is_dir():
            continue
        old = path.read_text() if path.exists() else f'# {service}\n'
        fresh = with_table(old, table(service))
        if fresh != old or not path.exists():
            path.write_text(fresh)
            print(f'wrote {path.relative_to(ROOT)}')


def check():
    for service in services():
        path = f'src/services/{service}/README.md'
        if path not in files():
            yield Problem(path, 0, 'every service has a README (tools/tidy --write starts one)')
        elif table(service) not in text(path):
            yield Problem(path, 0, 'its table of operations is stale (tools/tidy --write)')
    for operation in untested():
        yield Problem(f'models/served/{operation.split(":")[0]}.txt', 0, f'no test names {operation.split(":")[1]}')


def tested(service):
    """The operations that a unit test of the service or an end-to-end test names, in C++, Python or shell spelling."""
    sources = [path for path in files() if (path.startswith((f'src/services/{service}/', 'src/app/')) and
                                            path.endswith('_test.cpp')) or path.startswith('tests/e2e/')]
    words = set()
    for path in sources:
        words.update(re.findall(r'[A-Za-z0-9_-]+', text(path)))
    return [operation for operation in served(service)
            if words & {operation, snake(operation), snake(operation).rstrip('_').replace('_', '-')}]


def untested():
    for service in services():
        named = set(tested(service))
        yield from (f'{service}:{operation}' for operation in served(service) if operation not in named)


def summary():
    total = sum(len(served(service)) for service in services())
    yield f'{total - len(list(untested()))} of {total} served operations are named by a test (tools/tidy --untested)'
