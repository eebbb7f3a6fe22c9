"""A PostgreSQL server of the test's own: its cluster in the work folder, on a UNIX socket only, as a user that may nothing else."""

import glob
import os
import shutil
import subprocess

from harness.process import Process

# initdb and postgres refuse root.
_USER, _GROUP = "nobody", "nogroup"
# The signal of the dead parent goes when a process changes its user, so it is set anew.
_AS_USER = ["setpriv", f"--reuid={_USER}", f"--regid={_GROUP}", "--clear-groups", "--pdeathsig=KILL"]


class Postgres:
    """Started and stopped by the test; the data stay until the work folder goes."""

    def __init__(self, work_folder):
        self._programs = max(glob.glob("/usr/lib/postgresql/*/bin"))
        self._folder = work_folder.file("postgres")
        self._log = work_folder.file("postgres.log")
        self._process = None
        os.mkdir(self._folder)
        shutil.chown(self._folder, _USER, _GROUP)
        # Others may pass through to their folder, and see nothing.
        os.chmod(work_folder.path, 0o711)
        self._data = os.path.join(self._folder, "data")
        self._run(*_AS_USER, self._program("initdb"), "-D", self._data, "--auth=trust", "--encoding=UTF8", "--no-sync")

    @property
    def connection(self):
        return f"host={self._folder} dbname=postgres user={_USER}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.stop()

    def start(self):
        self._process = Process("postgres", [*_AS_USER, self._program("postgres"), "-D", self._data, "-k", self._folder, "-c", "listen_addresses=", "-c", "fsync=off"],
                                self._log)
        self._process.wait_until(lambda: self._psql("SELECT 1").returncode == 0, "it answered")

    def stop(self):
        self._process.stop()

    def query(self, sql):
        """The rows, each a list of texts."""
        done = self._psql(sql)
        if done.returncode != 0:
            raise AssertionError(f"{sql}: {done.stderr.strip()}")
        return [line.split("|") for line in done.stdout.splitlines()]

    def _psql(self, sql):
        return subprocess.run([self._program("psql"), "-X", "-q", "-A", "-t", self.connection, "-c", sql], capture_output=True, text=True, timeout=10, check=False)

    def _program(self, name):
        return os.path.join(self._programs, name)

    @staticmethod
    def _run(*command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/", check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")
