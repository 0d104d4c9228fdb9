"""A full disk: the state directory on a small file system of its own. Writes are refused so that nobody tries them again
for long, reads and traffic go on, and all is well by itself when there is space again."""
import os
import pathlib
import signal
import subprocess

import pytest
from botocore.exceptions import ClientError

from cloud import REGION, ROOT
from conftest import end, make_cloud
from shape import difference, shape
from stack import NAME, Image, Stack
from waiting import wait_until

SIZE_MIB = 192


class Disk:
    def __init__(self, path):
        self.path, self.filler = path, pathlib.Path(path, 'filler')
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SIZE_MIB}m,mode=0711', 'brume-test', path], check=True)

    def fill(self):
        with open(self.filler, 'ab') as file:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        os.write(file.fileno(), b'x' * size)
                except OSError:
                    pass

    def clear(self):
        self.filler.unlink(missing_ok=True)

    def end(self):
        subprocess.run(['umount', '-l', self.path], check=True)


@pytest.fixture(scope='module')
def small():
    cloud = make_cloud('--offline')
    disk = Disk(cloud.state)
    try:
        stack = Stack(cloud.up())
        stack.apply('1')
        stack.disk = disk
        stack.dynamodb_client = cloud.client('dynamodb')
        stack.dynamodb_client.create_table(
            TableName=NAME, BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'n', 'KeyType': 'HASH'}],
            AttributeDefinitions=[{'AttributeName': 'n', 'AttributeType': 'N'}])
        stack.undisturbed = shape(cloud)
        yield stack
    finally:
        disk.clear()
        (ROOT / 'build/e2e').mkdir(parents=True, exist_ok=True)
        (ROOT / 'build/e2e/test_faults_disk.log').write_text(cloud.log())
        # The mount point cannot be removed while it is one: the instance goes first, then the file system.
        cloud.brume('down', check=False)
        disk.end()
        end(cloud)


def writes(stack):
    """A write of each protocol: query, rest-xml, json, ec2; each by a client that retries as tools do."""
    retrying = {'retries': {'max_attempts': 4}}
    client = stack.cloud.client
    return {
        'ec2': lambda: client('ec2', **retrying).create_internet_gateway(),
        'iam': lambda: client('iam', **retrying).create_user(UserName='full'),
        's3': lambda: client('s3', s3={'addressing_style': 'path'}, **retrying).put_object(
            Bucket=f'{NAME}-bucket', Key='more', Body=b'x' * 3_000_000),
        's3 small': lambda: client('s3', s3={'addressing_style': 'path'}, **retrying).put_object(
            Bucket=f'{NAME}-bucket', Key='small', Body=b'x'),
        'dynamodb': lambda: client('dynamodb', **retrying).put_item(TableName=NAME, Item={'n': {'N': '1'}}),
        'logs': lambda: client('logs', **retrying).create_log_group(logGroupName='full'),
    }


def refused(write):
    """The error of a refused write; None when it went through."""
    try:
        write()
        return None
    except ClientError as error:
        return error.response


def fill(stack):
    """Until the store has seen it: what it holds in its own buffers and files may go on for a while."""
    stack.disk.fill()

    def full():
        stack.disk.fill()
        return refused(lambda: stack.dynamodb_client.put_item(
            TableName=NAME, Item={'n': {'N': '2'}, 'text': {'S': os.urandom(50_000).hex()}}))
    return wait_until(full, 60, 'a refused write', every=0)


def cleared(stack):
    stack.disk.clear()

    def writes_again():
        return refused(lambda: stack.dynamodb_client.put_item(TableName=NAME, Item={'n': {'N': '3'}})) is None
    wait_until(writes_again, 90, 'writes after there was space again', every=0.3)


def test_writes_are_refused_once_and_reads_go_on(small):
    first = fill(small)
    try:
        assert first['ResponseMetadata']['HTTPStatusCode'] == 507
        for name, write in writes(small).items():
            error = refused(write)
            assert error, f'{name}: a write on a full disk'
            assert error['ResponseMetadata']['HTTPStatusCode'] == 507, (name, error)
            assert error['ResponseMetadata']['RetryAttempts'] == 0, f'{name} was tried again'
            assert 'disk' in error['Error']['Message'], (name, error['Error'])
        assert small.ec2.describe_vpcs()['Vpcs'] and small.get()[0] == 200
        body = small.s3.get_object(Bucket=f'{NAME}-bucket', Key='first')['Body'].read()
        assert body == b'first1' * 40_000
        names = {user['UserName'] for user in small.cloud.client('iam').list_users()['Users']}
        assert 'full' not in names, 'what was refused is not there'
    finally:
        cleared(small)
    for name, write in writes(small).items():
        assert refused(write) is None, f'{name} after there was space again'


def test_terraform_says_so_at_once(small):
    directory = small.cloud.work / 'full'
    directory.mkdir()
    (directory / 'main.tf').write_text(
        'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
        f'provider "aws" {{\n  region = "{REGION}"\n}}\n'
        'resource "aws_vpc" "full" {\n  cidr_block = "10.77.0.0/16"\n}\n'
        'resource "aws_cloudwatch_log_group" "full" {\n  name = "terraform-full"\n}\n')
    small.cloud.terraform(directory, 'init', '-no-color')
    fill(small)
    try:
        # Its own waits for an answer that is retried would take an hour.
        done = small.cloud.terraform(directory, 'apply', '-no-color', '-auto-approve', check=False, timeout=100)
        assert done.returncode == 1 and 'no space left' in done.stderr, done.stderr
    finally:
        cleared(small)
    small.cloud.terraform(directory, 'apply', '-no-color', '-auto-approve')
    small.cloud.terraform(directory, 'destroy', '-no-color', '-auto-approve')


def test_image_that_does_not_fit_is_refused_and_leaves_nothing(small):
    before = shape(small.cloud)
    token = small.ecr.get_authorization_token()['authorizationData'][0]['authorizationToken']
    fill(small)
    try:
        with pytest.raises(AssertionError, match='50'):
            Image().push(small.cloud.port, token, NAME, 'more')
    finally:
        cleared(small)
    try:
        wait_until(lambda: not difference(before, shape(small.cloud)), 20, 'nothing of the refused image')
    except AssertionError as error:
        raise AssertionError('\n'.join(difference(before, shape(small.cloud)))) from error


def test_task_that_dies_meanwhile_is_replaced_afterwards(small):
    fill(small)
    try:
        before = small.tasks()
        victim = next(each['pid'] for each in small.cloud.status()['processes']
                      if each['id'].startswith('task/') and each['running'])
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f'/proc/{victim}'), 10, 'the end of the task')
        wait_until(lambda: small.get()[0] == 200, 30, 'an answer of the other one')
    finally:
        cleared(small)
    wait_until(lambda: small.stable() and small.tasks() != before, 120, 'a replacement', every=0.3)
    wait_until(lambda: small.get()[0] == 200, 10, 'an answer')


def test_start_on_a_full_disk_serves_reads(small):
    fill(small)
    small.cloud.kill()
    small.disk.fill()
    try:
        small.cloud.up()
        small.clients.clear()
        assert small.ec2.describe_vpcs()['Vpcs']
        assert refused(writes(small)['ec2'])['ResponseMetadata']['HTTPStatusCode'] == 507
        wait_until(lambda: small.get()[0] == 200, 30, 'an answer of the load balancer')
    finally:
        cleared(small)
    wait_until(small.stable, 60, 'a stable service')
