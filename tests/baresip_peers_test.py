"""Two baresip phones without Sluice: that they hear each other, and that the measurement of tones can be trusted."""

import contextlib
import time
import unittest

from harness import call_network as net
from harness.baresip import Baresip
from harness.call_network import CallNetwork
from harness.process import end_on_sigterm
from harness.system_test import measured
from harness.tone import read_samples, strongest_tone, write_tone
from harness.work_folder import WorkFolder

class BaresipPeersTest(unittest.TestCase):
    def test_each_hears_the_tone_of_the_other(self):
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(WorkFolder())
            network = stack.enter_context(CallNetwork())
            network.switch.write_sysctl("net/ipv4/ip_forward", "1")
            phones = {}
            for name, namespace, address, hertz in (("a", network.phone_a, net.PHONE_A, 600),
                                                    ("c", network.phone_c, net.PHONE_C, 1450)):
                write_tone(folder.file(f"{name}.wav"), hertz, 20)
                account = f"<sip:{name}@{address}:5060>;regint=0;audio_codecs=PCMA/8000/1;answermode=auto"
                phones[name] = stack.enter_context(Baresip(name, account, folder, namespace, address, folder.file(f"{name}.wav")))
            phones["a"].dial(f"sip:c@{net.PHONE_C}:5060")
            phones["a"].wait_until_talking()
            time.sleep(3)
            phones["a"].hang_up()
            phones["c"].wait_until_ended()
            for name, hertz in (("a", 1450), ("c", 600)):
                samples, rate = read_samples(phones[name].recording())
                heard, share = strongest_tone(samples, rate)
                measured(f"{name} heard {heard} Hz, {share:.1%} of the sound, for {len(samples) / rate:.1f} s")
                self.assertEqual(heard, hertz)
                self.assertGreater(share, 0.9)


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main(verbosity=2)
