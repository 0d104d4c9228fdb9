"""What a task cannot reach: the machine, the daemon, other tasks' and accounts' credentials, another VPC.

Each denial has a control beside it. Packets that ought not to travel are in test_isolation_packets.py, and the rules'
own meaning in test_isolation_scan.py."""
import json
import os
import pathlib
import socket
import subprocess

import boto3
import pytest
from botocore.exceptions import ClientError

import traces
from cloud import REGION
from probes import Scanner, load_intruder
from three_tiers import ThreeTiers, namespaces
from waiting import wait_until

ENDPOINT = '198.18.0.2'
OTHER_ACCOUNT = '111122223333'
TRUST = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'},
                                                 'Action': 'sts:AssumeRole'}]}
# What the intruder may do of what it tries: controls, and what is harmless inside its own namespaces.
ALLOWED = {'null', 'i386-getpid', 'transparent', 'write:/proc/1/oom_score_adj'}
# ABI 32 with 64-bit registers has a table of its own; the filter knows none of its calls.
KILLED = {'x32-getpid', 'x32-mount', 'x32-unshare', 'x32-keyctl'}


@pytest.fixture(scope='module')
def image(cloud):
    return load_intruder(cloud)


@pytest.fixture(scope='module')
def system(cloud, image):
    made = ThreeTiers(cloud, 'home', image, balancer=False, apps=1, datas=0)
    iam = cloud.client('iam')
    roles = [iam.create_role(RoleName=f'task-{name}', AssumeRolePolicyDocument=json.dumps(TRUST))['Role']['Arn']
             for name in ('one', 'two')]
    iam.put_role_policy(RoleName='task-one', PolicyName='all', PolicyDocument=json.dumps(
        {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]}))
    for index, role in enumerate(roles, start=1):
        made.start_task('private', index, role=role)
    made.wait_tasks()
    return made


def environment(system, index):
    words = system.ask('private', index, 'show', '/proc/1/environ').split('\0')
    return dict(word.split('=', 1) for word in words if '=' in word)


def fetch(system, index, address, port, path, host='', header=''):
    """(status, body) of a task's request; status 0 and the error's name when nothing answers."""
    answer = system.ask('private', index, 'http', address, port, 'GET', path, host or address, header)
    if not answer.startswith('HTTP/'):
        return 0, answer.strip()
    head, _, body = answer.partition('\n\n')
    return int(head.split()[1]), body


# The container.

def test_what_a_container_tries_is_refused(system):
    outcomes = dict(line.rsplit(' ', 1) for line in system.ask('private', 0, 'escapes').splitlines())
    assert len(outcomes) > 80
    assert {name for name, outcome in outcomes.items() if outcome == 'done'} == ALLOWED
    assert {name for name, outcome in outcomes.items() if outcome == 'killed'} == KILLED


def test_container_sees_itself_only(system):
    processes = [name for name in system.ask('private', 0, 'list', '/proc').splitlines() if name.isdigit()]
    assert '1' in processes and len(processes) == 2  # itself, and what answers this
    status = dict(line.split(':', 1) for line in system.ask('private', 0, 'show', '/proc/1/status').splitlines() if ':' in line)
    # Docker's fourteen capabilities, none of them over the machine or its network; the seccomp filter is on.
    assert status['CapBnd'].strip() == '00000000a80425fb' and status['CapAmb'].strip('\t0') == ''
    assert status['Seccomp'].strip() == '2'
    assert system.ask('private', 0, 'show', '/proc/net/unix').splitlines()[1:] == []
    # Its own cgroup is the root of what it sees.
    assert {line.rsplit(':', 1)[1] for line in system.ask('private', 0, 'show', '/proc/self/cgroup').split()} == {'/'}
    # Nothing of the keeper's is left open in it: its input, its output, its listening socket.
    files = [line.split(' -> ')[1] for line in system.ask('private', 0, 'list', '/proc/1/fd').splitlines() if ' -> ' in line]
    assert sorted(name.split(':')[0] for name in files) == ['/dev/null', 'pipe', 'pipe', 'socket']
    for line in system.ask('private', 0, 'show', '/proc/self/mountinfo').splitlines():
        fields = line.split()
        if '/dev/vd' in line or '/dev/sd' in line:  # of the machine's own disk: three small files, and the certificates
            assert fields[4] in ('/etc/hosts', '/etc/hostname', '/etc/resolv.conf',
                                 '/etc/ssl/certs/brume-ca-bundle.crt'), line


