"""The benches of signalling, in small: they run, fill every row, and see no call fail. Goals are for ./dev bench."""

import contextlib
import json
import os
import sys
import unittest
import zipfile

from bench import calls, flood, programs, protos, register, torture
from bench.alone import Busy, alone
from harness.namespaces import Namespace
from harness.process import end_on_sigterm
from harness.programs import parser, programs_of
from harness.work_folder import WorkFolder


class BenchTest(unittest.TestCase):
    def rows(self, run, size):
        """Runs it once; answers the figures by name, of which none may be missing."""
        with WorkFolder() as folder:
            path = folder.file("rows.json")
            run(path, 1, size)
            with open(path, encoding="utf-8") as file:
                rows = {row["name"]: row["figures"] for row in json.load(file)["rows"]}
        self.assertTrue(all(len(figures) == 1 for figures in rows.values()), rows)
        return {name: figures[0] for name, figures in rows.items()}

    def test_calls_go_through_and_every_row_has_its_figure(self):
        rows = self.rows(calls.run, calls.Size(
            first_rate=10, growth=2, highest_rate=20, step_seconds=1, measured_seconds=1, standing_calls=50, standing_rate=25, shards=(2,),
            with_kamailio=False, wait_for_transactions=False))
        self.assertGreaterEqual(rows["calls-rate"], 10)
        for name in ("calls-cpu", "calls-invite-to-100-p50", "calls-added-to-180-p99", "calls-memory-transaction"):
            self.assertGreater(rows[name], 0, name)

    def test_registrations_go_through(self):
        rows = self.rows(register.run, register.Size(accounts=3, first_rate=20, growth=2, highest_rate=20, step_seconds=1))
        self.assertEqual(rows["register-rate"], 20)
        self.assertGreater(rows["register-cpu"], 0)

    def test_calls_go_through_beside_a_flood_of_strangers_invites(self):
        rows = self.rows(flood.run, flood.Size(first_rate=20, growth=2, highest_rate=20, step_seconds=1, flood_seconds=6, good_rate=10))
        self.assertGreaterEqual(rows["flood-good-calls"], 99)

    def test_cases_in_the_form_of_protos_are_filled_in_and_endured(self):
        messages = [b"INVITE sip:<To> SIP/2.0\r\nCall-ID: <Call-ID>@<From-Address>\r\nContent-Length: <Content-Length>\r\n\r\nv=0\r\n", b"CANCEL <<<\r\n\r\n"]
        with WorkFolder() as folder:
            jar = folder.file("cases.jar")
            with zipfile.ZipFile(jar, "w") as archive:
                for number in range(5):
                    archive.writestr(f"testcases/{number:07d}", b"".join(b"%d %s" % (len(message), message) for message in messages))
            self.assertEqual(protos.read(jar), [messages] * 5)
            rows = self.rows(lambda path, rounds, size: torture.run(path, rounds, jar, size), torture.Size(batch=2))
        self.assertEqual(rows["torture-endured"], 5)
        self.assertEqual(protos.fill(messages[0], {"To": b"b", "Call-ID": b"1", "From-Address": b"a"}),
                         b"INVITE sip:b SIP/2.0\r\nCall-ID: 1@a\r\nContent-Length: 5\r\n\r\nv=0\r\n")

    def test_a_second_bench_is_refused_and_told_which_one_runs(self):
        # In a namespace, since there may be a bench outside.
        with contextlib.closing(Namespace("bench")) as namespace, namespace.entered():
            for _ in range(2):
                with alone(), self.assertRaisesRegex(Busy, rf"^another bench runs \(process {os.getpid()}\)"), alone():
                    pass


if __name__ == "__main__":
    flags, rest = parser(__doc__).parse_known_args()
    chosen = programs_of(flags)
    programs.RELAY, programs.CONTROLLER, programs.CTL = chosen.relay, chosen.controller, chosen.ctl
    end_on_sigterm()
    unittest.main(verbosity=2, argv=[sys.argv[0], *rest])
