"""Every kind of wait of C, Python, node, bash and Go under a clock that runs faster, is turned, advanced and paused."""
import pathlib
import random
import shutil
import subprocess
import sys
import time

import pytest

from waiting import wait_until
from test_clock import begin, clock, dial  # noqa: F401  fixtures

SPEED, SECONDS = 20, 60
KINDS = 26  # of waits in C
PROGRAMS = pathlib.Path(__file__).parent / 'clocks'


@pytest.fixture(scope='module')
def programs(tmp_path_factory):
    """Compiled checkers: linked dynamically and statically."""
    directory = tmp_path_factory.mktemp('programs')
    compiler = shutil.which('cc') or 'clang-19'
    for name, flags in (('waits', []), ('waits-static', ['-static']), ('watch', []), ('watch-static', ['-static'])):
        source = PROGRAMS / f'{name.split("-")[0]}.c'
        subprocess.run([compiler, '-O1', *flags, source, '-o', directory / name, '-lpthread', '-lrt'], check=True)
    return directory


@pytest.fixture(scope='module')
def go_program(tmp_path_factory):
    go = shutil.which('go') or '/usr/local/go/bin/go'
    directory = tmp_path_factory.mktemp('go')
    shutil.copy(PROGRAMS / 'tool.go', directory / 'tool.go')
    (directory / 'go.mod').write_text('module waittool\n\ngo 1.22\n')
    subprocess.run([go, 'build', '-o', 'tool', '.'], check=True, cwd=directory,
                   env={'HOME': str(directory), 'PATH': '/usr/bin:/bin', 'GOFLAGS': '-mod=mod', 'GOTOOLCHAIN': 'local'})
    return directory / 'tool'


def judge(output, speed=SPEED, tolerance=0.05):
    """Each line's wait: right by the clock that the tool saw, and by the machine's as much shorter as it was to be."""
    lines = [line.split() for line in output.splitlines() if line != 'begun']
    assert lines
    for name, took, calendar, machine in lines:
        print(f'{name:<18} {took:>8} s of cloud time in {float(machine):6.3f} s: ratio {SECONDS / float(machine):5.1f}')
        for seen in (float(took), float(calendar)):
            # An alarm is set in whole seconds, and may ring up to one tick of the kernel early.
            assert SECONDS - 0.1 <= seen <= SECONDS * (1 + tolerance), (name, took, calendar)
        if speed is not None:
            assert float(machine) <= SECONDS / speed * (1 + tolerance) + 0.05, (name, machine)
    return len(lines)


@pytest.mark.parametrize('program', ['waits', 'waits-static'])
def test_c_waits(cloud, programs, program):
    cloud.brume('clock', 'speed', SPEED)
    assert judge(cloud.exec(programs / program, SECONDS, cloud.work / program).stdout) == KINDS


def test_python_waits_and_its_children(cloud):
    cloud.brume('clock', 'speed', SPEED)
    assert judge(cloud.exec(sys.executable, PROGRAMS / 'waits.py', SECONDS, cloud.work / 'python').stdout) == 9


def test_node_and_bash_wait(cloud):
    cloud.brume('clock', 'speed', SPEED)
    node = cloud.exec('node', '-e', '''
        const fs = require('fs'), path = process.argv[1];
        const machine = () => { fs.writeFileSync(path, '.'); return fs.statSync(path).mtimeMs; };
        const real = machine(), calendar = Date.now(), begun = performance.now();
        setTimeout(() => console.log('node_timeout', (performance.now() - begun) / 1000, (Date.now() - calendar) / 1000,
                                     (machine() - real) / 1000), 60000);''', cloud.work / 'node').stdout
    bash = cloud.exec('bash', '-c', '''
        touch "$0"; real=$(stat -c %.Y "$0"); begun=$EPOCHREALTIME; SECONDS=0
        sleep 60
        touch "$0"; awk "BEGIN { print \\"bash_sleep\\", $EPOCHREALTIME - $begun, $SECONDS, $(stat -c %.Y "$0") - $real }"
        ''', cloud.work / 'bash').stdout
    assert judge(node + bash) == 2


def test_waits_that_have_begun_follow_a_new_speed(cloud, begin, programs):
    tool = begin(programs / 'waits', SECONDS, cloud.work / 'turned', stdout=subprocess.PIPE)
    tool.kill()  # not followed: nothing is turned yet
    cloud.brume('clock', 'speed', 1.5)
    tool = begin(programs / 'waits', SECONDS, cloud.work / 'turned', stdout=subprocess.PIPE)
    assert tool.stdout.readline() == 'begun\n'
    begun = time.monotonic()
    for speed in (40, 3, 20, 60):
        time.sleep(0.3)
        cloud.brume('clock', 'speed', speed)
    out, _ = tool.communicate(timeout=60)
    assert time.monotonic() - begun < 15
    assert tool.returncode == 0
    assert judge(out, speed=None, tolerance=0.1) == KINDS