@pytest.mark.parametrize('change, word', [
    ({'linuxParameters': {'capabilities': {'add': ['SYS_ADMIN']}}}, 'SYS_PTRACE'),
    ({'linuxParameters': {'capabilities': {'add': ['NET_ADMIN']}}}, 'SYS_PTRACE'),
    ({'linuxParameters': {'devices': [{'hostPath': '/dev/vda'}]}}, 'devices'),
    ({'privileged': True}, 'privileged'),
    ({'systemControls': [{'namespace': 'kernel.core_pattern', 'value': '|/x'}]}, 'kernel.core_pattern'),
    ({'dockerSecurityOptions': ['apparmor:unconfined']}, 'dockerSecurityOptions'),
    ({'name': '../../../x'}, 'Container.name'),
])
def test_task_definition_cannot_ask_for_the_machine(system, change, word):
    def register(**more):
        return system.ecs.register_task_definition(
            family='greedy', requiresCompatibilities=['FARGATE'], networkMode='awsvpc', cpu='256', memory='512',
            containerDefinitions=[{'name': 'x', 'image': system.image, **more}])
    with pytest.raises(ClientError, match=word):
        register(**change)
    register()


def test_task_definition_cannot_mount_the_machine(system):
    with pytest.raises(ClientError, match='sourcePath'):
        system.ecs.register_task_definition(
            family='greedy', requiresCompatibilities=['FARGATE'], networkMode='awsvpc', cpu='256', memory='512',
            volumes=[{'name': 'root', 'host': {'sourcePath': '/'}}], containerDefinitions=[{'name': 'x', 'image': system.image}])


def test_working_directory_leads_nowhere_else(system):
    """A file of the runtime's that is still open while the container starts, taken for the directory to work in."""
    arns = []
    for number in range(3, 13):
        system.start_task('private', 100 + number, workingDirectory=f'/proc/self/fd/{number}')
        arns.append(system.tasks.pop(('private', 100 + number)))

    def ended():
        tasks = system.ecs.describe_tasks(cluster=system.name, tasks=arns)['tasks']
        assert all(each['lastStatus'] != 'RUNNING' for each in tasks)
        return [each['stoppedReason'] for each in tasks if each['lastStatus'] == 'STOPPED']
    reasons = wait_until(lambda: (lambda found: found if len(found) == len(arns) else None)(ended()), 60, 'the end of them')
    assert all('CannotStartContainerError' in reason for reason in reasons), reasons


# The machine.

@pytest.fixture(scope='module')
def machine(cloud):
    """Services of the machine, in the namespace that the daemon believes to be the host's: TCP on every address, and
    an abstract unix socket. Gives the TCP port."""
    subprocess.run(['ip', 'address', 'add', '10.0.2.15/32', 'dev', 'lo'], check=True)
    listener = socket.create_server(('0.0.0.0', 0))
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f'\0machine-{os.getpid()}')
    abstract.listen()
    yield listener.getsockname()[1]
    listener.close()
    abstract.close()
    subprocess.run(['ip', 'address', 'del', '10.0.2.15/32', 'dev', 'lo'], check=True)


def test_machines_services_are_out_of_reach(cloud, system, machine):
    for address in ('127.0.0.1', '10.0.2.15'):
        socket.create_connection((address, machine), 2).close()  # there they are
        assert fetch(system, 0, address, machine, '/')[0] == 0
    # Its own loopback is its own; slirp4netns's names for the machine, and the daemon's port, answer nothing.
    assert fetch(system, 0, '127.0.0.1', machine, '/') == (0, 'ECONNREFUSED')
    socket.create_connection(('127.0.0.1', cloud.port), 2).close()
    for address in ('127.0.0.1', '10.0.2.2', '192.0.2.2', '192.0.2.100', '169.254.0.1', '169.254.0.2'):
        assert fetch(system, 0, address, cloud.port, '/')[0] == 0, address


def test_machines_abstract_sockets_are_out_of_reach(system, machine):
    name = f'machine-{os.getpid()}'
    with socket.socket(socket.AF_UNIX) as client:
        client.connect('\0' + name)
    assert system.ask('private', 0, 'connect', name).strip() == 'ECONNREFUSED'


def test_machines_files_are_not_there(cloud, system):
    marker = pathlib.Path(cloud.state, 'id')
    assert marker.exists()
    for path in (marker, f'{cloud.status()["run"]}/keeper.sock', '/etc/shadow', '/run', '/tmp'):
        assert system.ask('private', 0, 'show', path).strip() == 'ENOENT', path


