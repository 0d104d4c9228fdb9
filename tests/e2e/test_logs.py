"""CloudWatch Logs by boto3, the aws cli and brume logs: groups, streams, events in order and by pattern."""
import json
import subprocess

import pytest
from botocore.exceptions import ClientError

from waiting import now, wait_until

GROUP = '/app/web'


@pytest.fixture(scope='module')
def logs(cloud):
    client = cloud.client('logs')
    client.create_log_group(logGroupName=GROUP, tags={'team': 'shop'})
    for stream in ('a', 'b'):
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    begin = int(now() * 1000) - 60_000
    for number in range(30):
        message = json.dumps({'n': number, 'status': 500 if number % 10 == 0 else 200, 'who': f'user {number % 3}'})
        client.put_log_events(logGroupName=GROUP, logStreamName='ab'[number % 2],
                              logEvents=[{'timestamp': begin + number, 'message': message}])
    return client


def numbers(events):
    return [json.loads(event['message'])['n'] for event in events]


def test_streams_are_merged_by_time(logs):
    pages = list(logs.get_paginator('filter_log_events').paginate(logGroupName=GROUP, PaginationConfig={'PageSize': 7}))
    assert len(pages) >= 5
    assert [number for page in pages for number in numbers(page['events'])] == list(range(30))


@pytest.mark.parametrize('pattern, expected', [
    ('{ $.status = 500 }', [0, 10, 20]),
    ('{ $.n > 27 || $.n = 1 }', [1, 28, 29]),
    ('"user 2" -500', [n for n in range(30) if n % 3 == 2 and n % 10]),
    ('nothing', []),
])
def test_patterns(logs, pattern, expected):
    assert numbers(logs.filter_log_events(logGroupName=GROUP, filterPattern=pattern)['events']) == expected


def test_one_stream_forwards_and_backwards(logs):
    first = logs.get_log_events(logGroupName=GROUP, logStreamName='a', startFromHead=True, limit=5)
    assert numbers(first['events']) == [0, 2, 4, 6, 8]
    more = logs.get_log_events(logGroupName=GROUP, logStreamName='a', nextToken=first['nextForwardToken'], limit=5)
    assert numbers(more['events']) == [10, 12, 14, 16, 18]
    last = logs.get_log_events(logGroupName=GROUP, logStreamName='a', limit=2)
    assert numbers(last['events']) == [26, 28]
    end = logs.get_log_events(logGroupName=GROUP, logStreamName='a', nextToken=last['nextForwardToken'])
    assert end['events'] == [] and end['nextForwardToken'] == last['nextForwardToken'], 'the end is said by the same token'


def test_groups_and_streams_are_described(logs):
    group = logs.describe_log_groups(logGroupNamePrefix='/app/')['logGroups'][0]
    assert group['logGroupName'] == GROUP and 'retentionInDays' not in group
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=14)
    assert logs.describe_log_groups(logGroupNamePrefix=GROUP)['logGroups'][0]['retentionInDays'] == 14
    logs.delete_retention_policy(logGroupName=GROUP)
    assert 'retentionInDays' not in logs.describe_log_groups(logGroupNamePrefix=GROUP)['logGroups'][0]
    with pytest.raises(ClientError, match='InvalidParameterException'):
        logs.put_retention_policy(logGroupName=GROUP, retentionInDays=2)
    streams = logs.describe_log_streams(logGroupName=GROUP, orderBy='LastEventTime', descending=True)['logStreams']
    assert [stream['logStreamName'] for stream in streams] == ['b', 'a']


def test_tags_by_both_apis(logs):
    arn = logs.describe_log_groups(logGroupNamePrefix=GROUP)['logGroups'][0]['logGroupArn']
    logs.tag_resource(resourceArn=arn, tags={'new': '1'})
    assert logs.list_tags_log_group(logGroupName=GROUP)['tags'] == {'team': 'shop', 'new': '1'}
    logs.untag_log_group(logGroupName=GROUP, tags=['team'])
    logs.tag_log_group(logGroupName=GROUP, tags={'old': '2'})
    logs.untag_resource(resourceArn=arn, tagKeys=['new'])
    assert logs.list_tags_for_resource(resourceArn=arn)['tags'] == {'old': '2'}