def test_an_advance_ends_every_kind_of_wait(cloud, begin, programs):
    cloud.brume('clock', 'speed', 2)
    tool = begin(programs / 'waits', 3600, cloud.work / 'advanced', stdout=subprocess.PIPE)
    assert tool.stdout.readline() == 'begun\n'
    wait_until(lambda: len(list(cloud.work.glob('advanced.*'))) == KINDS, 20, 'the beginning of each')
    cloud.brume('clock', 'advance', '59m')
    assert len(list(cloud.work.glob('advanced.*'))) == KINDS
    begun = time.monotonic()
    # One may have begun to wait only after the first advance.
    cloud.brume('clock', 'advance', '1h')
    out, _ = tool.communicate(timeout=30)
    assert time.monotonic() - begun < 20
    lines = [line.split() for line in out.splitlines()]
    assert len(lines) == KINDS
    for name, took, calendar, _ in lines:
        assert float(took) >= 3599.9 and float(calendar) >= 3599.9, (name, took, calendar)


def turn(cloud, seed, changes):
    """Random changes of the clock, one after the other."""
    choose = random.Random(seed)
    for _ in range(changes):
        what = choose.randrange(10)
        if what < 5:
            cloud.brume('clock', 'speed', round(choose.choice([0.1, 0.5, 1, 2, 20, 100, 1000]) * (1 + choose.random()), 2))
        elif what < 7:
            cloud.brume('clock', 'advance', choose.choice(['10ms', '1s', '30m', '2d']))
        else:
            cloud.brume('clock', 'pause')
            cloud.brume('clock', 'resume')


def watched(cloud, begin, tools, changes):
    cloud.brume('clock', 'speed', 2)
    over = cloud.work / 'over'
    over.unlink(missing_ok=True)
    running = [begin(*[str(word).replace('{over}', str(over)) for word in tool], stdout=subprocess.PIPE) for tool in tools]
    for tool in running:
        assert tool.stdout.readline() == 'begun\n'
    turn(cloud, 7, changes)
    over.write_text('')
    for tool in running:
        out, _ = tool.communicate(timeout=60)
        assert tool.returncode == 0, out
        print(out.strip())
        assert int(out.split()[0]) > 1000


PYTHON_WATCH = '''
import os, time
print('begun', flush=True)
last = {name: 0 for name in ('monotonic', 'boottime', 'realtime')}
readings = 0
while not os.path.exists('OVER'):
    for _ in range(500):
        for name in last:
            now = time.clock_gettime_ns(getattr(time, 'CLOCK_' + name.upper()))
            assert now >= last[name], (name, last[name] - now)
            last[name] = now
            readings += 1
    time.sleep(0.004)
print(readings, 'readings')'''


def test_clocks_never_run_backwards(cloud, begin, programs):
    python = [sys.executable, '-c', PYTHON_WATCH.replace('OVER', str(cloud.work / 'over'))]
    watched(cloud, begin, [[programs / 'watch', '{over}'], [programs / 'watch-static', '{over}'], python], 20)


@pytest.mark.nightly
def test_two_hundred_changes_under_c_go_and_python(cloud, begin, programs, go_program):
    python = [sys.executable, '-c', PYTHON_WATCH.replace('OVER', str(cloud.work / 'over'))]
    watched(cloud, begin, [[programs / 'watch', '{over}'], [go_program, 'watch', '{over}'], python], 200)


@pytest.mark.nightly
def test_go_waits(cloud, go_program):
    cloud.brume('clock', 'speed', SPEED)
    assert judge(cloud.exec(go_program, 'waits', SECONDS, cloud.work / 'go').stdout) == 4


def test_a_killed_launcher_leaves_nothing_stopped(cloud, begin):
    cloud.brume('clock', 'speed', SPEED)
    tool = begin('bash', '-c', 'echo begun; sleep 100000 & sleep 100000', stdout=subprocess.PIPE)
    tool.stdout.readline()
    status = pathlib.Path(f'/proc/{tool.pid}/status').read_text()
    launcher = int(status.split('TracerPid:')[1].split()[0])
    assert pathlib.Path(f'/proc/{launcher}/comm').read_text() == 'brume-clock\n'
    subprocess.run(['kill', '-9', str(launcher)], check=True)
    assert tool.wait(20) == -9


def test_stopped_and_continued_as_from_a_terminal(cloud, begin):
    cloud.brume('clock', 'speed', SPEED)
    # As a shell's job. SIGTSTP stops nobody in a process group whose parents are all in other sessions.
    tool = begin('sleep', '100', stdout=subprocess.PIPE, process_group=0)
    deadline = time.monotonic() + 20

    def state():
        return pathlib.Path(f'/proc/{tool.pid}/stat').read_text().rsplit(')', 1)[1].split()[0]
    while pathlib.Path(f'/proc/{tool.pid}/comm').read_text() != 'sleep\n' or state() != 'S':
        assert time.monotonic() < deadline
    tool.send_signal(20)  # SIGTSTP: Ctrl-Z
    # Seen once, it might only be the signal that is with the tracer.
    while not all(state() in 'tT' for _ in range(1000)):
        assert time.monotonic() < deadline
    tool.send_signal(18)
    tool.wait(30)
    assert tool.returncode == 0


def test_children_outlive_the_tool(cloud):
    cloud.brume('clock', 'speed', SPEED)
    mark = cloud.work / 'mark'
    cloud.exec('bash', '-c', f'(sleep 60; date +%s > {mark}.new; mv {mark}.new {mark}) >/dev/null 2>&1 & exit 0')
    deadline = time.monotonic() + 20
    while not mark.exists():
        assert time.monotonic() < deadline
    assert int(mark.read_text()) > 0
