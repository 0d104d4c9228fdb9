"""Packets that must not travel: forged, claimed, shouted, or bound for somebody else's network; and connections that
must end with their rule. The attackers here are root in a task's network namespace, which is more than a task is."""
import fcntl
import os
import socket
import struct
import subprocess

import pytest

import frames
from probes import Scanner, load_intruder
from three_tiers import ThreeTiers
from waiting import wait_until

PORT = 5353
MARKER, EVIL = b'the-marker-of-the-test', b'what-must-not-arrive'


@pytest.fixture(scope='module')
def image(cloud):
    return load_intruder(cloud)


class Stage:
    """Three tasks of one subnet: an attacker, its victim, and a friend whom alone the victim's group lets in."""

    def __init__(self, cloud, image):
        self.cloud, self.system = cloud, ThreeTiers(cloud, 'stage', image, balancer=False, apps=0, datas=0)
        system, ec2 = self.system, self.system.ec2
        self.subnet = system.subnets['private', 0]
        groups = {name: ec2.create_security_group(GroupName=name, Description=name, VpcId=system.vpc)['GroupId']
                  for name in ('attacker', 'friend', 'victim')}
        self.groups = groups
        ec2.authorize_security_group_ingress(GroupId=groups['victim'], IpPermissions=[
            {'IpProtocol': '-1', 'UserIdGroupPairs': [{'GroupId': groups['friend']}]},
            {'IpProtocol': 'udp', 'FromPort': PORT, 'ToPort': PORT, 'UserIdGroupPairs': [{'GroupId': groups['attacker']}]}])
        for index, name in ((0, 'attacker'), (2, 'victim'), (4, 'friend')):  # even ones are in the first zone
            system.start_task('private', index, [groups[name]])
        system.wait_tasks()
        self.path = {name: system.namespace('private', index)
                     for index, name in ((0, 'attacker'), (2, 'victim'), (4, 'friend'))}
        self.address = {name: system.address('private', index)
                        for index, name in ((0, 'attacker'), (2, 'victim'), (4, 'friend'))}
        # Tasks are given any address of their subnet.
        network = self.address['victim'].rsplit('.', 1)[0]
        self.absent = next(each for each in (f'{network}.{host}' for host in range(99, 200))
                           if each not in self.address.values())
        self.mac = {name: frames.mac_of(path) for name, path in self.path.items()}
        self.router = self.router_mac()

    def router_mac(self):
        """As the attacker's kernel learns it: whoever answers for the gateway."""
        self.say('attacker', b'hello')
        gateway = self.address['attacker'].rsplit('.', 1)[0] + '.1'
        self.run('attacker', 'ip', 'neigh', 'flush', 'all')
        self.run('attacker', 'ip', 'route', 'replace', '192.0.2.77', 'via', gateway, 'dev', 'eth0')
        with frames.inside(self.path['attacker']), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b'x', ('192.0.2.77', 9))

        def known():
            shown = self.run('attacker', 'ip', 'neigh', 'show', gateway).split()
            return shown[shown.index('lladdr') + 1] if 'lladdr' in shown else None
        return bytes.fromhex(wait_until(known, 5, "the gateway's address").replace(':', ''))

    def run(self, name, *words):
        return subprocess.run(['nsenter', f'--net={self.path[name]}', *words], check=True, capture_output=True,
                              text=True).stdout

    def say(self, name, payload):
        """An honest datagram to the victim, through the kernel."""
        with frames.inside(self.path[name]), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(payload, (self.address['victim'], PORT))

    def attack(self, *evil, observer=None):
        """Sends frames from the attacker's interface, then the marker. What the victim saw of the frames, before it."""
        sender = frames.packet_socket(self.path['attacker'])
        seen = observer or frames.Observer(self.path['victim'])
        for frame in evil:
            sender.send(frame)
        # A task may send this one, by the same interface: what came before it has come, or never will.
        sender.send(self.routed(frames.udp(self.address['attacker'], self.address['victim'], PORT, MARKER)))
        return seen.until(MARKER)

    def routed(self, packet):
        return frames.ethernet(self.router, self.mac['attacker'], 0x0800, packet)


@pytest.fixture(scope='module')
def stage(cloud, image):
    return Stage(cloud, image)


def evil_among(seen):
    return [frame for frame in seen if EVIL in frame]


