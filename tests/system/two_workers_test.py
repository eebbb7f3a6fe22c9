"""Calls through a relay with two workers, which the kernel gives each flow to one of: both work, and every packet arrives in order."""

import os
import unittest

from harness import call_network as net
from harness.proto_json import get, number
from harness.system_test import SystemTest, main, measured
from phone.established_call import EstablishedCall

# Enough for 2 * CALLS flows to have different hashes: all on one worker once in 2^15 runs.
CALLS = 8
PACKETS = 50


@unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "two workers need two CPUs")
class TwoWorkersTest(SystemTest):
    @classmethod
    def start_programs(cls):
        # AF_PACKET has a queue a worker on any interface: the kernel spreads by the hash of addresses and ports (PACKET_FANOUT_HASH).
        cls.relay = cls.start_relay(device="af_packet", worker_cpus=sorted(os.sched_getaffinity(0))[:2])
        cls.controller = cls.start_controller([cls.relay])
        for name in ("alice", "bob"):
            cls.controller.add_account(name, f"{name}-secret")

    def workers(self):
        return get(self.relay.ctl.json("stats", "relay"), "workers")

    def test_each_flow_has_one_worker_and_both_have_flows(self):
        alice = self.registered_phone("alice", self.network.phone_a, net.PHONE_A)
        bob = self.registered_phone("bob", self.network.phone_c, net.PHONE_C)
        self.assertEqual(len(self.workers()), 2)
        for index in range(CALLS):
            call = EstablishedCall(alice, bob, caller_port=21000 + 2 * index, callee_port=22000 + 2 * index)
            call.exchange(PACKETS)
            call.hang_up()
        self.expect_nothing_left(self.controller, self.relay)
        forwarded = [number(worker, "forwardedPackets") for worker in self.workers()]
        self.assertGreater(min(forwarded), 0, f"one worker had all of {2 * CALLS} flows: {forwarded}")
        for record in self.controller.ctl.json("cdrs")["records"]:
            for side in ("fromCaller", "fromCallee"):
                self.assertEqual((number(record["streams"][0], side, "lost"), number(record["streams"][0], side, "reordered")), (0, 0))
        measured(f"packets forwarded by the workers: {forwarded}")


if __name__ == "__main__":
    main(__doc__)
