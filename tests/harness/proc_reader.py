"""What the kernel says about a process: its sockets, the CPUs of its threads, the CPU time that it used."""

import os
import re
import time


def is_alive(pid):
    """Whether the process exists; one that is dead but that nobody has waited for does not."""
    try:
        return _stat(pid)[0] != "Z"
    # The latter where it ends between open and read.
    except (FileNotFoundError, ProcessLookupError):
        return False


def threads(pid):
    """Name and allowed CPUs of each thread: [("sluice-relay", {0, 1}), …]."""
    found = []
    for thread in sorted(os.listdir(f"/proc/{pid}/task"), key=int):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii", errors="replace") as status:
            fields = dict(line.split(":", 1) for line in status if ":" in line)
        found.append((fields["Name"].strip(), _cpu_list(fields["Cpus_allowed_list"].strip())))
    return found


def udp_ports(pid):
    """Local ports of all UDP sockets that the process holds, of both address families, in its own network namespace."""
    inodes = set()
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
        except FileNotFoundError:
            continue
        if inode := re.fullmatch(r"socket:\[(\d+)\]", target):
            inodes.add(inode.group(1))
    ports = set()
    for table in ("udp", "udp6", "udplite", "udplite6"):
        if not os.path.exists(f"/proc/{pid}/net/{table}"):
            continue
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                if fields[9] in inodes:
                    ports.add(int(fields[1].rsplit(":", 1)[1], 16))
    return ports


def cpu_seconds(pid):
    """User and system time that all its threads used since its start."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waited_seconds(pid):
    """How long its main thread was ready to run since its start, but others had the CPUs."""
    with open(f"/proc/{pid}/task/{pid}/schedstat", encoding="ascii") as schedstat:
        return int(schedstat.read().split()[1]) / 1e9


def cpu_share(pid, seconds):
    """Share of one core that the process uses during the next `seconds`."""
    start, before = time.monotonic(), cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.monotonic() - start)


def _stat(pid):
    """The fields of /proc/PID/stat behind the name, from the state on."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        return stat.read().rsplit(")", 1)[1].split()


def _cpu_list(text):
    cpus = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return cpus
