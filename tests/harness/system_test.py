"""What the test cases of the system tests have in common."""

import contextlib
import glob
import os
import sys
import time
import unittest

from harness import call_network as net
from harness.call_network import CallNetwork
from harness.controller import REALM, Controller
from harness.process import end_on_sigterm
from harness.programs import parser, programs_of
from harness.relay import Relay
from harness.work_folder import WorkFolder
from phone.sip_phone import SipPhone

_LOG_LINES = 30


class SystemTest(unittest.TestCase):
    """A class of tests that shares one network and one folder; the end of every log is shown when a test fails."""

    programs = None

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        try:
            cls.work_folder = cls.stack.enter_context(WorkFolder())
            cls.network = cls.stack.enter_context(CallNetwork())
            cls.start_programs()
        except BaseException:
            cls._show_logs()
            cls.stack.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    @classmethod
    def start_programs(cls):
        """Starts what all tests of the class use. Here: nothing."""

    @classmethod
    def start_relay(cls, **options):
        """A relay in the switch, until the end of the class."""
        return cls.stack.enter_context(Relay(cls.programs, cls.work_folder, cls.network.switch, **options))

    @classmethod
    def start_controller(cls, relays, **options):
        """A controller in the switch with these relays, until the end of the class; it sees them healthy."""
        controller = cls.stack.enter_context(Controller(
            cls.programs, cls.work_folder, cls.network.switch, [(relay.name, relay.address) for relay in relays],
            **options))
        for relay in relays:
            controller.wait_for_relay(relay.name)
        return controller

    def registered_phone(self, user, namespace, address, port=5060, **options):
        """A phone of ours until the end of the test, registered till then with the password that accounts of tests have."""
        server = net.SWITCH_A6 if ":" in address else net.SWITCH_A
        phone = SipPhone(namespace, address, port, user=user, password=f"{user}-secret", server=(server, net.SIP_PORT), domain=REALM, **options)
        self.addCleanup(phone.close)
        self.assertEqual(phone.register().status, 200, f"REGISTER of {user}")
        self.addCleanup(phone.register, expires=0)
        return phone

    def expect_nothing_left(self, controller, *relays):
        """Within 5 s there is no call at the controller and no session at the relays."""
        deadline = time.monotonic() + 5
        while left := controller.ctl.json("calls").get("calls", []) + [session for relay in relays for session in relay.sessions()]:
            self.assertLess(time.monotonic(), deadline, f"5 s after the end there is still {left}")
            time.sleep(0.05)

    def run(self, result=None):
        before = _bad(result)
        super().run(result)
        if _bad(result) > before:
            self._show_logs()

    @classmethod
    def _show_logs(cls):
        for path in sorted(glob.glob(cls.work_folder.file("*.log")) if hasattr(cls, "work_folder") else []):
            with open(path, encoding="utf-8", errors="replace") as log:
                for line in log.read().splitlines()[-_LOG_LINES:]:
                    print(f"  {os.path.basename(path)} | {line}", file=sys.stderr)


def measured(text):
    """Prints a figure, so that the log of a test tells what it saw."""
    print(f"\n  measured: {text}", flush=True)


def main(description, more_flags=()):
    """Runs the test cases of the calling script with the programs that its flags name. `more_flags`: parsers of its own."""
    flags, rest = parser(description, more_flags).parse_known_args()
    SystemTest.programs = programs_of(flags)
    end_on_sigterm()
    unittest.main(verbosity=2, argv=[sys.argv[0], *rest])


def _bad(result):
    return len(result.failures) + len(result.errors) if result else 0
