"""The harness itself: nothing is left of a test however it ends, and the readers of /proc see what is there."""

import os
import signal
import socket
import subprocess
import sys
import time
import unittest

from harness import proc_reader
from harness.namespaces import Namespace, connect
from harness.process import Process, ProcessError
from harness.work_folder import WorkFolder

# A test that has a folder, two namespaces with a link and a program in one of them, and then waits for its end.
_VICTIM = """
import time
from harness.namespaces import Namespace, connect
from harness.process import Process, end_on_sigterm
from harness.work_folder import WorkFolder
end_on_sigterm()
with WorkFolder() as folder:
    first, second = Namespace("first"), Namespace("second")
    connect(first, "one", second, "two")
    with Process("sleeper", ["sleep", "1000"], folder.file("sleeper.log"), first) as sleeper:
        print(folder.path, sleeper.pid, flush=True)
        # Short sleeps: a signal that comes just before a sleep begins is handled when it ends.
        while True:
            time.sleep(0.05)
"""


class NothingIsLeftTest(unittest.TestCase):
    def end_by(self, number):
        """Ends a test by that signal; answers the folder that it had, once its program is gone."""
        environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.abspath(__file__))}
        with subprocess.Popen([sys.executable, "-c", _VICTIM], stdout=subprocess.PIPE, text=True, env=environment) as victim:
            folder, sleeper = victim.stdout.readline().split()
            namespace = os.stat(f"/proc/{sleeper}/ns/net").st_ino
            self.assertNotEqual(namespace, os.stat("/proc/self/ns/net").st_ino)
            victim.send_signal(number)
        deadline = time.monotonic() + 5
        while proc_reader.is_alive(sleeper):
            self.assertLess(time.monotonic(), deadline, "the program outlived its test")
            time.sleep(0.01)
        return folder

    def test_a_test_that_is_told_to_stop_removes_all(self):
        self.assertFalse(os.path.exists(self.end_by(signal.SIGTERM)))

    def test_what_a_killed_test_leaves_is_removed_by_the_next(self):
        folder = self.end_by(signal.SIGKILL)
        self.assertTrue(os.path.isdir(folder))
        with WorkFolder():
            self.assertFalse(os.path.exists(folder))

    def test_the_folder_of_a_test_that_runs_is_left_alone(self):
        with WorkFolder() as ours, WorkFolder():
            self.assertTrue(os.path.isdir(ours.path))


class ProcessTest(unittest.TestCase):
    def setUp(self):
        self.folder = WorkFolder()
        self.addCleanup(self.folder.__exit__)

    def start(self, *argv):
        process = Process("it", argv, self.folder.file("it.log"))
        self.addCleanup(process.stop)
        return process

    def test_a_program_that_ends_too_early_is_told_with_its_status_and_log(self):
        process = self.start("sh", "-c", "echo no hugepages; exit 3")
        with self.assertRaisesRegex(ProcessError, "it ended with status 3 before it served\n  it | no hugepages"):
            process.wait_until(lambda: False, "it served")

    def test_a_program_that_ignores_sigterm_is_killed(self):
        process = self.start("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
        process.wait_until(lambda: "ready" in process.log(), "it was ready")
        self.assertEqual(process.stop(timeout=0.3), -signal.SIGKILL)


class ProcReaderTest(unittest.TestCase):
    def test_sees_the_udp_sockets_of_a_process_and_of_no_other(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours, subprocess.Popen(["sleep", "1000"]) as other:
            ours.bind(("127.0.0.1", 0))
            self.assertIn(ours.getsockname()[1], proc_reader.udp_ports(os.getpid()))
            self.assertEqual(proc_reader.udp_ports(other.pid), set())
            other.kill()

    def test_sees_the_cpus_of_a_thread(self):
        one = min(os.sched_getaffinity(0))
        with subprocess.Popen(["taskset", "-c", str(one), "sleep", "1000"]) as other:
            deadline = time.monotonic() + 5
            while proc_reader.threads(other.pid) != [("sleep", {one})]:
                self.assertLess(time.monotonic(), deadline, proc_reader.threads(other.pid))
                time.sleep(0.01)
            other.kill()

    def test_sees_a_busy_process_as_busy_and_a_sleeping_one_as_idle(self):
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy, subprocess.Popen(["sleep", "1000"]) as idle:
            self.assertGreater(proc_reader.cpu_share(busy.pid, 1), 0.05)
            self.assertLess(proc_reader.cpu_share(idle.pid, 0.2), 0.05)
            busy.kill()
            idle.kill()


class NamespaceTest(unittest.TestCase):
    def test_a_thread_is_inside_only_during_the_block(self):
        namespace, peer = Namespace("one"), Namespace("two")
        self.addCleanup(namespace.close)
        self.addCleanup(peer.close)
        connect(namespace, "here", peer, "there")
        home = os.stat("/proc/thread-self/ns/net").st_ino
        with self.assertRaises(ZeroDivisionError), namespace.entered():
            self.assertIn("here", [name for _, name in socket.if_nameindex()])
            raise ZeroDivisionError
        self.assertEqual(os.stat("/proc/thread-self/ns/net").st_ino, home)
        self.assertNotIn("here", [name for _, name in socket.if_nameindex()])


if __name__ == "__main__":
    unittest.main(verbosity=2)
