"""Tools of every form: musl, with the set-user-id bit, of another architecture, under a debugger, where nothing may be
traced. Those that cannot follow the clock keep the machine's and say so once; none is left stopped."""
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import pytest

from cloud import clean_environment
from test_clock import begin, dial  # noqa: F401  fixtures
from test_clock_tools import KINDS, PROGRAMS, SECONDS, SPEED, judge
from waiting import wait_until

COMPILER = shutil.which('cc') or 'clang-19'
NOBODY = {'SUDO_UID': '65534', 'SUDO_USER': 'nobody'}


@pytest.fixture(scope='module')
def built():
    """A function that compiles one of the sources, where every user may run it (pytest's own directories are root's)."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix='brume-forms-'))
    directory.chmod(0o755)

    def build(name, *flags, compiler=COMPILER):
        made = directory / name
        if not made.exists():
            subprocess.run([compiler, '-O1', PROGRAMS / f'{name}.c', '-o', made, *flags], check=True)
        return made
    yield build
    shutil.rmtree(directory)


@pytest.fixture
def turned(cloud):
    cloud.brume('clock', 'advance', '3d')
    cloud.brume('clock', 'speed', SPEED)
    return cloud


def is_real(seconds):
    return abs(int(seconds) - time.time()) < 3600


def test_musl_programs_follow(turned, built):
    headers = ['-idirafter', '/usr/include', '-idirafter', '/usr/include/x86_64-linux-gnu']
    for flags in (['-static'], []):
        waits = built('waits', *flags, *headers, compiler='musl-gcc')
        assert judge(turned.exec(waits, SECONDS, turned.work / 'musl').stdout) == KINDS
        waits.unlink()


def test_a_set_user_id_program_keeps_its_right_and_follows(turned, built):
    """By root's exec, which gives its launcher the right to trace any; as an ordinary user."""
    program = built('setuid')
    program.chmod(0o4755)
    ruid, euid, secure, _, seen, machine = turned.exec(program, env=NOBODY, cwd='/').stdout.split()
    assert (ruid, euid, secure) == ('65534', '0', '1')
    assert 60 <= int(seen) <= 63
    assert float(machine) < 60 / SPEED * 2
    # The control: what has promised to gain nothing gains nothing.
    done = turned.exec('setpriv', '--no-new-privs', program, env=NOBODY, cwd='/')
    assert done.stdout.split()[:3] == ['65534', '65534', '0']


def test_file_capabilities_count_and_the_program_follows(turned, built):
    """What ping has on Debian, instead of the bit."""
    program = built('setuid')
    program.chmod(0o755)
    raw = 1 << 13  # CAP_NET_RAW
    os.setxattr(program, 'security.capability', struct.pack('<IIIII', 0x0200_0001, raw, 0, 0, 0))
    ruid, euid, secure, capabilities, seen, _ = turned.exec(program, env=NOBODY, cwd='/').stdout.split()
    os.removexattr(program, 'security.capability')
    assert (ruid, euid, secure) == ('65534', '65534', '1')
    assert int(capabilities, 16) == raw
    assert 60 <= int(seen) <= 63


def test_real_programs_with_the_bits_do_what_they_do_outside(turned):
    """passwd reads /etc/shadow by the set-user-id bit, chage by the set-group-id bit; su, begun by root, drops it."""
    def asked(*command):
        status = pathlib.Path('/proc/self/status')
        script = f'grep TracerPid {status}; cd /; LC_ALL=C exec "$@"'
        followed = turned.exec('bash', '-c', script, 'bash', *command, env=NOBODY, cwd='/').stdout.split('\n', 1)
        assert int(followed[0].split()[1]) > 0
        outside, promised = (subprocess.run(
            ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', *more, *command],
            capture_output=True, text=True, cwd='/', env=dict(clean_environment(), LC_ALL='C')).stdout
            for more in ([], ['--no-new-privs']))
        assert outside != promised  # the control: the right matters
        assert followed[1] == outside
    asked('passwd', '--status')
    asked('chage', '--list', 'nobody')
    out = turned.exec('su', 'nobody', '-s', '/bin/bash', '-c', 'a=$SECONDS; sleep 60; echo $UID $((SECONDS - a))')
    user, seen = out.stdout.split()
    assert user == '65534' and 60 <= int(seen) <= 66


