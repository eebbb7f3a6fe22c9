"""./dev bench datapath: packets a second of one worker against dpdk-testpmd's 5tswap on the same device and core.

The device is net_pcap with infinite_rx: the driver copies the frames of a file into mbufs again and again, so that the figure is the cost of
receiving, forwarding and sending without a NIC. Relay and testpmd run in turn, never together, with the same file, pool, pages and core.
"""

import contextlib
import os
import re
import subprocess
import tempfile
import time

from bench import programs
from bench.row import Row, report
from harness.process import Process

CORE = 1
SETTLE_SECONDS = 2.0
MEASURE_SECONDS = 4.0
HUGEPAGE_FILE = "/proc/sys/vm/nr_hugepages"

# name, flows, local addresses, IPv6, MiB of hugepages for the relay and testpmd, goal
CASES = [
    ("datapath", 16384, 1, False, 1024, 0.75),
    ("datapath", 100000, 4, False, 1536, 0.80),
    ("datapath", 1000000, 50, False, 5200, 0.65),
]


@contextlib.contextmanager
def hugepages(mib):
    """Reserves 2 MiB pages for the time of the block and gives back what was there before."""
    with open(HUGEPAGE_FILE, encoding="utf-8") as file:
        before = file.read()
    with open(HUGEPAGE_FILE, "w", encoding="utf-8") as file:
        file.write(str(mib // 2 + 64))
    with open(HUGEPAGE_FILE, encoding="utf-8") as file:
        got = int(file.read())
    try:
        if got < mib // 2:
            raise RuntimeError(f"only {got} of {mib // 2 + 64} hugepages of 2 MiB could be reserved: free memory and try again")
        yield
    finally:
        with open(HUGEPAGE_FILE, "w", encoding="utf-8") as file:
            file.write(before)


def pool_size(flows):
    # The driver keeps one mbuf a frame of the file; the rest is for bursts and caches.
    return flows + 60000


def device(pcap):
    return f"net_pcap0,rx_pcap={pcap},infinite_rx=1"


def testpmd_rate(pcap, flows, mib):
    """Packets a second of testpmd's 5tswap, from the difference of two of its own counters."""
    command = ["dpdk-testpmd", "--in-memory", "--no-pci", "--no-telemetry", "-m", str(mib), "--lcores", f"0@0,{CORE}@{CORE}",
               f"--file-prefix=bench{os.getpid()}", f"--vdev={device(pcap)}", "--", "--no-flush-rx",
               f"--total-num-mbufs={pool_size(flows)}", "--forward-mode=5tswap", "--stats-period=1", "--burst=32", "--nb-cores=1"]
    # The first line stands before forwarding began, the second is partly before.
    wanted = 2 + int(MEASURE_SECONDS)
    with tempfile.NamedTemporaryFile() as log, Process("testpmd", command, log.name) as process:
        def rates():
            return [int(rate) for rate in re.findall(r"Rx-pps:\s+(\d+)", process.log())]
        process.wait_until(lambda: len(rates()) >= wanted, "it gave its rates", timeout=90)
        window = rates()[2:]
        return sum(window) / len(window)


def relay_config(folder, pcap, flows, networks, mib):
    path = os.path.join(folder, "relay.yaml")
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"""name: bench
listen: ["unix:{folder}/relay.sock"]
log_level: warning
datapath:
  worker_cpus: [{CORE}]
  control_cpus: [0]
  max_idle_sleep: 0s
  hugepages: true
  memory_mib: {mib}
  max_flows: {2 * flows + 4096}
  mbufs: {pool_size(flows)}
interfaces:
  - name: replay
    vdev: {{ argument: "{device(pcap)}" }}
    static_next_hop: {{ mac_address: "02:00:00:00:00:01" }}
networks:
  - name: replay
    interface: replay
{networks}""")
    return path


def relay_rate(arguments, pcap, flows, mib):
    """One run of the relay: starts it, makes the sessions, measures. Answers flow_load's figures."""
    load = [programs.FLOW_LOAD, *arguments]
    with tempfile.TemporaryDirectory() as folder:
        config = relay_config(folder, pcap, flows, programs.output([*load, "networks"]), mib)
        socket = os.path.join(folder, "relay.sock")
        with Process("relay", [programs.RELAY, "--config", config], os.path.join(folder, "log")) as process:
            process.wait_until(lambda: os.path.exists(socket), "its socket was there", timeout=30)
            made = programs.run_json([*load, "sessions", f"unix:{socket}"])
            time.sleep(SETTLE_SECONDS)
            rate = programs.run_json([*load, "rate", f"unix:{socket}", str(MEASURE_SECONDS)])
            return {**rate, "setups_per_second": made["per_second"]}


def run(out, rounds):
    rows = []
    for name, flows, addresses, ipv6, mib, goal in CASES:
        row = Row(name, {"workers": 1, "flows": flows, "addresses": addresses, "frame": 214, "ip": 6 if ipv6 else 4}, "pps", goal, against="testpmd 5tswap")
        arguments = [f"--flows={flows}", f"--addresses={addresses}", f"--ipv6={str(ipv6).lower()}"]
        with tempfile.TemporaryDirectory() as folder, hugepages(mib):
            pcap = os.path.join(folder, "frames.pcap")
            subprocess.run([programs.FLOW_LOAD, *arguments, "pcap", pcap], check=True)
            cycles = []
            for number in range(rounds):
                row.against.append(testpmd_rate(pcap, flows, mib))
                figures = relay_rate(arguments, pcap, flows, mib)
                if figures["drops"]:
                    raise RuntimeError(f"the relay dropped packets, so the figure would mean nothing: {figures['drops']}")
                row.ours.append(figures["forwarded_pps"])
                cycles.append(figures["cycles_per_packet"])
                print(f"  round {number + 1}: relay {figures['forwarded_pps'] / 1e6:.2f} Mpps, {figures['cycles_per_packet']:.1f} cycles a packet; "
                      f"testpmd {row.against[-1] / 1e6:.2f} Mpps; {figures['setups_per_second']:.0f} session set-ups a second", flush=True)
            row.note = f"{sorted(cycles)[len(cycles) // 2]:.1f} cycles a packet in all"
        rows.append(row)
    report(rows, out)
    return all(row.met() for row in rows)
