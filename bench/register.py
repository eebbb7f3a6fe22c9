"""./dev bench register: registrations (REGISTER, 401, REGISTER with digest, 200) of a thousand accounts in turn.

The rate is that of SIPp, relay and controller together on the machine's cores; the controller's CPU for one registration says what one core would do alone.
"""

from dataclasses import dataclass

from bench import call_servers, programs
from bench.row import Row, report
from harness.work_folder import WorkFolder

# What a run may take longer than planned and still count as one at its rate.
_SLACK_SECONDS = 1.0


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    accounts: int = 1000
    first_rate: float = 500
    growth: float = 1.25
    highest_rate: float = 20000
    step_seconds: float = 3


def step(server, accounts, rate, seconds):
    """Whether all registrations were right and in time, the CPU of one in microseconds, and what the server had of the cores."""
    count = round(rate * seconds)
    before, machine = server.cpu_seconds(), programs.MachineTime()
    with call_servers.registrations(server.namespace, call_servers.CALLER, accounts, "-m", str(count), "-r", str(round(rate)), "-l", str(count), "-recv_timeout", "5000",
                                    "-deadcall_wait", "0") as sipp:
        good = sipp.wait(seconds + 20) == 0
    cpu, seconds_taken = server.cpu_seconds() - before, machine.seconds()
    return good and seconds_taken <= seconds + _SLACK_SECONDS, cpu * 1e6 / count, programs.shares(cpu / seconds_taken, machine.busy_cores())


def run(out, rounds, size=Size()):
    rate = Row("register-rate", {"accounts": size.accounts}, "a second", 5000)
    cpu = Row("register-cpu", {"accounts": size.accounts}, "us", 200, higher_is_better=False)
    a_core = Row("register-a-core", {"accounts": size.accounts}, "a second", 5000)
    a_core.note = "from the CPU of a registration"
    accounts = [f"phone{number}" for number in range(size.accounts)]
    for number in range(rounds):
        with WorkFolder() as folder, call_servers.sluice(folder) as server:
            for account in accounts:
                server.ctl.run("accounts", "add", account, "--password-file", "-", stdin=f"{account}-secret\n")
            tried, best, us = size.first_rate, 0, 0
            while tried <= size.highest_rate:
                good, cost, shares = step(server, accounts, tried, size.step_seconds)
                if not good:
                    break
                best, us, rate.note = tried, cost, shares
                tried *= size.growth
            if best == 0:
                raise RuntimeError(f"registrations failed or were late at {size.first_rate:g} a second already")
        rate.ours.append(best)
        cpu.ours.append(us)
        a_core.ours.append(1e6 / us)
        print(f"  round {number + 1}: {best:.0f} registrations a second, {us:.0f} us each", flush=True)
    rows = [rate, cpu, a_core]
    report(rows, out)
    return all(row.met() for row in rows)
