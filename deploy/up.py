"""./dev up: a relay and a controller on this machine, for phones in its network.

Takes the interface of the default route (or --interface). Media goes by AF_XDP, so the kernel keeps the interface and everything but media; where that cannot be, by AF_PACKET,
with a warning that says why. Two accounts are made for this run. Ctrl-C ends it and leaves the interface as it was. Nothing is kept.
"""

import argparse
import contextlib
import ipaddress
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

ACCOUNTS = ("1001", "1002")
FIRST_PORT, LAST_PORT = 16384, 32767
START_SECONDS = 20

RELAY_CONFIG = """\
name: relay-1
listen: ["unix:{folder}/relay.sock"]
datapath:
  worker_cpus: [{worker_cpu}]
interfaces:
  - name: media
    {device}: {{kernel_interface: {interface}}}
networks:
  - name: media
    interface: media
    addresses: {addresses}
    first_port: {first_port}
    last_port: {last_port}
"""

CONTROLLER_CONFIG = """\
name: controller-1
listen: ["unix:{folder}/controller.sock"]
sip:
  realm: sluice
  domains: {addresses}
  # Some phones give up when SHA-256 is offered beside MD5.
  digest_algorithms: [MD5]
  listeners: {listeners}
relays:
  - {{name: relay-1, address: "unix:{folder}/relay.sock"}}
store: {{sqlite_file: ":memory:"}}
"""


class Failure(Exception):
    """One line for the user: what is wrong and what to do."""


def ip(*arguments):
    output = subprocess.run(["ip", "-json", *arguments], check=True, capture_output=True, text=True).stdout
    return json.loads(output or "[]")


def default_interface():
    for family in ("-4", "-6"):
        for route in ip(family, "route", "show", "default"):
            if "dev" in route:
                return route["dev"]
    raise Failure("there is no default route to take the interface of: say --interface NAME")


def addresses_of(interface):
    try:
        links = ip("address", "show", "dev", interface)
    except subprocess.CalledProcessError:
        raise Failure(f"there is no interface {interface}: `ip link` lists those that are there") from None
    addresses = [a["local"] for link in links for a in link.get("addr_info", []) if a.get("scope") == "global" and not a.get("temporary")]
    if not addresses:
        raise Failure(f"interface {interface} has no address that phones could reach: give it one first")
    return addresses


def has_xdp_program(interface):
    return "xdp" in ip("link", "show", "dev", interface)[0]


def host_port(address, port):
    return f"[{address}]:{port}" if ipaddress.ip_address(address).version == 6 else f"{address}:{port}"


class Program:
    """A child whose log goes to a file; ended with this script, whatever happens."""

    def __init__(self, folder, name, command):
        self.name = name
        self.log_path = os.path.join(folder, f"{name}.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def last_words(self):
        lines = self.log().strip().splitlines()
        return lines[-1] if lines else f"exit status {self.process.returncode}"

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=10)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def wait_until_it_serves(program, probe):
    """True once `probe` (a command) succeeds; False if the program ended."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if program.process.poll() is not None:
            return False
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return True
        time.sleep(0.1)
    raise Failure(f"the {program.name} does not serve after {START_SECONDS} s; it says: {program.last_words()}")


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def start_relay(arguments, folder, addresses, programs):
    """Starts the relay with the best device that works here; answers which."""
    refusal = None
    for device in ("af_xdp", "af_packet"):
        config = write(folder, "relay.yaml", RELAY_CONFIG.format(
            folder=folder, worker_cpu=max(os.sched_getaffinity(0)), device=device, interface=arguments.interface, addresses=json.dumps(addresses),
            first_port=FIRST_PORT, last_port=LAST_PORT))
        relay = Program(folder, "relay", [arguments.relay, "--config", config])
        programs.append(relay)
        if wait_until_it_serves(relay, [arguments.ctl, "--relay", f"unix:{folder}/relay.sock", "sessions"]):
            if refusal:
                print(f"warning: media goes by AF_PACKET, which is slower, because AF_XDP does not work here: {refusal}", flush=True)
            return device
        refusal = relay.last_words()
    raise Failure(f"the relay does not start: {refusal}")


def start_controller(arguments, folder, addresses, programs):
    listeners = [{"transport": transport, "address": host_port(address, arguments.port)} for address in addresses for transport in ("udp", "tcp")]
    config = write(folder, "controller.yaml", CONTROLLER_CONFIG.format(folder=folder, addresses=json.dumps(addresses), listeners=json.dumps(listeners)))
    controller = Program(folder, "controller", [arguments.controller, "--config", config])
    programs.append(controller)
    if not wait_until_it_serves(controller, [arguments.ctl, "--controller", f"unix:{folder}/controller.sock", "calls"]):
        raise Failure(f"the controller does not start: {controller.last_words()}")


def make_account(arguments, folder, name):
    result = subprocess.run([arguments.ctl, "--controller", f"unix:{folder}/controller.sock", "-o", "json", "accounts", "add", name],
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Failure(f"account {name} cannot be made: {result.stderr.strip()}")
    return json.loads(result.stdout)["password"]


def show(arguments, folder, addresses, device, passwords):
    first = next((a for a in addresses if ipaddress.ip_address(a).version == 4), addresses[0])
    rows = [("registrar and proxy", host_port(first, arguments.port) + ", UDP or TCP")]
    rows += [(f"account {name}", f"password {password}") for name, password in passwords.items()]
    rows += [("media", f"UDP ports {FIRST_PORT} to {LAST_PORT}, {device} on {arguments.interface}"),
             ("look inside", f"{arguments.ctl} --controller unix:{folder}/controller.sock calls"),
             ("", f"{arguments.ctl} --relay unix:{folder}/relay.sock sessions")]
    print("\nSluice is up. Register two phones with it and call the one from the other.\n")
    for name, value in rows:
        print(f"  {name:<20} {value}")
    print("\nCtrl-C ends it.", flush=True)


def run(arguments):
    arguments.interface = arguments.interface or default_interface()
    addresses = addresses_of(arguments.interface)
    if has_xdp_program(arguments.interface):
        print(f"warning: interface {arguments.interface} has an XDP program of somebody else's; it is left alone", flush=True)
    programs = []
    with tempfile.TemporaryDirectory(prefix="sluice-up-") as folder:
        try:
            device = start_relay(arguments, folder, addresses, programs)
            start_controller(arguments, folder, addresses, programs)
            passwords = {name: make_account(arguments, folder, name) for name in ACCOUNTS}
            show(arguments, folder, addresses, device, passwords)
            running = [p for p in programs if p.process.poll() is None]
            while all(p.process.poll() is None for p in running):
                time.sleep(0.5)
            ended = next(p for p in running if p.process.poll() is not None)
            raise Failure(f"the {ended.name} has ended: {ended.last_words()}")
        finally:
            for program in reversed(programs):
                program.stop()


def main():
    parser = argparse.ArgumentParser(prog="./dev up", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relay", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--controller", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--ctl", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--interface", help="network interface; default: that of the default route")
    parser.add_argument("--port", type=int, default=5060, help="SIP port; default: 5060")
    arguments = parser.parse_args()
    # SIGTERM ends it as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    try:
        run(arguments)
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
    except Failure as failure:
        print(f"dev up: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
