"""The demonstration system from Terraform: it answers, it is isolated, it survives, and it goes without a trace.

The tests are one story in the file's order: deployed once, changed, destroyed.
"""
import collections
import contextlib
import json
import os
import pathlib
import signal
import urllib.request

import pytest

import traces
from cloud import REGION
from hello import SPEED, Hello, numbers_in
from waiting import now, wait_until

# A target that dies is found out after two failed checks, five seconds apart, each waiting two seconds.
HEALTH_WINDOW = 2 * 5 + 2 + 1


@pytest.fixture(scope='module')
def hello(cloud):
    return Hello(cloud).deploy()


def drift(hello):
    """terraform plan -detailed-exitcode: 0 without changes, 2 with changes, 1 on errors."""
    done = hello.terraform('plan', '-no-color', '-detailed-exitcode', check=False)
    return done.returncode, done.stdout + done.stderr


def test_plan_is_empty_right_after_apply(hello):
    code, output = drift(hello)
    assert code == 0, output


def test_two_tasks_in_two_zones_answer_inside(hello):
    seen = {}
    for _ in range(12):
        status, body = hello.get()
        assert status == 200, body
        answer = json.loads(body)
        seen[answer['task']] = answer
    tasks = hello.tasks()
    assert set(seen) == set(tasks) and len(seen) == 2
    assert {answer['address'] for answer in seen.values()} == {address for _, address, _, _ in tasks.values()}
    assert {answer['zone'] for answer in seen.values()} == {f'{REGION}a', f'{REGION}b'}


def test_load_balancer_answers_on_the_host(hello, cloud):
    """curl and a browser on the host: http://NAME.elb.localhost:PORT, or any request with the name in Host."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    pages = set()
    for host in (f'hello.elb.localhost:{cloud.port}', hello.outputs['load_balancer_name']) * 6:
        request = urllib.request.Request(f'http://127.0.0.1:{cloud.port}/whoami', headers={'Host': host})
        with opener.open(request, timeout=5) as answer:
            pages.add(json.loads(answer.read())['task'])
    assert pages == set(hello.tasks())


def test_page_names_the_task_that_answered(hello):
    status, page = hello.get('/')
    assert status == 200 and 'Hello from the ground' in page
    assert any(task in page for task in hello.tasks())


def test_clients_keep_their_address_in_the_logs(hello):
    """The service sees its client's address, not the load balancer's, for two clients with different addresses."""
    done = hello.cloud.exec('curl', '--silent', '--max-time', '5', '--output', '/dev/null', '--write-out', '%{local_ip}',
                            f'{hello.url}/whoami?n=7001')
    local = done.stdout.strip()

    def logged():
        return [line['client'] for line in hello.log_lines() if line.get('path') == '/whoami?n=7001']
    assert wait_until(logged, 20, 'the request in the log') == [local]
    balancer_addresses = [each['Association']['PublicIp'] for each in hello.ec2.describe_network_interfaces(
        Filters=[{'Name': 'description', 'Values': ['ELB app/hello/*']}])['NetworkInterfaces']]
    assert len(balancer_addresses) == 2 and local not in balancer_addresses


def test_private_subnet_reaches_out_through_its_nat_address_only(hello):
    addresses = {hello.get('/outbound')[1].strip() for _ in range(4)}
    assert addresses == {hello.outputs['nat_address']}
    counted = [each for each in hello.cloud.status()['packets'] if each['what'] == 'through NAT gateway']
    assert counted and counted[0]['packets'] >= 4


@pytest.fixture
def bystander(hello):
    """A task in the service's group and a private subnet that serves as the service's tasks do, but is no target: the
    service's own are replaced when their health checks fail."""
    _, _, subnet, _ = next(iter(hello.tasks().values()))
    arn, address, interface = hello.serve([hello.group('hello-service')], subnet)
    yield address, subnet, interface
    hello.stop(arn)


