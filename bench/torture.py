"""./dev bench --jar FILE torture: the cases of PROTOS c07-sip (c07-sip-r2.jar, which is not part of this tree), sent to a controller that must not care.

Every case is sent twice: by a stranger, so that it ends at the digest, and by a trunk, so that the call machine and SDP meet it too; with an ACK and a teardown, as the suite does. Messages that no
datagram carries go by TCP. After each batch the controller must answer an OPTIONS, and at the end its memory must not have grown beyond what its transactions take.
"""

import itertools
import socket
import time
from dataclasses import dataclass

from bench import call_servers, protos
from bench.call_servers import CALLER, SERVER, SIP_PORT, STRANGER
from bench.row import Row, report
from harness.work_folder import WorkFolder

TRUNK = "198.18.9.10"
_TEARDOWN = b"CANCEL"
_MOST_OF_A_DATAGRAM = 65507
_ANSWER_SECONDS = 3

_TRUNK_CONFIG = f"""\
abuse: {{requests_per_second: 0}}
trunks:
  - {{name: torture, peers: [{{transport: udp, address: "{TRUNK}:5060"}}], inbound_addresses: ["{TRUNK}"]}}
"""


@dataclass(frozen=True)
class Size:
    """How much is sent. `cases`: at most so many; 0: all."""

    cases: int = 0
    batch: int = 100
    pause_seconds: float = 0.002


class Sender:
    """One peer at `address`, with a socket of its own."""

    def __init__(self, namespace, address):
        self._address = address.encode()
        self._namespace = namespace
        with namespace.entered():
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((address, 5060))
        self._udp.setblocking(False)

    def close(self):
        self._udp.close()

    def send(self, messages, number):
        """A case; each message with its own CSeq, as the suite numbers them."""
        for cseq, message in enumerate(messages, 1):
            filled = protos.fill(message, {
                "To": b"callee@" + SERVER.encode(), "From": b"torture@" + self._address, "From-Address": self._address, "From-IP": self._address, "Local-Port": b"5060",
                "Call-ID": b"%d" % number, "Branch-ID": b"%d" % number, "CSeq": b"%d" % cseq, "Teardown-Method": _TEARDOWN})
            if len(filled) <= _MOST_OF_A_DATAGRAM:
                self._udp.sendto(filled, (SERVER, SIP_PORT))
            else:
                self._send_by_tcp(filled)
        self._discard()

    def answers(self, number):
        """Whether an OPTIONS is answered."""
        self._discard()
        options = (f"OPTIONS sip:{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP {self._address.decode()}:5060;rport;branch=z9hG4bKalive{number}\r\nFrom: <sip:alive@{SERVER}>;tag=1\r\n"
                   f"To: <sip:{SERVER}>\r\nCall-ID: alive{number}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
        self._udp.settimeout(_ANSWER_SECONDS)
        try:
            self._udp.sendto(options.encode(), (SERVER, SIP_PORT))
            while f"alive{number}" not in (answer := self._udp.recv(65536).decode(errors="replace")):
                pass
            return answer.startswith("SIP/2.0 200")
        except TimeoutError:
            return False
        finally:
            self._udp.setblocking(False)

    def _send_by_tcp(self, message):
        with self._namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            connection.bind((self._address.decode(), 0))
            try:
                connection.connect((SERVER, SIP_PORT))
                connection.sendall(message)
            except OSError:
                # The controller may hang up on what is too long.
                pass

    def _discard(self):
        try:
            while True:
                self._udp.recv(65536)
        except BlockingIOError:
            pass


def endure(server, senders, watcher, cases, size):
    """Answers after how many cases of each sender the controller still answered, and the most memory that it grew by."""
    before, grown, endured = server.resident_bytes(), 0, 0
    numbers = itertools.count(1)
    for start in range(0, len(cases), size.batch):
        batch = cases[start:start + size.batch]
        for case in batch:
            for sender in senders:
                sender.send(case, next(numbers))
            time.sleep(size.pause_seconds)
        if not watcher.answers(next(numbers)):
            break
        endured += len(batch)
        grown = max(grown, server.resident_bytes() - before)
    return endured, grown


def run(out, _rounds, jar, size=Size()):
    cases = protos.read(jar)[:size.cases or None]
    endured = Row("torture-endured", {"cases": len(cases), "peers": "stranger+trunk"}, "cases", len(cases))
    memory = Row("torture-memory", {"cases": len(cases)}, "MiB", 128, higher_is_better=False)
    with WorkFolder() as folder, call_servers.sluice(folder, more_config=_TRUNK_CONFIG) as server:
        server.namespace.ip(f"address add {TRUNK}/32 dev lo")
        peers = [Sender(server.namespace, address) for address in (STRANGER, TRUNK, CALLER)]
        try:
            count, grown = endure(server, peers[:2], peers[2], cases, size)
        finally:
            for peer in peers:
                peer.close()
    endured.ours.append(count)
    memory.ours.append(grown / 2**20)
    report([endured, memory], out)
    return endured.met() and memory.met()
