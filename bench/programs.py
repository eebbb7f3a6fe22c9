"""Where the benches find what they run, and what several of them do with it."""

import json
import os
import subprocess
import time

RELAY = os.path.abspath("bazel-bin/datapath/service/sluice-relay")
CONTROLLER = os.path.abspath("bazel-bin/signaling/service/sluice-controller")
CTL = os.path.abspath("bazel-bin/cli/sluicectl")
FLOW_LOAD = os.path.abspath("bazel-bin/bench/flow_load")
PIPELINE_BENCH = os.path.abspath("bazel-bin/datapath/worker/pipeline_bench")
RTP_LOAD = os.path.abspath("bazel-bin/bench/rtp_load")


def build():
    """Builds all of that; whether it could. What is wrong, ./dev says."""
    return subprocess.run(["./dev", "build", "bench"], check=False).returncode == 0


def output(command):
    """Runs a program and answers what it prints."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout


def run_json(command):
    """The same for a program that prints one JSON object."""
    return json.loads(output(command))


def cpu_seconds(pid):
    """Time that a process and all of its threads have run so far, by the scheduler's clock: ticks of 10 ms miss what wakes up for microseconds."""
    nanoseconds = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as schedstat:
            nanoseconds += int(schedstat.read().split()[0])
    return nanoseconds / 1e9


class MachineTime:
    """How busy all of the machine has been since this was made."""

    def __init__(self):
        self._start, self._idle = time.monotonic(), self._idle_seconds()

    def seconds(self):
        return time.monotonic() - self._start

    def busy_cores(self):
        return os.cpu_count() - (self._idle_seconds() - self._idle) / self.seconds()

    @staticmethod
    def _idle_seconds():
        with open("/proc/stat", encoding="ascii") as stat:
            fields = stat.readline().split()
        # Idle, and waiting for a disk.
        return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


def shares(server_cores, busy_cores):
    """A note for a rate: whether the server is what limits it, or those who share the cores with it."""
    return f"the server took {server_cores:.2f} and all together {busy_cores:.2f} of {os.cpu_count()} cores"


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
