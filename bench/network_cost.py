"""Packets and rules: a round trip between two tasks through both their security groups beside a bare veth pair, and from
a rule's change to its effect on a packet with 2 and with 500 interfaces in the group."""
import subprocess
import time

from measure import ROUNDS, Table, judged, median, ratio, shown
from system import Inside, System, connects, until
from world import TOOLS

TRIPS = 2000
INTERFACES = 500


class Veth:
    """Two namespaces and a veth pair between them, with the echo in one."""

    def __init__(self):
        self.holders = []
        for _ in range(2):
            holder = subprocess.Popen(['unshare', '-n', 'sh', '-c', 'ip link set lo up; echo; exec sleep 3600'],
                                      stdout=subprocess.PIPE)
            holder.stdout.readline()
            self.holders.append(holder)
        a, b = (holder.pid for holder in self.holders)
        for words in (f'nsenter -t {a} -n ip link add e0 type veth peer name e1 netns {b}',
                      f'nsenter -t {a} -n ip address add 10.9.0.1/30 dev e0', f'nsenter -t {a} -n ip link set e0 up',
                      f'nsenter -t {b} -n ip address add 10.9.0.2/30 dev e1', f'nsenter -t {b} -n ip link set e1 up'):
            subprocess.run(words.split(), check=True)
        self.echo = subprocess.Popen(['nsenter', '-t', str(b), '-n', TOOLS / 'echo', 'serve', '7'])
        self.client = a
        Inside(f'/proc/{a}/ns/net', lambda: until(lambda: connects('10.9.0.2', 7))).result()

    def remove(self):
        for process in (self.echo, *self.holders):
            process.kill()
            process.wait()


def round_trip(pid, address, port):
    done = subprocess.run(['nsenter', '-t', str(pid), '-n', TOOLS / 'echo', 'ask', address, str(port), str(TRIPS)],
                          capture_output=True, text=True, check=True)
    return int(done.stdout) / 1000


def change_to_effect(system, group, pid, address):
    """Milliseconds from the call that allows a port, and from the call that forbids it, to a packet's fate."""
    rule = [{'IpProtocol': 'tcp', 'FromPort': 7, 'ToPort': 7, 'IpRanges': [{'CidrIp': '10.9.0.0/16'}]}]
    inside = f'/proc/{pid}/ns/net'
    asking = Inside(inside, lambda: until(lambda: connects(address, 7, 0.02), pause=0) and time.perf_counter())
    began = time.perf_counter()
    system.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
    called = time.perf_counter()
    effect = asking.result()
    system.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)
    Inside(inside, lambda: until(lambda: not connects(address, 7, 0.02))).result()
    return 1000 * (effect - began), 1000 * (called - began)


def run():
    system, veth = System(), Veth()
    try:
        system.register('echo', ['/echo', 'serve', '7'])
        asker = system.group('asker', [(8000, 8000)])
        answerer = system.group('answerer', [(8000, 8000)])
        tasks = [system.run_task('web', asker), system.run_task('echo', answerer)]
        (_, _), (_, address) = (until(lambda task=task: system.interface(task)) for task in tasks)
        for task in tasks:
            system.wait(task, 'RUNNING')
        pid = system.process_of(tasks[0], 'server')
        table = Table(f'From a rule to its effect, ms, {ROUNDS} rounds', 'interfaces in the group', 'call to packet',
                      'the call alone')
        few = [change_to_effect(system, answerer, pid, address) for _ in range(ROUNDS)]
        for _ in range(INTERFACES):
            system.ec2.create_network_interface(SubnetId=system.subnets[1], Groups=[answerer])
        many = [change_to_effect(system, answerer, pid, address) for _ in range(ROUNDS)]
        for count, rounds in ((1, few), (INTERFACES + 1, many)):
            table.add(count, shown([effect for effect, _ in rounds]), shown([call for _, call in rounds]))
        table.show()
        system.ec2.authorize_security_group_ingress(GroupId=answerer, IpPermissions=[
            {'IpProtocol': 'tcp', 'FromPort': 7, 'ToPort': 7, 'UserIdGroupPairs': [{'GroupId': asker}]}])
        Inside(f'/proc/{pid}/ns/net', lambda: until(lambda: connects(address, 7))).result()
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(round_trip(pid, address, 7))
            theirs.append(round_trip(veth.client, '10.9.0.2', 7))
        table = Table(f'TCP round trip of a byte, µs, median of {TRIPS}, {ROUNDS} rounds', 'path', 'Brume', 'bare veth',
                      'ratio')
        table.add('two tasks, two groups, one by reference', shown(ours), shown(theirs), ratio(ours, theirs)[1])
        table.show()
    finally:
        veth.remove()
        system.remove()
