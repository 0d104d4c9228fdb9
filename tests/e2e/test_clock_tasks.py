"""Tasks whose programs follow the cloud's clock because a tag asks for it, and others, which keep the machine's."""
import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import tarfile
import time

import pytest
from botocore.exceptions import ClientError

from test_clock import clock, cloud_now
from test_command_line import make_execution_role
from waiting import wait_until

SPEED = 20
TOOLS = ('bash', 'date', 'sleep', 'touch', 'stat')
GROUP = '/clocks'
CLOUD = [{'key': 'brume.clock', 'value': 'cloud'}]


def shell_image(path):
    """A docker archive with bash and a few of this machine's programs, and the libraries that they need."""
    files = {}
    for tool in TOOLS:
        program = pathlib.Path(shutil.which(tool)).resolve()
        files[f'bin/{tool}'] = program
        for library in re.findall(r'(/\S+) \(0x', subprocess.run(['ldd', program], capture_output=True, text=True).stdout):
            files[library.lstrip('/')] = pathlib.Path(library).resolve()
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode='w') as archive:
        for name, source in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = source.stat().st_size, 0o755
            archive.addfile(entry, io.BytesIO(source.read_bytes()))
        entry = tarfile.TarInfo('tmp')
        entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(entry)
    layer = layer.getvalue()
    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {'Entrypoint': ['/bin/bash', '-c']},
                         'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(layer).hexdigest()]}})
    manifest = json.dumps([{'Config': 'config.json', 'RepoTags': ['shell:1'], 'Layers': ['layer.tar']}])
    with tarfile.open(path, 'w') as archive:
        for name, data in (('layer.tar', layer), ('config.json', config.encode()), ('manifest.json', manifest.encode())):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


class Tasks:
    def __init__(self, cloud):
        self.cloud, self.ecs, self.logs = cloud, cloud.client('ecs'), cloud.client('logs')
        cloud.brume('image', 'load', shell_image(cloud.work / 'shell.tar'), 'docker.io/library/shell:1')
        self.ecs.create_cluster(clusterName='default')
        self.logs.create_log_group(logGroupName=GROUP)
        self.role = make_execution_role(cloud)
        self.subnet = cloud.client('ec2').describe_subnets()['Subnets'][0]['SubnetId']

    def define(self, family, script, tags=(), **more):
        self.ecs.register_task_definition(
            family=family, requiresCompatibilities=['FARGATE'], networkMode='awsvpc', cpu='256', memory='512',
            executionRoleArn=self.role, tags=list(tags), containerDefinitions=[
                {'name': 'it', 'image': 'shell:1', 'command': [script], **more, 'logConfiguration': {
                    'logDriver': 'awslogs', 'options': {'awslogs-group': GROUP, 'awslogs-region': 'eu-west-1',
                                                        'awslogs-stream-prefix': family}}}])

    def run(self, family, **more):
        return self.ecs.run_task(taskDefinition=family, launchType='FARGATE', networkConfiguration={
            'awsvpcConfiguration': {'subnets': [self.subnet], 'assignPublicIp': 'ENABLED'}}, **more)['tasks'][0]['taskArn']

    def task(self, arn):
        return self.ecs.describe_tasks(tasks=[arn])['tasks'][0]

    def ended(self, arn):
        wait_until(lambda: self.task(arn)['lastStatus'] == 'STOPPED', 60, 'the end of the task')
        return self.lines(arn)

    def lines(self, arn):
        streams = [stream['logStreamName'] for stream in self.logs.describe_log_streams(logGroupName=GROUP)['logStreams']
                   if stream['logStreamName'].endswith(arn.rsplit('/', 1)[-1])]
        return [event['message'] for stream in streams for event in
                self.logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)['events']]


@pytest.fixture(scope='module')
def tasks(cloud):
    return Tasks(cloud)


@pytest.fixture(autouse=True)
def dial(cloud):
    cloud.brume('clock', 'resume')
    cloud.brume('clock', 'speed', 1)


# Prints the moment, how long a sleep of N seconds took by the clock that it sees, and by the stamps of files.
SLEEPER = ('date +%s; a=$EPOCHREALTIME; touch /tmp/a; sleep N; touch /tmp/b; b=$EPOCHREALTIME; '
           'echo $a $b $(stat -c %.9Y /tmp/a /tmp/b)')


def spans(lines):
    begun, ended, first, last = map(float, lines[1].replace(',', '.').split())
    return int(lines[0]), ended - begun, last - first


def test_a_task_that_asks_follows_and_another_does_not(cloud, tasks):
    cloud.brume('clock', 'advance', '3d')
    cloud.brume('clock', 'speed', SPEED)
    tasks.define('follows', SLEEPER.replace('N', '60'), CLOUD)
    tasks.define('real', SLEEPER.replace('N', '2'))
    before = cloud_now(cloud).timestamp()
    arns = tasks.run('follows'), tasks.run('real')
    moment, seen, machine = spans(tasks.ended(arns[0]))
    assert before - 1 <= moment <= cloud_now(cloud).timestamp()
    assert 60 <= seen < 66
    assert 60 / SPEED * 0.95 <= machine < 60 / SPEED * 2
    moment, seen, machine = spans(tasks.ended(arns[1]))
    assert abs(moment - time.time()) < 60
    assert 1.9 < machine and abs(seen - machine) < 1


