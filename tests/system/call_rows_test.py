"""What phones and carriers do in calls, row by row: SIPp on each side plays its part against one controller and one relay.

The caller is a trunk, which needs no digest; its callees are accounts.
"""

import base64
import re
from dataclasses import dataclass

from harness import call_network as net
from harness.controller import REALM
from harness.sipp import Sipp
from harness.sipp_scenario import Expect, Pause, Reply, Send, SendBack, callee, caller, reply_to_first, sdp
from harness.system_test import SystemTest, main
from phone.sip_phone import SipPhone

CARRIER_PORT = 5060
# Where another caller of the carrier's is.
PICKUP_PORT = 5062
# A trunk that sends back what it gets for its number.
MIRROR_NUMBER, MIRROR_PORT = "900", 5080
MIRROR_URI = f"sip:{MIRROR_NUMBER}@{net.SWITCH_A}:{net.SIP_PORT}"
# The accounts, and where their bindings are.
PORTS = {"desk": (5070,), "pair": (5072, 5074), "other": (5076,), "mover": (5078,)}

_CONFIG = f"""\
trunks:
  - name: carrier
    peers: [{{transport: udp, address: "{net.PHONE_A}:{CARRIER_PORT}"}}]
    inbound_addresses: ["{net.PHONE_A}:{CARRIER_PORT}", "{net.PHONE_A}:{PICKUP_PORT}"]
  - name: mirror
    peers: [{{transport: udp, address: "{net.PHONE_C}:{MIRROR_PORT}"}}]
    inbound_addresses: ["{net.PHONE_C}:{MIRROR_PORT}"]
routes:
  - {{name: mirrored, from: any, number: "{MIRROR_NUMBER}", to: [{{trunk: mirror}}]}}
"""

ACK = Send("ACK")
CALL = (Send("INVITE", sdp()), Expect(100, optional=True), Expect(180, optional=True), Expect(200, has=("m=audio",)), ACK)
ANSWER = (Expect("INVITE"), Reply(180), Reply(200, sdp()), Expect("ACK"))
HANG_UP = (Pause(100), Send("BYE"), Expect(200))
HUNG_UP = (Expect("BYE"), Reply(200))

VIDEO = "\nm=video 40000 RTP/AVP 96\na=rtpmap:96 H264/90000"
NO_VIDEO = "\nm=video 0 RTP/AVP 96"
OTHER_AUDIO = sdp().replace("[auto_media_port] RTP/AVP 8", "41000 RTP/AVP 0").replace("rtpmap:8 PCMA", "rtpmap:0 PCMU")
REASON = 'Reason: Q.850;cause=31;text="gone"'


def offer(method, direction):
    return Send(method, sdp(direction))


@dataclass(frozen=True)
class Row:
    caller: tuple
    # What each callee does, by account and which of its bindings it is. The first one's account is called.
    callees: dict


def with_desk(calling, *desk):
    return Row(calling, {("desk", 0): desk})


