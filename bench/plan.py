"""`terraform plan` over many resources, whose refresh reads each: wall time, Terraform's CPU (its provider's too) and the
server's CPU, per item, for roots of log groups of several sizes. The sizes take turns, each in a cloud of its own. Flat
means that a ratio is near 1."""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

from many import FLAT
from measure import Table, cpu_us, judged, median, shown
from world import REGION, ROOT, Cloud, environment

SIZES = [int(size) for size in os.environ.get('PLAN_SIZES', '250,1000,4000').split(',')]
ROUNDS = int(os.environ.get('PLAN_ROUNDS', '10'))
PARALLEL = 32

CONFIGURATION = '''
provider "aws" {
  region     = "%s"
  access_key = "test"
  secret_key = "test"
}
resource "aws_cloudwatch_log_group" "it" {
  count             = %d
  name              = "/service/${count.index}"
  retention_in_days = 7
  tags              = { number = count.index }
}
'''


def spent():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Root:
    """A root module of so many log groups, and the cloud that it is applied to."""

    def __init__(self, size, pattern=None):
        self.size, self.cloud = size, Cloud()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='brume-bench-plan-'))
        (self.directory / 'main.tf').write_text(CONFIGURATION % (REGION, size))
        self.terraform('init')
        if pattern is None:
            self.terraform('apply', '-auto-approve', f'-parallelism={PARALLEL}')
        else:
            self.make_like(pattern)

    def make_like(self, pattern):
        """By the API, and a state as Terraform writes it: its own apply writes the whole state after each resource."""
        client = self.cloud.client('logs')
        for number in range(self.size):
            name = f'/service/{number}'
            client.create_log_group(logGroupName=name, tags={'number': str(number)})
            client.put_retention_policy(logGroupName=name, retentionInDays=7)
        state = json.loads((pattern.directory / 'terraform.tfstate').read_text())
        first = next(each for each in state['resources'][0]['instances'] if each['index_key'] == 0)
        text = json.dumps(first).replace('/service/0', '/service/NUMBER').replace('"number": "0"', '"number": "NUMBER"')
        state['resources'][0]['instances'] = [
            dict(json.loads(text.replace('NUMBER', str(number))), index_key=number) for number in range(self.size)]
        (self.directory / 'terraform.tfstate').write_text(json.dumps(state))

    def terraform(self, verb, *words, expected=0):
        configuration = subprocess.run([ROOT / 'tools/terraform-config', ROOT / 'build/terraform.rc'], check=True,
                                       capture_output=True, text=True).stdout.strip()
        done = subprocess.run(
            [self.cloud.program, '--state', self.cloud.state, 'exec', '--', 'terraform', f'-chdir={self.directory}', verb,
             '-input=false', '-no-color', *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env=dict(environment(), TF_CLI_CONFIG_FILE=configuration, CHECKPOINT_DISABLE='1'))
        if done.returncode != expected:
            raise SystemExit(f'terraform {verb} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}')

    def plan(self):
        """Per item: wall ms, Terraform's CPU ms, the server's CPU µs. A plan that would change anything fails."""
        wall, cpu, server = time.perf_counter(), spent(), cpu_us([self.cloud.pid])
        self.terraform('plan', '-detailed-exitcode', f'-parallelism={PARALLEL}')
        return [(time.perf_counter() - wall) * 1000 / self.size, (spent() - cpu) * 1000 / self.size,
                (cpu_us([self.cloud.pid]) - server) / self.size]

    def remove(self):
        self.cloud.remove()
        shutil.rmtree(self.directory, ignore_errors=True)


def run():
    table = Table(f'terraform plan per log group, {ROUNDS} rounds', 'log groups', 'wall ms', 'Terraform CPU ms',
                  'server CPU µs', 'server, times the fewest', 'goal')
    roots = []
    try:
        for size in SIZES:
            roots.append(Root(size, roots[0] if roots else None))
        plans = {root.size: [] for root in roots}
        for number in range(ROUNDS + 1):
            for root in roots:
                figures = root.plan()
                print(f'{root.size} planned: {figures[0]:.1f} ms each, CPU {figures[1]:.1f} ms, server {figures[2]:.0f} µs',
                      flush=True)
                if number > 0:  # the first warms
                    plans[root.size].append(figures)
        fewest = median([figures[2] for figures in plans[SIZES[0]]])
        for size, rounds in plans.items():
            wall, terraform, server = zip(*rounds)
            times = median(server) / fewest
            table.add(f'{size:,}', shown(wall, 2), shown(terraform, 2), shown(server), f'{times:.2f}', judged(times, FLAT))
    finally:
        for root in roots:
            root.remove()
    table.show()
