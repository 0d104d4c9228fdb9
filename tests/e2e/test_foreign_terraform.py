"""Terraform as the community's modules write it (foreign/): applied, changed in place, replaced, destroyed, with a clean
plan after each. What the plan asserts is looked at from the outside too: by a packet, an answer, a file."""
import collections
import gzip
import http.client
import json

import pytest

from cloud import REGION
from foreign import Foreign
from waiting import wait_until

LATER = {'stage': 2, 'environment': 'later', 'weights': {'blue': 0, 'green': 3}, 'stickiness': True,
         'partners': ['203.0.113.0/24']}


@pytest.fixture(scope='module')
def foreign(cloud):
    system = Foreign(cloud)
    assert system.deploy()['added'] > 60
    return system


def flow_records(foreign, interface):
    """The VPC's flow log of an interface, as dicts by AWS's default fields."""
    names = ('version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action '
             'log-status').split()
    pages = foreign.logs.get_paginator('filter_log_events').paginate(
        logGroupName=foreign.outputs['flow_group'], logStreamNamePrefix=interface)
    return [dict(zip(names, event['message'].split(' '))) for page in pages for event in page['events']]


def test_plan_is_clean_and_services_are_made_of_parts(foreign):
    foreign.wait_stable()
    assert foreign.drift() == ''
    # The main container began when the others had done their part: what they wrote is there.
    assert foreign.asked('file', path='/shared/prepared') == 'by prepare'
    assert foreign.asked('env', name='STAGE') == '1'
    containers = {each['name']: each for each in foreign.tasks()['blue']['containers']}
    assert containers['prepare']['exitCode'] == 0 and containers['complete']['exitCode'] == 1
    assert containers['sidecar']['healthStatus'] == 'HEALTHY' and containers['web']['lastStatus'] == 'RUNNING'
    # A task's own tmpfs and volume are not the other containers': /scratch is the sidecar's.
    assert foreign.asked('file', path='/scratch/alive') == 'absent'
    # IPv6 is off: no interface but the loopback one has an address of it.
    assert {line.split()[-1] for line in foreign.asked('file', path='/proc/net/if_inet6').splitlines()} <= {'lo'}
    assert 'eth' in foreign.asked('file', path='/proc/net/dev')
    # Names that Terraform makes of prefixes are the ones that answer.
    assert '://fgn-' in foreign.outputs['url'] and foreign.outputs['flow_group'].startswith('/vpc/foreign-')


def test_rules_need_all_their_conditions(foreign):
    example = 'Host: www.example.com'
    assert foreign.get('/hello', example)[::2] == (200, 'first')
    assert foreign.get('/hello', example, method='HEAD')[0] == 200
    for path, *more in (['/hello'], ['/helloo', example]):
        assert foreign.get(path, *more)[::2] == (404, 'nothing here'), path
    assert foreign.get('/hello', example, method='POST')[0] == 404
    assert foreign.get('/secret', 'X-Asked-By: tester')[::2] == (403, 'not from here')
    assert foreign.get('/secret', 'X-Asked-By: user')[0] == 404
    status, headers, _ = foreign.get('/moved/a/b?v=1&w=2')
    assert status == 302
    assert headers['location'].endswith('/new/moved/a/b?from=v=1&w=2'), headers
    assert foreign.get('/moved/a/b?v=2')[0] == 404
    status, headers, _ = foreign.get('/any', port=8080)
    assert status == 301 and ':80/any' in headers['location']


def test_weights_share_the_requests(foreign):
    answered = collections.Counter(foreign.get('/app')[2].splitlines()[0] for _ in range(16))
    assert set(answered) == {'blue', 'green'} and sum(answered.values()) == 16


