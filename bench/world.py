"""Who is measured: a cloud of our own, and nginx that answers the same requests. All on loopback, in a namespace without
a way out; each ends by its process id."""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOOLS = ROOT / 'build/bench'
PROGRAM = pathlib.Path(os.environ.get('BRUME', ROOT / 'build/release/brume'))
REGION = 'eu-west-1'
sys.path.insert(0, str(ROOT / 'tests/e2e'))
from pauses import family  # noqa: E402


def leave_host():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), 'unshare(CLONE_NEWNET): run as root')
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(('AWS_', 'TF_', 'BRUME_'))}
    return dict(kept, AWS_CONFIG_FILE='/dev/null', AWS_SHARED_CREDENTIALS_FILE='/dev/null', AWS_PAGER='')


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Cloud:
    """`brume up --detach --offline` on a state directory of its own."""

    def __init__(self, program=PROGRAM):
        self.program, self.state = program, tempfile.mkdtemp(prefix='brume-bench-')
        self.up()

    def brume(self, *words, check=True):
        return subprocess.run([self.program, '--state', self.state, *words], capture_output=True, text=True,
                              check=check, env=environment(), stdin=subprocess.DEVNULL)

    def up(self):
        self.brume('up', '--detach', '--offline', '--port', '0')
        status = self.status()
        self.port, self.pid = status['port'], status['pid']

    def status(self):
        return json.loads(self.brume('status', '--json').stdout)

    def keeper(self):
        run = self.status()['run']
        for entry in pathlib.Path('/proc').iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / 'cmdline').read_bytes().replace(b'\0', b' ').decode(errors='replace')
                except OSError:
                    continue
                if ' keep ' in line and run in line:
                    return int(entry.name)
        return None

    def client(self, service, key='test', secret='test', **config):
        import boto3
        from botocore.config import Config
        options = {'s3': {'addressing_style': 'path'}, 'retries': {'max_attempts': 0}, **config}
        return boto3.client(service, endpoint_url=f'http://127.0.0.1:{self.port}', region_name=REGION,
                            aws_access_key_id=key, aws_secret_access_key=secret, config=Config(**options))

    def remove(self):
        self.brume('down', '--delete', '--yes')
        shutil.rmtree(self.state, ignore_errors=True)


NGINX = """
daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600; client_max_body_size 0;
  client_body_temp_path {directory}/a; proxy_temp_path {directory}/b; fastcgi_temp_path {directory}/c;
  uwsgi_temp_path {directory}/d; scgi_temp_path {directory}/e;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "{answer}"; }} }}
}}
"""


class Nginx:
    """Answers any request with a text of 400 bytes, kept connections, one worker, no log."""

    def __init__(self):
        program = shutil.which('nginx') or str(TOOLS / 'nginx/usr/sbin/nginx')
        self.directory, self.port = tempfile.mkdtemp(prefix='brume-bench-nginx-'), free_port()
        path = pathlib.Path(self.directory, 'conf')
        path.write_text(NGINX.format(directory=self.directory, port=self.port, answer='x' * 400))
        os.chmod(self.directory, 0o711)
        self.process = subprocess.Popen([program, '-p', self.directory, '-c', str(path)])
        wait_for_port(self.port)
        self.pids = family(self.process.pid)
        while len(self.pids) < 2:  # the master and its worker
            time.sleep(0.01)
            self.pids = family(self.process.pid)

    def remove(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def wait_for_port(port, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise TimeoutError(f'nothing listens on port {port}')


def replay(port, path, count, connections, address='127.0.0.1', inside=()):
    """`inside`: the words of an nsenter, for what listens in another network namespace."""
    done = subprocess.run([*inside, TOOLS / 'replay', address, str(port), str(connections), str(count), path],
                          capture_output=True, text=True, check=True)
    if done.stderr:
        sys.stderr.write(done.stderr)
    return json.loads(done.stdout)