def test_revoked_rule_drops_and_restored_rule_heals(hello, bystander):
    """Without its rule the load balancer is refused, while an allowed peer is not; with it, all is as before."""
    address, subnet, interface = bystander
    service, balancer = hello.group('hello-service'), hello.group('hello-load-balancer')
    vpc = hello.ec2.describe_security_groups(GroupIds=[service])['SecurityGroups'][0]['VpcId']
    peer, stranger = (hello.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)['GroupId']
                      for name in ('peer', 'stranger'))
    from_peer = [{'IpProtocol': 'tcp', 'FromPort': 8000, 'ToPort': 8000, 'UserIdGroupPairs': [{'GroupId': peer}]}]
    hello.ec2.authorize_security_group_ingress(GroupId=service, IpPermissions=from_peer)
    rules = hello.ec2.describe_security_group_rules(Filters=[{'Name': 'group-id', 'Values': [service]}])
    own = [rule['SecurityGroupRuleId'] for rule in rules['SecurityGroupRules'] if not rule['IsEgress'] and
           rule['ReferencedGroupInfo']['GroupId'] == balancer]
    targets = [each[3] for each in hello.tasks().values()]
    before = hello.dropped()

    hello.ec2.revoke_security_group_ingress(GroupId=service, SecurityGroupRuleIds=own)
    try:
        wait_until(lambda: any(hello.dropped().get(target, 0) > before.get(target, 0) for target in targets), 30,
                   'a dropped packet of the load balancer')
        assert hello.probe(address, [peer], subnet), 'the allowed peer must reach the task'
        assert hello.dropped().get(interface, 0) == 0
        assert not hello.probe(address, [stranger], subnet), 'a stranger must not'
        assert hello.dropped().get(interface, 0) > 0, 'the drop counter stands still'
        wait_until(lambda: hello.get(seconds=15)[0] in (502, 503, 504), 60, 'a load balancer without targets')
    finally:
        hello.terraform('apply', '-no-color', '-auto-approve')
    wait_until(lambda: hello.get()[0] == 200, 60, 'an answer after the rule came back')
    hello.ec2.revoke_security_group_ingress(GroupId=service, IpPermissions=from_peer)
    for group in (peer, stranger):
        hello.delete_group(group)
    hello.wait_stable()


def test_same_subnet_is_no_way_around_the_security_group(hello, bystander):
    """A task of the same subnet and group cannot reach another on 8000; one in the load balancer's group can."""
    address, subnet, interface = bystander
    service, balancer = hello.group('hello-service'), hello.group('hello-load-balancer')
    assert not hello.probe(address, [service], subnet)
    refused = hello.dropped().get(interface, 0)
    assert refused > 0
    # That group's egress leads to the service only: a second group lets the task reach its image.
    assert hello.probe(address, [balancer, service], subnet)
    assert hello.dropped().get(interface, 0) == refused


def test_killed_container_is_replaced_and_gets_no_more_requests(hello):
    victim = sorted(hello.tasks())[0]
    with hello.load() as load:
        wait_until(lambda: victim in hello.get()[1], 20, 'an answer of the victim')
        os.kill(hello.process_of(victim), signal.SIGKILL)
        killed = now()
        wait_until(lambda: len(hello.tasks()) == 2 and victim not in hello.tasks(), 60, 'a replacement')
        hello.wait_stable()
    late = [record for record in load.failures() if record.at > killed + HEALTH_WINDOW]
    assert not late, late
    assert not [record for record in load.records if record.task == victim and record.at > killed + 1]
    # The balancer asks another task when a connection is refused: at most the requests in flight may be lost.
    assert len(load.failures()) <= 4, load.failures()
    assert len(load.records) > 200
    stopped = hello.ecs.describe_tasks(cluster='hello', tasks=[victim])['tasks'][0]
    assert stopped['containers'][0]['exitCode'] == 137 and stopped['lastStatus'] == 'STOPPED'


def test_load_sees_an_outage_when_there_is_one(hello):
    """The negative control of the tests around it: with both tasks gone, requests must fail, and be seen to."""
    def is_out():
        # The balancer tries a request for some seconds: who took a killed one's place within them is killed as well.
        for task in hello.tasks():
            with contextlib.suppress(AssertionError, ProcessLookupError):  # it has just ended
                os.kill(hello.process_of(task), signal.SIGKILL)
        return hello.get(seconds=20)[0] in (502, 503, 504)

    with hello.load() as load:
        killed = set(hello.tasks())
        wait_until(is_out, 60, 'an outage')
        wait_until(lambda: not killed & set(hello.tasks()), 60, 'others in their place')
        wait_until(lambda: hello.get()[0] == 200, 60, 'the end of the outage')
        hello.wait_stable()
    assert load.failures(), 'the load saw no outage'
    assert load.records[-1].status == 200


def test_new_revision_rolls_without_a_failed_request(hello):
    old = set(hello.tasks())
    with hello.load() as load:
        hello.roll_out(hello.change_task(environment=hello.environment(GREETING='Second')))
        wait_until(lambda: hello.service()['deployments'][0]['rolloutState'] != 'COMPLETED', 30, 'a deployment')
        hello.wait_stable()
    assert load.failures() == []
    assert len(load.records) > 200
    answered = collections.Counter(load.answered().values())
    assert set(answered) >= old | set(hello.tasks()), 'load on old and new tasks'
    assert not old & set(hello.tasks())
    assert 'Second' in hello.get('/')[1]


