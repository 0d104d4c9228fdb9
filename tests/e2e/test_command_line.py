"""The command line itself: instances side by side, down and up, check, doctor, exec, refusals, images, names."""
import json
import os
import subprocess

import pytest

from cloud import PROGRAM, ROOT
from hello import server_program


def test_help_teaches():
    done = subprocess.run([PROGRAM, '--help'], capture_output=True, text=True, check=True)
    for word in ('up', 'down', 'status', 'exec', 'shell', 'env', 'open', 'image', 'check', 'logs', 'doctor', 'tour'):
        assert f'\n  {word}' in done.stdout
    assert 'terraform apply' in done.stdout


def test_two_clouds_side_by_side(cloud, fresh_cloud):
    other = fresh_cloud().up()
    assert other.port != cloud.port and other.status()['id'] != cloud.status()['id']
    cloud.client('iam').create_user(UserName='only-here')
    assert other.client('iam').list_users()['Users'] == []


def test_busy_port_is_a_clear_error(cloud, fresh_cloud):
    other = fresh_cloud()
    refused = other.brume('up', '--detach', '--offline', '--port', cloud.port, check=False)
    assert refused.returncode != 0 and str(cloud.port) in refused.stderr
    assert 'in use' in refused.stderr or 'busy' in refused.stderr


def test_down_keeps_and_up_restores(fresh_cloud):
    cloud = fresh_cloud().up()
    cloud.client('iam').create_user(UserName='stays')
    identity = cloud.status()['id']
    cloud.brume('down')
    refused = cloud.brume('status', check=False)
    assert refused.returncode != 0 and 'brume up' in refused.stderr
    cloud.up()
    assert cloud.status()['id'] == identity
    assert [user['UserName'] for user in cloud.client('iam').list_users()['Users']] == ['stays']


def test_delete_asks(fresh_cloud):
    cloud = fresh_cloud().up()
    kept = cloud.brume('down', '--delete', input='no\n', check=False)
    assert kept.returncode != 0 and 'nothing was deleted' in kept.stderr
    assert cloud.status()['serving']


def test_state_is_the_owners_only(cloud):
    for name in ('store', 'objects', 'images'):
        assert os.stat(os.path.join(cloud.state, name)).st_mode & 0o077 == 0
    assert os.stat(cloud.state).st_mode & 0o066 == 0
    assert os.stat(os.path.join(cloud.state, 'ca/ca.pem')).st_mode & 0o004
    keys = [path for path, _, files in os.walk(os.path.join(cloud.state, 'ca')) for name in files if name.endswith('.key')
            and os.stat(os.path.join(path, name)).st_mode & 0o077]
    assert keys == []


def test_check_finds_the_hello_system_served(cloud):
    done = cloud.brume('check', ROOT / 'systems/hello', check=False)
    assert done.returncode == 0, done.stdout
    assert '0 not fully served' in done.stdout and 'aws_ecs_service' in done.stdout


def test_check_names_what_is_refused(cloud):
    (cloud.work / 'main.tf').write_text('resource "aws_instance" "it" {}\nresource "aws_vpc" "it" {}\n')
    done = cloud.brume('check', cloud.work, check=False)
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert done.returncode != 0 and 'served' in rows['aws_vpc']
    assert 'aws_instance' in rows and not rows['aws_instance'].rstrip().endswith(' served')


def test_doctor(cloud):
    done = cloud.brume('doctor', check=False)
    for word in ('nft', 'runc', 'haproxy', 'overlayfs', 'cgroup'):
        assert word in done.stdout
    assert done.returncode == 0, done.stdout
    hidden = cloud.brume('doctor', check=False, env={'PATH': '/nowhere'})
    assert 'MISSING' in hidden.stdout and 'apt-get install' in hidden.stdout and hidden.returncode != 0


