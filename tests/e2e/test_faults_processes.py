"""kill -9 of what runs beside the daemon: each is restored, with load while it is away where traffic should go on, and
what must fail meanwhile seen to fail. And a restart of everything with the state directory kept."""
import collections
import os
import pathlib
import signal
import sys

import pytest

import traces
from conftest import served
from hello import Loading
from shape import difference, inside, shape
from stack import NAME, Stack
from waiting import now, wait_until


DNS = '198.18.0.1'  # of the internet namespace


@pytest.fixture(scope='module')
def stack():
    with served('test_faults_processes') as cloud:  # with a way to the internet, which ends in the tests' own namespace
        stack = Stack(cloud)
        stack.apply('1')
        settled(stack)
        stack.undisturbed = seen(stack)
        yield stack


def load(stack, rate=40, timeout=10):
    return Loading(stack.cloud, f'http://{stack.host}/whoami', rate, 4, timeout)


def child(stack, prefix):
    """The pid of the keeper's child whose id starts so."""
    return next(each['pid'] for each in stack.cloud.status()['processes']
                if each['id'].startswith(prefix) and each['running'])


def keeper(stack):
    run = stack.cloud.status()['run']
    found = traces.keepers(traces.processes(), run)
    assert len(found) == 1, found
    return found[0]


def nft_processes(stack):
    return sorted(pid for pid, (_, parent, line) in traces.processes().items()
                  if parent == stack.cloud.pid and line.startswith('nft '))


def kill(pid):
    start = traces.processes()[pid][0]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: traces.processes().get(pid, ('',))[0] != start, 10, f'the end of {pid}')


def seen(stack):
    """The shape without nft: a process of it is started when a change needs one."""
    return collections.Counter({line: count for line, count in shape(stack.cloud).items() if line != 'process nft -i'})


def settled(stack):
    wait_until(lambda: shape(stack.cloud) == shape(stack.cloud), 30, 'an end of changes', every=0.3)


ASK = """
import socket, sys
name = b''.join(bytes([len(part)]) + part.encode() for part in sys.argv[1].split('.'))
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(1)
asking.connect((sys.argv[2], 53))
asking.send(b'\\1\\2\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0' + name + b'\\0\\0\\1\\0\\1')
answer = asking.recv(1000)
print('found' if answer[7] else 'none')
"""


def answers_names(internet, name):
    """Whether the internet's DNS has an address for the name."""
    return inside(internet, sys.executable, '-c', ASK, name, DNS) == ['found']


def same_as_before(stack):
    try:
        wait_until(lambda: not difference(stack.undisturbed, seen(stack)), 30, 'what was there', every=0.3)
    except AssertionError as error:
        changed = difference(stack.undisturbed, seen(stack))
        raise AssertionError('other than before:\n  ' + '\n  '.join(changed)) from error


def failures(records, since):
    return [record for record in records if record.status != 200 and record.at >= since]


def test_killed_nft_is_started_anew_and_the_rules_hold(stack):
    """The rules are the kernel's: without the process traffic goes on, and the next change finds a new one."""
    vpc = stack.ec2.describe_vpcs(Filters=[{'Name': 'tag:Name', 'Values': [NAME]}])['Vpcs'][0]['VpcId']
    front, _ = stack.groups(vpc)
    old = nft_processes(stack)
    assert old, 'there is an nft process'
    before = stack.get()[0]
    with load(stack, timeout=2) as loading:  # packets of a revoked rule are dropped: each request waits for it
        for pid in old:
            kill(pid)
        wait_until(lambda: stack.get()[0] == 200, 10, 'an answer without nft')
        rule = [{'IpProtocol': 'tcp', 'FromPort': 80, 'ToPort': 80, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}]
        stack.ec2.revoke_security_group_ingress(GroupId=front, IpPermissions=rule)
        revoked = now()
        wait_until(lambda: stack.get(timeout=2)[0] == 0, 20, 'the revoked rule')
        stack.ec2.authorize_security_group_ingress(GroupId=front, IpPermissions=rule)
        wait_until(lambda: stack.get()[0] == 200, 20, 'the rule again')
    assert before == 200
    assert set(nft_processes(stack)) - set(old), 'a new nft process'
    assert not [record for record in loading.records if record.status != 200 and record.at < revoked - 1]
    # The control: the load sees a rule that is gone.
    assert [record for record in loading.records if record.status != 200 and record.at >= revoked - 1]
    same_as_before(stack)


def test_killed_haproxy_is_restored_within_moments(stack):
    with load(stack) as loading:
        kill(child(stack, 'haproxy/'))
        killed = now()
        wait_until(lambda: stack.get()[0] == 200, 20, 'an answer after HAProxy was killed')
        healed = now()
        wait_until(lambda: now() > healed + 1, 5, 'a second of load')
    assert not [record for record in loading.records if record.status != 200 and record.at + record.seconds < killed - 0.5]
    assert not failures(loading.records, healed)
    assert loading.records[-1].status == 200 and len(loading.records) > 40
    same_as_before(stack)


