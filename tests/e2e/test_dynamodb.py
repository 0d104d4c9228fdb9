"""DynamoDB by boto3: tables with indexes, expressions, queries in pages, batches, transactions, time to live."""
import pytest
from botocore.exceptions import ClientError

from waiting import now, wait_until


@pytest.fixture(scope='module')
def dynamodb(cloud):
    return cloud.client('dynamodb')


@pytest.fixture(scope='module')
def orders(dynamodb):
    """Orders of customers, with an index by state and one by amount within a customer."""
    dynamodb.create_table(
        TableName='orders', BillingMode='PAY_PER_REQUEST', Tags=[{'Key': 'team', 'Value': 'shop'}],
        AttributeDefinitions=[{'AttributeName': name, 'AttributeType': kind} for name, kind in
                              (('customer', 'S'), ('number', 'N'), ('state', 'S'), ('amount', 'N'))],
        KeySchema=[{'AttributeName': 'customer', 'KeyType': 'HASH'}, {'AttributeName': 'number', 'KeyType': 'RANGE'}],
        GlobalSecondaryIndexes=[{'IndexName': 'by-state', 'Projection': {'ProjectionType': 'KEYS_ONLY'}, 'KeySchema': [
            {'AttributeName': 'state', 'KeyType': 'HASH'}, {'AttributeName': 'number', 'KeyType': 'RANGE'}]}],
        LocalSecondaryIndexes=[{'IndexName': 'by-amount', 'Projection': {'ProjectionType': 'ALL'}, 'KeySchema': [
            {'AttributeName': 'customer', 'KeyType': 'HASH'}, {'AttributeName': 'amount', 'KeyType': 'RANGE'}]}])
    dynamodb.get_waiter('table_exists').wait(TableName='orders', WaiterConfig={'Delay': 1})
    requests = [{'PutRequest': {'Item': {
        'customer': {'S': f'c{customer}'}, 'number': {'N': str(number)}, 'amount': {'N': str(100 - number)},
        'state': {'S': 'open' if number % 2 else 'done'}}}} for customer in range(2) for number in range(25)]
    for at in range(0, len(requests), 25):
        answer = dynamodb.batch_write_item(RequestItems={'orders': requests[at:at + 25]})
        assert answer['UnprocessedItems'] == {}
    return dynamodb


def numbers(answer):
    return [int(item['number']['N']) for item in answer['Items']]


def code_of(error):
    return error.value.response['Error']['Code']


def test_table_is_described(orders):
    table = orders.describe_table(TableName='orders')['Table']
    assert table['TableStatus'] == 'ACTIVE' and table['ItemCount'] >= 0
    assert table['GlobalSecondaryIndexes'][0]['IndexStatus'] == 'ACTIVE'
    tags = orders.list_tags_of_resource(ResourceArn=table['TableArn'])['Tags']
    assert tags == [{'Key': 'team', 'Value': 'shop'}]
    orders.tag_resource(ResourceArn=table['TableArn'], Tags=[{'Key': 'cost', 'Value': '1'}])
    orders.untag_resource(ResourceArn=table['TableArn'], TagKeys=['team'])
    assert orders.list_tags_of_resource(ResourceArn=table['TableArn'])['Tags'] == [{'Key': 'cost', 'Value': '1'}]
    assert orders.describe_limits()['TableMaxReadCapacityUnits'] > 0
    assert orders.describe_endpoints()['Endpoints'][0]['Address']