def test_metric_filters(logs):
    logs.put_metric_filter(logGroupName=GROUP, filterName='errors', filterPattern='{ $.status = 500 }',
                           metricTransformations=[{'metricName': 'errors', 'metricNamespace': 'web', 'metricValue': '1'}])
    found = logs.describe_metric_filters(logGroupName=GROUP)['metricFilters']
    assert [each['filterName'] for each in found] == ['errors']
    assert logs.describe_log_groups(logGroupNamePrefix=GROUP)['logGroups'][0]['metricFilterCount'] == 1
    logs.delete_metric_filter(logGroupName=GROUP, filterName='errors')
    assert logs.describe_metric_filters(logGroupName=GROUP)['metricFilters'] == []


def test_what_is_deleted_is_gone(logs):
    logs.create_log_group(logGroupName='/gone')
    logs.create_log_stream(logGroupName='/gone', logStreamName='s')
    logs.put_log_events(logGroupName='/gone', logStreamName='s', logEvents=[{'timestamp': int(now() * 1000), 'message': 'x'}])
    logs.delete_log_stream(logGroupName='/gone', logStreamName='s')
    logs.create_log_stream(logGroupName='/gone', logStreamName='s')
    assert logs.get_log_events(logGroupName='/gone', logStreamName='s')['events'] == [], 'a stream of the same name is new'
    logs.delete_log_group(logGroupName='/gone')
    with pytest.raises(ClientError, match='ResourceNotFoundException'):
        logs.describe_log_streams(logGroupName='/gone')
    with pytest.raises(ClientError, match='ResourceAlreadyExistsException'):
        logs.create_log_group(logGroupName=GROUP)


def test_cli_tails(cloud, logs):
    done = cloud.exec('/usr/bin/aws', 'logs', 'tail', GROUP, '--since', '1h', '--format', 'short',
                      env={'AWS_DEFAULT_REGION': 'eu-west-1'})
    assert done.stdout.count('"n":') == 30


def test_brume_logs_follows(cloud, logs, tmp_path):
    with open(tmp_path / 'shown', 'w') as shown:
        following = subprocess.Popen([cloud.program, '--state', cloud.state, 'logs', GROUP, '--region', 'eu-west-1',
                                      '--follow'], stdout=shown, stdin=subprocess.DEVNULL)
        try:
            wait_until(lambda: (tmp_path / 'shown').read_text().count('"n"') == 30, 20, 'what was there')
            for word in ('first', 'second'):
                logs.put_log_events(logGroupName=GROUP, logStreamName='a',
                                    logEvents=[{'timestamp': int(now() * 1000), 'message': f'{word} of the new ones'}])
                wait_until(lambda: f'a {word} of the new ones\n' in (tmp_path / 'shown').read_text(), 20, word)
        finally:
            following.terminate()
            following.wait(10)
    assert (tmp_path / 'shown').read_text().count('first of') == 1, 'nothing is shown twice'


def test_brume_logs_while_time_stands_still(cloud, logs, tmp_path):
    """All that is written then is of one moment: more of it than a page holds is shown once and to its end."""
    group, many = '/app/still', 12_000
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName='s')
    cloud.brume('clock', 'pause')
    try:
        at = int(now() * 1000)

        def put(messages):
            logs.put_log_events(logGroupName=group, logStreamName='s',
                                logEvents=[{'timestamp': at, 'message': message} for message in messages])
        for first in range(0, many, 6000):
            put([f'line {number}' for number in range(first, first + 6000)])
        shown = cloud.brume('logs', group, timeout=60).stdout.splitlines()
        assert shown == [f's line {number}' for number in range(many)]
        with open(tmp_path / 'followed', 'w') as followed:
            following = subprocess.Popen([cloud.program, '--state', cloud.state, 'logs', group, '--follow'],
                                         stdout=followed, stdin=subprocess.DEVNULL)
            try:
                lines = lambda: (tmp_path / 'followed').read_text().splitlines()
                wait_until(lambda: len(lines()) >= many, 60, 'what was there')
                put(['the last'])
                wait_until(lambda: lines()[-1] == 's the last', 60, 'what came')
            finally:
                following.terminate()
                following.wait(10)
        assert len(lines()) == many + 1, 'nothing is shown twice'
    finally:
        cloud.brume('clock', 'resume')
