"""Time is a dial: the cloud's clock, the tools that follow it, and what an advance makes happen."""
import datetime
import json
import random
import re
import shutil
import subprocess
import sys
import time

import pytest

from cloud import ROOT

SPEED = 20


@pytest.fixture
def begin(cloud):
    """A function that starts tools inside, none of which outlives its test."""
    begun = []

    def start(*command, **options):
        begun.append(cloud.start(*command, **options))
        return begun[-1]
    yield start
    for tool in begun:
        if tool.poll() is None:
            tool.kill()
        tool.wait()


def clock(cloud):
    return json.loads(cloud.brume('clock', '--json').stdout)


def cloud_now(cloud):
    return datetime.datetime.fromisoformat(clock(cloud)['now'].replace('Z', '+00:00'))


@pytest.fixture(autouse=True)
def dial(cloud):
    """Each test begins at a speed of its own; an advance stays, as time does."""
    cloud.brume('clock', 'resume')
    cloud.brume('clock', 'speed', 1)


def measured(cloud, *command, **options):
    """The tool's output, and how long the machine took for it less what an empty tool takes."""
    begun = time.monotonic()
    cloud.exec('true')
    idle = time.monotonic() - begun
    begun = time.monotonic()
    done = cloud.exec(*command, **options)
    return done.stdout, max(time.monotonic() - begun - idle, 0.001)


def test_is_the_machines_time_and_traces_nothing_until_it_is_turned(fresh_cloud):
    cloud = fresh_cloud('--offline')
    cloud.up()
    assert clock(cloud)['machine_time'] and clock(cloud)['offset_ms'] == 0
    status = cloud.exec('grep', '-E', 'TracerPid|^Seccomp:', '/proc/self/status').stdout
    assert re.findall(r'\d+', status) == ['0', '0']
    cloud.brume('clock', 'speed', 1)
    assert clock(cloud)['machine_time']
    # Asked for, a tool follows although nothing is turned yet.
    status = cloud.brume('exec', '--clock', '--', 'grep', 'TracerPid', '/proc/self/status').stdout
    assert int(status.split()[1]) > 0


def test_sleeps_shorten_and_the_tool_sees_none_of_it(cloud):
    cloud.brume('clock', 'speed', SPEED)
    out, took = measured(cloud, sys.executable, '-c', '''
import select, threading, time
begun, calendar = time.monotonic(), time.time()
time.sleep(20)
threading.Event().wait(20)
select.select([], [], [], 20)
print(time.monotonic() - begun, time.time() - calendar)''')
    for seen in map(float, out.split()):
        assert 60 <= seen < 66
    assert took < 60 / SPEED * 2


def test_real_keeps_the_machines_clock(cloud):
    cloud.brume('clock', 'advance', '3d')
    inside = int(cloud.exec('date', '+%s').stdout)
    real = int(cloud.brume('exec', '--real', '--', 'date', '+%s').stdout)
    assert abs(real - time.time()) < 60
    assert inside - real >= 3 * 86400 - 5


def test_exit_codes_and_signals_are_the_tools_own(cloud, begin):
    cloud.brume('clock', 'speed', SPEED)
    assert cloud.exec('sh', '-c', 'exit 7', check=False).returncode == 7
    assert cloud.exec('sh', '-c', 'kill -TERM $$', check=False).returncode == -15
    tool = begin('sleep', '100000')
    assert tool.poll() is None
    tool.terminate()
    assert tool.wait(20) == -15


def test_a_new_speed_reaches_a_wait_that_has_begun(cloud, begin):
    cloud.brume('clock', 'pause')
    tool = begin(sys.executable, '-c', 'import time; print("begun", flush=True); time.sleep(600)',
                       stdout=subprocess.PIPE)
    assert tool.stdout.readline() == 'begun\n'
    deadline = time.monotonic() + 20
    while tool.poll() is None:  # it may begin to wait only after the first
        cloud.brume('clock', 'advance', '10m')
        assert time.monotonic() < deadline
    assert tool.returncode == 0


