"""The test cases of PROTOS c07-sip, read from its jar. A case is one or more messages, each after its length in bytes and a space; what stands in <> is filled in when it is sent."""

import re
import zipfile

_LENGTH = re.compile(rb"(\d+) ")
_FIELD = re.compile(rb"<([A-Z][A-Za-z-]*)>")
_FOLDER = "testcases/"


def read(jar):
    """All cases in their order, each a list of messages with their fields unfilled. ValueError if it is no such jar."""
    with zipfile.ZipFile(jar) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith(_FOLDER) and name != _FOLDER)
        if not names:
            raise ValueError(f"{jar} has no {_FOLDER}: c07-sip-r2.jar of PROTOS is wanted")
        return [_messages(archive.read(name), name) for name in names]


def _messages(data, name):
    messages, at = [], 0
    while found := _LENGTH.match(data, at):
        start, size = found.end(), int(found.group(1))
        messages.append(data[start:start + size])
        at = start + size
    if at != len(data):
        raise ValueError(f"{name}: {len(data) - at} bytes at its end belong to no message")
    return messages


def fill(message, fields):
    """The message with the values of `fields`, and the length of its body where it asks for that."""
    def value(found):
        return fields.get(found.group(1).decode(), found.group(0))
    filled = _FIELD.sub(value, message)
    body = filled.partition(b"\r\n\r\n")[2]
    return filled.replace(b"<Content-Length>", b"%d" % len(body))
