"""SIPp on one side of the network with its scenario and the sound that it plays, and a judge of what was captured of it."""

import os
import random
import re
import signal
import tempfile

from harness import pcap
from harness.process import Process
from phone import rtp

_SCENARIOS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "sipp")
PACKET_SECONDS = 0.02
_PAYLOAD_TYPE = 8


class Sound:
    """`count` RTP packets of PCMA whose payloads are all different."""

    def __init__(self, count, ssrc):
        generator = random.Random(ssrc)
        self.packets = [rtp.rtp_packet(_PAYLOAD_TYPE, 1000 + i, 160 * i, ssrc, generator.randbytes(160)) for i in range(count)]


class Sipp(Process):
    """SIPp with the scenario `role`.xml (caller, callee, …) in a folder of its own, playing `sound` (None: nothing) in each call.

    `challenged` False leaves out what the scenario does about a digest challenge. `scenario`: its XML, where it is in no file.
    """

    def __init__(self, role, sound, work_folder, namespace, address, *arguments, port=5060, challenged=True, scenario=None):
        # A role may be played again in one test.
        folder = tempfile.mkdtemp(prefix=f"sipp-{role}-", dir=work_folder.path)
        if scenario is None:
            with open(os.path.join(_SCENARIOS, f"{role}.xml"), encoding="utf-8") as file:
                scenario = file.read()
        if sound is None:
            scenario = _without("sound", scenario)
        else:
            pcap.write_rtp(os.path.join(folder, f"{role}.pcap"), sound.packets, PACKET_SECONDS)
        if not challenged:
            scenario = _without("challenge", scenario)
            # What is acknowledged is the first INVITE then.
            scenario = scenario.replace("CSeq: 2 ACK", "CSeq: 1 ACK")
        with open(os.path.join(folder, f"{role}.xml"), "w", encoding="utf-8") as file:
            file.write(scenario)
        super().__init__(
            f"sipp {role}",
            ["sipp", "-sf", f"{role}.xml", "-i", address, "-p", str(port), "-mi", address, "-nostdin",
             "-trace_err", "-error_file", "errors.txt", *arguments],
            f"{folder}.log", namespace, folder)
        self._folder = folder
        self._errors = os.path.join(folder, "errors.txt")

    def errors(self):
        """What SIPp complained about: unexpected messages, timeouts. Empty if all went as the scenario says."""
        if not os.path.exists(self._errors):
            return ""
        with open(self._errors, encoding="utf-8", errors="replace") as file:
            return file.read()

    def statistics(self):
        """The last line of the statistics that it wrote with -trace_stat -stf statistics.csv, by column."""
        with open(os.path.join(self._folder, "statistics.csv"), encoding="ascii") as file:
            lines = file.read().splitlines()
        return dict(zip(lines[0].split(";"), lines[-1].split(";")))


def _without(part, scenario):
    """The scenario without what stands between two comments that name the part."""
    return re.sub(rf"<!-- {part}\b.*<!-- end of {part} -->", "", scenario, flags=re.DOTALL)


class Capture(Process):
    """dumpcap on an interface of a namespace. `stop` it, then take the `datagrams`."""

    def __init__(self, work_folder, namespace, link, capture_filter):
        self._path = work_folder.file(f"{namespace.name}-{link}.pcap")
        super().__init__(f"dumpcap {namespace.name}",
                         ["dumpcap", "-q", "-P", "-i", link, "-B", "64", "-f", capture_filter, "-w", self._path],
                         work_folder.file(f"dumpcap-{namespace.name}.log"), namespace)
        self.wait_until(lambda: "File: " in self.log(), "it captured")

    def stop(self, timeout=10.0):
        # dumpcap writes out what it holds on SIGINT.
        if self.exit_status is None:
            os.kill(self.pid, signal.SIGINT)
            self.wait(timeout)
        return self.exit_status

    def datagrams(self):
        return pcap.read_udp(self._path)


def flows_to(datagrams, address):
    """What came to `address`, by (source, destination): the list of payloads in the order in which they came."""
    flows = {}
    for datagram in datagrams:
        if datagram.destination[0] == address:
            flows.setdefault((datagram.source, datagram.destination), []).append(datagram.payload)
    return flows


def unlike(flows, sound):
    """The flows that are not `sound`, packet by packet in its order: a line of text for each."""
    lines = []
    for (source, destination), packets in flows.items():
        if packets == sound.packets:
            continue
        sent = set(sound.packets)
        missing = len(sent - set(packets))
        altered = sum(packet not in sent for packet in packets)
        lines.append(f"{source[0]}:{source[1]} → {destination[0]}:{destination[1]}: {len(packets)} packets instead of "
                     f"{len(sound.packets)}, {missing} missing, {altered} altered"
                     f"{'' if missing or altered else ', in another order or doubled'}")
    return lines
