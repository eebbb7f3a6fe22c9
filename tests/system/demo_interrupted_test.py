"""The demo that is ended by Ctrl-C in the middle of its call says so in a line, and leaves no program running."""

import os
import signal
import sys

from harness.process import INTERRUPTED, Process
from harness.system_test import SystemTest, main

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "demo.py")


def children_of(parent):
    """Process ids by command line."""
    children = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                is_child = int(file.read().rpartition(")")[2].split()[1]) == parent
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                command = file.read()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended meanwhile.
        if is_child:
            children[command] = int(pid)
    return children


class DemoInterruptedTest(SystemTest):
    def test_ctrl_c_ends_the_demo_and_all_that_it_has_started(self):
        programs = self.programs
        process = Process("demo", [sys.executable, "-u", SCRIPT, "--relay", programs.relay, "--controller", programs.controller, "--ctl", programs.ctl],
                          self.work_folder.file("demo.log"))
        self.addCleanup(process.stop)

        def started():
            return [pid for command, pid in children_of(process.pid).items() if programs.relay in command or programs.controller in command]
        process.wait_until(lambda: len(started()) == 2, "it has started a relay and a controller", timeout=40)
        pids = started()
        os.kill(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(), INTERRUPTED, process.tail())
        self.assertEqual(process.log().split(), ["demo:", "interrupted;", "all", "that", "it", "had", "started", "is", "ended"])
        self.assertFalse(any(os.path.exists(f"/proc/{pid}") for pid in pids))


if __name__ == "__main__":
    main(__doc__)
