"""Wrong configs and machines that lack something: one line that says what is wrong and what to do, and the exit status."""

import fcntl
import os
import re

from harness import call_network as net
from harness.controller import REALM, Controller
from harness.process import Process
from harness.relay import Relay, edited
from harness.system_test import SystemTest, main, measured
from phone.established_call import EstablishedCall
from phone.sip_phone import SipPhone

CONFIG_WRONG, MACHINE_LACKS = 2, 1
# One more listener, and a trunk that goes by its kind.
_TLS = f'    - {{transport: tls, address: "{net.SWITCH_A}:5061", certificate_file: /nowhere.pem, private_key_file: /nowhere.key}}\n'
_PEER = f'peers: [{{transport: tls, address: "{net.PHONE_C}:5061"}}]'


class WrongSetupTest(SystemTest):
    def refusal(self, thing, status):
        """Starts `thing`, which has to end with `status` and one line; answers the line."""
        with open(self.log_of(thing), "w", encoding="utf-8"):
            pass  # Logs are appended to; each case wants its own.
        thing.launch()
        self.assertEqual(thing.process.wait(15), status, thing.process.tail())
        lines = [line for line in thing.process.log().splitlines() if line.strip()]
        measured(lines[-1] if lines else "(nothing)")
        self.assertEqual(len(lines), 1, "one line and no more:\n" + thing.process.tail())
        return lines[0]

    def log_of(self, thing):
        return self.work_folder.file("controller.log" if isinstance(thing, Controller) else f"{thing.name}.log")

    def relay(self, pattern=None, replacement="", **options):
        relay = Relay(self.programs, self.work_folder, self.network.switch, **options)
        if pattern:
            relay.config = edited(relay.config, pattern, replacement)
        return relay

    def controller(self, pattern=None, replacement=""):
        controller = Controller(self.programs, self.work_folder, self.network.switch, [("relay-1", "unix:/nowhere/relay.sock")])
        if pattern:
            controller.config = edited(controller.config, pattern, replacement)
        return controller

    def test_a_wrong_relay_config_is_refused_with_file_line_key_and_what_is_allowed(self):
        path = re.escape(self.work_folder.file("relay-1.yaml"))
        for pattern, replacement, expected in (
                ("max_idle_sleep", "max_idle_slep", rf"{path}:6: datapath.max_idle_slep: .*did you mean max_idle_sleep"),
                ("af_xdp: {}", "af_xpd: {}", rf"{path}:\d+: interfaces\[0\].af_xpd: .*allowed"),
                ("first_port: 16384", "first_port: 99999", rf"{path}:\d+: networks\[0\].first_port: .*range"),
                ("50us", "fifty", rf"{path}:6: datapath.max_idle_sleep: .*allowed: a time")):
            self.assertRegex(self.refusal(self.relay(pattern, replacement), CONFIG_WRONG), expected)

    def test_a_store_that_somebody_else_has_is_refused(self):
        with open(self.work_folder.file("controller.db"), "a", encoding="utf-8") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            self.assertRegex(self.refusal(self.controller(), MACHINE_LACKS), r"store.sqlite_file .*controller.db belongs to a sluice-controller that runs: stop that one")

    def test_a_wrong_controller_config_is_refused_with_file_line_key_and_what_is_allowed(self):
        path = re.escape(self.work_folder.file("controller.yaml"))
        for pattern, replacement, expected in (
                (f"realm: {REALM}", f"relm: {REALM}", rf"{path}:4: sip.relm: .*did you mean realm"),
                ("transport: udp", "transport: pigeon", rf"{path}:8: sip.listeners\[0\].transport: .*allowed: udp, tcp"),
                ("store:", "admission: {timeout: 1s}\nstore:", rf"{path}:\d+: admission.address: '' is not an address; allowed: unix:"),
                ("store:", 'admission: {address: "198.18.0.7:7090", timeout: 1m}\nstore:', rf"{path}:\d+: admission.timeout: allowed: 50ms to 5s"),
                ("store:", 'admission: {address: "198.18.0.7:7090", on_failure: drop}\nstore:', rf"{path}:\d+: admission.on_failure: .*refuse, allow"),
                ("sqlite_file: .*", "sqlite_file: ''", rf"{path}:\d+: store.sqlite_file: is required"),
                ("relays:", f"{_TLS}trunks: [{{name: blue, {_PEER}, tls: {{certificate_file: /nowhere.pem, private_key_file: /nowhere.key}}}}]\nrelays:",
                 rf"{path}:11: trunks\[0\].tls: of trunk 'blue': certificate_file '/nowhere.pem': cannot be read: No such file"),
                ("relays:", f"{_TLS}trunks: [{{name: blue, {_PEER}, inbound_certificates: [carrier.example]}}]\nrelays:",
                 rf"{path}:11: trunks\[0\].inbound_certificates: no tls listener of sip.listeners asks for certificates; .*client_ca_file")):
            self.assertRegex(self.refusal(self.controller(pattern, replacement), CONFIG_WRONG), expected)

    def test_check_says_that_a_config_is_right_without_starting(self):
        for program, binary, config in (("sluice-relay", self.programs.relay, self.relay().config),
                                        ("sluice-controller", self.programs.controller, self.controller().config)):
            path = self.work_folder.write(f"{program}-check.yaml", config)
            with Process(program, [binary, "--config", path, "--check"], self.work_folder.file(f"{program}-check.log")) as process:
                self.assertEqual(process.wait(10), 0, process.tail())
                self.assertEqual(process.log(), f"{program}: {path} is right\n")

    def test_a_config_that_is_not_there_is_named(self):
        path = self.work_folder.file("nowhere.yaml")
        with Process("relay", [self.programs.relay, "--config", path], self.work_folder.file("nowhere.log")) as process:
            self.assertEqual(process.wait(10), CONFIG_WRONG, process.tail())
            self.assertIn(path, process.log())

    def test_a_missing_interface_is_named(self):
        relay = self.relay()
        relay.config = relay.config.replace(net.SWITCH_LINK_A, "eth77")
        self.assertIn("eth77", self.refusal(relay, MACHINE_LACKS))

    def test_missing_hugepages_are_counted_and_it_says_how_to_reserve_them(self):
        # More than any machine of these tests has free.
        relay = self.relay("memory_mib: 128", "memory_mib: 262144\n  hugepages: true")
        self.assertRegex(self.refusal(relay, MACHINE_LACKS), "(?i)hugepages?.*(nr_hugepages|reserve)")

    def test_a_port_range_that_another_relay_holds_is_refused(self):
        with self.relay(name="holder"):
            line = self.refusal(self.relay(name="second"), MACHINE_LACKS)
            self.assertRegex(line, "to-a")

    def test_a_sip_port_that_somebody_holds_is_named(self):
        with SipPhone(self.network.switch, net.SWITCH_A, net.SIP_PORT, user="x", server=("", 0), domain=""):
            self.assertRegex(self.refusal(self.controller(), MACHINE_LACKS), f"{net.SWITCH_A}:{net.SIP_PORT}")

    def test_a_grpc_socket_that_somebody_answers_on_is_named(self):
        with self.relay(name="holder") as holder:
            second = self.relay(name="second", device="af_packet", first_port=40000, last_port=41000)
            second.config = second.config.replace("second.sock", "holder.sock")
            self.assertIn(holder.address.removeprefix("unix:"), self.refusal(second, MACHINE_LACKS))


