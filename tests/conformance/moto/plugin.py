"""Lets moto's tests run against a real cloud that has no endpoint to reset: every test gets an account of its own.

A twelve-digit access key id is the root of that account (DECISIONS 12), so an account that nobody has used is an empty
cloud. moto's tests name the account by constants of their modules; these are set before each test. What a module
computed from them at import keeps moto's 123456789012 and is excluded by name where it matters; a few tests that write it
out are given their account's number in its place.

Where moto asks less than AWS does, tests are given what AWS would want of them: whoever assumes a role is a user, the
role of another account is there, and the calls that moto leaves unchecked are made by the account's root user.
"""
import itertools
import json
import os
import types

import boto3
import pytest
import requests
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.core import models

_numbers = itertools.count(1)
_CONSTANTS = ('ACCOUNT_ID', 'DEFAULT_ACCOUNT_ID')
_MOTOS_ACCOUNT = '123456789012'
# Tests whose own text has that number.
_WRITTEN_OUT = {'test_get_caller_identity_with_iam_user_credentials', 'test_dynamodb_supports_multiple_accounts',
                'test_permissions'}
_ANYTHING = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]})


def _let_buckets_take_trails():
    """moto's trails deliver to buckets without a policy, which AWS refuses (InsufficientS3BucketPolicyException): every
    bucket that test_cloudtrail makes is given the policy of "Amazon S3 bucket policy for CloudTrail"."""
    call = BaseClient._make_api_call

    def call_and_permit(self, operation, parameters):
        answer = call(self, operation, parameters)
        if operation == 'CreateBucket' and 'test_cloudtrail' in os.environ.get('PYTEST_CURRENT_TEST', ''):
            arn = 'arn:aws:s3:::' + parameters['Bucket']
            service = {'Effect': 'Allow', 'Principal': {'Service': 'cloudtrail.amazonaws.com'}}
            call(self, 'PutBucketPolicy', {'Bucket': parameters['Bucket'], 'Policy': json.dumps(
                {'Version': '2012-10-17', 'Statement': [
                    {**service, 'Action': 's3:GetBucketAcl', 'Resource': arn},
                    {**service, 'Action': 's3:PutObject', 'Resource': arn + '/*'}]})})
        return answer
    BaseClient._make_api_call = call_and_permit


def _root(account, like, service=None):
    """A client as the account's root user, for the service and region of another."""
    return boto3.client(service or like.meta.service_model.service_name, region_name=like.meta.region_name,
                        endpoint_url=like.meta.endpoint_url, aws_access_key_id=account, aws_secret_access_key='test')


def _key_of(client):
    return client._request_signer._credentials.access_key


def _assuming_user(sts, account):
    """Keys of a user of the account who may do anything; made at the first need of them."""
    if account not in _assuming_user.keys:
        iam = _root(account, sts, 'iam')
        iam.create_user(UserName='harness')
        iam.put_user_policy(UserName='harness', PolicyName='all', PolicyDocument=_ANYTHING)
        _assuming_user.keys[account] = iam.create_access_key(UserName='harness')['AccessKey']
    return _assuming_user.keys[account]


_assuming_user.keys = {}


def _let_users_assume_roles():
    """moto lets the root user assume any role, one that does not exist too. "You cannot use AWS account root user
    credentials to call AssumeRole": a user of the account does it, and a role of another account is made, which trusts
    the test's account and may do anything, as moto's may."""
    call = BaseClient._make_api_call

    def call_as_user(self, operation, parameters):
        account = os.environ.get('BRUME_TEST_ACCOUNT')
        if operation != 'AssumeRole' or _key_of(self) != account:
            return call(self, operation, parameters)
        owner, role = parameters['RoleArn'].split(':')[4], parameters['RoleArn'].split('/')[-1]
        if owner != account:
            trust = {'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{account}:root'}, 'Action': 'sts:AssumeRole'}
            document = json.dumps({'Version': '2012-10-17', 'Statement': [trust]})
            iam = _root(owner, self, 'iam')
            try:
                iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
            except iam.exceptions.EntityAlreadyExistsException:
                iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
            iam.put_role_policy(RoleName=role, PolicyName='all', PolicyDocument=_ANYTHING)
        keys = _assuming_user(self, account)
        user = boto3.client('sts', region_name=self.meta.region_name, endpoint_url=self.meta.endpoint_url,
                            aws_access_key_id=keys['AccessKeyId'], aws_secret_access_key=keys['SecretAccessKey'])
        return call(user, operation, parameters)
    BaseClient._make_api_call = call_as_user


