"""Steady load, run inside the cloud: load.py URL RATE [THREADS [TIMEOUT]]. Prints `started` at the first answer; when its
standard input ends it stops and prints one JSON document with every request: [number, started, seconds, status, task].

Half of the threads keep their connection, half open a new one for each request, as clients do. A request without an
answer has status 0. `n` in the query numbers the requests, so that the servers' logs can be compared with them. The
name is looked up once: the daemon answers DNS, and flows must go on without it.
"""
import http.client
import itertools
import json
import select
import socket
import sys
import threading
import time
import urllib.parse


class Load:
    def __init__(self, url, rate, threads=4, timeout=10):
        self.timeout = timeout
        self.url, self.pause = urllib.parse.urlsplit(url), threads / rate
        found = socket.getaddrinfo(self.url.hostname, self.url.port or 80, socket.AF_INET, socket.SOCK_STREAM)
        self.addresses = itertools.cycle(sorted({each[4] for each in found}))
        # No other load has the same numbers: a log holds the lines of several.
        self.numbers, self.lock = itertools.count(int(time.time() * 1e6)), threading.Lock()
        self.records, self.stop, self.started = [], threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(index % 2 == 0,)) for index in range(threads)]

    def connect(self):
        with self.lock:
            address, port = next(self.addresses)
        return http.client.HTTPConnection(address, port, timeout=self.timeout)

    def ask(self, connection, number, keep):
        headers = {'Host': self.url.netloc, **({} if keep else {'Connection': 'close'})}
        connection.request('GET', f'{self.url.path or "/whoami"}?n={number}', headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        try:
            task = json.loads(body).get('task', '')
        except ValueError:
            task = ''
        return answer.status, task, answer.will_close

    def run(self, keep):
        connection = None
        while not self.stop.is_set():
            number, begun = next(self.numbers), time.time()
            status, task, closes = 0, '', True
            try:
                connection = connection or self.connect()
                status, task, closes = self.ask(connection, number, keep)
                self.started.set()
            except (OSError, http.client.HTTPException) as error:
                task = f'{type(error).__name__}: {error}'
            if connection and (closes or not keep or status == 0):
                connection.close()
                connection = None
            taken = time.time() - begun
            with self.lock:
                self.records.append([number, round(begun, 4), round(taken, 4), status, task])
            self.stop.wait(max(0, self.pause - taken))

    def main(self):
        for thread in self.threads:
            thread.start()
        self.started.wait(60)
        print('started', flush=True)
        select.select([sys.stdin], [], [])
        self.stop.set()
        for thread in self.threads:
            thread.join()
        print(json.dumps(sorted(self.records)), flush=True)


if __name__ == '__main__':
    Load(sys.argv[1], *[float(word) if at == 0 else int(word) for at, word in enumerate(sys.argv[2:])]).main()
