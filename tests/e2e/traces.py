"""What a cloud leaves on the machine: namespaces, mounts, cgroups, processes. Nothing may be there after `down`."""
import os
import pathlib
import subprocess

PROC = pathlib.Path('/proc')


def read(path):
    try:
        return pathlib.Path(path).read_text(errors='replace')
    except OSError:
        return ''


def processes():
    """{pid: (start time, parent, command line)} of all processes. The start time tells a reused pid from the old."""
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            fields = read(entry / 'stat').rpartition(')')[2].split()
            if len(fields) > 19 and fields[0] not in 'ZX':
                found[int(entry.name)] = (fields[19], int(fields[1]), read(entry / 'cmdline').replace('\0', ' '))
    return found


def descendants(everything, roots):
    """The pids of `roots` and of all that descend from them."""
    family, grown = set(roots), True
    while grown:
        more = {pid for pid, (_, parent, _) in everything.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return family


def keepers(everything, run):
    """The keepers of an instance: one, or none. A child that has not come to its program yet looks like one."""
    alike = {pid: parent for pid, (_, parent, line) in everything.items() if ' keep ' in line and run in line}
    return [pid for pid, parent in alike.items() if parent not in alike]


def network_of(pid):
    try:
        return os.readlink(PROC / str(pid) / 'ns/net')
    except OSError:
        return ''


def namespaces_held():
    """Every network namespace that a process is in or that a mount keeps alive, as net:[inode]."""
    held = {network_of(pid) for pid in processes()}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            for line in read(entry / 'mountinfo').splitlines():
                fields = line.split()
                if len(fields) > 4 and fields[3].startswith('net:['):
                    held.add(fields[3])
    return held - {''}


def mounts_with(text):
    """(pid, line) of every mount in any process's view that mentions `text`."""
    return sorted({line for entry in PROC.iterdir() if entry.name.isdigit()
                   for line in read(entry / 'mountinfo').splitlines() if text in line})


def cgroups_of(instance):
    """The cgroups of one instance ('' for those of all), in both versions' trees."""
    below = f'brume/{instance}' if instance else 'brume/*'
    return sorted(str(path) for depth in ('', '*/') for path in pathlib.Path('/sys/fs/cgroup').glob(depth + below))


def network_view():
    """What this network namespace has: interfaces, addresses, routes of all tables, rules, nft's rules, the names of
    unix sockets. The daemon believes it to be the host's, and must leave it as it was."""
    view = {}
    for words in (('ip', '-details', 'link'), ('ip', 'address'), ('ip', 'route', 'show', 'table', 'all'), ('ip', 'rule'),
                  ('ip', 'neigh'), ('nft', 'list', 'ruleset')):
        view[' '.join(words)] = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    sockets = [line.split() for line in read('/proc/self/net/unix').splitlines()[1:]]
    view['unix sockets'] = sorted(fields[7] for fields in sockets if len(fields) > 7)
    return view


class Traces:
    """What belongs to a running cloud, noted by id, so that its end can be judged among other clouds."""

    def __init__(self, status):
        self.id, self.run, self.state = status['id'], status['run'], status['state']
        everything = processes()
        roots = [status['pid'], *keepers(everything, self.run)]
        family = descendants(everything, [pid for pid in roots if pid])
        self.processes = {pid: everything[pid] for pid in family if pid in everything}
        # Held open, so that no other namespace is given the same number while this is compared.
        self.files = []
        for path in [*(PROC / str(pid) / 'ns/net' for pid in self.processes), *pathlib.Path(self.run, 'netns').glob('*')]:
            try:
                self.files.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            except OSError:
                pass  # it has just gone
        self.namespaces = {f'net:[{os.fstat(file).st_ino}]' for file in self.files} - {network_of('self')}
        # The daemon itself lives in the test's own namespace, which stays.
        self.namespaces -= {network_of(status['pid'])} if status['pid'] else set()

    def __del__(self):
        for file in getattr(self, 'files', []):
            os.close(file)

    def left(self, state_deleted=True):
        """What is still there, in words. Empty: nothing."""
        now, left = processes(), []
        left += [f'process {pid} {line}' for pid, (start, _, line) in self.processes.items()
                 if pid in now and now[pid][0] == start]
        left += [f'process {pid} {line}' for pid, (_, _, line) in now.items() if f'{self.run}/' in line]
        left += [f'keeper {pid}' for pid in keepers(now, self.run)]
        left += [f'namespace {name}' for name in self.namespaces & namespaces_held()]
        left += [f'mount {line}' for text in (self.run, self.state) for line in mounts_with(text)]
        left += [f'cgroup {path}' for path in cgroups_of(self.id)]
        if os.path.exists(self.run):
            left.append(f'directory {self.run}')
        if state_deleted and os.path.exists(self.state):
            left.append(f'directory {self.state}')
        return left


def machine():
    """The same sets for the whole machine, whoever they belong to."""
    programs = ('haproxy', 'runc', 'slirp4netns', 'nft')
    return {'namespaces': namespaces_held(), 'mounts': set(mounts_with('/brume')), 'cgroups': set(cgroups_of('')),
            'runs': set(os.listdir('/run/brume')) if os.path.isdir('/run/brume') else set(),
            'processes': {f'{pid} {line}' for pid, (_, _, line) in processes().items()
                          if line.split(' ')[0].rsplit('/', 1)[-1] in programs or 'brume keep' in line}}
