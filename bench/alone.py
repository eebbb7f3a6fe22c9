"""One bench at a time on a machine, whatever checkout it is of: two would measure each other."""

import contextlib
import errno
import socket
import struct

# A name in the kernel, so that a bench that is killed leaves nothing.
_NAME = "\0sluice-bench"
_CREDENTIALS = struct.Struct("3i")


class Busy(Exception):
    """Another bench runs; the text says which."""


@contextlib.contextmanager
def alone():
    """No other bench runs during the block. Busy if one does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as claim:
        try:
            claim.bind(_NAME)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise Busy(f"another bench runs{_holder()}, and two would measure each other: wait for its end") from None
        claim.listen()
        yield


def _holder():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(_NAME)
        except OSError:
            return ""
        process, _, _ = _CREDENTIALS.unpack(probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        return f" (process {process})"
