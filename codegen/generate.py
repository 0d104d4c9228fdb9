#!/usr/bin/env python3
"""Writes a service's generated C++: generate.py ROOT SERVICE OUT makes OUT/gen/SERVICE.h and OUT/SERVICE_*.cpp.

generate.py ROOT --names OUT makes OUT/operation_names.cpp from models/operations.txt.
"""
import pathlib
import sys

import handlers
import header
import names
import tables
from model import Model, ModelError


def write(path, text):
    """Only what has changed is written, so that nothing else is built again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    root, service, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    if service == '--names':
        write(out / 'operation_names.cpp', names.render(root))
        return
    try:
        model = Model(root, service)
        write(out / 'gen' / f'{service}.h', header.render(model))
        write(out / f'{service}_tables.cpp', tables.Tables(model).render())
        write(out / f'{service}_handlers.cpp', handlers.render(model))
    except ModelError as error:
        sys.exit(f'codegen: {error}')


if __name__ == '__main__':
    main()
