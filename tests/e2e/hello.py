"""The demonstration system as tests use it: built, deployed by Terraform, asked, and put under load."""
import collections
import fcntl
import json
import pathlib
import re
import shutil
import subprocess
import sys

from cloud import REGION, ROOT
from waiting import wait_until

SPEED = 20  # of cloud time while Terraform waits
SYSTEM = ROOT / 'systems/hello'
ACCOUNT = '000000000000'
REGISTRY = f'{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com'


def server_program():
    """The static server, compiled once for all test files."""
    directory = ROOT / 'build/hello'
    directory.mkdir(parents=True, exist_ok=True)
    source, program = SYSTEM / 'image/server.cpp', directory / 'server'
    with open(directory / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            subprocess.run([SYSTEM / 'build', program], check=True)
    return program


class Storage:
    """buildah with a store of its own, so that nothing of the machine's is read or changed."""

    def __init__(self, work):
        self.root = work / 'storage'
        self.options = ['--root', self.root, '--runroot', work / 'storage-run', '--storage-driver', 'vfs']
        self.authentication = work / 'auth.json'

    def buildah(self, cloud, *words, **options):
        return cloud.exec('buildah', *self.options, *words, **options)

    def log_in(self, cloud):
        password = cloud.exec('/usr/bin/aws', 'ecr', 'get-login-password', '--region', REGION).stdout
        self.buildah(cloud, 'login', '--authfile', self.authentication, '--username', 'AWS', '--password-stdin',
                     REGISTRY, input=password)

    def build(self, cloud, name, context):
        self.buildah(cloud, 'build', '--isolation', 'chroot', '--tag', name, context)

    def push(self, cloud, name):
        self.buildah(cloud, 'push', '--authfile', self.authentication, name, f'docker://{name}')


class Loading:
    """Load while a block runs; afterwards `records` holds every request."""
    Record = collections.namedtuple('Record', 'number at seconds status task')

    def __init__(self, cloud, url, rate, threads, timeout=10):
        self.cloud, self.arguments = cloud, (url, rate, threads, timeout)
        self.records = []

    def __enter__(self):
        script = pathlib.Path(__file__).with_name('load.py')
        # Its moments are compared with this process's.
        self.process = self.cloud.start(sys.executable, script, *self.arguments, real=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == 'started\n'
        return self

    def __exit__(self, *_):
        out, _ = self.process.communicate(timeout=60)
        self.records = [self.Record(*record) for record in json.loads(out)]

    def failures(self):
        return [record for record in self.records if record.status != 200]

    def answered(self):
        return {record.number: record.task for record in self.records if record.status == 200}


class Hello:
    def __init__(self, cloud):
        self.cloud = cloud
        self.directory = cloud.work / 'hello'
        shutil.copytree(SYSTEM, self.directory, ignore=shutil.ignore_patterns('.terraform*', '*.tfstate*'))
        self.infrastructure = self.directory / 'infrastructure'
        self.storage = Storage(cloud.work)
        self.ecs, self.ec2, self.elb = (cloud.client(name) for name in ('ecs', 'ec2', 'elbv2'))
        self.logs = cloud.client('logs')

    def terraform(self, *words, **options):
        return self.cloud.terraform(self.infrastructure, *words, **options)

    def deploy(self):
        """As systems/hello/demo does it: the state's bucket, the repository, the image, everything."""
        bootstrap = self.directory / 'bootstrap'
        self.cloud.terraform(bootstrap, 'init', '-no-color')
        self.cloud.terraform(bootstrap, 'apply', '-no-color', '-auto-approve')
        bucket = self.cloud.terraform(bootstrap, 'output', '-raw', 'bucket').stdout
        self.terraform('init', '-no-color', f'-backend-config=bucket={bucket}')
        self.terraform('apply', '-no-color', '-auto-approve', '-target=aws_ecr_lifecycle_policy.service')
        self.push('v1')
        self.terraform('apply', '-no-color', '-auto-approve', speed=SPEED)
        self.outputs = {name: value['value'] for name, value in json.loads(self.terraform('output', '-json').stdout).items()}
        self.wait_stable()
        return self

    def push(self, tag):
        shutil.copy(server_program(), self.directory / 'image/server')
        name = f'{REGISTRY}/hello:{tag}'
        self.storage.log_in(self.cloud)
        self.storage.build(self.cloud, name, self.directory / 'image')
        self.storage.push(self.cloud, name)

    # What there is.

    def service(self):
        return self.ecs.describe_services(cluster='hello', services=['hello'])['services'][0]

    def tasks(self):
        """The running tasks of the service: {short id: (description, private address, subnet, interface)}."""
        arns = self.ecs.list_tasks(cluster='hello', serviceName='hello')['taskArns']
        found = {}
        for task in self.ecs.describe_tasks(cluster='hello', tasks=arns)['tasks'] if arns else []:
            details = {each['name']: each['value'] for each in task['attachments'][0]['details']}
            if task['lastStatus'] == 'RUNNING':
                found[task['taskArn'].rsplit('/', 1)[-1]] = (task, details['privateIPv4Address'], details['subnetId'],
                                                             details['networkInterfaceId'])
        return found

    def health(self):
        described = self.elb.describe_target_health(TargetGroupArn=self.outputs['target_group_arn'])
        return {each['Target']['Id']: each['TargetHealth']['State'] for each in described['TargetHealthDescriptions']}

    def wait_stable(self, deadline=120):
        def stable():
            service = self.service()
            return (len(service['deployments']) == 1 and service['runningCount'] == service['desiredCount'] and
                    service['deployments'][0]['rolloutState'] == 'COMPLETED' and
                    sorted(self.health().values()) == ['healthy'] * service['desiredCount'])
        wait_until(stable, deadline, 'a stable service', every=0.5)

    def dropped(self):
        """Packets dropped so far at each network interface."""
        return {each['id']: each['packets'] for each in self.cloud.status()['packets']
                if each['what'] == 'ingress dropped at'}

    # What it answers.

    @property
    def url(self):
        return self.outputs['url']

    def get(self, path='/whoami', seconds=5):
        """(status, body) as seen from inside; status 0 without an answer."""
        done = self.cloud.exec('curl', '--silent', '--max-time', seconds, '--write-out', '\n%{http_code}',
                               self.url + path, check=False)
        body, _, status = done.stdout.rpartition('\n')
        return int(status or 0), body

    def load(self, rate=40, threads=4):
        return Loading(self.cloud, self.url + '/whoami', rate, threads)

    def log_lines(self, since=0):
        """The service's log from a moment on, parsed."""
        pages = self.logs.get_paginator('filter_log_events').paginate(logGroupName='/ecs/hello',
                                                                      startTime=int(since * 1000))
        return [json.loads(event['message']) for page in pages for event in page['events']
                if event['message'].startswith('{')]

    # What is done to it.

    def process_of(self, task):
        """The pid of the task's container, from its cgroup."""
        instance = self.cloud.status()['id']
        for path in sorted(pathlib.Path('/sys/fs/cgroup').glob(f'**/brume/{instance}/{task}/web/cgroup.procs')):
            pids = path.read_text().split()
            if pids:
                return int(pids[0])
        raise AssertionError(f'{task} has no process')

    def run(self, groups, subnet, *command):
        """Starts a task beside the service, from its image; the task's ARN."""
        role = self.ecs.describe_task_definition(taskDefinition='hello')['taskDefinition']['executionRoleArn']
        container = {'name': 'web', 'image': f'{REGISTRY}/hello:v1', 'command': list(command)}
        self.ecs.register_task_definition(family='beside', requiresCompatibilities=['FARGATE'], networkMode='awsvpc',
                                          cpu='256', memory='512', executionRoleArn=role, containerDefinitions=[container])
        answer = self.ecs.run_task(cluster='hello', taskDefinition='beside', launchType='FARGATE',
                                   networkConfiguration={'awsvpcConfiguration': {'subnets': [subnet],
                                                                                 'securityGroups': groups}})
        assert not answer['failures'], answer['failures']
        return answer['tasks'][0]['taskArn']

    def wait_task(self, arn, status):
        def reached():
            task = self.ecs.describe_tasks(cluster='hello', tasks=[arn])['tasks'][0]
            return task if task['lastStatus'] in (status, 'STOPPED') else None
        task = wait_until(reached, 60, f'a task that is {status}')
        assert task['lastStatus'] == status, f'{task["stoppedReason"]} {task["containers"][0]}'
        return task

    def serve(self, groups, subnet):
        """A task that serves beside the service and is no target of the load balancer: (ARN, address, interface)."""
        arn = self.run(groups, subnet)
        details = {each['name']: each['value'] for each in self.wait_task(arn, 'RUNNING')['attachments'][0]['details']}
        return arn, details['privateIPv4Address'], details['networkInterfaceId']

    def probe(self, address, groups, subnet):
        """Whether a task in these groups can open a connection to address:8000."""
        task = self.wait_task(self.run(groups, subnet, '--probe', f'{address}:8000'), 'STOPPED')
        code = task['containers'][0].get('exitCode')
        assert code in (0, 1), f'the probe did not run: {task["stoppedReason"]} {task["containers"][0]}'
        return code == 0

    def stop(self, arn):
        self.ecs.stop_task(cluster='hello', task=arn)
        self.wait_task(arn, 'STOPPED')

    def group(self, name):
        """The id of one of the system's security groups."""
        found = self.ec2.describe_security_groups(Filters=[{'Name': 'group-name', 'Values': [name]}])
        return found['SecurityGroups'][0]['GroupId']

    def delete_group(self, group):
        wait_until(lambda: not self.ec2.describe_network_interfaces(
            Filters=[{'Name': 'group-id', 'Values': [group]}])['NetworkInterfaces'], 30, 'the group without members')
        self.ec2.delete_security_group(GroupId=group)

    def change_task(self, **changes):
        """A new revision of the service's task definition: changes of its container; returns the revision's ARN."""
        old = self.ecs.describe_task_definition(taskDefinition=self.service()['taskDefinition'])['taskDefinition']
        kept = {name: old[name] for name in ('family', 'requiresCompatibilities', 'networkMode', 'cpu', 'memory',
                                             'executionRoleArn', 'taskRoleArn')}
        container = dict(old['containerDefinitions'][0], **changes)
        new = self.ecs.register_task_definition(**kept, containerDefinitions=[container])
        return new['taskDefinition']['taskDefinitionArn']

    def roll_out(self, revision):
        self.ecs.update_service(cluster='hello', service='hello', taskDefinition=revision)

    def environment(self, **changes):
        current = self.ecs.describe_task_definition(taskDefinition=self.service()['taskDefinition'])['taskDefinition']
        values = {each['name']: each['value'] for each in current['containerDefinitions'][0]['environment']}
        return [{'name': name, 'value': value} for name, value in {**values, **changes}.items()]


def numbers_in(lines):
    """Request numbers -> how often a log has them."""
    found = collections.Counter()
    for line in lines:
        match = re.fullmatch(r'/whoami\?n=(\d+)', line.get('path', ''))
        if match:
            found[int(match.group(1))] += 1
    return found
