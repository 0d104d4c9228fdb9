"""Sizes, banned calls, the form of comments, formatting, and what must never be committed."""
import re
import subprocess

from .repository import ROOT, Problem, code, cpp_files, files, is_test, line_of, lines, text

# Longest file in lines (STYLE 3).
LIMITS = [('_test.cpp', 500), ('.cpp', 600), ('.h', 250)]
PYTHON_LIMIT = 500
FUNCTION_LIMIT = 70
# Over a limit today. Each line is a debt with its reason; an entry that is no longer needed fails.
TOO_LONG_FILES = {
}
TOO_LONG_FUNCTIONS = {
    ('src/services/ecs/plan_task_test.cpp', 'play'): 76,  # a switch over every action; its cases could be functions
}

# What is banned, where it is allowed, and what stands in its place.
BANNED = [
    (r'\bsystem_clock\b|\bgettimeofday\b|\bCLOCK_REALTIME\b|(?<![\w.>:])(?:::|std::)?time\((?:nullptr|NULL|0|&)',
     ('src/core/', 'src/planes/time/'), 'time comes from Clock&'),
    (r'\brandom_device\b|(?<![\w.>])(?:::|std::)?s?rand\(|\barc4random|\bgetrandom\(', ('src/core/',),
     'randomness comes from Random&'),
    (r'(?<![\w.>:])(?:std::|::)?(?:assert)\(', (), 'BRUME_CHECK logs and aborts in release too'),
    (r'\busing namespace std;', (), 'name what is used'),
]
BANNED_OUTSIDE_TESTS = [
    (r'\bstd::(?:cout|cerr|clog)\b', (), 'fmt and stdio for commands, core/log.h for the daemon'),
    (r'(?<![\w.>])(?:::|std::)?(?:system|popen)\(', (), 'the keeper starts programs, without a shell'),
    (r'(?<![\w.>])(?:::)?v?fork\(', ('src/planes/keeper/', 'src/planes/time/', 'src/app/commands/'), 'the keeper starts processes'),
    (r'\bmt19937', ('src/core/',), 'randomness comes from Random&'),
]
SLEEP = re.compile(r'\bsleep_(?:for|until)\(|(?<![\w.>])(?:::)?u?sleep\(|\bnanosleep\(')
# Where a pause is the pace of a poll with a deadline and not a guess at how long something takes.
SLEEP_ALLOWED = {'src/core/testing.h', 'src/store/store_test.cpp', 'src/planes/containers/test_target.h',
                 'tests/e2e/waiting.py'}

TODO = re.compile(r'\b(TODO|FIXME|XXX|HACK)\b')
TODO_FORM = re.compile(r'TODO\((perf|compat|cleanup|test)\): \S')
MACHINE_PATH = re.compile(r'(?<![\w.{}$/-])/(?:work|farm|root|home/[a-z]\w*|opt/tf-\w*)/|\.mirror' '/')
# Paths inside a container, not of a machine.
MACHINE_PATH_ALLOWED = {'src/planes/containers/runc_containers_test.cpp'}
PRIVATE_KEY = re.compile(r'BEGIN (?:\w+ )?PRIVATE KEY-----\n\s*["\']?[A-Za-z0-9+/]{20}')


def check_sizes():
    needed = set()
    for path in files():
        limit = next((most for end, most in LIMITS if path.startswith('src/') and path.endswith(end)), None)
        if limit and is_test(path):
            limit = LIMITS[0][1]
        if path.endswith('.py'):
            limit = PYTHON_LIMIT
        count = len(lines(path)) - 1
        if limit and count > limit:
            needed.add(path)
            if count > TOO_LONG_FILES.get(path, 0):
                yield Problem(path, 0, f'{count} lines, at most {limit}: split it by noun')
    for path in TOO_LONG_FILES.keys() - needed:
        yield Problem(path, 0, 'is no longer too long: take it out of TOO_LONG_FILES in tools/checks/style.py')


