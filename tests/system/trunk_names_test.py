"""Trunks by name: the DNS says where their servers are, and by TLS they must show who they are."""

import os
import re
import time

from harness import call_network as net
from harness.certificates import Certificates
from harness.dns_server import DnsServer, address, pointer, service
from harness.sip_server import TlsListener
from harness.sipp import Sipp, Sound
from harness.system_test import SystemTest, main
from phone.sip_message import SipMessage
from phone.sip_phone import response_to

CALLS = 3
DNS_PORT = 5353
FIRST_PORT, SECOND_PORT, SILENT_PORT, TLS_PORT, CLOSED_PORT = 5062, 5060, 5070, 5061, 5072

_CONFIG = """\
dns: {{servers: ["{carrier}:{dns_port}"]}}
trunks:
  - name: carrier
    peers: [{{address: carrier.example}}]
    username: trunk-user
    password_file: {password}
    realm: carrier.example
  - name: honest
    peers: [{{transport: tls, address: "tls.carrier.example:{tls_port}"}}]
    from_user: honest
    register: true
  - name: thief
    peers: [{{transport: tls, address: "tls.thief.example:{tls_port}"}}]
    from_user: thief
    register: true
  - name: moved
    peers: [{{address: moved.example}}]
    from_user: moved
    register: true
  - name: abducted
    peers: [{{address: abducted.example}}]
    from_user: abducted
    register: true
  - name: hosted
    peers: [{{address: hosted.example}}]
    username: trunk-user
    password_file: {password}
    realm: carrier.example
  - name: half-silent
    peers: [{{transport: udp, address: half-silent.example}}]
    username: trunk-user
    password_file: {password}
    realm: carrier.example
    failover_after: 1s
  - name: half-closed
    peers: [{{transport: tcp, address: "{carrier}:{closed_port}"}}, {{transport: udp, address: b.carrier.example:{second_port}}}]
    username: trunk-user
    password_file: {password}
    realm: carrier.example
    failover_after: 20s
routes:
  - {{name: out, number: "0X*", to: [{{trunk: carrier}}], called: {{strip: 1, prepend: "+49"}}}}
  - {{name: elsewhere, number: "3X*", to: [{{trunk: hosted}}], called: {{strip: 1, prepend: "+49"}}}}
  - {{name: slow, number: "1X*", to: [{{trunk: half-silent}}], called: {{strip: 1, prepend: "+49"}}}}
  - {{name: quick, number: "2X*", to: [{{trunk: half-closed}}], called: {{strip: 1, prepend: "+49"}}}}
"""

_RECORDS = {
    "_sip._udp.carrier.example": [service(2, 0, SECOND_PORT, "b.carrier.example"), service(1, 0, FIRST_PORT, "a.carrier.example")],
    "_sip._udp.half-silent.example": [service(1, 0, SILENT_PORT, "a.carrier.example"), service(2, 0, SECOND_PORT, "b.carrier.example")],
    # Their own domains have nothing but that.
    "hosted.example": [pointer(1, 1, "u", "E2U+sip", "", "!^.*$!sip:nobody@hosted.example!"), pointer(2, 2, "s", "SIP+D2U", "_sip._udp.operator.example"),
                       pointer(2, 1, "s", "SIP+D2S", "_sip._sctp.operator.example")],
    "moved.example": [pointer(1, 1, "s", "SIPS+D2T", "_sips._tcp.operator.example")],
    "abducted.example": [pointer(1, 1, "s", "SIPS+D2T", "_sips._tcp.operator.example")],
    "_sip._udp.operator.example": [service(1, 0, SECOND_PORT, "b.carrier.example")],
    "_sips._tcp.operator.example": [service(1, 0, TLS_PORT, "tls.carrier.example")],
    "a.carrier.example": [address(net.PHONE_C)],
    "b.carrier.example": [address(net.PHONE_C)],
    "tls.carrier.example": [address(net.PHONE_C)],
    "tls.thief.example": [address(net.PHONE_C)],
}


def taken(message):
    """The 200 of a REGISTER."""
    request = SipMessage.parse(message.encode() + b"\r\n\r\n")
    response = response_to(request, 200, "OK", to=f"{request.get('To')};tag=1")
    response.headers += [("Contact", request.get("Contact")), ("Expires", "120")]
    return response.encode()


