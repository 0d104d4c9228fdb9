"""Images and task definitions that ask for what they may not have: each task ends with a reason that says why, nothing
is written outside, and a good task beside them runs."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import tarfile

import pytest
from botocore.exceptions import ClientError

from cloud import REGION
from hello import REGISTRY
from probes import program
from raw import ask, descriptors, files_below
from test_bad_input_uploads import registry, start_layer
from waiting import wait_until

MIB = 1 << 20
OUTSIDE = '/tmp/brume-bad-input'  # what no layer may write
KEEP = pathlib.Path(f'/tmp/brume-keep-{os.getpid()}')  # a file that an image would like to take away


@pytest.fixture(scope='module')
def token(cloud):
    ecr = cloud.client('ecr')
    ecr.create_repository(repositoryName='app')
    return ecr.get_authorization_token()['authorizationData'][0]['authorizationToken']


def member(name, data=b'', kind=tarfile.REGTYPE, link='', mode=0o644, **more):
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.linkname, entry.mode = len(data), kind, link, mode
    for key, value in more.items():
        setattr(entry, key, value)
    return entry, data


def layer(*members):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode='w', format=tarfile.GNU_FORMAT) as archive:
        for entry, data in members:
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(made.getvalue(), 1)


def good():
    return layer(member('intruder', program('intruder').read_bytes(), mode=0o755))


def push(cloud, token, tag, layers, change=None):
    """An image of these layers, by the registry's API; the answer to its manifest."""
    def blob(data):
        digest = 'sha256:' + hashlib.sha256(data).hexdigest()
        answer = ask(cloud.port, registry('PUT', f'{start_layer(cloud, token)}?digest={digest}', token, body=data))
        assert answer.status == 201, answer
        return {'digest': digest, 'size': len(data)}
    config = blob(json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {'Entrypoint': ['/intruder']}}).encode())
    manifest = {'schemaVersion': 2, 'mediaType': 'application/vnd.docker.distribution.manifest.v2+json',
                'config': {'mediaType': 'application/vnd.docker.container.image.v1+json', **config},
                'layers': [{'mediaType': 'application/vnd.docker.image.rootfs.diff.tar.gzip', **blob(each)}
                           for each in layers]}
    if change:
        change(manifest)
    return ask(cloud.port, registry('PUT', f'/v2/app/manifests/{tag}', token, {
        'Content-Type': manifest['mediaType']}, json.dumps(manifest).encode()))


@pytest.fixture(scope='module')
def ecs(cloud):
    client = cloud.client('ecs')
    client.create_cluster(clusterName='default')
    iam = cloud.client('iam')
    trust = {'Version': '2012-10-17', 'Statement': [
        {'Effect': 'Allow', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}
    iam.create_role(RoleName='execution', AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName='execution', PolicyName='pull', PolicyDocument=json.dumps(
        {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'ecr:*', 'Resource': '*'}]}))
    return client


@pytest.fixture(scope='module')
def subnet(cloud):
    return cloud.client('ec2').describe_subnets()['Subnets'][0]['SubnetId']


def define(ecs, tag, family='bad', cpu='256', memory='512', container=(), **more):
    return ecs.register_task_definition(
        family=family, requiresCompatibilities=['FARGATE'], networkMode='awsvpc', cpu=cpu, memory=memory,
        executionRoleArn='arn:aws:iam::000000000000:role/execution', **more,
        containerDefinitions=[{'name': 'main', 'image': f'{REGISTRY}/app:{tag}', 'command': ['serve', '7000'],
                               **dict(container)}])['taskDefinition']['taskDefinitionArn']


def run(ecs, subnet, definition):
    answer = ecs.run_task(taskDefinition=definition, launchType='FARGATE', networkConfiguration={
        'awsvpcConfiguration': {'subnets': [subnet], 'assignPublicIp': 'ENABLED'}})
    assert not answer['failures'], answer
    return answer['tasks'][0]['taskArn']


def state(ecs, task):
    return ecs.describe_tasks(tasks=[task])['tasks'][0]


