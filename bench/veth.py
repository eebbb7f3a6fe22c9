"""./dev bench veth: one path of veth pairs between three namespaces, forwarded by the relay over AF_XDP, by rtpengine in user space, and by testpmd `mac` over AF_XDP.

    left 198.18.1.2 ── middle 198.18.1.1, 198.18.2.1 ── right 198.18.2.2

The generator and whoever forwards share the machine's cores, so absolute rates say little; the rows compare runs that alternate. testpmd only swaps MAC addresses: it is what the path and the
device cost without any of a relay's work.
"""

import contextlib
import os
import time

from bench import programs
from bench.row import Row, report
from bench.rtpengine import Rtpengine
from harness.namespaces import Namespace, address_command, connect, default_route_command
from harness.process import Process
from harness.work_folder import WorkFolder

FLOWS = 100
LEFT, MIDDLE_LEFT, MIDDLE_RIGHT, RIGHT = "198.18.1.2", "198.18.1.1", "198.18.2.1", "198.18.2.2"
PORT = 20000
LOCAL_PORT = 30000
CORE = max(os.sched_getaffinity(0))
SECONDS = 2
COMPARED_RATE = 50000  # What rtpengine carries without loss.
FIRST_RATE, GROWTH = 60000, 1.1
OVERLOAD_SECONDS = 10

_RELAY_CONFIG = """\
name: bench
listen: ["unix:{socket}"]
log_level: warning
datapath:
  worker_cpus: [{core}]
  max_idle_sleep: 50us
  max_flows: 131072
interfaces:
  - {{name: to-left, af_xdp: {{}}}}
  - {{name: to-right, af_xdp: {{}}}}
networks:
  - {{name: left, interface: to-left, addresses: ["{left}"], first_port: {first}, last_port: {last}}}
  - {{name: right, interface: to-right, addresses: ["{right}"], first_port: {first}, last_port: {last}}}
{more_networks}"""


class Path:
    """The three namespaces."""

    def __init__(self):
        self.left, self.middle, self.right = (Namespace(name) for name in ("left", "middle", "right"))
        connect(self.middle, "to-left", self.left, "eth0")
        connect(self.middle, "to-right", self.right, "eth0")
        self.left.ip(address_command("eth0", LEFT, 24), default_route_command(MIDDLE_LEFT))
        self.middle.ip(address_command("to-left", MIDDLE_LEFT, 24), address_command("to-right", MIDDLE_RIGHT, 24))
        self.right.ip(address_command("eth0", RIGHT, 24), default_route_command(MIDDLE_RIGHT))
        # testpmd takes ARP too and answers none.
        self.left.ip(f"neigh replace {MIDDLE_LEFT} lladdr {self.mac(self.middle, 'to-left')} dev eth0")
        self.right.ip(f"neigh replace {MIDDLE_RIGHT} lladdr {self.mac(self.middle, 'to-right')} dev eth0")

    @staticmethod
    def mac(namespace, link):
        return namespace.run("ip", "-br", "link", "show", "dev", link).split()[2]

    def load(self, targets, rate, **options):
        command = [programs.RTP_LOAD, f"--send_namespace={self.left.path}", f"--receive_namespace={self.right.path}",
                   f"--source={LEFT}:{PORT}", f"--sink={RIGHT}:{PORT}", f"--targets={targets}", f"--rate={rate}"]
        return programs.run_json(command + [f"--{name}={value}" for name, value in {"seconds": SECONDS, **options}.items()])

    def close(self):
        for namespace in (self.left, self.middle, self.right):
            namespace.close()


class Forwarder:
    """Somebody who forwards FLOWS flows from left to right: its process and where to send to."""

    def __init__(self, path, process, targets):
        self._path = path
        self._process = process
        self._targets = targets

    def run(self, rate, **options):
        before = programs.cpu_seconds(self._process.pid)
        figures = self._path.load(self._targets, rate, **options)
        figures["cpu_us"] = (programs.cpu_seconds(self._process.pid) - before) * 1e6 / max(1, figures["received"])
        return figures

    def loss_free_rate(self):
        """The highest rate of the steps up to the first loss."""
        rate, best = FIRST_RATE, 0
        while rate < 1e6:
            figures = self.run(rate)
            # A generator that cannot keep the rate is the limit itself.
            if figures["lost"] > 0 or figures["rate"] < 0.98 * rate:
                break
            best = rate
            rate *= GROWTH
        return best