def test_killed_slirp_is_started_anew(stack):
    """The way to the real internet comes back; inside nothing is interrupted by its end."""
    first = child(stack, 'slirp4netns')
    internet = pathlib.Path(stack.cloud.status()['run'], 'netns/internet')
    for _ in range(2):  # also soon after its start
        with load(stack, rate=20) as loading:
            old = child(stack, 'slirp4netns')
            kill(old)
            wait_until(lambda: [each for each in stack.cloud.status()['processes'] if each['id'] == 'slirp4netns' and
                                each['running'] and each['pid'] != old], 20, 'another slirp4netns')
            wait_until(lambda: [line for line in inside(internet, 'ip', '-o', 'link') if 'tap' in line and 'UP' in line],
                       20, 'its interface')
        assert not failures(loading.records, 0)
    assert child(stack, 'slirp4netns') != first
    same_as_before(stack)


def test_killed_container_leaves_its_load_balancer_and_is_replaced(stack):
    tasks = stack.tasks()
    with load(stack) as loading:
        kill(child(stack, 'task/'))
        killed = now()
        wait_until(lambda: stack.tasks() != tasks and stack.stable(), 60, 'a replacement', every=0.2)
    # Connections that the dead container held, and those until the first failed check.
    assert len(failures(loading.records, killed)) <= 6, failures(loading.records, killed)
    assert len(tasks - stack.tasks()) == 1
    same_as_before(stack)


def test_killed_daemon_answers_names_again(stack):
    """DNS is answered by the daemon: away, names are not found (the control), and flows go on; back, they are."""
    cloud = stack.cloud
    internet = pathlib.Path(cloud.status()['run'], 'netns/internet')
    with load(stack) as loading:
        assert answers_names(internet, stack.host)
        cloud.kill()
        assert not answers_names(internet, stack.host), 'a name was answered without the daemon'
        cloud.up()
        stack.clients.clear()
        wait_until(lambda: answers_names(internet, stack.host), 10, 'a name')
    assert not failures(loading.records, 0)
    same_as_before(stack)


def test_killed_keeper_brings_everything_back(stack):
    """Its end is the end of its children: containers and HAProxy come back as new ones, without another start."""
    tasks, old = stack.tasks(), keeper(stack)
    family = traces.descendants(traces.processes(), [old]) - {old}
    born = {pid: traces.processes()[pid][0] for pid in family if pid in traces.processes()}
    with load(stack, rate=10) as loading:
        kill(old)
        killed = now()
        wait_until(lambda: not tasks & stack.tasks() and stack.stable() and stack.get()[0] == 200, 90,
                   'new tasks that answer', every=0.3)
        healed = now()
        wait_until(lambda: now() > healed + 1, 5, 'a second of load')
    assert failures(loading.records, killed - 1), 'the control: an outage there must be'
    assert not failures(loading.records, healed)
    assert keeper(stack) != old
    alive = traces.processes()
    assert not [pid for pid, start in born.items() if pid in alive and alive[pid][0] == start], 'orphans'
    stopped = stack.ecs.describe_tasks(cluster=NAME, tasks=sorted(tasks))['tasks']
    assert all(task['lastStatus'] == 'STOPPED' for task in stopped)
    same_as_before(stack)


def end_of_the_machine(cloud):
    """Everything of the instance ends at once, as when the power goes: processes, namespaces, mounts, cgroups, /run."""
    status = cloud.status()
    noted = traces.Traces(status)
    everything = traces.processes()
    # The daemon first, it would start another keeper, then the keeper: nothing shall be restored meanwhile.
    first = [status['pid'], *traces.keepers(everything, status['run'])]
    order = first + sorted(noted.processes.keys() - set(first))
    for pid in order:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_until(lambda: not [pid for pid, (start, _, _) in noted.processes.items()
                            if traces.processes().get(pid, ('',))[0] == start], 20, 'the end of all processes')
    remove_run(status)
    assert noted.left(state_deleted=False) == []


def remove_run(status):
    points = [line.split()[4] for line in traces.read('/proc/self/mountinfo').splitlines() if status['run'] in line]
    for point in sorted(points, reverse=True):
        os.system(f'umount -l {point}')
    os.system(f'rm -rf {status["run"]}')
    for cgroup in traces.cgroups_of(status['id']):
        for path in sorted([pathlib.Path(cgroup), *pathlib.Path(cgroup).rglob('*')], reverse=True):
            if path.is_dir():
                path.rmdir()


def test_everything_restarted_comes_back_from_the_state_directory(stack):
    """After the end of the machine: tasks come back as new ones, the old ones stopped with a reason, the name answers."""
    tasks = stack.tasks()
    end_of_the_machine(stack.cloud)
    assert stack.get()[0] == 0, 'the control: it is down'
    stack.cloud.up()
    stack.clients.clear()
    wait_until(lambda: not tasks & stack.tasks() and stack.stable(), 90, 'new tasks', every=0.3)
    assert stack.get()[0] == 200 and stack.get('/rule')[1] == 'rule 1'
    stopped = stack.ecs.describe_tasks(cluster=NAME, tasks=sorted(tasks))['tasks']
    assert {task['lastStatus'] for task in stopped} == {'STOPPED'} and all(task['stoppedReason'] for task in stopped)
    same_as_before(stack)
