"""A state directory that was cut, damaged, written by a newer program, or left half made: refused with what to do, never
misread; half made ones are completed."""
import collections
import os
import pathlib
import shutil

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from cloud import REGION
from waiting import now, wait_until


def refusal(cloud):
    done = cloud.brume('up', '--detach', '--offline', '--port', '0', check=False)
    assert done.returncode != 0, 'it was taken for whole'
    return done.stderr


def filled(fresh_cloud):
    """A cloud that is down, with some hundred changes in its store, and a copy to put back."""
    cloud = fresh_cloud()
    cloud.up()
    ec2 = cloud.client('ec2')
    vpc = ec2.create_vpc(CidrBlock='10.1.0.0/16')['Vpc']['VpcId']
    for number in range(50):
        ec2.create_security_group(GroupName=f'g{number}', Description='x', VpcId=vpc)
    cloud.brume('down')
    store = pathlib.Path(cloud.state, 'store')
    shutil.copytree(store, cloud.work / 'copy')
    return cloud, store, vpc


def put_back(cloud, store):
    shutil.rmtree(store)
    shutil.copytree(cloud.work / 'copy', store)


def log_of(store):
    return max((path for path in (store / 'db').glob('*.log') if path.stat().st_size), key=lambda path: path.name)


def cut(store):
    os.truncate(log_of(store), log_of(store).stat().st_size // 2)


def change_bytes(store):
    with open(log_of(store), 'r+b') as log:
        log.seek(log_of(store).stat().st_size // 3)
        log.write(b'?' * 20)


def remove_log(store):
    log_of(store).unlink()


def cut_manifest(store):
    manifest = max((store / 'db').glob('MANIFEST-*'))
    os.truncate(manifest, manifest.stat().st_size // 2)


def remove_current(store):
    (store / 'db/CURRENT').write_text('garbage\n')


def test_damaged_stores_are_refused_with_what_to_do(fresh_cloud):
    cloud, store, vpc = filled(fresh_cloud)
    for damage in (cut, change_bytes, remove_log, cut_manifest, remove_current):
        damage(store)
        said = refusal(cloud)
        assert 'Restore a copy' in said, (damage.__name__, said)
        put_back(cloud, store)
    # The control: the copy that was put back is whole.
    cloud.up()
    groups = cloud.client('ec2').describe_security_groups(Filters=[{'Name': 'vpc-id', 'Values': [vpc]}])['SecurityGroups']
    assert len(groups) == 51


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def write_as_newer(store, key):
    """Adds one to the first byte of the key's last value in the store's log, with a checksum that is right again: what a
    program with a newer format would have written."""
    last = None
    for log in sorted((store / 'db').glob('*.log')):
        data, at = log.read_bytes(), 0
        while at + 7 <= len(data):
            if 32768 - at % 32768 < 7:  # the end of a block, without room for a head
                at += 32768 - at % 32768
                continue
            end = at + 7 + int.from_bytes(data[at + 4:at + 6], 'little')
            found = data.rfind(bytes([len(key)]) + key, at + 7, end)
            last = (log, at, end, found + 1 + len(key)) if found >= 0 else last
            at = end
    assert last, f'{key} is not in the log'
    log, at, end, value = last
    data = bytearray(log.read_bytes())
    while data[value] & 0x80:  # the value's length
        value += 1
    data[value + 1] += 1
    crc = crc32c(data[at + 6:end])
    data[at:at + 4] = (((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff).to_bytes(4, 'little')
    log.write_bytes(data)


def test_state_of_a_newer_program_is_refused_and_not_misread(fresh_cloud):
    cloud, store, vpc = filled(fresh_cloud)
    for key in (b'm/format', f't/ec2.vpc/000000000000/{REGION}/{vpc}'.encode()):
        write_as_newer(store, key)
        said = refusal(cloud)
        assert 'newer program that wrote' in said and 'reads formats up to' in said, (key, said)
        put_back(cloud, store)
    cloud.up()
    assert cloud.client('ec2').describe_vpcs(VpcIds=[vpc])['Vpcs']


def test_half_made_state_directories_are_completed(fresh_cloud):
    """kill -9 of the first `up`, before the directory was whole: the next one goes on, with the same id."""
    for point in ('instance.named', 'store.created'):
        cloud = fresh_cloud()
        mark = cloud.work / 'mark'
        done = cloud.brume('up', '--detach', '--offline', '--port', '0', check=False,
                           env={'BRUME_FAULT': f'{point} 1 {mark}'})
        assert done.returncode != 0 and mark.exists()
        identity = pathlib.Path(cloud.state, 'id').read_text()
        cloud.up()
        assert pathlib.Path(cloud.state, 'id').read_text() == identity
        assert cloud.client('sts').get_caller_identity()['Account'] == '000000000000'


def test_killed_in_the_middle_of_a_start_it_starts_again(fresh_cloud):
    cloud = fresh_cloud()
    cloud.up()
    vpc = cloud.client('ec2').create_vpc(CidrBlock='10.1.0.0/16')['Vpc']['VpcId']
    cloud.kill()
    mark = cloud.work / 'mark'
    done = cloud.brume('up', '--detach', '--offline', '--port', '0', check=False,
                       env={'BRUME_FAULT': f'cloud.network.recovered 1 {mark}'})
    assert done.returncode != 0 and mark.exists()
    cloud.up()
    assert cloud.client('ec2').describe_vpcs(VpcIds=[vpc])['Vpcs']


def make_table(dynamodb, name, items):
    dynamodb.create_table(
        TableName=name, BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
        AttributeDefinitions=[{'AttributeName': each, 'AttributeType': 'S'} for each in ('id', 'state')],
        GlobalSecondaryIndexes=[BY_STATE])
    for number in range(items):
        dynamodb.put_item(TableName=name, Item={'id': {'S': str(number)}, 'state': {'S': 'open'}})


BY_STATE = {'IndexName': 'by-state', 'Projection': {'ProjectionType': 'ALL'},
            'KeySchema': [{'AttributeName': 'state', 'KeyType': 'HASH'}]}


def make_events(logs, group, events):
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName='s')
    logs.put_log_events(logGroupName=group, logStreamName='s',
                        logEvents=[{'timestamp': int(now() * 1000) + number, 'message': 'x'} for number in range(events)])


def killed_while_erasing(cloud, delete):
    """kill -9 behind the commit of what `delete` asks for, and before anything else of it."""
    mark = cloud.work / 'mark'
    mark.unlink(missing_ok=True)
    cloud.up(env={'BRUME_FAULT': f'store.erasing 1 {mark}'})
    with pytest.raises((ConnectionClosedError, EndpointConnectionError)):
        delete()
    assert mark.exists()
    cloud.await_end()
    return keys(cloud)


def keys(cloud):
    """How many keys of each kind the store has; the cloud is down."""
    lines = cloud.brume('keys').stdout.split('\n')[:-1]
    return collections.Counter({name: int(count) for name, count in (line.rsplit(' ', 1) for line in lines)})


def test_killed_behind_a_deletion_nothing_of_it_stays_in_the_store(fresh_cloud):
    cloud = fresh_cloud()
    cloud.up()
    dynamodb, logs = cloud.client('dynamodb'), cloud.client('logs')
    # More than are erased one by one, and a few; of each kind some that stay.
    make_table(dynamodb, 'many', 300)
    make_table(dynamodb, 'few', 3)
    make_events(logs, 'gone', 400)
    make_events(logs, 'kept', 5)
    cloud.kill()
    left = killed_while_erasing(cloud, lambda: dynamodb.delete_table(TableName='many'))
    assert left['k/dynamodb.item'] == 303 and left['e/'] == 2, 'the control: the items are still there'
    left = killed_while_erasing(cloud, lambda: logs.delete_log_group(logGroupName='gone'))
    assert left['k/logs.event'] == 405 and left['e/'] == 1, 'the control: the events are still there'
    assert left['k/dynamodb.item'] == left['k/dynamodb.entry'] == 3
    cloud.up()
    assert dynamodb.scan(TableName='few')['Count'] == 3
    assert len(logs.filter_log_events(logGroupName='kept')['events']) == 5
    cloud.kill()
    assert (left := keys(cloud))['k/logs.event'] == 5 and left['k/dynamodb.item'] == 3 and left['e/'] == 0, left


def test_killed_behind_the_deletion_of_an_index_another_of_its_name_begins_empty(fresh_cloud):
    cloud = fresh_cloud()
    cloud.up()
    dynamodb = cloud.client('dynamodb')
    make_table(dynamodb, 'table', 20)
    assert dynamodb.scan(TableName='table', IndexName='by-state')['Count'] == 20
    cloud.kill()
    killed_while_erasing(cloud, lambda: dynamodb.update_table(
        TableName='table', GlobalSecondaryIndexUpdates=[{'Delete': {'IndexName': 'by-state'}}]))
    cloud.up()
    for number in range(20):  # without the index's key, so that no item is in the new index
        dynamodb.put_item(TableName='table', Item={'id': {'S': str(number)}})
    dynamodb.update_table(TableName='table', AttributeDefinitions=[{'AttributeName': 'state', 'AttributeType': 'S'}],
                          GlobalSecondaryIndexUpdates=[{'Create': BY_STATE}])
    wait_until(lambda: dynamodb.describe_table(TableName='table')['Table']['TableStatus'] == 'ACTIVE', 10, 'the index')
    assert dynamodb.scan(TableName='table')['Count'] == 20
    assert dynamodb.scan(TableName='table', IndexName='by-state')['Count'] == 0


@pytest.mark.parametrize('content', ['', 'not an id\n', '../../etc\n'])
def test_damaged_id_is_refused(fresh_cloud, content):
    """The id names directories, namespaces and cgroups: nothing but an id is taken for one."""
    cloud = fresh_cloud()
    cloud.up()
    cloud.brume('down')
    path = pathlib.Path(cloud.state, 'id')
    identity = path.read_text()
    path.write_text(content)
    try:
        done = cloud.brume('up', '--detach', '--offline', '--port', '0', check=False)
        assert done.returncode != 0 and 'id' in done.stderr, done.stderr
    finally:
        path.write_text(identity)
