"""From starting the process to its first right answer, and what it holds in memory when idle: `brume up` beside
MiniStack and moto's server. Each starts on a state of its own; Brume both on a new state directory and on one that was
used before."""
import http.client
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from measure import ROUNDS, Table, cpu_us, judged, median, memory_kib, ratio, shown
from operations import catch
from world import PROGRAM, TOOLS, Cloud, environment, family, free_port

IDLE_S = 2  # before memory is read


class Started:
    """A server process, timed until GetCallerIdentity is answered with 200."""

    def __init__(self, command, port, request, **more):
        began = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=dict(environment(), **more))
        while not self.answers(port, request):
            if time.perf_counter() - began > 60 or self.process.poll() is not None:
                raise SystemExit(f'{command[0]} does not answer')
            time.sleep(0.0003)
        self.seconds = time.perf_counter() - began
        self.cpu_ms = cpu_us(family(self.process.pid)) / 1000

    @staticmethod
    def answers(port, request):
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=10)
        try:
            connection.connect()
            connection.sock.sendall(request)
            answer = http.client.HTTPResponse(connection.sock, method='POST')
            answer.begin()
            return answer.status == 200 and b'<Arn>' in answer.read()
        except OSError:
            return False
        finally:
            connection.close()

    def memory(self):
        time.sleep(IDLE_S)
        return [sum(values) for values in zip(*(memory_kib(pid) for pid in family(self.process.pid)))]

    def end(self):
        for pid in reversed(family(self.process.pid)):
            os.kill(pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def identity_request(port):
    class Anywhere(Cloud):
        def __init__(self):
            self.port = port
    return catch(Anywhere().client('sts'), lambda c: c.get_caller_identity())


def brume(state):
    port = free_port()
    started = Started([PROGRAM, '--state', state, 'up', '--offline', '--port', str(port)], port, identity_request(port))
    took = started.seconds, started.cpu_ms
    # Up is done when it says so: then it can be ended as anybody would.
    while subprocess.run([PROGRAM, '--state', state, 'status'], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL).returncode != 0:
        time.sleep(0.05)
    subprocess.run([PROGRAM, '--state', state, 'down'], check=True, stdout=subprocess.DEVNULL)
    started.process.wait()
    return took


def detached():
    """What the user waits for: `brume up --detach`, the network made."""
    began = time.perf_counter()
    cloud = Cloud.__new__(Cloud)
    cloud.program, cloud.state = PROGRAM, tempfile.mkdtemp(prefix='brume-bench-')
    cloud.brume('up', '--detach', '--offline', '--port', '0')
    seconds = time.perf_counter() - began
    time.sleep(IDLE_S)
    memory = memory_kib(cloud.status()['pid'])
    cloud.remove()
    return (seconds, None), memory


def peer(name):
    port, directory = free_port(), tempfile.mkdtemp(prefix='brume-bench-peer-')
    command = {'MiniStack': [TOOLS / 'venv/bin/ministack'],
               'moto server': [TOOLS / 'venv/bin/moto_server', '-H', '127.0.0.1', '-p', str(port)]}[name]
    started = Started(command, port, identity_request(port), GATEWAY_PORT=str(port), HOME=directory, TMPDIR=directory)
    took, memory = (started.seconds, started.cpu_ms), started.memory()
    started.end()
    shutil.rmtree(directory, ignore_errors=True)
    return took, memory


def run():
    peers = ['MiniStack', 'moto server'] if pathlib.Path(TOOLS, 'venv/bin/moto_server').exists() else []
    seconds = {name: [] for name in ['new', 'again', 'detached', *peers]}
    memory = {name: [] for name in ['detached', *peers]}
    kept = tempfile.mkdtemp(prefix='brume-bench-')
    brume(kept)
    for _ in range(ROUNDS):
        fresh = tempfile.mkdtemp(prefix='brume-bench-')
        seconds['new'].append(brume(fresh))
        subprocess.run([PROGRAM, '--state', fresh, 'down', '--delete', '--yes'], check=True, stdout=subprocess.DEVNULL)
        seconds['again'].append(brume(kept))
        for name in ('detached', *peers):
            took, held = detached() if name == 'detached' else peer(name)
            seconds[name].append(took)
            memory[name].append(held)
    subprocess.run([PROGRAM, '--state', kept, 'down', '--delete', '--yes'], check=True, stdout=subprocess.DEVNULL)
    milliseconds = {name: [1000 * value for value, _ in values] for name, values in seconds.items()}
    cpu = {name: [value for _, value in values if value] for name, values in seconds.items()}
    table = Table(f'Start to the first answer (GetCallerIdentity), {ROUNDS} rounds', 'who', 'ms', 'CPU ms until then', 'times Brume', 'goal')
    base = milliseconds['again']
    for name, label in (('again', 'brume up, a state that was used before'), ('new', 'brume up, a new state'),
                        ('detached', 'brume up --detach until it returns, network made'),
                        *((name, name) for name in peers)):
        table.add(label, shown(milliseconds[name]), shown(cpu[name]) if cpu[name] else '', ratio(milliseconds[name], base, 1)[1],
                  judged(median(milliseconds[name]), 20) if name in ('again', 'new') else '')
    table.show()
    table = Table('Idle memory, MiB', 'who', 'anonymous', 'resident', 'goal')
    for name, label in (('detached', 'brume, the daemon'), *((name, name) for name in peers)):
        anonymous, resident = ([value[i] / 1024 for value in memory[name]] for i in (0, 1))
        goal = f'{judged(median(anonymous), 10)}; {judged(median(resident), 20)}' if name == 'detached' else ''
        table.add(label, shown(anonymous), shown(resident), goal)
    table.show()
