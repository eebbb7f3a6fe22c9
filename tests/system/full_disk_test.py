"""The disk of call records is full: calls go on, the log says so once, and when there is room again every call has its record, once."""

import contextlib
import sqlite3

from harness import call_network as net
from harness.metrics import metric
from harness.proto_json import get
from harness.sluicectl import SluicectlError
from harness.small_disk import SmallDisk
from harness.system_test import SystemTest, main
from phone.established_call import EstablishedCall

DISK_BYTES = 2 << 20
METRICS = f"{net.SWITCH_A}:9080"
CALLS = 20  # Their records are more than what an SQLite file has room for in its last page.


class FullDiskTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.disk = cls.stack.enter_context(SmallDisk(cls.work_folder.file("disk"), DISK_BYTES))
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller([cls.relay], database=cls.disk.file("controller.db"), more_store="  keep_records: 3600s\n",
                                              more_config=f'metrics_listen: "{METRICS}"\n')
        for name in ("alice", "bob"):
            cls.controller.add_account(name, f"{name}-secret")

    def call(self, count):
        for _ in range(count):
            call = EstablishedCall(self.alice, self.bob)
            call.exchange(5)
            call.hang_up()

    def records(self):
        """The call ids in the file, as often as they are there."""
        with contextlib.closing(sqlite3.connect(f"file:{self.disk.file('controller.db')}?mode=ro", uri=True)) as store:
            return [call_id for call_id, in store.execute("SELECT call_id FROM call_records")]

    def log_lines(self, text):
        return [line for line in self.controller.process.log().splitlines() if text in line]

    def failed_writes(self):
        return metric(self.network.switch, METRICS, "sluice_store_failed_writes_total")

    def wait_for(self, ready, what):
        self.controller.process.wait_until(ready, what)

    def test_calls_go_on_and_their_records_come_when_there_is_room(self):
        self.alice = self.registered_phone("alice", self.network.phone_a, net.PHONE_A)
        self.bob = self.registered_phone("bob", self.network.phone_c, net.PHONE_C)
        self.call(1)
        self.wait_for(lambda: len(self.records()) == 1, "the first record was written")
        self.disk.fill()
        self.call(CALLS)
        self.wait_for(lambda: self.log_lines("the disk is full"), "it said that the disk is full")
        failed = self.failed_writes()
        self.wait_for(lambda: self.failed_writes() >= failed + 2, "it tried twice more")
        self.call(1)
        self.assertEqual(len(self.log_lines("cannot write, calls go on, trying again")), 1)
        written = self.records()
        self.assertLess(len(written), CALLS)
        listed = self.controller.ctl.json("cdrs")["records"]
        self.assertCountEqual([get(record, "call", "callId") for record in listed], written)
        with self.assertRaisesRegex(SluicectlError, "the disk is full"):
            self.controller.add_account("carol", "carol-secret")

        self.disk.make_room()
        self.wait_for(lambda: len(self.records()) >= CALLS + 2, "all records were written")
        self.assertEqual(len(self.records()), len(set(self.records())), "a record is there twice")
        self.assertEqual(len(self.records()), CALLS + 2)
        self.assertEqual(len(self.log_lines("writing works again")), 1)

    def test_a_start_without_any_room_says_why(self):
        self.controller.stop()
        self.disk.fill()
        self.controller.launch()
        self.assertEqual(self.controller.process.wait(), 1)
        self.assertRegex(self.controller.process.log().splitlines()[-1], "store file '.*': the disk is full$")
        self.disk.make_room()
        self.controller.start()


if __name__ == "__main__":
    main(__doc__)
