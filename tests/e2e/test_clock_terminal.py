"""A tool that follows the clock at a terminal: Ctrl-Z stops it, fg goes on with it, and Ctrl-C ends it."""
import os
import pathlib
import pty
import re
import select
import signal
import time

import pytest

from cloud import PROGRAM, clean_environment
from waiting import wait_until

SPEED = 20


class Terminal:
    """A bash with job control behind a pseudoterminal, as a user has it."""

    def __init__(self, cloud, *command):
        self.seen = ''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # As a terminal gives them, whoever began the tests and how: a shell cannot undo that a signal is ignored.
            for each in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
                signal.signal(each, signal.SIG_DFL)
            os.chdir(cloud.work)
            os.execve(command[0], command, dict(clean_environment(), PS1='READY> ', TERM='dumb', HISTFILE='/dev/null'))

    def shows(self, pattern, seconds):
        """The match, once the terminal shows it within that time; what came before is forgotten."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if select.select([self.fd], [], [], left)[0]:
                self.seen += os.read(self.fd, 65536).decode(errors='replace')
        self.seen = self.seen[found.end():]
        return found

    def expect(self, pattern):
        found = self.shows(pattern, 30)
        assert found, (pattern, self.seen)
        return found

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(cloud):
    opened = []

    def open_one(*command):
        opened.append(Terminal(cloud, *command))
        return opened[-1]
    cloud.brume('clock', 'speed', SPEED)
    yield open_one
    for each in opened:
        each.close()
    cloud.brume('clock', 'speed', 1)


def state_of(pid):
    return pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0]


# Counts up for as long as it runs: a tool that was only said to be stopped would go on counting.
COUNTER = '''
echo $BASHPID > counter.pid
for ((i = 0; i < 2000; ++i)); do echo $i > counter.new; mv counter.new counter; sleep 0.5; done
'''


@pytest.mark.parametrize('where', ['the shell follows', 'the shell is outside'])
def test_ctrl_z_and_fg(cloud, terminal, where):
    brume = [str(PROGRAM), '--state', cloud.state, 'exec', '--clock', '--']
    (cloud.work / 'counter.sh').write_text(COUNTER)
    for name in ('counter', 'counter.pid'):
        (cloud.work / name).unlink(missing_ok=True)
    inside = where == 'the shell follows'
    words = ['/bin/bash', '--norc', '--noprofile', '-i']
    screen = terminal(*(brume if inside else []), *words)
    screen.expect('READY> ')
    screen.type(('' if inside else ' '.join(brume) + ' ') + 'bash counter.sh\n')
    counted = lambda: int((cloud.work / 'counter').read_text())  # noqa: E731
    wait_until(lambda: (cloud.work / 'counter').exists() and counted() > 3, 20, 'the tool counts')
    pid = int((cloud.work / 'counter.pid').read_text())
    for _ in range(3):
        screen.type('\x1a')
        screen.expect(r'\[1\]\+\s+Stopped')
        screen.expect('READY> ')
        wait_until(lambda: state_of(pid) in 'tT', 10, 'the tool is stopped')
        before, calendar = counted(), time.monotonic()
        screen.type('jobs; echo still $((6 * 7))\n')  # the terminal is the shell's
        screen.expect(r'\[1\]\+\s+Stopped')
        screen.expect('still 42\r\nREADY> ')
        # Ten naps of the tool's clock: a second and a half of the shell's own waiting, if it follows; else of ours.
        assert cloud.exec('sleep', '5').returncode == 0
        assert counted() == before and time.monotonic() > calendar
        screen.type('fg\n')
        wait_until(lambda: counted() > before + 3, 20, 'the tool goes on')
    # A bash whose child had just ended takes a Ctrl-C for the child's, with any clock: it is pressed again then.
    for _ in range(10):
        screen.type('\x03')
        if screen.shows('READY> ', 1):
            break
    screen.type('echo ended $?\n')
    screen.expect('ended 130')
    assert not pathlib.Path(f'/proc/{pid}').exists()


def test_a_wait_that_was_stopped_ends_when_its_time_has_come(cloud, terminal):
    """The clock goes on while a sleep is stopped: continued after its end it ends at once."""
    brume = [str(PROGRAM), '--state', cloud.state, 'exec', '--clock', '--']
    screen = terminal('/bin/bash', '--norc', '--noprofile', '-i')
    screen.expect('READY> ')
    screen.type(' '.join(brume) + " bash -c 'echo it is $$; exec sleep 3600'\n")
    pid = int(screen.expect(r'\nit is (\d+)')[1])
    # In its wait, not on the way there: it would begin the whole hour after the advance.
    nanosleep = ('35', '230')
    wait_until(lambda: pathlib.Path(f'/proc/{pid}/syscall').read_text().split()[0] in nanosleep, 20, 'the sleep')
    screen.type('\x1a')
    screen.expect(r'\[1\]\+\s+Stopped')
    cloud.brume('clock', 'advance', '2h')
    screen.type('fg; echo ended $?\n')
    screen.expect('ended 0')
