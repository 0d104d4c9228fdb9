"""make demo as a stranger runs it: twice, with the tour, and down again."""
import re
import subprocess

import pytest

from cloud import PROGRAM, ROOT, Cloud, clean_environment, terraform_configuration
from traces import Traces

pytestmark = pytest.mark.nightly  # the gate has the same system in test_hello


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    return tmp_path_factory.mktemp('demo')


def demo(place, *words):
    env = dict(clean_environment(), DEMO_DIRECTORY=str(place), BRUME=str(PROGRAM), BRUME_PORT='0',
               BRUME_UP_OPTIONS='--offline', BRUME_TERRAFORM_MIRROR=mirror())
    done = subprocess.run([ROOT / 'systems/hello/demo', *words], env=env, capture_output=True, text=True, timeout=800,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


def mirror():
    with open(terraform_configuration()) as configuration:
        return re.search(r'path = "(.*)"', configuration.read()).group(1)


def tasks(output):
    return set(re.findall(r'"task":"([0-9a-f]{32})"', output))


def test_demo_and_tour(place):
    output = demo(place)
    assert re.search(r'the load balancer: hello-\d+\.eu-west-1\.elb\.amazonaws\.com', output)
    assert len(tasks(output)) == 2, 'two different tasks on the host'
    assert re.search(r'terraform apply took [\d.]+ s', output)
    assert re.search(r'the server worked \d+ ms on its \d+ requests', output)
    assert re.search(r'resources were pending for [\d.]+ s', output)
    for said in ('1. A task dies under load', '2. A security group drops packets', '3. A broken revision is rolled back',
                 '$ aws ec2 revoke-security-group-ingress', '$ aws ecs update-service', 'rolling back to', 'next: your own'):
        assert said in output
    assert len(re.findall(r'\d+ requests answered, 0 failed', output)) == 2


def test_second_run_changes_nothing(place):
    output = demo(place)
    assert 'Terraform finds no changes, and nothing is built' in output
    assert 'Resources: 0 added, 0 changed, 0 destroyed' in output and 'terraform plan: no changes' in output
    assert len(tasks(output)) == 2


def test_down_removes_everything(place):
    cloud = Cloud()
    cloud.state = str(place / 'demo-state')
    noted = Traces(cloud.status())
    demo(place, 'down')
    assert noted.left() == []
    assert not (place / 'demo').exists()
