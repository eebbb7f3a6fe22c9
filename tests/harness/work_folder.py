"""A folder for sockets, configs, databases and logs of one test run; folders of runs that are dead are removed first."""

import contextlib
import os
import re
import shutil
import tempfile

from harness.proc_reader import is_alive

_PREFIX = "sluice-test."


class WorkFolder:
    """/tmp/sluice-test.PID.…, removed at the end; short, because paths of UNIX sockets have at most 107 bytes."""

    def __init__(self):
        remove_leftovers()
        self.path = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}.")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text):
        path = self.file(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


def remove_leftovers():
    """Removes the folders of test processes that do not exist any more. All else that a run makes goes with its processes."""
    for name in os.listdir(tempfile.gettempdir()):
        owner = re.fullmatch(rf"{re.escape(_PREFIX)}(\d+)\..*", name)
        if owner and not is_alive(owner.group(1)):
            with contextlib.suppress(OSError):
                shutil.rmtree(os.path.join(tempfile.gettempdir(), name))
