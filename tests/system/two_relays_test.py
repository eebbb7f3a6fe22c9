"""Two relays: calls go to the least loaded, past a dead one, and back when it returns with its sessions as they were."""

import contextlib
import time

from harness import call_network as net
from harness.controller import REALM
from harness.proto_json import get
from harness.relay import Relay
from harness.system_test import SystemTest, main, measured
from phone.established_call import EstablishedCall
from phone.sip_phone import SipPhone

SECOND_A, SECOND_B = "198.18.1.11", "198.18.2.11"
NAMES = {net.SWITCH_A: "relay-1", SECOND_A: "relay-2"}
PACKETS = 25


class TwoRelaysTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.first = cls.start_relay()
        cls.second = cls.stack.enter_context(Relay(cls.programs, cls.work_folder, cls.relay_host(), name="relay-2",
                                                   callers=(SECOND_A,), callees=(SECOND_B,)))
        cls.controller = cls.start_controller([cls.first, cls.second])
        for name in ("alice", "carol"):
            cls.controller.add_account(name, f"{name}-secret")
        cls.alice = cls.phone("alice", cls.network.phone_a, net.PHONE_A)
        cls.carol = cls.phone("carol", cls.network.phone_c, net.PHONE_C)
        response = cls.carol.register()
        assert response.status == 200, f"carol's REGISTER was answered by {response}"

    @classmethod
    def relay_host(cls):
        """A host of its own for the second relay, on both sides."""
        host = cls.network.namespace("relay-2")
        cls.network.attach(host, net.SWITCH_LINK_A, "side-a", SECOND_A)
        cls.network.attach(host, net.SWITCH_LINK_B, "side-b", SECOND_B)
        return host

    @classmethod
    def phone(cls, user, namespace, address):
        return cls.stack.enter_context(contextlib.closing(SipPhone(
            namespace, address, 5060, user=user, password=f"{user}-secret", server=(net.SWITCH_A, net.SIP_PORT), domain=REALM)))

    def setUp(self):
        self.calls = []
        self.next_port = 21000

    def place_call(self):
        """One more call; answers the name of the relay that carries it."""
        call = EstablishedCall(self.alice, self.carol, caller_port=self.next_port, callee_port=self.next_port)
        self.next_port += 2
        self.addCleanup(call.close)
        self.calls.append(call)
        return NAMES[call.towards_caller.address]

    def test_new_calls_avoid_a_dead_relay_and_it_comes_back_with_its_sessions(self):
        self.assertEqual(sorted(self.place_call() for _ in range(4)), ["relay-1", "relay-1", "relay-2", "relay-2"])
        for call in self.calls:
            call.exchange(PACKETS)

        killed = time.monotonic()
        self.first.process.kill()
        self.controller.wait_for_relay("relay-1", "DOWN")
        noticed = time.monotonic() - killed
        self.assertEqual([self.place_call() for _ in range(2)], ["relay-2", "relay-2"])
        for call in self.calls[-2:]:
            call.exchange(PACKETS)

        self.first.start()
        started = time.monotonic()
        self.controller.wait_for_relay("relay-1")
        deadline = started + 10
        while len(self.first.sessions()) < 2:
            self.assertLess(time.monotonic(), deadline, "the sessions of relay-1 were not installed again within 10 s")
            time.sleep(0.02)
        refilled = time.monotonic() - started
        for call in self.calls:
            call.exchange(PACKETS)
        self.assertEqual([self.place_call() for _ in range(2)], ["relay-1", "relay-1"])
        measured(f"dead after {noticed:.2f} s, sessions installed again {refilled:.2f} s after its start, on the same ports")

        for call in self.calls:
            call.hang_up()
        self.expect_nothing_left(self.controller, self.first, self.second)
        records = self.controller.ctl.json("cdrs")["records"]
        self.assertEqual(sorted(get(record, "call", "relay") for record in records), ["relay-1"] * 4 + ["relay-2"] * 4)


if __name__ == "__main__":
    main(__doc__)
