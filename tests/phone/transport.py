"""SIP over UDP, TCP, TLS and WebSocket as whole messages."""

import re
import socket
import ssl
import time

_CONNECT_SECONDS = 5


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
            self._socket.settimeout(_CONNECT_SECONDS)
            self._connect(destination)
            self._peer = destination
        self._socket.sendall(data)

    def _connect(self, destination):
        self._socket.connect(destination)

    def receive(self, timeout):
        """The next message and the peer; (None, None) after `timeout` seconds or when the peer has closed."""
        deadline = time.monotonic() + timeout
        while True:
            if message := self._cut():
                return message, self._peer
            left = deadline - time.monotonic()
            if left <= 0:
                return None, None
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65535)
            except TimeoutError:
                return None, None
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


class TlsTransport(TcpTransport):
    """TCP with TLS, which believes the authority of `ca_file` only."""

    name = "TLS"

    def __init__(self, namespace, address, port, *, ca_file):
        super().__init__(namespace, address, port)
        self._context = ssl.create_default_context(cafile=ca_file)

    @property
    def server_certificate(self):
        """What the server has shown."""
        return self._socket.getpeercert()

    def _connect(self, destination):
        super()._connect(destination)
        self._socket = self._context.wrap_socket(self._socket, server_hostname=destination[0])


class WebSocketTransport:
    """One WebSocket with the subprotocol sip (RFC 7118), opened at the first send by Debian's websocket-client; over TLS with `ca_file`."""

    def __init__(self, namespace, address, port, *, ca_file=None):
        # Here, so that phones without WebSocket, the demo's among them, need no package for tests.
        import websocket
        self._library = websocket
        self._tcp = (TlsTransport(namespace, address, port, ca_file=ca_file) if ca_file
                     else TcpTransport(namespace, address, port))
        self.name = "WSS" if ca_file else "WS"
        self._web_socket = None
        self._peer = None

    def send(self, data, destination):
        if self._web_socket is None:
            # Of the stream below, only the connection is used.
            self._tcp.send(b"", destination)
            scheme = self.name.lower()
            self._web_socket = self._library.create_connection(
                f"{scheme}://{host(destination[0])}:{destination[1]}/", socket=self._tcp._socket, timeout=_CONNECT_SECONDS,
                subprotocols=["sip"])
            self._peer = destination
        self._web_socket.send(data.decode())

    def receive(self, timeout):
        """The next message and the peer; (None, None) after `timeout` seconds or when the peer has closed."""
        self._web_socket.settimeout(max(timeout, 0.001))
        try:
            data = self._web_socket.recv()
        except (self._library.WebSocketTimeoutException, self._library.WebSocketConnectionClosedException):
            return None, None
        return (data.encode() if isinstance(data, str) else data) or None, self._peer

    def close(self):
        self._tcp.close()


TRANSPORTS = {"udp": UdpTransport, "tcp": TcpTransport, "tls": TlsTransport, "ws": WebSocketTransport, "wss": WebSocketTransport}


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def host(address):
    """`address` as it stands in URIs and Via."""
    return f"[{address}]" if ":" in address else address