def test_the_tasks_own_tag_has_the_last_word(cloud, tasks):
    cloud.brume('clock', 'advance', '3d')
    tasks.define('asks', 'date +%s', CLOUD)
    tasks.define('silent', 'date +%s')
    own = tasks.run('silent', tags=CLOUD)
    kept = tasks.run('asks', tags=[{'key': 'brume.clock', 'value': 'machine'}])
    assert abs(int(tasks.ended(own)[0]) - cloud_now(cloud).timestamp()) < 60
    assert abs(int(tasks.ended(kept)[0]) - time.time()) < 60


def test_other_values_are_refused(tasks):
    with pytest.raises(ClientError) as refused:
        tasks.define('wrong', 'date', [{'key': 'brume.clock', 'value': 'moon'}])
    assert 'brume.clock' in str(refused.value)


def test_an_advance_reaches_a_task_that_sleeps_and_the_daemons_death_does_not_end_it(cloud, tasks):
    """With its health check, which follows as well; and its end leaves nothing behind that is stopped."""
    tasks.define('waits', 'trap "echo bye; exit 3" TERM; echo begun; sleep 3600; date +%s; sleep 864000 & wait', CLOUD,
                 healthCheck={'command': ['CMD', '/bin/bash', '-c',
                                          '[ $(date +%s) -gt 0 ] && date +%s > /tmp/checked'], 'interval': 300})
    arn = tasks.run('waits')
    wait_until(lambda: tasks.lines(arn) == ['begun'], 60, 'its first line')
    cloud.kill()
    cloud.up()
    before = cloud_now(cloud).timestamp()
    cloud.brume('clock', 'advance', '61m')
    wait_until(lambda: len(tasks.lines(arn)) == 2, 60, 'its second line')
    assert int(tasks.lines(arn)[1]) >= before + 3600 - 60
    wait_until(lambda: tasks.task(arn)['healthStatus'] == 'HEALTHY', 60, 'its health')
    tasks.ecs.stop_task(task=arn)
    assert tasks.ended(arn)[-1] == 'bye'
    assert tasks.task(arn)['containers'][0]['exitCode'] == 3
    assert clock(cloud)['speed'] == 1


def balanced(cloud):
    """A target group behind a load balancer of the default VPC."""
    ec2, elb = cloud.client('ec2'), cloud.client('elbv2')
    subnets = ec2.describe_subnets()['Subnets']
    group = elb.create_target_group(Name='ill', Protocol='HTTP', Port=80, VpcId=subnets[0]['VpcId'],
                                    TargetType='ip')['TargetGroups'][0]['TargetGroupArn']
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[
        {'Key': 'deregistration_delay.timeout_seconds', 'Value': '0'}])
    balancer = elb.create_load_balancer(Name='ill', Subnets=[subnet['SubnetId'] for subnet in subnets[:2]])
    elb.create_listener(LoadBalancerArn=balancer['LoadBalancers'][0]['LoadBalancerArn'], Protocol='HTTP', Port=80,
                        DefaultActions=[{'Type': 'forward', 'TargetGroupArn': group}])
    return group


def test_a_grace_period_holds_off_the_end_of_an_ill_task(cloud, tasks):
    """Ten minutes in which an unhealthy task stays; then it is replaced, and so is the next, each after its own ten."""
    grace = 600
    tasks.define('ill', 'trap "exit 0" TERM; sleep infinity & wait', portMappings=[{'containerPort': 80}],
                 healthCheck={'command': ['CMD', '/bin/bash', '-c', 'exit 1'], 'interval': 300, 'retries': 1})
    tasks.ecs.create_service(
        cluster='default', serviceName='ill', taskDefinition='ill', desiredCount=1, launchType='FARGATE',
        healthCheckGracePeriodSeconds=grace,
        loadBalancers=[{'targetGroupArn': balanced(cloud), 'containerName': 'it', 'containerPort': 80}],
        networkConfiguration={'awsvpcConfiguration': {'subnets': [tasks.subnet], 'assignPublicIp': 'ENABLED'}})

    def all_of(status):
        arns = tasks.ecs.list_tasks(serviceName='ill', desiredStatus=status)['taskArns']
        return tasks.ecs.describe_tasks(tasks=arns)['tasks'] if arns else []
    wait_until(lambda: [task['lastStatus'] for task in all_of('RUNNING')] == ['RUNNING'], 60, 'a running task')
    first = all_of('RUNNING')[0]['taskArn']
    cloud.brume('clock', 'advance', '6m')
    wait_until(lambda: tasks.task(first)['healthStatus'] == 'UNHEALTHY', 60, 'its bad health')
    cloud.brume('clock', 'advance', '2m')
    assert [task['taskArn'] for task in all_of('RUNNING')] == [first] and not all_of('STOPPED')
    cloud.brume('clock', 'advance', '4m')
    wait_until(lambda: tasks.task(first)['lastStatus'] == 'STOPPED', 60, 'its end')
    wait_until(lambda: [task['lastStatus'] for task in all_of('RUNNING')] == ['RUNNING'], 60, 'the next')
    cloud.brume('clock', 'advance', '11m')
    wait_until(lambda: len(all_of('STOPPED')) >= 2, 60, 'the end of the next')
    ended = sorted(all_of('STOPPED'), key=lambda task: task['createdAt'])
    for task in ended:
        assert 'health checks' in task['stoppedReason']
        assert (task['stoppingAt'] - task['startedAt']).total_seconds() >= grace
    assert (ended[0]['stoppingAt'] - ended[0]['startedAt']).total_seconds() < grace + 60
    assert ended[0]['stoppingAt'] <= ended[1]['createdAt'] <= ended[1]['stoppingAt']
    events = [event['createdAt'] for event in tasks.ecs.describe_services(services=['ill'])['services'][0]['events']]
    assert events == sorted(events, reverse=True)
    tasks.ecs.delete_service(service='ill', force=True)