def _let_root_make_unchecked_calls():
    """set_initial_no_auth_action_count(n): the first n calls of a test are not checked, whoever makes them."""
    call = BaseClient._make_api_call

    def call_unchecked(self, operation, parameters):
        if _Unchecked.left == 0:
            return call(self, operation, parameters)
        account = os.environ['BRUME_TEST_ACCOUNT']
        left, _Unchecked.left = _Unchecked.left - 1, 0  # what a call needs of its own is not counted
        try:
            return call(self if _key_of(self) == account else _root(account, self), operation, parameters)
        finally:
            _Unchecked.left = left
    BaseClient._make_api_call = call_unchecked


def _use(account):
    os.environ.update(AWS_ACCESS_KEY_ID=account, AWS_SECRET_ACCESS_KEY='test')
    os.environ.pop('AWS_SESSION_TOKEN', None)
    boto3.DEFAULT_SESSION = None


class _Unchecked:
    """In the place of moto's counter of calls that nobody checks."""
    status_code = 200
    left = 0

    def __init__(self, count):
        _Unchecked.left = count

    def json(self):
        return {'PREVIOUS_INITIAL_NO_AUTH_ACTION_COUNT': 0}


def _with_our_counter():
    post = requests.post
    requests.post = lambda url, *words, **options: (
        _Unchecked(int(options['data'])) if url.endswith('/moto-api/reset-auth') else post(url, *words, **options))


def _renamed(code, account):
    """The code with another account in its texts."""
    def of(constant):
        if isinstance(constant, str):
            return constant.replace(_MOTOS_ACCOUNT, account)
        return _renamed(constant, account) if isinstance(constant, types.CodeType) else constant
    return code.replace(co_consts=tuple(of(constant) for constant in code.co_consts))


def _write_out(item, account):
    function = item.function
    while hasattr(function, '__wrapped__'):
        function = function.__wrapped__
    if not hasattr(function, 'motos_code'):
        function.motos_code = function.__code__
    function.__code__ = _renamed(function.motos_code, account)


def pytest_configure(config):
    _with_our_counter()
    models.ServerModeMockAWS.reset = lambda self: None
    _let_buckets_take_trails()
    _note_buckets()
    _let_users_assume_roles()
    _let_root_make_unchecked_calls()
    start = models.MockAWS.start

    def start_with_the_account(self, *arguments, **options):
        self._fake_creds = {'AWS_ACCESS_KEY_ID': os.environ['BRUME_TEST_ACCOUNT'], 'AWS_SECRET_ACCESS_KEY': 'test'}
        return start(self, *arguments, **options)
    models.MockAWS.start = start_with_the_account
    # Each worker of a parallel run has a range of its own.
    worker = os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')
    config.stash['accounts'] = 2_000_000_000 + int(worker) * 100_000


_buckets = []  # (name, client) that the running test made


def _note_buckets():
    call = BaseClient._make_api_call

    def call_and_note(self, operation, parameters):
        answer = call(self, operation, parameters)
        if operation == 'CreateBucket':
            _buckets.append((parameters['Bucket'], self))
        return answer
    BaseClient._make_api_call = call_and_note


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
    """A bucket's name is one for all accounts: it is free for the next test."""
    while _buckets:
        name, client = _buckets.pop()
        root = _root(os.environ['BRUME_TEST_ACCOUNT'], client)
        try:
            for version in root.list_object_versions(Bucket=name).get('Versions', []):
                root.delete_object(Bucket=name, Key=version['Key'], VersionId=version['VersionId'])
            root.delete_bucket(Bucket=name)
        except ClientError:
            pass  # the test did it


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    account = f"{900_000_000_000 + item.config.stash['accounts'] + next(_numbers):012d}"
    os.environ['BRUME_TEST_ACCOUNT'] = account
    for name in _CONSTANTS:
        if isinstance(getattr(item.module, name, None), str):
            setattr(item.module, name, account)
    _use(account)
    _Unchecked.left = 0
    if getattr(item, 'originalname', item.name) in _WRITTEN_OUT:
        _write_out(item, account)
