"""./dev bench [NAME ...]: measures, prints one line a row, and writes the rows as JSON below .sluice/bench/.

Without a name it lists what there is. Exit status 1 if a goal was missed or a bench could not run.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests"))

from bench import calls, datapath, flood, programs, register, sessions, torture, veth  # noqa: E402
from bench.alone import Busy, alone  # noqa: E402
from harness.process import INTERRUPTED, end_on_sigterm  # noqa: E402

BENCHES = {
    "calls": (calls.run, "full calls with media sessions: highest rate, CPU a call, added delay, memory a call, against Kamailio"),
    "datapath": (datapath.run, "packets a second of a worker against testpmd's 5tswap: 16 384, 100 000 and 1 000 000 flows"),
    "flood": (flood.run, "calls that succeed beside ten times as many INVITEs without credentials, and memory"),
    "register": (register.run, "registrations a second, and their CPU"),
    "sessions": (sessions.run, "session set-ups a second by the batch stream while media flows, and memory a flow and a session"),
    "torture": (torture.run, "the cases of PROTOS c07-sip, whose jar --jar names, against a controller that must go on"),
    "veth": (veth.run, "CPU a packet, loss-free rate, delay and overload over AF_XDP against rtpengine and testpmd"),
}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each row, alternating with what it is measured against; default: 5")
    parser.add_argument("--part", choices=calls.Size.parts, action="append", help="of calls: only this")
    parser.add_argument("--jar", help="c07-sip-r2.jar, for torture")
    parser.add_argument("--out", default=os.path.join(".sluice", "bench"), help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    options = parser.parse_args()
    if not options.names:
        for name, (_, text) in BENCHES.items():
            print(f"  {name:<10} {text}")
        return 0
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        print(f"dev bench: there is no bench {unknown[0]}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    if "torture" in options.names and options.jar is None:
        parser.error("torture needs --jar FILE: c07-sip-r2.jar of PROTOS c07-sip")
    end_on_sigterm()
    try:
        with alone():
            return 0 if programs.build() and measure(options) else 1
    except Busy as busy:
        print(f"dev bench: {busy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dev bench: interrupted; what it had started is ended, what it had measured stands above", file=sys.stderr)
        return INTERRUPTED


def measure(options):
    """Whether all goals were met."""
    good = True
    for name in options.names:
        print(f"bench {name}", flush=True)
        more = {"jar": options.jar} if name == "torture" else {"size": calls.Size(parts=tuple(options.part))} if name == "calls" and options.part else {}
        good = BENCHES[name][0](os.path.join(options.out, f"{name}.json"), options.rounds, **more) and good
    return good


if __name__ == "__main__":
    sys.exit(main())
