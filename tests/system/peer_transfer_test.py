"""Phones of others hold, resume and transfer a call through Sluice: at the end the two that are left hear each other."""

import time

from harness.controller import REALM
from harness.peer_phones import PeerPhonesTest, peer_phones_main
from harness.proto_json import get, number

TALK_SECONDS = 3
CARL = "198.18.1.4"


class PeerTransferTest(PeerPhonesTest):
    def sent_by_callee(self):
        """Packets that the callee has sent until now."""
        return sum(number(session, "streams", 0, "legs", 1, "received", "packets") for session in self.relay.sessions())

    def wait_until_callee(self, talks):
        """Until the callee sends, or has sent nothing for a while: a phone on hold only listens."""
        deadline = time.monotonic() + 8
        while True:
            before = self.sent_by_callee()
            time.sleep(0.3)
            if (self.sent_by_callee() > before) == talks:
                return
            self.assertLess(time.monotonic(), deadline, f"the callee {'sends nothing' if talks else 'still sends'}")

    def test_holds_resumes_and_transfers(self):
        # It takes the caller's side of the call, so it is in the caller's network.
        carl = self.phone("carl", self.network.host("carl", "side-a", CARL), CARL)
        anna, bert = self.talking_phones()
        self.wait_until_callee(talks=True)
        anna.hold()
        self.wait_until_callee(talks=False)
        anna.resume()
        self.wait_until_callee(talks=True)
        anna.transfer(f"sip:carl@{REALM}")
        carl.wait_until_talking()
        anna.wait_until_ended()
        time.sleep(TALK_SECONDS)
        # bert's baresip records until the first hold only, so the relay says what he gets.
        legs = get(self.relay.sessions(), 0, "streams", 0, "legs")
        self.assertEqual(get(legs, 0, "learnedRemote", "address"), CARL)
        sent_to_bert = number(legs, 1, "sentPackets")
        time.sleep(0.5)
        self.assertGreater(number(self.relay.sessions(), 0, "streams", 0, "legs", 1, "sentPackets"), sent_to_bert)
        carl.hang_up()
        bert.wait_until_ended()
        self.expect_heard(carl, "bert")
        self.expect_nothing_left(self.controller, self.relay)


if __name__ == "__main__":
    peer_phones_main(__doc__)