def test_the_observer_sees_what_is_let_through(stage):
    """The control of all that follow: an honest packet arrives, and a forbidden port's does not."""
    victim, attacker = stage.address['victim'], stage.address['attacker']
    allowed = stage.routed(frames.udp(attacker, victim, PORT, EVIL))
    forbidden = stage.routed(frames.udp(attacker, victim, PORT + 1, EVIL))
    assert len(evil_among(stage.attack(allowed, forbidden))) == 1


def test_forged_source_addresses_are_dropped(stage):
    """Of a friend who may, of the gateway, of an absent neighbour, of the internet, of the victim itself."""
    victim = stage.address['victim']
    observer = frames.Observer(stage.path['victim'])
    stage.say('friend', MARKER + b'friend')  # it may, as itself
    observer.until(MARKER + b'friend')
    forged = [stage.address['friend'], victim.rsplit('.', 1)[0] + '.1', stage.absent, '8.8.8.8', '127.0.0.1',
              '169.254.169.254', '0.0.0.0', victim]
    for port in (PORT, 9999):
        assert evil_among(stage.attack(*[stage.routed(frames.udp(source, victim, port, EVIL)) for source in forged])) == []


def test_raised_address_is_no_address(stage):
    """A task that gives its interface the friend's address, or one that nobody has, sends nothing as it."""
    observer = frames.Observer(stage.path['victim'])
    for address in (stage.address['friend'], stage.absent):
        stage.run('attacker', 'ip', 'address', 'add', f'{address}/32', 'dev', 'eth0')
        try:
            with frames.inside(stage.path['attacker']), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind((address, 0))
                sender.sendto(EVIL, (stage.address['victim'], PORT))
        finally:
            stage.run('attacker', 'ip', 'address', 'del', f'{address}/32', 'dev', 'eth0')
    stage.say('attacker', MARKER)
    assert evil_among(observer.until(MARKER)) == []


def test_claimed_addresses_change_nobodys_way(stage):
    """ARP: the attacker claims the victim's, the friend's and the gateway's address, to everybody and to each."""
    attacker = stage.mac['attacker']
    claims = [frames.ethernet(to, attacker, 0x0806, frames.arp_reply(attacker, claimed, to, of))
              for claimed in (stage.address['victim'], stage.address['friend'],
                              stage.address['victim'].rsplit('.', 1)[0] + '.1')
              for to, of in ((frames.BROADCAST, claimed), (stage.mac['friend'], stage.address['friend']),
                             (stage.router, stage.address['attacker']))]
    assert [frame for frame in stage.attack(*claims) if frame[12:14] == b'\x08\x06' and attacker in frame] == []
    # What is for the victim still comes to the victim, and not to the attacker.
    theft, victim = frames.Observer(stage.path['attacker']), frames.Observer(stage.path['victim'])
    stage.say('friend', EVIL)
    stage.say('friend', MARKER)
    assert len(evil_among(victim.until(MARKER))) == 1
    with frames.inside(stage.path['friend']), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
        sender.sendto(frames.udp(stage.address['friend'], stage.address['victim'], PORT, MARKER), (stage.address['victim'], 0))
    victim.until(MARKER)
    theft.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        while EVIL not in theft.socket.recv(65536):
            pass


def test_shouting_reaches_nobody(stage):
    """Broadcast, multicast, DHCP, frames straight to the victim's hardware address, IPv6: a VPC carries none of them."""
    attacker, address, victim = stage.mac['attacker'], stage.address['attacker'], stage.address['victim']
    subnet = address.rsplit('.', 1)[0]

    def shout(destination, hardware=frames.BROADCAST, source=address, port=PORT):
        return frames.ethernet(hardware, attacker, 0x0800, frames.udp(source, destination, port, EVIL))
    discover = frames.ethernet(frames.BROADCAST, attacker, 0x0800, frames.udp('0.0.0.0', '255.255.255.255', 67, EVIL, 68))
    everyone = frames.ethernet(b'\x33\x33\0\0\0\1', attacker, 0x86DD, frames.ipv6('fe80::1', 'ff02::1', EVIL))
    directly = frames.ethernet(stage.mac['victim'], attacker, 0x86DD, frames.ipv6('fe80::1', 'fe80::2', EVIL))
    assert evil_among(stage.attack(
        shout('255.255.255.255'), shout(f'{subnet}.255'), shout('224.0.0.251', b'\x01\0\x5e\0\0\xfb'), discover, everyone,
        directly, shout(victim, stage.mac['victim']), shout('224.0.0.251', stage.router), shout(f'{subnet}.255', stage.router),
        shout('255.255.255.255', stage.router))) == []


