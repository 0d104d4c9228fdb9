"""The clock's cost and reach: busy tools that follow it beside the same by the machine's clock, an exec of a cloud whose
clock was never turned, and how soon a turn of the clock ends the waits of tools."""
import ctypes
import mmap
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from measure import ROUNDS, Table, judged, ratio, shown
from world import ROOT, Cloud, environment

SPEED = 20
KINDS = 26  # of waits in clocks/waits.c
CLOCKS = ROOT / 'tests/e2e/clocks'
LIBC = ctypes.CDLL(None, use_errno=True)

PYTHON_COUNTS = 'sum(number * number for number in range(6_000_000))'
PYTHON_CALLS = '''
import os, time
for _ in range(250_000):
    os.stat('/'); time.time(); os.getppid()'''
PYTHON_NAPS = '''
import select, time
for _ in range(4_000):
    time.monotonic(); select.select([], [], [], 0.000_2)'''
NODE = '''
const fs = require('fs');
let left = 12000;
const next = () => { if (left-- > 0) fs.stat('/', () => left % 50 ? next() : setTimeout(next, 0)); };
for (let i = 0; i < 8; ++i) next();'''
SHELL = 'for i in $(seq 250); do /bin/true; done'


def spent():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cost(command, directory):
    """Wall and CPU seconds until the tool has ended, and its launcher too, whose CPU counts."""
    cpu, begun = spent(), time.perf_counter()
    tool = subprocess.Popen(command, env=dict(environment(), HOME=str(directory)), cwd=directory,
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if tool.wait() != 0:
        raise RuntimeError(f'{command} ended with {tool.returncode}')
    wall = time.perf_counter() - begun
    while True:  # what descends from it comes to us, the subreaper
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return wall, spent() - cpu


class Go:
    """Builds a program whose text is new each time; the standard library is in the cache."""

    def __init__(self, directory):
        self.go = shutil.which('go') or '/usr/local/go/bin/go'
        self.directory = directory
        self.builds = 0
        (directory / 'go.mod').write_text('module waittool\n\ngo 1.22\n')
        self.text = (CLOCKS / 'tool.go').read_text()
        self.command()
        subprocess.run([self.go, 'build', '-o', 'tool', '.'], cwd=directory, check=True, env=self.environment())

    def environment(self):
        return dict(environment(), HOME=str(self.directory), GOFLAGS='-mod=mod', GOTOOLCHAIN='local')

    def command(self):
        self.builds += 1
        (self.directory / 'tool.go').write_text(self.text + f'\nvar build = {self.builds}\n')
        return ['env', 'GOFLAGS=-mod=mod', 'GOTOOLCHAIN=local', self.go, 'build', '-o', 'tool', '.']


def busy_tools(cloud, directory):
    go = Go(directory)
    tools = {
        'python, counting': lambda: [sys.executable, '-c', PYTHON_COUNTS],
        'python, 500,000 system calls, 250,000 clock readings': lambda: [sys.executable, '-c', PYTHON_CALLS],
        'python, 4,000 naps of 0.2 ms': lambda: [sys.executable, '-c', PYTHON_NAPS],
        'node, 12,000 files on its threads': lambda: ['node', '-e', NODE],
        'bash, 250 programs': lambda: ['bash', '-c', SHELL],
        'go build': go.command,
    }
    table = Table(f'Busy tools at speed {SPEED} beside exec --real, {ROUNDS} rounds', 'tool', 'CPU s', 'CPU s real',
                  'ratio of CPU', 'wall s', 'wall s real', 'ratio of wall')
    for name, command in tools.items():
        figures = {'follow': [], 'real': []}
        for turn in range(ROUNDS + 1):
            for way, options in (('follow', []), ('real', ['--real'])):
                measured = cost([cloud.program, '--state', cloud.state, 'exec', *options, '--', *command()], directory)
                if turn > 0:
                    figures[way].append(measured)
        walls, cpus = ({way: [each[index] for each in all] for way, all in figures.items()} for index in (0, 1))
        table.add(name, shown(cpus['follow'], 2), shown(cpus['real'], 2), ratio(cpus['follow'], cpus['real'])[1],
                  shown(walls['follow'], 2), shown(walls['real'], 2), ratio(walls['follow'], walls['real'])[1])
    table.show()


def unturned(cloud, directory):
    """Before anything was turned: exec as it is, beside --real, which never traces."""
    figures = {'exec': [], 'real': []}
    for turn in range(ROUNDS + 1):
        for way, options in (('exec', []), ('real', ['--real'])):
            _, cpu = cost([cloud.program, '--state', cloud.state, 'exec', *options, '--', sys.executable, '-c',
                           PYTHON_CALLS], directory)
            if turn > 0:
                figures[way].append(cpu)
    value, text = ratio(figures['exec'], figures['real'])
    table = Table(f'exec before the clock was turned beside exec --real, CPU s, {ROUNDS} rounds', 'exec', 'exec --real',
                  'ratio', 'goal')
    table.add(shown(figures['exec'], 3), shown(figures['real'], 3), text, judged(value, 1.05))
    table.show()


class Page:
    """The cloud's clock; `changed` waits until it was turned."""

    def __init__(self, state):
        with open(f'{state}/clock', 'rb') as file:
            self.memory = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ)

    def sequence(self):
        return int.from_bytes(self.memory[12:16], 'little')


