"""A linphone without sound card: it plays a WAV file and records what it hears, and is steered by what one would type into linphonec."""

import os

from harness.process import Process

# linphonec finds no network without a default route, and then opens no port: its REGISTER fails before anything is sent. With
# `guess_hostname` it writes the address of that route into Contact and SDP; without `ipv6_migration_done` it would turn IPv6 on again.
_CONFIG = """\
[sip]
sip_port={sip_port}
sip_tcp_port=0
sip_tls_port=0
guess_hostname=1
use_ipv6=0
ipv6_migration_done=1
default_proxy=0
[net]
dns_srv_enabled=0
[rtp]
audio_rtp_port=30000
[auth_info_0]
username={user}
passwd={password}
realm={domain}
[proxy_0]
reg_proxy=<sip:{server};transport=udp>
reg_route=<sip:{server};transport=udp;lr>
reg_identity=sip:{user}@{domain}
reg_expires=60
reg_sendregister=1
publish=0
"""

_CODEC = """\
[audio_codec_{index}]
mime={name}
rate={rate}
enabled={enabled}
"""

# What is not named is enabled as linphone thinks best.
_CODECS = (("PCMA", 8000, 1), ("PCMU", 8000, 0), ("opus", 48000, 0), ("speex", 8000, 0), ("speex", 16000, 0), ("G729", 8000, 0))


class Linphone(Process):
    """linphonec that registers as `user` of `domain` at `server` (address and port), speaks PCMA, answers at once and plays `sound` into its calls."""

    DIGESTS = ("SHA-256", "MD5")

    def __init__(self, user, password, domain, server, work_folder, namespace, sound, *, sip_port=5060):
        folder = work_folder.file(f"linphone-{user}")
        # It makes its files there, but not the folder.
        os.makedirs(os.path.join(folder, ".local/share/linphone"))
        self._recording = os.path.join(folder, "heard.wav")
        config = os.path.join(folder, "linphonerc")
        with open(config, "w", encoding="utf-8") as file:
            file.write(_CONFIG.format(user=user, password=password, domain=domain, server=server, sip_port=sip_port))
            file.writelines(_CODEC.format(index=index, name=name, rate=rate, enabled=enabled)
                            for index, (name, rate, enabled) in enumerate(_CODECS))
        self._read = 0
        super().__init__(f"linphone {user}", ["env", f"HOME={folder}", "linphonec", "-a", "-S", "-c", config],
                         work_folder.file(f"linphone-{user}.log"), namespace, folder, typed=True)
        self.type("soundcard use files")
        self.type(f"play {sound}")
        self.type(f"record {self._recording}")

    def recording(self):
        """Path of what it has heard."""
        if not os.path.exists(self._recording):
            raise AssertionError(f"{self.name} has recorded nothing\n{self.tail()}")
        return self._recording

    def dial(self, uri):
        self.type(f"call {uri}")

    def hold(self):
        self.type("pause")

    def resume(self):
        self.type("resume")

    def transfer(self, uri):
        """Blind."""
        self.type(f"transfer {uri}")

    def hang_up(self):
        self.type("terminate")

    def wait_until_talking(self):
        self._wait_for_words("Media streams established")

    def wait_until_ended(self):
        self._wait_for_words(" ended (")

    def _wait_for_words(self, words):
        """Until it prints them, after those for which somebody waited before."""
        self.wait_until(lambda: self.log().find(words, self._read) >= 0, f"it printed {words!r}")
        self._read = self.log().find(words, self._read) + len(words)
