"""baresip phones hold, resume and transfer a call through Sluice: at the end the two that are left hear each other."""

import time

from harness import call_network as net
from harness.baresip import Baresip
from harness.controller import REALM
from harness.proto_json import get, number
from harness.system_test import SystemTest, main, measured
from harness.tone import frequency, loudest_second, read_samples, write_tone

TONES = {"anna": 600, "bert": 1450, "carl": 1000}
TALK_SECONDS = 3
CARL = "198.18.1.4"


class BaresipTransferTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        # Its peers give up when they are offered a digest that they do not know.
        cls.controller = cls.start_controller([cls.relay], digests=("MD5",))

    def phone(self, name, namespace, address):
        self.controller.add_account(name, f"{name}-secret")
        sound = self.work_folder.file(f"{name}.wav")
        write_tone(sound, TONES[name], 60)
        account = (f"<sip:{name}@{REALM}>;auth_pass={name}-secret;outbound=\"sip:{net.SWITCH_A}:{net.SIP_PORT}\";"
                   "regint=60;audio_codecs=PCMA/8000/1;answermode=auto")
        phone = self.stack.enter_context(Baresip(name, account, self.work_folder, namespace, address, sound))
        phone.wait_until(lambda: self.controller.ctl.json("bindings", name).get("bindings"), "it registered")
        return phone

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
        anna = self.phone("anna", self.network.phone_a, net.PHONE_A)
        bert = self.phone("bert", self.network.phone_b, net.PHONE_B)
        # It takes the caller's side of the call, so it is in the caller's network.
        carl = self.phone("carl", self.network.host("carl", "side-a", CARL), CARL)
        anna.command("dial", f"sip:bert@{REALM}")
        anna.wait_for_event("CALL_ESTABLISHED")
        self.wait_until_callee(talks=True)
        anna.command("hold")
        self.wait_until_callee(talks=False)
        anna.command("resume")
        self.wait_until_callee(talks=True)
        anna.command("transfer", f"sip:carl@{REALM}")
        carl.wait_for_event("CALL_ESTABLISHED")
        anna.wait_for_event("CALL_CLOSED")
        time.sleep(TALK_SECONDS)
        # bert's baresip records until the first hold only, so the relay says what he gets.
        legs = get(self.relay.sessions(), 0, "streams", 0, "legs")
        self.assertEqual(get(legs, 0, "learnedRemote", "address"), CARL)
        sent_to_bert = number(legs, 1, "sentPackets")
        time.sleep(0.5)
        self.assertGreater(number(self.relay.sessions(), 0, "streams", 0, "legs", 1, "sentPackets"), sent_to_bert)
        carl.command("hangup")
        bert.wait_for_event("CALL_CLOSED")
        samples, rate = read_samples(carl.recording())
        heard, share = frequency(loudest_second(samples, rate), rate)
        measured(f"carl heard {heard} Hz, {share:.1%} of the sound")
        self.assertEqual(heard, TONES["bert"])
        self.assertGreater(share, 0.9)
        self.expect_nothing_left(self.controller, self.relay)


if __name__ == "__main__":
    main(__doc__)
