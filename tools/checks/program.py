"""What a build holds: the licences of the libraries that the program links, its slowest unit and its slowest test."""
import json
import re
import subprocess
import xml.etree.ElementTree

from .repository import ROOT, Problem

# Brume is Apache-2.0: it links permissive libraries and, dynamically, LGPL ones; GPL programs stay programs
# (DECISIONS 3). By the library's name; a library that is not here fails until its licence is read and stated.
LICENCES = {
    'ld-linux-x86': 'LGPL-2.1', 'libc': 'LGPL-2.1', 'libm': 'LGPL-2.1', 'libpthread': 'LGPL-2.1',
    'libgcc_s': 'GPL-3 with the runtime exception', 'libstdc++': 'GPL-3 with the runtime exception',
    'libssl': 'Apache-2.0', 'libcrypto': 'Apache-2.0', 'libz': 'Zlib', 'libfmt': 'MIT', 'libre2': 'BSD-3',
    'libabsl': 'Apache-2.0', 'libsimdjson': 'Apache-2.0', 'libpugixml': 'MIT', 'libboost_json': 'BSL-1.0',
    'libboost_container': 'BSL-1.0', 'libboost_system': 'BSL-1.0', 'libarchive': 'BSD-2',
    'librocksdb': 'Apache-2.0 (or GPL-2)', 'libnl': 'LGPL-2.1', 'libnl-route': 'LGPL-2.1',
    # What those bring along. RocksDB and libarchive themselves are linked whole: Apache-2.0 (or GPL-2) and BSD-2.
    # So are libpng (libpng-2.0) and QR Code generator (MIT).
    'libsnappy': 'BSD-3', 'liblz4': 'BSD-2', 'libzstd': 'BSD-3 (or GPL-2)', 'libbz2': 'BSD-like', 'libgflags': 'BSD-3',
    'liblzma': 'public domain', 'libacl': 'LGPL-2.1', 'libattr': 'LGPL-2.1', 'libxml2': 'MIT', 'libnettle': 'LGPL-3',
    'libicuuc': 'Unicode', 'libicudata': 'Unicode', 'liburing': 'LGPL-2.1 (or MIT)', 'libtbb': 'Apache-2.0',
    'libnuma': 'LGPL-2.1', 'libjemalloc': 'BSD-2', 'linux-vdso': 'the kernel',
}
BUILD = 'build/dev'


def libraries(program):
    listing = subprocess.run(['ldd', str(program)], capture_output=True, text=True, check=True).stdout
    return sorted(re.findall(r'(?m)^\s*(\S+)', listing))


def check(build=BUILD):
    program = ROOT / build / 'brume'
    if not program.exists():
        return
    for library in libraries(program):
        name = re.sub(r'(-[\d.]+)?\.so.*$', '', library.rsplit('/', 1)[-1])
        known = LICENCES.get(name) or LICENCES.get(re.sub(r'_.*', '', name))
        if known is None:
            yield Problem(library, 0, 'is linked and its licence is not stated in tools/checks/program.py')
        elif known.startswith(('GPL', 'AGPL')) and 'exception' not in known:
            yield Problem(library, 0, f'is linked and is {known}')


def slowest_unit(build):
    log = ROOT / build / '.ninja_log'
    if not log.exists():
        return
    longest = {}
    for line in log.read_text().split('\n')[1:]:
        fields = line.split('\t')
        if len(fields) >= 4 and fields[3].endswith('.cpp.o'):
            longest[re.sub(r'CMakeFiles/[^/]*\.dir/', '', fields[3])] = (int(fields[1]) - int(fields[0])) / 1000
    if longest:
        unit = max(longest, key=longest.get)
        yield f'slowest of {len(longest)} units {unit}, {longest[unit]:.1f} s when it was last compiled'


def slowest_test(build):
    """Of the last run of each kind, as tools/test left its reports."""
    unit = [(float(test['time'].rstrip('s')), f'{suite["name"]}.{test["name"]}')
            for path in (ROOT / build / 'reports').glob('*.json')
            for suite in json.loads(path.read_text())['testsuites'] for test in suite['testsuite']]
    report = ROOT / 'build/e2e.xml'
    cases = xml.etree.ElementTree.parse(report).iter('testcase') if report.exists() else []
    whole = [(float(case.get('time')), f'{case.get("classname")}.{case.get("name")}') for case in cases]
    for kind, times in (('unit', unit), ('end-to-end', whole)):
        if times:
            seconds, name = max(times)
            yield f'slowest of {len(times)} {kind} tests {name}, {seconds:.1f} s when they were last run'
        else:
            yield f'no {kind} tests were run here yet (make {"unit" if kind == "unit" else "e2e"})'


def summary(build=BUILD):
    yield from slowest_unit(build)
    yield from slowest_test(build)