@contextlib.contextmanager
def sluice(path, folder, more_networks=""):
    socket = folder.file("relay.sock")
    config = folder.write("relay.yaml", _RELAY_CONFIG.format(socket=socket, core=CORE, left=MIDDLE_LEFT, right=MIDDLE_RIGHT, first=LOCAL_PORT, last=LOCAL_PORT + 999, more_networks=more_networks))
    with Process("relay", [programs.RELAY, "--config", config], folder.file("relay.log"), path.middle) as process:
        process.wait_until(lambda: os.path.exists(socket), "its socket was there")
        programs.run_json([programs.FLOW_LOAD, f"--flows={FLOWS}", "--networks=left,right", "pairs", f"unix:{socket}", f"{LEFT}:{PORT}", f"{RIGHT}:{PORT}", f"{MIDDLE_LEFT}:{LOCAL_PORT}",
                           f"{MIDDLE_RIGHT}:{LOCAL_PORT}"])
        yield warmed(Forwarder(path, process, f"{MIDDLE_LEFT}:{LOCAL_PORT}+2x{FLOWS}"))


@contextlib.contextmanager
def rtpengine(path, folder):
    peer = Rtpengine(path.middle, folder, MIDDLE_LEFT, MIDDLE_RIGHT)
    try:
        ports = [peer.call(number, (LEFT, PORT), (RIGHT, PORT)) for number in range(FLOWS)]
        yield warmed(Forwarder(path, peer.process, ",".join(f"{MIDDLE_LEFT}:{port}+0x1" for port in ports)))
    finally:
        peer.stop()


@contextlib.contextmanager
def testpmd(path, folder):
    macs = [path.mac(namespace, "eth0") for namespace in (path.left, path.right)]
    command = ["dpdk-testpmd", "--no-huge", "--no-shconf", "-m", "256", "--no-pci", "--no-telemetry", "--lcores", f"0@0,1@{CORE}", f"--file-prefix=veth{os.getpid()}",
               "--vdev=net_af_xdp0,iface=to-left", "--vdev=net_af_xdp1,iface=to-right", "--", "--forward-mode=mac", "--nb-cores=1", "--total-num-mbufs=32768",
               f"--eth-peer=0,{macs[0]}", f"--eth-peer=1,{macs[1]}", "--stats-period=1"]
    with Process("testpmd", command, folder.file("testpmd.log"), path.middle) as process:
        process.wait_until(lambda: "Rx-pps" in process.log(), "it forwarded")
        yield warmed(Forwarder(path, process, f"{RIGHT}:{PORT}+0x{FLOWS}"))


def warmed(forwarder):
    """Sends a little, so that neighbours are known and sources are locked."""
    deadline = time.monotonic() + 10
    while forwarder.run(FLOWS * 20, seconds=1)["lost"] > 0:
        if time.monotonic() > deadline:
            raise RuntimeError("packets are still lost after 10 s at a trickle")
    return forwarder


def run(out, rounds):
    parameters = {"flows": FLOWS, "frame": 214}
    cpu = Row("veth-cpu", {**parameters, "rate": COMPARED_RATE}, "us/packet", 0.1, higher_is_better=False, against="rtpengine")
    rate = Row("veth-rate", parameters, "pps", 0.95, against="testpmd mac")
    delay = Row("veth-delay-p99", {**parameters, "load": "half"}, "us", 1.1, higher_is_better=False, against="testpmd mac")
    recovery = Row("veth-recovery", {**parameters, "overload": "3x10s", "load": "half"}, "ms", 100, higher_is_better=False)
    reordered = Row("veth-reordered", {**parameters, "overload": "3x10s"}, "packets", 0, higher_is_better=False)
    for number in range(rounds):
        with WorkFolder() as folder:
            with contextlib.closing(Path()) as path, rtpengine(path, folder) as peer:
                cpu.against.append(peer.run(COMPARED_RATE)["cpu_us"])
            with contextlib.closing(Path()) as path, testpmd(path, folder) as peer:
                limit = peer.loss_free_rate()
                rate.against.append(limit)
                delay.against.append(peer.run(limit / 2)["delay_p99_us"])
            with contextlib.closing(Path()) as path, sluice(path, folder) as ours:
                cpu.ours.append(ours.run(COMPARED_RATE)["cpu_us"])
                own_limit = ours.loss_free_rate()
                rate.ours.append(own_limit)
                # The same load for both.
                delay.ours.append(ours.run(limit / 2)["delay_p99_us"])
                after = ours.run(own_limit / 2, overload_rate=3 * own_limit, overload_seconds=OVERLOAD_SECONDS)
                recovery.ours.append(after["last_loss_ms"])
                reordered.ours.append(after["reordered"])
        print(f"  round {number + 1}: relay {cpu.ours[-1]:.2f} us a packet, {rate.ours[-1] / 1e3:.0f} kpps, p99 {delay.ours[-1]:.0f} us; rtpengine {cpu.against[-1]:.2f} us; "
              f"testpmd {rate.against[-1] / 1e3:.0f} kpps, p99 {delay.against[-1]:.0f} us", flush=True)
    rows = [cpu, rate, delay, recovery, reordered]
    report(rows, out)
    return all(row.met() for row in rows)
