"""pcap files: written for SIPp to play, read from what dumpcap has captured. Ethernet, IPv4, UDP."""

import socket
import struct
from dataclasses import dataclass

_MAGIC = 0xA1B2C3D4
_ETHERNET = 1
_UDP = 17


@dataclass(frozen=True)
class Datagram:
    """A captured UDP datagram. `time` in seconds since 1970."""

    time: float
    source: tuple
    destination: tuple
    payload: bytes


def write_rtp(path, packets, interval):
    """Writes RTP `packets` (bytes), `interval` seconds apart. SIPp puts in addresses, and ports relative to those here."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, 65535, _ETHERNET))
        for index, payload in enumerate(packets):
            udp = struct.pack("!HHHH", 6000, 6000, 8 + len(payload), 0) + payload
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), index & 0xFFFF, 0, 64, _UDP, 0,
                             socket.inet_aton("198.18.0.1"), socket.inet_aton("198.18.0.2"))
            frame = b"\2\0\0\0\0\2" + b"\2\0\0\0\0\1" + b"\x08\x00" + ip + udp
            microseconds = round(index * interval * 1e6)
            file.write(struct.pack("<IIII", microseconds // 1000000, microseconds % 1000000, len(frame), len(frame)) + frame)


def read_udp(path):
    """The UDP datagrams of a capture in the order of their capture. ValueError if it is no pcap of Ethernet."""
    with open(path, "rb") as file:
        data = file.read()
    magic, *_, link = struct.unpack_from("<IHHiIII", data)
    if magic != _MAGIC or link != _ETHERNET:
        raise ValueError(f"{path} is not a pcap file of Ethernet frames")
    datagrams, at = [], 24
    while at + 16 <= len(data):
        seconds, microseconds, size, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + size]
        at += 16 + size
        if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[23] != _UDP:
            continue
        udp = 14 + 4 * (frame[14] & 0x0F)
        source, destination, length = struct.unpack_from("!HHH", frame, udp)
        datagrams.append(Datagram(seconds + microseconds / 1e6, (socket.inet_ntoa(frame[26:30]), source),
                                  (socket.inet_ntoa(frame[30:34]), destination), frame[udp + 8:udp + length]))
    return datagrams
