"""SIPp as a carrier: calls to it with our credentials, calls from its address without any, a registration, a carrier that is out of service,
and a reload that takes trunks away while their calls go on."""

import os
import signal
import time

from harness import call_network as net
from harness.controller import REALM
from harness.proto_json import get, moment
from harness.sipp import Sipp, Sound
from harness.system_test import SystemTest, main
from phone import sdp
from phone.sip_phone import SipPhone

CALLS = 5
PACKETS = 25
TRUNK_PORT = 5060
REGISTRAR_PORT = 5062
BROKEN_PORT = 5064
PHONE_PORT = 5060

_REGISTERED = """\
trunks:
  - name: registered
    peers: [{{transport: udp, address: "{carrier}:{registrar_port}"}}]
    username: trunk-user
    password_file: {password}
    realm: carrier.example
    register: true
"""
_OTHERS = """\
  - name: carrier
    peers: [{{transport: udp, address: "{carrier}:{trunk_port}"}}]
    domain: carrier.example
    username: trunk-user
    password_file: {password}
    realm: carrier.example
    inbound_addresses: ["{carrier}:{trunk_port}"]
  - name: broken
    peers: [{{transport: udp, address: "{carrier}:{broken_port}"}}]
"""
_ROUTES = """\
routes:
  - name: out
    number: "0X*"
    to: [{trunk: carrier}]
    called: {strip: 1, prepend: "+49"}
  - name: safe
    number: "1X*"
    to: [{trunk: carrier, priority: 2}, {trunk: broken, priority: 1}]
    called: {strip: 1, prepend: "+49"}
  - name: in
    from: "trunk:carrier"
    number: "49X*"
    to: [{account: desk}]
"""


