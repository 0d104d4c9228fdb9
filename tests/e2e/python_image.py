"""An image with Python and boto3, made of this machine's own: what a team's container would call AWS with."""
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile

SERVICES = ('s3', 'dynamodb', 'sts')
# Of Python's library, what only its own development needs.
LEFT_OUT = ('test', 'idlelib', 'tkinter', 'ensurepip', 'lib2to3', '__pycache__', 'pydoc_data', 'turtledemo', 'venv')


def libraries(*programs):
    """The shared libraries that they load, by the paths at which they look for them."""
    found = set()
    for program in programs:
        for line in subprocess.run(['ldd', program], capture_output=True, text=True).stdout.splitlines():
            words = [word for word in line.split() if word.startswith('/')]
            found.update(words[:1])
    return sorted(found)


def wanted(path):
    return not any(part in LEFT_OUT for part in path.parts)


def site_packages():
    """(name in the image, file) of boto3 and what it stands on, with the services' models alone."""
    import botocore
    root = pathlib.Path(botocore.__file__).parent.parent
    for package in ('boto3', 'botocore', 's3transfer', 'jmespath', 'dateutil', 'urllib3', 'six.py'):
        place = root / package
        for path in [place] if place.is_file() else sorted(place.rglob('*')):
            inside = path.relative_to(root)
            if not path.is_file() or not wanted(inside):
                continue
            if inside.parts[:2] == ('botocore', 'data') and len(inside.parts) > 3 and inside.parts[2] not in SERVICES:
                continue
            yield f'opt/packages/{inside}', path


def files():
    interpreter = pathlib.Path(sys.executable).resolve()
    library = pathlib.Path(json.__file__).parent.parent
    yield str(interpreter)[1:], interpreter
    modules = [path for path in sorted(library.rglob('*')) if path.is_file() and wanted(path.relative_to(library))
               and 'dist-packages' not in path.parts and 'site-packages' not in path.parts
               and not path.name.endswith('.a')]
    for path in modules:
        yield str(path)[1:], path
    for path in libraries(interpreter, *[path for path in modules if path.suffix == '.so']):
        yield path[1:], pathlib.Path(path).resolve()
    yield from site_packages()


def python_image(path, script, environment=()):
    """A docker archive whose image runs the script."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode='w') as archive:
        def add(name, data, mode):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
        for name, source in files():
            add(name, source.read_bytes(), 0o755 if source.stat().st_mode & 0o111 else 0o644)
        add('app.py', script.encode(), 0o644)
    layer = raw.getvalue()
    config = json.dumps({'architecture': 'amd64', 'os': 'linux',
                         'config': {'Entrypoint': [str(pathlib.Path(sys.executable).resolve()), '/app.py'],
                                    'User': '10001', 'Env': ['PYTHONPATH=/opt/packages', *environment]},
                         'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(layer).hexdigest()]}})
    with tarfile.open(path, 'w') as archive:
        for name, data in (('layer.tar', layer), ('config.json', config.encode()), ('manifest.json', json.dumps(
                [{'Config': 'config.json', 'RepoTags': ['asker:1'], 'Layers': ['layer.tar']}]).encode())):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path
