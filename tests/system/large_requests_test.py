"""Requests that are too large for a datagram go by TCP to who takes it, and by UDP to all others (RFC 3261 18.1.1)."""

import re
import socket
import time

from harness import call_network as net
from harness.system_test import SystemTest, main, measured
from phone import sdp
from phone.sip_message import SipMessage
from phone.sip_phone import response_to

LONG = ("X-Long", "x" * 1400)
# Much less than what a lost packet would cost.
AT_ONCE_SECONDS = 0.4


def read_message(stream):
    """A whole message without a body, or with one, of a TCP connection."""
    data = b""
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < int(re.search(rb"Content-Length: *(\d+)", data).group(1)):
        received = stream.recv(65535)
        if not received:
            raise AssertionError(f"the connection ended after {data!r}")
        data += received
    return SipMessage.parse(data)


class LargeRequestsTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay])
        for name in ("alice", "bob", "carol"):
            cls.controller.add_account(name, f"{name}-secret")

    def tearDown(self):
        self.expect_nothing_left(self.controller, self.relay)

    def listen(self, port):
        """A TCP server where the phone of that port is on UDP."""
        with self.network.phone_c.entered():
            server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.addCleanup(server.close)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((net.PHONE_C, port))
        server.listen()
        server.settimeout(5)
        return server

    def call(self, caller, number, *, headers):
        return caller.call(number, sdp.audio(net.PHONE_A, 21000), headers=headers)

    def test_a_phone_that_takes_tcp_gets_a_large_invite_by_it_and_a_small_one_by_udp(self):
        alice = self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5060)
        carol = self.registered_phone("carol", self.network.phone_c, net.PHONE_C, 5060)
        server = self.listen(5060)
        call = self.call(alice, "carol", headers=[LONG])
        stream, _ = server.accept()
        self.addCleanup(stream.close)
        stream.settimeout(5)
        invite = read_message(stream)
        self.assertEqual(invite.method, "INVITE")
        self.assertIn("SIP/2.0/TCP", invite.get("Via"))
        self.assertEqual(invite.get("X-Long"), LONG[1])
        stream.sendall(response_to(invite, 486, "Busy Here", to=f"{invite.get('To')};tag=one").encode())
        self.assertEqual(read_message(stream).method, "ACK")
        call.expect(486)
        carol.expect_nothing(1)

        call = self.call(alice, "carol", headers=[])
        ringing = carol.incoming()
        self.assertIn("SIP/2.0/UDP", ringing.invite.get("Via"))
        ringing.respond(486, "Busy Here")
        ringing.expect_ack()
        call.expect(486)

    def test_a_phone_without_tcp_gets_a_large_invite_by_udp_at_once(self):
        alice = self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5062)
        carol = self.registered_phone("carol", self.network.phone_c, net.PHONE_C, 5062)
        for attempt in ("refuses a connection", "is known not to take one"):
            begin = time.monotonic()
            call = self.call(alice, "carol", headers=[LONG])
            ringing = carol.incoming()
            seconds = time.monotonic() - begin
            measured(f"INVITE of {len(ringing.invite.encode())} bytes after {1000 * seconds:.0f} ms at a phone that {attempt}")
            self.assertLess(seconds, AT_ONCE_SECONDS)
            self.assertIn("SIP/2.0/UDP", ringing.invite.get("Via"))
            ringing.respond(486, "Busy Here")
            ringing.expect_ack()
            call.expect(486)

    def test_a_phone_whose_tcp_says_nothing_gets_a_large_invite_by_udp_soon(self):
        alice = self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5064)
        carol = self.registered_phone("carol", self.network.phone_c, net.PHONE_C, 5064)
        server = self.listen(5064)
        call = self.call(alice, "carol", headers=[LONG])
        ringing = carol.incoming()
        self.assertIn("SIP/2.0/UDP", ringing.invite.get("Via"))
        stream, _ = server.accept()
        self.addCleanup(stream.close)
        by_tcp = read_message(stream)
        self.assertEqual(by_tcp.get("Via").partition("branch=")[2], ringing.invite.get("Via").partition("branch=")[2])
        ringing.respond(486, "Busy Here")
        ringing.expect_ack()
        call.expect(486)

    def test_a_phone_behind_a_nat_gets_a_large_invite_by_udp(self):
        alice = self.registered_phone("alice", self.network.phone_a, net.PHONE_A, 5066)
        bob = self.registered_phone("bob", self.network.phone_b, net.PHONE_B, 5066)
        call = self.call(alice, "bob", headers=[LONG])
        ringing = bob.incoming()
        self.assertIn("SIP/2.0/UDP", ringing.invite.get("Via"))
        ringing.respond(486, "Busy Here")
        ringing.expect_ack()
        call.expect(486)


if __name__ == "__main__":
    main(__doc__)
