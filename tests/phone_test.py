"""The phones among themselves, without Sluice: a test that trusts them has to be able to."""

import os
import subprocess
import sys
import unittest

from harness import call_network as net
from harness.call_network import CallNetwork
from harness.process import end_on_sigterm
from phone import digest, sdp
from phone.rtp_stream import AMR_100_MS, PCMA_20_MS, RtpStream, exchange, open_paths, pair, point
from phone.sip_message import SipMessage, parameter, tag, uri_of
from phone.sip_phone import PhoneError, SipPhone, response_to
from phone.transport import host


class PackagesTest(unittest.TestCase):
    def test_a_phone_without_websocket_needs_none_of_the_packages_for_tests(self):
        # As in the demo on a machine that has never run the tests.
        code = "import sys; sys.modules['websocket'] = None; import phone.sip_phone, phone.rtp_stream"
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=True)


class DigestTest(unittest.TestCase):
    """Digest answers against the examples of the RFCs."""

    def test_answers_the_sha256_example_of_rfc_7616(self):
        challenge = digest.Challenge(
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"')
        original, digest.secrets = digest.secrets, _FixedSecrets("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
        try:
            value = digest.answer(challenge, "GET", "/dir/index.html", "Mufasa", "Circle of Life")
        finally:
            digest.secrets = original
        self.assertIn('response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"', value)
        self.assertIn("nc=00000001", value)

    def test_answers_without_qop_as_rfc_2069_does(self):
        challenge = digest.Challenge('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"')
        value = digest.answer(challenge, "GET", "/dir/index.html", "Mufasa", "Circle Of Life", legacy=True)
        self.assertIn('response="670fd8c2df070c60b045671b8b24ff02"', value)
        self.assertNotIn("cnonce", value)

    def test_takes_the_challenge_with_the_algorithm_that_it_wants(self):
        challenges = [digest.Challenge('Digest realm="r", nonce="1", algorithm=SHA-256, qop="auth"'),
                      digest.Challenge('Digest realm="r", nonce="2", qop="auth"')]
        self.assertEqual(digest.choose(challenges, "MD5").nonce, "2")
        self.assertEqual(digest.choose(challenges, "SHA-256").nonce, "1")


class SipMessageTest(unittest.TestCase):
    def test_keeps_order_and_values_of_header_fields(self):
        text = ("INVITE sip:2@h SIP/2.0\r\nVia: SIP/2.0/UDP a:1;branch=z9hG4bK1\r\nf: \"测试\" <sip:1@h>;tag=x\r\n"
                "To: <sip:2@h;user=phone>\r\nService1-Extension: V1.0\r\nContent-Length: 3\r\n\r\nv=0").encode("utf-8")
        message = SipMessage.parse(text)
        self.assertEqual(message.from_tag, "x")
        self.assertEqual(message.to_tag, "")
        self.assertEqual(uri_of(message.get("to")), "sip:2@h;user=phone")
        self.assertEqual(parameter(message.get("via"), "branch"), "z9hG4bK1")
        self.assertEqual([name for name, _ in message.headers][:3], ["Via", "f", "To"])
        self.assertEqual(message.encode(), text)

    def test_refuses_a_content_length_that_is_not_that_of_the_body(self):
        with self.assertRaisesRegex(ValueError, "Content-Length is 4, but the body has 3 bytes"):
            SipMessage.parse(b"BYE sip:2@h SIP/2.0\r\nContent-Length: 4\r\n\r\nabc")

    def test_sees_no_tag_in_a_uri(self):
        self.assertEqual(tag("<sip:1@h;tag=no>"), "")


class PhoneToPhoneTest(unittest.TestCase):
    """A calls C directly over the sides' bridges and the switch's routes."""

    @classmethod
    def setUpClass(cls):
        cls.network = CallNetwork()
        cls.network.switch.write_sysctl("net/ipv4/ip_forward", "1")
        cls.network.switch.write_sysctl("net/ipv6/conf/all/forwarding", "1")

    @classmethod
    def tearDownClass(cls):
        cls.network.close()

    def phones(self, port, v6=False):
        a, c = (net.PHONE_A6, net.PHONE_C6) if v6 else (net.PHONE_A, net.PHONE_C)
        phones = (SipPhone(self.network.phone_a, a, port, user="a", server=(c, port), domain=host(c)),
                  SipPhone(self.network.phone_c, c, port, user="c", server=(a, port), domain=host(a)))
        for phone in phones:
            self.addCleanup(phone.close)
        return phones

    def streams(self, caller, callee, caller_address, callee_address, media_format):
        streams = [RtpStream(self.network.phone_a, caller_address, caller.port, media_format),
                   RtpStream(self.network.phone_c, callee_address, callee.port, media_format)]
        for stream in streams:
            self.addCleanup(stream.close)
        pair(*streams)
        point(streams[0], callee)
        point(streams[1], caller)
        return streams

    def test_a_call_is_placed_answered_and_ended_with_media_both_ways(self):
        for v6 in (False, True):
            a, c = self.phones(6000 + v6, v6)
            call = a.call("c", sdp.audio(a.address, 21000))
            incoming = c.incoming()
            incoming.respond(180, "Ringing")
            call.expect(180)
            incoming.respond(200, "OK", body=sdp.audio(c.address, 21000))
            answer = call.expect(200)
            call.ack()
            incoming.expect_ack()
            streams = self.streams(sdp.read(incoming.invite.body)[0], sdp.read(answer.body)[0], a.address, c.address,
                                   PCMA_20_MS)
            self.assertTrue(open_paths(streams))
            exchange(streams, 50, report_every=0.5)
            for stream in streams:
                self.assertEqual((stream.sent, stream.received, stream.lost), (50, 50, 0))
                self.assertEqual((stream.altered, stream.reordered, stream.duplicates, stream.strange), (0, 0, 0, 0))
                self.assertGreaterEqual(stream.rtcp_received, 1)
                self.assertLess(max(stream.delays), 0.1)
            incoming_bye = call.request("BYE")
            a.send(incoming_bye)
            incoming.expect_bye()
            a.expect(200)

    def test_a_cancelled_call_ends_with_487(self):
        a, c = self.phones(6010)
        call = a.call("c", sdp.audio(a.address, 21010))
        incoming = c.incoming()
        incoming.respond(180, "Ringing")
        call.expect(180)
        call.cancel()
        # The callee's two answers come to the caller one after the other; the ACK that ends it goes back.
        cancel = c.expect("CANCEL")
        self.assertEqual(cancel.cseq, call.invite.cseq)
        c.send(response_to(cancel, 200, "OK"))
        incoming.respond(487, "Request Terminated")
        call.expect_cancelled()
        incoming.expect_ack()

    def test_a_busy_callee_is_told_and_acknowledged(self):
        a, c = self.phones(6020)
        call = a.call("c", sdp.audio(a.address, 21020))
        incoming = c.incoming()
        incoming.respond(486, "Busy Here")
        call.expect(486)
        incoming.expect_ack()

    def test_a_phone_says_what_came_instead_of_what_it_waited_for(self):
        a, c = self.phones(6030)
        call = a.call("c", sdp.audio(a.address, 21030))
        c.incoming().respond(404, "Not Found")
        with self.assertRaisesRegex(PhoneError, "a waits for 200, but 'SIP/2.0 404 Not Found' came"):
            call.expect(200)

    def test_streams_notice_what_is_lost_altered_repeated_and_out_of_order(self):
        a, c = (RtpStream(namespace, address, 22000, AMR_100_MS) for namespace, address in
                ((self.network.phone_a, net.PHONE_A), (self.network.phone_c, net.PHONE_C)))
        self.addCleanup(a.close)
        self.addCleanup(c.close)
        pair(a, c)
        c.remote = (net.PHONE_A, 22000)
        packets = []
        a.remote = c.rtp_socket.getsockname()[:2]
        real = a._sockets[0]
        a._sockets[0] = _Recorder(packets)
        for _ in range(6):
            a.send()
        a._sockets[0] = real
        order = [packets[0], packets[2], packets[1], packets[2], packets[3][:-1] + b"?", b"not RTP at all"]
        for packet in order:
            real.sendto(packet, a.remote)
        for _ in range(50):
            if c.received + c.strange + c.duplicates == len(order):
                break
            exchange([c], 0)
            c.receive()
        self.assertEqual((c.received, c.lost, c.reordered, c.duplicates, c.altered, c.strange), (4, 2, 1, 1, 1, 1))


class _Recorder:
    """In the place of a socket: keeps what would be sent."""

    def __init__(self, packets):
        self._packets = packets

    def sendto(self, data, _):
        self._packets.append(data)


class _FixedSecrets:
    """In the place of the module `secrets`: the cnonce of an RFC's example."""

    def __init__(self, value):
        self._value = value

    def token_hex(self, _):
        return self._value


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main(verbosity=2, argv=sys.argv)
