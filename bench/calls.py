"""./dev bench calls: what full calls cost the controller: INVITE with digest to BYE, with a media session on a relay each.

SIPp on both sides, the controller and the relay share the machine's cores, so the highest rate is that of all of them together; CPU a call is the time of the controller's process alone, at half that
rate. The same calls go through Kamailio as a stateful proxy with digest, which keeps no dialogs and sets up no media. Memory is the growth of the resident set: while calls stand whose transactions
have run out, and once those of the ended calls have run out too. A warm-up fills before what is kept for ever: the ladders of the latest calls and the ring of whole messages.
"""

import time
from dataclasses import dataclass

from bench import call_load, call_servers
from bench.call_delays import percentile
from bench.row import Row, report
from harness.process import ProcessError
from harness.work_folder import WorkFolder

# Timers B, F and H (64*T1), and some.
TRANSACTION_SECONDS = 34
# SIPp writes a line for each call that fails.
_ERROR_CHARACTERS = 1000


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    first_rate: float = 200
    growth: float = 1.2
    highest_rate: float = 6000
    step_seconds: float = 4
    measured_seconds: float = 8
    standing_calls: int = 20000
    standing_rate: float = 400
    warm_up_calls: int = 2000
    shards: tuple = (1, 2)
    with_kamailio: bool = True
    wait_for_transactions: bool = True


def half_load(load, size):
    """The highest clean rate, and a run at half of it, and one whose delays are watched."""
    highest = load.highest_clean_rate(size.first_rate, size.growth, size.step_seconds, size.highest_rate)
    if highest == 0:
        raise RuntimeError(f"calls failed or were late at {size.first_rate:g} a second already")
    half = load.run(highest / 2, size.measured_seconds)
    watched = load.run(highest / 2, size.step_seconds, watch_delays=True)
    return highest, half, watched.delays


class Rows:
    """The rows of one number of shards."""

    def __init__(self, shards):
        parameters = {"shards": shards}
        half = {**parameters, "load": "half"}
        self.rate = Row("calls-rate", parameters, "calls/s", 3000, against="kamailio", relative=False)
        self.cpu = Row("calls-cpu", half, "us/call", 330, higher_is_better=False, against="kamailio", relative=False)
        self.trying_p50 = Row("calls-invite-to-100-p50", half, "ms", 10, higher_is_better=False, against="kamailio", relative=False)
        self.trying_p99 = Row("calls-invite-to-100-p99", half, "ms", 10, higher_is_better=False, against="kamailio", relative=False)
        self.ringing_p50 = Row("calls-added-to-180-p50", half, "ms", 10, higher_is_better=False, against="kamailio", relative=False)
        self.ringing_p99 = Row("calls-added-to-180-p99", half, "ms", 10, higher_is_better=False, against="kamailio", relative=False)

    def all(self):
        return [self.rate, self.cpu, self.trying_p50, self.trying_p99, self.ringing_p50, self.ringing_p99]

    def add(self, ours, measured):
        """`ours`: of Sluice, else what it is measured against."""
        highest, half, delays = measured
        figures = [highest, half.cpu_us_a_call, *(1e3 * percentile(values, percent) for values in (delays.trying, delays.ringing) for percent in (50, 99))]
        for row, value in zip(self.all(), figures):
            (row.ours if ours else row.against).append(value)


def measure_memory(size, standing, left):
    """Fills the rows, bytes a call. The calls last until all stand and the transactions of the last one have run out."""
    ramp = size.standing_calls / size.standing_rate
    wait = TRANSACTION_SECONDS if size.wait_for_transactions else 0
    with WorkFolder() as folder, call_servers.sluice(folder) as server, call_load.CallLoad(server) as load:
        load.run(size.standing_rate, size.warm_up_calls / size.standing_rate)
        time.sleep(wait)
        before = server.resident_bytes()
        with load.calls(size.standing_rate, size.standing_calls, ramp + wait + 5) as caller:
            deadline = time.monotonic() + 2 * ramp + 10
            while server.count("calls") < size.standing_calls:
                if time.monotonic() > deadline or caller.exit_status is not None:
                    raise RuntimeError(f"only {server.count('calls')} of {size.standing_calls} calls stand\n{caller.errors()[:_ERROR_CHARACTERS]}")
                time.sleep(0.2)
            time.sleep(wait)
            if server.count("calls") != size.standing_calls:
                raise RuntimeError(f"{server.count('calls')} of {size.standing_calls} calls still stand")
            standing.ours.append((server.resident_bytes() - before) / size.standing_calls)
            if (status := caller.wait(3 * ramp + 30)) != 0:
                raise ProcessError(f"the caller's SIPp ended with status {status}\n{caller.errors()[:_ERROR_CHARACTERS]}")
        time.sleep(wait)
        remain = {name: server.count(name) for name in ("calls", "transactions")}
        if wait and any(remain.values()):
            raise RuntimeError(f"{wait} s after the last call there are still {remain}")
        left.ours.append((server.resident_bytes() - before) / size.standing_calls)


def measure(rounds, size):
    tables = {shards: Rows(shards) for shards in size.shards}
    standing = Row("calls-memory-standing", {"calls": size.standing_calls}, "bytes/call", 8192, higher_is_better=False)
    left = Row("calls-memory-left", {"calls": size.standing_calls, "after": f"{TRANSACTION_SECONDS} s"}, "bytes/call", 256, higher_is_better=False)
    for number in range(rounds):
        for shards, rows in tables.items():
            if size.with_kamailio:
                with WorkFolder() as folder, call_servers.kamailio(folder, children=shards) as server, call_load.CallLoad(server) as load:
                    rows.add(False, half_load(load, size))
            with WorkFolder() as folder, call_servers.sluice(folder, shards) as server, call_load.CallLoad(server) as load:
                rows.add(True, half_load(load, size))
            print(f"  round {number + 1}, {shards} shards: {rows.rate.ours[-1]:.0f} calls a second, {rows.cpu.ours[-1]:.0f} us a call, added to 180 p99 {rows.ringing_p99.ours[-1]:.2f} ms", flush=True)
        measure_memory(size, standing, left)
        print(f"  round {number + 1}: {standing.ours[-1]:.0f} bytes a standing call, {left.ours[-1]:.0f} bytes left of one that has ended", flush=True)
    return [row for rows in tables.values() for row in rows.all()] + [standing, left]


def run(out, rounds, size=Size()):
    rows = measure(rounds, size)
    report(rows, out)
    return all(row.met() for row in rows)
