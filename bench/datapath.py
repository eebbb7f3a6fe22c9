"""./dev bench datapath: packets a second of the workers against dpdk-testpmd's 5tswap on the same device and core, and against themselves.

The device is net_pcap with infinite_rx: the driver copies the frames of a file into mbufs again and again, so that the figure is the cost of
receiving, forwarding and sending without a NIC. Relay and testpmd run in turn, never together, with the same file, pool, pages and core.
"""

import contextlib
import dataclasses
import os
import re
import subprocess
import tempfile
import time

from bench import programs
from bench.row import Row, report
from harness.namespaces import Namespace
from harness.process import Process

CORE = 1
SETTLE_SECONDS = 2.0
MEASURE_SECONDS = 4.0
HUGEPAGE_FILE = "/proc/sys/vm/nr_hugepages"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is forwarded, and by how many workers."""

    flows: int
    addresses: int
    mib: int  # Of hugepages, for the relay as for testpmd.
    ip: str = "4"
    workers: int = 1

    def parameters(self):
        return {"workers": self.workers, "flows": self.flows, "addresses": self.addresses, "media": 160, "ip": self.ip}

    def load(self, *verb):
        return [programs.FLOW_LOAD, f"--flows={self.flows}", f"--addresses={self.addresses}", f"--ip={self.ip}", *verb]

    def cores(self):
        return list(range(CORE, CORE - self.workers, -1))


SMALL = Plan(16384, 2, 1024)
AGAINST_TESTPMD = [(SMALL, 0.75), (Plan(100000, 4, 1536), 0.80), (Plan(1000000, 50, 5200), 0.65)]
# name, plan, goal of its ratio to SMALL
AGAINST_SMALL = [
    ("datapath-ipv6", dataclasses.replace(SMALL, ip="6"), 0.85),
    # As many flows at which packets arrive.
    ("datapath-4to6", dataclasses.replace(SMALL, ip="4to6", flows=2 * SMALL.flows), 0.85),
    ("datapath-4and6", dataclasses.replace(SMALL, ip="4and6"), 0.85),
    ("datapath-workers", dataclasses.replace(SMALL, workers=2), 1.9),
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


def device(pcaps):
    files = "".join(f",rx_pcap={pcap}" for pcap in pcaps)
    return f"net_pcap0{files},infinite_rx=1"


@contextlib.contextmanager
def replay(plan):
    """The frames of the plan, a file a queue, and the pages to forward them with."""
    with tempfile.TemporaryDirectory() as folder, hugepages(plan.mib):
        pcaps = [os.path.join(folder, f"frames{worker}.pcap") for worker in range(plan.workers)]
        subprocess.run(plan.load("pcap", *pcaps), check=True)
        yield device(pcaps)


def testpmd_rate(plan, vdev):
    """Packets a second of testpmd's 5tswap, from the difference of two of its own counters."""
    command = ["dpdk-testpmd", "--in-memory", "--no-pci", "--no-telemetry", "-m", str(plan.mib), "--lcores", f"0@0,{CORE}@{CORE}",
               f"--file-prefix=bench{os.getpid()}", f"--vdev={vdev}", "--", "--no-flush-rx",
               f"--total-num-mbufs={pool_size(plan.flows)}", "--forward-mode=5tswap", "--stats-period=1", "--burst=64", "--nb-cores=1"]
    # The first line stands before forwarding began, the second is partly before.
    wanted = 2 + int(MEASURE_SECONDS)
    with tempfile.NamedTemporaryFile() as log, Process("testpmd", command, log.name) as process:
        def rates():
            return [int(rate) for rate in re.findall(r"Rx-pps:\s+(\d+)", process.log())]
        process.wait_until(lambda: len(rates()) >= wanted, "it gave its rates", timeout=90)
        window = rates()[2:]
        return sum(window) / len(window)


