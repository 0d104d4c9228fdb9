"""Fixtures of the end-to-end tests: a cloud per file, with nothing left of it afterwards (DECISIONS 24)."""
import contextlib
import os
import pathlib
import shutil
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import network  # noqa: E402
import traces  # noqa: E402
from cloud import PROGRAM, ROOT, Cloud  # noqa: E402

# The longest first, so that two workers end together.
ORDER = ['test_hello.py', 'test_foreign_terraform.py', 'test_demo.py', 'test_s3_backend.py']


def pytest_configure(config):
    config.stash['machine'] = None
    worker = hasattr(config, 'workerinput')
    alone = not worker and not config.getoption('numprocesses', None)
    if os.geteuid() == 0 and (worker or alone):
        network.leave_host()
    # Who has the machine alone compares it before and after; elsewhere each file judges what was its own.
    if not worker and os.environ.get('CI') == 'true' and os.geteuid() == 0:
        config.stash['machine'] = traces.machine()


def pytest_sessionfinish(session):
    before = session.config.stash.get('machine', None)
    if before is None:
        return
    after = traces.machine()
    left = [f'{kind}: {item}' for kind in before for item in sorted(after[kind] - before[kind])]
    if left:
        print('\nleft on this machine by the tests:\n  ' + '\n  '.join(left))
        session.exitstatus = 1


def pytest_collection_modifyitems(config, items):
    # What takes too long for every push: `tools/nightly` asks for it.
    if os.environ.get('BRUME_NIGHTLY') != '1':
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker('nightly')])
        items[:] = [item for item in items if not item.get_closest_marker('nightly')]
    items.sort(key=lambda item: ORDER.index(item.path.name) if item.path.name in ORDER else len(ORDER))


def make_cloud(*options, **more):
    if os.geteuid() != 0:
        pytest.skip('end-to-end tests make namespaces: run them as root')
    if not PROGRAM.exists():
        pytest.fail(f'{PROGRAM} is not built (make)')
    return Cloud(*options, **more)


def end(cloud, name=None):
    if name and cloud.log():  # for whoever wants to know why
        (ROOT / 'build/e2e').mkdir(parents=True, exist_ok=True)
        (ROOT / 'build/e2e' / f'{name}.log').write_text(cloud.log())
    try:
        left = cloud.delete()
    finally:
        shutil.rmtree(cloud.work, ignore_errors=True)
        shutil.rmtree(cloud.state, ignore_errors=True)
    assert not left, 'down --delete left behind:\n  ' + '\n  '.join(left)


@contextlib.contextmanager
def served(name, *options):
    """A cloud that is up, and gone afterwards; its log is kept by that name."""
    cloud = make_cloud(*options)
    try:
        yield cloud.up()
    finally:
        end(cloud, name)


@pytest.fixture(scope='module')
def cloud(request):
    """A cloud of the file's own, up, offline, on a port of its own."""
    with served(request.path.stem, '--offline') as cloud:
        yield cloud


@pytest.fixture
def fresh_cloud():
    """A function that makes further clouds, each removed at the end of the test."""
    made = []

    def make(*options, offline=True, **more):
        made.append(make_cloud(*options, *(['--offline'] if offline else []), **more))
        return made[-1]
    yield make
    for cloud in made:
        end(cloud)
