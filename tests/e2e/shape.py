"""What a cloud has made on the machine, with its ids and addresses taken out, so that two states can be compared: what
is there after a fault and a new apply must be what is there without the fault, line for line."""
import collections
import pathlib
import re
import subprocess

import traces

IDS = [(re.compile(pattern), name) for pattern, name in (  # in this order: a large count would pass for an id
    (r'counter packets \d+ bytes \d+', 'counter'),
    (r'packets \d+ bytes \d+', 'counted'),
    (r'\b[0-9a-f]{64}\b', 'DIGEST'),
    (r'\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b', 'MAC'),
    (r'\b\d+\.\d+\.\d+\.\d+(/\d+)?\b', 'ADDRESS'),
    (r'[0-9a-f]{6,}', 'ID'), (r'objects/[0-9a-f]{2}\b', 'objects/ID'),
    (r'link-netnsid \d+|pid[ =]\d+|/\d+/roo[t]/|fd/\d+|@if\d+|^\d+: ', 'N'),
    (r'revision_\w+|mark 0x\w+|table \d+|lookup \d+|priority \d+', 'NUMBER'),
)]


def plain(line):
    for pattern, name in IDS:
        line = pattern.sub(name, line)
    return ' '.join(line.split())


def inside(namespace, *command):
    done = subprocess.run(['nsenter', f'--net={namespace}', *command], capture_output=True, text=True)
    return done.stdout.splitlines()


def network(run):
    for path in sorted(pathlib.Path(run, 'netns').iterdir()):
        kind = plain(path.name)
        yield f'namespace {kind}'
        for command in (('ip', '-o', 'link'), ('ip', '-o', '-4', 'address'), ('ip', 'route', 'show', 'table', 'all'),
                        ('ip', 'rule'), ('nft', 'list', 'ruleset')):
            for line in inside(path, *command):
                # The kernel's own routes of an interface come and go with its carrier.
                if 'proto kernel' in line or 'table local' in line:
                    continue
                # The elements of a set are in no order.
                for part in re.split(r', |elements = ', line):
                    if part.strip():
                        yield f'{kind} {command[0]} {command[-1]}: {plain(part.strip(" {}"))}'


def processes(status):
    everything = traces.processes()
    keepers = traces.keepers(everything, status['run'])
    assert len(keepers) == 1, f'one keeper, not {keepers}'
    for pid in traces.descendants(everything, [*keepers, status['pid']]):
        line = everything[pid][2]
        if 'llvm-symbolizer' in line:  # of a daemon under ThreadSanitizer: it names what tests/tsan.supp lists
            continue
        # HAProxy's worker and master say of themselves what they were reloaded from.
        yield 'process ' + re.sub(r'-sf [0-9 ]+|-x sockpair@[0-9]+ |--port [0-9]+', '', plain(line))


def kept(status):
    everything = traces.processes()
    keeper = traces.keepers(everything, status['run'])[0]
    for line in traces.read(f'/proc/{keeper}/mountinfo').splitlines():
        fields = line.split()
        if status['state'] in fields[4] or status['run'] in fields[4]:
            yield f'mount {plain(fields[4])}'
    for cgroup in traces.cgroups_of(status['id']):
        for path in [pathlib.Path(cgroup), *sorted(pathlib.Path(cgroup).rglob('*'))]:
            if path.is_dir():
                yield f'cgroup {plain(str(path))}'


def files(status):
    """Of the state and the run directory: what is neither the store nor inside a container's root or a layer."""
    for root in (status['state'], status['run']):
        top = pathlib.Path(root)
        waiting = [top]
        while waiting:
            for path in sorted(waiting.pop().iterdir()):
                name = str(path.relative_to(top))
                if name in ('store', 'netns', 'children', 'exec') or re.search(r'\.log(\.|$)', name):
                    continue
                if path.is_dir() and not path.is_symlink():
                    if not re.fullmatch('objects/..', name):  # made for good; two objects may share one
                        yield f'directory {plain(name)}'
                    if path.name not in ('root', 'upper', 'work') and not re.fullmatch(
                            r'images/layers/[0-9a-f]{64}|.*/volumes', name):
                        waiting.append(path)
                else:
                    if path.name != 'servers.state':  # since HAProxy's last reload
                        yield f'file {plain(name)}'


def shape(cloud):
    status = cloud.status()
    lines = [*network(status['run']), *processes(status), *kept(status), *files(status)]
    return collections.Counter(line.replace(status['state'], 'STATE') for line in lines)


def difference(before, after):
    """In words; empty: none."""
    return ([f'more: {line} ({count})' for line, count in sorted((after - before).items())] +
            [f'less: {line} ({count})' for line, count in sorted((before - after).items())])
