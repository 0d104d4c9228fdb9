"""terraform apply and destroy of the hello system at speed 20 against speed 1, in one run: wall time, drift, resources."""
import time

import pytest

from hello import SPEED, Hello

pytestmark = pytest.mark.nightly


def timed(act):
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def test_apply_and_destroy_shrink(cloud):
    hello = Hello(cloud).deploy()
    resources = hello.terraform('state', 'list').stdout
    took = {}
    for speed in (SPEED, 1):
        # The repository stays: the image is in it.
        names = [name for name in resources.split() if not name.startswith(('data.', 'aws_ecr'))]
        targets = [f'-target={name}' for name in names]
        took['destroy', speed] = timed(
            lambda: hello.terraform('destroy', '-no-color', '-auto-approve', *targets, speed=speed))
        took['apply', speed] = timed(lambda: hello.terraform('apply', '-no-color', '-auto-approve', speed=speed))
        assert hello.terraform('plan', '-no-color', '-detailed-exitcode', check=False).returncode == 0
        assert hello.terraform('state', 'list').stdout == resources
    for act in ('apply', 'destroy'):
        print(f'{act}: {took[act, 1]:.1f} s at speed 1, {took[act, SPEED]:.1f} s at {SPEED}: '
              f'ratio {took[act, 1] / took[act, SPEED]:.1f}')
    assert took['apply', 1] > 2 * took['apply', SPEED]
