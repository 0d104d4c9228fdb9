"""`terraform apply` and `destroy` of systems/hello at speed 20 beside speed 1: wall time, of it what nobody worked in (the
waits, which the clock shortens), and a plan of the destruction by the machine's clock, which nothing can shorten."""
import os
import re
import shutil
import subprocess
import time

from measure import Table, judged, ratio, shown
from world import PROGRAM

SPEEDS = (20, 1)
ROUNDS = int(os.environ.get('TERRAFORM_ROUNDS', '5'))
WALK = re.compile(r'(Creating|Destroying)\.\.\.|(Creation|Destruction) complete')


class Figures:
    def __init__(self):
        self.wall, self.waits, self.work, self.walk = [], [], [], []


def measured(hello, roots, figures, *words, real=False):
    """One Terraform command, from its start to its end."""
    from cloud import clean_environment, terraform_configuration
    from pauses import Pauses
    with Pauses(*roots) as pauses:
        tool = subprocess.Popen(
            [PROGRAM, '--state', hello.cloud.state, 'exec', *(['--real'] if real else []), '--', 'terraform',
             f'-chdir={hello.infrastructure}', *words, '-no-color'], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, env=dict(clean_environment(), TF_CLI_CONFIG_FILE=terraform_configuration()))
        pauses.add(tool.pid)
        moments = [time.monotonic() for line in tool.stdout if WALK.search(line)]
        if tool.wait() != 0:
            raise SystemExit(f'terraform {words[0]} ended with {tool.returncode}')
    figures.wall.append(pauses.seconds)
    figures.waits.append(pauses.waited)
    figures.work.append(pauses.worked)
    figures.walk.append(moments[-1] - moments[0] if moments else 0)
    return pauses


def rounds(hello, roots):
    resources = hello.terraform('state', 'list').stdout
    # The repository stays: the image is in it.
    targets = [f'-target={name}' for name in resources.split() if not name.startswith(('data.', 'aws_ecr'))]
    figures = {(act, speed): Figures() for act in ('apply', 'destroy') for speed in SPEEDS}
    plan = Figures()
    for number in range(ROUNDS):
        for speed in SPEEDS if number % 2 == 0 else SPEEDS[::-1]:
            measured(hello, roots, plan, 'plan', '-destroy', *targets, real=True)
            hello.cloud.brume('clock', 'speed', speed)
            measured(hello, roots, figures['destroy', speed], 'destroy', '-auto-approve', *targets)
            measured(hello, roots, figures['apply', speed], 'apply', '-auto-approve')
            hello.terraform('plan', '-detailed-exitcode')  # no drift
            assert hello.terraform('state', 'list').stdout == resources
            print(f'round {number}, speed {speed}: ' + ', '.join(
                f'{act} {figures[act, speed].wall[-1]:.1f} s, waits {figures[act, speed].waits[-1]:.2f} s'
                for act in ('apply', 'destroy')), flush=True)
    return figures, plan


def run():
    from cloud import Cloud
    from hello import Hello
    from world import Cloud as Served
    cloud = Cloud('--offline').up()
    try:
        hello = Hello(cloud).deploy()
        roots = [cloud.pid, Served.keeper(cloud)]
        figures, plan = rounds(hello, roots)
    finally:
        left = cloud.delete()
        for directory in (cloud.work, cloud.state):
            shutil.rmtree(directory, ignore_errors=True)
    assert not left, left
    table = Table(f'terraform of systems/hello at speed {SPEEDS[0]} beside speed {SPEEDS[1]}, s, {ROUNDS} rounds', 'what',
                  f'at speed {SPEEDS[0]}', f'at speed {SPEEDS[1]}', 'times as fast', 'goal')
    for act in ('apply', 'destroy'):
        fast, slow = (figures[act, speed] for speed in SPEEDS)
        for what, goal in (('wall', 5), ('walk', 5), ('waits', 5), ('work', None)):
            value, text = ratio(getattr(slow, what), getattr(fast, what), 1)
            table.add(f'{act}, {LABELS[what]}', shown(getattr(fast, what), 2), shown(getattr(slow, what), 2), text,
                      judged(value, goal, at_least=True) if goal else '')
        # Without any wait, at any speed, what is left is work.
        bound = [wall - waits for wall, waits in zip(fast.wall, fast.waits)]
        value, text = ratio(slow.wall, bound, 1)
        table.add(f'{act}, wall if waits took no time at all', shown(bound, 2), '', text, '')
    table.add('plan -destroy, --real: wall', shown(plan.wall, 2), '', '', '')
    table.add('plan -destroy, --real: CPU', shown(plan.work, 2), '', '', '')
    table.show()


LABELS = {'wall': 'wall', 'walk': 'wall from the first resource to the last', 'waits': 'of it nobody works',
          'work': 'CPU of Terraform, the cloud and its tasks'}
