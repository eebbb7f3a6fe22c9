"""The benches of signalling, in small: they run, fill every row, and see no call fail. Goals are for ./dev bench."""

import json
import sys
import unittest

from bench import calls, flood, programs, register
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
            first_rate=10, growth=2, highest_rate=20, step_seconds=1, measured_seconds=1, standing_calls=50, standing_rate=25, warm_up_calls=10, shards=(2,),
            with_kamailio=False, wait_for_transactions=False))
        self.assertGreaterEqual(rows["calls-rate"], 10)
        for name in ("calls-cpu", "calls-invite-to-100-p50", "calls-added-to-180-p99", "calls-memory-standing"):
            self.assertGreater(rows[name], 0, name)

    def test_registrations_go_through(self):
        rows = self.rows(register.run, register.Size(accounts=3, first_rate=20, growth=2, highest_rate=20, step_seconds=1))
        self.assertEqual(rows["register-rate"], 20)
        self.assertGreater(rows["register-cpu"], 0)

    def test_calls_go_through_beside_a_flood_of_strangers_invites(self):
        rows = self.rows(flood.run, flood.Size(first_rate=20, growth=2, highest_rate=20, step_seconds=1, flood_seconds=6, good_rate=10))
        self.assertGreaterEqual(rows["flood-good-calls"], 99)


if __name__ == "__main__":
    flags, rest = parser(__doc__).parse_known_args()
    chosen = programs_of(flags)
    programs.RELAY, programs.CONTROLLER, programs.CTL = chosen.relay, chosen.controller, chosen.ctl
    end_on_sigterm()
    unittest.main(verbosity=2, argv=[sys.argv[0], *rest])
