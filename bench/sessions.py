"""./dev bench sessions: how many sessions a second the batch stream sets up while media is forwarded, and what a session costs in memory.

Churn: on the veth path, media runs at 80 % of the loss-free rate while another client makes and deletes sessions as fast as the stream takes them. Memory: what the relay's resident memory
grows by when many sessions are made, one of audio with RTCP on the next port (four flows) each.
"""

import concurrent.futures
import contextlib
import json
import os
import tempfile
import time

from bench import programs, veth
from bench.row import Row, report
from harness.namespaces import Namespace
from harness.process import Process
from harness.work_folder import WorkFolder

CHURN_SECONDS = 4
# Of the sessions that come and go: as many peers behind the left side, and addresses whose ports suffice although each rests for 2 s.
CHURN_FLOWS = 16000
CHURN_ADDRESSES = [f"198.18.3.{number}" for number in range(1, 25)]
SESSIONS = 20000
FLOWS_A_SESSION = 4

_MEMORY_CONFIG = """\
name: bench
listen: ["unix:{folder}/relay.sock"]
log_level: warning
datapath:
  worker_cpus: [{core}]
  max_flows: {max_flows}
interfaces:
  - name: nothing
    vdev: {{argument: net_null0}}
    static_next_hop: {{mac_address: "02:00:00:00:00:01"}}
networks:
  - name: nothing
    interface: nothing
{networks}"""


def churn(folder, path, row_rate, row_lost):
    path.middle.ip(f"route add 198.19.0.0/16 via {veth.LEFT}")
    network = f"  - {{name: churn, interface: to-left, addresses: {json.dumps(CHURN_ADDRESSES)}, first_port: 1024, last_port: 65535}}"
    with veth.sluice(path, folder, network) as relay:
        limit = relay.loss_free_rate()
        address = f"unix:{folder.file('relay.sock')}"
        command = [programs.FLOW_LOAD, f"--flows={CHURN_FLOWS}", "--networks=churn", "churn", address, str(CHURN_SECONDS)]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            media = pool.submit(relay.run, 0.8 * limit, seconds=CHURN_SECONDS)
            row_rate.ours.append(programs.run_json(command)["per_second"])
            row_lost.ours.append(media.result()["lost"])


def bytes_a_session():
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Namespace("relay")) as namespace:
        plan = [programs.FLOW_LOAD, f"--flows={2 * SESSIONS}", "--addresses=4"]
        networks = programs.output([*plan, "networks"])
        config = os.path.join(folder, "relay.yaml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(_MEMORY_CONFIG.format(folder=folder, core=veth.CORE, max_flows=FLOWS_A_SESSION * SESSIONS, networks=networks))
        socket = os.path.join(folder, "relay.sock")
        with Process("relay", [programs.RELAY, "--config", config], os.path.join(folder, "log"), namespace) as process:
            process.wait_until(lambda: os.path.exists(socket), "its socket was there")
            time.sleep(0.5)
            before = programs.resident_bytes(process.pid)
            programs.run_json([*plan, "sessions", f"unix:{socket}"])
            return (programs.resident_bytes(process.pid) - before) / SESSIONS


def run(out, rounds):
    rate = Row("sessions-rate", {"while": "forwarding at 80 %", "flows a session": FLOWS_A_SESSION}, "a second", 50000)
    lost = Row("sessions-lost", {"while": "forwarding at 80 %"}, "packets", 0, higher_is_better=False)
    memory = Row("sessions-memory", {"sessions": SESSIONS, "flows a session": FLOWS_A_SESSION}, "bytes", 2048, higher_is_better=False)
    for number in range(rounds):
        with WorkFolder() as folder, contextlib.closing(veth.Path()) as path:
            churn(folder, path, rate, lost)
        memory.ours.append(bytes_a_session())
        print(f"  round {number + 1}: {rate.ours[-1]:.0f} set-ups a second, {lost.ours[-1]} packets lost, {memory.ours[-1]:.0f} bytes a session", flush=True)
    rows = [rate, lost, memory]
    report(rows, out)
    return all(row.met() for row in rows)
