"""What the demo shows, character by character."""

import unittest

from call_view import arrow, clipped, duration, ladder, padded, percentile, table, width


class CallViewTest(unittest.TestCase):
    def test_counts_chinese_characters_as_two_columns(self):
        self.assertEqual(width("测试APP2"), 8)
        self.assertEqual(padded("测试", 6) + "|", "测试  |")
        self.assertEqual(padded("测试", 6, ">"), "  测试")

    def test_cuts_what_is_too_long_and_says_so(self):
        self.assertEqual(clipped("INVITE", 6), "INVITE")
        self.assertEqual(clipped("测试测试", 6), "测试…")

    def test_draws_arrows_of_one_length_in_both_directions(self):
        for rightwards in (True, False):
            for text in ("ACK", "200 OK 测试", "x" * 200):
                self.assertEqual(width(arrow(text, rightwards)), 46)
        self.assertTrue(arrow("ACK", True).startswith(" ACK ─"))
        self.assertTrue(arrow("ACK", True).endswith("─►"))
        self.assertTrue(arrow("ACK", False).startswith("◄─"))

    def test_puts_each_message_between_the_lifelines_of_its_side(self):
        lines = ladder([(0, True, True, "INVITE"), (0.0042, False, False, "180 Ringing")], "A", "controller", "B").split("\n")
        self.assertEqual(len({width(line) for line in lines[1:]}), 1)
        self.assertEqual(lines[2].split("│")[2].strip(), "")
        self.assertEqual(lines[3].split("│")[1].strip(), "")
        self.assertIn("180 Ringing", lines[3].split("│")[2])
        self.assertTrue(lines[3].startswith("  0.004  │"))

    def test_aligns_the_columns_of_a_table(self):
        self.assertEqual(table(["stream", "sent"], [["测试", "7"], ["a", "100"]], "<>"),
                         "stream  sent\n──────  ────\n测试       7\na        100")

    def test_writes_times_in_the_unit_that_people_read(self):
        self.assertEqual([duration(s) for s in (0, 850e-9, 3.4e-6, 120e-6, 1.25e-3, 2)],
                         ["0 ns", "850 ns", "3.4 µs", "120 µs", "1.2 ms", "2.00 s"])

    def test_takes_percentiles_of_few_and_of_no_values(self):
        self.assertEqual(percentile([3, 1, 2], 0.5), 2)
        self.assertEqual(percentile([3, 1, 2], 0.99), 3)
        self.assertEqual(percentile([], 0.5), 0)


if __name__ == "__main__":
    unittest.main()
