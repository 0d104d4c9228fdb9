"""A task that writes more than its ephemeral storage ends, and others go on. The state directory is on a file system of
its own, larger than the storage and almost all hole, so that the test takes no room."""
import json
import os
import pathlib
import subprocess
import tempfile

import pytest

import probes
from cloud import ROOT
from conftest import end, make_cloud
from three_tiers import namespaces
from waiting import wait_until

SIZE_GIB = 60
REASON = 'no space left on device: Container killed due to ephemeral storage usage'


class HollowDisk:
    """An ext4 file system in a file of holes."""

    def __init__(self, path):
        self.path = path
        self.directory = tempfile.TemporaryDirectory(prefix='bmd-', dir='/tmp')
        image = pathlib.Path(self.directory.name, 'disk')
        with open(image, 'wb') as file:
            file.truncate(SIZE_GIB << 30)
        subprocess.run(['mkfs.ext4', '-q', '-m', '0', '-O', '^has_journal', '-E',
                        'lazy_itable_init=1,nodiscard,root_owner=0:0', image], check=True)
        subprocess.run(['mount', '-o', 'loop', image, path], check=True)

    def end(self):
        subprocess.run(['umount', self.path], check=True)
        self.directory.cleanup()


@pytest.fixture(scope='module')
def place():
    cloud = make_cloud('--offline')
    disk = HollowDisk(cloud.state)
    try:
        cloud.image = probes.load_intruder(cloud.up())
        cloud.client('ecs').create_cluster(clusterName='default')
        yield cloud
    finally:
        # The mount point cannot be removed while it is one: the instance goes first, then the file system.
        (ROOT / 'build/e2e').mkdir(parents=True, exist_ok=True)
        (ROOT / 'build/e2e/test_task_disk.log').write_text(cloud.log())
        cloud.brume('down', check=False)
        disk.end()
        end(cloud)


def define(cloud, family, **more):
    container = {'name': 'main', 'image': cloud.image, 'command': ['serve', str(probes.COMMANDS)],
                 'mountPoints': [{'sourceVolume': 'scratch', 'containerPath': '/scratch'}]}
    return cloud.client('ecs').register_task_definition(
        family=family, requiresCompatibilities=['FARGATE'], networkMode='awsvpc', cpu='256', memory='512',
        containerDefinitions=[container], volumes=[{'name': 'scratch'}], **more)['taskDefinition']['taskDefinitionArn']


def run(cloud, definition):
    """A running task's ARN and its network namespace."""
    ecs, subnet = cloud.client('ecs'), cloud.client('ec2').describe_subnets()['Subnets'][0]['SubnetId']
    arn = ecs.run_task(taskDefinition=definition, launchType='FARGATE', networkConfiguration={
        'awsvpcConfiguration': {'subnets': [subnet], 'assignPublicIp': 'ENABLED'}})['tasks'][0]['taskArn']
    wait_until(lambda: described(cloud, arn)['lastStatus'] == 'RUNNING', 60, 'a running task')
    return arn, next(path for path in namespaces(cloud).values() if arn.rsplit('/', 1)[-1] in str(path))


def described(cloud, arn):
    return cloud.client('ecs').describe_tasks(tasks=[arn])['tasks'][0]


def stopped(cloud, arn):
    wait_until(lambda: described(cloud, arn)['lastStatus'] == 'STOPPED', 60, 'the end of the task')
    return described(cloud, arn)


def free_gib(cloud):
    status = os.statvfs(cloud.state)
    return status.f_bavail * status.f_frsize / 2**30


@pytest.mark.parametrize('path', ['/file', '/scratch/file'])
def test_a_task_that_writes_too_much_ends_alone(place, path):
    definition = define(place, 'writer')
    writer, inside = run(place, definition)
    other, beside = run(place, definition)
    assert described(place, writer)['ephemeralStorage'] == {'sizeInGiB': 20}
    before = free_gib(place)
    assert probes.ask(beside, 'allocate', path, 15).strip() == 'done'  # the control: what it may
    assert probes.ask(inside, 'allocate', path, 21).strip() == 'done'
    task = stopped(place, writer)
    assert (task['stopCode'], task['stoppedReason']) == ('EssentialContainerExited', 'Essential container in task exited')
    container = task['containers'][0]
    assert container['exitCode'] == 137
    assert container['reason'] == REASON
    wait_until(lambda: before - free_gib(place) < 16, 30, 'its room given back')
    assert described(place, other)['lastStatus'] == 'RUNNING'
    assert probes.ask(beside, 'allocate', '/more', 1).strip() == 'done'
    place.client('ecs').stop_task(task=other)
    stopped(place, other)


def test_a_task_may_ask_for_more_and_keeps_it_over_a_restart(place):
    arn, inside = run(place, define(place, 'large', ephemeralStorage={'sizeInGiB': 30}))
    assert probes.ask(inside, 'allocate', '/file', 25).strip() == 'done'
    place.kill()
    place.up()
    assert described(place, arn)['ephemeralStorage'] == {'sizeInGiB': 30}
    metadata = f"/v4/{described(place, arn)['containers'][0]['runtimeId']}/task"

    def metrics():
        answer = probes.ask(inside, 'http', '169.254.170.2', 80, 'GET', metadata)
        return json.loads(answer[answer.index('{'):])['EphemeralStorageMetrics']
    wait_until(lambda: metrics()['Utilized'] >= 25 * 1024, 30, 'what was written, in the metadata')
    assert metrics()['Reserved'] == 30 * 1024
    assert probes.ask(inside, 'allocate', '/second', 6).strip() == 'done'
    assert stopped(place, arn)['containers'][0]['reason'] == REASON


def test_tasks_that_fill_the_disk_together_end_one_at_a_time(place):
    """Each within its own 40 GiB, on a disk of 60: the larger one goes, the other stays."""
    definition = define(place, 'greedy', ephemeralStorage={'sizeInGiB': 40})
    small, beside = run(place, definition)
    large, inside = run(place, definition)
    assert probes.ask(beside, 'allocate', '/file', 24).strip() == 'done'
    room = int(free_gib(place) * 1024)
    assert room // 1024 >= 30, room
    assert probes.ask(inside, 'allocate', '/file', room // 1024).strip() == 'done'
    assert stopped(place, large)['containers'][0]['reason'] == REASON
    assert described(place, small)['lastStatus'] == 'RUNNING'
