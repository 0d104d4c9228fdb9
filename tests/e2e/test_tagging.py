"""Resource Groups Tagging API: what is tagged anywhere is found, tagged and untagged in one place, in both protocols."""
import json

import pytest
from botocore.exceptions import ClientError

import raw

REGION = 'eu-west-1'
ACCOUNT = '000000000000'
TAGS = {'team': 'north', 'stage': 'test'}
LIST = [{'Key': key, 'Value': value} for key, value in TAGS.items()]


def found(tagging, **filters):
    pages = tagging.get_paginator('get_resources').paginate(**filters)
    return {each['ResourceARN']: {tag['Key']: tag['Value'] for tag in each['Tags']}
            for page in pages for each in page['ResourceTagMappingList']}


@pytest.fixture(scope='module')
def tagging(cloud):
    return cloud.client('resourcegroupstaggingapi')


@pytest.fixture(scope='module')
def tagged(cloud):
    """One tagged resource of every served service, by its ARN."""
    client = cloud.client
    ec2, elbv2 = client('ec2'), client('elbv2')
    vpc = ec2.create_vpc(CidrBlock='10.9.0.0/16', TagSpecifications=[{'ResourceType': 'vpc', 'Tags': LIST}])['Vpc']['VpcId']
    group = elbv2.create_target_group(Name='tagged', Protocol='HTTP', Port=80, VpcId=vpc, TargetType='ip',
                                      Tags=LIST)['TargetGroups'][0]['TargetGroupArn']
    lower = [{'key': key, 'value': value} for key, value in TAGS.items()]
    cluster = client('ecs').create_cluster(clusterName='tagged', tags=lower)['cluster']['clusterArn']
    repository = client('ecr').create_repository(repositoryName='tagged', tags=LIST)['repository']['repositoryArn']
    client('logs').create_log_group(logGroupName='/tagged', tags=TAGS)
    s3 = client('s3')
    s3.create_bucket(Bucket='tagged-bucket', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_bucket_tagging(Bucket='tagged-bucket', Tagging={'TagSet': LIST})
    table = client('dynamodb').create_table(
        TableName='tagged', BillingMode='PAY_PER_REQUEST', Tags=LIST, KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
        AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}])['TableDescription']['TableArn']
    s3.create_bucket(Bucket='trail-bucket', CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.put_bucket_policy(Bucket='trail-bucket', Policy=json.dumps({'Version': '2012-10-17', 'Statement': [
        {'Effect': 'Allow', 'Principal': {'Service': 'cloudtrail.amazonaws.com'}, 'Action': ['s3:GetBucketAcl', 's3:PutObject'],
         'Resource': ['arn:aws:s3:::trail-bucket', 'arn:aws:s3:::trail-bucket/*']}]}))
    trail = client('cloudtrail').create_trail(Name='tagged', S3BucketName='trail-bucket', TagsList=LIST)['TrailARN']
    return {'ec2': f'arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/{vpc}', 'elasticloadbalancing': group, 'ecs': cluster,
            'ecr': repository, 'logs': f'arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/tagged',
            's3': 'arn:aws:s3:::tagged-bucket', 'dynamodb': table, 'cloudtrail': trail}


def test_what_every_service_tagged_is_found(tagging, tagged):
    assert found(tagging) == {arn: TAGS for arn in tagged.values()}
    for service, arn in tagged.items():
        assert set(found(tagging, ResourceTypeFilters=[service])) == {arn}


def test_filters_are_of_keys_values_and_types(tagging, tagged):
    everything = set(tagged.values())
    assert set(found(tagging, TagFilters=[{'Key': 'team'}])) == everything
    assert set(found(tagging, TagFilters=[{'Key': 'team', 'Values': ['south', 'north']}])) == everything
    assert found(tagging, TagFilters=[{'Key': 'team', 'Values': ['south']}]) == {}
    assert found(tagging, TagFilters=[{'Key': 'team'}, {'Key': 'other'}]) == {}
    for kind, service in (('ec2:vpc', 'ec2'), ('s3:bucket', 's3'), ('elasticloadbalancing:targetgroup', 'elasticloadbalancing'),
                          ('dynamodb:table', 'dynamodb'), ('logs:log-group', 'logs')):
        assert set(found(tagging, ResourceTypeFilters=[kind])) == {tagged[service]}
    assert found(tagging, ResourceTypeFilters=['ec2:subnet']) == {}
    only = tagging.get_resources(ResourceARNList=[tagged['s3'], 'arn:aws:s3:::none'])
    assert [each['ResourceARN'] for each in only['ResourceTagMappingList']] == [tagged['s3']]
    assert tagging.get_tag_keys()['TagKeys'] == ['stage', 'team']
    assert tagging.get_tag_values(Key='team')['TagValues'] == ['north']


def test_pages_and_compliance(tagging, tagged):
    first = tagging.get_resources(ResourcesPerPage=3)
    second = tagging.get_resources(ResourcesPerPage=100, PaginationToken=first['PaginationToken'])
    arns = [each['ResourceARN'] for page in (first, second) for each in page['ResourceTagMappingList']]
    assert len(first['ResourceTagMappingList']) == 3 and sorted(arns) == sorted(tagged.values())
    assert second['PaginationToken'] == ''
    details = tagging.get_resources(IncludeComplianceDetails=True)['ResourceTagMappingList'][0]['ComplianceDetails']
    assert details['ComplianceStatus'] is True
    nothing = tagging.get_resources(IncludeComplianceDetails=True, ExcludeCompliantResources=True)
    assert nothing['ResourceTagMappingList'] == []
    for wrong in ({'ResourcesPerPage': 0}, {'TagsPerPage': 10}, {'ExcludeCompliantResources': True},
                  {'ResourceARNList': [tagged['s3']], 'TagFilters': [{'Key': 'team'}]}):
        with pytest.raises(ClientError, match='InvalidParameterException'):
            tagging.get_resources(**wrong)
    with pytest.raises(ClientError, match='PaginationTokenExpiredException'):
        tagging.get_resources(PaginationToken='forged')


def test_resources_are_tagged_and_untagged_by_their_services(cloud, tagging, tagged):
    unknown = f'arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-00000000000000000'
    other = f'arn:aws:quantum:{REGION}:{ACCOUNT}:qubit/1'
    failed = tagging.tag_resources(ResourceARNList=[*tagged.values(), unknown, other], Tags={'extra': '1'})['FailedResourcesMap']
    assert set(failed) == {unknown, other}
    assert failed[unknown]['ErrorCode'] == 'InvalidParameterException' and failed[other]['StatusCode'] == 404
    assert found(tagging, TagFilters=[{'Key': 'extra', 'Values': ['1']}]) == {
        arn: {**TAGS, 'extra': '1'} for arn in tagged.values()}
    assert {'Key': 'extra', 'Value': '1'} in cloud.client('s3').get_bucket_tagging(Bucket='tagged-bucket')['TagSet']
    assert cloud.client('logs').list_tags_for_resource(resourceArn=tagged['logs'])['tags']['extra'] == '1'
    assert tagging.untag_resources(ResourceARNList=list(tagged.values()), TagKeys=['extra']).get('FailedResourcesMap') == {}
    assert found(tagging) == {arn: TAGS for arn in tagged.values()}
    with pytest.raises(ClientError, match='InvalidParameterException'):
        tagging.tag_resources(ResourceARNList=[tagged['s3']], Tags={'aws:mine': '1'})


def test_iam_resources_are_in_us_east_1(cloud, tagging):
    iam = cloud.client('iam')
    document = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]})
    arn = iam.create_policy(PolicyName='tagged', PolicyDocument=document, Tags=[{'Key': 'who', 'Value': 'iam'}])['Policy']['Arn']
    assert found(tagging, TagFilters=[{'Key': 'who'}]) == {}
    global_tagging = cloud.client('resourcegroupstaggingapi', region='us-east-1')
    assert found(global_tagging, ResourceTypeFilters=['iam:policy']) == {arn: {'who': 'iam'}}
    global_tagging.tag_resources(ResourceARNList=[arn], Tags={'more': '2'})
    assert {'Key': 'more', 'Value': '2'} in iam.list_policy_tags(PolicyArn=arn)['Tags']


