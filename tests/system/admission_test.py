"""Calls to a trunk that an operator's service admits for two seconds, or refuses, or does not decide; and emergency calls, for which it is not asked."""

import argparse
import os
import signal
import time

from harness import call_network as net
from harness.controller import REALM
from harness.metrics import metric
from harness.process import Process
from harness.proto_json import get
from harness.system_test import SystemTest, main, measured
from phone import sdp
from phone.sip_phone import SipPhone, response_to

TRUNK_PORT = 5060
LIMIT = 2.0
RELOADED = "admission, trunks and routes take effect"
METRICS = f"{net.SWITCH_A}:9080"
rating_program = None

_CONFIG = """\
metrics_listen: {metrics}
admission: {{address: "{rating}", timeout: 300ms}}
trunks:
  - name: carrier
    peers: [{{transport: udp, address: "{carrier}:{port}"}}]
    domain: carrier.example
routes:
  - {{name: emergency, number: "112", to: [{{trunk: carrier}}], skip_admission: true}}
  - {{name: out, number: "0X*", to: [{{trunk: carrier}}], called: {{strip: 1, prepend: "+49"}}}}
"""


class AdmissionTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.rating_address = f"unix:{cls.work_folder.file('rating.sock')}"
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay], more_config=_CONFIG.format(
            metrics=METRICS, rating=cls.rating_address, carrier=net.PHONE_C, port=TRUNK_PORT))
        for name in ("caller", "desk"):
            cls.controller.add_account(name, f"{name}-secret")

    def setUp(self):
        self.carrier = SipPhone(self.network.phone_c, net.PHONE_C, TRUNK_PORT, user="carrier", server=(net.SWITCH_A, net.SIP_PORT), domain=REALM)
        self.addCleanup(self.carrier.close)
        self.caller = SipPhone(self.network.phone_a, net.PHONE_A, 5066, user="caller", password="caller-secret",
                               server=(net.SWITCH_A, net.SIP_PORT), domain=REALM)
        self.addCleanup(self.caller.close)
        self.addCleanup(self.expect_nothing_left, self.controller, self.relay)

    def rating(self):
        """The operator's service, until the end of the test or of the `with` block."""
        log = self.work_folder.file("rating.log")
        with open(log, "w", encoding="utf-8"):
            pass  # Logs are appended to; each test reads its own questions.
        rating = Process("rating", [rating_program, self.rating_address], log)
        self.addCleanup(rating.stop)
        rating.wait_until(lambda: "serves" in rating.log(), "it serves")
        return rating

    def place(self, number):
        return self.caller.call(number, sdp.audio(net.PHONE_A, 21000))

    def answer_at_carrier(self, outgoing):
        """The carrier takes the call of `outgoing`; answers its side and the time of the answer."""
        incoming = self.carrier.incoming()
        incoming.respond(200, "OK", body=sdp.audio(net.PHONE_C, 22000))
        incoming.expect_ack()
        outgoing.expect(200)
        outgoing.ack()
        return incoming, time.monotonic()

    def expect_busy(self, outgoing):
        """The carrier is asked, and busy."""
        incoming = self.carrier.incoming()
        incoming.respond(486, "Busy Here")
        incoming.expect_ack()
        outgoing.expect(486)
        return incoming

    def record_of(self, outgoing):
        deadline = time.monotonic() + 5
        while True:
            for record in self.controller.ctl.json("cdrs", "--limit", "100").get("records", []):
                if get(record, "call", "caller", "sipCallId") == outgoing.call_id:
                    return record["call"]
            self.assertLess(time.monotonic(), deadline, "there is a call record after 5 s")
            time.sleep(0.05)

    def count(self, name):
        return metric(self.network.switch, METRICS, name)

    def wait_until_decided(self):
        """The controller has found the service, which has just begun."""
        deadline = time.monotonic() + 10
        while self.final_of(self.place("0900")).status != 402:
            self.assertLess(time.monotonic(), deadline, "the service was found after 10 s")
            time.sleep(0.1)

    def final_of(self, outgoing):
        """What refuses the call of `outgoing`."""
        response = self.caller.receive()
        while response is not None and response.status < 300:
            response = self.caller.receive()
        self.assertIsNotNone(response, "the call was refused")
        outgoing.acknowledge_failure(response)
        return response

    def test_a_call_ends_when_its_time_is_over(self):
        rating = self.rating()
        self.wait_until_decided()
        outgoing = self.place("030123")
        incoming, answered = self.answer_at_carrier(outgoing)
        outgoing.expect_bye()
        seconds = time.monotonic() - answered
        incoming.expect_bye()
        measured(f"ended {seconds:.3f} s after its answer, admitted for {LIMIT:g} s")
        self.assertGreater(seconds, LIMIT - 0.1)
        self.assertLess(seconds, LIMIT + 0.5)
        record = self.record_of(outgoing)
        self.assertEqual(get(record, "endCause", "text"), "the longest duration of a call is reached")
        for word in (f'controller: "controller-1" call_id: "{record["callId"]}" account: "caller"', 'calling_number: "caller"',
                     'dialled_number: "030123" routed_number: "+4930123" trunks: "carrier" occasion: CALL_OCCASION_CALL'):
            self.assertIn(word, rating.log())

    def test_a_call_that_is_refused_never_leaves(self):
        self.rating()
        self.wait_until_decided()
        outgoing = self.place("090012345")
        response = outgoing.expect(402)
        self.assertEqual(response.start_line, "SIP/2.0 402 No credit")
        self.carrier.expect_nothing(0.5)
        record = self.record_of(outgoing)
        self.assertEqual((get(record, "endCause", "sipStatus"), get(record, "endCause", "text"), get(record, "endCause", "endedBy")),
                         (402, "No credit", "ENDED_BY_CONTROLLER"))

    def test_a_transfer_to_the_trunk_is_asked_for_and_limited(self):
        rating = self.rating()
        self.wait_until_decided()
        desk = self.registered_phone("desk", self.network.phone_a, net.PHONE_A, 5067)
        outgoing = self.place("desk")
        incoming = desk.incoming()
        incoming.respond(200, "OK", body=sdp.audio(net.PHONE_A, 23000))
        incoming.expect_ack()
        outgoing.expect(200)
        outgoing.ack()
        self.assertNotIn('dialled_number: "desk"', rating.log(), "calls to accounts are not asked for")
        desk.send(incoming.request("REFER", [("Refer-To", f"<sip:030123@{REALM}>")]))
        desk.expect(202)
        self.take_notify(desk, "100")
        at_carrier = self.carrier.incoming()
        began = time.monotonic()
        at_carrier.respond(200, "OK", body=sdp.audio(net.PHONE_C, 22000))
        self.take_offer(outgoing)
        at_carrier.expect_ack()
        self.take_notify(desk, "200")
        incoming.expect_bye()
        outgoing.expect_bye()
        seconds = time.monotonic() - began
        at_carrier.expect_bye()
        measured(f"a transferred call ended {seconds:.3f} s after the target's answer, admitted for {LIMIT:g} s")
        self.assertLess(seconds, LIMIT + 0.5)
        self.assertIn('account: "desk" calling_number: "desk" dialled_number: "030123"', rating.log())
        self.assertIn("CALL_OCCASION_TRANSFER", rating.log())

    def take_notify(self, phone, status):
        notify = phone.expect("NOTIFY")
        self.assertIn(f"SIP/2.0 {status} ".encode(), notify.body)
        phone.send(response_to(notify, 200, "OK"))

    def take_offer(self, outgoing):
        offer = self.caller.expect("INVITE")
        answer = response_to(offer, 200, "OK")
        answer.headers += [("Contact", self.caller.contact), ("Content-Type", "application/sdp")]
        answer.body = sdp.audio(net.PHONE_A, 21000)
        self.caller.send(answer)
        self.caller.expect("ACK")

    def test_a_caller_may_cancel_while_nobody_has_decided(self):
        self.rating()
        self.wait_until_decided()
        outgoing = self.place("0777123")
        outgoing.expect(100)
        outgoing.cancel()
        outgoing.expect_cancelled()
        self.carrier.expect_nothing(0.5)

    def test_what_is_not_decided_is_refused_and_the_log_says_it_once(self):
        told = self.controller.process.log().count("does not decide")
        for number in ("030123", "030124", "030125"):
            outgoing = self.place(number)
            began = time.monotonic()
            response = outgoing.expect(503)
            self.assertIsNotNone(response.get("Retry-After"))
            self.assertLess(time.monotonic() - began, 1.0)
        self.assertLessEqual(self.controller.process.log().count("does not decide") - told, 1, "one line, not one a call")
        self.assertIn("does not decide", self.controller.process.log())
        self.assertGreaterEqual(self.count('sluice_admission_failures_total\\{reason="unavailable"\\}'), 3)
        # Nobody is asked for these.
        self.expect_busy(self.place("112"))

    def test_a_slow_answer_and_one_without_verdict_are_none(self):
        self.rating()
        self.wait_until_decided()
        for number, reason in (("0777123", "timeout"), ("0666123", "error")):
            before = self.count(f'sluice_admission_failures_total\\{{reason="{reason}"\\}}')
            self.place(number).expect(503)
            self.assertEqual(self.count(f'sluice_admission_failures_total\\{{reason="{reason}"\\}}'), before + 1)
        self.carrier.expect_nothing(1.0)

    def test_a_reload_lets_calls_go_on_that_are_not_decided(self):
        present = self.controller.config
        try:
            self.reload(present.replace("timeout: 300ms", "timeout: 300ms, on_failure: allow"))
            self.expect_busy(self.place("030123"))
        finally:
            self.reload(present)
        self.place("030123").expect(503)

    def reload(self, config):
        process = self.controller.process
        said = process.log().count(RELOADED)
        self.work_folder.write("controller.yaml", config)
        process.signal(signal.SIGHUP)
        process.wait_until(lambda: process.log().count(RELOADED) > said, f"it said '{RELOADED}'")


if __name__ == "__main__":
    flags = argparse.ArgumentParser(add_help=False)
    flags.add_argument("--rating", required=True)
    rating_program = os.path.abspath(flags.parse_known_args()[0].rating)
    main(__doc__, more_flags=[flags])
