"""Sides of held calls, without session timers: whether they are there is found out by OPTIONS in the dialog."""

from harness import call_network as net
from harness.controller import REALM
from harness.proto_json import get, moment
from harness.sipp import Sipp
from harness.sipp_scenario import Expect, Pause, Reply, Send, callee, caller, sdp
from harness.system_test import SystemTest, main, measured
from phone.sip_phone import SipPhone

INTERVAL = 10
# Until a request over UDP is given up (Timer F).
GIVEN_UP = 32
ACCOUNTS = {"there": 5070, "forgetful": 5072, "gone": 5074}
CARRIER_PORTS = {"there": 5060, "forgetful": 5062, "gone": 5064}

_CONFIG = f"""\
trunks:
  - name: carrier
    peers: [{{transport: udp, address: "{net.PHONE_A}:5060"}}]
    inbound_addresses: [{", ".join(f'"{net.PHONE_A}:{port}"' for port in CARRIER_PORTS.values())}]
"""

PROBE = Expect("OPTIONS", has=("Accept: *application/sdp", "Contact: *<sip:", "Max-Forwards: *70", "Content-Length: *0"))
HELD_CALL = (Send("INVITE", sdp()), Expect(100, optional=True), Expect(180), Expect(200), Send("ACK"), Send("INVITE", sdp("inactive")),
             Expect(100, optional=True), Expect(200, has=("a=inactive",)), Send("ACK"))
HELD_ANSWER = (Expect("INVITE"), Reply(180), Reply(200, sdp()), Expect("ACK"), Expect("INVITE", has=("a=inactive",)),
               Reply(200, sdp("inactive")), Expect("ACK"))
ENDED = (Expect("BYE", has=("Reason: *Q.850;cause=.*the callee does not",)), Reply(200))


class SilentSidesTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay], digests=("MD5",), more_config=_CONFIG,
                                              more_calls=f"session_expires: 0s\n  probe_interval: {INTERVAL}s")
        for name, port in ACCOUNTS.items():
            cls.controller.add_account(name, f"{name}-secret")
            # SIPp's callees do not register; a phone does at their address and leaves.
            with SipPhone(cls.network.phone_c, net.PHONE_C, port, user=name, password=f"{name}-secret",
                          server=(net.SWITCH_A, net.SIP_PORT), domain=REALM) as phone:
                response = phone.register()
                assert response.status == 200, f"the REGISTER of {name} was answered by {response}"

    def sipp(self, scenario, namespace, address, port, *arguments):
        return self.stack.enter_context(Sipp("side", None, self.work_folder, namespace, address, "-m", "1", "-recv_timeout", "60000", *arguments,
                                             port=port, scenario=scenario))

    def place(self, called, calling, answering):
        """Both sides of a call to `called`, as SIPp plays them."""
        desk = self.sipp(callee(*answering), self.network.phone_c, net.PHONE_C, ACCOUNTS[called], "-s", called)
        return self.sipp(caller(*calling), self.network.phone_a, net.PHONE_A, CARRIER_PORTS[called], "-s", called,
                         f"{net.SWITCH_A}:{net.SIP_PORT}"), desk

    def expect_success(self, sipps, timeout):
        for sipp in sipps:
            self.assertEqual(sipp.wait(timeout), 0, f"{sipp.errors()}\n{sipp.tail()}")

    def record(self, called):
        records = self.controller.ctl.json("cdrs")["records"]
        return next(record for record in records if get(record, "call", "callee", "account") == called)

    def end_cause(self, called):
        return get(self.record(called), "call", "endCause", "endedBy"), get(self.record(called), "call", "endCause", "text")

    def test_held_calls_go_on_as_long_as_both_sides_are_there(self):
        there = self.place("there",
                           # Both answer as they can, twice, and the call is theirs to end.
                           (*HELD_CALL, PROBE, Reply(200), PROBE, Reply(200), Pause(500), Send("BYE"), Expect(200)),
                           (*HELD_ANSWER, PROBE, Reply(405), PROBE, Reply(405), Expect("BYE"), Reply(200)))
        forgetful = self.place("forgetful", (*HELD_CALL, PROBE, Reply(200), *ENDED), (*HELD_ANSWER, PROBE, Reply(481)))
        # Nobody is at its port any more when its scenario is over; the caller is asked on while that is found out.
        gone = self.place("gone", (*HELD_CALL, *((PROBE, Reply(200)) * (1 + GIVEN_UP // INTERVAL)), *ENDED), HELD_ANSWER)
        self.expect_success(forgetful, INTERVAL + 10)
        self.assertEqual(self.end_cause("forgetful"), ("ENDED_BY_UNREACHABLE", "the callee does not know the dialog any more"))
        self.expect_success(there, 2 * INTERVAL + 10)
        self.assertEqual(get(self.record("there"), "call", "endCause", "endedBy"), "ENDED_BY_CALLER")
        self.expect_success(gone, INTERVAL + GIVEN_UP + 10)
        self.assertEqual(self.end_cause("gone"), ("ENDED_BY_UNREACHABLE", "the callee does not answer any more"))
        call = get(self.record("gone"), "call")
        measured(f"ended {moment(call['endTime']) - moment(call['answerTime']):.1f} s after the answer, the side gone at once")
        # The BYE to the one that is gone is not answered either, and keeps no session.
        self.assertEqual(self.relay.sessions(), [])


if __name__ == "__main__":
    main(__doc__)