def test_an_advance_ends_a_sleep_at_its_moment(cloud, begin):
    tool = begin(sys.executable, '-c', '''
import time
begun = time.monotonic()
print("begun", flush=True)
time.sleep(3600)
print(time.monotonic() - begun)''', stdout=subprocess.PIPE)
    tool.stdout.readline()
    tool.poll()
    cloud.brume('clock', 'speed', 2)
    cloud.brume('clock', 'advance', '1h')
    out, _ = tool.communicate(timeout=20)
    assert float(out) >= 3600


def test_the_clock_outlives_kill_9_and_never_runs_backwards(fresh_cloud):
    cloud = fresh_cloud('--offline')
    cloud.up()
    cloud.brume('clock', 'speed', SPEED)
    cloud.brume('clock', 'advance', '3d')
    before = cloud_now(cloud)
    cloud.kill()
    # A tool of before goes on, by the same clock.
    cloud.up()
    assert clock(cloud)['speed'] == SPEED
    assert before <= cloud_now(cloud) < before + datetime.timedelta(hours=2)


def test_kill_9_amid_turns_keeps_the_clock(fresh_cloud, tmp_path):
    """The daemon dies at any moment of speeds, advances and pauses that are under way: a tool that reads the clocks all
    the time sees none run backwards, and the next daemon goes on from there."""
    compiler = shutil.which('cc') or 'clang-19'
    subprocess.run([compiler, '-O1', ROOT / 'tests/e2e/clocks/watch.c', '-o', tmp_path / 'watch'], check=True)
    cloud = fresh_cloud('--offline')
    cloud.up()
    cloud.brume('clock', 'speed', SPEED)
    over = tmp_path / 'over'
    watch = cloud.start(tmp_path / 'watch', over, stdout=subprocess.PIPE)
    try:
        assert watch.stdout.readline() == 'begun\n'
        choose = random.Random(11)
        turn = f'while true; do for words in "speed 40" "advance 1h" pause "advance 10d" resume "speed {SPEED}"; do ' \
               '"$0" --state "$1" clock $words; done; done'
        for _ in range(8):
            before = cloud_now(cloud)
            turning = subprocess.Popen(['bash', '-c', turn, cloud.program, cloud.state], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(choose.random() * 0.3)
            cloud.kill()
            turning.kill()
            turning.wait()
            cloud.up()
            assert before <= cloud_now(cloud)
            cloud.brume('clock', 'resume')
            after = cloud_now(cloud)
            assert after < cloud_now(cloud)  # an advance that was cut off does not leave it standing
        over.write_text('')
        out, _ = watch.communicate(timeout=30)
        assert watch.returncode == 0, out
        assert int(out.split()[0]) > 1000
    finally:
        watch.kill()
        watch.wait()


def test_up_takes_a_speed(fresh_cloud):
    cloud = fresh_cloud('--offline', '--speed', '50')
    cloud.up()
    assert clock(cloud)['speed'] == 50


def test_refuses_what_is_no_time(cloud):
    for words in (['advance', '-1d'], ['advance', 'soon'], ['advance', '0s'], ['speed', '0'], ['speed', '1e9']):
        assert cloud.brume('clock', *words, check=False).returncode != 0, words


def test_says_which_tools_follow(cloud, begin):
    cloud.brume('clock', 'speed', SPEED)
    begin('sleep', '100000')
    real = subprocess.Popen([cloud.program, '--state', cloud.state, 'exec', '--real', '--', 'sleep', '100001'])
    try:
        deadline = time.monotonic() + 20
        while len(tools := {tool['command']: tool['clock'] for tool in clock(cloud)['tools']
                            if tool['command'].startswith('sleep')}) < 2:
            assert time.monotonic() < deadline
        assert tools == {'sleep 100000': 'cloud', 'sleep 100001': 'machine'}
    finally:
        real.kill()
        real.wait()
