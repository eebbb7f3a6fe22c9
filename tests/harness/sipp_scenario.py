"""SIPp scenarios from steps: what one side of a call sends and what it has to get, in order, without the XML and the header fields that all
messages have.

A caller makes the dialog by its first request to [service]; a callee waits for an INVITE, or what it expects first. Both may send any
request afterwards. ACK and CANCEL belong to the side's last INVITE, and whether an ACK is one of a failure follows from what was expected
before it. `reply_to_first` answers the request that made the dialog though others have come since; a request that is expected with
`keep_request` can be answered so later too, by `to_kept`.
"""

import xml.sax.saxutils
from dataclasses import dataclass

_ALLOW = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, INFO, UPDATE, MESSAGE, NOTIFY, REFER"
_SDP = """\
v=0
o=[service] 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
a={direction}"""


def sdp(direction="sendrecv"):
    return _SDP.format(direction=direction)


@dataclass(frozen=True)
class Send:
    """A request. Its body is SDP unless `content_type` says otherwise."""

    method: str
    body: str = ""
    headers: tuple = ()
    content_type: str = "application/sdp"


@dataclass(frozen=True)
class Reply:
    """The response to the request that came last."""

    status: int
    body: str = ""
    headers: tuple = ()
    to_first: bool = False
    to_kept: bool = False


@dataclass(frozen=True)
class Expect:
    """A request (its method) or a response (its status) in which each of the regular expressions of `has` is found.

    `keep`: a header field whose value is kept as [$kept].
    """

    what: object
    has: tuple = ()
    keep: str = ""
    keep_request: bool = False
    optional: bool = False


@dataclass(frozen=True)
class SendBack:
    """What came last, INVITE (or, with `ack`, the failure of what was sent back), as a proxy would return it: with a Via of its own on top."""

    uri: str
    ack: bool = False


@dataclass(frozen=True)
class Pause:
    milliseconds: int


def reply_to_first(status, body="", headers=()):
    return Reply(status, body, headers, to_first=True)


def caller(*steps):
    """The XML of a scenario that begins with a request."""
    return _Scenario(is_caller=True).xml(steps)


def callee(*steps):
    """The XML of a scenario that begins with a request of the other side."""
    return _Scenario(is_caller=False).xml(steps)


