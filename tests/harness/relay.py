"""One sluice-relay in a namespace: its config, its process, what it says over gRPC."""

import os
import re

from harness import call_network as net
from harness.server import Server

CALLER_NETWORK = "callers"
CALLEE_NETWORK = "callees"

_CONFIG = """\
name: {name}
listen: ["unix:{socket}"]
datapath:
  worker_cpus: {worker_cpus}
  control_cpus: [{control_cpu}]
  max_idle_sleep: 50us
  memory_mib: 128
  max_flows: {max_flows}
interfaces:
  - name: {link_a}
    {device}: {{}}
  - name: {link_b}
    {device}: {{}}
networks:
  - name: callers
    interface: {link_a}
    addresses: [{callers}]
    first_port: {first_port}
    last_port: {last_port}
  - name: callees
    interface: {link_b}
    addresses: [{callees}]
    first_port: {first_port}
    last_port: {last_port}
sessions:
  capture_folder: "{capture_folder}"
"""


def worker_cpu():
    return max(os.sched_getaffinity(0))


def control_cpu():
    return min(os.sched_getaffinity(0))


class Relay(Server):
    """A relay with one interface on each side of the CallNetwork and the networks `callers` and `callees`."""

    _ANSWERS = ("sessions",)

    def __init__(self, binaries, work_folder, namespace, *, name="relay-1", device="af_xdp", callers=(net.SWITCH_A,),
                 callees=(net.SWITCH_B,), first_port=16384, last_port=32767, max_flows=4096, capture_folder="", worker_cpus=None):
        self.ports = range(first_port, last_port + 1)
        super().__init__(name, "relay", binaries, work_folder, namespace, _CONFIG.format(
            name=name, socket=work_folder.file(name + ".sock"), worker_cpus=worker_cpus or [worker_cpu()], control_cpu=control_cpu(),
            max_flows=max_flows, device=device, link_a=net.SWITCH_LINK_A, link_b=net.SWITCH_LINK_B,
            callers=_quoted(callers), callees=_quoted(callees), first_port=first_port, last_port=last_port,
            capture_folder=capture_folder))

    def sessions(self):
        return self.ctl.json("sessions").get("sessions", [])


def edited(text, pattern, replacement):
    """`text` with exactly one match of `pattern` replaced, so that a case cannot silently test the right config."""
    changed, count = re.subn(pattern, replacement, text, count=1)
    if count != 1:
        raise ValueError(f"the config has nothing that matches {pattern!r}")
    return changed


def _quoted(addresses):
    return ", ".join(f'"{address}"' for address in addresses)
