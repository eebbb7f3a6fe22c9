"""What callers and scanners get who ask for what cannot be: the right status, fresh nonces, and a controller that goes on."""

import random
import time

from harness import call_network as net
from harness.controller import REALM
from harness.system_test import SystemTest, main, measured
from phone import digest, sdp
from phone.established_call import EstablishedCall
from phone.sip_phone import SipPhone

GARBAGE_DATAGRAMS = 500
# Freed ports rest for 2 s, and there are few here.
REST_SECONDS = 2.5


class RefusalsTest(SystemTest):
    @classmethod
    def start_programs(cls):
        # Two ports towards each side a call with RTCP: room for two calls.
        cls.relay = cls.start_relay(first_port=20000, last_port=20003)
        cls.controller = cls.start_controller([cls.relay])
        for name in ("alice", "bob", "carol", "mallory", "eve"):
            cls.controller.add_account(name, f"{name}-secret")

    def phone(self, user, port, *, namespace=None, address=net.PHONE_A, **options):
        phone = SipPhone(namespace or self.network.phone_a, address, port, user=user, password=f"{user}-secret",
                         server=(net.SWITCH_A, net.SIP_PORT), domain=REALM, **options)
        self.addCleanup(phone.close)
        return phone

    def tearDown(self):
        self.expect_nothing_left(self.controller, self.relay)

    @classmethod
    def tearDownClass(cls):
        refused = cls.controller.ctl.json("stats", "controller").get("refusedCalls", {})
        measured(f"refused calls by status: {dict(sorted((int(status), int(count)) for status, count in refused.items()))}")
        super().tearDownClass()

    def carol(self, port):
        carol = self.phone("carol", port, namespace=self.network.phone_c, address=net.PHONE_C)
        self.assertEqual(carol.register().status, 200)
        self.addCleanup(carol.register, expires=0)
        return carol

    def refuse(self, carol, port, status, reason):
        """Carol answers a call of Alice's so; answers what Alice got."""
        call = self.phone("alice", port).call("carol", sdp.audio(net.PHONE_A, 21000))
        ringing = carol.incoming()
        ringing.respond(status, reason, headers=[("Reason", 'SIP;cause=600;text="Not now"')])
        response = call.expect(status)
        ringing.expect_ack()
        return response

    def test_a_wrong_password_gets_fresh_nonces_and_403_after_three_tries(self):
        for method, user, port in (("REGISTER", "mallory", 5070), ("INVITE", "eve", 5071)):
            phone = self.phone(user, port)
            challenge_status, header = (401, "WWW-Authenticate") if method == "REGISTER" else (407, "Proxy-Authenticate")
            uri = f"sip:{REALM}" if method == "REGISTER" else f"sip:carol@{REALM}"
            request = phone.request(method, uri, to=f"<sip:{user}@{REALM}>" if method == "REGISTER" else None)
            nonces = []
            phone.send(request)
            response = phone.expect(challenge_status)
            for attempt in range(4):
                nonces.append(digest.Challenge(response.get(header)).nonce)
                if method == "INVITE":
                    phone.acknowledge_failure(request, response)
                request = phone.authorize(request, response, password="wrong")
                phone.send(request)
                response = phone.receive()
                if response.status == 403:
                    break
                self.assertEqual(response.status, challenge_status)
            self.assertEqual(response.status, 403, f"{method}: what the tries got: {phone.history()}")
            if method == "INVITE":
                phone.acknowledge_failure(request, response)
            self.assertEqual(attempt + 1, 3, f"{method}: tries until 403")
            self.assertEqual(len(set(nonces)), len(nonces), f"{method}: a nonce came twice")

    def test_an_unknown_number_gets_404(self):
        self.phone("alice", 5072).call("nobody", sdp.audio(net.PHONE_A, 21000)).expect(404)

    def test_a_number_that_is_not_registered_gets_480(self):
        self.phone("alice", 5073).call("bob", sdp.audio(net.PHONE_A, 21000)).expect(480)

    def test_busy_and_declined_are_carried_across(self):
        carol = self.carol(5074)
        self.assertEqual(self.refuse(carol, 5074, 486, "Busy Here").start_line, "SIP/2.0 486 Busy Here")
        declined = self.refuse(carol, 5075, 603, "Decline")
        self.assertEqual(declined.start_line, "SIP/2.0 603 Decline")
        self.assertIn("cause=600", declined.get("Reason") or "")

    def test_an_offer_without_a_line_that_can_be_carried_gets_488(self):
        self.carol(5076)
        offer = sdp.write(net.PHONE_A, [("message", 2855, ["*"], [])]).replace(b"RTP/AVP", b"TCP/MSRP")
        self.phone("alice", 5076).call("carol", offer).expect(488)

    def test_an_offer_that_is_no_sdp_gets_488(self):
        self.carol(5077)
        self.phone("alice", 5077).call("carol", b"this is not SDP\r\n").expect(488)

    def test_a_call_without_free_ports_gets_503_with_retry_after_and_the_next_one_works(self):
        self.addCleanup(time.sleep, REST_SECONDS)
        carol = self.carol(5078)
        alice = self.phone("alice", 5078)
        calls = [EstablishedCall(alice, carol, caller_port=port, callee_port=port) for port in (21000, 21002)]
        for call in calls:
            self.addCleanup(call.close)
        refused = alice.call("carol", sdp.audio(net.PHONE_A, 21004)).expect(503)
        self.assertGreaterEqual(int(refused.get("Retry-After")), 1)
        calls[0].hang_up()
        time.sleep(REST_SECONDS)
        again = EstablishedCall(alice, carol, caller_port=21006, callee_port=21006)
        self.addCleanup(again.close)
        again.exchange(10)
        again.hang_up()
        calls[1].hang_up()

    def test_a_call_without_a_relay_gets_503_with_retry_after(self):
        self.carol(5079)
        self.relay.process.kill()
        try:
            self.controller.wait_for_relay(self.relay.name, "DOWN")
            refused = self.phone("alice", 5079).call("carol", sdp.audio(net.PHONE_A, 21000)).expect(503)
            self.assertGreaterEqual(int(refused.get("Retry-After")), 1)
        finally:
            self.relay.start()
            self.controller.wait_for_relay(self.relay.name)

    def test_garbage_on_the_sip_port_is_dropped_and_counted_or_gets_400(self):
        phone = self.phone("alice", 5080)
        before = sum(map(int, self.controller.ctl.json("stats", "controller").get("droppedMessages", {}).values()))
        generator = random.Random(1)
        whole = phone.request("OPTIONS", f"sip:{REALM}").encode()
        for _ in range(GARBAGE_DATAGRAMS):
            phone.send_bytes(generator.randbytes(generator.randrange(1, 1400)))
            phone.send_bytes(whole[:generator.randrange(1, len(whole) - 4)])
            phone.send_bytes(b"\0" * generator.randrange(1, 64))
        while phone.receive(0.5) is not None:
            pass
        for entry in phone.trace:
            self.assertIn(entry.message.status, (400, 505), f"garbage was answered by {entry.message}")
        dropped = sum(map(int, self.controller.ctl.json("stats", "controller").get("droppedMessages", {}).values())) - before
        self.assertGreaterEqual(dropped + len(phone.trace), GARBAGE_DATAGRAMS)
        measured(f"{3 * GARBAGE_DATAGRAMS} datagrams of garbage: {dropped} dropped and counted, {len(phone.trace)} answered by 400")
        phone.send(phone.request("OPTIONS", f"sip:{REALM}"))
        phone.expect(200)

    def test_a_request_without_cseq_gets_400_and_one_of_another_version_505(self):
        phone = self.phone("alice", 5081)
        request = phone.request("OPTIONS", f"sip:{REALM}").encode()
        phone.send_bytes(request.replace(b"CSeq: 1 OPTIONS\r\n", b""))
        response = phone.receive(1)
        self.assertTrue(response is None or response.status == 400, response)
        phone.send_bytes(phone.request("OPTIONS", f"sip:{REALM}").encode().replace(b" SIP/2.0\r\n", b" SIP/7.0\r\n", 1))
        response = phone.receive(1)
        self.assertTrue(response is None or response.status == 505, response)

    def test_a_request_in_no_dialog_gets_481_and_an_exhausted_one_483(self):
        phone = self.phone("alice", 5082)
        phone.send(phone.request("BYE", f"sip:carol@{REALM}", to=f"<sip:carol@{REALM}>;tag=none"))
        phone.expect(481)
        request = phone.request("OPTIONS", f"sip:carol@{REALM}")
        request.set("Max-Forwards", "0")
        phone.send(request)
        self.assertIn(phone.receive().status, (200, 483), "RFC 3261 11: an OPTIONS with Max-Forwards 0 may be answered itself")
        invite = phone.request("INVITE", f"sip:carol@{REALM}", headers=[("Content-Type", "application/sdp")],
                               body=sdp.audio(net.PHONE_A, 21000))
        invite.set("Max-Forwards", "0")
        phone.send(invite)
        response = phone.receive()
        phone.acknowledge_failure(invite, response)
        self.assertEqual(response.status, 483)


if __name__ == "__main__":
    main(__doc__)