class _Scenario:
    def __init__(self, is_caller):
        self._is_caller = is_caller
        # How far the scenario is, in what SIPp counts as its messages.
        self._index = 0
        self._cseq = 0
        self._invite_index = 0
        self._invite_cseq = 0
        self._invite_in_dialog = False
        # Of the last INVITE of this side.
        self._failed = False
        self._in_dialog = not is_caller
        # Of the other side's INVITE.
        self._answered = False
        # The requests that came and went last.
        self._request_name = ""
        self._sent = ""
        self._variables = []

    def xml(self, steps):
        parts = [part for step in steps for part in self._write(step)]
        parts.append(f'<Reference variables="{",".join(self._variables)}"/>' if self._variables else "")
        return '<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="row">\n' + "\n".join(parts) + "\n</scenario>\n"

    def _write(self, step):
        if isinstance(step, Pause):
            yield f'<pause milliseconds="{step.milliseconds}"/>'
        elif isinstance(step, Expect):
            yield self._expect(step)
        else:
            lines = self._lines(step)
            yield f"<send><![CDATA[\n\n{self._message(lines, step)}\n\n]]></send>"
        self._index += 1

    def _lines(self, step):
        if isinstance(step, SendBack):
            return self._sent_back(step)
        return self._request(step) if isinstance(step, Send) else self._response(step)

    @staticmethod
    def _message(lines, step):
        lines = [*lines, *getattr(step, "headers", ())]
        step = step if hasattr(step, "body") else Send("")
        if step.body:
            lines.append(f"Content-Type: {getattr(step, 'content_type', 'application/sdp')}")
        return "\n".join([*lines, "Content-Length: [len]" if step.body else "Content-Length: 0", "", step.body])

    def _expect(self, step):
        is_request = isinstance(step.what, str)
        first = is_request and not self._is_caller and self._index == 0
        actions = []
        if first:
            actions += [self._keep("remote", "From:"), self._keep("local", "To:")]
        if first or step.keep_request:
            name = "first" if first else "kept"
            actions += [self._keep(f"{name}_via", "Via:"), self._keep(f"{name}_cseq", "CSeq:")]
        if first and step.what == "INVITE":
            actions.append(self._action("sent_back_cseq", 'regexp="[0-9]+" search_in="hdr" header="CSeq:"'))
        if step.keep:
            actions.append(self._keep("kept", f"{step.keep}:"))
        actions += [self._action(f"has{self._index}_{number}", f'regexp={xml.sax.saxutils.quoteattr(regexp)} search_in="msg"')
                    for number, regexp in enumerate(step.has)]
        if not is_request:
            self._failed = step.what >= 300
            self._in_dialog = self._in_dialog or 101 <= step.what < 300
        else:
            self._request_name = step.what
        attributes = f'request="{step.what}"' if is_request else f'response="{step.what}"'
        # Where further requests go is what a message that makes or refreshes the dialog says.
        if first and step.what == "INVITE" or not is_request and self._sent == "INVITE" and 101 <= step.what < 300:
            attributes += ' rrs="true"'
        if step.optional:
            attributes += ' optional="true"'
        return f"<recv {attributes}>{'<action>' + ''.join(actions) + '</action>' if actions else ''}</recv>"

    def _keep(self, variable, header):
        return self._action(variable, f'regexp="[^ ].*" search_in="hdr" header="{header}"')

    def _action(self, variable, what):
        if variable not in self._variables:
            self._variables.append(variable)
        return f'<ereg {what} check_it="true" assign_to="{variable}"/>'

    def _request(self, step):
        belongs_to_invite = step.method in ("ACK", "CANCEL")
        self._sent = step.method
        to_failure = step.method == "ACK" and self._failed
        in_dialog = self._in_dialog if not belongs_to_invite or step.method == "ACK" and not to_failure else self._invite_in_dialog
        # What is of the INVITE's transaction has its branch.
        branch = f"[branch-{self._index - self._invite_index}]" if step.method == "CANCEL" or to_failure else "[branch]"
        if not belongs_to_invite:
            self._cseq += 1
        if step.method == "INVITE":
            self._invite_index, self._invite_cseq, self._invite_in_dialog = self._index, self._cseq, in_dialog
        target = "[next_url]" if in_dialog else "sip:[service]@[remote_ip]:[remote_port]"
        if self._is_caller:
            peer_tag = "[peer_tag_param]" if in_dialog or to_failure else ""
            ends = ["From: <sip:caller@[remote_ip]>;tag=caller[call_number]", f"To: <sip:[service]@[remote_ip]>{peer_tag}"]
        else:
            ends = ["From: [$local];tag=callee[call_number]", "To: [$remote]"]
        return [f"{step.method} {target} SIP/2.0", f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch};rport", *ends,
                "Call-ID: [call_id]", f"CSeq: {self._invite_cseq if belongs_to_invite else self._cseq} {step.method}",
                *([] if step.method in ("MESSAGE", "CANCEL") else ["Contact: <sip:[service]@[local_ip]:[local_port]>", _ALLOW]),
                "Max-Forwards: 70"]

    def _sent_back(self, step):
        branch = "[branch-2]" if step.ack else "[branch]"
        method = "ACK" if step.ack else "INVITE"
        vias = [f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch};rport"]
        if not step.ack:
            vias.append("[last_Via:]")
        return [f"{method} {step.uri} SIP/2.0", *vias, "[last_From:]", "[last_To:]", "[last_Call-ID:]",
                f"CSeq: [$sent_back_cseq] {method}", "Contact: <sip:[service]@[local_ip]:[local_port]>", "Max-Forwards: 60"]

    def _response(self, step):
        # What does not belong to a dialog yet names this side without a tag.
        untagged = not self._is_caller and not self._answered and self._request_name in ("INVITE", "CANCEL", "MESSAGE", "INFO")
        if 200 <= step.status < 300 and (step.to_first or self._request_name == "INVITE"):
            self._answered = True
        if step.to_first or step.to_kept:
            name = "first" if step.to_first else "kept"
            names = [f"Via: [${name}_via]", "From: [$remote]", "To: [$local];tag=callee[call_number]", "Call-ID: [call_id]",
                     f"CSeq: [${name}_cseq]"]
        else:
            names = ["[last_Via:]", "[last_From:]", f"[last_To:]{';tag=callee[call_number]' if untagged else ''}", "[last_Call-ID:]",
                     "[last_CSeq:]"]
        # A redirection's Contact is somebody else.
        contact = ["Contact: <sip:[service]@[local_ip]:[local_port]>"] if step.status < 300 else []
        return [f"SIP/2.0 {step.status} Row", *names, *contact, _ALLOW]