@pytest.mark.parametrize('cause', ['image', 'health'])
def test_broken_revision_is_rolled_back(hello, cause):
    before = hello.service()['taskDefinition']
    tasks = set(hello.tasks())
    if cause == 'image':
        revision = hello.change_task(image=hello.outputs['repository_url'] + ':missing')
    else:
        revision = hello.change_task(environment=hello.environment(HEALTH='broken'))
    with hello.load(rate=20) as load:
        hello.roll_out(revision)
        wait_until(lambda: hello.service()['taskDefinition'] == before and len(hello.service()['deployments']) == 1,
                   240, 'the roll-back', every=1)
        hello.wait_stable()
    assert load.failures() == []
    assert set(hello.tasks()) == tasks, 'the tasks that served went on'
    messages = ' '.join(event['message'] for event in hello.service()['events'])
    assert 'deployment failed' in messages and 'rolling back' in messages
    if cause == 'image':
        stopped = hello.ecs.list_tasks(cluster='hello', desiredStatus='STOPPED')['taskArns']
        reasons = [task.get('stoppedReason', '') for task in
                   hello.ecs.describe_tasks(cluster='hello', tasks=stopped)['tasks']]
        assert any('CannotPullContainerError' in reason for reason in reasons), reasons


def test_kill_9_of_the_daemon_interrupts_nothing(hello, cloud):
    """Requests go on while the daemon is away, and the log has every one of them, once, when it is back."""
    tasks = set(hello.tasks())
    with hello.load() as load:
        first = cloud.pid
        cloud.kill()
        away = now()
        wait_until(lambda: now() > away + 3, 10, 'three seconds without the daemon')
        cloud.up()
        back = now()
        assert cloud.pid != first
        wait_until(lambda: now() > back + 2, 10, 'two seconds with the new daemon')
    hello.ecs, hello.ec2, hello.elb = (cloud.client(name) for name in ('ecs', 'ec2', 'elbv2'))
    assert load.failures() == []
    during = [record for record in load.records if away < record.at < back]
    assert len(during) > 50, 'load while the daemon was away'
    assert set(hello.tasks()) == tasks, 'the tasks are the same ones'
    answered = set(load.answered())

    def complete():
        logged = numbers_in(hello.log_lines(since=load.records[0].at - 1))
        return logged if answered <= set(logged) else None
    logged = wait_until(complete, 30, 'the whole log')
    assert all(logged[number] == 1 for number in answered), 'a line twice'


def test_exit_missed_by_the_daemon_is_learnt(hello, cloud):
    victim = sorted(hello.tasks())[0]
    pid = hello.process_of(victim)
    cloud.kill()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not os.path.exists(f'/proc/{pid}'), 10, 'the end of the container')
    cloud.up()
    wait_until(lambda: victim not in hello.tasks() and len(hello.tasks()) == 2, 60, 'a replacement')
    stopped = hello.ecs.describe_tasks(cluster='hello', tasks=[victim])['tasks'][0]
    assert stopped['containers'][0]['exitCode'] == 137
    hello.wait_stable()


def test_plan_is_empty_after_a_restart_of_the_daemon(hello, cloud):
    """What the tests above changed is put back first; then the daemon is restarted, and nothing has drifted."""
    hello.terraform('apply', '-no-color', '-auto-approve')
    hello.wait_stable()
    cloud.kill()
    cloud.up()
    code, output = drift(hello)
    assert code == 0, output
    status, body = hello.get('/')
    assert status == 200 and 'Hello from the ground' in body, 'what the plan says is what is served'


def test_down_and_up_bring_the_system_back(hello, cloud):
    """The state stays; tasks come back as new tasks, at the same name."""
    old = set(hello.tasks())
    noted = traces.Traces(cloud.status())
    cloud.brume('down')
    assert noted.left(state_deleted=False) == []
    cloud.up()
    wait_until(lambda: hello.get()[0] == 200, 90, 'an answer after down and up', every=1)
    hello.wait_stable()
    assert not old & set(hello.tasks())
    assert hello.ecs.describe_tasks(cluster='hello', tasks=[min(old)])['tasks'][0]['lastStatus'] == 'STOPPED'


def test_destroy_leaves_nothing_active(hello, cloud):
    status = cloud.status()
    noted = traces.Traces(status)
    hello.terraform('destroy', '-no-color', '-auto-approve', speed=SPEED)
    after = cloud.status()
    assert [child for child in after['processes'] if child['running'] and
            child['id'].split('/')[0] in ('task', 'haproxy', 'nft')] == []
    assert {path.name for path in pathlib.Path(status['run'], 'netns').iterdir()} <= {'internet', 'host'}
    assert traces.mounts_with(f'{cloud.state}/containers') == []
    tasks = [path for path in traces.cgroups_of(status['id']) for path in pathlib.Path(path).iterdir() if path.is_dir()]
    assert tasks == []
    assert hello.ecs.list_tasks(cluster='hello')['taskArns'] == [] if hello.ecs.list_clusters()['clusterArns'] else True
    assert hello.elb.describe_load_balancers()['LoadBalancers'] == []
    assert [vpc for vpc in hello.ec2.describe_vpcs()['Vpcs'] if not vpc['IsDefault']] == []
    assert hello.ec2.describe_network_interfaces()['NetworkInterfaces'] == []
    assert hello.ec2.describe_addresses()['Addresses'] == []
    gone = noted.namespaces & traces.namespaces_held()
    internet = f'net:[{pathlib.Path(status["run"], "netns/internet").stat().st_ino}]'
    assert gone <= {internet}