def reason(ecs, subnet, definition):
    """Why a task of it stopped: its code and its reason."""
    task = run(ecs, subnet, definition)
    wait_until(lambda: state(ecs, task)['lastStatus'] in ('STOPPED', 'RUNNING'), 60, 'the end of the task')
    found = state(ecs, task)
    if found['lastStatus'] == 'RUNNING':
        ecs.stop_task(task=task)
        wait_until(lambda: state(ecs, task)['lastStatus'] == 'STOPPED', 60, 'the end of the task')
        return 'RUNNING', ''
    words = ' '.join([found.get('stoppedReason', ''), *(each.get('reason', '') for each in found['containers'])])
    return found.get('stopCode'), words


def bomb():
    """A layer of 3 GiB of zeros in three megabytes: gzip's members follow each other, and one is there many times."""
    entry = tarfile.TarInfo('zeros')
    entry.size = 3 << 30
    return gzip.compress(entry.tobuf()) + gzip.compress(bytes(64 * MIB)) * 48 + gzip.compress(bytes(MIB))


LAYERS = {
    'dot-dot': ([member('../../../../../../..' + OUTSIDE, b'x')], '".." in its name'),
    'dot-dot-inside': ([member('a/../../b', b'x')], '".." in its name'),
    'absolute': ([member(OUTSIDE, b'x')], None),  # below the image's own root
    'link-out': ([member('out', kind=tarfile.SYMTYPE, link='/tmp'), member('out/brume-bad-input', b'x')], None),
    'link-up': ([member('out', kind=tarfile.SYMTYPE, link='../../../../../../tmp'), member('out/brume-bad-input', b'x')], None),
    'link-swap': ([member('d', kind=tarfile.DIRTYPE, mode=0o755), member('d/a', b'x'),
                   member('d', kind=tarfile.SYMTYPE, link='/tmp'), member('d/brume-bad-input', b'x')], 'Is a directory'),
    'hard-link-out': ([member('copy', kind=tarfile.LNKTYPE, link='/etc/shadow')], 'etc/shadow'),
    'hard-link-up': ([member('copy', kind=tarfile.LNKTYPE, link='../../../../etc/shadow')], '".." in its name'),
    'hard-link-by-link': ([member('etc', kind=tarfile.SYMTYPE, link='/etc'),
                           member('copy', kind=tarfile.LNKTYPE, link='etc/shadow')], 'shadow'),
    'device': ([member('disk', kind=tarfile.BLKTYPE, devmajor=8, devminor=0)], 'a device outside dev/'),
    'device-in-dev': ([member('dev/mem', kind=tarfile.CHRTYPE, devmajor=1, devminor=1)], None),  # left out
    'whiteout-of-nothing': ([member('.wh.')], 'a whiteout of nothing'),
    'whiteout-of-all': ([member('.wh...')], 'a whiteout of nothing'),
    'whiteout-by-link': ([member('out', kind=tarfile.SYMTYPE, link='/tmp'), member(f'out/.wh.{KEEP.name}')], None),
    'long-name': ([member('a' * 300, b'x')], 'too long'),
    'long-path': ([member('/'.join(['a' * 200] * 30), b'x')], 'bytes'),
    'root-as-a-file': ([member('.', b'x')], 'root'),
}


@pytest.mark.parametrize('name', LAYERS)
def test_layers(cloud, ecs, subnet, token, name):
    members, why = LAYERS[name]
    KEEP.write_text('kept')
    try:
        assert push(cloud, token, name, [good(), layer(*members)]).status == 201
        code, words = reason(ecs, subnet, define(ecs, name))
        if why:
            assert code == 'TaskFailedToStart' and 'CannotPullContainer' in words and why in words, (code, words)
        else:
            assert code == 'RUNNING', (code, words)
        assert not os.path.lexists(OUTSIDE)
        assert KEEP.read_text() == 'kept'
    finally:
        KEEP.unlink()


def test_bombs_and_layers_that_are_none(cloud, ecs, subnet, token):
    free = os.statvfs(cloud.state)
    for name, data, why in (('bomb', bomb(), "times the layer's size"), ('no-tar', gzip.compress(b'x' * 4096), ''),
                            ('cut', good()[:-1000], ''), ('empty', b'', '')):
        files = None
        assert push(cloud, token, name, [data]).status == 201
        files = files_below(cloud.state)
        code, words = reason(ecs, subnet, define(ecs, name))
        assert code == 'TaskFailedToStart' and why in words, (name, code, words)
        assert name == 'empty' or 'CannotPullContainer' in words, (name, words)
        assert files_below(cloud.state) == files, name
    after = os.statvfs(cloud.state)
    assert (free.f_bavail - after.f_bavail) * after.f_frsize < 1 << 30


