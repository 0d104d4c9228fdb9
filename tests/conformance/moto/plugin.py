"""Lets moto's tests run against a real cloud that has no endpoint to reset: every test gets an account of its own.

A twelve-digit access key id is the root of that account (DECISIONS 12), so an account that nobody has used is an empty
cloud. moto's tests name the account by constants of their modules; these are set before each test. What a module
computed from them at import keeps moto's 123456789012 and is excluded by name where it matters.
"""
import itertools
import json
import os

import boto3
import pytest
import requests
from botocore.client import BaseClient
from moto.core import models

_numbers = itertools.count(1)
_CONSTANTS = ('ACCOUNT_ID', 'DEFAULT_ACCOUNT_ID')


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


def _use(account):
    os.environ.update(AWS_ACCESS_KEY_ID=account, AWS_SECRET_ACCESS_KEY='test')
    os.environ.pop('AWS_SESSION_TOKEN', None)
    boto3.DEFAULT_SESSION = None


class _AlwaysChecked:
    """In the place of moto's counter of calls that nobody checks: a cloud checks them all."""
    status_code = 200

    def json(self):
        return {'PREVIOUS_INITIAL_NO_AUTH_ACTION_COUNT': 0}


def _without_the_counter():
    post = requests.post
    requests.post = lambda url, *words, **options: (
        _AlwaysChecked() if url.endswith('/moto-api/reset-auth') else post(url, *words, **options))


def pytest_configure(config):
    _without_the_counter()
    models.ServerModeMockAWS.reset = lambda self: None
    _let_buckets_take_trails()
    start = models.MockAWS.start

    def start_with_the_account(self, *arguments, **options):
        self._fake_creds = {'AWS_ACCESS_KEY_ID': os.environ['BRUME_TEST_ACCOUNT'], 'AWS_SECRET_ACCESS_KEY': 'test'}
        return start(self, *arguments, **options)
    models.MockAWS.start = start_with_the_account
    # Each worker of a parallel run has a range of its own.
    worker = os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')
    config.stash['accounts'] = 2_000_000_000 + int(worker) * 100_000


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    account = f"{900_000_000_000 + item.config.stash['accounts'] + next(_numbers):012d}"
    os.environ['BRUME_TEST_ACCOUNT'] = account
    for name in _CONSTANTS:
        if isinstance(getattr(item.module, name, None), str):
            setattr(item.module, name, account)
    _use(account)