def test_relay_from_the_host_finds_any_listener(foreign):
    """By name the listener on port 80; by number before the name another one."""
    name = foreign.elb.describe_load_balancers()['LoadBalancers'][0]['LoadBalancerName']
    for host, expected in ((f'{name}.elb.localhost', 404), (f'8080.{name}.elb.localhost', 301),
                           (f'81.{name}.elb.localhost', 503)):
        connection = http.client.HTTPConnection('127.0.0.1', foreign.cloud.port, timeout=10)
        connection.request('GET', '/', headers={'Host': host})
        assert connection.getresponse().status == expected, host
        connection.close()


def test_private_subnets_leave_by_their_lists_and_gateways(foreign):
    assert foreign.fetch('checkip.amazonaws.com') == (200, foreign.outputs['nat_address'] + '\n')
    # Of AWS's own lists, in rules of the service's group: without them its egress would not reach S3.
    listed = foreign.ec2.describe_prefix_lists()['PrefixLists']
    assert {each['PrefixListName'] for each in listed} == {f'com.amazonaws.{REGION}.{name}' for name in ('s3', 'dynamodb')}


def test_gateway_endpoints_are_the_way_to_their_services(foreign):
    """With the default routes gone S3 and DynamoDB are still there, and nothing else; without the endpoint S3 is not.
    The endpoint's policy decides over the root's own signature."""
    for key in ('open/file', 'denied/file', 'closed/file'):
        foreign.s3.put_object(Bucket=foreign.outputs['buckets']['data'], Key=key, Body=b'x')
    assert foreign.object_status('open/file') == 200
    assert foreign.object_status('denied/file') == 403
    assert foreign.object_status('closed/file') == 200
    dynamodb = f'dynamodb.{REGION}.amazonaws.com'
    lists = {table: [route for route in foreign.ec2.describe_route_tables(RouteTableIds=[table])['RouteTables'][0]['Routes']
                     if 'NatGatewayId' in route] for table in foreign.outputs['private_route_tables']}
    for table, routes in lists.items():
        for route in routes:
            destination = {key: route[key] for key in ('DestinationCidrBlock', 'DestinationPrefixListId') if key in route}
            foreign.ec2.delete_route(RouteTableId=table, **destination)
    assert foreign.fetch('checkip.amazonaws.com')[0] == 0
    assert foreign.fetch(f'sts.{REGION}.amazonaws.com')[0] == 0
    assert foreign.object_status('open/file') == 200
    assert foreign.fetch(dynamodb)[0] > 0
    endpoint, tables = foreign.outputs['endpoints']['s3'], foreign.outputs['private_route_tables']
    foreign.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveRouteTableIds=tables)
    assert foreign.object_status('open/file') == 0
    assert foreign.fetch(dynamodb)[0] > 0
    foreign.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=tables)
    assert foreign.object_status('open/file') == 200


@pytest.fixture
def straight(foreign):
    """A path of the load balancer's that leads to port 8001 of the green service; made beside Terraform's own."""
    balancer = foreign.elb.describe_load_balancers(LoadBalancerArns=[foreign.outputs['balancer_arn']])['LoadBalancers'][0]
    group = foreign.elb.create_target_group(
        Name='straight', Protocol='HTTP', Port=8001, VpcId=balancer['VpcId'], TargetType='ip',
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2)['TargetGroups'][0]['TargetGroupArn']
    listener = next(each['ListenerArn'] for each in foreign.elb.describe_listeners(
        LoadBalancerArn=balancer['LoadBalancerArn'])['Listeners'] if each['Port'] == 8080)
    rule = foreign.elb.create_rule(
        ListenerArn=listener, Priority=1, Conditions=[{'Field': 'path-pattern', 'Values': ['/straight']}],
        Actions=[{'Type': 'forward', 'TargetGroupArn': group}])['Rules'][0]['RuleArn']
    foreign.elb.register_targets(TargetGroupArn=group, Targets=[{'Id': foreign.place('green')[0], 'Port': 8001}])

    def health():
        described = foreign.elb.describe_target_health(TargetGroupArn=group)['TargetHealthDescriptions']
        return [each['TargetHealth']['State'] for each in described]
    yield health
    foreign.elb.delete_rule(RuleArn=rule)
    foreign.elb.delete_target_group(TargetGroupArn=group)


