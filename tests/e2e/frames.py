"""Raw packets inside Brume's own namespaces: made by hand, sent by an attacker, seen by an observer."""
import contextlib
import ctypes
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
ETH_ALL = 3
BROADCAST = b'\xff' * 6
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(path):
    """This thread is in that network namespace; a socket made there stays there."""
    home, there = os.open('/proc/thread-self/ns/net', os.O_RDONLY), os.open(path, os.O_RDONLY)
    try:
        if _libc.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f'setns {path}')
        yield
    finally:
        if _libc.setns(home, CLONE_NEWNET) != 0:
            os._exit(1)  # never go on in the wrong one
        os.close(home)
        os.close(there)


def packet_socket(path, link='eth0'):
    with inside(path):
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
        made.bind((link, ETH_ALL))
        return made


def mac_of(path, link='eth0'):
    return packet_socket(path, link).getsockname()[4]


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ipv4(source, destination, protocol, body):
    def header(check):
        return struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(body), 1, 0, 64, protocol, check,
                           socket.inet_aton(source), socket.inet_aton(destination))
    return header(checksum(header(0))) + body


def udp(source, destination, port, payload, source_port=40000):
    # Without a checksum, which IPv4 allows.
    return ipv4(source, destination, 17, struct.pack('!HHHH', source_port, port, 8 + len(payload), 0) + payload)


def icmp(source, destination, kind, code, rest, payload):
    body = struct.pack('!BBH4s', kind, code, 0, rest) + payload
    return ipv4(source, destination, 1, body[:2] + struct.pack('!H', checksum(body)) + body[4:])


def ethernet(destination, source, kind, body):
    return destination + source + struct.pack('!H', kind) + body


def arp_reply(mac, claimed, to_mac, to):
    return struct.pack('!HHBBH6s4s6s4s', 1, 0x0800, 6, 4, 2, mac, socket.inet_aton(claimed), to_mac, socket.inet_aton(to))


def ipv6(source, destination, payload):
    return struct.pack('!IHBB', 0x60000000, 8 + len(payload), 17, 255) + socket.inet_pton(socket.AF_INET6, source) + \
        socket.inet_pton(socket.AF_INET6, destination) + struct.pack('!HHHH', 5353, 5353, 8 + len(payload), 0) + payload


class Observer:
    """Everything that arrives at an interface."""

    def __init__(self, path, link='eth0'):
        self.socket = packet_socket(path, link)

    def until(self, marker, seconds=5):
        """The frames that arrived before the one that holds `marker`. Frames keep their order, so none comes later."""
        frames = []
        self.socket.settimeout(seconds)
        while True:
            frame, (_, _, kind, *_) = self.socket.recvfrom(65536)
            if kind == socket.PACKET_OUTGOING:
                continue
            if marker in frame:
                return frames
            frames.append(frame)
