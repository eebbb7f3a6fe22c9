"""Reading protobuf's JSON, which writes 64-bit integers and durations as strings and leaves out what is zero."""

import datetime
import re


def get(value, *path, default=None):
    """The value at `path` of keys and indexes; `default` where a part is missing, as what is zero is."""
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError):
            return default
    return value


def number(value, *path):
    """An integer, written as text or as number; 0 where it is missing."""
    return int(get(value, *path, default=0))


def seconds_of(duration):
    """A google.protobuf.Duration ("0.000003s") in seconds; 0 for None."""
    return float(duration.removesuffix("s")) if duration else 0.0


def moment(timestamp):
    """A google.protobuf.Timestamp ("2026-11-25T02:20:00.123456789Z") in seconds since 1970."""
    whole, fraction = re.fullmatch(r"([^.Z]+)(\.\d+)?Z", timestamp).groups()
    seconds = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc).timestamp()
    return seconds + float(fraction or 0)
