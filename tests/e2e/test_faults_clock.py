"""The machine's clock is set, forward and back by hours, under a running cloud: traffic goes on, nothing waits for hours,
what has expired has, and a restart in the midst changes nothing. The clock is the daemon's and its keeper's alone:
clocks/stepped.c is preloaded into them; the machine's own is not touched."""
import datetime
import os
import signal
import subprocess

import botocore.auth
import pytest
from botocore.exceptions import ClientError

from cloud import ROOT
from conftest import end, make_cloud
from hello import Loading
from shape import difference, shape
from stack import NAME, Stack
from waiting import wait_until

HOUR = 3600


class SteppedClock:
    def __init__(self, work):
        self.file, self.library = work / 'step', work / 'stepped.so'
        subprocess.run(['clang-19', '-shared', '-fPIC', '-O1', '-o', self.library, ROOT / 'tests/e2e/clocks/stepped.c'],
                       check=True)
        self.seconds = 0
        self.file.write_bytes(bytes(8))
        self.environment = {'LD_PRELOAD': str(self.library), 'CLOCK_STEP': str(self.file)}

    def set(self, seconds):
        """In place: the file is mapped."""
        with open(self.file, 'r+b') as file:
            file.write((seconds * 10**9).to_bytes(8, 'little', signed=True))
        self.seconds = seconds

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.seconds)


@pytest.fixture(scope='module')
def stack():
    cloud = make_cloud('--offline')
    try:
        clock = SteppedClock(cloud.work)
        stack = Stack(cloud.up(env=clock.environment))
        stack.clock = clock
        stack.apply('1')
        wait_until(lambda: shape(cloud) == shape(cloud), 30, 'an end of changes', every=0.3)
        stack.undisturbed = shape(cloud)
        yield stack
    finally:
        end(cloud, 'test_faults_clock')


@pytest.fixture(autouse=True)
def clients_go_by_it(stack, monkeypatch):
    """Requests are signed by the same clock."""
    monkeypatch.setattr(botocore.auth, 'get_current_datetime',
                        lambda remove_tzinfo=True: stack.clock.now().replace(tzinfo=None if remove_tzinfo else datetime.timezone.utc))


def loaded(stack):
    return Loading(stack.cloud, f'http://{stack.host}/whoami', 20, 4)


def kill_a_task(stack):
    victim = next(each['pid'] for each in stack.cloud.status()['processes']
                  if each['id'].startswith('task/') and each['running'])
    os.kill(victim, signal.SIGKILL)


def heals(stack):
    """A task that dies is replaced, its successor found healthy, and gets its share: many timers, none an hour late."""
    before = stack.tasks()
    kill_a_task(stack)
    wait_until(lambda: stack.tasks() != before and stack.stable(), 60, 'a replacement that is healthy', every=0.2)
    wait_until(lambda: stack.get()[0] == 200, 10, 'an answer')


def refusal(call):
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response['Error']['Code']


def session(stack, seconds=900):
    iam = stack.cloud.client('iam')
    trust = ('{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
             '"Principal": {"AWS": "000000000000"}}]}')
    iam.create_user(UserName='clock')
    key = iam.create_access_key(UserName='clock')['AccessKey']
    role = iam.create_role(RoleName='clock', AssumeRolePolicyDocument=trust)['Role']['Arn']
    for attach, name in ((iam.attach_user_policy, 'UserName'), (iam.attach_role_policy, 'RoleName')):
        attach(**{name: 'clock', 'PolicyArn': 'arn:aws:iam::aws:policy/AdministratorAccess'})
    user = stack.cloud.client('sts', key=key['AccessKeyId'], secret=key['SecretAccessKey'])
    return user.assume_role(RoleArn=role, RoleSessionName='clock', DurationSeconds=seconds)['Credentials']


def test_clock_set_forward_expires_what_has_expired_and_keeps_the_rest(stack):
    credentials = session(stack)
    inside = stack.cloud.session_client('ec2', credentials)
    assert inside.describe_vpcs()['Vpcs'], 'the control: the session is good'
    with loaded(stack) as loading:
        stack.clock.set(HOUR)
        assert refusal(stack.cloud.session_client('ec2', credentials).describe_vpcs) == 'RequestExpired'
        assert stack.stable() and stack.get()[0] == 200
    assert not loading.failures()
    stack.clock.seconds = 0  # a client that was left behind
    assert refusal(stack.s3.list_buckets) == 'RequestTimeTooSkewed'
    stack.clock.seconds = HOUR
    assert stack.s3.list_buckets()['Buckets']
    heals(stack)


def test_clock_set_back_delays_nothing(stack):
    with loaded(stack) as loading:
        stack.clock.set(-HOUR)
        assert stack.stable() and stack.get()[0] == 200
    assert not loading.failures()
    heals(stack)
    stack.rule('2')  # its load balancer is reloaded
    body = stack.s3.get_object(Bucket=f'{NAME}-bucket', Key='first')
    assert body['Body'].read() == b'first1' * 40_000
    lines = stack.logs.filter_log_events(logGroupName=NAME)['events']
    assert lines, 'the tasks\' lines'


def test_clock_set_back_while_a_deployment_runs(stack):
    """Steps in the midst of what waits: to and fro while a revision rolls out."""
    stack.objects('3')
    revision = stack.revision('3')
    stack.ecs.update_service(cluster=NAME, service=NAME, taskDefinition=revision)
    for seconds in (5 * HOUR, -20 * HOUR, 0):
        stack.clock.set(seconds)
        wait_until(lambda: stack.ecs.describe_services(cluster=NAME, services=[NAME])['services'], 10, 'an answer')
    stack.converged('3')


def test_restart_with_another_clock_loses_nothing(stack):
    tasks = stack.tasks()
    with loaded(stack) as loading:
        stack.cloud.kill()
        stack.clock.set(-30 * HOUR)
        stack.cloud.up(env=stack.clock.environment)
        stack.clients.clear()
        assert stack.stable() and stack.tasks() == tasks
    assert not loading.failures()
    heals(stack)
    stack.clock.set(0)
    heals(stack)
    try:
        wait_until(lambda: not difference(stack.undisturbed, shape(stack.cloud)), 30, 'what was there', every=0.3)
    except AssertionError as error:
        raise AssertionError('\n'.join(difference(stack.undisturbed, shape(stack.cloud)))) from error
