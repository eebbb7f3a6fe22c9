"""200 calls at 20 a second between two SIPp: every packet of sound arrives as it was sent, and every counter says so."""

import time

from harness import call_network as net
from harness.controller import REALM
from harness.proto_json import get, number
from harness.sipp import Capture, Sipp, Sound, flows_to, unlike
from harness.system_test import SystemTest, main, measured
from phone.sip_phone import SipPhone

CALLS = 200
CALLS_A_SECOND = 20
PACKETS = 100  # Each way of each call: 2 s.
SIPP_PORT = 5060


class SippLoadTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        # Its peers give up when they are offered a digest that they do not know.
        cls.controller = cls.start_controller([cls.relay], digests=("MD5",))
        cls.controller.add_account("caller", "caller-secret")
        cls.controller.add_account("callee", "callee-secret")
        # SIPp's callee does not register; a phone does at its address and leaves.
        with SipPhone(cls.network.phone_c, net.PHONE_C, SIPP_PORT, user="callee", password="callee-secret",
                      server=(net.SWITCH_A, net.SIP_PORT), domain=REALM) as phone:
            response = phone.register()
            assert response.status == 200, f"the callee's REGISTER was answered by {response}"

    def test_every_packet_of_200_calls_arrives_unchanged_and_in_order_and_is_counted(self):
        sounds = {"caller": Sound(PACKETS, 0xA), "callee": Sound(PACKETS, 0xC)}
        media_only = f"udp and not port {SIPP_PORT}"
        captures = {"caller": self.stack.enter_context(Capture(self.work_folder, self.network.phone_a, "eth0", media_only)),
                    "callee": self.stack.enter_context(Capture(self.work_folder, self.network.phone_c, "eth0", media_only))}
        callee = self.stack.enter_context(Sipp("callee", sounds["callee"], self.work_folder, self.network.phone_c, net.PHONE_C,
                                               "-m", str(CALLS)))
        start = time.monotonic()
        caller = self.stack.enter_context(Sipp(
            "caller", sounds["caller"], self.work_folder, self.network.phone_a, net.PHONE_A, "-m", str(CALLS),
            "-r", str(CALLS_A_SECOND), "-d", "3000", "-s", "callee",
            # Otherwise its digest names another URI than its request.
            "-auth_uri", f"callee@{net.SWITCH_A}:{net.SIP_PORT}", f"{net.SWITCH_A}:{net.SIP_PORT}"))
        self.assertEqual(caller.wait(45), 0, f"the caller's SIPp failed\n{caller.errors()}\n{caller.tail()}")
        self.assertEqual(callee.wait(10), 0, f"the callee's SIPp failed\n{callee.errors()}\n{callee.tail()}")
        seconds = time.monotonic() - start
        for capture in captures.values():
            capture.stop()
        self.check_sound(captures, sounds)
        self.check_counters()
        measured(f"{CALLS} calls in {seconds:.1f} s, {2 * CALLS * PACKETS} packets, none lost, altered or out of order")

    def check_sound(self, captures, sounds):
        for role, other, address in (("caller", "callee", net.PHONE_A), ("callee", "caller", net.PHONE_C)):
            flows = flows_to(captures[role].datagrams(), address)
            self.assertEqual(len(flows), CALLS, f"streams that the {role} heard")
            bad = unlike(flows, sounds[other])
            self.assertEqual(bad, [], f"{len(bad)} of {CALLS} streams to the {role} are not what was sent")

    def check_counters(self):
        deadline = time.monotonic() + 5
        while len(records := self.controller.ctl.json("cdrs", "--limit", "1000").get("records", [])) < CALLS:
            self.assertLess(time.monotonic(), deadline, f"{len(records)} of {CALLS} call records after 5 s")
            time.sleep(0.1)
        for record in records:
            stream = record["streams"][0]
            counts = [number(stream, *path) for path in (
                ("fromCaller", "packets"), ("fromCallee", "packets"), ("sentToCaller",), ("sentToCallee",))]
            self.assertEqual(counts, [PACKETS] * 4, f"call record of {get(record, 'call', 'callId')}")
            self.assertEqual(number(stream, "fromCaller", "lost") + number(stream, "fromCallee", "lost"), 0)
        statistics = self.relay.ctl.json("stats", "relay")
        self.assertEqual(number(statistics, "relay", "forwardedPackets"), 2 * CALLS * PACKETS)
        self.assertEqual(number(statistics, "relay", "sessionsCreated"), CALLS)
        self.assertEqual(number(statistics, "relay", "sessions"), 0, "sessions left behind")
        calls = self.controller.ctl.json("stats", "controller")
        self.assertEqual(number(calls, "callsAnswered"), CALLS)
        self.assertEqual(number(calls, "calls"), 0, "calls left behind")
        delay = get(statistics, "relay", "residence", default={})
        measured(f"relay delay p50 {delay.get('p50')} p99 {delay.get('p99')}, retransmissions sent "
                 f"{number(calls, 'retransmissionsSent')}")


if __name__ == "__main__":
    main(__doc__)
