"""One program under test: started in a namespace, watched, stopped; its output kept for the case that something fails.

Threads: start processes in the main thread (they get SIGKILL when the thread that started them ends).
"""

import contextlib
import ctypes
import functools
import os
import signal
import socket
import subprocess
import time

# Exit status of a program that Ctrl-C has ended, as a shell gives it.
INTERRUPTED = 128 + signal.SIGINT

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_TAIL_LINES = 25


class ProcessError(RuntimeError):
    """A program did not do what it should; the text has the end of its log."""


class Process:
    """`argv` running in `namespace` (None: the caller's), with both outputs in `log_path`. `typed`: it gets what `type` writes, else nothing."""

    def __init__(self, name, argv, log_path, namespace=None, folder=None, typed=False):
        self.name = name
        self.argv = list(argv)
        self.log_path = log_path
        self.start_time = time.monotonic()
        # The child is where the thread is that starts it. Not `ip netns exec`, which mounts another /sys and hides /sys/fs/bpf.
        with open(log_path, "ab") as log, namespace.entered() if namespace else contextlib.nullcontext():
            self._process = subprocess.Popen(self.argv, stdin=subprocess.PIPE if typed else subprocess.DEVNULL, stdout=log, stderr=log,
                                             cwd=folder, preexec_fn=functools.partial(_die_with, os.getpid()))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    @property
    def pid(self):
        return self._process.pid

    @property
    def exit_status(self):
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def wait_until(self, ready, what, timeout=15.0):
        """Waits until `ready()` is true; answers the seconds since the start. Fails at once if the program ends."""
        deadline = time.monotonic() + timeout
        while not ready():
            if self.exit_status is not None:
                raise ProcessError(f"{self.name} ended with status {self.exit_status} before {what}\n{self.tail()}")
            if time.monotonic() > deadline:
                raise ProcessError(f"{self.name}: {what} did not happen within {timeout:g} s\n{self.tail()}")
            time.sleep(0.01)
        return time.monotonic() - self.start_time

    def wait(self, timeout=30.0):
        """Waits for its end and answers the exit status."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ProcessError(f"{self.name} still runs after {timeout:g} s\n{self.tail()}") from None

    def type(self, line):
        """Writes a line to its standard input."""
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def signal(self, number):
        self._process.send_signal(number)

    def stop(self, timeout=10.0):
        """SIGTERM, and SIGKILL if that does not help. Answers the exit status."""
        if self._process.stdin:
            self._process.stdin.close()
        if self.exit_status is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.exit_status

    def kill(self):
        """SIGKILL: what a crash looks like to everybody else."""
        self._process.kill()
        self._process.wait()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def tail(self):
        """The end of its log, for error messages."""
        lines = self.log().splitlines()[-_TAIL_LINES:]
        return "\n".join([f"  {self.name} | {line}" for line in lines] or [f"  {self.name} | (wrote nothing)"])


def _die_with(parent):
    """In the child before its program: it gets SIGKILL when the test process ends, however that ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def accepts(path):
    """Whether somebody listens on that UNIX socket: a cheap look before the first request."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(path) == 0


def end_on_sigterm():
    """Turns SIGTERM into SystemExit, so that `with` blocks and `finally` run when a test is told to stop."""
    def leave(*_):
        raise SystemExit(143)
    signal.signal(signal.SIGTERM, leave)