def test_queries_in_both_directions_and_in_pages(orders):
    key = {':c': {'S': 'c0'}, ':low': {'N': '5'}, ':high': {'N': '9'}}
    between = dict(TableName='orders', KeyConditionExpression='customer = :c AND #n BETWEEN :low AND :high',
                   ExpressionAttributeNames={'#n': 'number'}, ExpressionAttributeValues=key)
    assert numbers(orders.query(**between)) == [5, 6, 7, 8, 9]
    assert numbers(orders.query(**between, ScanIndexForward=False)) == [9, 8, 7, 6, 5]
    pages = list(orders.get_paginator('query').paginate(
        TableName='orders', KeyConditionExpression='customer = :c', ExpressionAttributeValues={':c': {'S': 'c1'}},
        PaginationConfig={'PageSize': 10}))
    assert [len(page['Items']) for page in pages][:2] == [10, 10]
    assert [number for page in pages for number in numbers(page)] == list(range(25))
    filtered = orders.query(TableName='orders', KeyConditionExpression='customer = :c', FilterExpression='amount > :a',
                            ExpressionAttributeValues={':c': {'S': 'c0'}, ':a': {'N': '97'}})
    assert (filtered['Count'], filtered['ScannedCount']) == (3, 25)


def test_indexes(orders):
    found = orders.query(TableName='orders', IndexName='by-state', KeyConditionExpression='#s = :open',
                         ExpressionAttributeNames={'#s': 'state'}, ExpressionAttributeValues={':open': {'S': 'open'}})
    assert found['Count'] == 24 and set(found['Items'][0]) == {'customer', 'number', 'state'}
    cheapest = orders.query(TableName='orders', IndexName='by-amount', KeyConditionExpression='customer = :c', Limit=2,
                            ExpressionAttributeValues={':c': {'S': 'c0'}})
    assert numbers(cheapest) == [24, 23]
    with pytest.raises(ClientError, match='ValidationException'):
        orders.query(TableName='orders', IndexName='no-such-index', KeyConditionExpression='customer = :c',
                     ExpressionAttributeValues={':c': {'S': 'c0'}})


def test_scan_by_two_segments_sees_everything_once(orders):
    found = [(item['customer']['S'], item['number']['N']) for segment in range(2)
             for page in orders.get_paginator('scan').paginate(TableName='orders', Segment=segment, TotalSegments=2)
             for item in page['Items']]
    assert len(found) == len(set(found)) == 50


def test_update_expressions(orders):
    key = {'customer': {'S': 'c0'}, 'number': {'N': '1000'}}
    made = orders.update_item(
        TableName='orders', Key=key, ReturnValues='ALL_NEW',
        UpdateExpression='SET lines = :l, total = :t ADD visits :one, labels :set',
        ExpressionAttributeValues={':l': {'L': [{'S': 'a'}]}, ':t': {'N': '1.50'}, ':one': {'N': '1'},
                                   ':set': {'SS': ['x', 'y']}})['Attributes']
    assert made['visits'] == {'N': '1'} and made['total'] == {'N': '1.5'}
    changed = orders.update_item(
        TableName='orders', Key=key, ReturnValues='ALL_NEW', ConditionExpression='size(lines) = :one AND total < :limit',
        UpdateExpression='SET lines = list_append(lines, :l), total = total + :one, f = if_not_exists(f, :one) '
                         'REMOVE visits DELETE labels :x',
        ExpressionAttributeValues={':l': {'L': [{'S': 'b'}]}, ':one': {'N': '1'}, ':limit': {'N': '2'},
                                   ':x': {'SS': ['x']}})['Attributes']
    assert changed['lines'] == {'L': [{'S': 'a'}, {'S': 'b'}]} and changed['total'] == {'N': '2.5'}
    assert 'visits' not in changed and changed['labels'] == {'SS': ['y']} and changed['f'] == {'N': '1'}
    with pytest.raises(ClientError) as failed:
        orders.update_item(TableName='orders', Key=key, UpdateExpression='SET total = :z',
                           ConditionExpression='attribute_not_exists(total)', ExpressionAttributeValues={':z': {'N': '0'}},
                           ReturnValuesOnConditionCheckFailure='ALL_OLD')
    assert code_of(failed) == 'ConditionalCheckFailedException'
    assert failed.value.response['Item']['total'] == {'N': '2.5'}
    orders.delete_item(TableName='orders', Key=key)


