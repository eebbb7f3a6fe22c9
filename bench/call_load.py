"""Calls of two SIPp through a server: INVITE with digest, 180, 200, ACK, BYE after a while; the sessions have no media."""

import contextlib
from dataclasses import dataclass

from bench import call_delays, programs
from bench.call_servers import CALLEE, CALLER, SERVER, SIP_PORT
from harness.process import ProcessError
from harness.sipp import Capture, Sipp
from harness.work_folder import WorkFolder

# Beyond what the calls themselves take, until a run that hangs is given up.
_PATIENCE_SECONDS = 8
# What a run may take longer than planned and still count as one at its rate.
_SLACK_SECONDS = 1.5


@dataclass
class Run:
    """One run of `calls` calls. CPU of the server alone."""

    rate: float
    calls: int
    good: int
    failed: int
    retransmissions: int
    cpu_us_a_call: float
    # What the server took of the machine's cores, and all that ran on it.
    server_cores: float
    busy_cores: float
    # Whether SIPp could begin the calls as fast as it was told to.
    in_time: bool
    errors: str
    delays: call_delays.Delays = None

    @property
    def clean(self):
        return self.failed == 0 and self.good == self.calls and self.in_time

    def shares(self):
        """Whether the server is what sets the limit, or those who share the cores with it."""
        return programs.shares(self.server_cores, self.busy_cores)


class CallLoad:
    """A callee that waits, and callers on demand. Keep it as a context."""

    def __init__(self, server):
        self._server = server
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._folder = stack.enter_context(WorkFolder())
            stack.enter_context(Sipp("callee", None, self._folder, self._server.namespace, CALLEE, "-deadcall_wait", "0"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *unused):
        self._stack.close()

    @contextlib.contextmanager
    def calls(self, rate, calls, hold_seconds):
        """Begins `calls` calls, `rate` a second, that last `hold_seconds` each; yields the SIPp."""
        with WorkFolder() as folder, Sipp(
                "caller", None, folder, self._server.namespace, CALLER, "-t", "un", "-max_socket", "64", "-m", str(calls), "-r", str(round(rate)), "-l", str(calls), "-d", str(round(hold_seconds * 1000)),
                "-s", "callee", "-auth_uri", f"callee@{SERVER}:{SIP_PORT}", "-trace_stat", "-stf", "statistics.csv", "-fd", "1", "-recv_timeout", "20000",
                "-deadcall_wait", "0", f"{SERVER}:{SIP_PORT}") as caller:
            yield caller

    def run(self, rate, seconds, hold_seconds=0.5, watch_delays=False):
        """Calls at `rate` for `seconds`; answers how they went."""
        calls = round(rate * seconds)
        with contextlib.ExitStack() as stack:
            capture = None
            if watch_delays:
                folder = stack.enter_context(WorkFolder())
                capture = stack.enter_context(Capture(folder, self._server.namespace, "lo", f"udp port {SIP_PORT}"))
            before, machine = self._server.cpu_seconds(), programs.MachineTime()
            caller = stack.enter_context(self.calls(rate, calls, hold_seconds))
            try:
                caller.wait(seconds + hold_seconds + _PATIENCE_SECONDS)
            except ProcessError:
                # It is stopped at the end of the block; what it counted so far says how far it came.
                pass
            cpu, busy = self._server.cpu_seconds() - before, machine.busy_cores()
            counts = caller.statistics()
            good = int(counts["SuccessfulCall(C)"])
            run = Run(rate, calls, good, int(counts["FailedCall(C)"]), int(counts["Retransmissions(C)"]), cpu * 1e6 / max(1, good),
                      cpu / machine.seconds(), busy, _seconds(counts) <= seconds + hold_seconds + _SLACK_SECONDS, caller.errors())
            if capture:
                capture.stop()
                run.delays = call_delays.read(capture.datagrams())
        return run

    def highest_clean_run(self, first, growth, seconds, limit, halvings=3):
        """The run at the highest rate at which no call failed and SIPp kept time; None: there was none.

        The rate grows until a run is not clean, then the gap is halved `halvings` times.
        """
        best, rate = None, first
        while rate <= limit and (run := self._clean_run(rate, seconds)):
            best, rate = run, rate * growth
        if best is None or rate > limit:
            return best
        for _ in range(halvings):
            middle = (best.rate + rate) / 2
            if run := self._clean_run(middle, seconds):
                best = run
            else:
                rate = middle
        return best

    def _clean_run(self, rate, seconds):
        """None: not clean, twice. Once may be the machine's."""
        return next((run for run in (self.run(rate, seconds) for _ in range(2)) if run.clean), None)


def _seconds(statistics):
    """How long SIPp took, from its own clock."""
    start, end = (float(statistics[name].split("\t")[-1]) for name in ("StartTime", "CurrentTime"))
    return end - start
