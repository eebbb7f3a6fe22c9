"""What a server adds to the set-up of calls, read from a capture of its SIP port, so that the time that SIPp takes does not count.

Call by call, from the INVITE that has the credentials: until the server's 100, and until its 180 less what the callee took. The leg towards the callee is found by the header field X-Caller-Call-ID,
which the caller's scenario sends and servers pass on.
"""

import re
from dataclasses import dataclass, field

from bench.call_servers import CALLEE, CALLER, SERVER

_CALL_ID = re.compile(rb"^Call-ID:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_CALLER_CALL_ID = re.compile(rb"^X-Caller-Call-ID:[ \t]*(\S+)", re.MULTILINE)
_CREDENTIALS = re.compile(rb"^Proxy-Authorization:", re.IGNORECASE | re.MULTILINE)


@dataclass
class Delays:
    """Seconds, one a call, in rising order."""

    trying: list = field(default_factory=list)
    ringing: list = field(default_factory=list)


def percentile(sorted_values, percent):
    """The value that `percent` of 100 do not exceed; of no values: 0."""
    if not sorted_values:
        return 0
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * percent / 100))]


def read(datagrams):
    # First time of each message, by the caller's Call-ID.
    invited, trying, passed_on, rang, ringing = {}, {}, {}, {}, {}
    legs = {}
    for datagram in datagrams:
        message = datagram.payload
        ends = (datagram.source[0], datagram.destination[0])
        found = _CALL_ID.search(message)
        if not found:
            continue
        call_id = found.group(1)
        if ends == (CALLER, SERVER) and message.startswith(b"INVITE ") and _CREDENTIALS.search(message):
            invited.setdefault(call_id, datagram.time)
        elif ends == (SERVER, CALLEE) and message.startswith(b"INVITE ") and (of := _CALLER_CALL_ID.search(message)):
            legs[call_id] = of.group(1)
            passed_on.setdefault(of.group(1), datagram.time)
        elif ends == (CALLEE, SERVER) and message.startswith(b"SIP/2.0 180 "):
            rang.setdefault(legs.get(call_id), datagram.time)
        elif ends == (SERVER, CALLER) and message.startswith(b"SIP/2.0 100 ") and call_id in invited:
            trying.setdefault(call_id, datagram.time)
        elif ends == (SERVER, CALLER) and message.startswith(b"SIP/2.0 180 "):
            ringing.setdefault(call_id, datagram.time)
    delays = Delays()
    for call_id, start in invited.items():
        if call_id in trying:
            delays.trying.append(trying[call_id] - start)
        if call_id in ringing and call_id in rang and call_id in passed_on:
            delays.ringing.append(ringing[call_id] - start - (rang[call_id] - passed_on[call_id]))
    delays.trying.sort()
    delays.ringing.sort()
    return delays
