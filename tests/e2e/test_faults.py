"""kill -9 of the daemon, or of the keeper, at named points of an apply, a deployment and a destroy: after `up` the same
apply converges, and what is on the machine is, line for line, what an undisturbed apply leaves.

`brume faults` lists the points (src/core/fault.h). Which of the times that a point is passed is the fatal one is drawn
from a seed, FAULT_SEED; a few points in the gate, all of them by night.
"""
import collections
import os
import pathlib
import random
import subprocess

import pytest

import traces
from cloud import PROGRAM
from conftest import end, make_cloud
from shape import difference, shape
from stack import Gone, Image, Stack
from waiting import wait_until

SEED = int(os.environ.get('FAULT_SEED', '1'))
GATE = ['front.committed', 'network.nft.sent', 'images.unpack.file', 'containers.launched']
# Not passed by a running cloud: they have tests of their own below.
OF_A_START = ['instance.named', 'store.created', 'cloud.network.recovered']
OF_DURABLE = ['store.sync', 'store.synced']
POINTS = [point for point in subprocess.run([PROGRAM, 'faults'], capture_output=True, text=True).stdout.split()
          if point not in OF_A_START + OF_DURABLE]


class Bench:
    """A cloud with a stack, what it looks like undisturbed, and how often each point is passed meanwhile."""

    def __init__(self):
        self.cloud = make_cloud('--offline')
        self.stack = Stack(self.cloud)
        self.trace, self.mark = self.cloud.work / 'trace', self.cloud.work / 'mark'

    def learn(self):
        self.cloud.up(env={'BRUME_FAULT': f'trace {self.trace}'})
        self.stack.cloud.status()
        self.round()
        self.passed = collections.Counter(self.trace.read_text().split())
        self.served, self.empty = self.now['served'], self.now['empty']
        return self

    def phase(self, what, *arguments):
        """Runs a phase as often as it takes; every failure must be the fault's."""
        for attempt in range(3):
            try:
                return self.stack.run(what, *arguments)
            except Gone:
                assert attempt < 2 and self.mark.exists(), f'the daemon was gone without a fault:\n{self.tail()}'
                self.restart()
        return None

    def restart(self):
        self.cloud.await_end()
        self.cloud.up()
        self.stack.clients.clear()

    def tail(self):
        return self.cloud.log()[-3000:]

    def settled(self):
        """The shape when it stands still: what was let go is removed behind the answers."""
        seen = [shape(self.cloud)]

        def still():
            seen.append(shape(self.cloud))
            return seen[-1] == seen[-2]
        wait_until(still, 30, 'an end of changes', every=0.3)
        return seen[-1]

    def round(self):
        """Everything once: made, deployed anew, gone again."""
        self.stack.image = Image()  # unpacked anew
        self.now = {}
        self.phase(self.stack.apply, '1')
        self.phase(self.stack.apply, '2')
        self.recovered()
        self.phase(self.stack.apply, '2')
        self.now['served'] = self.settled()
        self.phase(self.stack.destroy)
        self.recovered()
        self.phase(self.stack.destroy)
        self.now['empty'] = self.settled()

    def recovered(self):
        """A fault may have come behind the last answer."""
        if self.mark.exists() and not self.alive():
            self.cloud.await_end()
            self.restart()

    def alive(self):
        return traces.processes().get(self.cloud.pid) is not None

    def fault(self, point, hit):
        """At that time of passing the point. How often some are passed is a matter of time (a task's lines come with
        each health check), and a round may be shorter than the one that was counted: then at an earlier one."""
        while not self.struck(point, hit):
            assert hit > 1, f'{point} was not passed once (undisturbed: {self.passed[point]} times)'
            hit //= 2

    def struck(self, point, hit):
        self.mark.unlink(missing_ok=True)
        if self.alive():
            self.cloud.kill()
        self.end_keeper(point)
        self.cloud.up(env={'BRUME_FAULT': f'{point} {hit} {self.mark}'})
        self.stack.clients.clear()
        try:
            self.round()
        except Exception:
            self.start_over()
            raise
        for kind, expected in (('served', self.served), ('empty', self.empty)):
            changed = difference(expected, self.now[kind])
            assert not changed, f'{point} at {hit}, {kind}:\n  ' + '\n  '.join(changed)
        return self.mark.exists()

    def start_over(self):
        """A failure of one point is not to be that of the next ones."""
        end(self.cloud, 'test_faults_failed')
        self.cloud = self.stack.cloud = make_cloud('--offline')
        self.mark = self.cloud.work / 'mark'
        self.stack.clients.clear()
        self.cloud.up()

    def end_keeper(self, point):
        """The keeper reads its orders when it starts."""
        if point.startswith('keeper.'):
            self.cloud.up()
            self.cloud.brume('down')


@pytest.fixture(scope='module')
def bench():
    bench = Bench()
    try:
        yield bench.learn()
    finally:
        end(bench.cloud, 'test_faults')


def draw(bench, point):
    assert bench.passed[point] > 0, f'{point} is never passed: the tests here test nothing of it'
    # Not among the last: how often a point is passed differs a little from round to round.
    return random.Random(f'{SEED} {point}').randint(1, max(1, bench.passed[point] * 2 // 3))


def test_shape_sees_what_is_too_much(bench):
    """The control of all tests below: an orphan of each kind is a difference, nothing is none."""
    status = bench.cloud.status()
    orphans = [pathlib.Path(traces.cgroups_of(status['id'])[0], 'orphan'), pathlib.Path(status['state'], 'spool/orphan')]
    before = bench.settled()
    assert difference(bench.empty, before) == []
    for orphan in orphans:
        orphan.mkdir()
        assert difference(before, shape(bench.cloud)), orphan
        orphan.rmdir()
    assert difference(before, shape(bench.cloud)) == []


def test_undisturbed_rounds_are_alike(bench):
    bench.mark.unlink(missing_ok=True)
    bench.round()
    assert not (changed := difference(bench.served, bench.now['served'])), '\n'.join(changed)
    assert not (changed := difference(bench.empty, bench.now['empty'])), '\n'.join(changed)


@pytest.mark.parametrize('point', [pytest.param(point, marks=[] if point in GATE else [pytest.mark.nightly])
                                   for point in POINTS])
def test_kill_9_at_a_point_of_an_apply_leaves_nothing(bench, point):
    bench.fault(point, draw(bench, point))