class KilledRelayTest(SystemTest):
    """kill -9 leaves nothing that hinders the next start."""

    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay])
        for name in ("alice", "carol"):
            cls.controller.add_account(name, f"{name}-secret")

    def test_a_killed_relay_starts_again_and_carries_calls(self):
        phones = [SipPhone(namespace, address, 5060, user=user, password=f"{user}-secret", server=(net.SWITCH_A, net.SIP_PORT),
                           domain=REALM)
                  for user, namespace, address in (("alice", self.network.phone_a, net.PHONE_A),
                                                   ("carol", self.network.phone_c, net.PHONE_C))]
        for phone in phones:
            self.addCleanup(phone.close)
        self.assertEqual(phones[1].register().status, 200)
        for attempt in range(3):
            self.relay.process.kill()
            self.relay.start()
            self.controller.wait_for_relay(self.relay.name)
            measured(f"start {attempt + 1} after kill -9 took {self.relay.seconds_to_serve:.2f} s")
            call = EstablishedCall(*phones, caller_port=21000 + 2 * attempt, callee_port=21000 + 2 * attempt)
            self.addCleanup(call.close)
            call.exchange(25)
            call.hang_up()
        left = [name for name in os.listdir("/dev/hugepages") if self.relay.name in name] if os.path.isdir("/dev/hugepages") else []
        self.assertEqual(left, [])


if __name__ == "__main__":
    main(__doc__)
