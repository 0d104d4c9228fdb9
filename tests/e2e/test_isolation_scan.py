"""A port scan of every pair of interfaces in a three-tier VPC, before and after each of many random changes of its
rules, equals what an independent model (vpc_model.py) works out from the API's describe-calls.

BRUME_SCAN_CHANGES and BRUME_SCAN_SEEDS make it longer (tools/nightly)."""
import collections
import os
import subprocess
import time

import pytest

import random_rules
from probes import SOURCE_PORTS, Scanner, load_intruder
from three_tiers import ThreeTiers, namespaces
from vpc_model import World, assert_one_verdict

CHANGES = int(os.environ.get('BRUME_SCAN_CHANGES', '15'))
SEEDS = [int(seed) for seed in os.environ.get('BRUME_SCAN_SEEDS', '1').split(',')]
PROBES = [('tcp', 443), ('tcp', 5432), ('tcp', 8000), ('tcp', 8001), ('udp', 443), ('udp', 5353), ('icmp', 0)]
BALANCER_PORT = 80  # its own HAProxy answers there
CLIENT = '198.18.0.3'    # how a tool in `brume exec` is seen
ENDPOINT = '198.18.0.2'  # where the internet's endpoints answer on 443


class Scan:
    """The system, the scanner with a listener on every port of every interface, and the list of all probes."""

    def __init__(self, cloud, name):
        self.system = ThreeTiers(cloud, name, load_intruder(cloud))
        self.scanner = Scanner()
        self.scanner.space('internet', f'{cloud.status()["run"]}/netns/internet')
        paths = namespaces(cloud)
        self.space_of = {}
        for interface in self.system.interfaces():
            address = interface['PrivateIpAddress']
            path = paths[self.system.vpc, address]
            self.space_of[address] = path.name
            if path.name not in self.scanner.spaces:
                self.scanner.space(path.name, path)
            for kind, port in PROBES:
                if kind != 'icmp':
                    self.scanner.listen(path.name, kind, address, port, address)
        self.probes = list(self.all_probes())

    def all_probes(self):
        """(the model's question, the probe) for everything."""
        system = self.system
        interfaces = system.interfaces()
        absent = next(each for each in (f'{system.block}.16.{host}' for host in range(77, 200))
                      if each not in {interface['PrivateIpAddress'] for interface in interfaces})
        for source in interfaces:
            own, space = source['PrivateIpAddress'], self.space_of[source['PrivateIpAddress']]
            for target in interfaces:
                address = target['PrivateIpAddress']
                if self.space_of[address] == space:
                    continue
                for kind, port in PROBES:
                    yield ('between', own, address, kind, port), (space, own, kind, address, port)
                if public := target.get('Association', {}).get('PublicIp'):
                    for kind, port in PROBES[:1] + PROBES[-2:]:
                        yield ('around', own, public, kind, port), (space, own, kind, public, port)
                    yield (('between', own, address, 'tcp', BALANCER_PORT),
                           (space, own, 'connect', address, BALANCER_PORT))
            yield ('to_internet', own, ENDPOINT, 'tcp', 443), (space, own, 'connect', ENDPOINT, 443)
            yield ('between', own, absent, 'tcp', 443), (space, own, 'tcp', absent, 443)
        for target in interfaces:
            if public := target.get('Association', {}).get('PublicIp'):
                for kind, port in PROBES:
                    yield ('from_internet', CLIENT, public, kind, port), ('internet', CLIENT, kind, public, port)
                yield (('from_internet', CLIENT, public, 'tcp', BALANCER_PORT),
                       ('internet', CLIENT, 'connect', public, BALANCER_PORT))

    def expected(self):
        world = World(self.system.ec2, self.system.vpc)
        verdicts = {}
        for question, probe in self.probes:
            way, source, address, kind, port = question
            start = source if way == 'from_internet' else world.owner(source)
            verdict = assert_one_verdict(
                lambda source_port: getattr(world, way)(start, address, kind, port, source_port), SOURCE_PORTS)
            # Only datagrams tell whether the half of the way was possible.
            verdicts[probe] = verdict if verdict == 'open' or kind == 'udp' else verdict.replace('half', 'closed')
        return verdicts

    def answer_of(self, probe):
        """Who must have answered an open probe."""
        _, _, kind, address, _ = probe
        if kind in ('icmp', 'connect'):
            return ''
        return next((each['PrivateIpAddress'] for each in self.system.interfaces()
                     if each.get('Association', {}).get('PublicIp') == address), address)

    def compare(self, seconds=20):
        """Scans everything, then again what differs, until nothing differs. How many probes were of which outcome."""
        expected, found = self.expected(), {}
        end = time.monotonic() + seconds
        left = list(expected)
        while left:
            found.update({probe: outcome for probe, (outcome, _) in self.checked(left).items()})
            left = [probe for probe in left if found[probe] != expected[probe]]
            if left and time.monotonic() > end:
                break
        assert not left, '\n'.join(f'{probe}: the model says {expected[probe]}, the scan {found[probe]}' for probe in left[:20])
        self.found = found
        return {outcome: list(found.values()).count(outcome) for outcome in ('open', 'half', 'closed')}

    def checked(self, probes):
        results = self.scanner.scan(probes)
        for probe, (outcome, text) in results.items():
            if outcome == 'open':
                assert text == self.answer_of(probe), f'{probe} was answered by {text}'
        return results


