"""Network namespaces that leave nothing behind, whatever happens to the test.

A namespace here has no name in /run/netns: it lives by a file descriptor of the test process and by the programs that run in it. Those
programs get SIGKILL when the test process ends (harness/process.py), and the kernel then removes the namespace with its links, addresses,
nftables and XDP programs. So an exception, SIGTERM and even kill -9 of the test clean up the same way. To look inside while a test runs:
`nsenter --net=/proc/PID/fd/N`, with what `ls -l /proc/PID/fd` shows of the test process.

Threads: any; `entered` moves the calling thread only.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_SIOCETHTOOL = 0x8946
_ETHTOOL_STXCSUM = 0x17
# Bazel and `su` leave out where ip and nft are.
_ENVIRONMENT = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}


class NamespaceError(RuntimeError):
    """A command in a namespace failed; the text says which and why."""


class Namespace:
    """One network namespace with its loopback up."""

    def __init__(self, name):
        self.name = name
        home = _current()
        try:
            if _LIBC.unshare(_CLONE_NEWNET) != 0:
                raise NamespaceError(f"{name}: cannot make a network namespace ({os.strerror(ctypes.get_errno())}); run this as root")
            try:
                self._descriptor = _current()
            finally:
                _setns(home)
        finally:
            os.close(home)
        self.ip("link set lo up")
        # An address is usable at once: nobody else can have it here.
        self.write_sysctl("net/ipv6/conf/default/accept_dad", "0")
        self.write_sysctl("net/ipv6/conf/default/router_solicitations", "0")

    @property
    def path(self):
        """What `ip link … netns` takes."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is in here during the block: sockets and processes that it makes stay here for ever."""
        home = _current()
        try:
            _setns(self._descriptor)
            try:
                yield self
            finally:
                _setns(home)
        finally:
            os.close(home)

    def run(self, *argv, stdin=None):
        """Runs a short command in here and answers its output."""
        with self.entered():
            done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=20, env=_ENVIRONMENT, check=False)
        if done.returncode != 0:
            raise NamespaceError(f"{self.name}: `{' '.join(argv)}` failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def ip(self, *commands):
        """Runs commands of ip(8), each without the word `ip`, in one process."""
        self.run("ip", "-batch", "-", stdin="\n".join(commands) + "\n")

    def write_sysctl(self, path, value):
        with self.entered(), open(f"/proc/sys/{path}", "w", encoding="ascii") as file:
            file.write(value)

    def close(self):
        os.close(self._descriptor)


def connect(first, first_link, second, second_link):
    """A veth pair between two namespaces, both ends up, fit for AF_XDP.

    One queue each way, since XDP wants as many receive queues as the peer has transmit queues; no transmit checksum offload, since a
    receiver of raw frames would see half-made checksums.
    """
    first.ip(f"link add name {first_link} numtxqueues 1 numrxqueues 1 type veth "
             f"peer name {second_link} numtxqueues 1 numrxqueues 1 netns {second.path}",
             f"link set {first_link} up")
    second.ip(f"link set {second_link} up")
    for namespace, link in ((first, first_link), (second, second_link)):
        with namespace.entered():
            _checksums_in_software(link)


def address_command(link, address, length):
    """For Namespace.ip: gives `link` the address with that prefix length, usable at once."""
    return f"address add {address}/{length} dev {link}{' nodad' if ':' in address else ''}"


def default_route_command(gateway):
    """For Namespace.ip."""
    return f"route add default via {gateway}"


def _checksums_in_software(link):
    """What `ethtool -K link tx off` does."""
    value = ctypes.create_string_buffer(struct.pack("II", _ETHTOOL_STXCSUM, 0))
    request = struct.pack("16sP16x", link.encode(), ctypes.addressof(value))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCETHTOOL, request)


def _current():
    """A descriptor of the calling thread's namespace."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def _setns(descriptor):
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")