def test_acl_denies_what_the_groups_let_through(foreign, straight):
    """From the public subnets to the private ones 8000 and 8001 may go by the groups, 8001 not by the ACL."""
    wait_until(lambda: straight() == ['unhealthy'], 60, 'checks that nobody answers', every=0.5)
    # Asked all the same, since it has no healthy one; 502, where AWS says 504 (src/services/elbv2/README.md).
    assert foreign.get('/straight', port=8080, seconds=30)[0] == 502
    entry = dict(NetworkAclId=foreign.outputs['acl'], RuleNumber=90, Egress=False, Protocol='6', CidrBlock='0.0.0.0/0')
    foreign.ec2.replace_network_acl_entry(**entry, RuleAction='allow', PortRange={'From': 8001, 'To': 8001})
    wait_until(lambda: straight() == ['healthy'], 60, 'the way is open', every=0.5)
    status, _, body = foreign.get('/straight', port=8080)
    assert status == 200 and body.startswith('green')
    foreign.ec2.replace_network_acl_entry(**entry, RuleAction='deny', PortRange={'From': 8001, 'To': 8001})


def test_secondary_block_is_the_same_vpc(foreign):
    """A task in a subnet of the secondary block, which the others reach by the local route. Who may is for the VPC's
    default group to say, which was adopted and emptied."""
    subnet, = foreign.outputs['intra_subnets']
    group, default = (foreign.outputs['groups'][name] for name in ('service', 'default'))
    # To pull its image it needs a way out; Terraform's own subnet has none.
    way = foreign.ec2.associate_route_table(RouteTableId=foreign.outputs['public_route_table'], SubnetId=subnet)
    rules = [{'IpProtocol': 'tcp', 'FromPort': 8000, 'ToPort': 8000, 'IpRanges': [{'CidrIp': '10.21.1.0/24'}]}]
    peers = [{'IpProtocol': 'tcp', 'FromPort': 8000, 'ToPort': 8000, 'UserIdGroupPairs': [{'GroupId': group}]}]
    foreign.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=rules)
    try:
        with foreign.beside(subnet, [group, default]) as (address, _):
            assert address.startswith('10.21.1.')
            assert foreign.fetch(address, '/', 8000)[0] == 0, 'no group lets this through yet'
            foreign.ec2.authorize_security_group_ingress(GroupId=default, IpPermissions=peers)
            wait_until(lambda: foreign.fetch(address, '/', 8000)[0] == 200, 20, 'the answer')
            foreign.ec2.revoke_security_group_ingress(GroupId=default, IpPermissions=peers)
            wait_until(lambda: foreign.fetch(address, '/', 8000)[0] == 0, 20, 'the end of it')
    finally:
        foreign.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rules)
        foreign.ec2.disassociate_route_table(AssociationId=way['AssociationId'])


def test_adopted_default_vpc_is_the_one_that_is_used(foreign):
    """Tasks in its subnet get out and have its default group: they reach one another, and nobody else reaches them."""
    vpc, subnet = foreign.outputs['default_vpc'], foreign.outputs['default_subnet']
    group, = foreign.ec2.describe_security_groups(Filters=[
        {'Name': 'vpc-id', 'Values': [vpc]}, {'Name': 'group-name', 'Values': ['default']}])['SecurityGroups']
    tests = {'GroupId': group['GroupId'], 'IpPermissions': [
        {'IpProtocol': 'tcp', 'FromPort': 8000, 'ToPort': 8000, 'IpRanges': [{'CidrIp': '198.18.0.0/15'}]}]}
    members = {'GroupId': group['GroupId'], 'IpPermissions': [
        {'IpProtocol': '-1', 'UserIdGroupPairs': [{'GroupId': group['GroupId']}]}]}

    def asked(public, path):
        return foreign.cloud.exec('curl', '--silent', '--max-time', 10, f'http://{public}:8000{path}', check=False).stdout
    with foreign.beside(subnet) as (_, public), foreign.beside(subnet) as (other, _):
        assert asked(public, '/') == '', 'not for strangers'
        foreign.ec2.authorize_security_group_ingress(**tests)
        try:
            wait_until(lambda: asked(public, '/').startswith('green'), 20, 'an answer to the tests')
            of_other = f'/fetch?host={other}&port=8000&path=%2F'
            assert asked(public, of_other).startswith('200 ')
            foreign.ec2.revoke_security_group_ingress(**members)
            wait_until(lambda: asked(public, of_other).startswith('0 '), 20, 'the end of the members\' way')
            foreign.ec2.authorize_security_group_ingress(**members)
            wait_until(lambda: asked(public, of_other).startswith('200 '), 20, 'the members\' way')
        finally:
            foreign.ec2.revoke_security_group_ingress(**tests)


