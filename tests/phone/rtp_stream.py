"""One side of an RTP stream: sends at its pace and judges every packet that comes against what the other side has sent.

Two streams that are each other's `peer` are in the same process, so the receiver knows the payload of every sequence number and when it was
sent: it compares byte for byte and measures order, loss, jitter and delay. No marks are needed in the payload.

Opening. A phone behind a NAT is heard first, and the relay takes a new source only after 5 packets in sequence. So the streams begin with
opening packets, as phones do with comfort noise, until each side hears the other; they are counted apart, and the media proper follows in
the same sequence.
"""

import random
import select
import socket
import struct
import time
from dataclasses import dataclass

from phone import rtp
from phone.transport import family_of

_SO_TIMESTAMPNS = 35
_OPENING_INTERVAL = 0.02


@dataclass(frozen=True)
class Format:
    """What a stream sends: `interval` seconds between packets of `payload_bytes` that begin with `prefix`."""

    kind: str
    payload_type: int
    clock_rate: int
    interval: float
    payload_bytes: int
    prefix: bytes = b""
    marker: bool = False


# AMR 4.75 kbit/s, five frames of 20 ms a packet, bandwidth-efficient (RFC 4867); H.264 slices that fill one packet a frame (RFC 6184).
AMR_100_MS = Format("audio", 114, 8000, 0.1, 64, b"\xf0")
H264_10_FPS = Format("video", 126, 90000, 0.1, 720, b"\x41", marker=True)
PCMA_20_MS = Format("audio", 8, 8000, 0.02, 160)


class RtpStream:
    """Sends from `address`:`port`, RTCP from the next port. Set `peer` and `remote` (and `remote_rtcp`) before use."""

    def __init__(self, namespace, address, port, media_format, *, seed=0):
        self.format = media_format
        self.address, self.port = address, port
        self.peer = None
        self.remote = self.remote_rtcp = None
        # Media proper.
        self.sent = self.received = 0
        self.opening_sent = self.opening_received = 0
        # Of the received: in a wrong order, twice, with other bytes than were sent, or never sent at all.
        self.reordered = self.duplicates = self.altered = self.strange = 0
        self.rtcp_sent = self.rtcp_received = 0
        self.delays = []
        self.sources = set()
        self._random = random.Random(seed or port)
        self.ssrc = self._random.getrandbits(32)
        self._sequence = self._random.getrandbits(16)
        self._timestamp = self._random.getrandbits(32)
        self._log = {}
        self._seen = set()
        self._highest = None
        self._jitter = rtp.Jitter(media_format.clock_rate)
        self._sockets = []
        with namespace.entered():
            for number in (port, port + 1):
                opened = socket.socket(family_of(address), socket.SOCK_DGRAM)
                opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                opened.bind((address, number))
                opened.setblocking(False)
                self._sockets.append(opened)

    @property
    def rtp_socket(self):
        return self._sockets[0]

    @property
    def rtcp_socket(self):
        return self._sockets[1]

    @property
    def lost(self):
        """Packets of media proper that the peer sent and that did not come."""
        return self.peer.sent - self.received

    @property
    def jitter_ms(self):
        return self._jitter.milliseconds

    def close(self):
        for opened in self._sockets:
            opened.close()

    def send(self, opening=False):
        """Sends the next packet."""
        size = self.format.payload_bytes - len(self.format.prefix)
        payload = self.format.prefix + self._random.randbytes(size)
        packet = rtp.rtp_packet(self.format.payload_type, self._sequence, self._timestamp, self.ssrc, payload,
                                self.format.marker)
        self._log[self._sequence] = (payload, time.time(), opening)
        self.rtp_socket.sendto(packet, self.remote)
        interval = _OPENING_INTERVAL if opening else self.format.interval
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp += round(interval * self.format.clock_rate)
        if opening:
            self.opening_sent += 1
        else:
            self.sent += 1

    def send_report(self):
        """Sends an RTCP sender report."""
        report = rtp.sender_report(self.ssrc, time.time(), self._timestamp, self.opening_sent + self.sent,
                                   self.sent * self.format.payload_bytes)
        self.rtcp_socket.sendto(report, self.remote_rtcp)
        self.rtcp_sent += 1

    def receive(self):
        """Takes all that has come to both sockets."""
        for opened in self._sockets:
            while True:
                try:
                    data, extra, _, source = opened.recvmsg(2048, 64)
                except (BlockingIOError, ConnectionRefusedError):
                    break
                if opened is self.rtcp_socket:
                    self.rtcp_received += 1
                else:
                    self._judge(data, _arrival(extra), source[:2])

    def _judge(self, data, arrival, source):
        try:
            payload_type, sequence, timestamp, ssrc, payload = rtp.read_rtp(data)
        except ValueError:
            self.strange += 1
            return
        known = self.peer._log.get(sequence)
        if ssrc != self.peer.ssrc or known is None or payload_type != self.format.payload_type:
            self.strange += 1
            return
        self.sources.add(source)
        expected, sent_at, opening = known
        if sequence in self._seen:
            self.duplicates += 1
            return
        self._seen.add(sequence)
        self.altered += payload != expected
        if opening:
            self.opening_received += 1
            return
        self.received += 1
        if self._highest is not None and (sequence - self._highest) & 0x8000:
            self.reordered += 1
        else:
            self._highest = sequence
        self._jitter.note(arrival, timestamp)
        self.delays.append(arrival - sent_at)


def pair(first, second):
    """Makes two streams each other's peer."""
    first.peer, second.peer = second, first


def point(stream, media):
    """Sends the stream to where `media` (phone/sdp.py) says."""
    stream.remote = (media.address, media.port)
    stream.remote_rtcp = (media.address, media.rtcp_port)


def open_paths(streams, timeout=5.0):
    """Sends opening packets on all streams until each has heard its peer. Answers whether all have."""
    deadline = time.monotonic() + timeout
    while any(not stream.opening_received for stream in streams):
        if time.monotonic() > deadline:
            return False
        for stream in streams:
            stream.send(opening=True)
        _receive(streams, time.monotonic() + _OPENING_INTERVAL)
    # Those on their way still belong to the opening.
    _receive(streams, time.monotonic() + _OPENING_INTERVAL)
    return True


def exchange(streams, packets, *, report_every=2.0, progress=None):
    """Sends `packets` of media on each stream at its pace, a report now and then, and takes what comes."""
    start = time.monotonic()
    due = [(start + index * 0.003, stream) for index, stream in enumerate(streams)]
    left = {stream: packets for stream in streams}
    next_report = start
    while any(left.values()):
        now = time.monotonic()
        if now >= next_report:
            for stream in streams:
                stream.send_report()
            next_report += report_every
        for index, (at, stream) in enumerate(due):
            if left[stream] and at <= now:
                stream.send()
                left[stream] -= 1
                due[index] = (at + stream.format.interval, stream)
        if progress:
            progress(now - start)
        _receive(streams, min(at for at, stream in due if left[stream]) if any(left.values()) else now)
    # What is still on its way.
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline and any(stream.lost for stream in streams):
        _receive(streams, time.monotonic() + 0.05)


def _receive(streams, until):
    """Takes what comes until that time."""
    owners = {opened: stream for stream in streams for opened in (stream.rtp_socket, stream.rtcp_socket)}
    while True:
        ready, _, _ = select.select(list(owners), [], [], max(0.0, until - time.monotonic()))
        for opened in ready:
            owners[opened].receive()
        if time.monotonic() >= until:
            return


def _arrival(extra):
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return seconds + nanoseconds / 1e9
    return time.time()
