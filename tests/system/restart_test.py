"""Answered calls outlive the controller: it is killed or stopped, started again, and goes on with them as if nothing had happened."""

import contextlib
import threading
import time

from harness import call_network as net
from harness.controller import REALM
from harness.proto_json import get, moment, number
from harness.relay import edited
from harness.system_test import SystemTest, main, measured
from phone.established_call import EstablishedCall, StandingMedia
from phone.sip_phone import SipPhone

PACKETS = 25
SILENCE_SECONDS = 1


class RestartTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay])
        for name in ("alice", "carol"):
            cls.controller.add_account(name, f"{name}-secret")

    def setUp(self):
        self.alice = self.registered_phone("alice", self.network.phone_a, net.PHONE_A)
        self.carol = self.registered_phone("carol", self.network.phone_c, net.PHONE_C)

    def alice_on_tcp(self, port):
        phone = SipPhone(self.network.phone_a, net.PHONE_A, port, user="alice", password="alice-secret", server=(net.SWITCH_A, net.SIP_PORT),
                         domain=REALM, transport="tcp")
        self.addCleanup(phone.close)
        return phone

    def place_call(self):
        self.call = EstablishedCall(self.alice, self.carol)
        self.addCleanup(self.call.close)
        self.shown = self.shown_call()

    def place_kept_call(self):
        self.place_call()
        self.wait_until_kept()

    def wait_until_kept(self, before=()):
        """Until the state of the call is on disk, and another one than `before`."""
        self.controller.process.wait_until(lambda: self.controller.kept_states() not in ([], before), "the state of the call was written")

    def shown_call(self):
        [call] = self.controller.ctl.json("calls")["calls"]
        return call

    def check_that_it_is_the_call(self, call):
        """`call` is what was shown when it was set up, times included."""
        for key in ("callId", "caller", "callee", "relay"):
            self.assertEqual(call[key], self.shown[key], key)
        for key in ("startTime", "answerTime"):
            self.assertAlmostEqual(moment(call[key]), moment(self.shown[key]), 4, key)

    def kill(self):
        self.controller.process.kill()

    def stop(self):
        self.assertEqual(self.controller.stop(), 0, self.controller.process.tail())

    def check_record(self, ended_by, sent=None):
        """There is one record of the call, with what both sides sent, and nothing is left."""
        self.expect_nothing_left(self.controller, self.relay)
        self.controller.process.wait_until(lambda: self.controller.kept_states() == [], "the call was forgotten")
        records = [record for record in self.controller.ctl.json("cdrs")["records"] if record["call"]["callId"] == self.shown["callId"]]
        self.assertEqual(len(records), 1, records)
        record = records[0]
        self.assertEqual(get(record, "call", "endCause", "endedBy"), ended_by)
        self.check_that_it_is_the_call(record["call"])
        if sent is None:
            return
        self.assertFalse(get(record, "mediaUnknown", default=False))
        [stream] = record["streams"]
        self.assertEqual([number(stream, side, "packets") for side in ("fromCaller", "fromCallee")], sent)
        self.assertEqual([number(stream, side, "lost") for side in ("fromCaller", "fromCallee")], [0, 0])

    def check_that_media_and_dialogs_outlive(self, *ends):
        """The controller ends so, again and again; the media does not notice, and the dialogs go on."""
        self.place_kept_call()
        media = StandingMedia(self.call)
        away = []
        for end in ends:
            end()
            died = time.monotonic()
            self.controller.start()
            away.append(time.monotonic() - died)
        self.check_that_it_is_the_call(self.shown_call())
        self.controller.wait_for_relay(self.relay.name)
        media.end()
        for phone in (self.alice, self.carol):
            phone.expect_nothing(0.1)
        sent = self.call.sent
        measured(f"away for {', '.join(f'{seconds:.2f}' for seconds in away)} s, {sum(sent)} packets of media, none lost")

        before = self.controller.kept_states()
        self.call.reinvite("sendonly")
        self.wait_until_kept(before)
        ends[0]()
        self.controller.start()
        self.call.reinvite("sendrecv", by_callee=True)
        self.controller.wait_for_relay(self.relay.name)
        self.call.exchange(PACKETS)
        sent = self.call.sent
        self.call.hang_up(by_callee=True)
        self.check_record("ENDED_BY_CALLEE", sent)

    def test_a_call_outlives_a_controller_that_is_killed(self):
        # The second time at once: each run counts as later than the one before.
        self.check_that_media_and_dialogs_outlive(self.kill, self.kill)

    def test_a_call_outlives_a_controller_that_is_stopped(self):
        self.check_that_media_and_dialogs_outlive(self.stop)

    def test_a_call_outlives_controller_and_relay(self):
        self.place_kept_call()
        self.call.exchange(PACKETS)
        self.kill()
        self.relay.process.kill()
        self.relay.start()
        self.controller.start()
        self.controller.wait_for_relay(self.relay.name)
        self.call.exchange(PACKETS)
        self.call.hang_up()
        self.check_record("ENDED_BY_CALLER")

    def test_a_phone_on_tcp_goes_on_over_another_connection(self):
        self.alice = self.alice_on_tcp(5062)
        self.place_kept_call()
        self.kill()
        self.controller.start()
        self.controller.wait_for_relay(self.relay.name)
        self.call.outgoing.phone = self.alice_on_tcp(5064)
        self.call.reinvite("sendrecv")
        self.call.exchange(PACKETS)
        self.call.hang_up(by_callee=True)
        self.check_record("ENDED_BY_CALLEE", self.call.sent)

    def test_a_call_that_ends_meanwhile_ends_at_the_start(self):
        self.place_kept_call()
        self.call.exchange(PACKETS)
        self.kill()
        bye = self.call.incoming.request("BYE")
        self.carol.send(bye)
        self.controller.start()
        # As RFC 3261 17.1.2.2 sends it again.
        self.carol.send(bye)
        self.carol.expect(200)
        self.call.outgoing.expect_bye()
        self.check_record("ENDED_BY_CALLEE", self.call.sent)

    def test_a_call_that_falls_silent_meanwhile_ends_at_the_start(self):
        with self.changed(self.relay, r"(  capture_folder: .*\n)", rf"\g<1>  silence_timeout: {SILENCE_SECONDS}s\n"):
            self.controller.wait_for_relay(self.relay.name)
            self.place_call()
            media = StandingMedia(self.call)
            self.wait_until_kept()
            media.end()
            self.kill()
            time.sleep(SILENCE_SECONDS + 0.5)
            self.controller.start()
            self.call.outgoing.expect_bye()
            self.call.incoming.expect_bye()
            self.check_record("ENDED_BY_MEDIA_TIMEOUT", self.call.sent)
        self.controller.wait_for_relay(self.relay.name)

    def test_a_stop_ends_calls_that_are_not_to_be_kept(self):
        with self.changed(self.controller, r"(store:\n)", r"\g<1>  keep_calls: false\n"):
            self.controller.wait_for_relay(self.relay.name)
            self.place_call()
            self.call.exchange(PACKETS)
            stopping = threading.Thread(target=self.stop)
            stopping.start()
            self.call.outgoing.expect_bye()
            self.call.incoming.expect_bye()
            stopping.join()
            self.controller.start()
            self.check_record("ENDED_BY_CONTROLLER", self.call.sent)
        self.controller.wait_for_relay(self.relay.name)

    def test_a_call_that_was_kept_and_is_not_to_go_on_has_its_record(self):
        self.place_kept_call()
        self.kill()
        with self.changed(self.controller, r"(store:\n)", r"\g<1>  keep_calls: false\n"):
            # Its session is nobody's now, and would be ended after the grace period.
            self.relay.stop()
            self.relay.start()
            self.check_record("ENDED_BY_CONTROLLER")
        self.controller.wait_for_relay(self.relay.name)

    @contextlib.contextmanager
    def changed(self, server, pattern, replacement):
        """`server` runs with another config."""
        right = server.config
        server.stop()
        server.config = edited(right, pattern, replacement)
        server.start()
        try:
            yield
        finally:
            server.stop()
            server.config = right
            server.start()


if __name__ == "__main__":
    main(__doc__)
