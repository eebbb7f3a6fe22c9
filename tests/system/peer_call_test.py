"""Two phones of others register, call through Sluice and hang up; each hears the tone that the other plays. B is behind a NAT."""

import time

from harness.peer_phones import PeerPhonesTest, peer_phones_main
from harness.proto_json import get, number
from harness.system_test import measured

TALK_SECONDS = 4


class PeerCallTest(PeerPhonesTest):
    def test_each_hears_the_tone_of_the_other(self):
        anna, bert = self.talking_phones()
        time.sleep(TALK_SECONDS)
        anna.hang_up()
        bert.wait_until_ended()
        for phone, other in ((anna, "bert"), (bert, "anna")):
            self.assertGreater(self.expect_heard(phone, other), TALK_SECONDS * 0.7)
        self.check_record()

    def check_record(self):
        deadline = time.monotonic() + 5
        while not (records := self.controller.ctl.json("cdrs").get("records", [])):
            self.assertLess(time.monotonic(), deadline, "no call record after 5 s")
            time.sleep(0.1)
        stream = records[0]["streams"][0]
        self.assertEqual(get(records, 0, "call", "endCause", "endedBy"), "ENDED_BY_CALLER")
        for side in ("fromCaller", "fromCallee"):
            self.assertEqual(number(stream, side, "lost"), 0)
            self.assertGreater(get(stream, side, "quality", "mos", default=0), 4.0)
            measured(f"{side}: {number(stream, side, 'packets')} packets, jitter {get(stream, side, 'jitterMs', default=0):.2f} ms, "
                     f"MOS {get(stream, side, 'quality', 'mos', default=0):.2f}")


if __name__ == "__main__":
    peer_phones_main(__doc__)
