"""The servers that calls are measured through, each in a network namespace with nothing but a loopback interface: Sluice with a relay, and Kamailio as a stateful proxy.

    caller 198.18.1.2 ── server 198.18.1.1:7080 ── callee 198.18.2.3:5060

Both ask INVITEs for a digest (MD5). Sluice sets up a media session for each call on a relay whose device drops everything; Kamailio has no media.
"""

import contextlib
import os

from bench import programs
from harness.metrics import metric
from harness.namespaces import Namespace
from harness.process import Process
from harness.sipp import Sipp
from harness.sluicectl import Sluicectl
from harness.work_folder import WorkFolder

SERVER, CALLER, CALLEE, STRANGER = "198.18.1.1", "198.18.1.2", "198.18.2.3", "198.18.9.9"
RELAY_ADDRESSES = ("198.18.1.10", "198.18.1.11")
SIP_PORT, PHONE_PORT = 7080, 5060
METRICS = f"{SERVER}:9080"
REALM = "sluice.example"

_RELAY_CONFIG = """\
name: bench
listen: ["unix:{socket}"]
log_level: warning
datapath:
  worker_cpus: [{core}]
  max_idle_sleep: 1ms
  max_flows: 200000
interfaces:
  - name: nothing
    vdev: {{argument: "net_null0,no-rx=1"}}
    static_next_hop: {{mac_address: "02:00:00:00:00:01"}}
networks:
  - name: media
    interface: nothing
    addresses: [{addresses}]
    first_port: 1024
    last_port: 65535
sessions:
  first_packet_timeout: 0s
  one_way_timeout: 0s
  silence_timeout: 0s
"""

_CONTROLLER_CONFIG = """\
name: bench
listen: ["unix:{socket}"]
metrics_listen: "{metrics}"
log_level: warning
sip:
  realm: {realm}
  # SIPp knows no other.
  digest_algorithms: [MD5]
  shards: {shards}
  listeners:
    - {{transport: udp, address: "{server}:{port}"}}
    - {{transport: tcp, address: "{server}:{port}"}}
relays:
  - {{name: bench, address: "unix:{relay}"}}
store:
  sqlite_file: {database}
calls:
  caller_network: media
  callee_network: media
{more_config}"""

_KAMAILIO_CONFIG = """\
debug=-1
log_stderror=yes
children={children}
disable_tcp=yes
auto_aliases=no
dns=no
rev_dns=no
listen=udp:{server}:{port}
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "auth.so"
request_route {{
  if (!mf_process_maxfwd_header("70")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK") && t_check_trans()) {{ t_relay(); }}
    exit;
  }}
  t_check_trans();
  if (!pv_proxy_authenticate("{realm}", "caller-secret", "0")) {{ proxy_challenge("{realm}", "0"); exit; }}
  consume_credentials();
  record_route();
  $du = "sip:{callee}:{phone_port}";
  t_relay();
}}
"""


class Server:
    """What serves at SERVER:SIP_PORT, as one or more processes."""

    def __init__(self, namespace, pids, ctl=None):
        self.namespace = namespace
        self.ctl = ctl
        self._pids = pids

    def cpu_seconds(self):
        return sum(programs.cpu_seconds(pid) for pid in self._pids)

    def resident_bytes(self):
        return sum(programs.resident_bytes(pid) for pid in self._pids)

    def count(self, name):
        """A number of `sluicectl stats controller`; of Sluice only."""
        return int(self.ctl.json("stats", "controller").get(name, 0))

    def allocated_bytes(self):
        """Memory that is allocated and not freed, of Sluice only: the resident set has also what was freed and may be used again."""
        return metric(self.namespace, METRICS, "sluice_allocated_bytes")


@contextlib.contextmanager
def host():
    """The namespace of one run."""
    namespace = Namespace("calls")
    try:
        namespace.ip(*(f"address add {address}/32 dev lo" for address in (SERVER, CALLER, CALLEE, STRANGER)))
        yield namespace
    finally:
        namespace.close()


@contextlib.contextmanager
def relay(folder, namespace):
    socket = folder.file("relay.sock")
    config = folder.write("relay.yaml", _RELAY_CONFIG.format(
        socket=socket, core=max(os.sched_getaffinity(0)), addresses=", ".join(f'"{address}"' for address in RELAY_ADDRESSES)))
    with Process("relay", [programs.RELAY, "--config", config], folder.file("relay.log"), namespace) as process:
        process.wait_until(lambda: os.path.exists(socket), "its socket was there")
        yield socket


@contextlib.contextmanager
def sluice(folder, shards=1, more_config=""):
    """A controller with the accounts `caller` and `callee`, which is registered, and a relay. `more_config`: more keys of its YAML."""
    with host() as namespace, relay(folder, namespace) as relay_socket:
        socket = folder.file("controller.sock")
        ctl = Sluicectl(programs.CTL, controller=f"unix:{socket}")
        config = folder.write("controller.yaml", _CONTROLLER_CONFIG.format(
            socket=socket, metrics=METRICS, realm=REALM, shards=shards, server=SERVER, port=SIP_PORT, relay=relay_socket, database=folder.file("controller.db"), more_config=more_config))
        with Process("controller", [programs.CONTROLLER, "--config", config], folder.file("controller.log"), namespace) as process:
            process.wait_until(lambda: os.path.exists(socket) and _relay_is_healthy(ctl), "its relay was healthy")
            for account in ("caller", "callee"):
                ctl.run("accounts", "add", account, "--password-file", "-", stdin=f"{account}-secret\n")
            # The callee of SIPp does not register itself.
            with registrations(namespace, CALLEE, ["callee"], "-m", "1") as sipp:
                if sipp.wait() != 0:
                    raise RuntimeError(f"the callee could not register\n{sipp.errors()}")
            yield Server(namespace, [process.pid], ctl)


@contextlib.contextmanager
def registrations(namespace, address, accounts, *arguments):
    """A SIPp at `address` that registers `accounts` in turn."""
    with WorkFolder() as folder:
        lines = [f"{account};[authentication username={account} password={account}-secret]" for account in accounts]
        fields = folder.write("accounts.csv", "SEQUENTIAL\n" + "\n".join(lines) + "\n")
        with Sipp("registrant", None, folder, namespace, address, "-inf", fields, "-auth_uri", f"{SERVER}:{SIP_PORT}", *arguments, f"{SERVER}:{SIP_PORT}",
                  port=PHONE_PORT) as sipp:
            yield sipp


@contextlib.contextmanager
def kamailio(folder, children=1):
    with host() as namespace:
        config = folder.write("kamailio.cfg", _KAMAILIO_CONFIG.format(
            children=children, server=SERVER, port=SIP_PORT, realm=REALM, callee=CALLEE, phone_port=PHONE_PORT))
        command = ["kamailio", "-DD", "-E", "-f", config, "-Y", folder.path, "-P", folder.file("kamailio.pid")]
        with Process("kamailio", command, folder.file("kamailio.log"), namespace) as process:
            process.wait_until(lambda: len(_children(process.pid)) > children and _is_bound(process.pid), "its children ran")
            yield Server(namespace, [process.pid, *_children(process.pid)])


def _relay_is_healthy(ctl):
    return ctl.works("relays") and any(relay.get("health") == "RELAY_HEALTH_HEALTHY" for relay in ctl.json("relays").get("relays", []))


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return [int(child) for child in children.read().split()]


def _is_bound(pid):
    with open(f"/proc/{pid}/net/udp", encoding="ascii") as sockets:
        return f":{SIP_PORT:04X} " in sockets.read()
