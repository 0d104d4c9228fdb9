"""Ten idle seconds of the daemon under strace: it makes no system call at all."""
import pathlib
import subprocess

import pytest

from waiting import wait_until

IDLE = 10
SETTLE = 1.5  # strace's own arrival interrupts calls, which are made again then
WINDOWS = 4


def names(pid):
    """Each thread's name."""
    return {int(task.name): (task / 'comm').read_text().strip() for task in pathlib.Path(f'/proc/{pid}/task').iterdir()}


def idle_calls(pid, output):
    """What each thread does in ten seconds, as strace sees it: (thread's name, second, call)."""
    tracer = subprocess.Popen(['strace', '-f', '-ttt', '-o', str(output), '-p', str(pid)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: output.exists() and output.read_text(), 10, 'strace')
        first = float(output.read_text().split()[1])
        with pytest.raises(subprocess.TimeoutExpired):
            tracer.wait(SETTLE + IDLE + 1)
    finally:
        tracer.terminate()
        tracer.wait(10)
    threads = names(pid)
    calls = [line.split(None, 2) for line in output.read_text().splitlines()]
    return [(threads.get(int(thread), thread), round(float(at) - first, 3), call) for thread, at, call in calls
            if first + SETTLE <= float(at) < first + SETTLE + IDLE]


def rest(cloud, tmp_path):
    """Nothing in some ten seconds. What comes back every so often would be in each of them; the end of what was begun
    before them is not. RocksDB's timer is not ours."""
    seen = []
    for window in range(WINDOWS):
        calls = [call for call in idle_calls(cloud.pid, tmp_path / f'calls-{window}')
                 if not call[0].startswith('rocksdb')]
        if not calls:
            return
        seen.append(calls[:20])
    raise AssertionError(f'the daemon never rests: {seen}')


def test_an_idle_daemon_does_not_wake_for_the_clock(fresh_cloud, tmp_path):
    cloud = fresh_cloud()
    cloud.up()
    assert 'control' in names(cloud.pid).values()
    for speed in (1, 20):
        cloud.brume('clock', 'speed', speed)
        rest(cloud, tmp_path)
