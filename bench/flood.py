"""./dev bench flood: calls of people who have accounts while a stranger sends ten times as many INVITEs without credentials as the server takes calls at its best."""

import multiprocessing
import socket
import time
from dataclasses import dataclass

from bench import call_load, call_servers
from bench.call_servers import SERVER, SIP_PORT, STRANGER
from bench.row import Row, report
from harness.work_folder import WorkFolder

_BODY = f"v=0\r\no=- 1 1 IN IP4 {STRANGER}\r\ns=-\r\nc=IN IP4 {STRANGER}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
# An INVITE in three parts, between which the number of the call stands.
_PARTS = [part.encode() for part in (
    f"INVITE sip:callee@{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP {STRANGER}:5060;rport;branch=z9hG4bK|\r\nFrom: <sip:stranger@{SERVER}>;tag=1\r\n"
    f"To: <sip:callee@{SERVER}>\r\nCall-ID: |@{STRANGER}\r\nCSeq: 1 INVITE\r\nContact: <sip:stranger@{STRANGER}>\r\nMax-Forwards: 70\r\n"
    f"Content-Type: application/sdp\r\nContent-Length: {len(_BODY)}\r\n\r\n{_BODY}").split("|")]
_SLICE_SECONDS = 0.005


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    first_rate: float = 200
    growth: float = 1.5
    highest_rate: float = 6000
    step_seconds: float = 3
    flood_seconds: float = 40
    good_rate: float = 100


def send_flood(namespace, rate, seconds, sent):
    """Sends different INVITEs, all from one socket, and reads no answer."""
    with namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((STRANGER, 5060))
        stranger.connect((SERVER, SIP_PORT))
        start = time.monotonic()
        while (passed := time.monotonic() - start) < seconds:
            while sent.value < rate * passed:
                number = b"%d" % sent.value
                stranger.send(number.join(_PARTS))
                sent.value += 1
            time.sleep(_SLICE_SECONDS)


def flooded(server, load, flood_rate, size):
    """A run of good calls in the middle of a flood, the flood's real rate, and the most memory that was seen."""
    sent = multiprocessing.Value("Q", 0, lock=False)
    flood = multiprocessing.Process(target=send_flood, args=(server.namespace, flood_rate, size.flood_seconds, sent), daemon=True)
    before = server.resident_bytes()
    flood.start()
    try:
        time.sleep(min(2.0, size.flood_seconds / 4))
        run = load.run(size.good_rate, size.flood_seconds - min(6.0, size.flood_seconds / 2))
        grown = server.resident_bytes() - before
        flood.join(size.flood_seconds + 10)
    finally:
        flood.kill()
    return run, sent.value / size.flood_seconds, grown


def run(out, rounds, size=Size()):
    good = Row("flood-good-calls", {"flood": "10x", "good": f"{size.good_rate:g}/s"}, "%", 99)
    memory = Row("flood-memory", {"flood": "10x", "seconds": size.flood_seconds}, "MiB", 64, higher_is_better=False)
    for number in range(rounds):
        with WorkFolder() as folder, call_servers.sluice(folder) as server, call_load.CallLoad(server) as load:
            clean = load.highest_clean_run(size.first_rate, size.growth, size.step_seconds, size.highest_rate)
            if clean is None:
                raise RuntimeError(f"calls failed or were late at {size.first_rate:g} a second already, without a flood")
            highest = clean.rate
            calls, rate, grown = flooded(server, load, 10 * highest, size)
        good.ours.append(100 * calls.good / calls.calls)
        good.note = memory.note = f"{rate:.0f} of {10 * highest:.0f} INVITEs a second were sent"
        memory.ours.append(grown / 2**20)
        print(f"  round {number + 1}: {good.ours[-1]:.2f} % of {calls.calls} calls were good beside {rate:.0f} INVITEs a second, memory grew by {memory.ours[-1]:.1f} MiB", flush=True)
    rows = [good, memory]
    report(rows, out)
    return all(row.met() for row in rows)
