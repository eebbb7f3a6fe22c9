"""`sluicectl -o json` as Python values.

protobuf's JSON writes 64-bit integers as strings and leaves out what is zero; `number` and `get` take care of both.
"""

import json
import subprocess


class SluicectlError(RuntimeError):
    """sluicectl failed; the text is its one line."""


class Sluicectl:
    """Calls the program for one controller and one relay."""

    def __init__(self, binary, controller=None, relay=None):
        self._binary = binary
        self._flags = [*(["--controller", controller] if controller else []), *(["--relay", relay] if relay else [])]

    def run(self, *arguments):
        """Its output as text. SluicectlError if it fails."""
        done = subprocess.run([self._binary, *self._flags, *arguments], capture_output=True, text=True, timeout=15,
                              check=False)
        if done.returncode != 0:
            raise SluicectlError(f"sluicectl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "-o", "json"))

    def works(self, *arguments):
        """Whether the call answers without an error."""
        try:
            self.run(*arguments)
        except (SluicectlError, subprocess.TimeoutExpired):
            return False
        return True


def get(value, *path, default=None):
    """The value at `path` in nested JSON; `default` where a part is missing, as what is zero is."""
    for key in path:
        if isinstance(value, list):
            if key >= len(value):
                return default
            value = value[key]
        elif key in value:
            value = value[key]
        else:
            return default
    return value


def number(value, *path):
    """An integer field, written as text or as number; 0 where it is missing."""
    return int(get(value, *path, default=0))
