"""`aws ecs wait services-stable` and boto3's waiter, unmodified, inside: at speed 20 against speed 1, in one run."""
import sys
import time

import pytest

from cloud import AWS, REGION
from test_clock_tasks import CLOUD, Tasks, tasks  # noqa: F401  a fixture
from waiting import wait_until

pytestmark = pytest.mark.nightly

SPEED = 20
BOTO3 = '''
import boto3
boto3.client('ecs', region_name='eu-west-1').get_waiter('services_stable').wait(cluster='default', services=['slow'])'''


def test_waiters_shrink(cloud, tasks):  # noqa: F811
    """A service whose new task is healthy after a minute of cloud time; both waiters ask each 15 seconds."""
    tasks.define('slow', 'trap "exit 0" TERM; sleep infinity & wait', CLOUD, healthCheck={
        'command': ['CMD', '/bin/bash', '-c', 'true'], 'interval': 60})
    tasks.ecs.create_service(
        cluster='default', serviceName='slow', taskDefinition='slow', desiredCount=1, launchType='FARGATE',
        networkConfiguration={'awsvpcConfiguration': {'subnets': [tasks.subnet], 'assignPublicIp': 'ENABLED'}})
    waiters = {'aws ecs wait': [AWS, 'ecs', 'wait', 'services-stable', '--cluster', 'default', '--services', 'slow'],
               'boto3': [sys.executable, '-c', BOTO3]}
    cloud.brume('clock', 'speed', SPEED)
    # To waiters the first deployment is stable as soon as its task runs, healthy or not.
    wait_until(lambda: tasks.ecs.describe_services(services=['slow'])['services'][0]['deployments'][0]['rolloutState']
               == 'COMPLETED', 30, 'the first deployment')
    took = {}
    for name, command in waiters.items():
        for speed in (SPEED, 1):
            cloud.brume('clock', 'speed', speed)
            tasks.ecs.update_service(service='slow', forceNewDeployment=True)
            begun = time.monotonic()
            cloud.exec(*command, env={'AWS_DEFAULT_REGION': REGION})
            took[name, speed] = time.monotonic() - begun
            service = tasks.ecs.describe_services(services=['slow'])['services'][0]
            assert service['runningCount'] == 1 and len(service['deployments']) == 1
        print(f'{name}: {took[name, 1]:.1f} s at speed 1, {took[name, SPEED]:.1f} s at {SPEED}: '
              f'ratio {took[name, 1] / took[name, SPEED]:.1f}')
    for name in waiters:
        assert took[name, 1] > 2 * took[name, SPEED]
    cloud.brume('clock', 'speed', SPEED)
    tasks.ecs.delete_service(service='slow', force=True)
