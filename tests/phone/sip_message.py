"""SIP messages as a start line, an ordered list of header fields and a body (RFC 3261 7)."""

import re

_COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type",
            "k": "supported", "s": "subject", "e": "content-encoding", "x": "session-expires", "r": "refer-to"}


class SipMessage:
    """One request or response. Header names keep the case that they were given; look-ups do not care about it.

    `peer`: the address and port that it came from, or that the answer to such a request goes to; None: the server of whoever sends it.
    """

    def __init__(self, start_line, headers=(), body=b""):
        self.start_line = start_line
        self.headers = list(headers)
        self.body = body
        self.peer = None

    @classmethod
    def parse(cls, data):
        """ValueError if `data` is not one whole SIP message with a right Content-Length."""
        head, separator, body = data.partition(b"\r\n\r\n")
        if not separator:
            raise ValueError("no empty line after the header fields")
        start_line, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        headers = []
        for line in lines:
            if line[:1] in (" ", "\t") and headers:
                headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
                continue
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"not a header field: {line!r}")
            headers.append((name.strip(), value.strip()))
        message = cls(start_line, headers, body)
        length = message.get("Content-Length")
        if length is not None and int(length) != len(body):
            raise ValueError(f"Content-Length is {length}, but the body has {len(body)} bytes")
        return message

    def encode(self):
        """The message as bytes; Content-Length, in its place or at the end, is that of the body."""
        lines = [self.start_line]
        headers = self.headers if self.get("Content-Length") else [*self.headers, ("Content-Length", "")]
        for name, value in headers:
            lines.append(f"{name}: {len(self.body) if _canonical(name) == 'content-length' else value}")
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + self.body

    def get(self, name):
        """The first value of the header field; None where there is none."""
        return next(iter(self.all(name)), None)

    def all(self, name):
        wanted = _canonical(name)
        return [value for key, value in self.headers if _canonical(key) == wanted]

    def set(self, name, value):
        """Replaces the first such field in its place, or adds one at the end."""
        for index, (key, _) in enumerate(self.headers):
            if _canonical(key) == _canonical(name):
                self.headers[index] = (key, value)
                return
        self.headers.append((name, value))

    @property
    def is_request(self):
        return not self.start_line.startswith("SIP/2.0 ")

    @property
    def method(self):
        """Of a response: the method that it answers."""
        return self.start_line.split(" ", 1)[0] if self.is_request else self.get("CSeq").split()[1]

    @property
    def uri(self):
        return self.start_line.split(" ")[1]

    @property
    def status(self):
        """0 for a request."""
        return 0 if self.is_request else int(self.start_line.split(" ")[1])

    @property
    def cseq(self):
        return int(self.get("CSeq").split()[0])

    @property
    def to_tag(self):
        return tag(self.get("To"))

    @property
    def from_tag(self):
        return tag(self.get("From"))

    def __str__(self):
        return self.start_line


def tag(value):
    """The tag parameter of a From or To value; empty where there is none."""
    found = re.search(r";\s*tag=([^;>\s]+)", value.rpartition(">")[2])
    return found.group(1) if found else ""


def uri_of(value):
    """The URI of a From, To or Contact value: what stands between < and >, or all before the parameters."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.split(";", 1)[0].strip()


def parameter(value, name):
    """A ;name=value parameter of a header value; "" for one without value, None where there is none."""
    found = re.search(rf";\s*{re.escape(name)}(?:=([^;,\s]*))?(?=[;,\s]|$)", value, re.IGNORECASE)
    return None if not found else found.group(1) or ""


def _canonical(name):
    name = name.lower()
    return _COMPACT.get(name, name)