class TrunkNamesTest(SystemTest):
    @classmethod
    def start_programs(cls):
        folder = cls.work_folder.file("certificates")
        os.makedirs(folder)
        certificates = Certificates(folder)
        own = "certificate_file: {}, private_key_file: {}".format(*certificates.make("server", f"IP:{net.SWITCH_A}"))
        carrier = certificates.make("carrier", "DNS:tls.carrier.example,DNS:moved.example")
        enter = cls.stack.enter_context
        cls.dns = enter(DnsServer(cls.network.phone_c, net.PHONE_C, DNS_PORT, _RECORDS))
        # The address of all trunks by TLS; what it shows speaks for the honest one and for the one that has moved.
        cls.tls_server = enter(TlsListener(cls.network.phone_c, net.PHONE_C, TLS_PORT, carrier, taken))
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller(
            [cls.relay], digests=("MD5",),
            more_config=_CONFIG.format(carrier=net.PHONE_C, dns_port=DNS_PORT, tls_port=TLS_PORT, closed_port=CLOSED_PORT,
                                       second_port=SECOND_PORT, password=cls.work_folder.write("trunk-password", "trunk-secret\n")),
            more_listeners=[f'{{transport: tls, address: "{net.SWITCH_A}:5061", {own}}}'],
            more_sip=f"tls_client: {{ca_file: {certificates.ca_file}}}")
        cls.controller.add_account("caller", "caller-secret")

    def tearDown(self):
        # A call that has given up a silent server waits for what that may still answer (Timer B); its session does not.
        self.relay.process.wait_until(lambda: not self.relay.sessions(), "no session was left", 5)

    def sipp(self, role, namespace, own_address, *arguments, sound=None, **options):
        return self.stack.enter_context(Sipp(role, sound, self.work_folder, namespace, own_address, "-m", str(CALLS), *arguments, **options))

    def call(self, number):
        """Calls that the second server takes; answers the processes of both sides."""
        second = self.sipp("trunk", self.network.phone_c, net.PHONE_C, port=SECOND_PORT, sound=Sound(25, 0xC))
        caller = self.sipp("caller", self.network.phone_a, net.PHONE_A, "-r", str(CALLS), "-d", "1000", "-s", number,
                           "-auth_uri", f"{number}@{net.SWITCH_A}:{net.SIP_PORT}", f"{net.SWITCH_A}:{net.SIP_PORT}",
                           sound=Sound(25, 0xA))
        return caller, second

    def expect_success(self, *peers):
        for peer in peers:
            self.assertEqual(peer.wait(15), 0, f"{peer.errors()}\n{peer.tail()}")

    def test_calls_try_the_servers_of_a_domain_in_the_order_of_its_records(self):
        first = self.sipp("unavailable", self.network.phone_c, net.PHONE_C, port=FIRST_PORT)
        self.expect_success(*self.call("0123"), first)

    def test_calls_pass_over_a_server_that_is_silent(self):
        start = time.monotonic()
        self.expect_success(*self.call("1123"))
        # Timer B alone would have been 32 s.
        self.assertLess(time.monotonic() - start, 10)

    def test_calls_pass_over_a_server_that_refuses_the_connection_at_once(self):
        start = time.monotonic()
        self.expect_success(*self.call("2123"))
        # Not after the trunk's failover_after.
        self.assertLess(time.monotonic() - start, 10)

    def test_calls_go_to_where_another_domain_serves_the_trunk(self):
        self.expect_success(*self.call("3123"))

    def test_a_trunk_by_tls_hears_us_only_if_it_is_who_it_should_be(self):
        self.check_who_is_registered("honest", r"^REGISTER sip:tls\.carrier\.example:5061;transport=tls SIP/2\.0", "thief", "tls.thief.example")

    def test_a_trunk_that_the_dns_says_is_elsewhere_has_to_be_who_it_should_be_all_the_same(self):
        self.check_who_is_registered("moved", r"^REGISTER sip:moved\.example[; ]", "abducted", "abducted.example")

    def check_who_is_registered(self, true, request_line, false, false_name):
        def trunk(name):
            return next(trunk for trunk in self.controller.ctl.json("trunks")["trunks"] if trunk["name"] == name)

        registered = "TRUNK_REGISTRATION_REGISTERED"
        self.controller.process.wait_until(lambda: trunk(true)["registration"] == registered, f"{true} was registered")
        self.assertTrue([message for message in self.tls_server.messages if re.search(request_line, message)], self.tls_server.messages)
        self.controller.process.wait_until(lambda: trunk(false).get("text"), f"{false} was refused")
        self.assertNotEqual(trunk(false)["registration"], registered)
        self.assertEqual([message for message in self.tls_server.messages if false_name in message], [])


if __name__ == "__main__":
    main(__doc__)
