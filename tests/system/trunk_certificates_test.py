"""Trunks with certificates of their own: a carrier that lets in only whom it has given one, and that is known by its own when it calls."""

import contextlib
import os
import signal
import time

from harness import call_network as net
from harness.certificates import Certificates
from harness.controller import REALM
from harness.proto_json import get
from harness.system_test import SystemTest, main, measured
from phone import sdp
from phone.established_call import EstablishedCall
from phone.sip_phone import SipPhone

PACKETS = 25
TLS_PORT = 5061
CARRIER_PORT = 5061

# One server for all of them, by one address and one name.
_TRUNK = """\
  - name: {name}
    peers: [{{transport: tls, address: "{carrier}:{port}"}}]
    domain: carrier.example
"""
_CONFIG = """\
trunks:
{blue}    tls: {{ca_file: {ca}, certificate_file: {blue_certificate}, private_key_file: {blue_key}}}
    inbound_certificates: [out.carrier.example]
{green}    tls: {{ca_file: {ca}, certificate_file: {green_certificate}, private_key_file: {green_key}}}
{strange}    tls: {{ca_file: {ca}, certificate_file: {strange_certificate}, private_key_file: {strange_key}}}
    failover_after: 20s
{plain}
routes:
  - {{name: blue, number: "0X*", to: [{{trunk: blue}}]}}
  - {{name: green, number: "1X*", to: [{{trunk: green}}]}}
  - {{name: strange, number: "2X*", to: [{{trunk: strange}}]}}
  - {{name: plain, number: "3X*", to: [{{trunk: plain}}]}}
  - {{name: in, from: "trunk:blue", number: "49X*", to: [{{account: desk}}]}}
"""


def common_name(certificate):
    return next(value for (key, value), in certificate["subject"] if key == "commonName")


class TrunkCertificatesTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.certificates, cls.strangers = cls.authority("carrier-authority"), cls.authority("strangers-authority")
        files = {}
        for name, authority in (("blue", cls.certificates), ("green", cls.certificates), ("strange", cls.strangers)):
            files[f"{name}_certificate"], files[f"{name}_key"] = authority.make(name, f"DNS:{name}.customer.example")
        for name in ("blue", "green", "strange", "plain"):
            files[name] = _TRUNK.format(name=name, carrier=net.PHONE_C, port=CARRIER_PORT)
        own = "certificate_file: {}, private_key_file: {}".format(*cls.certificates.make("switch", f"DNS:{REALM},IP:{net.SWITCH_A}"))
        everybody = "certificate_file: {}, private_key_file: {}".format(*cls.certificates.make("everybody", "DNS:customer.example"))
        ca_file = cls.certificates.ca_file
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller(
            [cls.relay], digests=("MD5",), more_config=_CONFIG.format(ca=ca_file, **files),
            # Phones come without a certificate, the carrier with one.
            more_listeners=[f'{{transport: tls, address: "{net.SWITCH_A}:{TLS_PORT}", {own}, client_ca_file: {ca_file}, '
                            "client_certificates_optional: true}"],
            more_sip=f"tls_client: {{ca_file: {ca_file}, {everybody}}}")
        for name in ("caller", "desk"):
            cls.controller.add_account(name, f"{name}-secret")
        cls.carrier = cls.stack.enter_context(SipPhone(
            cls.network.phone_c, net.PHONE_C, CARRIER_PORT, user="carrier", server=(net.SWITCH_A, TLS_PORT), domain=REALM,
            transport="tls-server", ca_file=ca_file, certificate=cls.certificates.make("carrier", "DNS:carrier.example")))

    @classmethod
    def authority(cls, name):
        folder = cls.work_folder.file(name)
        os.makedirs(folder)
        return Certificates(folder)

    def setUp(self):
        self.caller = self.registered_phone("caller", self.network.phone_a, net.PHONE_A)

    def tearDown(self):
        self.expect_nothing_left(self.controller, self.relay)

    def call(self, number):
        self.carrier.user = number
        call = EstablishedCall(self.caller, self.carrier)
        self.addCleanup(call.close)
        call.exchange(PACKETS)
        return call

    def shown(self, call):
        """The certificate of the connection that the carrier got the call by."""
        return self.carrier.transport.clients[call.incoming.invite.peer]

    def drop_connections(self):
        """The carrier ends all, and the controller has noticed."""
        self.carrier.transport.drop_clients()
        address = f"{net.PHONE_C}:{CARRIER_PORT}"
        self.controller.process.wait_until(lambda: not self.network.switch.run("ss", "-Htn", "dst", address).strip(), "its connections were closed")

    def reload(self, config, line):
        """Reloads `config`, upon which the controller says `line`."""
        said = self.controller.process.log().count(line)
        self.work_folder.write("controller.yaml", config)
        os.kill(self.controller.process.pid, signal.SIGHUP)
        self.controller.process.wait_until(lambda: self.controller.process.log().count(line) > said, f"it said '{line}'")

    def test_a_carrier_sees_the_certificate_of_the_trunk_that_a_call_goes_by(self):
        peers = {}
        for number, name in (("0123", "blue"), ("1123", "green"), ("3123", "everybody")):
            call = self.call(number)
            self.assertEqual(common_name(self.shown(call)), name)
            peers[number] = call.incoming.invite.peer
            call.hang_up()
        # Each has its connection, and keeps it.
        self.assertEqual(len(set(peers.values())), 3, peers)
        for number, peer in peers.items():
            call = self.call(number)
            self.assertEqual(call.incoming.invite.peer, peer)
            call.hang_up()

    def test_a_trunk_whose_certificate_the_carrier_does_not_know_is_refused_at_once(self):
        refused = self.carrier.transport.refused
        start = time.monotonic()
        call = self.caller.call("2123", sdp.audio(net.PHONE_A, 21000))
        self.assertIsNone(self.carrier.receive(0.5), "the carrier heard nothing of the call")
        call.expect(503)
        seconds = time.monotonic() - start
        measured(f"refused after {1000 * seconds:.0f} ms")
        # Not after failover_after.
        self.assertLess(seconds, 5)
        self.assertGreater(self.carrier.transport.refused, refused)

    def inbound(self, port, certificate=None):
        """The carrier as it calls, from a port that no trunk knows."""
        carrier = SipPhone(self.network.phone_c, net.PHONE_C, port, user="4930", server=(net.SWITCH_A, TLS_PORT), domain=REALM,
                           transport="tls", ca_file=self.certificates.ca_file, certificate=certificate)
        self.addCleanup(carrier.close)
        return carrier

    def test_calls_of_a_carrier_are_known_by_its_certificate(self):
        desk = self.registered_phone("desk", self.network.phone_b, net.PHONE_B)
        carrier = self.inbound(5070, self.certificates.make("outbound", "DNS:Out.Carrier.example"))
        outgoing = carrier.call("4930123", sdp.audio(net.PHONE_C, 21000))
        incoming = desk.incoming()
        incoming.respond(486, "Busy Here")
        incoming.expect_ack()
        outgoing.expect(486)
        [record] = [record["call"] for record in self.controller.ctl.json("cdrs")["records"]
                    if get(record, "call", "callee", "number") == "4930123"]
        self.assertEqual((get(record, "caller", "account"), get(record, "callee", "account")), ("blue", "desk"))

    def test_nobody_else_is_taken_for_the_carrier(self):
        others = {5072: None, 5074: self.certificates.make("other", "DNS:carrier.example,DNS:www.out.carrier.example"),
                  5076: self.certificates.make("wild", "DNS:*.carrier.example")}
        for port, certificate in others.items():
            with self.subTest(certificate):
                self.inbound(port, certificate).call("4930123", sdp.audio(net.PHONE_C, 21000)).expect(407)
        stranger = self.inbound(5078, self.strangers.make("outbound", "DNS:out.carrier.example"))
        # Not let in at all, which it hears of when it speaks or when it listens.
        heard = None
        with contextlib.suppress(OSError):
            stranger.send(stranger.request("INVITE", f"sip:4930123@{REALM}", body=sdp.audio(net.PHONE_C, 21000)))
            heard = stranger.receive(2)
        self.assertIsNone(heard)

    def test_a_reload_changes_the_certificate_of_a_trunk_and_drops_no_call(self):
        call = self.call("0123")
        before = self.shown(call)["serialNumber"]
        self.certificates.make("blue", "DNS:blue.customer.example")
        self.reload(self.controller.config, "trunks and routes take effect")
        call.exchange(PACKETS)
        call.hang_up()
        self.drop_connections()
        call = self.call("0124")
        after = self.shown(call)
        self.assertEqual(common_name(after), "blue")
        self.assertNotEqual(after["serialNumber"], before)
        call.hang_up()

    def test_a_reload_with_a_wrong_file_changes_nothing(self):
        present = self.controller.config
        file = self.work_folder.write("garbage.pem", "nothing of use\n")
        wrong = present.replace(f"ca_file: {self.certificates.ca_file}, certificate_file", f"ca_file: {file}, certificate_file", 1)
        self.reload(wrong, f"trunks[0].tls: of trunk 'blue': ca_file '{file}': holds no certificate in PEM; nothing has changed")
        self.drop_connections()
        call = self.call("0123")
        self.assertEqual(common_name(self.shown(call)), "blue")
        call.hang_up()

    def test_a_call_shows_the_certificate_of_its_trunk_after_a_restart_too(self):
        call = self.call("0123")
        self.controller.process.wait_until(self.controller.kept_states, "the state of the call was written")
        self.controller.process.kill()
        self.carrier.transport.drop_clients()
        self.controller.start()
        call.exchange(PACKETS)
        self.caller.send(call.outgoing.request("BYE"))
        bye = call.incoming.expect_bye()
        self.caller.expect(200)
        self.assertEqual(common_name(self.carrier.transport.clients[bye.peer]), "blue")


if __name__ == "__main__":
    main(__doc__)
