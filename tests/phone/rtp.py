"""RTP and RTCP packets (RFC 3550) and what a receiver notes about them."""

import struct

HEADER_BYTES = 12
_NTP_EPOCH = 2208988800


def rtp_packet(payload_type, sequence, timestamp, ssrc, payload, marker=False):
    return struct.pack("!BBHII", 0x80, payload_type | (0x80 if marker else 0), sequence & 0xFFFF, timestamp & 0xFFFFFFFF,
                       ssrc) + payload


def read_rtp(data):
    """(payload type, sequence, timestamp, ssrc, payload); ValueError if it is no RTP."""
    if len(data) < HEADER_BYTES or data[0] >> 6 != 2:
        raise ValueError(f"not RTP: {data[:16].hex()}")
    _, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    return second & 0x7F, sequence, timestamp, ssrc, data[HEADER_BYTES + 4 * (data[0] & 0x0F):]


def sender_report(ssrc, now, timestamp, packets, payload_bytes):
    """An RTCP compound of SR and SDES with a CNAME (6.1)."""
    seconds = int(now)
    report = struct.pack("!BBHIIIIII", 0x80, 200, 6, ssrc, (seconds + _NTP_EPOCH) & 0xFFFFFFFF,
                         int((now - seconds) * 2**32), timestamp & 0xFFFFFFFF, packets, payload_bytes)
    name = b"phone@sluice.example"
    item = bytes([1, len(name)]) + name
    chunk = struct.pack("!I", ssrc) + item + b"\0" * (4 - len(item) % 4)
    return report + struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk


class Jitter:
    """Interarrival jitter (A.8), in milliseconds, and the highest that it ever was."""

    def __init__(self, clock_rate):
        self._clock_rate = clock_rate
        self._transit = None
        self._jitter = 0.0

    def note(self, arrival, timestamp):
        """`arrival` in seconds."""
        transit = arrival * self._clock_rate - timestamp
        if self._transit is not None:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit

    @property
    def milliseconds(self):
        return 1000 * self._jitter / self._clock_rate