def relay_config(folder, plan, vdev):
    path = os.path.join(folder, "relay.yaml")
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"""name: bench
listen: ["unix:{folder}/relay.sock"]
log_level: warning
datapath:
  worker_cpus: {plan.cores()}
  control_cpus: [0]
  max_idle_sleep: 0s
  hugepages: true
  memory_mib: {plan.mib}
  max_flows: {2 * plan.flows + 4096}
  mbufs: {pool_size(plan.flows)}
interfaces:
  - name: replay
    vdev: {{ argument: "{vdev}" }}
    static_next_hop: {{ mac_address: "02:00:00:00:00:01" }}
networks:
  - name: replay
    interface: replay
{programs.output(plan.load("networks"))}""")
    return path


def relay_figures(plan, vdev):
    """One run of the relay: starts it, makes the sessions, measures. Answers flow_load's figures."""
    # In a network namespace, since a relay claims its media ports there.
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Namespace("relay")) as namespace:
        socket = os.path.join(folder, "relay.sock")
        with Process("relay", [programs.RELAY, "--config", relay_config(folder, plan, vdev)], os.path.join(folder, "log"), namespace) as process:
            process.wait_until(lambda: os.path.exists(socket), "its socket was there", timeout=30)
            programs.run_json(plan.load("sessions", f"unix:{socket}"))
            time.sleep(SETTLE_SECONDS)
            figures = programs.run_json(plan.load("rate", f"unix:{socket}", str(MEASURE_SECONDS)))
    if figures["drops"]:
        raise RuntimeError(f"the relay dropped packets, so the figure would mean nothing: {figures['drops']}")
    return figures


def describe(figures):
    return f"{figures['forwarded_pps'] / 1e6:.2f} Mpps, {figures['cycles_per_packet']:.0f} cycles a packet"


def against_testpmd(rounds):
    for plan, goal in AGAINST_TESTPMD:
        row = Row("datapath", plan.parameters(), "pps", goal, against="testpmd 5tswap")
        with replay(plan) as vdev:
            cycles = []
            for number in range(rounds):
                row.against.append(testpmd_rate(plan, vdev))
                figures = relay_figures(plan, vdev)
                row.ours.append(figures["forwarded_pps"])
                cycles.append(figures["cycles_per_packet"])
                print(f"  round {number + 1}: relay {describe(figures)}; testpmd {row.against[-1] / 1e6:.2f} Mpps", flush=True)
        row.note = f"{sorted(cycles)[len(cycles) // 2]:.0f} cycles a packet in all"
        yield row


def against_small(rounds):
    for name, plan, goal in AGAINST_SMALL:
        row = Row(name, plan.parameters(), "pps", goal, against="1 worker, IPv4")
        for number in range(rounds):
            both = []
            for side in (SMALL, plan):
                with replay(side) as vdev:
                    both.append(relay_figures(side, vdev))
            row.against.append(both[0]["forwarded_pps"])
            row.ours.append(both[1]["forwarded_pps"])
            print(f"  round {number + 1}: {describe(both[1])}; against {describe(both[0])}", flush=True)
        yield row


def pipeline_cycles(rounds):
    """Cycles a packet of the pipeline alone, and of its look-up, against rte_hash's bulk look-up of the same flows."""
    goal = 0.5
    rows = {}
    for number in range(rounds):
        figures = programs.run_json([programs.PIPELINE_BENCH, "--benchmark_format=json", "--benchmark_filter=flows:1000000?/"])
        cycles = {benchmark["name"].removesuffix("/manual_time"): benchmark["cycles"] for benchmark in figures["benchmarks"]}
        for flows in (100000, 1000000):
            for name, bench in (("pipeline", "BM_Pipeline"), ("look-up", "BM_LookUp")):
                row = rows.setdefault((name, flows), Row(name, {"flows": flows}, "cycles", goal, higher_is_better=False, against="rte_hash bulk look-up"))
                row.ours.append(cycles[f"{bench}/flows:{flows}"])
                row.against.append(cycles[f"BM_HashBulkLookUp/flows:{flows}"])
        print(f"  round {number + 1}: " + ", ".join(f"{name} {value:.0f}" for name, value in cycles.items()), flush=True)
    return rows.values()


def run(out, rounds):
    rows = [*pipeline_cycles(rounds), *against_testpmd(rounds), *against_small(rounds)]
    report(rows, out)
    return all(row.met() for row in rows)
