"""A SIP phone that does what the test says next, and says clearly when something else comes than was expected.

It has no thread: the test sends, expects, answers. Retransmissions of what was seen already are absorbed and counted. Every message is kept
with its time in `trace`.
"""

import secrets
import time
from dataclasses import dataclass

from phone import digest
from phone.sip_message import SipMessage, uri_of
from phone.transport import TRANSPORTS, host


class PhoneError(AssertionError):
    """Something else came than was expected; the text says what."""


@dataclass
class TraceEntry:
    """A message as the phone saw it. `time`: time.time()."""

    time: float
    sent: bool
    message: SipMessage


class SipPhone:
    """A user at `address`:`port` in `namespace`, who talks to `server` (address, port; another one at any time) and belongs to `domain`."""

    def __init__(self, namespace, address, port, *, user, password="", server, domain, transport="udp", algorithm="MD5",
                 legacy_digest=False, ca_file=None, certificate=None):
        self.namespace = namespace
        self.user = user
        self.password = password
        self.address = address
        self.port = port
        self.domain = domain
        self.trace = []
        self.retransmissions = 0
        self.server = server
        # For TLS: whom the phone believes, and what it shows.
        secure = {key: value for key, value in (("ca_file", ca_file), ("certificate", certificate)) if value}
        self._transport = TRANSPORTS[transport](namespace, address, port, **secure)
        self._transport_name = self._transport.name.lower()
        self._algorithm = algorithm
        self._legacy_digest = legacy_digest
        self._seen = set()
        self._register_call_id = secrets.token_hex(8)
        self._register_cseq = 0

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self._transport.close()

    @property
    def transport(self):
        return self._transport

    @property
    def contact(self):
        # RFC 7118 5: ws in URIs, also over TLS.
        name = "ws" if self._transport_name == "wss" else self._transport_name
        suffix = "" if name == "udp" else f";transport={name}"
        return f"<sip:{self.user}@{self._sent_by}{suffix}>"

    @property
    def _sent_by(self):
        # A browser does not know its own address.
        return f"{self.user}.invalid" if self._transport_name in ("ws", "wss") else f"{host(self.address)}:{self.port}"

    def via(self, branch=None):
        branch = branch or f"z9hG4bK{secrets.token_hex(8)}"
        return f"SIP/2.0/{self._transport.name} {self._sent_by};rport;branch={branch}"

    # Sending and receiving.

    def send(self, message):
        """Sends a request to the server, an answer to where its request came from."""
        self.trace.append(TraceEntry(time.time(), True, message))
        self._transport.send(message.encode(), message.peer or self.server)

    def send_bytes(self, data):
        """Sends what need not be SIP."""
        self._transport.send(data, self.server)

    def receive(self, timeout=5.0):
        """The next message that is no retransmission; None after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            data, source = self._transport.receive(left)
            if data is None:
                return None
            if not data.strip():
                continue  # Keep-alive.
            if data in self._seen:
                self.retransmissions += 1
                continue
            self._seen.add(data)
            message = SipMessage.parse(data)
            message.peer = source
            self.trace.append(TraceEntry(time.time(), False, message))
            return message
        return None

    def expect(self, wanted, timeout=5.0):
        """The next message, which has to be a request with the method `wanted` or a response with the status `wanted`.

        100 Trying is passed over unless it is what is wanted.
        """
        while True:
            message = self.receive(timeout)
            if message is None:
                raise PhoneError(f"{self.user} waits for {wanted}, but nothing came for {timeout:g} s; it saw before: "
                                 f"{self.history()}")
            if message.status == 100 and wanted != 100:
                continue
            if wanted == (message.method if message.is_request else message.status):
                return message
            raise PhoneError(f"{self.user} waits for {wanted}, but '{message}' came; it saw before: {self.history()}")

    def expect_nothing(self, seconds):
        message = self.receive(seconds)
        if message is not None:
            raise PhoneError(f"{self.user} should have got nothing, but '{message}' came")

    def history(self):
        """The first lines of what was sent and received, for error messages."""
        return "; ".join(f"{'→' if entry.sent else '←'} {entry.message}" for entry in self.trace[-8:]) or "nothing"

    # Requests outside of a dialog.

    def request(self, method, uri, *, to=None, call_id=None, cseq=1, from_tag=None, headers=(), body=b""):
        """A request of this user, not yet sent."""
        head = [("Via", self.via()), ("Max-Forwards", "70"),
                ("From", f"<sip:{self.user}@{self.domain}>;tag={from_tag or secrets.token_hex(6)}"),
                ("To", to or f"<{uri}>"), ("Call-ID", call_id or secrets.token_hex(12)), ("CSeq", f"{cseq} {method}"),
                ("Contact", self.contact), ("User-Agent", "Sluice test phone")]
        return SipMessage(f"{method} {uri} SIP/2.0", [*head, *headers], body)

    def authorize(self, request, challenged, password=None):
        """`request` again, with an answer to the challenge of the response `challenged`: new branch, next CSeq."""
        proxy = challenged.status == 407
        values = challenged.all("Proxy-Authenticate" if proxy else "WWW-Authenticate")
        challenge = digest.choose([digest.Challenge(value) for value in values], self._algorithm)
        method, uri = request.method, request.uri
        again = SipMessage(request.start_line, request.headers, request.body)
        again.set("Via", self.via())
        again.set("CSeq", f"{request.cseq + 1} {method}")
        again.set("Proxy-Authorization" if proxy else "Authorization",
                  digest.answer(challenge, method, uri, self.user, self.password if password is None else password,
                                legacy=self._legacy_digest))
        return again

    def register(self, *, expires=600, contact=None, password=None):
        """Registers and answers the final response, whatever it is."""
        self._register_cseq += 1
        request = self.request(
            "REGISTER", f"sip:{self.domain}", to=f"<sip:{self.user}@{self.domain}>", call_id=self._register_call_id,
            cseq=self._register_cseq, headers=[("Expires", str(expires))])
        if contact is not None:
            request.set("Contact", contact)
        self.send(request)
        response = self._final_response()
        if response.status == 401:
            self._register_cseq += 1
            self.send(self.authorize(request, response, password))
            response = self._final_response()
        return response

    def acknowledge_failure(self, invite, response):
        """The ACK of a final response above 299 belongs to the transaction: same branch (RFC 3261 17.1.1.3)."""
        head = [("Via", invite.get("Via")), ("Max-Forwards", "70"), ("From", invite.get("From")), ("To", response.get("To")),
                ("Call-ID", invite.get("Call-ID")), ("CSeq", f"{invite.cseq} ACK")]
        self.send(SipMessage(f"ACK {invite.uri} SIP/2.0", head))

    def call(self, number, offer, *, headers=(), password=None):
        """Sends an INVITE with `offer` (bytes, SDP) and answers the call. A phone with a password answers a challenge."""
        headers = [*headers, ("Content-Type", "application/sdp")] if offer else headers
        request = self.request("INVITE", f"sip:{number}@{self.domain}", headers=headers, body=offer)
        self.send(request)
        call = OutgoingCall(self, request)
        first = self._peek_response(call) if self.password else None
        if first is not None and first.status in (401, 407):
            call.acknowledge_failure(first)
            request = self.authorize(request, first, password)
            self.send(request)
            call = OutgoingCall(self, request)
        return call

    def incoming(self, timeout=5.0):
        """Waits for an INVITE."""
        return IncomingCall(self, self.expect("INVITE", timeout))

    def _peek_response(self, call):
        """The first response to an INVITE that was just sent; anything but a challenge is left for the test to expect."""
        message = self.receive()
        if message is None or message.status not in (401, 407):
            call.pending = message
        return message

    def _final_response(self):
        while True:
            message = self.receive()
            if message is None:
                raise PhoneError(f"{self.user} got no answer to {self.trace[-1].message}")
            if message.status >= 200:
                return message


class _Call:
    """The dialog of a call, seen from one phone."""

    def __init__(self, phone, request):
        self.phone = phone
        self.invite = request
        self.call_id = request.get("Call-ID")
        self.local = self.remote = self.target = ""
        self.route = []
        self.cseq = request.cseq

    def request(self, method, headers=(), body=b""):
        """A request in the dialog, with the next CSeq (an ACK: that of the INVITE), not yet sent."""
        if method != "ACK":
            self.cseq += 1
        number = self.invite.cseq if method == "ACK" else self.cseq
        head = [("Via", self.phone.via()), ("Max-Forwards", "70"), *[("Route", route) for route in self.route],
                ("From", self.local), ("To", self.remote), ("Call-ID", self.call_id), ("CSeq", f"{number} {method}"),
                ("Contact", self.phone.contact)]
        return SipMessage(f"{method} {self.target} SIP/2.0", [*head, *headers], body)

    def bye(self):
        """Hangs up and answers the response, which has to be 200."""
        self.phone.send(self.request("BYE"))
        return self.phone.expect(200)

    def expect_bye(self, timeout=5.0):
        """Waits for the peer's BYE and answers it with 200."""
        bye = self.phone.expect("BYE", timeout)
        self.phone.send(response_to(bye, 200, "OK"))
        return bye


