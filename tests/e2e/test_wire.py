"""What every answer carries: the request's id under the service's own header names and in the document, content types,
dates; and how each protocol words a value that breaks the model."""
import email.utils
import json
import re

import pytest

import raw

FORM = raw.FORM
UUID = r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
TAGGING = 'ResourceGroupsTaggingAPI_20170126.'

# service, request, content type of a success and of an error, the pattern of the id in a document
FAMILIES = {
    'sts': (dict(body=raw.query('GetCallerIdentity', '2011-06-15'), headers=FORM),
            dict(body=raw.query('GetNothing', '2011-06-15'), headers=FORM), 'text/xml', 'text/xml', '<RequestId>(.*?)</RequestId>'),
    'ec2': (dict(body=raw.query('DescribeVpcs', '2016-11-15'), headers=FORM),
            dict(body=raw.query('DeleteVpc', '2016-11-15', VpcId='vpc-00000000'), headers=FORM),
            'text/xml;charset=UTF-8', 'text/xml;charset=UTF-8', '<(?:requestId|RequestID)>(.*?)</'),
    'ecs': (dict(body=b'{}', headers=raw.json_headers('AmazonEC2ContainerServiceV20141113.ListClusters')),
            dict(body=b'{"cluster":"none"}', headers=raw.json_headers('AmazonEC2ContainerServiceV20141113.ListTasks')),
            'application/x-amz-json-1.1', 'application/x-amz-json-1.1', None),
    'dynamodb': (dict(body=b'{}', headers=raw.json_headers('DynamoDB_20120810.ListTables', '1.0')),
                 dict(body=b'{"TableName":"none"}', headers=raw.json_headers('DynamoDB_20120810.DescribeTable', '1.0')),
                 'application/x-amz-json-1.0', 'application/x-amz-json-1.0', None),
    'tagging': (dict(path='/service/ResourceGroupsTaggingAPI_20170126/operation/GetTagKeys', body=b'\xa0',
                     headers={'Content-Type': 'application/cbor', 'Smithy-Protocol': 'rpc-v2-cbor'}),
                dict(path='/service/ResourceGroupsTaggingAPI_20170126/operation/GetTagValues', body=b'\xa0',
                     headers={'Content-Type': 'application/cbor', 'Smithy-Protocol': 'rpc-v2-cbor'}),
                'application/cbor', 'application/cbor', None),
    's3': (dict(method='GET'), dict(method='GET', path='/no-such-bucket-anywhere'), 'application/xml', 'application/xml',
           '<RequestId>(.*?)</RequestId>'),
}


def headers_of(answer):
    return {name.lower(): value for name, value in (line.split(': ', 1) for line in answer.head.strip().split('\r\n')[1:])}


@pytest.mark.parametrize('service', FAMILIES)
def test_ids_types_and_dates(cloud, service):
    good, bad, *types, pattern = FAMILIES[service]
    for request, content_type, succeeds in ((good, types[0], True), (bad, types[1], False)):
        answer = raw.ask(cloud.port, raw.signed(service, **request), method=request.get('method', 'POST'))
        headers = headers_of(answer)
        assert (answer.status == 200) is succeeds, answer
        assert headers['content-type'] == content_type
        assert email.utils.parsedate_to_datetime(headers['date']).tzname() == 'UTC' and headers['date'].endswith(' GMT')
        if service == 's3':
            assert re.fullmatch('[0-9A-Z]{16}', headers['x-amz-request-id']) and len(headers['x-amz-id-2']) > 20
            assert 'x-amzn-requestid' not in headers
            own = headers['x-amz-request-id']
        else:
            own = headers['x-amzn-requestid']
            assert re.fullmatch(UUID, own) and 'x-amz-id-2' not in headers
        if service == 'tagging':
            assert headers['smithy-protocol'] == 'rpc-v2-cbor'
        # S3's successes have no id in their documents.
        if pattern and not (service == 's3' and succeeds):
            assert re.search(pattern, answer.body.decode())[1] == own


LONG = 'a' * 65
VIOLATIONS = {
    'query': ('iam', dict(body=raw.query('CreateUser', '2010-05-08', UserName=LONG), headers=FORM, region='us-east-1'),
              400, 'ValidationError', f"1 validation error detected: Value '{LONG}' at 'userName' failed to satisfy constraint: "
                                      'Member must have length less than or equal to 64'),
    'ec2': ('ec2', dict(body=raw.query('CreateVpc', '2016-11-15'), headers=FORM), 400, 'MissingParameter',
            'The request must contain the parameter'),
    'json': ('dynamodb', dict(body=b'{"TableName":"ab","KeySchema":[]}', headers=raw.json_headers('DynamoDB_20120810.CreateTable', '1.0')),
             400, 'ValidationException', "validation error"),
    'json of logs': ('logs', dict(body=b'{"logGroupName":""}', headers=raw.json_headers('Logs_20140328.CreateLogGroup')),
                     400, 'InvalidParameterException',
                     "2 validation errors detected: Value '' at 'logGroupName' failed to satisfy constraint: Member must have length "
                     "greater than or equal to 1; Value '' at 'logGroupName' failed to satisfy constraint: Member must satisfy "
                     'regular expression pattern: '),
    'json of the tagging API': ('tagging', dict(body=b'{}', headers=raw.json_headers(TAGGING + 'GetTagValues')), 400, 'ValidationException',
                                "1 validation error detected: Value null at 'key' failed to satisfy constraint: Member must not be null"),
    'a type of another kind': ('ecs', dict(body=b'{"maxResults":"ten"}', headers=raw.json_headers('AmazonEC2ContainerServiceV20141113.ListClusters')),
                               400, 'SerializationException', 'STRING_VALUE can not be converted to an Integer'),
    'an integer wider than its type': ('ecs', dict(body=b'{"maxResults":3000000000}',
                                                   headers=raw.json_headers('AmazonEC2ContainerServiceV20141113.ListClusters')),
                                       400, 'SerializationException', ''),
}


@pytest.mark.parametrize('case', VIOLATIONS)
def test_values_that_break_the_model(cloud, case):
    service, request, status, code, text = VIOLATIONS[case]
    answer = raw.ask(cloud.port, raw.signed(service, **request))
    found = answer.body.decode().replace('&apos;', "'").replace('&#39;', "'")
    assert (answer.status, answer.code()) == (status, code), answer
    assert text in found


def test_one_service_in_both_of_its_protocols_gives_one_answer(cloud):
    cloud.client('logs').create_log_group(logGroupName='/wire', tags={'wire': 'yes'})
    listed = cloud.client('resourcegroupstaggingapi').get_resources(TagFilters=[{'Key': 'wire'}])['ResourceTagMappingList']
    answer = raw.ask(cloud.port, raw.signed('tagging', body=b'{"TagFilters":[{"Key":"wire"}]}',
                                            headers=raw.json_headers(TAGGING + 'GetResources')))
    assert json.loads(answer.body)['ResourceTagMappingList'] == listed and len(listed) == 1
