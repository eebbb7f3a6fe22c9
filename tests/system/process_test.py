"""The two processes as an operator sees them: gRPC that describes itself, threads where the config says, no cycles wasted."""

import argparse
import os
import subprocess

from harness import proc_reader
from harness.relay import control_cpu, worker_cpu
from harness.system_test import SystemTest, main, measured

# What else runs on the machine is not the program's fault: the best of some windows and starts counts, and of a start only
# the time in which the program had a CPU or waited for something else than one.
IDLE_SECONDS = 2
WINDOWS = 3
MAX_IDLE_SHARE = 0.05
MAX_START_SECONDS = 2.0
STARTS = 3
probe = None


class ProcessTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay])

    def ask(self, process, *arguments):
        return subprocess.run([probe, process.address, *arguments], capture_output=True, text=True, timeout=15, check=True).stdout.split()

    def test_reflection_lists_services_and_methods_of_the_relay(self):
        methods = self.ask(self.relay, "services")
        for method in ("sluice.relay.v1.SessionService/CreateSession", "sluice.relay.v1.SessionService/WatchEvents",
                       "sluice.relay.v1.RelayService/WatchStats"):
            self.assertIn(method, methods)

    def test_reflection_lists_services_and_methods_of_the_controller(self):
        methods = self.ask(self.controller, "services")
        for method in ("sluice.controller.v1.ControllerService/ListCalls", "sluice.controller.v1.ControllerService/HangUpCall"):
            self.assertIn(method, methods)

    def test_health_is_serving_and_admission_is_not_while_the_relay_drains(self):
        admission = "sluice.relay.v1.Admission"
        for process, service in ((self.relay, ""), (self.relay, admission), (self.controller, "")):
            self.assertEqual(self.ask(process, "health", service), ["SERVING"])
        self.relay.ctl.run("drain")
        try:
            self.assertEqual(self.ask(self.relay, "health", admission), ["NOT_SERVING"])
            self.assertEqual(self.ask(self.relay, "health", ""), ["SERVING"])
            self.controller.wait_for_relay(self.relay.name, "DRAINING")
        finally:
            self.relay.ctl.run("undrain")
        self.controller.wait_for_relay(self.relay.name)
        self.assertEqual(self.ask(self.relay, "health", admission), ["SERVING"])

    def test_worker_threads_are_on_their_cpu_only_and_the_others_are_elsewhere(self):
        if worker_cpu() == control_cpu():
            self.skipTest("this machine has one CPU")
        threads = proc_reader.threads(self.relay.process.pid)
        on_worker_cpu = [name for name, cpus in threads if worker_cpu() in cpus]
        self.assertEqual([cpus for name, cpus in threads if name in on_worker_cpu], [{worker_cpu()}], f"threads: {threads}")
        for name, cpus in threads:
            if name not in on_worker_cpu:
                self.assertEqual(cpus, {control_cpu()}, f"thread {name}")
        measured(f"{len(threads)} threads: {on_worker_cpu[0]} on CPU {worker_cpu()}, all others on CPU {control_cpu()}")

    def test_the_relay_holds_no_udp_socket_in_the_media_range(self):
        held = proc_reader.udp_ports(self.relay.process.pid) & set(self.relay.ports)
        self.assertEqual(held, set())
        # The reader itself sees sockets where there are some.
        self.assertIn(7080, proc_reader.udp_ports(self.controller.process.pid))

    def test_idle_processes_use_little_of_a_core(self):
        for process in (self.relay.process, self.controller.process):
            shares = [proc_reader.cpu_share(process.pid, IDLE_SECONDS) for _ in range(WINDOWS)]
            measured(f"{process.name} idle: {', '.join(f'{share:.1%}' for share in shares)} of a core")
            self.assertLessEqual(min(shares), MAX_IDLE_SHARE, process.name)

    def test_both_serve_within_two_seconds_and_stop_cleanly(self):
        for process in (self.relay, self.controller):
            seconds = []
            for _ in range(STARTS):
                self.assertEqual(process.stop(), 0, process.process.tail())
                process.start()
                seconds.append(process.seconds_to_serve - proc_reader.waited_seconds(process.process.pid))
            measured(f"{process.process.name} serves {', '.join(f'{s:.2f}' for s in seconds)} s after its start, without waiting for a CPU")
            self.assertLessEqual(min(seconds), MAX_START_SECONDS)
        self.controller.wait_for_relay(self.relay.name)

    def test_a_clean_stop_leaves_no_xdp_program_and_no_socket(self):
        self.assertEqual(self.relay.stop(), 0, self.relay.process.tail())
        try:
            self.assertNotIn("xdp", self.network.switch.run("ip", "link", "show"))
            self.assertFalse(os.path.exists(self.relay.address.removeprefix("unix:")))
        finally:
            self.relay.start()
            self.controller.wait_for_relay(self.relay.name)


if __name__ == "__main__":
    flags = argparse.ArgumentParser(add_help=False)
    flags.add_argument("--probe", required=True)
    probe = os.path.abspath(flags.parse_known_args()[0].probe)
    main(__doc__, more_flags=[flags])