@pytest.fixture(scope='module', params=SEEDS)
def scan(cloud, request):
    """A system of its own for each seed: what fails fails again with the same BRUME_SCAN_SEEDS."""
    made = Scan(cloud, f'scan-{request.param}')
    made.seed = request.param
    yield made
    made.scanner.close()


def test_fresh_system_is_as_the_model_says(scan):
    counts = scan.compare()
    # The scan can tell things apart: the three tiers' own ways are open, others are not.
    assert counts['open'] > 20 and counts['closed'] > 100, counts


def test_the_scan_finds_a_hole(scan, cloud):
    """The control: a rule that no API call made, put into the kernel by hand, is found, and so is one taken away."""
    router = f'{cloud.status()["run"]}/netns/router.{scan.system.vpc}'

    def nft(*words):
        return subprocess.run(['nsenter', f'--net={router}', 'nft', '--echo', '--handle', *words], check=True,
                              capture_output=True, text=True).stdout
    for rule in (('check_ingress', 'tcp', 'dport', '5432', 'accept'), ('check_ingress', 'udp', 'dport', '5353', 'drop')):
        handle = nft('insert', 'rule', 'inet', 'brume', *rule).split('# handle ')[1].split()[0]
        try:
            with pytest.raises(AssertionError, match=f'{rule[1]}.*{rule[3]}'):
                scan.compare(seconds=0)
        finally:
            nft('delete', 'rule', 'inet', 'brume', rule[0], 'handle', handle)
    scan.compare()


def test_every_random_change_is_as_the_model_says(scan, record_property):
    changes, seen, totals = random_rules.Changes(scan.system, scan.seed), [], collections.Counter()
    counts, moved = scan.compare(), 0
    for number in range(CHANGES):
        before = scan.found
        change = changes.step(opening=counts['open'] < len(scan.probes) / 4)
        seen.append(change)
        try:
            counts = scan.compare()
        except AssertionError as error:
            raise AssertionError(f'after change {number} of seed {scan.seed}: {change}\n{error}\nbefore it:\n' +
                                 '\n'.join(seen[:-1])) from None
        moved += scan.found != before
        totals.update(counts)
    record_property('changes', CHANGES)
    record_property('changes that moved something', moved)
    record_property('probes', len(scan.probes))
    print(f'seed {scan.seed}: {CHANGES} changes, {moved} moved something, {len(scan.probes)} probes each: {dict(totals)}')
    assert moved >= CHANGES / 5  # the changes are no empty ones
