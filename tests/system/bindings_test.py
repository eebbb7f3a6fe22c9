"""Where an account can be reached: at several phones, and behind a NAT that is kept open."""

import csv
import io
import time

from harness import call_network as net
from harness.system_test import SystemTest, main
from phone import sdp
from phone.sip_phone import SipPhone, response_to


class BindingsTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay], more_config="registrar: {keepalive_interval: 5s}\n")
        for name in ("alice", "bob"):
            cls.controller.add_account(name, f"{name}-secret")

    def tearDown(self):
        self.expect_nothing_left(self.controller, self.relay)

    def recorded_legs(self):
        """The lines of the only call's legs, once its relay has said how the media was."""
        deadline = time.monotonic() + 5
        while not (legs := list(csv.DictReader(io.StringIO(self.controller.ctl.run("cdrs", "--legs", "-o", "csv"), newline="")))):
            self.assertLess(time.monotonic(), deadline, "no call record after 5 s")
            time.sleep(0.1)
        return legs

    def test_all_phones_of_an_account_ring_and_the_first_that_answers_has_the_call(self):
        alice = self.registered_phone("alice", self.network.phone_a, net.PHONE_A)
        phones = [self.registered_phone("bob", self.network.phone_c, net.PHONE_C, port) for port in (5060, 5070)]
        call = alice.call("bob", sdp.audio(net.PHONE_A, 21000))
        slow, quick = [phone.incoming() for phone in phones]
        slow.respond(180, "Ringing")
        call.expect(180)
        quick.respond(200, "OK", body=sdp.audio(net.PHONE_C, 21000))
        call.expect(200)
        call.ack()
        quick.expect_ack()
        slow.expect_cancel()
        call.bye()
        quick.expect_bye()
        self.assertEqual(sorted((leg["side"], leg["account"], leg["sip_status"], leg["q850_cause"], leg["ended_by"], bool(leg["answer_time"]))
                                for leg in self.recorded_legs()),
                         [("callee", "bob", "200", "16", "caller", True), ("callee", "bob", "487", "26", "controller", False),
                          ("caller", "alice", "200", "16", "caller", True)])

    def test_a_phone_behind_a_nat_is_asked_by_options_so_that_it_stays_reachable(self):
        bob = self.registered_phone("bob", self.network.phone_b, net.PHONE_B)
        options = bob.expect("OPTIONS", timeout=8)
        self.assertTrue(options.uri.startswith(f"sip:bob@{net.PHONE_B}"), options.uri)
        bob.send(response_to(options, 200, "OK"))


if __name__ == "__main__":
    main(__doc__)
