"""From RunTask to the first HTTP answer of the task, beside `runc run` of the same program with a bundle and a network
namespace that are there already."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

from measure import ROUNDS, Table, judged, median, ratio, shown
from system import Inside, System, answers, server_program, until


def through_brume(system):
    began = time.perf_counter()
    arn = system.run_task()
    interface, _ = until(lambda: system.interface(arn), pause=0.002)
    address = until(lambda: system.public_address(interface), pause=0.002)
    ended = Inside(system.internet, lambda: until(lambda: answers(address, 8000)) and time.perf_counter()).result()
    system.stop(arn)
    return 1000 * (ended - began)


class Bare:
    """A bundle as `runc spec` makes it, with the program and a namespace of its own."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='brume-bench-runc-'))
        (self.directory / 'rootfs').mkdir()
        shutil.copy(server_program(), self.directory / 'rootfs/server')
        subprocess.run(['runc', 'spec', '--bundle', self.directory], check=True)
        self.holder = subprocess.Popen(['unshare', '-n', 'sh', '-c', 'ip link set lo up; echo; exec sleep 3600'],
                                       stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.network = f'/proc/{self.holder.pid}/ns/net'
        path = self.directory / 'config.json'
        config = json.loads(path.read_text())
        config['process'].update(args=['/server'], terminal=False, env=['PORT=8000', 'PATH=/'])
        for namespace in config['linux']['namespaces']:
            if namespace['type'] == 'network':
                namespace['path'] = self.network
        path.write_text(json.dumps(config))

    def run(self):
        runc = ['runc', '--root', self.directory / 'state']
        began = time.perf_counter()
        subprocess.run([*runc, 'run', '--detach', '--bundle', self.directory, 'bench'], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ended = Inside(self.network, lambda: until(lambda: answers('127.0.0.1', 8000)) and time.perf_counter()).result()
        subprocess.run([*runc, 'delete', '--force', 'bench'], check=True)
        return 1000 * (ended - began)

    def remove(self):
        self.holder.kill()
        self.holder.wait()
        shutil.rmtree(self.directory)


def run():
    system, bare = System(), Bare()
    try:
        through_brume(system), bare.run()
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(through_brume(system))
            theirs.append(bare.run())
        over = [mine - other for mine, other in zip(ours, theirs)]
        value, text = ratio(ours, theirs)
        table = Table(f'RunTask to the first HTTP answer, ms, {ROUNDS} rounds', 'what', 'Brume', 'bare runc', 'difference',
                      'ratio', 'goal')
        table.add('task start', shown(ours), shown(theirs), shown(over), text,
                  f'{judged(median(over), 50)} ms; {judged(value, 2)}')
        table.show()
    finally:
        bare.remove()
        system.remove()
