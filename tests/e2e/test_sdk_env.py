"""SDKs outside of the cloud, led here by what `brume env` prints and nothing else."""
import json
import os
import subprocess
import sys

import pytest

from cloud import ROOT, clean_environment

NODE_MODULES = ROOT / 'build/javascript/node_modules'

BOTO3 = '''
import boto3, json
s3 = boto3.client('s3')
s3.create_bucket(Bucket='python')
s3.put_object(Bucket='python', Key='a/b c', Body=b'from python')
s3.upload_file('/etc/hostname', 'python', 'file')
print(json.dumps({'body': s3.get_object(Bucket='python', Key='a/b c')['Body'].read().decode(),
                  'arn': boto3.client('sts').get_caller_identity()['Arn'],
                  'vpcs': len(boto3.client('ec2').describe_vpcs()['Vpcs']),
                  'tables': boto3.client('dynamodb').list_tables()['TableNames']}))
'''


@pytest.fixture(scope='module')
def environment(cloud):
    """The variables that a shell has after eval $(brume env)."""
    script = cloud.brume('env').stdout
    shown = subprocess.run(['sh', '-c', f'{script}\nenv -0'], env=clean_environment(), capture_output=True, check=True,
                           text=True).stdout
    return dict(line.split('=', 1) for line in shown.split('\0') if line)


def test_env_names_the_loopback_address(cloud, environment):
    assert environment['AWS_ENDPOINT_URL'] == f'http://127.0.0.1:{cloud.port}'
    assert environment['AWS_ACCESS_KEY_ID'] == 'test'
    assert environment['AWS_EC2_METADATA_DISABLED'] == 'true'


def test_env_leaves_own_credentials_alone(cloud):
    script = cloud.brume('env', env={'AWS_ACCESS_KEY_ID': 'AKIAIOSFODNN7EXAMPLE', 'AWS_REGION': 'eu-north-1'}).stdout
    assert 'AWS_ACCESS_KEY_ID' not in script and 'AWS_REGION' not in script


def test_boto3(environment):
    done = subprocess.run([sys.executable, '-c', BOTO3], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer == {'body': 'from python', 'arn': 'arn:aws:iam::000000000000:root', 'vpcs': 1, 'tables': []}


def test_boto3_inside(cloud):
    """The same script by exec: no variable names an endpoint, the names of AWS lead here."""
    script = BOTO3.replace("'python'", "'inside'") + "\nimport os; assert 'AWS_ENDPOINT_URL' not in os.environ\n"
    answer = json.loads(cloud.python(script, env={'AWS_DEFAULT_REGION': 'us-east-1'}).stdout)
    assert answer == {'body': 'from python', 'arn': 'arn:aws:iam::000000000000:root', 'vpcs': 1, 'tables': []}


def test_javascript(environment):
    assert NODE_MODULES.is_dir(), 'tools/setup installs the JavaScript SDK into build/javascript'
    script = ROOT / 'build/javascript/services.mjs'
    script.write_text((ROOT / 'tests/e2e/javascript/services.mjs').read_text())
    done = subprocess.run(['node', script], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer['body'] == 'from node' and answer['item'] == '42' and answer['vpcs'] == 1
    assert answer['arn'].endswith(':root')
    assert answer['refused']['status'] == 501 and answer['refused']['attempts'] == 1, 'a refusal is not retried'


def test_tls_on_the_same_port(cloud, environment):
    """One port for both: the first byte decides, and the certificate is of this cloud's own authority."""
    authority = os.path.join(cloud.state, 'ca/ca.pem')
    env = dict(environment, AWS_ENDPOINT_URL=f'https://127.0.0.1:{cloud.port}', AWS_CA_BUNDLE=authority)
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    done = subprocess.run([sys.executable, '-c', script], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == '000000000000', done.stderr
    del env['AWS_CA_BUNDLE']
    distrust = subprocess.run([sys.executable, '-c', script], env={**env, 'AWS_MAX_ATTEMPTS': '1'}, capture_output=True,
                              text=True, timeout=60)
    assert distrust.returncode != 0 and 'CERTIFICATE_VERIFY_FAILED' in distrust.stderr