def test_peers_come_by_a_list(foreign):
    """Peers of the services are in a prefix list of the system's own."""
    address = foreign.place('green')[0]
    assert foreign.fetch(address, '/', 8000)[0] == 0, 'no peer is listed yet'
    block = foreign.place('blue')[0] + '/32'
    listed = foreign.ec2.get_managed_prefix_list_entries(PrefixListId=foreign.outputs['peers_list'])['Entries']
    assert [each['Cidr'] for each in listed] == ['192.0.2.0/24']
    changed = foreign.apply(peers={'192.0.2.0/24': 'nobody', block: 'blue'})
    # The list and, healed, the routes that the test before deleted.
    assert changed == {'added': 4, 'changed': 1, 'destroyed': 0}
    assert foreign.fetch(address, '/', 8000)[0] == 200


def test_flow_logs_tell_what_the_packets_did(foreign):
    """ACCEPT and REJECT in AWS's default format in CloudWatch Logs; rejected ones in a format of our own in S3."""
    interface, subnet = foreign.place('green')[1:]
    own = foreign.place('blue')[0]
    # Port 22 is in no group's rules.
    foreign.ec2.authorize_security_group_egress(GroupId=foreign.outputs['groups']['service'], IpPermissions=[
        {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '10.20.0.0/16'}]}])
    address = foreign.place('green')[0]
    assert foreign.fetch(address, '/', 8000)[0] == 200
    assert foreign.fetch(address, '/', 22)[0] == 0
    foreign.ec2.revoke_security_group_egress(GroupId=foreign.outputs['groups']['service'], IpPermissions=[
        {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '10.20.0.0/16'}]}])

    def told():
        records = flow_records(foreign, interface)
        rejected = [each for each in records if each['action'] == 'REJECT' and each['dstport'] == '22']
        accepted = [each for each in records if each['action'] == 'ACCEPT' and each['dstport'] == '8000' and
                    each['srcaddr'] == own]
        return (accepted, rejected) if accepted and rejected else None
    accepted, rejected = wait_until(told, 60, 'the flow log', every=1)
    assert all(each['srcaddr'] == own and each['dstaddr'] == address and each['protocol'] == '6' for each in rejected)
    assert int(accepted[-1]['packets']) >= 3 and int(accepted[-1]['bytes']) > 150
    assert all(each['log-status'] == 'OK' and each['version'] == '2' for each in accepted + rejected)
    # The sender's side was let out.
    mine = flow_records(foreign, foreign.place('blue')[1])
    assert any(each['dstport'] == '22' and each['action'] == 'ACCEPT' for each in mine)
    assert not any(each['dstport'] == '22' and each['action'] == 'REJECT' for each in mine)
    bucket = foreign.outputs['buckets']['flows']

    def refused():
        keys = [each['Key'] for each in foreign.s3.list_objects_v2(Bucket=bucket).get('Contents', [])]
        assert all(key.startswith('refused/AWSLogs/aws-account-id=000000000000/aws-service=vpcflowlogs/') and '/hour=' in key
                   for key in keys)
        lines = [line for key in keys for line in gzip.decompress(
            foreign.s3.get_object(Bucket=bucket, Key=key)['Body'].read()).decode().splitlines()]
        return [line for line in lines if line == f'5 {interface} ingress {own} 22 REJECT 2 {subnet}'] and lines
    lines = wait_until(refused, 60, 'the objects', every=1)
    assert 'version interface-id flow-direction srcaddr dstport action tcp-flags subnet-id' in lines
    assert not any('ACCEPT' in line for line in lines)


