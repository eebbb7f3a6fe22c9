"""Where the benches find what they run, all built by ./dev bench, and what several of them do with it."""

import json
import os
import subprocess

RELAY = os.path.abspath("bazel-bin/datapath/service/sluice-relay")
FLOW_LOAD = os.path.abspath("bazel-bin/bench/flow_load")
RTP_LOAD = os.path.abspath("bazel-bin/bench/rtp_load")


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
    """User and system time of a process and all of its threads so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