def test_other_users_of_the_machine_come_near_nothing(cloud, system):
    """Not to what a container's root writes, a set-user-id program of its own making above all, nor to any state."""
    assert 'done' in system.ask('private', 0, 'setuid', '/escape')
    run, state = cloud.status()['run'], cloud.state
    paths = [str(path) for place in (run, state) for path in pathlib.Path(place).rglob('*')]
    escapes = [path for path in paths if path.endswith('/upper/escape')]
    assert len(escapes) == 1 and os.stat(escapes[0]).st_mode & 0o4001 == 0o4001  # there it is, root's and for all
    reached = subprocess.run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'xargs', '--null', 'stat',
                              '--format=%n'], input='\0'.join(paths), capture_output=True, text=True).stdout.split()
    # The authority's certificate and the clock are for everybody, and the names of what is there are no secret.
    public = [f'{state}/id', f'{state}/clock', f'{state}/ca', f'{state}/ca/ca.pem', f'{run}/ca-bundle.crt', f'{run}/netns']
    assert set(public) <= set(reached)  # it can reach what it may
    contents = [path for path in reached if path not in public and not path.startswith(f'{run}/netns/') and
                subprocess.run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'find', path, '-maxdepth',
                                '0', '(', '-readable', '-o', '-writable', ')', '-print'],
                               capture_output=True, text=True).stdout]
    assert contents == []


# The daemon's API.

def test_api_answers_nobody_without_good_credentials(system):
    """From a task, over its NAT gateway: the endpoints are there, and refuse."""
    host = f'sts.{REGION}.amazonaws.com'
    wanted = '/?Action=GetCallerIdentity&Version=2011-06-15'
    status, body = fetch(system, 0, ENDPOINT, 80, wanted, host)
    assert (status, 'MissingAuthenticationToken' in body) == (403, True), body
    forged = ('Authorization:~AWS4-HMAC-SHA256~Credential=test/20260101/eu-west-1/sts/aws4_request,'
              'SignedHeaders=host,Signature=' + '0' * 64)
    status, body = fetch(system, 0, ENDPOINT, 80, wanted, host, forged)
    assert status in (400, 401, 403) and 'GetCallerIdentityResult' not in body
    for host in (f'ec2.{REGION}.amazonaws.com', f'ecs.{REGION}.amazonaws.com', 'iam.amazonaws.com'):
        status, body = fetch(system, 0, ENDPOINT, 80, '/?Action=DescribeVpcs', host)
        assert status in (400, 401, 403), body


# Credentials.

def credentials_of(system, index):
    path = environment(system, index)['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']
    return path, *fetch(system, index, '169.254.170.2', 80, path)


def test_credentials_are_given_to_their_own_task_only(system):
    first, status, body = credentials_of(system, 1)
    assert status == 200 and json.loads(body)['RoleArn'].endswith('task-one')
    second, status, body = credentials_of(system, 2)
    assert status == 200 and json.loads(body)['RoleArn'].endswith('task-two')
    for index, path in ((1, second), (2, first), (0, first), (0, second), (1, '/v2/credentials/'), (1, first[:-1]),
                        (1, '/v2/credentials/' + 'f' * 32), (1, '/v2/credentials/../' + second.rsplit('/', 1)[-1])):
        status, body = fetch(system, index, '169.254.170.2', 80, path)
        assert status == 404 and 'SecretAccessKey' not in body, (index, path)
    uri = environment(system, 2)['ECS_CONTAINER_METADATA_URI_V4']
    own = uri.removeprefix('http://169.254.170.2')
    assert fetch(system, 2, '169.254.170.2', 80, own)[0] == 200
    assert fetch(system, 1, '169.254.170.2', 80, own)[0] == 404


def test_credentials_reach_their_own_account_only(cloud, system):
    keys = json.loads(credentials_of(system, 1)[2])

    def client(service):
        return boto3.client(service, endpoint_url=f'http://127.0.0.1:{cloud.port}', region_name=REGION,
                            aws_access_key_id=keys['AccessKeyId'], aws_secret_access_key=keys['SecretAccessKey'],
                            aws_session_token=keys['Token'])
    other = cloud.client('s3', key=OTHER_ACCOUNT)
    for s3, name in ((other, 'of-the-other'), (cloud.client('s3'), 'of-its-own')):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={'LocationConstraint': REGION})
        s3.put_object(Bucket=name, Key='secret', Body=b'secret')
    assert client('s3').get_object(Bucket='of-its-own', Key='secret')['Body'].read() == b'secret'
    with pytest.raises(ClientError, match='AccessDenied'):
        client('s3').get_object(Bucket='of-the-other', Key='secret')
    # What other accounts have is not even named.
    vpc = cloud.client('ec2', key=OTHER_ACCOUNT).create_vpc(CidrBlock='10.1.0.0/16')['Vpc']['VpcId']
    assert vpc not in {each['VpcId'] for each in client('ec2').describe_vpcs()['Vpcs']}
    with pytest.raises(ClientError, match='InvalidVpcID.NotFound'):
        client('ec2').describe_vpcs(VpcIds=[vpc])


