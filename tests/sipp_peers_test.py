"""SIPp against SIPp, without Sluice: the scenarios and the judge of the captures can be trusted."""

import contextlib
import unittest

from harness import call_network as net
from harness.call_network import CallNetwork
from harness.process import end_on_sigterm
from harness.sipp import Capture, Sipp, Sound, flows_to, unlike
from harness.work_folder import WorkFolder

CALLS = 5
PACKETS = 50


class SippPeersTest(unittest.TestCase):
    def test_each_call_plays_its_sound_both_ways_unchanged_and_in_order(self):
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(WorkFolder())
            network = stack.enter_context(CallNetwork())
            network.switch.write_sysctl("net/ipv4/ip_forward", "1")
            sounds = {"caller": Sound(PACKETS, 0xA), "callee": Sound(PACKETS, 0xC)}
            captures = {role: stack.enter_context(Capture(folder, namespace, "eth0", "udp and not port 5060"))
                        for role, namespace in (("caller", network.phone_a), ("callee", network.phone_c))}
            callee = stack.enter_context(
                Sipp("callee", sounds["callee"], folder, network.phone_c, net.PHONE_C, "-m", str(CALLS)))
            caller = stack.enter_context(
                Sipp("caller", sounds["caller"], folder, network.phone_a, net.PHONE_A, "-m", str(CALLS), "-r", "5", "-d", "1500",
                     "-s", "callee", f"{net.PHONE_C}:5060", challenged=False))
            self.assertEqual(caller.wait(20), 0, caller.errors() + caller.tail())
            self.assertEqual(callee.wait(5), 0, callee.errors() + callee.tail())
            for capture in captures.values():
                capture.stop()
            heard = {"caller": flows_to(captures["caller"].datagrams(), net.PHONE_A),
                     "callee": flows_to(captures["callee"].datagrams(), net.PHONE_C)}
            for role, other in (("caller", "callee"), ("callee", "caller")):
                self.assertEqual(len(heard[role]), CALLS)
                self.assertEqual(unlike(heard[role], sounds[other]), [])


class UnlikeTest(unittest.TestCase):
    """The judge itself."""

    def judged(self, change):
        sound = Sound(4, 1)
        packets = list(sound.packets)
        change(packets)
        return " ".join(unlike({(("a", 1), ("b", 2)): packets}, sound))

    def test_says_nothing_about_a_flow_as_it_was_sent(self):
        self.assertEqual(self.judged(lambda packets: None), "")

    def test_sees_a_packet_that_is_missing(self):
        self.assertIn("3 packets instead of 4, 1 missing, 0 altered", self.judged(lambda packets: packets.pop()))

    def test_sees_a_byte_that_is_other(self):
        self.assertIn("1 missing, 1 altered", self.judged(lambda packets: packets.append(packets.pop()[:-1] + b"?")))

    def test_sees_packets_in_another_order(self):
        self.assertIn("in another order or doubled", self.judged(lambda packets: packets.reverse()))


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main(verbosity=2)
