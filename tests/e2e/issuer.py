"""An identity provider like GitHub's, run inside the cloud's internet namespace by test_identity_federation.py.

issuer.py DIRECTORY ADDRESS: serves the directory's files over HTTPS on ADDRESS, which it gives itself, until its input
ends. The directory holds cert.pem and key.pem. Prints "ready" when it listens.
"""
import http.server
import pathlib
import ssl
import subprocess
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = pathlib.Path(sys.argv[1], self.path.strip('/').replace('/', '_'))
        body = path.read_bytes() if path.exists() else b''
        self.send_response(200 if path.exists() else 404)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    directory, address = sys.argv[1:]
    subprocess.run(['ip', 'address', 'add', f'{address}/32', 'dev', 'lo'], check=True)
    try:
        server = http.server.ThreadingHTTPServer((address, 443), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f'{directory}/cert.pem', f'{directory}/key.pem')
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print('ready', flush=True)
        sys.stdin.read()
        server.shutdown()
    finally:
        subprocess.run(['ip', 'address', 'del', f'{address}/32', 'dev', 'lo'], check=False)


if __name__ == '__main__':
    main()