def test_link_local_neighbours_by_ipv6_do_not_exist(stage):
    """Even where both ends switch IPv6 on, which a task cannot: /proc/sys is read-only to it."""
    for name in ('attacker', 'victim'):
        assert stage.run(name, 'cat', '/proc/sys/net/ipv6/conf/eth0/disable_ipv6').strip() == '1'
        stage.run(name, 'sysctl', '-qw', 'net.ipv6.conf.eth0.disable_ipv6=0', 'net.ipv6.conf.eth0.accept_dad=0')
    try:
        observer = frames.Observer(stage.path['victim'])
        with frames.inside(stage.path['attacker']), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex('eth0'))
            wait_until(lambda: 'fe80' in stage.run('attacker', 'ip', '-6', 'address', 'show', 'dev', 'eth0'), 5, 'an address')
            wait_until(lambda: 'tentative' not in stage.run('attacker', 'ip', '-6', 'address', 'show', 'dev', 'eth0'), 5,
                       'an address that can be used')
            sender.sendto(EVIL, ('ff02::1', PORT))
        stage.say('attacker', MARKER)
        assert evil_among(observer.until(MARKER)) == []
    finally:
        for name in ('attacker', 'victim'):
            stage.run(name, 'sysctl', '-qw', 'net.ipv6.conf.eth0.disable_ipv6=1')


def test_forged_redirects_arrive_nowhere_and_would_be_ignored(stage):
    """ICMP redirects in the gateway's name, in the attacker's own, and, let in, one that the victim's kernel sees."""
    victim, attacker, friend = stage.address['victim'], stage.address['attacker'], stage.address['friend']
    gateway = victim.rsplit('.', 1)[0] + '.1'
    about = frames.udp(victim, friend, PORT, EVIL)[:28] + EVIL

    def redirect(source):
        return frames.icmp(source, victim, 5, 1, socket.inet_aton(attacker), about)
    assert evil_among(stage.attack(stage.routed(redirect(gateway)), stage.routed(redirect(attacker)))) == []
    # Straight into the victim's interface, as no task could: its kernel does not believe it.
    router = f'{stage.cloud.status()["run"]}/netns/router.{stage.system.vpc}'
    for setting in ('all', 'eth0'):
        assert stage.run('victim', 'cat', f'/proc/sys/net/ipv4/conf/{setting}/accept_redirects').strip() == '0'
    before = stage.run('victim', 'ip', 'route', 'get', friend)
    link = next(line.split(':')[1].split('@')[0].strip() for line in subprocess.run(
        ['nsenter', f'--net={router}', 'ip', '-oneline', 'link'], capture_output=True, text=True).stdout.splitlines()
        if f'alias {interface_of(stage, victim)}' in line)
    frames.packet_socket(router, link).send(frames.ethernet(stage.mac['victim'], stage.router, 0x0800, redirect(gateway)))
    assert stage.run('victim', 'ip', 'route', 'get', friend) == before


def interface_of(stage, address):
    return next(each['NetworkInterfaceId'] for each in stage.system.interfaces() if each['PrivateIpAddress'] == address)


# Connections and their rules.

def test_tracked_connections_outlive_their_rule_and_untracked_ones_do_not(stage):
    """"Security group connection tracking": what is open to all and answers all is untracked, and cut at once."""
    ec2, groups = stage.system.ec2, stage.groups
    world = [{'IpProtocol': 'tcp', 'FromPort': 8000, 'ToPort': 8000, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}]
    peers = [{'IpProtocol': 'tcp', 'FromPort': 8001, 'ToPort': 8001, 'UserIdGroupPairs': [{'GroupId': groups['attacker']}]}]
    ec2.authorize_security_group_ingress(GroupId=groups['victim'], IpPermissions=world + peers)
    scanner = Scanner()
    try:
        for name in ('attacker', 'victim'):
            scanner.space(name, stage.path[name])
        source, target = stage.address['attacker'], stage.address['victim']
        for port in (8000, 8001):
            scanner.listen('victim', 'tcp', target, port, 'victim')
        probes = [('attacker', source, 'tcp', target, port) for port in (8000, 8001)]
        wait_until(lambda: all(outcome == 'open' for outcome, _ in scanner.scan(probes).values()), 10, 'open ports')
        assert scanner.hold('untracked', 'attacker', source, target, 8000) == 'open'
        assert scanner.hold('tracked', 'attacker', source, target, 8001) == 'open'
        assert scanner.echo('untracked', 3000) and scanner.echo('tracked', 3000)
        ec2.revoke_security_group_ingress(GroupId=groups['victim'], IpPermissions=world + peers)
        wait_until(lambda: all(outcome == 'closed' for outcome, _ in scanner.scan(probes).values()), 10, 'closed ports')
        assert scanner.echo('tracked', 3000)
        assert not scanner.echo('untracked', 500)
    finally:
        scanner.close()