class OutgoingCall(_Call):
    """A call that this phone has placed."""

    def __init__(self, phone, request):
        super().__init__(phone, request)
        self.local, self.remote, self.target = request.get("From"), request.get("To"), request.uri
        self.pending = None

    def expect(self, status, timeout=5.0):
        """Waits for a response with that status. A failure is acknowledged; a 2xx makes the dialog (send `ack`)."""
        response, self.pending = self.pending, None
        if response is not None and response.status == 100 and status != 100:
            response = None
        if response is None:
            response = self.phone.expect(status, timeout)
        if response.status != status:
            raise PhoneError(f"{self.phone.user} waits for {status}, but '{response}' came")
        if response.status >= 300:
            self.acknowledge_failure(response)
        elif response.status > 100:
            self.remote = response.get("To")
            self.route = list(reversed(response.all("Record-Route")))
            if contact := response.get("Contact"):
                self.target = uri_of(contact)
        return response

    def ack(self):
        self.phone.send(self.request("ACK"))

    def cancel(self):
        """Sends CANCEL; CSeq number, branch and To are those of the INVITE (RFC 3261 9.1)."""
        head = [("Via", self.invite.get("Via")), ("Max-Forwards", "70"), ("From", self.local),
                ("To", self.invite.get("To")), ("Call-ID", self.call_id), ("CSeq", f"{self.invite.cseq} CANCEL")]
        self.phone.send(SipMessage(f"CANCEL {self.invite.uri} SIP/2.0", head))

    def expect_cancelled(self):
        """Waits for the 200 of the CANCEL and the 487 of the INVITE, in whatever order, and acknowledges."""
        responses = {}
        while len(responses) < 2:
            response = self.phone.receive()
            if response is None:
                raise PhoneError(f"{self.phone.user}: CANCEL was not answered; it saw: {self.phone.history()}")
            responses[response.method] = response
        if {method: response.status for method, response in responses.items()} != {"CANCEL": 200, "INVITE": 487}:
            raise PhoneError(f"{self.phone.user} cancelled and saw: {self.phone.history()}")
        self.acknowledge_failure(responses["INVITE"])

    def acknowledge_failure(self, response):
        self.phone.acknowledge_failure(self.invite, response)


