"""A redis-server of the test's own, on a UNIX socket, that keeps nothing when it ends."""

import subprocess

from harness.process import Process


class Redis:
    def __init__(self, work_folder):
        self._socket = work_folder.file("redis.sock")
        self._log = work_folder.file("redis.log")
        self.address = f"unix:{self._socket}"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.process.stop()

    def start(self):
        """With nothing in it."""
        self.process = Process("redis", ["redis-server", "--port", "0", "--unixsocket", self._socket, "--save", "", "--appendonly", "no"], self._log)
        self.process.wait_until(lambda: self.ask("ping") == ["PONG"], "it answered")

    def ask(self, *command):
        """The lines of its answer; none if there is none."""
        done = subprocess.run(["redis-cli", "-s", self._socket, *command], capture_output=True, timeout=15, check=False)
        return [line for line in done.stdout.decode(errors="replace").splitlines() if line] if done.returncode == 0 else []
