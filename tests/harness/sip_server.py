"""A server that SIP peers connect to by TLS: it keeps what they say."""

import socket
import ssl
import threading

from harness.served_socket import ServedSocket


class TlsListener(ServedSocket):
    """Listens at `address`:`port` in `namespace` and shows `certificate` (PEM files: certificate and key). `answer(message)` makes the bytes
    that each whole message without a body is answered by.

    `greeted`: connections so far. `messages`: what came by them.
    """

    def __init__(self, namespace, address, port, certificate, answer):
        self.greeted = 0
        self.messages = []
        self._answer = answer
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        with namespace.entered():
            own_socket = socket.create_server((address, port))
        self._start(own_socket)

    def _serve(self):
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            self.greeted += 1
            threading.Thread(target=self._greet, args=(plain,), daemon=True).start()

    def _greet(self, plain):
        plain.settimeout(5)
        try:
            with self._context.wrap_socket(plain, server_side=True) as secure:
                self._talk(secure)
        except (OSError, ssl.SSLError):
            plain.close()

    def _talk(self, secure):
        buffer = b""
        while data := secure.recv(65535):
            buffer += data
            while b"\r\n\r\n" in buffer:
                message, _, buffer = buffer.partition(b"\r\n\r\n")
                self.messages.append(message.decode())
                secure.sendall(self._answer(self.messages[-1]))
