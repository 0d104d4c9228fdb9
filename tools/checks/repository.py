"""The repository as the checks see it: tracked files, their text, and their C++ without comments and strings."""
import functools
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP = ('.cpp', '.h')
# Comments, raw strings, strings and characters; what is left is code.
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


class Problem:
    def __init__(self, path, line, text):
        self.path, self.line, self.text = path, line, text

    def __str__(self):
        return f'{self.path}:{self.line}: {self.text}' if self.line else f'{self.path}: {self.text}'


@functools.cache
def files():
    """Tracked files that exist, and new ones that are not ignored."""
    listed = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=ROOT,
                            capture_output=True, check=True).stdout.decode().split('\0')
    return sorted(name for name in set(listed) if name and (ROOT / name).is_file())


@functools.cache
def text(path):
    return (ROOT / path).read_text(encoding='utf-8', errors='replace')


@functools.cache
def lines(path):
    return text(path).split('\n')


def cpp_files(below='src/'):
    return [path for path in files() if path.endswith(CPP) and path.startswith(below)]


def is_test(path):
    """A test, or something that only tests include."""
    name = path.rsplit('/', 1)[-1]
    return name.endswith(('_test.cpp', '_bench.cpp', '_fuzz.cpp')) or name.startswith('test_') or name in TEST_HELPERS


TEST_HELPERS = {'testing.h', 'fake.h', 'fake.cpp', 'golden_file.h', 'reference_evaluator.h', 'reference_evaluator.cpp'}


@functools.cache
def code(path):
    """The file with every comment, string and preprocessor line blanked; offsets and line numbers stay."""
    def blank(match):
        return re.sub(r'[^\n]', ' ', match.group())
    return re.sub(r'(?m)^[ \t]*#(?:.*\\\n)*.*$', blank, NOT_CODE.sub(blank, text(path)))


def line_of(source, offset):
    return source.count('\n', 0, offset) + 1
