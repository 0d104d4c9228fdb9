"""EC2's networking by boto3 and the aws cli: what is made is described, filtered, paged, refused and deleted."""
import pytest
from botocore.exceptions import ClientError

from cloud import REGION

TCP_80 = {'IpProtocol': 'tcp', 'FromPort': 80, 'ToPort': 80}


@pytest.fixture(scope='module')
def ec2(cloud):
    return cloud.client('ec2')


@pytest.fixture
def vpc(ec2):
    made = ec2.create_vpc(CidrBlock='10.40.0.0/16', TagSpecifications=[
        {'ResourceType': 'vpc', 'Tags': [{'Key': 'Name', 'Value': 'tests'}]}])['Vpc']
    ec2.get_waiter('vpc_available').wait(VpcIds=[made['VpcId']], WaiterConfig={'Delay': 1})
    return made['VpcId']


def code_of(error):
    return error.value.response['Error']['Code']


def test_every_account_and_region_has_a_default_vpc(cloud, ec2):
    default = ec2.describe_vpcs(Filters=[{'Name': 'is-default', 'Values': ['true']}])['Vpcs']
    assert [each['CidrBlock'] for each in default] == ['172.31.0.0/16']
    subnets = ec2.describe_subnets(Filters=[{'Name': 'vpc-id', 'Values': [default[0]['VpcId']]}])['Subnets']
    assert sorted(each['AvailabilityZone'] for each in subnets) == [f'{REGION}{zone}' for zone in 'abc']
    assert all(each['MapPublicIpOnLaunch'] for each in subnets)
    elsewhere = cloud.client('ec2', region='us-west-2').describe_vpcs()['Vpcs']
    assert len(elsewhere) == 1 and elsewhere[0]['VpcId'] != default[0]['VpcId']
    another = cloud.client('ec2', key='111122223333').describe_vpcs()['Vpcs']
    assert another[0]['OwnerId'] == '111122223333' and another[0]['VpcId'] != default[0]['VpcId']


def test_vpc_from_parts_and_back(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock='10.40.1.0/24', AvailabilityZone=f'{REGION}a')['Subnet']
    assert subnet['AvailableIpAddressCount'] == 251
    gateway = ec2.create_internet_gateway()['InternetGateway']['InternetGatewayId']
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)['RouteTable']['RouteTableId']
    ec2.create_route(RouteTableId=table, DestinationCidrBlock='0.0.0.0/0', GatewayId=gateway)
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet['SubnetId'])['AssociationId']
    routes = ec2.describe_route_tables(RouteTableIds=[table])['RouteTables'][0]['Routes']
    assert {(route['DestinationCidrBlock'], route['GatewayId'], route['State']) for route in routes} == {
        ('10.40.0.0/16', 'local', 'active'), ('0.0.0.0/0', gateway, 'active')}
    address = ec2.allocate_address(Domain='vpc')
    nat = ec2.create_nat_gateway(SubnetId=subnet['SubnetId'], AllocationId=address['AllocationId'])['NatGateway']
    ec2.get_waiter('nat_gateway_available').wait(NatGatewayIds=[nat['NatGatewayId']], WaiterConfig={'Delay': 1})
    described = ec2.describe_nat_gateways(NatGatewayIds=[nat['NatGatewayId']])['NatGateways'][0]
    assert described['NatGatewayAddresses'][0]['PublicIp'] == address['PublicIp']

    with pytest.raises(ClientError) as refused:
        ec2.delete_vpc(VpcId=vpc)
    assert code_of(refused) == 'DependencyViolation'
    ec2.delete_nat_gateway(NatGatewayId=nat['NatGatewayId'])
    ec2.get_waiter('nat_gateway_deleted').wait(NatGatewayIds=[nat['NatGatewayId']], WaiterConfig={'Delay': 1})
    ec2.release_address(AllocationId=address['AllocationId'])
    ec2.disassociate_route_table(AssociationId=association)
    ec2.delete_route_table(RouteTableId=table)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_subnet(SubnetId=subnet['SubnetId'])
    ec2.delete_vpc(VpcId=vpc)
    with pytest.raises(ClientError) as gone:
        ec2.describe_vpcs(VpcIds=[vpc])
    assert code_of(gone) == 'InvalidVpcID.NotFound'


