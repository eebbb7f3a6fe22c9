"""rtpengine as a peer of the veth bench: started in a namespace without its kernel module, told of calls by its NG protocol (bencode over UDP)."""

import itertools
import socket

from harness.process import Process

_CONTROL_PORT = 2223
_WAIT_SECONDS = 5


class Rtpengine:
    """Two interfaces, `a` and `b`; forwards between what each side of a call said in its SDP."""

    def __init__(self, namespace, work_folder, address_a, address_b):
        self._namespace = namespace
        self._cookies = itertools.count(1)
        self.process = Process("rtpengine", [
            "rtpengine", "--foreground", "--table=-1", "--no-fallback", "--log-level=3", "--log-stderr", f"--interface=a/{address_a}", f"--interface=b/{address_b}",
            f"--listen-ng=127.0.0.1:{_CONTROL_PORT}", "--num-threads=2", f"--pidfile={work_folder.file('rtpengine.pid')}"],
            work_folder.file("rtpengine.log"), namespace)
        with namespace.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(_WAIT_SECONDS)
        self.process.wait_until(self._answers, "it answered a ping")

    def _answers(self):
        self._socket.settimeout(0.2)
        try:
            return self._ask({"command": "ping"}).get("result") == "pong"
        except (TimeoutError, ConnectionError):
            return False
        finally:
            self._socket.settimeout(_WAIT_SECONDS)

    def call(self, number, a, b):
        """A call between the endpoints `a` and `b` (address, port). Answers the port at which it receives from `a`."""
        common = {"call-id": f"bench-{number}", "from-tag": "a", "replace": ["origin", "session-connection"], "ICE": "remove"}
        self._ask({**common, "command": "offer", "direction": ["a", "b"], "sdp": _sdp(*a)})
        answer = self._ask({**common, "command": "answer", "to-tag": "b", "direction": ["b", "a"], "sdp": _sdp(*b)})
        media = next(line for line in answer["sdp"].splitlines() if line.startswith("m=audio"))
        return int(media.split()[1])

    def _ask(self, request):
        cookie = f"c{next(self._cookies)}"
        self._socket.sendto(f"{cookie} ".encode() + _encode(request), ("127.0.0.1", _CONTROL_PORT))
        while True:
            received, answer = self._socket.recv(65535).split(b" ", 1)
            if received.decode() == cookie:
                break
        answer = _decode(answer)[0]
        if answer.get("result") not in ("ok", "pong"):
            raise RuntimeError(f"rtpengine refuses {request['command']}: {answer}")
        return answer

    def stop(self):
        self._socket.close()
        self.process.stop()


def _sdp(address, port):
    return (f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")


def _encode(value):
    if isinstance(value, int):
        return f"i{value}e".encode()
    if isinstance(value, str):
        data = value.encode()
        return f"{len(data)}:".encode() + data
    if isinstance(value, list):
        return b"l" + b"".join(_encode(item) for item in value) + b"e"
    return b"d" + b"".join(_encode(key) + _encode(value[key]) for key in sorted(value)) + b"e"


def _decode(data):
    """(value, the bytes behind it)."""
    kind = data[:1]
    if kind == b"i":
        number, rest = data[1:].split(b"e", 1)
        return int(number), rest
    if kind in (b"l", b"d"):
        items, rest = [], data[1:]
        while rest[:1] != b"e":
            item, rest = _decode(rest)
            items.append(item)
        return (items if kind == b"l" else dict(zip(items[::2], items[1::2]))), rest[1:]
    length, rest = data.split(b":", 1)
    return rest[:int(length)].decode(errors="replace"), rest[int(length):]