def test_exec_names_and_trust(cloud):
    """Every name of AWS is this cloud, with a certificate that tools trust; the hosts file of the machine is as it was."""
    done = cloud.exec('curl', '--silent', '--show-error', '--write-out', '%{http_code} %{remote_ip}', '--output', '/dev/null',
                      'https://sts.eu-west-1.amazonaws.com/')
    assert done.stdout.split()[1].startswith('198.18.')
    distrust = cloud.exec('curl', '--silent', '--show-error', '--cacert', '/dev/null', 'https://sts.eu-west-1.amazonaws.com/',
                          check=False)
    assert distrust.returncode != 0, 'TLS is verified, or the test above proves nothing'
    for name in ('bucket.s3.eu-west-1.amazonaws.com', 'iam.amazonaws.com', 'api.ecr.us-east-1.amazonaws.com'):
        assert cloud.exec('getent', 'ahostsv4', name).stdout.startswith('198.18.')


def test_names_that_are_not_served_do_not_resolve_and_are_counted(cloud):
    assert cloud.exec('getent', 'hosts', 'sns.eu-west-1.amazonaws.com', check=False).returncode == 2
    assert cloud.exec('getent', 'hosts', 'example.com', check=False).returncode == 2, 'offline'
    names = {each['name'] for each in cloud.status()['unserved_names']}
    assert any(name.startswith('sns.eu-west-1.amazonaws.com') for name in names)
    assert not any('example.com' in name for name in names)


def test_exec_keeps_own_credentials_and_exit_code(cloud):
    env = {'AWS_ACCESS_KEY_ID': '111122223333', 'AWS_SECRET_ACCESS_KEY': 'test'}
    done = cloud.exec('/usr/bin/aws', 'sts', 'get-caller-identity', '--region', 'eu-west-1', '--output', 'json', env=env)
    assert json.loads(done.stdout)['Account'] == '111122223333'
    assert cloud.exec('sh', '-c', 'exit 7', check=False).returncode == 7
    assert cloud.exec('no-such-program', check=False).returncode != 0


def test_exec_is_the_user_who_called_sudo(cloud):
    done = cloud.exec('sh', '-c', 'id -u; id -un; echo $HOME; aws sts get-caller-identity --query Account --output text',
                      env={'SUDO_UID': '65534', 'SUDO_USER': 'nobody', 'AWS_DEFAULT_REGION': 'eu-west-1',
                           'PATH': '/usr/bin:/bin'}, cwd='/')
    assert done.stdout.split() == ['65534', 'nobody', '/nonexistent', '000000000000']


def test_open_prints_the_address(cloud):
    address = f'http://hello.elb.localhost:{cloud.port}\n'
    assert cloud.brume('open', 'hello', env={'DISPLAY': '', 'WAYLAND_DISPLAY': ''}).stdout == address
    # With a display and nothing that could show it there.
    done = cloud.brume('open', 'hello', env={'DISPLAY': ':99', 'PATH': '/nonexistent'}, check=False)
    assert (done.stdout, done.returncode) == (address, 1)


def test_durable(fresh_cloud):
    cloud = fresh_cloud('--durable').up()
    cloud.client('iam').create_user(UserName='kept')
    cloud.kill()
    cloud.up()
    assert [user['UserName'] for user in cloud.client('iam').list_users()['Users']] == ['kept']


def test_exec_overrides_what_would_lead_away(cloud):
    env = {'AWS_ENDPOINT_URL': 'http://127.0.0.1:1', 'SSL_CERT_FILE': '/dev/null', 'AWS_CA_BUNDLE': '/dev/null'}
    done = cloud.exec('/usr/bin/aws', 'sts', 'get-caller-identity', '--region', 'eu-west-1', env=env)
    assert done.returncode == 0


def test_exec_hides_daemons_of_the_host(cloud):
    for socket in ('/run/docker.sock', '/run/dbus/system_bus_socket'):
        if os.path.exists(socket):
            done = cloud.exec('python3', '-c', f'import socket; socket.socket(socket.AF_UNIX).connect("{socket}")', check=False)
            assert done.returncode != 0


