"""Where the time of a command goes: seconds in which somebody of it worked or stood in line for a processor, and seconds
in which all of it waited. Others on the machine lengthen the first only."""
import os
import pathlib
import threading
import time

PROC = pathlib.Path('/proc')
EVERY = 0.01


def threads(pid):
    try:
        return list((PROC / str(pid) / 'task').iterdir())
    except OSError:
        return []  # it ended meanwhile


def family(pid):
    """A process and all that descend from it."""
    pids = [pid]
    for thread in threads(pid):
        try:
            pids += [each for child in (thread / 'children').read_text().split() for each in family(int(child))]
        except OSError:
            pass  # it ended meanwhile
    return pids


class Pauses:
    """Looks at the threads of these processes and their descendants, less this one, while a block runs. Afterwards:
    `seconds` of the machine, of them `waited` (nobody ran or was runnable), and `worked`, the CPU time of all."""

    def __init__(self, *roots):
        self.roots, self.seen = roots, {}
        self.seconds = self.waited = self.worked = 0.0

    def add(self, pid):
        self.roots += (pid,)

    def __enter__(self):
        self.over = threading.Event()
        self.look(0)
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def watch(self):
        last = time.monotonic()
        while True:
            is_over = self.over.wait(EVERY)
            now = time.monotonic()
            self.look(now - last)
            last = now
            if is_over:
                return

    def look(self, span):
        busy = 0
        for pid in {pid for root in self.roots for pid in family(root)} - {os.getpid()}:
            for thread in threads(pid):
                try:
                    ran, stood, _ = map(int, (thread / 'schedstat').read_text().split())
                except (OSError, ValueError):
                    continue  # it ended meanwhile
                before = self.seen.get(thread, (0, 0) if span else (ran, stood))
                self.seen[thread] = ran, stood
                busy += ran + stood - sum(before)
                self.worked += (ran - before[0]) / 1e9
        self.seconds += span
        self.waited += max(0, span - busy / 1e9)