def test_manifests_that_lie(cloud, ecs, subnet, token):
    def smaller(manifest):
        manifest['layers'][0]['size'] -= 1
    answer = push(cloud, token, 'lie', [good()], smaller)
    assert (answer.status, answer.code()) == (400, 'MANIFEST_INVALID'), answer

    def many(manifest):
        manifest['layers'] *= 200
    assert push(cloud, token, 'many', [good()], many).status == 201
    code, words = reason(ecs, subnet, define(ecs, 'many'))
    assert code == 'TaskFailedToStart' and '200 layers' in words, (code, words)
    code, words = reason(ecs, subnet, define(ecs, 'nobody'))
    assert code == 'TaskFailedToStart' and 'CannotPullContainer' in words, (code, words)


# Task definitions.

def refused(function, *words, **options):
    with pytest.raises(ClientError) as error:
        function(*words, **options)
    return error.value.response['Error']['Code'], error.value.response['Error']['Message']


@pytest.fixture(scope='module')
def image(cloud, token):
    assert push(cloud, token, 'good', [good()]).status == 201
    return 'good'


def test_definitions_that_aws_refuses(ecs, image):
    for options in (dict(cpu='256', memory='8192'), dict(cpu='100', memory='512'), dict(cpu='999999', memory='512'),
                    dict(cpu='256', memory='-1'), dict(cpu='256', memory='lots'), dict(memory='', cpu=''),
                    dict(containerDefinitions=[])):
        containers = options.pop('containerDefinitions', None)
        if containers is None:
            code, message = refused(define, ecs, image, **options)
        else:
            code, message = refused(ecs.register_task_definition, family='x', containerDefinitions=[], cpu='256',
                                    memory='512', requiresCompatibilities=['FARGATE'], networkMode='awsvpc')
        assert code in ('ClientException', 'InvalidParameterException') and message, (options, code, message)
    for ports in ([{'containerPort': 70_000}], [{'containerPort': -1}], [{'containerPort': 80, 'hostPort': 81}],
                  [{'containerPort': 80, 'protocol': 'icmp'}], [{'containerPort': 80}, {'containerPort': 80}]):
        code, message = refused(define, ecs, image, container={'portMappings': ports})
        assert code in ('ClientException', 'InvalidParameterException') and message, (ports[:2], code, message)
    for container in (dict(cpu=512), dict(memory=1024), dict(memory=1), dict(memoryReservation=4096),
                      dict(environment=[{'name': f'N{i}', 'value': 'x' * 1000} for i in range(10_000)]),
                      dict(name='a' * 300), dict(name='../../etc'), dict(ulimits=[{
                          'name': 'nofile', 'softLimit': 10, 'hardLimit': 5}])):
        code, message = refused(define, ecs, image, container=container)
        assert code in ('ClientException', 'InvalidParameterException') and message, (list(container), code, message)


def test_task_that_asks_for_more_than_the_machine_has(ecs, subnet, image):
    """Fargate's largest size, on whatever machine this is: it runs or says what is missing."""
    code, words = reason(ecs, subnet, define(ecs, image, family='large', cpu='16384', memory='122880'))
    if os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') < 120 << 30:
        assert code == 'TaskFailedToStart' and 'RESOURCE:MEMORY: the task asks for 122880 MiB' in words, (code, words)
    else:
        assert code == 'RUNNING', (code, words)
    task = run(ecs, subnet, define(ecs, image))
    wait_until(lambda: state(ecs, task)['lastStatus'] == 'RUNNING', 60, 'a task that fits')
    ecs.stop_task(task=task)


def test_nothing_was_left(cloud, ecs):
    wait_until(lambda: not ecs.list_tasks()['taskArns'], 60, 'the end of all tasks')
    assert not [name for name in files_below(cloud.state) if 'spool' in name and 'body-' in name]
    assert len(descriptors(cloud.pid)) < 200
