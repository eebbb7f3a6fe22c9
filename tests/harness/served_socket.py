"""A socket of a test's own server, and the thread that serves it."""

import contextlib
import socket
import threading


class ServedSocket:
    """`_serve` of a subclass runs in a thread of its own until the end of the `with` block, which ends its recvfrom or accept: by nothing, or by OSError."""

    def _start(self, own_socket):
        self._socket = own_socket
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        # UDP complains that nobody is connected, and ends all the same.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