def test_the_services_own_permission_is_asked_for(cloud, tagging, tagged):
    iam = cloud.client('iam')
    iam.create_user(UserName='tagger')
    key = iam.create_access_key(UserName='tagger')['AccessKey']
    iam.put_user_policy(UserName='tagger', PolicyName='p', PolicyDocument=json.dumps({
        'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': ['tag:*', 's3:PutBucketTagging'], 'Resource': '*'}]}))
    mine = cloud.client('resourcegroupstaggingapi', key=key['AccessKeyId'], secret=key['SecretAccessKey'])
    failed = mine.tag_resources(ResourceARNList=[tagged['s3'], tagged['ec2']], Tags={'by': 'tagger'})['FailedResourcesMap']
    assert set(failed) == {tagged['ec2']} and 'ec2:CreateTags' in failed[tagged['ec2']]['ErrorMessage']
    assert set(found(tagging, TagFilters=[{'Key': 'by'}])) == {tagged['s3']}
    tagging.untag_resources(ResourceARNList=[tagged['s3']], TagKeys=['by'])


def test_json_and_cbor_are_served_and_the_rest_is_refused_by_name(cloud, tagging, tagged):
    # boto3 speaks CBOR; the command line of Debian and raw.py speak JSON.
    assert tagging.meta.service_model.metadata['protocol'] == 'smithy-rpc-v2-cbor'
    headers = raw.json_headers('ResourceGroupsTaggingAPI_20170126.GetTagKeys')
    answer = raw.ask(cloud.port, raw.signed('tagging', body=b'{}', headers=headers))
    assert answer.status == 200 and json.loads(answer.body)['TagKeys'] == ['stage', 'team']
    assert 'content-type: application/x-amz-json-1.1' in answer.head.lower()
    listed = cloud.aws('resourcegroupstaggingapi', 'get-resources', '--tag-filters', 'Key=team,Values=north')
    assert {each['ResourceARN'] for each in listed['ResourceTagMappingList']} == set(tagged.values())
    with pytest.raises(ClientError, match='Brume does not serve the operation') as refused:
        cloud.client('resourcegroupstaggingapi', retries={'max_attempts': 1}).start_report_creation(S3Bucket='tagged-bucket')
    assert refused.value.response['ResponseMetadata']['HTTPStatusCode'] == 501