class TrunkTest(SystemTest):
    @classmethod
    def start_programs(cls):
        password = cls.work_folder.write("trunk-password", "trunk-secret\n")
        registered, others = (trunks.format(carrier=net.PHONE_C, trunk_port=TRUNK_PORT, broken_port=BROKEN_PORT,
                                            registrar_port=REGISTRAR_PORT, password=password) for trunks in (_REGISTERED, _OTHERS))
        cls.removed = others + _ROUTES
        cls.registrar = cls.sipp("registrar", cls.network.phone_c, net.PHONE_C, calls=1, port=REGISTRAR_PORT)
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay], digests=("MD5",), more_config=registered + cls.removed)
        for name in ("caller", "desk"):
            cls.controller.add_account(name, f"{name}-secret")

    def tearDown(self):
        self.expect_nothing_left(self.controller, self.relay)

    @classmethod
    def sipp(cls, role, namespace, address, *arguments, calls=CALLS, **options):
        sound = Sound(PACKETS, 0xA) if role in ("caller", "callee", "trunk") else None
        return cls.stack.enter_context(Sipp(role, sound, cls.work_folder, namespace, address, "-m", str(calls), *arguments, **options))

    def call(self, number, namespace, address, seconds=1, **options):
        return self.sipp("caller", namespace, address, "-r", str(CALLS), "-d", str(1000 * seconds), "-s", number,
                         # Otherwise its digest names another URI than its request.
                         "-auth_uri", f"{number}@{net.SWITCH_A}:{net.SIP_PORT}", f"{net.SWITCH_A}:{net.SIP_PORT}", **options)

    def trunk(self, **options):
        return self.sipp("trunk", self.network.phone_c, net.PHONE_C, port=TRUNK_PORT, **options)

    def expect_success(self, *peers):
        for peer in peers:
            self.assertEqual(peer.wait(15), 0, f"{peer.errors()}\n{peer.tail()}")

    def answered(self, number):
        """The answered calls of `number` as recorded, once there are all."""
        return [record["call"] for record in self.records(number)]

    def records(self, number):
        """The records of answered calls of `number`, once there are all."""
        deadline = time.monotonic() + 5
        while True:
            records = [record for record in self.controller.ctl.json("cdrs", "--limit", "1000").get("records", [])
                       if get(record, "call", "callee", "number") == number and get(record, "call", "answerTime")]
            if len(records) >= CALLS:
                return records
            self.assertLess(time.monotonic(), deadline, f"{len(records)} of {CALLS} call records after 5 s")
            time.sleep(0.1)

    def trunk_list(self):
        return {trunk["name"]: trunk for trunk in self.controller.ctl.json("trunks")["trunks"]}

    def reload(self, config, line):
        """Reloads `config`, upon which the controller says `line`."""
        said = self.controller.process.log().count(line)
        self.work_folder.write("controller.yaml", config)
        os.kill(self.controller.process.pid, signal.SIGHUP)
        self.controller.process.wait_until(lambda: self.controller.process.log().count(line) > said, f"it said '{line}'")

    def caller(self):
        return SipPhone(self.network.phone_a, net.PHONE_A, 5066, user="caller", password="caller-secret",
                        server=(net.SWITCH_A, net.SIP_PORT), domain=REALM)

    def test_the_trunk_is_registered_at_once_and_stays_so(self):
        # The registrar takes one REGISTER and no second one, so reloads have not registered anew.
        self.controller.process.wait_until(
            lambda: self.trunk_list()["registered"]["registration"] == "TRUNK_REGISTRATION_REGISTERED", "the trunk was registered")
        self.expect_success(self.registrar)
        self.assertEqual(self.trunk_list()["carrier"]["registration"], "TRUNK_REGISTRATION_NONE")

    def test_calls_to_the_trunk_carry_its_number_and_credentials(self):
        trunk = self.trunk()
        self.expect_success(self.call("0123", self.network.phone_a, net.PHONE_A), trunk)
        for call in self.answered("0123"):
            self.assertEqual((get(call, "caller", "account"), get(call, "callee", "account")), ("caller", "carrier"))

    def test_calls_go_to_the_next_trunk_when_one_answers_503(self):
        trunk = self.trunk()
        broken = self.sipp("unavailable", self.network.phone_c, net.PHONE_C, port=BROKEN_PORT)
        self.expect_success(self.call("1123", self.network.phone_a, net.PHONE_A), trunk, broken)
        for record in self.records("1123"):
            self.assertEqual(get(record, "call", "callee", "account"), "carrier")
            # One leg a server, though the one that took the call has challenged its INVITE.
            legs = [tuple(get(leg, *path) for path in (("side",), ("account",), ("peer",), ("endCause", "sipStatus"), ("endCause", "q850Cause"), ("endCause", "endedBy")))
                    for leg in record["legs"]]
            self.assertEqual(legs[0][:2], ("CALL_SIDE_CALLER", "caller"))
            self.assertEqual(legs[0][3:], (200, 16, "ENDED_BY_CALLER"))
            self.assertEqual(legs[1:], [("CALL_SIDE_CALLEE", "broken", f"udp:{net.PHONE_C}:{BROKEN_PORT}", 503, 41, "ENDED_BY_CALLEE"),
                                        ("CALL_SIDE_CALLEE", "carrier", f"udp:{net.PHONE_C}:{TRUNK_PORT}", 200, 16, "ENDED_BY_CALLER")])
            failed, took = record["legs"][1:]
            self.assertNotIn("answerTime", failed)
            self.assertLessEqual(moment(failed["endTime"]), moment(took["startTime"]))
            self.assertAlmostEqual(moment(took["endTime"]) - moment(took["answerTime"]), 1, delta=0.5)

    def test_calls_from_the_trunk_reach_the_account_of_their_route(self):
        with SipPhone(self.network.phone_a, net.PHONE_A, PHONE_PORT, user="desk", password="desk-secret",
                      server=(net.SWITCH_A, net.SIP_PORT), domain=REALM) as phone:
            self.assertEqual(phone.register().status, 200)
        desk = self.sipp("callee", self.network.phone_a, net.PHONE_A, port=PHONE_PORT)
        self.expect_success(self.call("4930123", self.network.phone_c, net.PHONE_C, port=TRUNK_PORT, challenged=False), desk)
        for call in self.answered("4930123"):
            self.assertEqual((get(call, "caller", "account"), get(call, "callee", "account")), ("carrier", "desk"))

    def test_another_port_of_the_trunks_address_is_challenged(self):
        with SipPhone(self.network.phone_c, net.PHONE_C, 5070, user="carrier", server=(net.SWITCH_A, net.SIP_PORT),
                      domain=REALM) as stranger:
            invite = stranger.request("INVITE", f"sip:4930@{REALM}", headers=[("Content-Type", "application/sdp")],
                                      body=sdp.audio(net.PHONE_C, 21000))
            stranger.send(invite)
            stranger.acknowledge_failure(invite, stranger.expect(407))

    def test_a_reload_drops_no_call_of_a_trunk_that_is_gone(self):
        present = self.controller.config
        trunk = self.trunk()
        calls = self.call("0456", self.network.phone_a, net.PHONE_A, seconds=3)
        self.controller.process.wait_until(
            lambda: sum(call.get("state") == "CALL_STATE_ANSWERED" for call in self.controller.ctl.json("calls").get("calls", [])) == CALLS,
            "all were answered")
        self.reload(present.replace(self.removed, ""), "trunks and routes take effect")
        try:
            self.assertEqual(list(self.trunk_list()), ["registered"])
            with self.caller() as caller:
                caller.call("0456", sdp.audio(net.PHONE_A, 21000)).expect(404)
            self.expect_success(calls, trunk)
        finally:
            self.reload(present, "trunks and routes take effect")
        self.assertEqual({get(call, "endCause", "endedBy") for call in self.answered("0456")}, {"ENDED_BY_CALLER"})

    def test_a_reload_that_is_wrong_changes_nothing(self):
        present = self.controller.config
        self.reload(present.replace('"0X*"', '"0**"'), "routes[0].number: '0**' has a * that is not at its end")
        trunk = self.trunk()
        self.expect_success(self.call("0789", self.network.phone_a, net.PHONE_A), trunk)


if __name__ == "__main__":
    main(__doc__)
