"""SIP over UDP, TCP, TLS and WebSocket as whole messages."""

import re
import select
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
            message, self._buffer = _cut(self._buffer)
            if message:
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


class TlsTransport(TcpTransport):
    """TCP with TLS, which believes the authority of `ca_file` only. `certificate`: what it shows, PEM files of the certificate and its key."""

    name = "TLS"

    def __init__(self, namespace, address, port, *, ca_file, certificate=None):
        super().__init__(namespace, address, port)
        self._context = ssl.create_default_context(cafile=ca_file)
        if certificate:
            self._context.load_cert_chain(*certificate)

    def _connect(self, destination):
        super()._connect(destination)
        self._socket = self._context.wrap_socket(self._socket, server_hostname=destination[0])


class TlsServerTransport:
    """A server of TLS whose clients must show a certificate of `ca_file`; it shows `certificate`. All that comes by any connection is received.

    `clients`: the certificate of each client, by the address and port of its connection. `refused`: how many were not let in.
    """

    name = "TLS"

    def __init__(self, namespace, address, port, *, ca_file, certificate):
        self.clients = {}
        self.refused = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        self._context.load_verify_locations(ca_file)
        self._context.verify_mode = ssl.CERT_REQUIRED
        # By the other end's address and port: the connection and what of a message has come by it.
        self._connections = {}
        with namespace.entered():
            self._listener = socket.create_server((address, port))

    def send(self, data, destination):
        """By the connection from there; if there is none, by the latest."""
        connection, _ = self._connections.get(destination) or list(self._connections.values())[-1]
        connection.sendall(data)

    def receive(self, timeout):
        """The next message and its sender; (None, None) after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            for peer, (connection, buffer) in self._connections.items():
                message, buffer = _cut(buffer)
                self._connections[peer] = connection, buffer
                if message:
                    return message, peer
            sockets = {self._listener: None, **{connection: peer for peer, (connection, _) in self._connections.items()}}
            ready, _, _ = select.select(sockets, [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                return None, None
            for one in ready:
                self._greet() if one is self._listener else self._read(sockets[one])

    def drop_clients(self):
        """Closes all connections."""
        for connection, _ in self._connections.values():
            connection.close()
        self._connections.clear()

    def close(self):
        self.drop_clients()
        self._listener.close()

    def _greet(self):
        plain, peer = self._listener.accept()
        plain.settimeout(_CONNECT_SECONDS)
        try:
            secure = self._context.wrap_socket(plain, server_side=True)
        except (OSError, ssl.SSLError):
            self.refused += 1
            plain.close()
            return
        self.clients[peer] = secure.getpeercert()
        self._connections[peer] = secure, b""

    def _read(self, peer):
        connection, buffer = self._connections[peer]
        data = connection.recv(65535)
        # What TLS has read beyond this is nothing that select could tell of.
        while connection.pending():
            data += connection.recv(65535)
        if data:
            self._connections[peer] = connection, buffer + data
        else:
            connection.close()
            del self._connections[peer]


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


TRANSPORTS = {"udp": UdpTransport, "tcp": TcpTransport, "tls": TlsTransport, "tls-server": TlsServerTransport, "ws": WebSocketTransport,
              "wss": WebSocketTransport}


def _cut(buffer):
    """The first whole message of `buffer`, or None, and what is left of it."""
    buffer = buffer.lstrip(b"\r\n")
    head, separator, rest = buffer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(\d+)", head, re.IGNORECASE)
    size = int(length.group(1)) if length else 0
    if not separator or len(rest) < size:
        return None, buffer
    return head + separator + rest[:size], rest[size:]


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def host(address):
    """`address` as it stands in URIs and Via."""
    return f"[{address}]" if ":" in address else address
