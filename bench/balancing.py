"""The load balancer: HAProxy's CPU per request beside the same HAProxy run bare, and from registering a target to the
first request that it answers. Bare: the same program and configuration, started by hand beside Brume's in the same
namespace on other ports; and once more with the fewest lines that forward, to see what logs and rules cost."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from measure import ROUNDS, Table, cpu_us, judged, median, ratio, shown
from system import Inside, System, answers, until
from world import family, replay

COUNT, CONNECTIONS = 2000, 16
FEWEST = """
global
  nbthread 2
  maxconn 4000
defaults
  mode http
  timeout connect 4s
  timeout client 120s
  timeout server 120s
frontend f
  bind {address}:{port}
  default_backend b
backend b
  server s {target}:8000
"""


class Balanced:
    def __init__(self, system):
        self.system, elbv2 = system, system.elbv2
        self.task = system.run_task()
        self.target = until(lambda: system.interface(self.task))[1]
        system.wait(self.task, 'RUNNING')
        self.group = elbv2.create_target_group(
            Name='bench', Protocol='HTTP', Port=8000, VpcId=system.vpc, TargetType='ip', HealthCheckPath='/health',
            HealthCheckIntervalSeconds=5, HealthyThresholdCount=2)['TargetGroups'][0]['TargetGroupArn']
        balancer = elbv2.create_load_balancer(Name='bench', Subnets=system.subnets,
                                              SecurityGroups=[system.open_group])['LoadBalancers'][0]
        self.name = balancer['DNSName']
        elbv2.create_listener(LoadBalancerArn=balancer['LoadBalancerArn'], Protocol='HTTP', Port=80,
                              DefaultActions=[{'Type': 'forward', 'TargetGroupArn': self.group}])
        elbv2.get_waiter('load_balancer_available').wait(LoadBalancerArns=[balancer['LoadBalancerArn']],
                                                         WaiterConfig={'Delay': 1})
        run = pathlib.Path(system.cloud.status()['run'])
        self.process = until(lambda: next((pid for pid in family(system.cloud.keeper()) if b'haproxy' in
                                           pathlib.Path(f'/proc/{pid}/cmdline').read_bytes()), None))
        words = pathlib.Path(f'/proc/{self.process}/cmdline').read_bytes().decode().split('\0')
        self.configuration = pathlib.Path(words[words.index('-f') + 1])
        self.run = run
        self.address = re.search(r'bind (10\.9\.[\d.]+):80', self.configuration.read_text()).group(1)

    def set_target(self, there):
        act = self.system.elbv2.register_targets if there else self.system.elbv2.deregister_targets
        act(TargetGroupArn=self.group, Targets=[{'Id': self.target, 'Port': 8000}])

    def first_request(self):
        """Milliseconds from RegisterTargets' call to the first 200 through the balancer."""
        asking = Inside(f'/proc/{self.process}/ns/net',
                        lambda: until(lambda: answers(self.address, 80, self.name)) and time.perf_counter())
        began = time.perf_counter()
        self.set_target(True)
        return 1000 * (asking.result() - began)


class Bare:
    def __init__(self, balanced, port, text):
        self.port = port
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='brume-bench-haproxy-'))
        (self.directory / 'conf').write_text(text)
        self.process = subprocess.Popen(['nsenter', f'--net=/proc/{balanced.process}/ns/net', 'haproxy', '-db', '-f',
                                         self.directory / 'conf'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        Inside(f'/proc/{balanced.process}/ns/net',
               lambda: until(lambda: answers(balanced.address, port, balanced.name))).result()
        self.pids = family(self.process.pid)

    def remove(self):
        for pid in reversed(self.pids):
            try:
                __import__('os').kill(pid, 9)
            except OSError:
                pass
        self.process.wait()
        shutil.rmtree(self.directory)


def same_configuration(balanced):
    """Brume's own, with its ports and its own files moved. The log goes where Brume's goes."""
    text = balanced.configuration.read_text()
    text = text.replace(f'bind {balanced.address}:80', f'bind {balanced.address}:8081')
    text = '\n'.join(line for line in text.split('\n') if not re.match(
        r'\s*(bind (?!.*:8081)|stats socket|server-state-file|load-server-state|master-worker|mworker)', line))
    # Brume adds servers while HAProxy runs; here they are there from the start.
    server = f'{balanced.target}:8000'
    text = re.sub(r'  # servers: \S+ (.*)', rf'  server a {server} \1', text)
    return re.sub(r'(?m)^(backend open\..*)', rf'\1\n  server b {server}', text)


def cost(balanced, port, pids, path):
    before = cpu_us(pids)
    answer = replay(port, path, COUNT, CONNECTIONS, balanced.address, ['nsenter', f'--net=/proc/{balanced.process}/ns/net'])
    if answer['failed']:
        raise SystemExit(f'{answer["failed"]} requests through the balancer failed')
    return (cpu_us(pids) - before) / COUNT


def run():
    system, bares = System(), []
    try:
        balanced = Balanced(system)
        times = []
        for _ in range(ROUNDS):
            times.append(balanced.first_request())
            balanced.set_target(False)
            Inside(f'/proc/{balanced.process}/ns/net',
                   lambda: until(lambda: not answers(balanced.address, 80, balanced.name))).result()
        table = Table(f'RegisterTargets to the first request answered, ms, {ROUNDS} rounds', 'what', 'Brume')
        table.add('registration', shown(times))
        table.show()
        balanced.first_request()
        fewest = FEWEST.format(address=balanced.address, port=8082, target=balanced.target)
        bares = [Bare(balanced, 8081, same_configuration(balanced)), Bare(balanced, 8082, fewest)]
        path = pathlib.Path(system.cloud.state, 'request')
        request = f'GET /health HTTP/1.1\r\nHost: {balanced.name}\r\nUser-Agent: bench\r\n\r\n'.encode()
        path.write_bytes(f'{len(request)}\n'.encode() + request)
        sides = [(80, family(balanced.process)), *((bare.port, bare.pids) for bare in bares)]
        figures = [[], [], []]
        for turn in range(ROUNDS + 1):
            for side, (port, pids) in enumerate(sides):
                value = cost(balanced, port, pids, path)
                if turn > 0:
                    figures[side].append(value)
        table = Table(f'HAProxy CPU per request, µs, {ROUNDS} rounds of {COUNT}', 'beside', "Brume's", 'bare', 'ratio', 'goal')
        value, text = ratio(figures[0], figures[1])
        table.add('the same configuration, bare', shown(figures[0]), shown(figures[1]), text, judged(value, 1.05))
        table.add('the fewest lines that forward', shown(figures[0]), shown(figures[2]), ratio(figures[0], figures[2])[1], '')
        table.show()
    finally:
        for bare in bares:
            bare.remove()
        system.remove()
