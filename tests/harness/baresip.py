"""A baresip phone without sound card: it plays a WAV file and records what it hears, and is steered over its control port."""

import glob
import json
import os
import socket

from harness.process import Process

_MODULE_PATH = "/usr/lib/baresip/modules"

_CONFIG = """\
poll_method epoll
sip_listen {address}:{sip_port}
audio_player aubridge,nobody
audio_source aufile,{sound}
audio_alert aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp_ports}
rtcp_mux no
call_local_timeout 30
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path {folder}
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control_port}
{more_config}
"""

_CONTROL_PORT = 4444


def account_line(user, password, domain, server):
    """Of a phone that registers as `user` of `domain` at `server` (address and port), speaks PCMA and answers at once."""
    return (f"<sip:{user}@{domain}>;auth_pass={password};outbound=\"sip:{server}\";"
            "regint=60;audio_codecs=PCMA/8000/1;answermode=auto")


class Baresip(Process):
    """baresip as `account` (a line of its accounts file) in `namespace`, playing `sound` into its calls."""

    # libre gives up when it is offered a digest that it does not know beside one that it knows.
    DIGESTS = ("MD5",)

    def __init__(self, name, account, work_folder, namespace, address, sound, *, sip_port=5060, more_config=""):
        folder = work_folder.file(f"baresip-{name}")
        os.makedirs(folder)
        self._folder = folder
        self._namespace = namespace
        with open(os.path.join(folder, "config"), "w", encoding="utf-8") as config:
            config.write(_CONFIG.format(address=address, sip_port=sip_port, folder=folder, sound=sound,
                                        rtp_ports="30000-30999", modules=_MODULE_PATH, control_port=_CONTROL_PORT,
                                        more_config=more_config))
        with open(os.path.join(folder, "accounts"), "w", encoding="utf-8") as accounts:
            accounts.write(account + "\n")
        super().__init__(f"baresip {name}", ["baresip", "-f", folder], work_folder.file(f"baresip-{name}.log"), namespace)
        self._control = None
        self._buffer = b""
        self.wait_until(self._connect, "its control port opened")

    def __exit__(self, *unused):
        if self._control:
            self._control.close()
        super().__exit__()

    def recording(self):
        """Path of what it has heard in its last call."""
        found = glob.glob(os.path.join(self._folder, "*-dec.wav"))
        if not found:
            raise AssertionError(f"{self.name} has recorded nothing; its folder has {os.listdir(self._folder)}\n{self.tail()}")
        return max(found)

    def dial(self, uri):
        self.command("dial", uri)

    def hold(self):
        self.command("hold")

    def resume(self):
        self.command("resume")

    def transfer(self, uri):
        """Blind."""
        self.command("transfer", uri)

    def hang_up(self):
        self.command("hangup")

    def wait_until_talking(self):
        self.wait_for_event("CALL_ESTABLISHED")

    def wait_until_ended(self):
        self.wait_for_event("CALL_CLOSED")

    def command(self, command, parameters=""):
        """Runs a command of baresip's menu module; answers its text."""
        token = os.urandom(4).hex()
        message = json.dumps({"command": command, "params": parameters, "token": token}).encode()
        self._control.sendall(b"%d:%s," % (len(message), message))
        while True:
            answer = self._read()
            if answer.get("response") and answer.get("token") == token:
                return answer.get("data", "")

    def wait_for_event(self, *kinds, timeout=10.0):
        """Waits for an event such as REGISTER_OK, CALL_ESTABLISHED, CALL_CLOSED."""
        self._control.settimeout(timeout)
        seen = []
        try:
            while True:
                event = self._read()
                if event.get("event"):
                    seen.append(event.get("type"))
                    if event.get("type") in kinds:
                        return event
        except TimeoutError:
            raise AssertionError(f"{self.name}: none of {kinds} within {timeout:g} s; it told {seen}\n{self.tail()}") from None

    def _connect(self):
        try:
            with self._namespace.entered():
                self._control = socket.create_connection(("127.0.0.1", _CONTROL_PORT), 1)
        except OSError:
            return False
        self._control.settimeout(10)
        return True

    def _read(self):
        """The next netstring of the control connection."""
        while True:
            length, colon, rest = self._buffer.partition(b":")
            if colon and len(rest) > int(length):
                self._buffer = rest[int(length) + 1:]
                return json.loads(rest[:int(length)])
            data = self._control.recv(65536)
            if not data:
                raise AssertionError(f"{self.name} closed its control port\n{self.tail()}")
            self._buffer += data
