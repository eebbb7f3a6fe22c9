"""`sluicectl -o json` as Python values (harness/proto_json.py reads them)."""

import json
import subprocess


class SluicectlError(RuntimeError):
    """sluicectl failed; the text is its one line."""


class Sluicectl:
    """Calls the program for one controller and one relay."""

    def __init__(self, binary, controller=None, relay=None):
        self._binary = binary
        self._flags = [*(["--controller", controller] if controller else []), *(["--relay", relay] if relay else [])]

    def run(self, *arguments, stdin=""):
        """Its output as text. SluicectlError if it fails."""
        done = subprocess.run([self._binary, *self._flags, *arguments], input=stdin, capture_output=True, text=True,
                              timeout=15, check=False)
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