ROWS = {
    "hold and resume by re-INVITE": with_desk(
        (*CALL, offer("INVITE", "sendonly"), Expect(100, optional=True), Expect(200, has=("a=recvonly",)), ACK,
         offer("INVITE", "sendrecv"), Expect(100, optional=True), Expect(200, has=("a=sendrecv",)), ACK, *HANG_UP),
        *ANSWER, Expect("INVITE", has=("a=sendonly",)), Reply(200, sdp("recvonly")), Expect("ACK"),
        Expect("INVITE", has=("a=sendrecv",)), Reply(200, sdp()), Expect("ACK"), *HUNG_UP),
    "hold by UPDATE from the callee": with_desk(
        (*CALL, Expect("UPDATE", has=("a=sendonly",)), Reply(200, sdp("recvonly")), Expect("BYE"), Reply(200)),
        *ANSWER, Pause(100), offer("UPDATE", "sendonly"), Expect(200, has=("a=recvonly",)), *HANG_UP),
    "video that comes and goes": with_desk(
        (*CALL, Send("INVITE", sdp() + VIDEO), Expect(100, optional=True), Expect(200, has=("m=video [1-9]",)), ACK,
         Send("INVITE", sdp() + NO_VIDEO), Expect(100, optional=True), Expect(200, has=("m=video 0",)), ACK, *HANG_UP),
        *ANSWER, Expect("INVITE", has=("m=video [1-9]", "H264")), Reply(200, sdp() + VIDEO), Expect("ACK"),
        Expect("INVITE", has=("m=video 0",)), Reply(200, sdp() + NO_VIDEO), Expect("ACK"), *HUNG_UP),
    "another codec and port from the callee": with_desk(
        (*CALL, Expect("INVITE", has=("m=audio [0-9]* RTP/AVP 0", "PCMU")), Reply(200, OTHER_AUDIO), Expect("ACK"),
         Pause(100), Send("BYE", headers=(REASON,)), Expect(200)),
        *ANSWER, Pause(100), Send("INVITE", OTHER_AUDIO), Expect(100, optional=True), Expect(200, has=("RTP/AVP 0",)), ACK,
        Expect("BYE", has=("Reason: *Q.850;cause=31",)), Reply(200)),
    "an offer in the 200": with_desk(
        (Send("INVITE"), Expect(100, optional=True), Expect(180), Expect(200, has=("m=audio",)), Send("ACK", sdp()), *HANG_UP),
        Expect("INVITE", has=("Content-Length: 0",)), Reply(180), Reply(200, sdp()), Expect("ACK", has=("m=audio",)), *HUNG_UP),
    "early media acknowledged on both legs": with_desk(
        (Send("INVITE", sdp(), ("Supported: 100rel",)), Expect(100, optional=True),
         Expect(183, has=("Require: *100rel", "m=audio"), keep="RSeq"), Send("PRACK", headers=("RAck: [$kept] 1 INVITE",)), Expect(200),
         Expect(200, has=("CSeq: *1 INVITE",)), ACK, *HANG_UP),
        Expect("INVITE", has=("Supported:.*100rel",)), Reply(183, sdp(), ("Require: 100rel", "RSeq: 7")),
        Expect("PRACK", has=("RAck: *7 [0-9]+ INVITE",)), Reply(200), Pause(200), reply_to_first(200, sdp()), Expect("ACK"), *HUNG_UP),
    "the first of two bindings": Row((*CALL, *HANG_UP), {
        ("pair", 0): (Expect("INVITE"), Reply(180), Pause(200), Reply(200, sdp()), Expect("ACK"), *HUNG_UP),
        ("pair", 1): (Expect("INVITE"), Reply(180), Expect("CANCEL", has=("Call completed elsewhere",)), Reply(200),
                      reply_to_first(487), Expect("ACK"))}),
    "two re-INVITEs that meet": with_desk(
        (*CALL, offer("INVITE", "sendonly"), Expect(100, optional=True), Expect(491), ACK, *HANG_UP),
        *ANSWER, Expect("INVITE", has=("a=sendonly",), keep_request=True), offer("INVITE", "inactive"), Expect(491), ACK,
        Reply(491, to_kept=True), Expect("ACK"), *HUNG_UP),
    "CANCEL": with_desk(
        (Send("INVITE", sdp()), Expect(100, optional=True), Expect(180), Send("CANCEL"), Expect(200), Expect(487), ACK),
        Expect("INVITE"), Reply(180), Expect("CANCEL"), Reply(200), reply_to_first(487), Expect("ACK")),
    "CANCEL that crosses a 200": with_desk(
        (Send("INVITE", sdp()), Expect(100, optional=True), Expect(180), Send("CANCEL"), Expect(200), Expect(487), ACK),
        Expect("INVITE"), Reply(180), Expect("CANCEL"), Reply(200), reply_to_first(200, sdp()), Expect("ACK"), *HUNG_UP),
    "session intervals that are too short": with_desk(
        (Send("INVITE", sdp(), ("Supported: timer", "Session-Expires: 60")), Expect(100, optional=True), Expect(422, has=("Min-SE: *90",)),
         ACK, Send("INVITE", sdp(), ("Supported: timer", "Session-Expires: 90;refresher=uac")), Expect(100, optional=True),
         Expect(200, has=("Session-Expires: *90;refresher=uac",)), ACK, *HANG_UP),
        Expect("INVITE", has=("Session-Expires: *1800",)), Reply(422, headers=("Min-SE: 3600",)), Expect("ACK"),
        Expect("INVITE", has=("Session-Expires: *3600", "Min-SE: *3600")),
        Reply(200, sdp(), ("Require: timer", "Session-Expires: 3600;refresher=uac")), Expect("ACK"), *HUNG_UP),
    "blind transfer": Row(
        (*CALL, Send("REFER", headers=("Refer-To: <sip:other@[remote_ip]:[remote_port]>",)), Expect(202),
         Expect("NOTIFY", has=("SIP/2.0 100",)), Reply(200), Expect("NOTIFY", has=("SIP/2.0 200", "terminated")), Reply(200), *HUNG_UP), {
            ("desk", 0): (*ANSWER, Expect("INVITE", has=("m=audio",)), Reply(200, sdp()), Expect("ACK"), *HUNG_UP),
            ("other", 0): (Expect("INVITE", has=("Referred-By:",)), Reply(200, sdp()), Expect("ACK", has=("m=audio",)), *HANG_UP)}),
    "a redirection that is followed": Row((*CALL, *HANG_UP), {
        ("desk", 0): (Expect("INVITE"), Reply(302, headers=(f"Contact: <sip:other@{net.SWITCH_A}:{net.SIP_PORT}>",)), Expect("ACK")),
        ("other", 0): (*ANSWER, *HUNG_UP)}),
    "INFO and MESSAGE in the call": with_desk(
        (*CALL, Send("INFO", "Signal=5", content_type="application/dtmf-relay"), Expect(200), Expect("MESSAGE", has=("hello",)), Reply(200),
         *HANG_UP),
        *ANSWER, Expect("INFO", has=("Signal=5",)), Reply(200), Pause(100), Send("MESSAGE", "hello", content_type="text/plain"),
        Expect(200), *HUNG_UP),
    "a redirection that is passed on": Row(
        (Send("INVITE", sdp()), Expect(100, optional=True), Expect(302, has=("Contact: *<sip:other@",)), ACK), {
            ("mover", 0): (Expect("INVITE"), Reply(302, headers=("Contact: <sip:other@192.0.2.1>",)), Expect("ACK"))}),
    "an INVITE that comes back": Row(
        (Send("INVITE", sdp()), Expect(100, optional=True), Expect(482), ACK), {
            ("mirror", 0): (Expect("INVITE"), SendBack(MIRROR_URI), Expect(482), SendBack(MIRROR_URI, ack=True), reply_to_first(482), Expect("ACK"))}),
    "MESSAGE outside of calls": with_desk(
        (Send("MESSAGE", "hello", content_type="text/plain"), Expect(200, has=("X-Row: read",))),
        Expect("MESSAGE", has=("hello", "Content-Type: *text/plain")), Reply(200, headers=("X-Row: read",))),
    "INFO outside of calls": with_desk(
        (Send("INFO", "Signal=5", content_type="application/dtmf-relay"), Expect(415)),
        Expect("INFO", has=("Signal=5",)), Reply(415)),
    "names of a session": with_desk(
        (Send("INVITE", sdp(), ("Session-ID: aaaaaaaaaaaa4aaa8aaaaaaaaaaaaaaa;remote=00000000000000000000000000000000",)),
         Expect(100, optional=True), Expect(180, optional=True),
         Expect(200, has=("Session-ID: *bbbbbbbbbbbb4bbb8bbbbbbbbbbbbbbb;remote=aaaaaaaaaaaa4aaa8aaaaaaaaaaaaaaa",)), ACK, *HANG_UP),
        Expect("INVITE", has=("Session-ID: *aaaaaaaaaaaa4aaa8aaaaaaaaaaaaaaa;remote=0{32}",)),
        Reply(200, sdp(), ("Session-ID: bbbbbbbbbbbb4bbb8bbbbbbbbbbbbbbb;remote=aaaaaaaaaaaa4aaa8aaaaaaaaaaaaaaa",)),
        Expect("ACK", has=("Session-ID: *aaaaaaaaaaaa4aaa8aaaaaaaaaaaaaaa;remote=bbbbbbbbbbbb4bbb8bbbbbbbbbbbbbbb",)), *HUNG_UP),
    "OPTIONS": Row((Send("OPTIONS"), Expect(200, has=("Allow:.*INVITE",))), {}),
}


class CallRowsTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay], digests=("MD5",), more_config=_CONFIG,
                                              more_calls="follow_redirections: true")
        for name, ports in PORTS.items():
            cls.controller.add_account(name, f"{name}-secret", redirections="pass" if name == "mover" else "")
            for port in ports:
                # SIPp's callees do not register; a phone does at their address and leaves.
                with SipPhone(cls.network.phone_c, net.PHONE_C, port, user=name, password=f"{name}-secret",
                              server=(net.SWITCH_A, net.SIP_PORT), domain=REALM) as phone:
                    response = phone.register()
                    assert response.status == 200, f"the REGISTER of {name} was answered by {response}"

    @classmethod
    def sipp(cls, scenario, namespace, address, port, *arguments, calls=1):
        return cls.stack.enter_context(Sipp("row", None, cls.work_folder, namespace, address, "-m", str(calls), "-recv_timeout", "5000",
                                            *arguments, port=port, scenario=scenario))

    def play(self, row):
        ports = {**PORTS, "mirror": (MIRROR_PORT,)}
        numbers = {"mirror": MIRROR_NUMBER}
        callees = [self.sipp(callee(*steps), self.network.phone_c, net.PHONE_C, ports[name][binding], "-s", numbers.get(name, name))
                   for (name, binding), steps in row.callees.items()]
        called = next(iter(row.callees), ("desk", 0))[0]
        called = numbers.get(called, called)
        self.wait_for((self.calling(row.caller, called), *callees))

    def calling(self, steps, called, port=CARRIER_PORT):
        return self.sipp(caller(*steps), self.network.phone_a, net.PHONE_A, port, "-s", called, f"{net.SWITCH_A}:{net.SIP_PORT}")

    def wait_for(self, sipps):
        try:
            for sipp in sipps:
                self.assertEqual(sipp.wait(12), 0, f"{sipp.errors()}\n{sipp.tail()}")
        finally:
            # The next row's are at the same ports.
            for sipp in sipps:
                sipp.kill()
        self.expect_nothing_left(self.controller, self.relay)

    def standing(self):
        return [call for call in self.controller.ctl.json("calls").get("calls", []) if call.get("state") == "CALL_STATE_ANSWERED"]

    def messages(self, call_id, first_line):
        """What the call has seen whose first line begins so, as (peer, text)."""
        ladder = self.controller.ctl.json("call", call_id, "--messages")["ladder"]
        return [(entry["peer"], base64.b64decode(entry["message"]).decode()) for entry in ladder if entry["firstLine"].startswith(first_line)]

    def test_an_INVITE_that_replaces_a_call(self):
        desk = self.sipp(callee(*ANSWER, *HUNG_UP), self.network.phone_c, net.PHONE_C, PORTS["desk"][0], "-s", "desk", calls=2)
        replaced = self.calling((*CALL, Pause(4000), Send("BYE"), Expect(200)), "desk")
        self.controller.process.wait_until(self.standing, "the call that is to be replaced stands")
        standing = self.standing()[0]
        # As its caller knows it.
        answer = next(text for peer, text in self.messages(standing["callId"], "SIP/2.0 200") if peer == "LADDER_PEER_CALLER")
        names = [re.search(pattern, answer, re.MULTILINE).group(1)
                 for pattern in (r"^Call-ID: *(\S+)", r"^To:.*;tag=([^;\s]+)", r"^From:.*;tag=([^;\s]+)")]
        replaces = "{};to-tag={};from-tag={}".format(*names)
        pickup = self.calling((Send("INVITE", sdp(), (f"Replaces: {replaces}", "Require: replaces")), *CALL[1:], *HANG_UP), "desk", PICKUP_PORT)
        self.wait_for((pickup, replaced, desk))
        latest = [record["call"]["callId"] for record in self.controller.ctl.json("cdrs", "--limit", "2")["records"]]
        latest.remove(standing["callId"])
        invite = next(text for peer, text in self.messages(latest[0], "INVITE") if peer == "LADDER_PEER_CALLEE")
        # The desk hears of it as it knows the dialog itself.
        self.assertRegex(invite, rf"(?m)^Replaces: {re.escape(standing['callee']['sipCallId'])};to-tag=callee1;from-tag=")


def _test_of(row):
    return lambda self: self.play(row)


for _name, _row in ROWS.items():
    setattr(CallRowsTest, f"test_{_name.replace(' ', '_').replace('-', '_')}", _test_of(_row))


if __name__ == "__main__":
    main(__doc__)
