"""A bench row: one figure beside what it is measured against, printed for people and kept as JSON.

Each row ends as one line: NAME[parameters] figure unit | against figure unit | ratio | goal | met (or missed).
"""

import json
import os
import platform
import statistics


class Row:
    """`relative`: the goal is for the ratio to what it is measured against, where there is something; else for the figure itself."""

    def __init__(self, name, parameters, unit, goal, higher_is_better=True, against="-", relative=True):
        self.name = name
        self.parameters = parameters
        self.unit = unit
        self.goal = goal
        self.higher_is_better = higher_is_better
        self.ours = []
        self.relative = relative
        self.against_name = against
        self.against = []
        self.note = ""

    def ratio(self):
        """Median of the ratios run by run, so that a drift of the machine cancels; the figure itself without a peer."""
        if self.against:
            return statistics.median(a / b for a, b in zip(self.ours, self.against))
        return statistics.median(self.ours)

    def met(self):
        judged = self.ratio() if self.relative else statistics.median(self.ours)
        return judged >= self.goal if self.higher_is_better else judged <= self.goal

    def line(self):
        parameters = ",".join(f"{key}={value}" for key, value in self.parameters.items())
        against = "-"
        if self.against:
            against = f"{self.against_name} {figure(statistics.median(self.against))} {self.unit}"
        sign = "≥" if self.higher_is_better else "≤"
        ratio = f"{self.ratio():.3f}" if self.against else "-"
        text = (f"{self.name}[{parameters}] {figure(statistics.median(self.ours))} {self.unit} | {against} | {ratio} | "
                f"{sign} {figure(self.goal)} | {'met' if self.met() else 'missed'}")
        return text + (f" ({self.note})" if self.note else "")

    def as_json(self):
        return {
            "name": self.name, "parameters": self.parameters, "unit": self.unit, "goal": self.goal,
            "higher_is_better": self.higher_is_better, "figures": self.ours, "against": self.against_name,
            "against_figures": self.against, "ratio": self.ratio(), "met": self.met(), "note": self.note,
        }


def figure(value):
    if value == 0:
        return "0"
    if value >= 1e6:
        return f"{value / 1e6:.2f}M"
    if value >= 1e4:
        return f"{value / 1e3:.1f}k"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "?")
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release()}


def report(rows, path):
    """Prints every row's line and writes all of them with the machine to `path`."""
    for row in rows:
        print(row.line(), flush=True)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"machine": machine(), "rows": [row.as_json() for row in rows]}, out, indent=2)
    print(f"written: {path}", flush=True)
