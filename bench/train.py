"""What a release learns its layout from (tools/release): the measured operations, without those that WITHOUT names, so
that what an operation gains which was not counted can be measured too."""
import os
import sys
import tempfile

from operations import World, operations, write_requests
from world import Cloud, leave_host, replay

ROUNDS, COUNT, CONNECTIONS = 4, 1000, 16


def main():
    leave_host()
    without = os.environ.get('WITHOUT', '').split(',')
    cloud = Cloud()
    try:
        with tempfile.TemporaryDirectory(prefix='brume-train-') as directory:
            world, clients, files = World(cloud), {}, []
            for number, (_, service, name, call) in enumerate(operations(world)):
                if name in without:
                    continue
                files.append(f'{directory}/{number}')
                write_requests(files[-1], clients.setdefault(service, world.client(service)), call)
            for _ in range(ROUNDS):
                for file in files:
                    if failed := replay(cloud.port, file, COUNT, CONNECTIONS)['failed']:
                        raise SystemExit(f'{failed} of {COUNT} requests failed')
    finally:
        cloud.remove()
    print(f'train: {ROUNDS} rounds of {COUNT} requests of each of {len(files)} operations', file=sys.stderr)


if __name__ == '__main__':
    main()
