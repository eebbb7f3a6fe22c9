"""Network namespaces that leave nothing behind, whatever happens to the test.

A namespace here has no name in /run/netns: it belongs to a holder process, and the kernel removes it (links, addresses, nftables, XDP
programs) when the holder is gone. The holder gets SIGKILL when the test process ends (PR_SET_PDEATHSIG), so an exception, SIGTERM and even
kill -9 of the test clean up the same way. To look inside while a test runs: `nsenter --net --target PID` with the PID that `ps` shows
beside "sleep infinity".

Threads: make namespaces and links in the main thread (PDEATHSIG goes by thread). `entered` moves the calling thread only.
"""

import contextlib
import ctypes
import os
import subprocess
import time

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
# Bazel and `su` leave out where ip, nft and ethtool are.
_ENVIRONMENT = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}


class NamespaceError(RuntimeError):
    """A command in a namespace failed; the text says which and why."""


class Namespace:
    """One network namespace with its loopback up."""

    def __init__(self, name):
        self.name = name
        self._holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        self._wait_until_apart()
        self.run("ip", "link", "set", "lo", "up")
        # An address is usable at once: nobody else can have it here.
        self.write_sysctl("net/ipv6/conf/default/accept_dad", "0")
        self.write_sysctl("net/ipv6/conf/default/router_solicitations", "0")

    @property
    def pid(self):
        return self._holder.pid

    def command(self, *argv):
        """`argv` as it has to be started so that it runs in here."""
        # Not `ip netns exec`, which mounts another /sys and hides /sys/fs/bpf.
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *argv]

    def run(self, *argv, stdin=None):
        """Runs a short command in here and answers its output."""
        done = subprocess.run(self.command(*argv), input=stdin, capture_output=True, text=True, timeout=20,
                              env=_ENVIRONMENT, check=False)
        if done.returncode != 0:
            raise NamespaceError(f"{self.name}: `{' '.join(argv)}` failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is in here during the block: sockets that it makes stay here for ever."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            inside = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
            try:
                _setns(inside)
            finally:
                os.close(inside)
            try:
                yield self
            finally:
                _setns(home)
        finally:
            os.close(home)

    def write_sysctl(self, path, value):
        with self.entered(), open(f"/proc/sys/{path}", "w", encoding="ascii") as file:
            file.write(value)

    def add_address(self, link, address):
        """`address` with its prefix length, "198.18.1.2/24"."""
        self.run("ip", "address", "add", address, "dev", link, *(["nodad"] if ":" in address else []))

    def add_default_route(self, gateway):
        self.run("ip", *(["-6"] if ":" in gateway else []), "route", "add", "default", "via", gateway)

    def close(self):
        if self._holder.poll() is None:
            self._holder.kill()
        self._holder.wait()

    def _wait_until_apart(self):
        ours = os.readlink("/proc/self/ns/net")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if self._holder.poll() is not None:
                raise NamespaceError(f"{self.name}: cannot make a network namespace; the tests want root")
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{self.pid}/ns/net") != ours:
                    return
            time.sleep(0.002)
        raise NamespaceError(f"{self.name}: no network namespace after 5 s")


def connect(first, first_link, second, second_link):
    """A veth pair between two namespaces, both ends up, fit for AF_XDP.

    One queue each way, since XDP wants as many receive queues as the peer has transmit queues; no transmit checksum offload, since a
    receiver of raw frames would see half-made checksums.
    """
    first.run("ip", "link", "add", "name", first_link, "numtxqueues", "1", "numrxqueues", "1", "type", "veth",
              "peer", "name", second_link, "numtxqueues", "1", "numrxqueues", "1", "netns", str(second.pid))
    for namespace, link in ((first, first_link), (second, second_link)):
        namespace.run("ethtool", "-K", link, "tx", "off")
        namespace.run("ip", "link", "set", link, "up")


def _setns(descriptor):
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")
