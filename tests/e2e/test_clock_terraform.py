"""terraform apply and destroy of the hello system at speed 20 against speed 1, in one run: waits, wall time, drift,
resources. bench/turned_terraform.py has the figures."""
import os

import pytest

from hello import SPEED, Hello
from pauses import Pauses

pytestmark = pytest.mark.nightly


def test_apply_and_destroy_shrink(cloud):
    """Terraform's own work is the same at any speed, and longer on a busy machine; what it waits shrinks by the speed."""
    hello = Hello(cloud).deploy()
    resources = hello.terraform('state', 'list').stdout
    # The repository stays: the image is in it.
    targets = [f'-target={name}' for name in resources.split() if not name.startswith(('data.', 'aws_ecr'))]
    took = {}
    for speed in (SPEED, 1):
        for act, words in ('destroy', targets), ('apply', []):
            with Pauses(cloud.pid, os.getpid()) as took[act, speed]:
                hello.terraform(act, '-no-color', '-auto-approve', *words, speed=speed)
        assert hello.terraform('plan', '-no-color', '-detailed-exitcode', check=False).returncode == 0
        assert hello.terraform('state', 'list').stdout == resources
    for act in ('apply', 'destroy'):
        fast, slow = took[act, SPEED], took[act, 1]
        print(f'{act}: {slow.seconds:.1f} s at speed 1, {fast.seconds:.1f} s at {SPEED}: ratio '
              f'{slow.seconds / fast.seconds:.1f}; waits {slow.waited:.2f} s and {fast.waited:.2f} s: ratio '
              f'{slow.waited / fast.waited:.1f}; the rest {slow.seconds - slow.waited:.1f} s and '
              f'{fast.seconds - fast.waited:.1f} s')
        assert slow.waited > 10 and slow.waited > SPEED / 2 * fast.waited
    assert took['apply', 1].seconds > 2 * took['apply', SPEED].seconds