def reach(cloud, directory):
    """From the moment at which an advance is in the page to the last of the tools' waits that it ends."""
    program = directory / 'waits'
    subprocess.run([shutil.which('cc') or 'clang-19', '-O1', CLOCKS / 'waits.c', '-o', program, '-lpthread', '-lrt'],
                   check=True)
    page = Page(cloud.state)
    cloud.brume('clock', 'speed', '0.01')
    lasts = {}
    for tools in (1, 8):
        lasts[tools] = []
        for turn in range(ROUNDS + 1):
            begun = [subprocess.Popen([cloud.program, '--state', cloud.state, 'exec', '--', program, '3600',
                                       directory / f'stamp{number}'], stdout=subprocess.PIPE, env=environment())
                     for number in range(tools)]
            for tool in begun:
                tool.stdout.readline()
            settle(directory, KINDS * tools)
            before = page.sequence()
            turning = subprocess.Popen([cloud.program, '--state', cloud.state, 'clock', 'advance', '2h'],
                                       stdout=subprocess.DEVNULL)
            while page.sequence() == before:
                time.sleep(0.0002)
            turned = time.perf_counter()
            for tool in begun:
                tool.stdout.read()
            if turn > 0:
                lasts[tools].append(1000 * (time.perf_counter() - turned))
            for process in (*begun, turning):
                process.wait()
    table = Table(f'From a turn of the clock to the end of the last wait that it ends, ms, {ROUNDS} rounds', 'waits',
                  'median', 'worst', 'goal')
    for tools, figures in lasts.items():
        table.add(f'{KINDS * tools} processes, of {KINDS} kinds, {tools} launchers', shown(figures), f'{max(figures):.1f}',
                  judged(statistics.median(figures), 50))
    table.show()


def settle(directory, expected):
    """Until each process has made its stamp, and sleeps."""
    while len(list(directory.glob('stamp*.*'))) < expected:
        time.sleep(0.01)
    time.sleep(0.3)


def run():
    cloud, directory = Cloud(), pathlib.Path(tempfile.mkdtemp(prefix='brume-bench-clock-'))
    LIBC.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: launchers come to us at their end
    try:
        unturned(cloud, directory)
        cloud.brume('clock', 'speed', str(SPEED))
        busy_tools(cloud, directory)
        reach(cloud, directory)
    finally:
        cloud.remove()
        shutil.rmtree(directory)