def test_loaded_archive_runs_as_a_task(cloud):
    """brume image load: an image of a foreign registry, taken from an archive, is what tasks of that name run."""
    archive = cloud.work / 'image.tar'
    context = cloud.work / 'context'
    context.mkdir()
    (context / 'server').write_bytes(server_program().read_bytes())
    (context / 'server').chmod(0o755)
    (context / 'Dockerfile').write_text('FROM scratch\nCOPY server /server\nENTRYPOINT ["/server", "--probe", "127.0.0.1:1"]\n')
    storage = ['--root', cloud.work / 'st', '--runroot', cloud.work / 'st-run', '--storage-driver', 'vfs']
    cloud.exec('buildah', *storage, 'build', '--isolation', 'chroot', '-t', 'prober', context)
    cloud.exec('buildah', *storage, 'push', 'prober', f'docker-archive:{archive}:prober:1')
    loaded = cloud.brume('image', 'load', archive, 'docker.io/library/prober:1')
    assert loaded.stdout.startswith('sha256:')

    ecs, ec2, logs = cloud.client('ecs'), cloud.client('ec2'), cloud.client('logs')
    ecs.create_cluster(clusterName='default')
    logs.create_log_group(logGroupName='/probes')
    role = make_execution_role(cloud)
    subnet = ec2.describe_subnets()['Subnets'][0]['SubnetId']
    for name, image in (('loaded', 'prober:1'), ('absent', 'nothing-like-this:1')):
        ecs.register_task_definition(
            family=name, requiresCompatibilities=['FARGATE'], networkMode='awsvpc', cpu='256', memory='512',
            executionRoleArn=role, containerDefinitions=[{'name': 'it', 'image': image, 'logConfiguration': {
                'logDriver': 'awslogs', 'options': {'awslogs-group': '/probes', 'awslogs-region': 'eu-west-1',
                                                    'awslogs-stream-prefix': 'it'}}}])
    outcomes = {}
    for name in ('loaded', 'absent'):
        arn = ecs.run_task(taskDefinition=name, launchType='FARGATE', networkConfiguration={'awsvpcConfiguration': {
            'subnets': [subnet], 'assignPublicIp': 'ENABLED'}})['tasks'][0]['taskArn']
        ecs.get_waiter('tasks_stopped').wait(tasks=[arn], WaiterConfig={'Delay': 1, 'MaxAttempts': 60})
        outcomes[name] = ecs.describe_tasks(tasks=[arn])['tasks'][0]
    assert outcomes['loaded']['containers'][0]['exitCode'] == 1
    assert 'CannotPullContainerError' in outcomes['absent']['stoppedReason']
    shown = cloud.brume('logs', '/probes', '--region', 'eu-west-1').stdout
    assert '127.0.0.1:1 is unreachable' in shown


def make_execution_role(cloud):
    iam = cloud.client('iam')
    trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'sts:AssumeRole',
                                                     'Principal': {'Service': 'ecs-tasks.amazonaws.com'}}]}
    role = iam.create_role(RoleName='execution', AssumeRolePolicyDocument=json.dumps(trust))['Role']
    iam.attach_role_policy(RoleName='execution',
                           PolicyArn='arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy')
    return role['Arn']


def test_unknown_log_group_is_an_error(cloud):
    done = cloud.brume('logs', '/no/such/group', check=False)
    assert done.returncode != 0 and 'group' in done.stderr


@pytest.mark.parametrize('words', [('up', '--port', 'x'), ('up', '--port', '70000'), ('exec',), ('nonsense',),
                                   ('up', '--egress', 'maybe'), ('audit', '--limit', '0'), ('clock', 'speed', '0'), ('clock', 'nonsense')])
def test_wrong_words_are_refused(words, tmp_path):
    done = subprocess.run([PROGRAM, '--state', tmp_path / 'none', *words], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and done.stderr, 'what is wrong, where errors go, with the code of wrong usage'
    assert words[-1] in done.stderr or words == ('exec',)
    assert not (tmp_path / 'none').exists()
