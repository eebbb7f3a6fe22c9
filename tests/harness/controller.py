"""One sluice-controller in a namespace: its config, its process, its accounts and calls over sluicectl."""

import contextlib
import sqlite3

from harness import call_network as net
from harness.server import Server

REALM = "sluice.example"

_CONFIG = """\
name: controller-{number}
listen: ["unix:{socket}"]
sip:
  realm: {realm}
  digest_algorithms: {digests}
  {more}
  listeners:
{listeners}
relays:
{relays}
store:
  sqlite_file: {database}
{more_store}calls:
  caller_network: {caller_network}
  callee_network: {callee_network}
  {more_calls}
"""


class Controller(Server):
    """A controller that listens for SIP at `sip_addresses` over UDP and TCP and uses `relays` (name, address).

    `number`: of several controllers in a folder. `database`: its SQLite file, else one in the work folder. `more_store`: more lines of its store. `more_listeners`: more listeners, each a YAML mapping on one line. `more_sip`, `more_calls`: a key of `sip`, of `calls` with its value.
    """

    _ANSWERS = ("accounts", "list")

    def __init__(self, binaries, work_folder, namespace, relays, *, number=1, sip_addresses=(net.SWITCH_A,),
                 networks=("callers", "callees"), digests=("SHA-256", "MD5"), more_config="", database=None, more_store="", more_listeners=(), more_sip="", more_calls=""):
        listeners = "\n".join([*(
            f'    - {{transport: {transport}, address: "{_with_port(address)}"}}'
            for address in sip_addresses for transport in ("udp", "tcp")), *(f"    - {listener}" for listener in more_listeners)])
        name = "controller" if number == 1 else f"controller-{number}"
        self._database = database or work_folder.file(f"{name}.db")
        super().__init__(name, "controller", binaries, work_folder, namespace, more_config + _CONFIG.format(
            number=number, socket=work_folder.file(f"{name}.sock"), realm=REALM, digests=f"[{', '.join(digests)}]",
            listeners=listeners, more=more_sip,
            relays="\n".join(f'  - {{name: {name}, address: "{address}"}}' for name, address in relays),
            database=self._database, more_store=more_store, caller_network=networks[0] or '""',
            callee_network=networks[1] or '""', more_calls=more_calls))

    def add_account(self, name, password, *, display_name="", legacy_digest=False, redirections=""):
        flags = ["--legacy-digest"] if legacy_digest else []
        if redirections:
            flags += ["--redirections", redirections]
        if display_name:
            flags += ["--display-name", display_name]
        self.ctl.run("accounts", "add", name, "--password-file", "-", *flags, stdin=password + "\n")

    def query(self, sql):
        """The rows of its store."""
        with contextlib.closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as store:
            return store.execute(sql).fetchall()

    def kept_states(self):
        """Of calls that would go on after a restart."""
        return self.query("SELECT state FROM standing_calls")

    def relay_health(self, name):
        """"HEALTHY", "DOWN", …"""
        for relay in self.ctl.json("relays").get("relays", []):
            if relay["name"] == name:
                return relay.get("health", "RELAY_HEALTH_UNSPECIFIED").removeprefix("RELAY_HEALTH_")
        return "UNKNOWN"

    def wait_for_relay(self, name, health="HEALTHY", timeout=15.0):
        """Waits until the controller sees the relay so; answers the seconds that it took."""
        return self.process.wait_until(lambda: self.relay_health(name) == health,
                                       f"{name} became {health} (`sluicectl relays`)", timeout)


def _with_port(address):
    return f"[{address}]:{net.SIP_PORT}" if ":" in address else f"{address}:{net.SIP_PORT}"
