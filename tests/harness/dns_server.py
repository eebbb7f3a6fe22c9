"""A DNS server for a test's own names (RFC 1035): A, SRV and NAPTR over UDP; of all else it says that there is none."""

import socket
import struct

from harness.served_socket import ServedSocket

_A, _SRV, _NAPTR = 1, 33, 35
_NO_SUCH_NAME = 3


def address(text):
    """The record of an IPv4 address."""
    return _A, socket.inet_aton(text)


def service(priority, weight, port, target):
    """An SRV record (RFC 2782)."""
    return _SRV, struct.pack("!HHH", priority, weight, port) + _name(target)


def pointer(order, preference, flags, kind, target, rule=""):
    """A NAPTR record (RFC 3403): `kind` of service ("SIP+D2U"), and where it stands or the rule that says so."""
    texts = b"".join(bytes([len(text)]) + text.encode() for text in (flags, kind, rule))
    return _NAPTR, struct.pack("!HH", order, preference) + texts + _name(target)


class DnsServer(ServedSocket):
    """Answers at `address`:`port` in `namespace` from `records`, a dict from names to lists of `address`, `service` and `pointer`.

    The records may be replaced while it runs. `asked`: the names of all questions so far.
    """

    def __init__(self, namespace, own_address, port, records, lifetime=1):
        self.records = records
        self.asked = []
        self._lifetime = lifetime
        with namespace.entered():
            own_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            own_socket.bind((own_address, port))
        self._start(own_socket)

    def _serve(self):
        while True:
            try:
                question, source = self._socket.recvfrom(512)
            except OSError:
                return
            if not question:
                return
            self._socket.sendto(self._answer(question), source)

    def _answer(self, message):
        name, end = _read_name(message, 12)
        kind, = struct.unpack_from("!H", message, end)
        question = message[12:end + 4]
        self.asked.append(name)
        known = self.records.get(name)
        found = [data for of_kind, data in known or [] if of_kind == kind]
        answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, self._lifetime, len(data)) + data for data in found)
        flags = 0x8580 | (0 if known else _NO_SUCH_NAME)
        return message[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) + question + answers


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def _read_name(message, at):
    labels = []
    while size := message[at]:
        labels.append(message[at + 1:at + 1 + size].decode())
        at += 1 + size
    return ".".join(labels).lower(), at + 1
