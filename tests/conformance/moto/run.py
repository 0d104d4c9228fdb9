#!/usr/bin/env python3
"""moto's own test suites against a cloud of their own: run.py [SUITE...], for instance run.py test_iam test_sts.

The suites come from moto's pinned source distribution (tools/fetch-conformance) and are run as they are; plugin.py is
all that stands between. exclusions.yaml says which cases are out of scope, each with its reason. Prints passed of all and passed of the scope, and fails below the goal, when an excluded case
passes, or when a line of the list names no case.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT / 'tests/e2e'), str(HERE.parent)]
sys.dont_write_bytecode = True
import tally  # noqa: E402

GOAL = 0.95
SUITES = ['test_iam', 'test_sts', 'test_cloudtrail', 'test_resourcegroupstaggingapi', 'test_core',
          'test_sqs']


def fetched():
    """The directories that tools/fetch-conformance prints."""
    lines = subprocess.run([sys.executable, ROOT / 'tools/fetch-conformance', 'moto'], check=True, capture_output=True,
                           text=True).stdout
    return dict(line.split('=', 1) for line in lines.splitlines())


def run_suites(cloud, suites, words):
    """Each case's outcome by its id below tests/: {'test_iam/test_iam.py::test_x[1]': 'passed'}."""
    places = fetched()
    sources = places['BRUME_MOTO_SOURCES']
    report = pathlib.Path(tempfile.mkstemp(suffix='.json')[1])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(('AWS_', 'BRUME_'))}
    environment.update(
        TEST_SERVER_MODE='true', TEST_SERVER_MODE_ENDPOINT=f'http://127.0.0.1:{cloud.port}', BRUME_REPORT=str(report),
        PYTHONPATH=os.pathsep.join([places['BRUME_MOTO_PACKAGES'], sources, str(HERE)]), PYTHONDONTWRITEBYTECODE='1',
        AWS_CONFIG_FILE='/dev/null', AWS_SHARED_CREDENTIALS_FILE='/dev/null', AWS_EC2_METADATA_DISABLED='true',
        AWS_MAX_ATTEMPTS='1', AWS_DEFAULT_REGION='us-east-1', TESTS_SKIP_REQUIRES_DOCKER='true')
    subprocess.run([sys.executable, '-m', 'pytest', '-q', '-p', 'plugin', '-p', 'outcomes', '-p', 'no:cacheprovider',
                    '--continue-on-collection-errors', '--timeout', '120', '--tb', 'short', '--no-header', *words,
                    *[f'tests/{suite}' for suite in suites]], cwd=sources, env=environment, stdin=subprocess.DEVNULL)
    outcomes = json.loads(report.read_text())
    report.unlink()
    return {name.removeprefix('tests/'): outcome for name, outcome in outcomes.items()}


def excluded_by(exclusions, name):
    """The pattern of the list that names the case: a whole id, a test without its parameters, or a file."""
    bare = re.sub(r'\[.*\]$', '', name)
    for candidate in (name, bare, bare.split('::')[0]):
        if candidate in exclusions:
            return candidate
    return None


def judge(suite, outcomes, exclusions):
    """Prints the suite's line and what is wrong; True when it is as it should be."""
    cases = {name: outcome for name, outcome in outcomes.items() if name.startswith(suite + '/')}
    out = {name: excluded_by(exclusions, name) for name in cases}
    scope = [name for name in cases if out[name] is None]
    passed = [name for name in cases if cases[name] == 'passed']
    in_scope = [name for name in scope if cases[name] == 'passed']
    print(f'{suite}: {len(passed)}/{len(cases)} of all, {len(in_scope)}/{len(scope)} of the scope '
          f'({100 * len(in_scope) / max(1, len(scope)):.1f} %), {len(cases) - len(scope)} excluded')
    for name in sorted(set(scope) - set(in_scope)):
        print(f'  {cases[name]}: {name}')
    tally.record(f'moto {suite}', len(in_scope), len(scope) - len(in_scope), len(cases) - len(scope))
    surprises = [name for name in passed if out[name] is not None and '::' in out[name]]
    for name in surprises:
        print(f'  excluded, and passes: {name}')
    unknown = [line for line in exclusions if line.startswith(suite + '/') and line not in out.values()]
    for line in unknown:
        print(f'  names no case: {line}')
    return bool(scope) and len(in_scope) >= GOAL * len(scope) and not surprises and not unknown


def main():
    words = [word for word in sys.argv[1:] if word.startswith('-') or '=' in word]
    suites = [word for word in sys.argv[1:] if word not in words] or SUITES
    sys.path.insert(0, fetched()['BRUME_MOTO_PACKAGES'])
    import network
    import yaml
    from cloud import Cloud
    exclusions = yaml.safe_load((HERE / 'exclusions.yaml').read_text()) or {}
    if not all(isinstance(reason, str) and len(reason) > 10 for reason in exclusions.values()):
        sys.exit('every exclusion needs its reason')
    network.leave_host()
    cloud = Cloud('--offline')
    try:
        outcomes = run_suites(cloud.up(), suites, words)
    finally:
        left = cloud.delete()
        for directory in (cloud.work, cloud.state):
            shutil.rmtree(directory, ignore_errors=True)
    good = [judge(suite, outcomes, exclusions) for suite in suites]
    if left:
        print('left behind: ' + ', '.join(left))
    sys.exit(0 if all(good) and not left else 1)


if __name__ == '__main__':
    main()
