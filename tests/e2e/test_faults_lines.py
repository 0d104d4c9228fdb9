"""What a task says is in its stream once and in its order, and its exit is known, though the daemon is killed between
its lines' commit and their acknowledgement: the keeper tells them again. The task says more than the keeper tells
unacknowledged, and ends while it waits to tell the rest."""
import os
import random

import pytest

import probes
from cloud import REGION
from stack import Stack
from waiting import wait_until

COUNT, WIDTH = 16_000, 400  # 6 MB
IMAGE = 'docker.io/library/chatter:1'
SEED = int(os.environ.get('FAULT_SEED', '1'))


@pytest.fixture(scope='module')
def definition(cloud):
    archive = probes.image_archive(cloud.work / 'chatter.tar', probes.program('chatter'), ['/chatter'])
    cloud.brume('image', 'load', archive, IMAGE)
    cloud.client('logs').create_log_group(logGroupName='chatter')
    cloud.client('ecs').create_cluster(clusterName='default')
    container = {'name': 'main', 'image': IMAGE, 'command': [str(COUNT), str(WIDTH)],
                 'logConfiguration': {'logDriver': 'awslogs', 'options': {
                     'awslogs-group': 'chatter', 'awslogs-region': REGION, 'awslogs-stream-prefix': 'said'}}}
    return cloud.client('ecs').register_task_definition(
        family='chatter', requiresCompatibilities=['FARGATE'], networkMode='awsvpc', cpu='256', memory='512',
        executionRoleArn=Stack(cloud).role(),
        containerDefinitions=[container])['taskDefinition']['taskDefinitionArn']


def run(cloud, definition):
    subnet = cloud.client('ec2').describe_subnets()['Subnets'][0]['SubnetId']
    return cloud.client('ecs').run_task(taskDefinition=definition, launchType='FARGATE', networkConfiguration={
        'awsvpcConfiguration': {'subnets': [subnet], 'assignPublicIp': 'ENABLED'}})['tasks'][0]['taskArn']


def stopped(cloud, arn):
    ecs = cloud.client('ecs')
    wait_until(lambda: ecs.describe_tasks(tasks=[arn])['tasks'][0]['lastStatus'] == 'STOPPED', 60, 'the end of the task')
    return ecs.describe_tasks(tasks=[arn])['tasks'][0]


def said(cloud, arn):
    """The numbers of the lines in the task's stream, in its order."""
    logs, numbers, token = cloud.client('logs'), [], {}
    while True:
        page = logs.get_log_events(logGroupName='chatter', logStreamName='said/main/' + arn.rsplit('/', 1)[-1],
                                   startFromHead=True, **token)
        if not page['events']:
            return numbers
        numbers += [int(event['message'].split()[0]) for event in page['events']]
        token = {'nextToken': page['nextForwardToken']}


# Some ninety batches of 64 KiB.
@pytest.mark.parametrize('hit', [1, random.Random(SEED).randint(2, 60)])
def test_kill_9_between_the_commit_of_lines_and_their_acknowledgement(cloud, definition, hit):
    mark = cloud.work / f'mark-{hit}'
    cloud.kill()
    cloud.up(env={'BRUME_FAULT': f'logs.lines.kept {hit} {mark}'})
    first = cloud.pid
    arn = run(cloud, definition)
    wait_until(mark.exists, 60, 'the fault')
    cloud.await_end()
    cloud.up()
    assert cloud.pid != first
    task = stopped(cloud, arn)
    assert task['containers'][0]['exitCode'] == 3, task
    assert said(cloud, arn) == list(range(1, COUNT + 1))
