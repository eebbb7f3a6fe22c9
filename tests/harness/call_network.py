"""The network of the tests: a switch between two sides, phone A on one, phone B behind a NAT on the other.

    phone-a ─┬─ side a ─ switch (controller, relay) ─ side b ─┬─ nat ─ phone-b
    …        │           198.18.1.1      198.18.2.1           │  198.18.2.9 → 198.18.3.1
                                                              └─ phone-c, not behind a NAT

The sides are bridges in a namespace of their own, so that more hosts (a second relay, more phones) can be attached. All addresses are of
198.18.0.0/15 and 2001:db8::/32, which are for tests only, and no interface of the machine takes part.
"""

from harness.namespaces import Namespace, address_command, connect, default_route_command

SWITCH_A = "198.18.1.1"
SWITCH_B = "198.18.2.1"
SWITCH_A6 = "2001:db8:1::1"
SWITCH_B6 = "2001:db8:2::1"
PHONE_A = "198.18.1.2"
PHONE_A6 = "2001:db8:1::2"
NAT_OUTSIDE = "198.18.2.9"
NAT_INSIDE = "198.18.3.1"
PHONE_B = "198.18.3.2"
PHONE_C = "198.18.2.3"
PHONE_C6 = "2001:db8:2::3"

# Interfaces of the switch.
SWITCH_LINK_A = "to-a"
SWITCH_LINK_B = "to-b"

SIP_PORT = 7080

# SIP keeps its port where it can; media comes out at another port, as NATs do that map by destination.
_NAT_RULES = f"""
table ip nat {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "outside" udp dport {SIP_PORT} masquerade
    oifname "outside" meta l4proto udp masquerade to :50000-59999 random
    oifname "outside" masquerade
  }}
}}
"""


class CallNetwork:
    """Namespaces `switch`, `phone_a`, `phone_c`, `nat`, `phone_b`, connected as the picture above says."""

    def __init__(self):
        self._namespaces = []
        self._ports = 0
        try:
            self._hub = self.namespace("hub")
            self._hub.ip(*(command for side in ("side-a", "side-b") for command in (
                f"link add name {side} type bridge mcast_snooping 0", f"link set {side} up")))
            self.switch = self.namespace("switch")
            self.attach(self.switch, SWITCH_LINK_A, "side-a", SWITCH_A, SWITCH_A6)
            self.attach(self.switch, SWITCH_LINK_B, "side-b", SWITCH_B, SWITCH_B6)
            self.phone_a = self.host("phone-a", "side-a", PHONE_A, PHONE_A6)
            self.phone_c = self.host("phone-c", "side-b", PHONE_C, PHONE_C6)
            self._make_nat()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        for namespace in self._namespaces:
            namespace.close()
        self._namespaces.clear()

    def host(self, name, side, *addresses):
        """Another host on `side`, with the switch as its gateway."""
        host = self.namespace(name)
        self.attach(host, "eth0", side, *addresses)
        host.ip(*(default_route_command(_gateway(side, address)) for address in addresses))
        return host

    def attach(self, namespace, link, side, *addresses):
        """Gives `namespace` an interface `link` on `side`; addresses without prefix length."""
        self._ports += 1
        port = f"port{self._ports}"
        connect(namespace, link, self._hub, port)
        self._hub.ip(f"link set {port} master {side}")
        namespace.ip(*(address_command(link, address, 64 if ":" in address else 24) for address in addresses))

    def _make_nat(self):
        self.nat = self.namespace("nat")
        self.attach(self.nat, "outside", "side-b", NAT_OUTSIDE)
        self.phone_b = self.namespace("phone-b")
        connect(self.nat, "inside", self.phone_b, "eth0")
        self.nat.ip(address_command("inside", NAT_INSIDE, 24), default_route_command(SWITCH_B))
        self.nat.write_sysctl("net/ipv4/ip_forward", "1")
        self.nat.run("nft", "-f", "-", stdin=_NAT_RULES)
        self.phone_b.ip(address_command("eth0", PHONE_B, 24), default_route_command(NAT_INSIDE))

    def namespace(self, name):
        """Another namespace, not yet connected."""
        namespace = Namespace(name)
        self._namespaces.append(namespace)
        return namespace


def _gateway(side, address):
    if ":" in address:
        return SWITCH_A6 if side == "side-a" else SWITCH_B6
    return SWITCH_A if side == "side-a" else SWITCH_B
