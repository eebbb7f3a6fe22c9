"""The seed call, message by message: what the phones of that call send as it is, and each answer field by field."""

from harness import call_network as net
from harness.controller import REALM
from harness.proto_json import get, number
from harness.system_test import SystemTest, main, measured
from phone import digest, sdp
from phone.rtp_stream import exchange, open_paths, pair, point
from phone.sip_message import parameter, tag, uri_of
from seed_call.phones import CALLEE, CALLEE_PASSWORD, CALLER, CALLER_NAME, CALLER_PASSWORD, SeedCallee, SeedCaller

PACKETS = 20


class SeedCallTest(SystemTest):
    """One call. The steps build on each other, so it is one test with a part a message."""

    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay])
        cls.controller.add_account(CALLER, CALLER_PASSWORD, display_name=CALLER_NAME, legacy_digest=True)
        cls.controller.add_account(CALLEE, CALLEE_PASSWORD)
        cls.caller = cls.stack.enter_context(SeedCaller(cls.network))
        cls.callee = cls.stack.enter_context(SeedCallee(cls.network))

    def test_the_seed_call_comes_out_right_in_every_field(self):
        caller, callee = self.caller, self.callee
        self.check_registration(callee.phone.register())

        caller.invite()
        challenged = caller.phone.expect(407)
        self.check_answer(challenged, "z9hG4bK56308", "1 INVITE")
        challenge = digest.Challenge(challenged.get("Proxy-Authenticate"))
        self.assertEqual(challenge.realm, REALM)
        self.assertGreaterEqual(len(challenge.nonce), 16)
        caller.acknowledge_challenge(challenged)

        caller.invite_authorized(challenged)
        self.check_answer(caller.phone.expect(100), "z9hG4bK16771", "2 INVITE", needs_tag=False)
        invite = callee.phone.expect("INVITE")
        self.check_invite(invite)
        callee.trying(invite)
        callee.ring(invite)
        ringing = caller.phone.expect(180)
        self.check_answer(ringing, "z9hG4bK16771", "2 INVITE")
        callee.answer(invite)
        self.check_ack(callee.phone.expect("ACK"), invite)
        answered = caller.phone.expect(200)
        self.check_answer(answered, "z9hG4bK16771", "2 INVITE")
        self.assertEqual(answered.to_tag, ringing.to_tag, "180 and 200 are of one dialog")
        self.check_answer_body(answered)
        caller.acknowledge(answered)

        self.exchange_media(invite, answered)

        caller.bye(answered)
        ended = caller.phone.expect(200)
        self.check_answer(ended, "z9hG4bK00543", "6 BYE")
        self.assertEqual(ended.to_tag, answered.to_tag)
        bye = callee.phone.expect("BYE")
        self.check_bye(bye, invite)
        callee.answer_bye(bye)
        self.expect_nothing_left(self.controller, self.relay)
        self.check_record()
        self.assertEqual(caller.phone.retransmissions + callee.phone.retransmissions, 0)

    def check_registration(self, registered):
        self.assertEqual(registered.status, 200)
        self.assertIn(f"sip:{CALLEE}@{net.PHONE_B}:43518", registered.get("Contact"))
        binding = self.controller.ctl.json("bindings", CALLEE)["bindings"][0]
        self.assertEqual(binding["source"], f"udp:{net.NAT_OUTSIDE}:43518")
        self.assertTrue(binding["behindNat"])

    def check_answer(self, response, branch, cseq, needs_tag=True):
        """What every answer to A copies from A's request (RFC 3261 8.2.6), and rport (RFC 3581)."""
        via = response.get("Via")
        self.assertTrue(via.startswith(f"SIP/2.0/UDP {net.PHONE_A}:45426;"), via)
        self.assertEqual(parameter(via, "branch"), branch)
        self.assertEqual(parameter(via, "rport"), "45426")
        self.assertEqual(parameter(via, "received"), net.PHONE_A)
        self.assertEqual(response.get("From"), f"<sip:{CALLER}@{net.SWITCH_A}>;tag=z9hG4bK73846736")
        self.assertEqual(uri_of(response.get("To")), f"sip:{CALLEE}@{net.SWITCH_A}")
        if needs_tag:
            self.assertTrue(response.to_tag)
        self.assertEqual(response.get("Call-ID"), "509381976447")
        self.assertEqual(response.get("CSeq"), cseq)

    def check_invite(self, invite):
        """Message 6: a dialog of our own, with all of A's that is not ours to change."""
        self.assertTrue(invite.uri.startswith(f"sip:{CALLEE}@"), invite.uri)
        self.assertEqual(len(invite.all("Via")), 1, "a B2BUA shows no Via of A")
        self.assertTrue(parameter(invite.get("Via"), "branch").startswith("z9hG4bK"))
        self.assertIn(f"{net.SWITCH_A}:{net.SIP_PORT}", invite.get("Via"))
        self.assertTrue(invite.get("From").startswith(f'"{CALLER_NAME}" <sip:{CALLER}@'), invite.get("From"))
        self.assertNotIn(invite.from_tag, ("", "z9hG4bK73846736"))
        self.assertTrue(uri_of(invite.get("To")).startswith(f"sip:{CALLEE}@"))
        self.assertEqual(invite.to_tag, "")
        self.assertNotEqual(invite.get("Call-ID"), "509381976447")
        self.assertIn(f"@{net.SWITCH_A}:{net.SIP_PORT}", invite.get("Contact"))
        self.assertEqual(invite.get("Max-Forwards"), "69")
        self.assertEqual(invite.get("User-Agent"), "Zed-3-PDA")
        self.assertEqual(invite.get("Service1-Extension"), "V1.0")
        self.assertIn("timer", invite.get("Supported"))
        self.assertGreaterEqual(int(invite.get("Session-Expires").split(";")[0]), 90)
        self.assertIsNone(invite.get("Proxy-Authorization"), "credentials go no further")
        self.assertEqual(invite.get("Content-Type"), "application/sdp")
        self.check_body(invite.body, net.SWITCH_B, self.caller_lines())
        self.assertNotIn(net.PHONE_A.encode(), invite.encode(), "A's address shows nowhere")

    def check_answer_body(self, answered):
        self.assertEqual(answered.get("Service1-Extension"), "V1.0")
        self.assertIn(f"@{net.SWITCH_A}:{net.SIP_PORT}", answered.get("Contact"))
        self.check_body(answered.body, net.SWITCH_A, self.caller_lines())
        self.assertNotIn(net.PHONE_B.encode(), answered.encode(), "B's address shows nowhere")

    def check_body(self, body, relay_address, lines):
        """Addresses and ports are the relay's, everything else is as it was."""
        audio, video = sdp.read(body)
        for media in (audio, video):
            self.assertEqual(media.address, relay_address)
            self.assertIn(media.port, self.relay.ports)
            self.assertEqual(media.port % 2, 0)
        self.assertNotEqual(audio.port, video.port)
        self.assertEqual((audio.kind, audio.profile, audio.formats), ("audio", "RTP/AVP", ["114", "101"]))
        self.assertEqual((video.kind, video.profile, video.formats), ("video", "RTP/AVP", ["126"]))
        for line in lines:
            self.assertIn(line, body.decode("utf-8").split("\r\n"))

    def caller_lines(self):
        """The attributes of the offer, which B's answer has too."""
        return [line for line in self.caller.phone.trace[0].message.body.decode("utf-8").split("\r\n") if line.startswith("a=")]

    def check_ack(self, ack, invite):
        """Message 11: the Request-URI is B's Contact, though it names a private address, and it came through the NAT."""
        self.assertEqual(ack.uri, f"sip:{CALLEE}@{net.PHONE_B}:43518;transport=udp")
        self.assertEqual(ack.cseq, invite.cseq)
        self.assertEqual(ack.get("Call-ID"), invite.get("Call-ID"))
        self.assertEqual(ack.from_tag, invite.from_tag)
        self.assertEqual(ack.to_tag, "9028d8f3a202e4f4")

    def check_bye(self, bye, invite):
        """Message 16."""
        self.assertEqual(bye.uri, f"sip:{CALLEE}@{net.PHONE_B}:43518;transport=udp")
        self.assertGreater(bye.cseq, invite.cseq)
        self.assertEqual(bye.get("Call-ID"), invite.get("Call-ID"))
        self.assertEqual((bye.from_tag, bye.to_tag), (invite.from_tag, "9028d8f3a202e4f4"))
        self.assertEqual(tag(bye.get("From")), invite.from_tag)

    def exchange_media(self, invite, answered):
        streams = []
        for index in (0, 1):
            a, b = self.caller.streams[index], self.callee.streams[index]
            pair(a, b)
            point(a, sdp.read(answered.body)[index])
            point(b, sdp.read(invite.body)[index])
            streams += [a, b]
        self.assertTrue(open_paths(streams), "media opened both ways within 5 s")
        exchange(streams, PACKETS, report_every=0.5)
        for stream in streams:
            self.assertEqual((stream.received, stream.lost, stream.altered, stream.reordered), (PACKETS, 0, 0, 0))
            self.assertGreaterEqual(stream.rtcp_received, 1)
        self.sent = [stream.opening_sent + stream.sent for stream in streams]
        measured(f"{sum(stream.received for stream in streams)} packets of media, none lost, altered or out of order; slowest "
                 f"{1e3 * max(max(stream.delays) for stream in streams):.2f} ms from phone to phone")

    def check_record(self):
        records = self.controller.ctl.json("cdrs")["records"]
        self.assertEqual(len(records), 1)
        record = records[0]
        self.assertEqual(get(record, "call", "caller", "number"), CALLER)
        self.assertEqual(get(record, "call", "callee", "number"), CALLEE)
        self.assertEqual(get(record, "call", "endCause", "endedBy"), "ENDED_BY_CALLER")
        self.assertEqual([stream["media"] for stream in record["streams"]], ["audio", "video"])
        for index, stream in enumerate(record["streams"]):
            for side, sent in (("fromCaller", self.sent[2 * index]), ("fromCallee", self.sent[2 * index + 1])):
                # B's first packets came from an address that was not signalled: on probation, told apart, not forwarded.
                on_probation = number(stream, side, "drops", "source_probation")
                self.assertEqual(number(stream, side, "packets") + on_probation, sent)
                self.assertEqual(on_probation, 0 if side == "fromCaller" else 4)
            self.assertEqual(number(stream, "fromCaller", "lost") + number(stream, "fromCallee", "lost"), 0)


if __name__ == "__main__":
    main(__doc__)