def test_rules_in_both_styles(ec2, vpc):
    """IpPermissions and single rules are two views of the same rules."""
    group = ec2.create_security_group(GroupName='both', Description='both styles', VpcId=vpc)['GroupId']
    other = ec2.create_security_group(GroupName='other', Description='referenced', VpcId=vpc)['GroupId']
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {**TCP_80, 'IpRanges': [{'CidrIp': '10.0.0.0/8', 'Description': 'inside'}],
         'UserIdGroupPairs': [{'GroupId': other}]}])['SecurityGroupRules']
    assert len(made) == 2
    with pytest.raises(ClientError) as twice:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {**TCP_80, 'IpRanges': [{'CidrIp': '10.0.0.0/8'}]}])
    assert code_of(twice) == 'InvalidPermission.Duplicate'
    by_range = next(rule for rule in made if 'CidrIpv4' in rule)
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[
        {'SecurityGroupRuleId': by_range['SecurityGroupRuleId'],
         'SecurityGroupRule': {**{'IpProtocol': 'tcp', 'FromPort': 443, 'ToPort': 443}, 'CidrIpv4': '10.1.0.0/16'}}])
    permissions = ec2.describe_security_groups(GroupIds=[group])['SecurityGroups'][0]['IpPermissions']
    assert {(each['FromPort'], len(each['IpRanges']), len(each['UserIdGroupPairs'])) for each in permissions} == {
        (443, 1, 0), (80, 0, 1)}
    with pytest.raises(ClientError) as referenced:
        ec2.delete_security_group(GroupId=other)
    assert code_of(referenced) == 'DependencyViolation'
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[
        rule['SecurityGroupRuleId'] for rule in made if 'ReferencedGroupInfo' in rule])
    ec2.delete_security_group(GroupId=other)


def test_filters_tags_and_pages(ec2, vpc):
    for number in range(12):
        ec2.create_security_group(GroupName=f'page-{number:02}', Description='one of many', VpcId=vpc, TagSpecifications=[
            {'ResourceType': 'security-group', 'Tags': [{'Key': 'parity', 'Value': 'odd' if number % 2 else 'even'}]}])
    mine = [{'Name': 'vpc-id', 'Values': [vpc]}, {'Name': 'group-name', 'Values': ['page-*']}]
    pages = list(ec2.get_paginator('describe_security_groups').paginate(Filters=mine, PaginationConfig={'PageSize': 5}))
    names = [group['GroupName'] for page in pages for group in page['SecurityGroups']]
    assert len(pages) == 3 and sorted(names) == [f'page-{number:02}' for number in range(12)]
    odd = ec2.describe_security_groups(Filters=mine + [{'Name': 'tag:parity', 'Values': ['odd']}])['SecurityGroups']
    assert len(odd) == 6
    with pytest.raises(ClientError) as unknown:
        ec2.describe_security_groups(Filters=[{'Name': 'no-such-filter', 'Values': ['x']}])
    assert code_of(unknown) == 'InvalidParameterValue'


def test_overlapping_vpcs_live_side_by_side(cloud, ec2):
    made = [ec2.create_vpc(CidrBlock='10.66.0.0/16')['Vpc']['VpcId'] for _ in range(2)]
    for vpc in made:
        ec2.create_subnet(VpcId=vpc, CidrBlock='10.66.1.0/24')
    assert cloud.status()['problems'] == []
    with pytest.raises(ClientError) as conflict:
        ec2.create_subnet(VpcId=made[0], CidrBlock='10.66.1.128/25')
    assert code_of(conflict) == 'InvalidSubnet.Conflict'


def test_aws_cli_reads_the_same(cloud, vpc):
    vpcs = cloud.aws('ec2', 'describe-vpcs', '--vpc-ids', vpc)['Vpcs']
    assert vpcs[0]['CidrBlock'] == '10.40.0.0/16'
    zones = cloud.aws('ec2', 'describe-availability-zones')['AvailabilityZones']
    assert [zone['ZoneName'] for zone in zones] == [f'{REGION}{letter}' for letter in 'abc']
    missing = cloud.aws('ec2', 'describe-subnets', '--subnet-ids', 'subnet-00000000000000000', check=False)
    assert 'InvalidSubnetID.NotFound' in missing.stderr


def test_operation_that_is_not_served_is_refused_by_name(cloud, ec2):
    with pytest.raises(ClientError) as refused:
        ec2.run_instances(ImageId='ami-00000000', MinCount=1, MaxCount=1)
    answer = refused.value.response
    assert answer['ResponseMetadata']['HTTPStatusCode'] == 501 and answer['Error']['Code'] == 'InvalidAction'
    assert 'RunInstances' in answer['Error']['Message']
    assert answer['ResponseMetadata']['RetryAttempts'] == 0
    counted = {each['operation']: each['count'] for each in cloud.status()['refused']}
    assert counted.get('ec2:RunInstances') == 1
