"""The scanner and the intruder (probes/*.cpp), compiled once, and how tests speak to them."""
import fcntl
import hashlib
import io
import json
import subprocess
import tarfile

from cloud import ROOT

SOURCES = ROOT / 'tests/e2e/probes'
# Where probes come from: what a network ACL's "ephemeral ports" must let pass (probes/scanner.cpp).
SOURCE_PORTS = (40000, 47999)
COMMANDS = 7000  # the intruder's port in its task


def program(name):
    directory = ROOT / 'build/probes'
    directory.mkdir(parents=True, exist_ok=True)
    source, made = SOURCES / f'{name}.cpp', directory / name
    with open(directory / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(['clang++-19', '-std=c++23', '-O1', '-static', '-fuse-ld=mold', '-o', f'{made}.new', source],
                           check=True)
            made.with_name(f'{name}.new').rename(made)
    return made


def image_archive(path, binary, entry_point, user=''):
    """A docker archive whose image is one static program."""
    def member(archive, name, data, mode=0o644):
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), mode
        archive.addfile(entry, io.BytesIO(data))
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode='w') as archive:
        member(archive, binary.name, binary.read_bytes(), 0o755)
    layer = layer.getvalue()
    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {'Entrypoint': entry_point, 'User': user},
                         'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(layer).hexdigest()]}})
    with tarfile.open(path, 'w') as archive:
        member(archive, 'layer.tar', layer)
        member(archive, 'config.json', config.encode())
        member(archive, 'manifest.json', json.dumps(
            [{'Config': 'config.json', 'RepoTags': ['probe:1'], 'Layers': ['layer.tar']}]).encode())
    return path


def load_intruder(cloud):
    """The intruder as the image that tasks name `docker.io/library/intruder:1`."""
    archive = image_archive(cloud.work / 'intruder.tar', program('intruder'), ['/intruder'])
    cloud.brume('image', 'load', archive, 'docker.io/library/intruder:1')
    return 'docker.io/library/intruder:1'


def ask(namespace, *words, timeout=60):
    """What the intruder in a task answers; asked over the task's own loopback interface."""
    done = subprocess.run(['nsenter', f'--net={namespace}', program('intruder'), 'ask', str(COMMANDS), *map(str, words)],
                          capture_output=True, text=True, timeout=timeout, errors='replace')
    return done.stdout


class Scanner:
    """One scanner process that works in all the namespaces it is told of."""

    def __init__(self):
        self.process = subprocess.Popen([program('scanner')], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.spaces = set()

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)

    def say(self, *words):
        self.process.stdin.write(' '.join(map(str, words)) + '\n')

    def hear(self):
        self.process.stdin.flush()
        line = self.process.stdout.readline().rstrip('\n')
        assert line and not line.startswith('failed'), f'the scanner {line or "has ended"}'
        return line

    def space(self, name, path):
        self.say('space', name, path)
        self.spaces.add(name)

    def listen(self, space, kind, address, port, text):
        self.say('listen', space, kind, address, port, text)
        assert self.hear() == 'listening'

    def scan(self, probes, attempts=3):
        """probes: (space, source, kind, address, port) -> {probe: (outcome, text)}."""
        probes = list(probes)
        for number, (space, source, kind, address, port) in enumerate(probes):
            self.say('probe', number, space, source, kind, address, port)
        self.say('run', attempts)
        found = {}
        while (line := self.hear()) != 'done':
            number, outcome, text = line.split(' ', 2)
            found[probes[int(number)]] = (outcome, text)
        return found

    def hold(self, name, space, source, address, port):
        self.say('hold', name, space, source, address, port)
        return self.hear().split(' ')[1]

    def echo(self, name, milliseconds=300):
        self.say('echo', name, milliseconds)
        return self.hear() == 'alive'
