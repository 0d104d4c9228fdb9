"""Server CPU per signed and authorized request beside nginx's `return` of a fixed text to the very same bytes."""
import os
import shutil
import sys
import tempfile

from measure import ROUNDS, Table, cpu_us, judged, median, ratio, shown
from operations import World, operations, write_requests
from world import Cloud, Nginx, replay

COUNT, CONNECTIONS = 2000, 16
GOALS = {'read': 2, 'write': 3}


def cost(port, pids, path):
    before = cpu_us(pids)
    answer = replay(port, path, COUNT, CONNECTIONS)
    if answer['failed']:
        raise SystemExit(f'{answer["failed"]} of {COUNT} requests of {path} failed')
    return (cpu_us(pids) - before) / COUNT, answer


def run(only=''):
    cloud, nginx, directory = Cloud(), Nginx(), tempfile.mkdtemp(prefix='brume-bench-requests-')
    try:
        world = World(cloud)
        asked = [(kind, f'{service} {name}', service, call) for kind, service, name, call in operations(world)
                 if only.lower() in f'{service} {name}'.lower()]
        clients = {}
        for number, (kind, name, service, call) in enumerate(asked):
            client = clients.setdefault(service, world.client(service))
            write_requests(f'{directory}/{number}', client, call)
        ours, theirs, p50 = ({name: [] for _, name, _, _ in asked} for _ in range(3))
        for turn in range(ROUNDS + 1):
            for number, (kind, name, service, call) in enumerate(asked):
                mine, answer = cost(cloud.port, [cloud.pid], f'{directory}/{number}')
                other, _ = cost(nginx.port, nginx.pids, f'{directory}/{number}')
                if turn > 0:  # the first warms caches
                    ours[name].append(mine)
                    theirs[name].append(other)
                    p50[name].append(answer['p50_us'])
        table = Table(f'Server CPU per request, {CONNECTIONS} kept connections, {ROUNDS} rounds of {COUNT}',
                      'operation', 'kind', 'Brume µs', 'nginx µs', 'ratio', 'goal')
        for kind, name, _, _ in asked:
            value, text = ratio(ours[name], theirs[name])
            table.add(name, kind, shown(ours[name]), shown(theirs[name]), text, judged(value, GOALS[kind]))
        table.show()
        return table
    finally:
        nginx.remove()
        cloud.remove()
        shutil.rmtree(directory)
