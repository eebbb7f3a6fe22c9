"""Two baresip phones register, call through Sluice and hang up; each hears the tone that the other plays. B is behind a NAT."""

import time

from harness import call_network as net
from harness.baresip import Baresip
from harness.controller import REALM
from harness.proto_json import get, number
from harness.system_test import SystemTest, main, measured
from harness.tone import frequency, loudest_second, read_samples, write_tone

TONES = {"anna": 600, "bert": 1450}
TALK_SECONDS = 4


class BaresipCallTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        # Its peers give up when they are offered a digest that they do not know.
        cls.controller = cls.start_controller([cls.relay], digests=("MD5",))

    def phone(self, name, namespace, address):
        self.controller.add_account(name, f"{name}-secret")
        sound = self.work_folder.file(f"{name}.wav")
        write_tone(sound, TONES[name], 20)
        account = (f"<sip:{name}@{REALM}>;auth_pass={name}-secret;outbound=\"sip:{net.SWITCH_A}:{net.SIP_PORT}\";"
                   "regint=60;audio_codecs=PCMA/8000/1;answermode=auto")
        phone = self.stack.enter_context(Baresip(name, account, self.work_folder, namespace, address, sound))
        phone.wait_until(lambda: self.controller.ctl.json("bindings", name).get("bindings"), "it registered")
        return phone

    def test_each_hears_the_tone_of_the_other(self):
        anna = self.phone("anna", self.network.phone_a, net.PHONE_A)
        bert = self.phone("bert", self.network.phone_b, net.PHONE_B)
        anna.command("dial", f"sip:bert@{REALM}")
        anna.wait_for_event("CALL_ESTABLISHED")
        time.sleep(TALK_SECONDS)
        anna.command("hangup")
        bert.wait_for_event("CALL_CLOSED")
        for phone, other in ((anna, "bert"), (bert, "anna")):
            samples, rate = read_samples(phone.recording())
            heard, share = frequency(loudest_second(samples, rate), rate)
            measured(f"{phone.name} heard {heard} Hz, {share:.1%} of the sound, for {len(samples) / rate:.1f} s")
            self.assertEqual(heard, TONES[other])
            self.assertGreater(share, 0.9)
            self.assertGreater(len(samples) / rate, TALK_SECONDS * 0.7)
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
    main(__doc__)