def functions(path):
    """(name, first line, number of lines) of each function, by counting braces; a lambda belongs to its function."""
    source = code(path)
    stack, start = [], 0
    for match in re.finditer(r'[{};]', source):
        at, character = match.start(), match.group()
        inside = any(kind == 'function' for kind, _, _ in stack)
        if character == '{':
            head = source[start:at]
            stripped = head.strip()
            if inside:
                stack.append(('block', 0, start))
            elif re.search(r'\b(namespace|extern)\b[^()]*$', stripped):
                stack.append(('scope', 0, 0))
            elif re.match(r'(template\s*<.*>\s*)?(typedef\s+)?(class|struct|union|enum)\b', stripped, re.DOTALL):
                stack.append(('scope', 0, 0))
            elif '(' in stripped and not stripped.startswith((',', '{')) and not re.search(r'[\w>]$', head.split(':')[-1] if ' : ' in head else '('):
                first = line_of(source, start + len(head) - len(head.lstrip()))
                stack.append(('function', first, name_of(stripped)))
            else:  # an initializer: the head goes on behind it
                stack.append(('initializer', 0, start))
                continue
            start = at + 1
        elif character == '}' and stack:
            kind, first, extra = stack.pop()
            if kind == 'function':
                yield extra, first, line_of(source, at) - first + 1
            start = extra if kind == 'initializer' else at + 1
        elif character == ';':
            start = at + 1


def name_of(head):
    match = re.search(r'([\w~:]+)\s*\(([^()]*)', head)
    if not match:
        return head[:40]
    return f'{match.group(1)}({match.group(2)})' if match.group(1).startswith('TEST') else match.group(1)


def check_functions():
    needed = set()
    for path in cpp_files():
        for name, line, count in functions(path):
            if count > FUNCTION_LIMIT:
                needed.add((path, name))
                if count > TOO_LONG_FUNCTIONS.get((path, name), 0):
                    yield Problem(path, line, f'{name} has {count} lines, at most {FUNCTION_LIMIT}')
    for path, name in TOO_LONG_FUNCTIONS.keys() - needed:
        yield Problem(path, 0, f'{name} is no longer too long: take it out of TOO_LONG_FUNCTIONS')


def check_calls():
    for path in cpp_files():
        rules = BANNED if is_test(path) else BANNED + BANNED_OUTSIDE_TESTS
        source = code(path)
        for pattern, allowed, instead in rules:
            if allowed and path.startswith(allowed):
                continue
            for match in re.finditer(pattern, source):
                yield Problem(path, line_of(source, match.start()), f'{match.group().strip("(")}: {instead}')
    sleepers = [path for path in cpp_files() if is_test(path)]
    sleepers += [path for path in files() if path.startswith('tests/') and path.endswith('.py')]
    for path in sleepers:
        source = code(path) if path.startswith('src/') else text(path)
        for match in SLEEP.finditer(source) if path not in SLEEP_ALLOWED else []:
            yield Problem(path, line_of(source, match.start()), 'a test waits for a condition with a deadline, not for time')


def check_comments():
    for path in cpp_files():
        if path.endswith('.h') and not text(path).lstrip().startswith('//'):
            yield Problem(path, 1, 'a header opens with what it is, who owns it and which thread it runs on')
        for number, line in enumerate(lines(path), 1):
            comment = line.partition('//')[2]
            if TODO.search(comment) and not TODO_FORM.search(comment):
                yield Problem(path, number, 'the form is TODO(perf|compat|cleanup|test): what')


def check_secrets():
    for path in files():
        for number, line in enumerate(lines(path), 1) if path not in MACHINE_PATH_ALLOWED else []:
            if MACHINE_PATH.search(line):
                yield Problem(path, number, 'a path of one machine')
        match = PRIVATE_KEY.search(text(path))
        if match:
            yield Problem(path, line_of(text(path), match.start()), 'a private key')


def check_format():
    paths = [path for path in files() if path.endswith(('.cpp', '.h'))]
    for at in range(0, len(paths), 100):
        done = subprocess.run(['clang-format-19', '--dry-run', '-Werror', *paths[at:at + 100]], cwd=ROOT,
                              capture_output=True, text=True)
        for path in sorted(set(re.findall(r'(?m)^(\S+?):\d+:\d+: error', done.stderr))):
            yield Problem(path, 0, 'is not formatted (make format)')


def check():
    for part in (check_sizes, check_functions, check_calls, check_comments, check_secrets, check_format):
        yield from part()


def summary():
    """The longest file and the longest function."""
    longest = max(cpp_files(), key=lambda path: len(lines(path)), default=None)
    every = [(count, name, path) for path in cpp_files() for name, _, count in functions(path)]
    if longest:
        yield f'longest file {longest}, {len(lines(longest)) - 1} lines'
    if every:
        count, name, path = max(every)
        yield f'longest of {len(every)} functions {name} in {path}, {count} lines'
