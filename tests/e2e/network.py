"""A network namespace without a way out, for the tests themselves: a mistake of a client under test reaches nothing.

The daemons that the tests start believe it to be the host's. Only the test of the real internet uses the real one.
"""
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
_host = None


def leave_host():
    """Moves this thread, and whatever it starts, into a network namespace of its own."""
    global _host
    _host = os.open('/proc/self/ns/net', os.O_RDONLY | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'unshare(CLONE_NEWNET)')
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)


def on_host(command):
    """The command, changed so that it runs in the host's own network namespace."""
    return ['nsenter', f'--net=/proc/{os.getpid()}/fd/{_host}', *command] if _host is not None else command