# Another VPC.

def twin(cloud, image, name):
    """A VPC whose private subnet has two addresses left, the same ones in each VPC: two tasks have them."""
    made = ThreeTiers(cloud, name, image, balancer=False, apps=0, datas=0, block='10.30')
    small = made.ec2.create_subnet(VpcId=made.vpc, CidrBlock='10.30.200.0/28', AvailabilityZone=f'{REGION}a')['Subnet']['SubnetId']
    made.ec2.associate_route_table(RouteTableId=made.tables['private'], SubnetId=small)
    for host in range(6, 15):
        made.ec2.create_network_interface(SubnetId=small, PrivateIpAddress=f'10.30.200.{host}')
    made.subnets['small', 0] = made.subnets['small', 1] = small
    made.allow('private', made.by_group('tcp', 8000, 8000, 'private'))
    for index in range(2):
        made.start_task('small', index, [made.groups['private']])
    made.wait_tasks()
    return made


def test_vpcs_with_the_same_addresses_do_not_see_each_other(cloud, image):
    pair = [twin(cloud, image, name) for name in ('castor', 'pollux')]
    scanner, paths = Scanner(), namespaces(cloud)
    addresses = ['10.30.200.4', '10.30.200.5']
    try:
        for system in pair:
            assert sorted(system.address('small', index) for index in range(2)) == addresses
            for address in addresses:
                space = f'{system.name}-{address}'
                scanner.space(space, paths[system.vpc, address])
                scanner.listen(space, 'tcp', address, 8000, space)
        probes = {(f'{system.name}-{source}', source, 'tcp', target, 8000): f'{system.name}-{target}'
                  for system in pair for source, target in (addresses, addresses[::-1])}
        assert scanner.scan(probes) == {probe: ('open', answer) for probe, answer in probes.items()}
        # The metadata's endpoint tells them apart, too: each task hears of itself, and nothing of the other.
        own = [system.ask('small', index, 'show', '/proc/1/environ').split('_METADATA_URI_V4=http://169.254.170.2')[1]
               .split('\0')[0] for system in pair for index in range(2)]
        for at, system in enumerate(pair):
            for index in range(2):
                for number, path in enumerate(own):
                    answer = system.ask('small', index, 'http', '169.254.170.2', 80, 'GET', f'{path}/task')
                    assert (system.tasks['small', index] in answer) == (number == 2 * at + index), answer
        # What one forbids the other still lets through.
        castor = pair[0]
        castor.ec2.revoke_security_group_ingress(GroupId=castor.groups['private'],
                                                 IpPermissions=[castor.by_group('tcp', 8000, 8000, 'private'),
                                                                castor.by_group('tcp', 8000, 8001, 'public')])
        wanted = {probe: 'closed' if answer.startswith('castor') else 'open' for probe, answer in probes.items()}
        wait_until(lambda: {probe: outcome for probe, (outcome, _) in scanner.scan(probes).items()} == wanted, 10,
                   'one VPC closed and the other open')
    finally:
        scanner.close()


# The end.

def test_nothing_is_left_of_a_cloud(fresh_cloud):
    """The host's network as it was, and none of the cloud's namespaces, mounts, cgroups, processes, sockets, files."""
    before = traces.network_view()
    cloud = fresh_cloud()
    cloud.up()
    ThreeTiers(cloud, 'brief', load_intruder(cloud), apps=1, datas=1)
    run, state = cloud.status()['run'], cloud.state
    running = traces.Traces(cloud.status())
    # There is something that could be left.
    assert running.processes and running.namespaces and pathlib.Path(run).exists() and traces.cgroups_of(running.id)
    assert traces.mounts_with(run)
    assert cloud.delete() == []
    assert traces.network_view() == before
    assert running.left() == []
    for place in ('/run', '/run/brume', '/tmp', '/dev/shm'):
        names = os.listdir(place) if os.path.isdir(place) else []
        assert not [name for name in names if running.id in name or os.path.basename(state) in name], place
