#!/usr/bin/env python3
"""The front door under load: front.py PROGRAM. Presigned requests by wrk on the loopback port, one connection and 32.

wrk needs a core of its own, so on two cores these are the figures of a machine that is half busy with asking.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import boto3
from botocore.config import Config

SECONDS = 5


def wrk(url, connections):
    out = subprocess.run(['wrk', '-t1', f'-c{connections}', f'-d{SECONDS}s', '--latency', url], capture_output=True,
                         text=True, check=True).stdout
    rate = float(re.search(r'Requests/sec:\s+([\d.]+)', out).group(1))
    p50, p99 = (re.search(rf'(?m)^\s+{share}%\s+(\S+)', out).group(1) for share in (50, 99))
    errors = re.search(r'Non-2xx or 3xx responses: (\d+)', out)
    return rate, p50, p99, int(errors.group(1)) if errors else 0


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    state = tempfile.mkdtemp(prefix='brume-bench-')
    up = subprocess.run([program, '--state', state, 'up', '--detach', '--offline', '--port', '0'], capture_output=True,
                        text=True, check=True)
    try:
        port = re.search(r'127\.0\.0\.1:(\d+)', up.stdout).group(1)
        options = dict(endpoint_url=f'http://127.0.0.1:{port}', aws_access_key_id='test', aws_secret_access_key='test',
                       region_name='eu-west-1', config=Config(s3={'addressing_style': 'path'}))
        s3 = boto3.client('s3', **options)
        s3.create_bucket(Bucket='bench', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
        urls = {}
        for name, size in (('1 KiB', 1 << 10), ('1 MiB', 1 << 20)):
            s3.put_object(Bucket='bench', Key=name, Body=b'x' * size)
            urls[f's3 GetObject {name}'] = s3.generate_presigned_url('get_object', {'Bucket': 'bench', 'Key': name})
        sts = boto3.client('sts', **options)
        urls['sts GetCallerIdentity'] = sts.generate_presigned_url('get_caller_identity', {}, HttpMethod='GET')
        print(f'{"request":<26}{"connections":>12}{"requests/s":>12}{"p50":>10}{"p99":>10}{"errors":>8}')
        for name, url in urls.items():
            for connections in (1, 32):
                rate, p50, p99, errors = wrk(url, connections)
                print(f'{name:<26}{connections:>12}{rate:>12.0f}{p50:>10}{p99:>10}{errors:>8}')
    finally:
        subprocess.run([program, '--state', state, 'down', '--delete', '--yes'], check=True, stdout=subprocess.DEVNULL)


if __name__ == '__main__':
    main()
