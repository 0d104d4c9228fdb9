"""The system of foreign/ as its tests use it: built, applied by Terraform, asked."""
import contextlib
import fcntl
import json
import pathlib
import re
import shutil
import subprocess
import urllib.parse

from cloud import REGION, ROOT
from hello import REGISTRY, Storage
from waiting import wait_until

SYSTEM = pathlib.Path(__file__).with_name('foreign')


def server_program():
    """The containers' static program, compiled once."""
    directory = ROOT / 'build/foreign'
    directory.mkdir(parents=True, exist_ok=True)
    source, program = SYSTEM / 'image/server.cpp', directory / 'server'
    with open(directory / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(['clang++-19', '-std=c++23', '-O1', '-static', '-pthread', '-fuse-ld=mold', '-o', program,
                            source], check=True)
    return program


class Foreign:
    def __init__(self, cloud):
        self.cloud = cloud
        self.directory = cloud.work / 'foreign'
        shutil.copytree(SYSTEM, self.directory, ignore=shutil.ignore_patterns('.terraform*', '*.tfstate*'))
        self.ec2, self.elb, self.ecs, self.logs, self.s3, self.dynamodb = (
            cloud.client(name) for name in ('ec2', 'elbv2', 'ecs', 'logs', 's3', 'dynamodb'))

    def terraform(self, *words, **options):
        return self.cloud.terraform(self.directory, *words, **options)

    def deploy(self):
        self.terraform('init', '-no-color')
        self.terraform('apply', '-no-color', '-auto-approve', '-target=aws_ecr_repository.this')
        self.push()
        return self.apply()

    def push(self):
        shutil.copy(server_program(), self.directory / 'image/server')
        storage, name = Storage(self.cloud.work), f'{REGISTRY}/foreign:v1'
        storage.log_in(self.cloud)
        storage.build(self.cloud, name, self.directory / 'image')
        storage.push(self.cloud, name)

    def apply(self, **variables):
        """Applies with these variables from now on; what Terraform said it did: {'added': n, 'changed': n, 'destroyed': n}."""
        (self.directory / 'terraform.tfvars.json').write_text(json.dumps(variables))
        out = self.terraform('apply', '-no-color', '-auto-approve').stdout
        self.outputs = {name: value['value'] for name, value in
                        json.loads(self.terraform('output', '-json').stdout).items()}
        said = re.search(r'Resources: (\d+) added, (\d+) changed, (\d+) destroyed', out)
        return dict(zip(('added', 'changed', 'destroyed'), map(int, said.groups())))

    def drift(self):
        """'' when a plan finds nothing to do, else what it says."""
        done = self.terraform('plan', '-no-color', '-detailed-exitcode', check=False)
        return '' if done.returncode == 0 else done.stdout[-6000:] + done.stderr[-2000:]

    # What the load balancer answers.

    def get(self, path, *headers, method='GET', port=80, seconds=10):
        """(status, headers, body); status 0 without an answer."""
        options = [word for header in headers for word in ('--header', header)]
        options += ['--head'] if method == 'HEAD' else ['--request', method]
        done = self.cloud.exec('curl', '--silent', '--max-time', seconds, '--include', *options,
                               f'{self.outputs["url"]}:{port}{path}', check=False)
        head, _, body = done.stdout.partition('\n\n')
        lines = head.splitlines()
        fields = dict(line.split(': ', 1) for line in lines[1:] if ': ' in line)
        return (int(lines[0].split()[1]) if lines else 0,
                {name.lower(): value for name, value in fields.items()}, body)

    def asked(self, what, **parameters):
        """What the blue service answers: it runs in a private subnet."""
        query = '&'.join(f'{name}={urllib.parse.quote(str(value), safe="")}' for name, value in parameters.items())
        status, _, body = self.get(f'/{what}?{query}')
        assert status == 200, (status, body)
        return body

    def fetch(self, host, path='/', port=80):
        """(status, body) of a request that the blue service makes; status 0 and why when it cannot."""
        status, _, body = self.asked('fetch', host=host, port=port, path=path).partition(' ')
        return int(status), body

    def object_status(self, key):
        """The status of the blue service's GET of an object, signed here."""
        bucket = self.outputs['buckets']['data']
        host = f'{bucket}.s3.{REGION}.amazonaws.com'
        url = self.cloud.python(PRESIGN, bucket, key, REGION).stdout.strip()
        split = urllib.parse.urlsplit(url)
        assert split.hostname == host, url
        return self.fetch(host, f'{split.path}?{split.query}')[0]

    def wait_stable(self, deadline=120):
        def stable():
            services = self.ecs.describe_services(cluster='foreign', services=['blue', 'green'])['services']
            healthy = [each['TargetHealth']['State'] for arn in self.outputs['target_groups'].values() for each in
                       self.elb.describe_target_health(TargetGroupArn=arn)['TargetHealthDescriptions']]
            return (all(len(each['deployments']) == 1 and each['runningCount'] == 1 for each in services) and
                    healthy == ['healthy'] * 2)
        wait_until(stable, deadline, 'stable services', every=0.5)

    def tasks(self):
        """{service: its task's description}."""
        arns = self.ecs.list_tasks(cluster='foreign', desiredStatus='RUNNING')['taskArns']
        tasks = self.ecs.describe_tasks(cluster='foreign', tasks=arns)['tasks']
        return {task['group'].removeprefix('service:'): task for task in tasks if task['lastStatus'] == 'RUNNING'}

    def place(self, service):
        """(private address, interface, subnet) of the service's task."""
        details = {each['name']: each['value'] for each in self.tasks()[service]['attachments'][0]['details']}
        return details['privateIPv4Address'], details['networkInterfaceId'], details['subnetId']

    @contextlib.contextmanager
    def beside(self, subnet, groups=()):
        """A task of the green service's kind in that subnet, while a block runs: its private and its public address.
        Without groups it has the VPC's default one."""
        place = {'subnets': [subnet], 'assignPublicIp': 'ENABLED', **({'securityGroups': groups} if groups else {})}
        task = self.ecs.run_task(cluster='foreign', taskDefinition='foreign-green', launchType='FARGATE',
                                 networkConfiguration={'awsvpcConfiguration': place})['tasks'][0]['taskArn']
        try:
            self.ecs.get_waiter('tasks_running').wait(cluster='foreign', tasks=[task], WaiterConfig={'Delay': 1})
            described = self.ecs.describe_tasks(cluster='foreign', tasks=[task])['tasks'][0]
            details = {each['name']: each['value'] for each in described['attachments'][0]['details']}
            interface = self.ec2.describe_network_interfaces(
                NetworkInterfaceIds=[details['networkInterfaceId']])['NetworkInterfaces'][0]
            yield interface['PrivateIpAddress'], interface['Association']['PublicIp']
        finally:
            self.ecs.stop_task(cluster='foreign', task=task)
            self.ecs.get_waiter('tasks_stopped').wait(cluster='foreign', tasks=[task], WaiterConfig={'Delay': 1})


# Signed inside, where the bucket has its real name.
PRESIGN = '''
import boto3, sys
from botocore.config import Config
bucket, key, region = sys.argv[1:]
client = boto3.client('s3', region_name=region, endpoint_url=f'http://s3.{region}.amazonaws.com',
                      config=Config(signature_version='s3v4', s3={'addressing_style': 'virtual'}))
print(client.generate_presigned_url('get_object', Params={'Bucket': bucket, 'Key': key}))
'''