def test_batch_get(orders):
    keys = [{'customer': {'S': 'c0'}, 'number': {'N': str(number)}} for number in (3, 4, 99)]
    answer = orders.batch_get_item(RequestItems={'orders': {
        'Keys': keys, 'ProjectionExpression': '#n', 'ExpressionAttributeNames': {'#n': 'number'}}})
    assert sorted(int(item['number']['N']) for item in answer['Responses']['orders']) == [3, 4]
    with pytest.raises(ClientError, match='ValidationException'):
        orders.batch_get_item(RequestItems={'orders': {'Keys': [keys[0], keys[0]]}})


def test_transactions_are_all_or_nothing(orders):
    def put(number, **more):
        return {'Put': {'TableName': 'orders', 'Item': {'customer': {'S': 't'}, 'number': {'N': str(number)}}, **more}}
    orders.transact_write_items(TransactItems=[put(1), put(2)])
    with pytest.raises(ClientError) as cancelled:
        orders.transact_write_items(TransactItems=[
            put(3), put(1, ConditionExpression='attribute_not_exists(customer)')])
    assert code_of(cancelled) == 'TransactionCanceledException'
    assert [reason['Code'] for reason in cancelled.value.response['CancellationReasons']] == [
        'None', 'ConditionalCheckFailed']
    read = orders.transact_get_items(TransactItems=[
        {'Get': {'TableName': 'orders', 'Key': {'customer': {'S': 't'}, 'number': {'N': str(number)}}}}
        for number in (1, 2, 3)])['Responses']
    assert [bool(each.get('Item')) for each in read] == [True, True, False]


def test_table_life(dynamodb):
    dynamodb.create_table(TableName='life', BillingMode='PAY_PER_REQUEST',
                          AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}],
                          KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}])
    dynamodb.get_waiter('table_exists').wait(TableName='life', WaiterConfig={'Delay': 1})
    dynamodb.put_item(TableName='life', Item={'id': {'S': 'a'}, 'kind': {'S': 'x'}, 'until': {'N': str(int(now()) - 60)}})
    backups = dynamodb.describe_continuous_backups(TableName='life')['ContinuousBackupsDescription']
    assert backups['PointInTimeRecoveryDescription']['PointInTimeRecoveryStatus'] == 'DISABLED'
    with pytest.raises(ClientError, match='not serve'):
        dynamodb.update_continuous_backups(TableName='life', PointInTimeRecoverySpecification={
            'PointInTimeRecoveryEnabled': True})
    dynamodb.update_table(
        TableName='life', AttributeDefinitions=[{'AttributeName': name, 'AttributeType': 'S'} for name in ('id', 'kind')],
        GlobalSecondaryIndexUpdates=[{'Create': {'IndexName': 'by-kind', 'Projection': {'ProjectionType': 'ALL'},
                                                 'KeySchema': [{'AttributeName': 'kind', 'KeyType': 'HASH'}]}}])
    wait_until(lambda: dynamodb.describe_table(TableName='life')['Table']['GlobalSecondaryIndexes'][0]['IndexStatus'] ==
               'ACTIVE', 20, 'the new index')
    found = dynamodb.query(TableName='life', IndexName='by-kind', KeyConditionExpression='kind = :k',
                           ExpressionAttributeValues={':k': {'S': 'x'}})
    assert found['Count'] == 1, 'the index has what was there before it'
    dynamodb.update_time_to_live(TableName='life', TimeToLiveSpecification={'Enabled': True, 'AttributeName': 'until'})
    ttl = dynamodb.describe_time_to_live(TableName='life')['TimeToLiveDescription']
    assert ttl['AttributeName'] == 'until' and ttl['TimeToLiveStatus'] in ('ENABLING', 'ENABLED')
    dynamodb.delete_table(TableName='life')
    with pytest.raises(ClientError, match='ResourceNotFoundException'):
        dynamodb.describe_table(TableName='life')
    assert 'life' not in dynamodb.list_tables()['TableNames']
