"""The capture of one call, read by tshark: every packet of both legs, each way, with its direction and the call's name."""

import collections
import os
import subprocess

from harness import call_network as net
from harness.proto_json import get
from harness.system_test import SystemTest, main, measured
from phone.established_call import EstablishedCall

PACKETS = 50
# Packet flags of pcapng (bits 0 and 1).
RECEIVED, SENT = 1, 2


def tshark(path, *arguments):
    done = subprocess.run(["tshark", "-n", "-r", path, "--enable-heuristic", "rtp_udp", *arguments], capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"tshark does not read {path}: {done.stderr.strip()}")
    return done.stdout


class CaptureTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.folder = cls.work_folder.file("captures")
        os.mkdir(cls.folder)
        cls.relay = cls.start_relay(capture_folder=cls.folder)
        cls.controller = cls.start_controller([cls.relay])
        for name in ("alice", "bob"):
            cls.controller.add_account(name, f"{name}-secret")

    def test_tshark_reads_every_packet_of_a_call(self):
        call = EstablishedCall(self.registered_phone("alice", self.network.phone_a, net.PHONE_A), self.registered_phone("bob", self.network.phone_b, net.PHONE_B),
                               callee_port=22000)
        self.addCleanup(call.close)
        call_id = get(self.controller.ctl.json("calls"), "calls", 0, "callId")
        started = self.relay.ctl.json("capture", "start", call_id)
        call.exchange(PACKETS)
        stopped = self.relay.ctl.json("capture", "stop", started["captureId"])
        call.hang_up()

        path = os.path.join(self.folder, started["fileName"])
        rows = [line.split("\t") for line in tshark(
            path, "-Y", "rtp", "-T", "fields", "-e", "rtp.ssrc", "-e", "frame.packet_flags_direction").splitlines()]
        seen = collections.Counter((int(ssrc, 16), int(flags, 16)) for ssrc, flags in rows)
        expected = {}
        for stream in call.streams:
            expected[stream.ssrc, RECEIVED] = stream.opening_sent + PACKETS
            expected[stream.ssrc, SENT] = stream.peer.opening_received + PACKETS
        self.assertEqual(dict(seen), expected)
        # RTCP is among them.
        frames = len(tshark(path, "-T", "fields", "-e", "frame.number").splitlines())
        self.assertEqual(int(stopped["packets"]), frames)
        self.assertEqual(int(stopped["bytes"]), os.path.getsize(path))
        self.assertIn(call_id, subprocess.run(["capinfos", path], capture_output=True, text=True, timeout=60, check=True).stdout)
        measured(f"{len(rows)} RTP packets and {frames - len(rows)} of RTCP in a file of {stopped['bytes']} bytes")


if __name__ == "__main__":
    main(__doc__)
