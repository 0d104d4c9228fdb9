#!/usr/bin/env python3
"""Brume's figures, each beside what it is to be judged by: figures.py [SECTION [WORDS]]. See README.md."""
import importlib
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import world  # noqa: E402

SECTIONS = ['start', 'request_cost', 'task_start', 'balancing', 'network_cost', 'many', 'plan', 'clock', 'turned_terraform']


def main():
    if os.geteuid() != 0:
        sys.exit('skipped: namespaces need root here')
    world.leave_host()
    wanted = sys.argv[1:2] if len(sys.argv) > 1 and sys.argv[1] != 'all' else SECTIONS
    for section in wanted:
        importlib.import_module(section).run(*sys.argv[2:])


if __name__ == '__main__':
    main()
