"""Calls of all kinds between our own phones: over each device, IPv4 and IPv6, UDP and TCP, each digest, ended by either side."""

import argparse

from harness import call_network as net
from harness.proto_json import get, number
from harness.system_test import SystemTest, main, measured
from phone import sdp
from phone.established_call import EstablishedCall

PACKETS = 50


class CallsTest(SystemTest):
    """Both address families on one relay and one controller."""

    device = None

    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay(device=cls.device, callers=(net.SWITCH_A, net.SWITCH_A6), callees=(net.SWITCH_B, net.SWITCH_B6))
        cls.controller = cls.start_controller([cls.relay], sip_addresses=(net.SWITCH_A, net.SWITCH_A6))
        for name in ("alice", "bob", "carol", "old"):
            cls.controller.add_account(name, f"{name}-secret", legacy_digest=name == "old")

    def call(self, caller, callee, by_callee=False):
        call = EstablishedCall(caller, callee)
        self.addCleanup(call.close)
        call.exchange(PACKETS)
        call.hang_up(by_callee)
        measured(f"{2 * PACKETS} packets, slowest {call.slowest_ms:.2f} ms, {self.device}: {self.id().rsplit('.', 1)[1]}")

    def tearDown(self):
        self.expect_nothing_left(self.controller, self.relay)

    def test_a_phone_calls_one_behind_a_nat(self):
        self.call(self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5060),
                  self.registered_phone("bob", self.network.phone_b, net.PHONE_B, 5060))

    def test_a_phone_calls_over_ipv6(self):
        self.call(self.registered_phone("alice", self.network.phone_a, net.PHONE_A6, 5061),
                  self.registered_phone("carol", self.network.phone_c, net.PHONE_C6, 5061))

    def test_a_phone_of_ipv4_calls_one_of_ipv6(self):
        self.call(self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5062),
                  self.registered_phone("carol", self.network.phone_c, net.PHONE_C6, 5062))

    def test_a_phone_on_tcp_calls_one_on_tcp_behind_a_nat(self):
        self.call(self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5063, transport="tcp"),
                  self.registered_phone("bob", self.network.phone_b, net.PHONE_B, 5063, transport="tcp"))

    def test_phones_that_answer_digests_by_sha256_call(self):
        self.call(self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5064, algorithm="SHA-256"),
                  self.registered_phone("carol", self.network.phone_c, net.PHONE_C, 5064, algorithm="SHA-256"))

    def test_a_phone_with_the_old_digest_calls_where_its_account_allows_it(self):
        self.call(self.registered_phone("old", self.network.phone_a, net.PHONE_A, 5065, legacy_digest=True),
                  self.registered_phone("carol", self.network.phone_c, net.PHONE_C, 5065))

    def test_the_callee_hangs_up(self):
        self.call(self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5066),
                  self.registered_phone("bob", self.network.phone_b, net.PHONE_B, 5066),
                  by_callee=True)

    def test_a_caller_who_changes_his_mind_cancels_the_ringing(self):
        caller = self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5067)
        callee = self.registered_phone("carol", self.network.phone_c, net.PHONE_C, 5067)
        call = caller.call("carol", sdp.audio(net.PHONE_A, 21000))
        ringing = callee.incoming()
        ringing.respond(180, "Ringing")
        call.expect(180)
        call.cancel()
        ringing.expect_cancel()
        call.expect_cancelled()

    def test_an_operator_hangs_up_both_sides(self):
        call = EstablishedCall(self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5068),
                               self.registered_phone("carol", self.network.phone_c, net.PHONE_C, 5068))
        self.addCleanup(call.close)
        self.controller.ctl.run("hangup", get(self.controller.ctl.json("calls"), "calls", 0, "callId"))
        call.outgoing.expect_bye()
        call.incoming.expect_bye()

    def test_the_statistics_of_a_standing_call_are_those_of_its_packets(self):
        call = EstablishedCall(self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5069),
                               self.registered_phone("carol", self.network.phone_c, net.PHONE_C, 5069))
        self.addCleanup(call.close)
        call.exchange(PACKETS)
        call_id = get(self.controller.ctl.json("calls"), "calls", 0, "callId")
        legs = self.controller.ctl.json("call", call_id)["media"]["streams"][0]["legs"]
        for leg, stream in zip(legs, call.streams):
            self.assertEqual(number(leg, "received", "packets"), stream.opening_sent + PACKETS)
            self.assertEqual(number(leg, "received", "ssrc"), stream.ssrc)
            self.assertEqual(number(leg, "received", "payloadTypes", "8"), stream.opening_sent + PACKETS)
            self.assertEqual(number(leg, "received", "lost"), 0)
            self.assertEqual(leg["learnedRemote"], {"address": stream.address, "port": stream.port})
        call.hang_up()


if __name__ == "__main__":
    flags = argparse.ArgumentParser(add_help=False)
    flags.add_argument("--device", required=True)
    CallsTest.device = flags.parse_known_args()[0].device
    main(__doc__, more_flags=[flags])
