"""SIP over UDP and TCP as whole messages."""

import re
import select
import socket
import time


class UdpTransport:
    """One UDP socket in the namespace of the phone. Any peer may send to it."""

    name = "UDP"

    def __init__(self, namespace, address, port):
        with namespace.entered():
            self._socket = socket.socket(family_of(address), socket.SOCK_DGRAM)
            self._socket.bind((address, port))

    def send(self, data, destination):
        self._socket.sendto(data, destination)

    def receive(self, timeout):
        """The next datagram and its sender; (None, None) after `timeout` seconds."""
        self._socket.settimeout(max(timeout, 0.001))
        try:
            data, source = self._socket.recvfrom(65535)
        except TimeoutError:
            return None, None
        return data, source[:2]

    def close(self):
        self._socket.close()


class TcpTransport:
    """One TCP connection, made at the first send; messages are cut out by Content-Length (RFC 3261 18.3)."""

    name = "TCP"

    def __init__(self, namespace, address, port):
        with namespace.entered():
            self._socket = socket.socket(family_of(address), socket.SOCK_STREAM)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address, port))
        self._peer = None
        self._buffer = b""

    def send(self, data, destination):
        if self._peer is None:
            self._socket.settimeout(5)
            self._socket.connect(destination)
            self._peer = destination
        self._socket.sendall(data)

    def receive(self, timeout):
        """The next message and the peer; (None, None) after `timeout` seconds or when the peer has closed."""
        deadline = time.monotonic() + timeout
        while True:
            if message := self._cut():
                return message, self._peer
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                return None, None
            data = self._socket.recv(65535)
            if not data:
                return None, None
            self._buffer += data

    def close(self):
        self._socket.close()

    def _cut(self):
        self._buffer = self._buffer.lstrip(b"\r\n")
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = re.search(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(\d+)", head, re.IGNORECASE)
        size = int(length.group(1)) if length else 0
        if len(rest) < size:
            return None
        self._buffer = rest[size:]
        return head + separator + rest[:size]


TRANSPORTS = {"udp": UdpTransport, "tcp": TcpTransport}


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def host(address):
    """`address` as it stands in URIs and Via."""
    return f"[{address}]" if ":" in address else address