# The way to the real internet.

class Tap:
    """In place of slirp4netns's: a tap whose other end is this test, so that nothing leaves the machine."""
    GATEWAY, GATEWAY_MAC = '192.0.2.2', '02:00:00:00:00:02'

    def __init__(self, internet):
        self.internet = internet
        with frames.inside(internet):
            self.file = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.file, 0x400454CA, struct.pack('16sH', b'tap0', 0x1002))  # TUNSETIFF, a tap without headers
        for words in ('address add 192.0.2.100/24 dev tap0', 'link set tap0 up',
                      f'neigh add {self.GATEWAY} lladdr {self.GATEWAY_MAC} dev tap0',
                      f'route add default via {self.GATEWAY} dev tap0'):
            subprocess.run(['nsenter', f'--net={internet}', 'ip', *words.split()], check=True)

    def close(self):
        os.close(self.file)

    def destinations(self):
        """Of the IPv4 packets that have left since the last call."""
        found = []
        while True:
            try:
                frame = os.read(self.file, 65536)
            except BlockingIOError:
                return found
            if frame[12:14] == b'\x08\x00':
                found.append(socket.inet_ntoa(frame[30:34]))

    def counters(self):
        shown = subprocess.run(['nsenter', f'--net={self.internet}', 'nft', 'list', 'counters', 'table', 'inet', 'brume'],
                               capture_output=True, text=True, check=True).stdout.split()
        return {shown[at + 1]: int(shown[at + 4]) for at, word in enumerate(shown) if word == 'counter'}


FOREIGN = ['10.0.0.1', '10.0.2.2', '10.255.255.254', '172.16.0.1', '172.31.0.2', '192.168.0.1', '192.168.1.1', '100.64.0.1',
           '192.0.2.2', '192.0.2.3', '198.18.77.1', '198.19.255.254', '192.0.0.1', '240.0.0.1']
PUBLIC = '8.8.4.4'  # nobody is asked: the test itself is the other end of the tap


@pytest.mark.parametrize('egress', ['allow', 'deny'])
def test_nothing_private_leaves_by_the_tap(fresh_cloud, egress):
    cloud = fresh_cloud(*(['--egress', 'allow'] if egress == 'allow' else []))
    cloud.up()
    system = ThreeTiers(cloud, 'out', load_intruder(cloud), balancer=False, apps=1, datas=0, block='10.40')
    internet = f'{cloud.status()["run"]}/netns/internet'
    tap = Tap(internet)
    try:
        def send(path, addresses):
            with frames.inside(path), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for address in addresses:
                    try:
                        sender.sendto(EVIL, (address, 9))
                    except OSError:
                        pass  # a tool in `exec` is told at once

        # A task, over its NAT gateway; then the public address, which passes or not by the cloud's own setting.
        before = tap.counters()
        send(system.namespace('private', 0), [*FOREIGN, '169.254.169.254', '169.254.1.1', PUBLIC])

        def arrived():
            now = tap.counters()
            return {name: now[name] - before[name] for name in now} if (
                now['leave.passed'] + now['leave.closed'] > before['leave.passed'] + before['leave.closed']) else None
        moved = wait_until(arrived, 10, 'the public packet at the border')
        assert tap.destinations() == ([PUBLIC] if egress == 'allow' else [])
        assert moved['leave.special'] > 5
        assert moved['leave.passed' if egress == 'allow' else 'leave.closed'] == 1
        # A tool in `exec` may go out, and no more than that.
        before = tap.counters()
        send(internet, [*FOREIGN, '169.254.169.254', PUBLIC])
        assert tap.destinations() == [PUBLIC]
        assert tap.counters()['tools.special'] - before['tools.special'] > 5
    finally:
        tap.close()
