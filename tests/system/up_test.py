"""./dev up in a host of its own, whose default route goes over a veth: a phone registers with what it prints, and Ctrl-C leaves the interface as it was."""

import contextlib
import os
import re
import signal
import sys

from harness.namespaces import Namespace, address_command, connect, default_route_command
from harness.process import Process
from harness.system_test import SystemTest, main
from phone.sip_phone import SipPhone

HOST, PHONE = "198.18.1.1", "198.18.1.2"
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "up.py")


class UpTest(SystemTest):
    def setUp(self):
        self.host, self.lan = (self.namespace(name) for name in ("host", "lan"))
        connect(self.host, "eth0", self.lan, "eth0")
        self.host.ip(address_command("eth0", HOST, 24), default_route_command("198.18.1.254"))
        self.lan.ip(address_command("eth0", PHONE, 24))

    def namespace(self, name):
        namespace = Namespace(name)
        self.addCleanup(namespace.close)
        return namespace

    def up(self, *arguments):
        programs = self.programs
        process = Process("up", [sys.executable, "-u", SCRIPT, "--relay", programs.relay, "--controller", programs.controller, "--ctl", programs.ctl, *arguments],
                          self.work_folder.file("up.log"), self.host)
        self.addCleanup(process.stop)
        return process

    def has_xdp_program(self):
        return "xdp" in self.host.run("ip", "link", "show", "dev", "eth0")

    def test_phones_register_with_the_printed_accounts_and_ctrl_c_leaves_nothing(self):
        process = self.up()
        process.wait_until(lambda: "Ctrl-C ends it" in process.log(), "it said that it is up", timeout=40)
        self.assertIn("af_xdp on eth0", process.log())
        self.assertTrue(self.has_xdp_program())
        accounts = re.findall(r"account (\S+)\s+password (\S+)", process.log())
        self.assertEqual([name for name, _ in accounts], ["1001", "1002"])
        for port, (name, password) in enumerate(accounts, 6000):
            with contextlib.closing(SipPhone(self.lan, PHONE, port, user=name, password=password, server=(HOST, 5060), domain=HOST)) as phone:
                self.assertEqual(phone.register().status, 200)
        os.kill(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(), 0, process.tail())
        self.assertFalse(self.has_xdp_program())

    def test_an_interface_that_is_not_there_is_named(self):
        process = self.up("--interface", "nope")
        self.assertEqual(process.wait(), 1)
        self.assertIn("there is no interface nope", process.log())


if __name__ == "__main__":
    main(__doc__)
