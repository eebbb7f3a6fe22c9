"""The two phones of the seed call: they send its messages as they are, with what they have to copy filled in."""

import os

from harness import call_network as net
from phone import digest
from phone.rtp_stream import AMR_100_MS, H264_10_FPS, RtpStream
from phone.sip_message import SipMessage, uri_of
from phone.sip_phone import SipPhone

CALLER = "20002230001"
CALLEE = "20002230000"
CALLER_NAME = "测试APP2"
CALLER_PASSWORD = "caller-secret"
CALLEE_PASSWORD = "callee-secret"
AUDIO_PORT = 21000
VIDEO_PORT = 21070

_SERVER = (net.SWITCH_A, net.SIP_PORT)


def message(name, **values):
    """The message of the file `name`.sip with `values` in its braces. Fails if the file lies about its body's length."""
    with open(os.path.join(os.path.dirname(__file__), f"{name}.sip"), encoding="utf-8") as file:
        text = file.read().format(**values)
    return SipMessage.parse(text.replace("\n", "\r\n").encode("utf-8"))


class _SeedPhone:
    """Sends the messages, and the streams of its SDP."""

    def __init__(self, namespace, address, port, user, password):
        self.phone = SipPhone(namespace, address, port, user=user, password=password, server=_SERVER,
                              domain=net.SWITCH_A)
        self.streams = [RtpStream(namespace, address, AUDIO_PORT, AMR_100_MS, seed=int(user)),
                        RtpStream(namespace, address, VIDEO_PORT, H264_10_FPS, seed=int(user) + 10)]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.phone.close()
        for stream in self.streams:
            stream.close()


class SeedCaller(_SeedPhone):
    """A: 20002230001 at 198.18.1.2:45426."""

    def __init__(self, network):
        super().__init__(network.phone_a, net.PHONE_A, 45426, CALLER, CALLER_PASSWORD)

    def invite(self):
        """Message 1."""
        self.phone.send(message("a_invite"))

    def acknowledge_challenge(self, challenged):
        """Message 3."""
        self.phone.send(message("a_ack_challenge", to=challenged.get("To")))

    def invite_authorized(self, challenged):
        """Message 4: another branch, the same Call-ID and From tag, no To tag, and the old digest form without qop."""
        challenges = [digest.Challenge(value) for value in challenged.all("Proxy-Authenticate")]
        answer = digest.answer(digest.choose(challenges), "INVITE", f"sip:{CALLEE}@{net.SWITCH_A}", CALLER,
                               self.phone.password, legacy=True)
        self.phone.send(message("a_invite_authorized", authorization=answer))

    def acknowledge(self, answered):
        """Message 13."""
        self.phone.send(message("a_ack", target=uri_of(answered.get("Contact")), to=answered.get("To")))

    def bye(self, answered):
        """Message 14: CSeq 6 after 2."""
        self.phone.send(message("a_bye", target=uri_of(answered.get("Contact")), to=answered.get("To")))


class SeedCallee(_SeedPhone):
    """B: 20002230000 at 198.18.3.2:43518 behind the NAT."""

    def __init__(self, network):
        super().__init__(network.phone_b, net.PHONE_B, 43518, CALLEE, CALLEE_PASSWORD)

    def trying(self, invite):
        """Message 7."""
        self.phone.send(message("b_100", **_copied(invite)))

    def ring(self, invite):
        """Message 8."""
        self.phone.send(message("b_180", **_copied(invite)))

    def answer(self, invite):
        """Message 10."""
        self.phone.send(message("b_200", **_copied(invite)))

    def answer_bye(self, bye):
        """Message 17."""
        self.phone.send(message("b_200_bye", **_copied(bye)))


def _copied(request):
    return {"via": request.get("Via"), "to": request.get("To"), "from": request.get("From"),
            "call_id": request.get("Call-ID"), "cseq": request.get("CSeq")}