def test_a_right_that_is_given_up_for_following_is_told(turned):
    """Without CAP_SYS_ADMIN the kernel wants the promise that no program gains a right. What had promised it loses
    nothing, and hears nothing."""
    words = [turned.program, 'follow', f'{turned.state}/clock', '', 'bash', '-c',
             'grep NoNewPrivs /proc/self/status; date +%s']
    for before, is_told in (['--bounding-set', '-sys_admin'], 1), (['--no-new-privs'], 0):
        done = subprocess.run(['setpriv', *before, *words], capture_output=True, text=True, env=clean_environment())
        promised, now = done.stdout.split('\n')[:2]
        assert promised.split()[1] == '1' and not is_real(now)
        assert done.stderr.count('set-user-id') == is_told, done.stderr


@pytest.mark.parametrize('way', ['kill', 'refuse'])
def test_a_program_with_a_filter_of_its_own_follows(turned, built, way):
    """It forbids itself what its waits would be rewritten to: ppoll, pselect6, epoll_pwait2."""
    done = turned.exec(built('sandbox'), SECONDS, turned.work / 'sandbox', way)
    assert judge(done.stdout) == 4


def test_another_architecture_keeps_the_machines_clock_and_says_so_once(turned, built):
    program = built('i386', '-m32', '-nostdlib', '-static', '-fno-pic', '-no-pie', '-fno-stack-protector')
    try:
        outside = subprocess.run([program], capture_output=True)
    except OSError:  # a kernel without 32-bit programs says the same inside
        assert turned.exec(program, check=False).returncode != 0
        return
    assert is_real(int.from_bytes(outside.stdout, 'little'))
    out = turned.work / 'out'
    done = turned.exec('bash', '-c', f'{program} > {out}; {program} >> {out}; date +%s')
    moments = out.read_bytes()
    assert len(moments) == 8
    assert all(is_real(int.from_bytes(moments[at:at + 4], 'little')) for at in (0, 4))
    assert not is_real(done.stdout)  # what began it follows
    assert done.stderr.count('another architecture') == 1 and done.stderr.count('brume:') == 1


def test_a_debugger_outside_keeps_the_launcher_away(turned):
    done = subprocess.run(['strace', '-f', '-o', '/dev/null', turned.program, '--state', turned.state, 'exec', '--',
                           'date', '+%s'], capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    assert is_real(done.stdout)
    assert done.stderr.count("it keeps the machine's clock") == 1


def test_where_tracing_is_forbidden_a_tool_keeps_the_machines_clock(turned, built):
    done = subprocess.run([built('forbid'), turned.program, '--state', turned.state, 'exec', '--', 'bash', '-c',
                           'sleep 0.1; date +%s'], capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    assert is_real(done.stdout)
    assert done.stderr.count("it keeps the machine's clock") == 1


def test_a_debugger_inside_fails_and_works_by_the_real_clock(turned):
    done = turned.exec('bash', '-c', 'strace -o /dev/null true; strace -o /dev/null true', check=False)
    assert done.returncode != 0 and 'Operation not permitted' in done.stderr
    assert done.stderr.count('exec --real') == 1
    traced = turned.brume('exec', '--real', '--', 'strace', '-e', 'trace=execve', 'true')
    assert 'execve(' in traced.stderr


def states(mark):
    """The state of each process that has the mark in its environment."""
    found = {}
    for process in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            if f'MARK={mark}'.encode() in (process / 'environ').read_bytes().split(b'\0'):
                found[int(process.name)] = (process / 'stat').read_text().rsplit(')', 1)[1].split()[0]
        except OSError:
            pass
    return found


BUSY = '''
import subprocess, sys, threading, time
for _ in range(3):
    threading.Thread(target=lambda: [time.sleep(0.01) for _ in range(10**9)], daemon=True).start()
print('begun', flush=True)
while True:
    subprocess.run(['sleep', '0.02'])
'''


def test_killed_anywhere_nothing_is_left_stopped(turned, begin):
    """The tool, or its launcher, by SIGKILL at any moment of its threads' and children's beginnings and waits."""
    choose = random.Random(3)
    for turn in range(8):
        mark = f'{os.getpid()}-{turn}'
        tool = begin(sys.executable, '-c', BUSY, env={'MARK': mark}, stdout=subprocess.PIPE)
        assert tool.stdout.readline() == 'begun\n'
        tracer = int(pathlib.Path(f'/proc/{tool.pid}/status').read_text().split('TracerPid:')[1].split()[0])
        assert tracer > 0
        time.sleep(choose.random() * 0.1)
        os.kill(choose.choice([tool.pid, tracer]), 9)
        assert tool.wait(20) == -9
        # Its last child may end its own nap.
        wait_until(lambda: not {pid: state for pid, state in states(mark).items() if state not in 'ZX'}, 20,
                   'the end of all that it began')
        wait_until(lambda: not pathlib.Path(f'/proc/{tracer}').exists(), 20, 'the end of its launcher')
