"""Calls over TLS and WebSockets: baresip and our own phones, which believe a certificate of the test's authority and no other."""

import os
import signal
import socket
import ssl
import time

from harness import call_network as net
from harness.baresip import Baresip
from harness.certificates import Certificates
from harness.controller import REALM
from harness.system_test import SystemTest, main, measured
from harness.tone import write_tone
from phone.established_call import EstablishedCall
from phone.sip_phone import SipPhone

PORTS = {"udp": net.SIP_PORT, "tcp": net.SIP_PORT, "tls": 5061, "ws": 8080, "wss": 8443}
NAMES = f"DNS:{REALM},IP:{net.SWITCH_A}"
PACKETS = 50


class SecureCallsTest(SystemTest):
    @classmethod
    def start_programs(cls):
        folder = cls.work_folder.file("certificates")
        os.makedirs(folder)
        cls.certificates = Certificates(folder)
        certificate, key = cls.certificates.make("server", NAMES)
        files = f"certificate_file: {certificate}, private_key_file: {key}"
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay], digests=("MD5",), more_listeners=[
            f'{{transport: tls, address: "{net.SWITCH_A}:{PORTS["tls"]}", {files}}}',
            f'{{transport: ws, address: "{net.SWITCH_A}:{PORTS["ws"]}"}}',
            f'{{transport: wss, address: "{net.SWITCH_A}:{PORTS["wss"]}", {files}}}'])
        for name in ("alice", "bob", "anna"):
            cls.controller.add_account(name, f"{name}-secret")

    def phone(self, user, namespace, address, port, transport):
        secure = {"ca_file": self.certificates.ca_file} if transport in ("tls", "wss") else {}
        phone = SipPhone(namespace, address, port, user=user, password=f"{user}-secret",
                         server=(net.SWITCH_A, PORTS[transport]), domain=REALM, transport=transport, **secure)
        self.addCleanup(phone.close)
        self.assertEqual(phone.register().status, 200, f"REGISTER of {user} over {transport}")
        self.addCleanup(phone.register, expires=0)
        return phone

    def call(self, caller, callee, by_callee=False):
        call = EstablishedCall(caller, callee)
        self.addCleanup(call.close)
        call.exchange(PACKETS)
        call.hang_up(by_callee)
        measured(f"{2 * PACKETS} packets, slowest {call.slowest_ms:.2f} ms: {self.id().rsplit('.', 1)[1]}")
        self.expect_nothing_left(self.controller, self.relay)

    def test_a_phone_on_tls_calls_one_on_tls_behind_a_nat(self):
        self.call(self.phone("alice", self.network.phone_a, net.PHONE_A, 5060, "tls"),
                  self.phone("bob", self.network.phone_b, net.PHONE_B, 5060, "tls"), by_callee=True)

    def test_a_browser_calls_a_phone_on_udp(self):
        self.call(self.phone("alice", self.network.phone_a, net.PHONE_A, 5061, "ws"),
                  self.phone("bob", self.network.phone_b, net.PHONE_B, 5061, "udp"))

    def test_a_phone_on_udp_calls_a_browser_on_tls_which_hangs_up(self):
        self.call(self.phone("alice", self.network.phone_a, net.PHONE_A, 5062, "udp"),
                  self.phone("bob", self.network.phone_b, net.PHONE_B, 5062, "wss"), by_callee=True)

    def test_browsers_are_told_that_we_are_reached_by_a_web_socket(self):
        for port, transport in ((5063, "ws"), (5065, "wss")):
            with self.subTest(transport):
                browser = self.phone("bob", self.network.phone_b, net.PHONE_B, port, transport)
                call = EstablishedCall(self.phone("alice", self.network.phone_a, net.PHONE_A, port, "udp"), browser)
                self.addCleanup(call.close)
                invite = call.incoming.invite
                self.assertIn(f"SIP/2.0/{transport.upper()} ", invite.get("Via"))
                # RFC 7118 5.2: ws in URIs, also over TLS.
                self.assertIn(";transport=ws>", invite.get("Contact"))
                call.hang_up()
                self.expect_nothing_left(self.controller, self.relay)
                browser.register(expires=0)

    def test_baresip_calls_a_browser_over_tls(self):
        sound = self.work_folder.file("anna.wav")
        write_tone(sound, 600, 20)
        account = (f"<sip:anna@{REALM};transport=tls>;auth_pass=anna-secret;"
                   f"outbound=\"sip:{net.SWITCH_A}:{PORTS['tls']};transport=tls\";regint=60;audio_codecs=PCMA/8000/1")
        browser = self.phone("bob", self.network.phone_b, net.PHONE_B, 5064, "wss")
        anna = self.stack.enter_context(Baresip("anna", account, self.work_folder, self.network.phone_a, net.PHONE_A, sound,
                                                more_config=f"sip_cafile {self.certificates.ca_file}"))
        anna.wait_until(lambda: self.controller.ctl.json("bindings", "anna").get("bindings"), "it registered over TLS")
        anna.dial(f"sip:bob@{REALM}")
        incoming = browser.incoming()
        incoming.respond(180, "Ringing")
        incoming.respond(486, "Busy Here")
        anna.wait_until_ended()
        self.expect_nothing_left(self.controller, self.relay)

    def test_new_connections_see_the_certificate_of_a_reload(self):
        before = self.serial_number()
        self.certificates.make("server", NAMES)
        os.kill(self.controller.process.pid, signal.SIGHUP)
        deadline = time.monotonic() + 5
        while self.serial_number() == before:
            self.assertLess(time.monotonic(), deadline, "5 s after SIGHUP the old certificate is shown")
            time.sleep(0.05)

    def serial_number(self):
        """Of the certificate that a phone is shown now."""
        context = ssl.create_default_context(cafile=self.certificates.ca_file)
        with self.network.phone_a.entered():
            plain = socket.create_connection((net.SWITCH_A, PORTS["tls"]), 5)
        with context.wrap_socket(plain, server_hostname=net.SWITCH_A) as connection:
            return connection.getpeercert()["serialNumber"]


if __name__ == "__main__":
    main(__doc__)
