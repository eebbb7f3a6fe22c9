"""SDP as far as the phones need it: making offers, reading where media goes (RFC 8866)."""

import re
from dataclasses import dataclass, field


@dataclass
class Media:
    """One m-line. `address` is its own c= or the session's."""

    kind: str
    port: int
    profile: str
    formats: list
    address: str
    lines: list = field(default_factory=list)

    @property
    def rtcp_port(self):
        for line in self.lines:
            if found := re.match(r"a=rtcp:(\d+)", line):
                return int(found.group(1))
        return self.port + 1


def read(body):
    """The m-lines of an SDP body (bytes) in order. ValueError if it is none."""
    lines = body.decode("utf-8").splitlines()
    if not lines or lines[0] != "v=0":
        raise ValueError(f"not SDP: {body[:60]!r}")
    session_address, medias = "", []
    for line in lines:
        if line.startswith("m="):
            kind, port, profile, *formats = line[2:].split()
            medias.append(Media(kind, int(port.split("/")[0]), profile, formats, session_address))
        elif line.startswith("c="):
            address = line.split()[2]
            if medias:
                medias[-1].address = address
            else:
                session_address = address
        elif medias:
            medias[-1].lines.append(line)
    return medias


def write(address, medias, *, user="-", version=1):
    """An SDP body with `medias`: (kind, port, formats, attribute lines)."""
    family = "IP6" if ":" in address else "IP4"
    lines = ["v=0", f"o={user} {version} {version} IN {family} {address}", "s=Session SIP/SDP", f"c=IN {family} {address}", "t=0 0"]
    for kind, port, formats, attributes in medias:
        lines += [f"m={kind} {port} RTP/AVP {' '.join(formats)}", *attributes]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8")


def audio(address, port, *, user="-"):
    """An ordinary offer or answer: PCMA at 20 ms and telephone-event."""
    attributes = ["a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "a=sendrecv"]
    return write(address, [("audio", port, ["8", "101"], attributes)], user=user)