class IncomingCall(_Call):
    """A call that came to this phone."""

    def __init__(self, phone, request):
        super().__init__(phone, request)
        self.local = f"{request.get('To')};tag={secrets.token_hex(6)}"
        self.remote = request.get("From")
        self.target = uri_of(request.get("Contact"))
        self.route = request.all("Record-Route")
        self.cseq = 0

    def respond(self, status, reason, *, body=b"", headers=()):
        """Answers the INVITE; from 101 on with this phone's tag."""
        response = response_to(self.invite, status, reason, to=self.local if status > 100 else None)
        if 101 <= status < 300:
            response.headers.append(("Contact", self.phone.contact))
        response.headers.extend(headers)
        if body:
            response.headers.append(("Content-Type", "application/sdp"))
            response.body = body
        self.phone.send(response)

    def expect_ack(self):
        return self.phone.expect("ACK")

    def expect_cancel(self):
        """Waits for CANCEL, answers it with 200 and the INVITE with 487, and takes the ACK."""
        cancel = self.phone.expect("CANCEL")
        self.phone.send(response_to(cancel, 200, "OK"))
        self.respond(487, "Request Terminated")
        self.expect_ack()
        return cancel


def response_to(request, status, reason, to=None):
    """A response with the header fields that RFC 3261 8.2.6 copies from the request."""
    headers = [("Via", value) for value in request.all("Via")]
    headers += [("Record-Route", value) for value in request.all("Record-Route")]
    headers += [("From", request.get("From")), ("To", to or request.get("To")), ("Call-ID", request.get("Call-ID")),
                ("CSeq", request.get("CSeq"))]
    response = SipMessage(f"SIP/2.0 {status} {reason}", headers)
    response.peer = request.peer
    return response
