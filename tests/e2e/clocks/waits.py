"""Every way in which Python waits, at once; prints as waits.c does. Argument: seconds, a file's path."""
import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
import time

seconds, path = int(sys.argv[1]), sys.argv[2]


def machine(stamp):
    with open(stamp, 'w') as file:
        file.write('.')
    return os.stat(stamp).st_mtime


def run(name, wait):
    stamp = f'{path}.{name}'
    real, calendar, begun = machine(stamp), time.time(), time.monotonic()
    wait()
    # One write for each line: several threads print.
    sys.stdout.write(f'{name} {time.monotonic() - begun:.3f} {time.time() - calendar:.3f} {machine(stamp) - real:.3f}\n')
    sys.stdout.flush()
    os.unlink(stamp)


def condition():
    it = threading.Condition()
    with it:
        it.wait(seconds)


kinds = {
    'python_sleep': lambda: time.sleep(seconds),
    'python_event': lambda: threading.Event().wait(seconds),
    'python_condition': condition,
    'python_select': lambda: select.select([], [], [], seconds),
    'python_epoll': lambda: select.epoll().poll(seconds),
    'python_asyncio': lambda: asyncio.run(asyncio.sleep(seconds)),
    'python_child': lambda: subprocess.run(['sleep', str(seconds)], check=True),
    'python_bash': lambda: subprocess.run(['bash', '-c', f'read -t {seconds} < <(exec sleep {seconds + 2})'], check=False),
    'python_signal': lambda: signal.sigtimedwait({signal.SIGUSR1}, seconds),
}
print('begun', flush=True)
threads = [threading.Thread(target=run, args=each) for each in kinds.items()]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