def test_tags_alone_change_in_place(foreign):
    """A default tag is everybody's: every taggable resource changes and none is replaced; tasks go on."""
    tasks = {name: task['taskArn'] for name, task in foreign.tasks().items()}
    block = foreign.place('blue')[0] + '/32'
    changed = foreign.apply(peers={'192.0.2.0/24': 'nobody', block: 'blue'}, environment='second')
    assert changed['added'] == changed['destroyed'] == 0 and changed['changed'] > 40
    assert foreign.drift() == ''
    tagged = foreign.ec2.describe_tags(Filters=[{'Name': 'tag:Environment', 'Values': ['second']}])['Tags']
    assert {each['ResourceType'] for each in tagged} >= {
        'vpc', 'subnet', 'route-table', 'security-group', 'security-group-rule', 'network-acl', 'vpc-endpoint',
        'vpc-flow-log', 'prefix-list', 'natgateway', 'elastic-ip', 'internet-gateway'}
    assert {name: task['taskArn'] for name, task in foreign.tasks().items()} == tasks


def test_changes_and_replacements(foreign):
    old_groups, old_targets = foreign.outputs['groups'], foreign.outputs['target_groups']
    changed = foreign.apply(**LATER)
    assert changed['added'] >= 5 and changed['changed'] >= 10 and changed['destroyed'] >= 5
    assert foreign.outputs['groups']['balancer'] != old_groups['balancer'], 'its description changed: another group'
    assert foreign.outputs['target_groups']['blue'] != old_targets['blue']
    assert foreign.outputs['target_groups']['green'] == old_targets['green']
    foreign.wait_stable()
    assert foreign.drift() == ''
    assert foreign.get('/hello', 'Host: www.example.com')[::2] == (202, 'later')
    assert foreign.asked('env', name='STAGE') == '2'
    answers = [foreign.get('/app') for _ in range(8)]
    assert {body.splitlines()[0] for _, _, body in answers} == {'green'}, 'a weight of zero'
    assert 'AWSALBTG' in answers[0][1]['set-cookie'], 'stickiness among groups'
    # The endpoint's policy denies the other prefix now.
    assert [foreign.object_status(f'{name}/file') for name in ('open', 'denied', 'closed')] == [200, 200, 403]
    # The list of partners has lost the endpoints' addresses: the default route leads there still.
    assert foreign.fetch('checkip.amazonaws.com')[0] == 200
    group = foreign.ec2.describe_security_groups(GroupIds=[foreign.outputs['groups']['default']])['SecurityGroups'][0]
    assert [each['FromPort'] for each in group['IpPermissions']] == [443]


def test_destroy_leaves_nothing(foreign):
    foreign.terraform('destroy', '-no-color', '-auto-approve')
    assert [vpc for vpc in foreign.ec2.describe_vpcs()['Vpcs'] if not vpc['IsDefault']] == []
    assert foreign.ec2.describe_vpc_endpoints()['VpcEndpoints'] == []
    assert foreign.ec2.describe_flow_logs()['FlowLogs'] == []
    assert foreign.ec2.describe_network_interfaces()['NetworkInterfaces'] == []
    assert [each for each in foreign.ec2.describe_managed_prefix_lists()['PrefixLists'] if each['OwnerId'] != 'AWS'] == []
    assert foreign.elb.describe_load_balancers()['LoadBalancers'] == []
    assert foreign.elb.describe_target_groups()['TargetGroups'] == []
    assert json.loads(foreign.cloud.brume('status', '--json').stdout)['problems'] == []
