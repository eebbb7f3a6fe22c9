"""Call records in PostgreSQL, also those of calls while it was away; and what a collector of HEPv3 sees of calls: sngrep shows their messages."""

import contextlib
import json
import sqlite3
import subprocess
import time

from harness import call_network as net
from harness.controller import REALM
from harness.postgres import Postgres
from harness.process import Process
from harness.proto_json import get, number
from harness.sipp import Capture, Sipp, Sound
from harness.system_test import SystemTest, main
from phone import sdp
from phone.sip_phone import SipPhone

HEP_PORT = 9060
SIPP_PORT = 5060
PACKETS = 100  # Each way of each call: 2 s.

# What a column of PostgreSQL is in SQLite, as text.
_AS_IN_SQLITE = {"timestamp with time zone": "(extract(epoch FROM {}) * 1000000)::bigint", "boolean": "{}::integer",
                 "double precision": "{}::numeric(20, 3)"}


class ExportTest(SystemTest):
    @classmethod
    def start_programs(cls):
        cls.postgres = cls.stack.enter_context(Postgres(cls.work_folder))
        cls.relay = cls.start_relay()
        cls.controller = cls.start_controller(
            [cls.relay], digests=("MD5",), more_store=f'  postgresql: {{connection: "{cls.postgres.connection}"}}\n',
            more_config=f'hep: {{collector: "{net.PHONE_C}:{HEP_PORT}"}}\n')
        for name in ("caller", "callee"):
            cls.controller.add_account(name, f"{name}-secret")
        with cls.phone("callee", cls.network.phone_c, net.PHONE_C) as phone:
            assert phone.register().status == 200

    @classmethod
    def phone(cls, user, namespace, address):
        return SipPhone(namespace, address, SIPP_PORT, user=user, password=f"{user}-secret", server=(net.SWITCH_A, net.SIP_PORT), domain=REALM)

    def call(self, calls):
        """Calls with sound from SIPp to SIPp, of which the callee hears all."""
        sound = Sound(PACKETS, 0xA)
        with Sipp("callee", sound, self.work_folder, self.network.phone_c, net.PHONE_C, "-m", str(calls)) as callee, Sipp(
                "caller", sound, self.work_folder, self.network.phone_a, net.PHONE_A, "-m", str(calls), "-r", "10", "-d", "2500", "-s", "callee",
                "-auth_uri", f"callee@{net.SWITCH_A}:{net.SIP_PORT}", f"{net.SWITCH_A}:{net.SIP_PORT}") as caller:
            self.assertEqual(caller.wait(20), 0, caller.errors())
            self.assertEqual(callee.wait(5), 0, callee.errors())

    def store(self):
        """The SQLite file, to be read."""
        return contextlib.closing(sqlite3.connect(f"file:{self.work_folder.file('controller.db')}?mode=ro", uri=True))

    def wait_for_rows(self, sql, count, timeout=15):
        deadline = time.monotonic() + timeout
        # The controller makes the tables when it has the first record.
        while not self.postgres.query("SELECT 1 FROM pg_tables WHERE tablename = 'call_record_legs'") or len(rows := self.postgres.query(sql)) < count:
            self.assertLess(time.monotonic(), deadline, f"fewer than {count} rows of {sql}")
            time.sleep(0.1)
        return rows

    def test_a_record_in_postgresql_says_what_that_of_the_controller_says(self):
        self.call(1)
        record = self.controller.ctl.json("cdrs", "--limit", "1", "--account", "caller")["records"][0]
        call_id = get(record, "call", "callId")
        where = f"WHERE call_id = '{call_id}'"
        [row] = self.wait_for_rows(
            f"SELECT caller_account, callee_number, relay, sip_status, q850_cause, ended_by, media_unknown, end_time > answer_time FROM call_records {where}", 1)
        self.assertEqual(row, ["caller", "callee", "relay-1", "200", "16", "caller", "f", "t"])
        legs = self.postgres.query(f"SELECT leg, side, account, sip_status, ended_by, answer_time > start_time FROM call_record_legs {where} ORDER BY leg")
        self.assertEqual(legs, [["1", "caller", "caller", "200", "caller", "t"], ["2", "callee", "callee", "200", "caller", "t"]])
        streams = self.postgres.query(f"SELECT sent_by, media, codec, packets, forwarded, lost, mos > 4 FROM call_record_streams {where} ORDER BY sent_by")
        self.assertEqual(streams, [[side, "audio", "PCMA", str(PACKETS), str(PACKETS), "0", "t"] for side in ("callee", "caller")])
        self.assertEqual(number(record, "call", "endCause", "sipStatus"), 200)

    def test_postgresql_has_every_column_of_the_sqlite_file(self):
        before = len(self.postgres.query("SELECT 1 FROM pg_tables WHERE tablename = 'call_records'") and self.postgres.query("SELECT 1 FROM call_records"))
        self.call(2)
        self.wait_for_rows("SELECT 1 FROM call_records", before + 2)
        with self.store() as store:
            store.text_factory = lambda text: text.decode(errors="replace")
            for table, source, key in (("call_records", "call_records", "call_id"),
                                       ("call_record_streams", "call_record_streams JOIN call_records ON record = id", "call_id, stream_id, sent_by"),
                                       # A call has some columns of the same name.
                                       ("call_record_legs", "call_record_legs AS legs JOIN (SELECT id, call_id FROM call_records) ON record = id", "call_id, leg")):
                columns = self.postgres.query(f"SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position")
                copies = self.postgres.query(f"SELECT {', '.join(_AS_IN_SQLITE.get(kind, '{}').format(name) for name, kind in columns)} FROM {table} ORDER BY {key}")
                names = ", ".join(name for name, _ in columns)
                rows = store.execute(f"SELECT {names} FROM {source} ORDER BY {key}").fetchall()
                originals = [["" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value) for value in row] for row in rows]
                copied = {tuple(row[:1]) for row in copies}
                # The record that PostgreSQL cannot hold is in the file only.
                self.assertEqual(copies, [row for row in originals if tuple(row[:1]) in copied])
                self.assertGreaterEqual(len(copies), 2)

    def test_records_of_calls_while_postgresql_is_away_arrive_when_it_is_back(self):
        self.call(1)
        before = len(self.wait_for_rows("SELECT call_id FROM call_records", 1))
        self.postgres.stop()
        try:
            self.call(3)
        finally:
            self.postgres.start()
        self.wait_for_rows("SELECT call_id FROM call_records", before + 3)

    def test_a_record_that_postgresql_cannot_hold_keeps_no_other_one_back(self):
        with self.phone("caller", self.network.phone_a, net.PHONE_A) as phone:
            for name in ("\udcff", "good"):
                invite = phone.request("INVITE", f"sip:nobody-{'bad' if name != 'good' else name}@{REALM}", headers=[("Content-Type", "application/sdp")],
                                       body=sdp.audio(net.PHONE_A, 21000))
                invite.set("From", f'"{name}" {invite.get("From")}')
                phone.send(invite)
                challenge = phone.expect(407)
                phone.acknowledge_failure(invite, challenge)
                again = phone.authorize(invite, challenge)
                phone.send(again)
                phone.acknowledge_failure(again, phone.expect(404))
        self.wait_for_rows("SELECT call_id FROM call_records WHERE callee_number = 'nobody-good'", 1)
        self.assertEqual(self.postgres.query("SELECT call_id FROM call_records WHERE callee_number = 'nobody-bad'"), [])
        self.assertEqual(self.controller.process.log().count("stays in the store only"), 1)
        # It does not count as copied, so it stays whatever its age.
        with self.store() as store:
            self.assertEqual(store.execute("SELECT callee_number FROM call_records WHERE copy_error IS NOT NULL").fetchall(), [("nobody-bad",)])
        numbers = [get(record, "call", "callee", "number") for record in self.controller.ctl.json("cdrs", "--account", "caller")["records"]]
        self.assertIn("nobody-bad", numbers)

    def test_sngrep_shows_the_messages_of_both_legs_and_the_quality_follows(self):
        shown = self.work_folder.file("sngrep.pcap")
        with Capture(self.work_folder, self.network.phone_c, "eth0", f"udp port {HEP_PORT}") as capture, Process(
                "sngrep", ["sngrep", "-F", "-N", "-q", "-L", f"udp:{net.PHONE_C}:{HEP_PORT}", "-O", shown], self.work_folder.file("sngrep.log"),
                self.network.phone_c) as sngrep:
            sngrep.wait_until(lambda: f":{HEP_PORT:04X} " in open(f"/proc/{sngrep.pid}/net/udp", encoding="ascii").read(), "it listened")
            self.call(1)
            deadline = time.monotonic() + 5
            while not (reports := [datagram.payload for datagram in capture.datagrams() if b'"mos"' in datagram.payload]):
                self.assertLess(time.monotonic(), deadline, "no report of quality came")
                time.sleep(0.1)
        self.assertEqual(len(reports), 2)
        for report in reports:
            said = json.loads(report[report.index(b"{"):report.rindex(b"}") + 1])
            self.assertEqual(said["sender_information"]["packets"], PACKETS)
            self.assertEqual(said["report_blocks"][0]["packets_lost"], 0)
            self.assertGreater(said["mos"], 4)
        seen = subprocess.run(["tshark", "-r", shown, "-Y", "sip", "-T", "fields", "-e", "ip.src", "-e", "ip.dst", "-e", "sip.CSeq.method", "-e", "sip.Status-Code"],
                              capture_output=True, text=True, timeout=20, check=True).stdout
        messages = [tuple(line.split("\t")) for line in seen.splitlines()]
        for message in ((net.PHONE_A, net.SWITCH_A, "INVITE", ""), (net.SWITCH_A, net.PHONE_A, "INVITE", "407"), (net.SWITCH_A, net.PHONE_A, "INVITE", "200"),
                        (net.PHONE_C, net.SWITCH_A, "INVITE", "180"), (net.SWITCH_A, net.PHONE_C, "BYE", ""), (net.PHONE_C, net.SWITCH_A, "BYE", "200")):
            self.assertIn(message, messages)


if __name__ == "__main__":
    main(__doc__)
