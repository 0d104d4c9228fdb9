"""A cloud of its own for a test file: its daemon, and the clients that speak to it."""
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import boto3
from botocore.config import Config

from network import on_host
from traces import Traces
from waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get('BRUME', ROOT / 'build/dev/brume'))
AWS = '/usr/bin/aws'  # Debian's version 2; a pip-installed one of another version may come first in the path
REGION = 'eu-west-1'


def has_ended(pid):
    """With all threads: the first may be a zombie while the others still hold the files, and the store's lock."""
    try:
        is_zombie = ' Z ' in pathlib.Path(f'/proc/{pid}/stat').read_text()
        return is_zombie and os.listdir(f'/proc/{pid}/task') == [str(pid)]
    except (FileNotFoundError, ProcessLookupError):
        return True


class CommandFailed(AssertionError):
    def __init__(self, command, done):
        self.code, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        words = ' '.join(str(word) for word in command)
        super().__init__(f'{words}\nended with {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}')


def clean_environment():
    """The caller's, without anything that leads a client elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(('AWS_', 'TF_', 'BRUME_'))}
    return dict(kept, AWS_CONFIG_FILE='/dev/null', AWS_SHARED_CREDENTIALS_FILE='/dev/null', AWS_PAGER='',
                TF_IN_AUTOMATION='1', TF_INPUT='0', CHECKPOINT_DISABLE='1')


class Cloud:
    program = str(PROGRAM)

    def __init__(self, *options, host=False):
        """`host`: in the host's own network namespace, for the test of the real internet."""
        self.state = tempfile.mkdtemp(prefix='bm-', dir='/tmp')
        self.options, self.host = options, host
        self.port = self.pid = None
        self.work = pathlib.Path(tempfile.mkdtemp(prefix='bmw-', dir='/tmp'))

    # The daemon.

    def brume(self, *words, check=True, timeout=120, env=None, cwd=None, input=None):
        command = [str(PROGRAM), '--state', self.state, *[str(word) for word in words]]
        command = on_host(command) if self.host else command
        # Text files and not pipes: what a daemon leaves open must not keep this waiting.
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=cwd, errors='replace',
                              env=dict(clean_environment(), **(env or {})), input=input,
                              stdin=subprocess.DEVNULL if input is None else None)
        if check and done.returncode != 0:
            raise CommandFailed(command, done)
        return done

    def up(self, env=None):
        self.brume('up', '--detach', '--port', self.port or 0, *self.options, env=env)
        status = self.status()
        self.port, self.pid = status['port'], status['pid']
        return self

    def status(self):
        return json.loads(self.brume('status', '--json').stdout)

    def kill(self):
        """kill -9 of the daemon alone; returns when it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self.await_end()

    def await_end(self):
        """Of a daemon that is killed, by a fault or from here."""
        wait_until(lambda: has_ended(self.pid), 10, 'the end of the daemon')

    def delete(self):
        """Down and away; returns what was left behind, in words."""
        identity = pathlib.Path(self.state, 'id')
        if not identity.exists():
            return []
        identity = identity.read_text().strip()
        running = self.brume('status', '--json', check=False)
        traces = Traces(json.loads(running.stdout) if running.returncode == 0 else
                        {'id': identity, 'run': f'/run/brume/{identity}', 'state': self.state, 'pid': None})
        self.brume('down', '--delete', '--yes')
        return traces.left()

    def log(self):
        path = pathlib.Path(self.state, 'brume.log')
        return path.read_text(errors='replace') if path.exists() else ''

    # Tools inside, by their real names and hosts.

    def exec(self, *command, check=True, timeout=300, env=None, cwd=None, input=None):
        return self.brume('exec', '--', *command, check=check, timeout=timeout, env=env, cwd=cwd or self.work,
                          input=input)

    def start(self, *command, env=None, real=False, **options):
        """A tool inside that runs on; a Popen. `real`: by the machine's clock, whatever the cloud's is."""
        words = ['exec', *(['--real'] if real else []), '--', *[str(word) for word in command]]
        return subprocess.Popen([str(PROGRAM), '--state', self.state, *words],
                                env=dict(clean_environment(), **(env or {})), cwd=self.work, text=True, **options)

    def aws(self, *words, check=True, region=REGION, credentials=None):
        """The aws cli's answer as a value; without check the finished process."""
        env = {'AWS_DEFAULT_REGION': region, 'AWS_MAX_ATTEMPTS': '1', **(credentials or {})}
        done = self.exec(AWS, *words, '--output', 'json', check=check, env=env)
        if not check:
            return done
        return json.loads(done.stdout) if done.stdout.strip() else None

    def python(self, script, *words, **options):
        return self.exec(sys.executable, '-c', script, *words, **options)

    def terraform(self, directory, *words, check=True, timeout=900, env=None, speed=None):
        """`speed`: of cloud time while it runs, for the provider's own waits."""
        if speed:
            self.brume('clock', 'speed', speed)
            try:
                return self.terraform(directory, *words, check=check, timeout=timeout, env=env)
            finally:
                self.brume('clock', 'speed', 1)
        return self.exec('terraform', f'-chdir={directory}', *words, check=check, timeout=timeout,
                         env={'TF_CLI_CONFIG_FILE': terraform_configuration(), **(env or {})})

    # SDKs outside, through the loopback port.

    def client(self, service, region=REGION, key='test', secret='test', token=None, **config):
        options = {'retries': {'max_attempts': 1}, 'connect_timeout': 5, 'read_timeout': 60, **config}
        return boto3.client(service, endpoint_url=f'http://127.0.0.1:{self.port}', region_name=region,
                            aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
                            config=Config(**options))

    def session_client(self, service, credentials, **options):
        """As the temporary credentials of an AssumeRole answer."""
        return self.client(service, key=credentials['AccessKeyId'], secret=credentials['SecretAccessKey'],
                           token=credentials.get('SessionToken'), **options)


def terraform_configuration():
    """The Terraform settings that name a mirror of the providers, since clouds under test are offline."""
    path = ROOT / 'build/terraform.rc'
    with open(ROOT / 'build/terraform.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            subprocess.run(on_host([str(ROOT / 'tools/terraform-config'), str(path), '--fetch']), check=True,
                           stdout=subprocess.DEVNULL)
    return str(path)
