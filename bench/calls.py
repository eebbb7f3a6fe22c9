"""./dev bench calls: what full calls cost the controller: INVITE with digest to BYE, with a media session on a relay each.

SIPp on both sides, the controller and the relay share the machine's cores, so the highest rate is that of all of them together, and its row says how much of it the server was. CPU a call is the time of
the controller's process alone, at half that rate, and once more with calls that are long enough for their state to be kept; what one core would do follows from it. Two shards scale as far as a call costs no more with them than with one. The same calls go through Kamailio as a
stateful proxy with digest, which keeps no dialogs and sets up no media. Memory of a standing call is the growth of the resident set while calls stand whose transactions have run out; what is left is what
the allocator has not got back once those of the ended calls have run out too.
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

    # Which of "load" and "memory".
    parts: tuple = ("load", "memory")
    first_rate: float = 200
    growth: float = 1.5
    highest_rate: float = 6000
    step_seconds: float = 4
    measured_seconds: float = 8
    # Calls of the load end before their state is kept in the store; these do not.
    kept_call_seconds: float = 3
    standing_calls: int = 20000
    standing_rate: float = 400
    shards: tuple = (1, 2)
    with_kamailio: bool = True
    wait_for_transactions: bool = True


def half_load(load, size):
    """The highest clean run, one at half of its rate, and the delays of another."""
    highest = load.highest_clean_run(size.first_rate, size.growth, size.step_seconds, size.highest_rate)
    if highest is None:
        raise RuntimeError(f"calls failed or were late at {size.first_rate:g} a second already")
    half = load.run(highest.rate / 2, size.measured_seconds)
    watched = load.run(highest.rate / 2, size.step_seconds, watch_delays=True)
    return highest, half, watched.delays


class Rows:
    """The rows of one number of shards."""

    def __init__(self, shards):
        parameters = {"shards": shards}
        half = {**parameters, "load": "half"}

        def row(name, of, unit, goal, higher_is_better=False):
            return Row(name, of, unit, goal, higher_is_better, against="kamailio", relative=False)

        self.rate = row("calls-rate", parameters, "calls/s", 3000, higher_is_better=True)
        self.cpu = row("calls-cpu", half, "us/call", 330)
        self.a_core = row("calls-a-core", half, "calls/s", 3000, higher_is_better=True)
        self.trying_p50 = row("calls-invite-to-100-p50", half, "ms", 10)
        self.trying_p99 = row("calls-invite-to-100-p99", half, "ms", 10)
        self.ringing_p50 = row("calls-added-to-180-p50", half, "ms", 10)
        self.ringing_p99 = row("calls-added-to-180-p99", half, "ms", 10)

    def all(self):
        return [self.rate, self.cpu, self.a_core, self.trying_p50, self.trying_p99, self.ringing_p50, self.ringing_p99]

    def add(self, ours, measured):
        """`ours`: of Sluice, else what it is measured against."""
        highest, half, delays = measured
        if ours:
            self.rate.note = highest.shares()
            self.a_core.note = "from the CPU of a call"
        figures = [highest.rate, half.cpu_us_a_call, 1e6 / half.cpu_us_a_call,
                   *(1e3 * percentile(values, percent) for values in (delays.trying, delays.ringing) for percent in (50, 99))]
        for row, value in zip(self.all(), figures):
            (row.ours if ours else row.against).append(value)


class MemoryRows:
    """What calls and transactions take."""

    def __init__(self, size):
        parameters = {"calls": size.standing_calls}
        self.transaction = Row("calls-memory-transaction", {"calls/s": size.standing_rate}, "bytes", 2048, higher_is_better=False)
        self.standing = Row("calls-memory-standing", parameters, "bytes/call", 8192, higher_is_better=False)
        self.left = Row("calls-memory-left", {**parameters, "after": f"{TRANSACTION_SECONDS} s"}, "bytes/call", 256, higher_is_better=False)

    def all(self):
        return [self.transaction, self.standing, self.left]


def measure_memory(size, rows):
    """One round of the rows. First short calls for as long as transactions live, so that what those take is there before and is used again."""
    ramp = size.standing_calls / size.standing_rate
    wait = TRANSACTION_SECONDS if size.wait_for_transactions else 0
    with WorkFolder() as folder, call_servers.sluice(folder) as server, call_load.CallLoad(server) as load:
        fresh = server.allocated_bytes()
        load.run(size.standing_rate, wait or 1)
        rows.transaction.ours.append((server.allocated_bytes() - fresh) / server.count("transactions"))
        time.sleep(wait)
        resident, allocated = server.resident_bytes(), server.allocated_bytes()
        with load.calls(size.standing_rate, size.standing_calls, ramp + wait + 10) as caller:
            stand(server, size.standing_calls, ramp, caller)
            time.sleep(wait)
            if server.count("calls") != size.standing_calls:
                raise RuntimeError(f"{server.count('calls')} of {size.standing_calls} calls still stand")
            rows.standing.ours.append((server.resident_bytes() - resident) / size.standing_calls)
            rows.standing.note = f"{(server.allocated_bytes() - allocated) / size.standing_calls:.0f} of them allocated"
            if (status := caller.wait(3 * ramp + 30)) != 0:
                raise ProcessError(f"the caller's SIPp ended with status {status}\n{caller.errors()[:_ERROR_CHARACTERS]}")
        time.sleep(wait)
        remain = {name: server.count(name) for name in ("calls", "transactions")}
        if wait and any(remain.values()):
            raise RuntimeError(f"{wait} s after the last call there are still {remain}")
        rows.left.ours.append((server.allocated_bytes() - allocated) / size.standing_calls)


def stand(server, calls, ramp, caller):
    """Waits until so many calls exist."""
    deadline = time.monotonic() + 2 * ramp + 10
    while (count := server.count("calls")) < calls:
        if time.monotonic() > deadline or caller.exit_status is not None:
            raise RuntimeError(f"only {count} of {calls} calls stand\n{caller.errors()[:_ERROR_CHARACTERS]}")
        time.sleep(0.2)


def measure_load(size, tables, scaling, title):
    """One round of the rows of each number of shards. Scaling compares what a call costs with few and with many at one rate, for it depends on that."""
    first = None
    for shards, rows in tables.items():
        if size.with_kamailio:
            with WorkFolder() as folder, call_servers.kamailio(folder, children=shards) as server, call_load.CallLoad(server) as load:
                rows.add(False, half_load(load, size))
        with WorkFolder() as folder, call_servers.sluice(folder, shards) as server, call_load.CallLoad(server) as load:
            measured = half_load(load, size)
            rows.add(True, measured)
            kept = load.run(measured[1].rate, size.measured_seconds, size.kept_call_seconds)
            rows.cpu.note = f"{kept.cpu_us_a_call:.0f} where calls last {size.kept_call_seconds:g} s, so that their state is kept"
            first = first or measured[1]
            if shards == size.shards[-1] and len(tables) > 1:
                scaling.ours.append(first.cpu_us_a_call / load.run(first.rate, size.measured_seconds).cpu_us_a_call)
        print(f"  {title}, {shards} shards: {rows.rate.ours[-1]:.0f} calls a second, {rows.cpu.ours[-1]:.0f} us a call, added to 180 p99 {rows.ringing_p99.ours[-1]:.2f} ms", flush=True)


def measure(rounds, size):
    tables = {shards: Rows(shards) for shards in size.shards} if "load" in size.parts else {}
    scaling = Row("calls-scaling", {"shards": f"{size.shards[0]} to {size.shards[-1]}"}, "of linear", 0.8)
    scaling.note = "from the CPU of a call at the same rate"
    memory = MemoryRows(size)
    for number in range(rounds):
        title = f"round {number + 1}"
        measure_load(size, tables, scaling, title)
        if "memory" in size.parts:
            measure_memory(size, memory)
            print(f"  {title}: {', '.join(f'{row.ours[-1]:.0f} {row.unit} {row.name}' for row in memory.all())}", flush=True)
    rows = [row for table in tables.values() for row in table.all()] + [scaling] + memory.all()
    return [row for row in rows if row.ours]


def run(out, rounds, size=Size()):
    rows = measure(rounds, size)
    report(rows, out)
    return all(row.met() for row in rows)
