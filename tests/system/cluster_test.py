"""Two controllers that stand in for each other: calls go on at the other one when one is killed, stopped or stands still, and it is all the
same where a request in a dialog comes to."""

import contextlib
import signal
import time

from harness import call_network as net
from harness.controller import REALM
from harness.namespaces import address_command
from harness.proto_json import get, number
from harness.redis import Redis
from harness.system_test import SystemTest, main, measured
from phone.established_call import EstablishedCall, StandingMedia
from phone.sip_phone import SipPhone, response_to

PACKETS = 25
# Where the second controller is.
SECOND = "198.18.1.11"
# After which a controller that says nothing is gone.
LEASE_SECONDS = 3
# Within which the calls of one that is gone are at the other.
TAKEOVER_SECONDS = 5
EXIT_OUSTED = 1


class ClusterTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.redis = cls.stack.enter_context(Redis(cls.work_folder))
        cls.network.switch.ip(address_command(net.SWITCH_LINK_A, SECOND, 24))
        cls.relay = cls.start_relay()
        more = f'cluster: {{redis: "{cls.redis.address}"}}\n'
        cls.first = cls.start_controller([cls.relay], more_config=more)
        cls.second = cls.start_controller([cls.relay], more_config=more, number=2, sip_addresses=(SECOND,))
        for controller in (cls.first, cls.second):
            for name in ("alice", "carol"):
                controller.add_account(name, f"{name}-secret")

    def setUp(self):
        self.alice = self.phone("alice", self.network.phone_a, net.PHONE_A)
        self.carol = self.phone("carol", self.network.phone_c, net.PHONE_C)

    def phone(self, user, namespace, address):
        """Registered at the first controller, whom it belongs to at first."""
        phone = SipPhone(namespace, address, 5060, user=user, password=f"{user}-secret", server=(net.SWITCH_A, net.SIP_PORT), domain=REALM)
        self.addCleanup(phone.close)
        self.assertEqual(phone.register().status, 200)
        return phone

    def turn_to(self, address, *phones):
        for phone in phones:
            phone.server = (address, net.SIP_PORT)

    def calls_at(self, controller):
        return [call["callId"] for call in controller.ctl.json("calls").get("calls", [])]

    def contact_of_carol(self, controller):
        bindings = controller.ctl.json("bindings", "carol").get("bindings", [])
        return [binding["contact"] for binding in bindings]

    def kept(self):
        return [(key, self.redis.ask("hgetall", key)) for key in sorted(self.redis.ask("keys", "sluice:calls:*"))]

    def wait_until_kept(self, before=None):
        self.redis.process.wait_until(lambda: self.kept() not in ([], before), "the call was kept", 20)

    def place_kept_call(self):
        """At the first controller."""
        self.call = EstablishedCall(self.alice, self.carol)
        self.addCleanup(self.call.close)
        [self.call_id] = self.calls_at(self.first)
        self.wait_until_kept()

    def wait_for_takeover(self, since, seconds=TAKEOVER_SECONDS):
        """The second controller has the call."""
        self.second.process.wait_until(lambda: self.calls_at(self.second) == [self.call_id], "the call was taken over", 20)
        took = time.monotonic() - since
        self.assertLess(took, seconds)
        return took

    def take_refreshes(self):
        """Both phones hear from the second controller where their call is now."""
        self.call.take_refresh()
        self.call.take_refresh(by_callee=True)
        for phone in (self.alice, self.carol):
            self.assertEqual(phone.server, (SECOND, net.SIP_PORT))

    def check_record(self, controller, other, ended_by):
        """There is one record of the call, at `controller`, with all that both sides sent, and nothing is left."""
        self.expect_nothing_left(controller, self.relay)
        self.redis.process.wait_until(lambda: self.kept() == [], "the call was forgotten")
        records = [record for record in controller.ctl.json("cdrs").get("records", []) if record["call"]["callId"] == self.call_id]
        self.assertEqual(len(records), 1, records)
        self.assertEqual(get(records[0], "call", "endCause", "endedBy"), ended_by)
        [stream] = records[0]["streams"]
        self.assertEqual([number(stream, side, "packets") for side in ("fromCaller", "fromCallee")], self.call.sent)
        others = [record for record in other.ctl.json("cdrs").get("records", []) if record["call"]["callId"] == self.call_id]
        self.assertEqual(others, [])

    @contextlib.contextmanager
    def first_away(self):
        """It is started again, whatever happens."""
        try:
            yield
        finally:
            if self.first.process.exit_status is None:
                self.first.process.kill()
            self.first.start()
            self.first.wait_for_relay(self.relay.name)

    def test_calls_of_a_controller_that_is_killed_go_on_at_the_other(self):
        self.place_kept_call()
        media = StandingMedia(self.call)
        with self.first_away():
            self.first.process.kill()
            died = time.monotonic()
            took = self.wait_for_takeover(died)
            self.take_refreshes()
            media.end()
            measured(f"taken over within {took:.2f} s, {sum(self.call.sent)} packets of media, none lost")
        # It comes back to nothing, and disturbs nothing.
        self.assertEqual(self.calls_at(self.first), [])
        self.call.reinvite("sendonly")
        self.call.reinvite("sendrecv", by_callee=True)
        self.call.exchange(PACKETS)
        self.call.hang_up(by_callee=True)
        self.check_record(self.second, self.first, "ENDED_BY_CALLEE")

    def test_a_bye_in_the_gap_is_served_by_the_other_as_soon_as_it_has_the_call(self):
        self.place_kept_call()
        self.call.exchange(PACKETS)
        with self.first_away():
            self.first.process.kill()
            self.turn_to(SECOND, self.alice)
            bye = self.call.outgoing.request("BYE")
            self.alice.send(bye)
            self.assertEqual(self.alice.expect(200, TAKEOVER_SECONDS + 1).cseq, bye.cseq)
            self.call.incoming.expect_bye()
        self.check_record(self.second, self.first, "ENDED_BY_CALLER")

    def test_requests_in_dialogs_may_come_to_the_other_controller(self):
        self.place_kept_call()
        self.turn_to(SECOND, self.alice, self.carol)
        self.call.reinvite("sendonly")
        self.call.reinvite("sendrecv", by_callee=True)
        self.call.exchange(PACKETS)
        info = self.call.outgoing.request("INFO", [("Content-Type", "application/x-test")], b"seen")
        self.alice.send(info)
        passed = self.carol.expect("INFO")
        self.assertEqual(passed.body, b"seen")
        self.carol.send(response_to(passed, 200, "OK"))
        self.alice.expect(200)
        self.assertEqual(self.calls_at(self.second), [])
        self.call.hang_up()
        self.check_record(self.first, self.second, "ENDED_BY_CALLER")

    def test_a_controller_that_stood_still_for_too_long_ends_itself(self):
        self.place_kept_call()
        media = StandingMedia(self.call)
        with self.first_away():
            self.first.process.signal(signal.SIGSTOP)
            self.wait_for_takeover(time.monotonic())
            self.take_refreshes()
            self.first.process.signal(signal.SIGCONT)
            self.assertEqual(self.first.process.wait(5), EXIT_OUSTED, self.first.process.tail())
            self.assertIn("controller-2", self.first.process.tail())
            for phone in (self.alice, self.carol):
                phone.expect_nothing(0.5)
            media.end()
            self.assertEqual(self.calls_at(self.second), [self.call_id])
        self.call.exchange(PACKETS)
        self.call.hang_up()
        self.check_record(self.second, self.first, "ENDED_BY_CALLER")

    def test_calls_outlive_redis_and_are_taken_over_afterwards(self):
        self.place_kept_call()
        media = StandingMedia(self.call)
        self.redis.process.kill()
        time.sleep(LEASE_SECONDS + 1)
        for phone in (self.alice, self.carol):
            phone.expect_nothing(0.1)
        self.redis.start()
        self.wait_until_kept()
        # Whoever was away with Redis has time to say so; then silence means something again.
        time.sleep(LEASE_SECONDS + 2)
        self.assertEqual((self.calls_at(self.first), self.calls_at(self.second)), ([self.call_id], []))
        with self.first_away():
            self.first.process.kill()
            self.wait_for_takeover(time.monotonic())
            self.take_refreshes()
            media.end()
        self.call.hang_up()
        self.check_record(self.second, self.first, "ENDED_BY_CALLER")

    def test_a_controller_that_is_stopped_hands_its_calls_over(self):
        self.place_kept_call()
        media = StandingMedia(self.call)
        with self.first_away():
            begun = time.monotonic()
            self.assertEqual(self.first.stop(), 0, self.first.process.tail())
            took = self.wait_for_takeover(begun, LEASE_SECONDS)
            self.take_refreshes()
            media.end()
            measured(f"handed over within {took:.2f} s of the signal")
        self.call.hang_up(by_callee=True)
        self.check_record(self.second, self.first, "ENDED_BY_CALLEE")

    def test_a_phone_is_called_through_the_other_controller(self):
        self.second.process.wait_until(lambda: self.contact_of_carol(self.second) == self.contact_of_carol(self.first), "it knew where carol is")
        self.turn_to(SECOND, self.alice)
        self.call = EstablishedCall(self.alice, self.carol)
        self.addCleanup(self.call.close)
        [self.call_id] = self.calls_at(self.second)
        # Carol has registered at the first one and hears of the call from the second.
        self.turn_to(SECOND, self.carol)
        self.call.exchange(PACKETS)
        self.call.hang_up(by_callee=True)
        self.check_record(self.second, self.first, "ENDED_BY_CALLEE")


if __name__ == "__main__":
    main(__doc__)
