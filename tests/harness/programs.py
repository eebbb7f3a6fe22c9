"""The programs under test, as flags name them."""

import argparse
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Programs:
    """Paths of the binaries."""

    relay: str
    controller: str
    ctl: str


def parser(description, more_flags=()):
    """A parser with the flags --relay, --controller and --ctl, and those of the parsers `more_flags`."""
    flags = argparse.ArgumentParser(description=description, parents=list(more_flags))
    for flag, name in (("relay", "sluice-relay"), ("controller", "sluice-controller"), ("ctl", "sluicectl")):
        flags.add_argument(f"--{flag}", required=True, type=_program, metavar="FILE", help=f"{name} to run")
    return flags


def programs_of(flags):
    return Programs(flags.relay, flags.controller, flags.ctl)


def _program(path):
    if not os.access(path, os.X_OK):
        raise argparse.ArgumentTypeError(f"{path} is not a program: build it with ./dev build")
    return os.path.abspath(path)
