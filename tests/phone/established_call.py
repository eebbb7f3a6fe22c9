"""A call between two of our phones through Sluice: set up step by step, with a stream each way, ready for media."""

import threading

from phone import sdp
from phone.rtp_stream import PCMA_20_MS, RtpStream, exchange, open_paths, pair, point
from phone.sip_message import uri_of
from phone.sip_phone import response_to

_OPPOSITES = {"sendonly": "recvonly", "sendrecv": "sendrecv"}
_STANDING_PACKETS = 25


class EstablishedCall:
    """`caller` calls `callee`, who rings and answers. The phones have the RTP ports `caller_port` and `callee_port`."""

    def __init__(self, caller, callee, *, caller_port=21000, callee_port=21000):
        self._ports = {caller: caller_port, callee: callee_port}
        self._version = 1
        self.outgoing = caller.call(callee.user, sdp.audio(caller.address, caller_port))
        self.incoming = callee.incoming()
        self.incoming.respond(180, "Ringing")
        self.outgoing.expect(180)
        self.incoming.respond(200, "OK", body=sdp.audio(callee.address, callee_port))
        self.incoming.expect_ack()
        self.answer = self.outgoing.expect(200)
        self.outgoing.ack()
        # Where the relay wants the media of each side.
        self.towards_caller = sdp.read(self.answer.body)[0]
        self.towards_callee = sdp.read(self.incoming.invite.body)[0]
        self.streams = [RtpStream(caller.namespace, caller.address, caller_port, PCMA_20_MS),
                        RtpStream(callee.namespace, callee.address, callee_port, PCMA_20_MS)]
        pair(*self.streams)
        point(self.streams[0], self.towards_caller)
        point(self.streams[1], self.towards_callee)

    def exchange(self, packets, *, opening_seconds=5.0):
        """Plays that many packets each way; AssertionError unless all came as they were sent."""
        if not open_paths(self.streams, opening_seconds):
            raise AssertionError(f"media does not flow both ways after {opening_seconds:g} s: heard "
                                 f"{[stream.opening_received for stream in self.streams]} opening packets")
        exchange(self.streams, packets, report_every=0.5)
        for name, stream in zip(("caller", "callee"), self.streams):
            faults = (stream.lost, stream.altered, stream.reordered, stream.duplicates, stream.strange)
            if faults != (0, 0, 0, 0, 0):
                raise AssertionError(f"the {name} misses {faults[0]} of {stream.peer.sent} packets; {faults[1]} altered, "
                                     f"{faults[2]} out of order, {faults[3]} doubled, {faults[4]} strange")

    @property
    def sent(self):
        """Packets of the caller and of the callee, those included that opened the paths."""
        return [stream.opening_sent + stream.sent for stream in self.streams]

    def reinvite(self, direction, by_callee=False):
        """A re-INVITE of one side with its media in that direction, answered by the other and acknowledged."""
        sender, receiver = (self.incoming, self.outgoing) if by_callee else (self.outgoing, self.incoming)
        opposite = _OPPOSITES[direction]
        self._version += 1
        sender.invite = sender.request("INVITE", [("Content-Type", "application/sdp")], self._media(sender.phone, direction))
        sender.phone.send(sender.invite)
        offer = receiver.phone.expect("INVITE")
        if offer.get("Call-ID") != receiver.call_id or f"a={direction}".encode() not in offer.body:
            raise AssertionError(f"{receiver.phone.user} got another offer than {direction} in its call: {offer.encode()}")
        answer = response_to(offer, 200, "OK")
        answer.headers += [("Contact", receiver.phone.contact), ("Content-Type", "application/sdp")]
        answer.body = self._media(receiver.phone, opposite)
        receiver.phone.send(answer)
        receiver.phone.expect("ACK")
        success = sender.phone.expect(200)
        if f"a={opposite}".encode() not in success.body:
            raise AssertionError(f"{sender.phone.user} got another answer than {opposite}: {success.encode()}")
        sender.phone.send(sender.request("ACK"))

    def take_refresh(self, by_callee=False, timeout=10.0):
        """A side takes a re-INVITE that changes nothing but where its peer is; it goes there from now on."""
        side = self.incoming if by_callee else self.outgoing
        offer = side.phone.expect("INVITE", timeout)
        if offer.get("Call-ID") != side.call_id:
            raise AssertionError(f"{side.phone.user} got an INVITE of another call: {offer.encode()}")
        side.target = uri_of(offer.get("Contact"))
        answer = response_to(offer, 200, "OK")
        answer.headers += [("Contact", side.phone.contact), ("Content-Type", "application/sdp")]
        answer.body = self._media(side.phone, "sendrecv")
        address, port = side.target.split("@")[1].split(";")[0].split(":")
        side.phone.server = (address, int(port))
        side.phone.send(answer)
        side.phone.expect("ACK")

    def _media(self, phone, direction):
        port = next(port for owner, port in self._ports.items() if owner.user == phone.user)
        body = sdp.audio(phone.address, port).replace(b"a=sendrecv", b"a=" + direction.encode())
        return body.replace(b" 1 1 IN ", f" 1 {self._version} IN ".encode())

    @property
    def slowest_ms(self):
        """The longest way of a packet from phone to phone."""
        return 1e3 * max(max(stream.delays) for stream in self.streams)

    def hang_up(self, by_callee=False):
        """BYE by one side, answered by Sluice, and BYE to the other, answered there."""
        first, second = (self.incoming, self.outgoing) if by_callee else (self.outgoing, self.incoming)
        first.bye()
        second.expect_bye()
        self.close()

    def close(self):
        for stream in self.streams:
            stream.close()


class StandingMedia(threading.Thread):
    """Plays the media of a call both ways until `end`, which fails unless all came as it was sent."""

    def __init__(self, call):
        super().__init__()
        self._call = call
        self._over = threading.Event()
        self._failure = None
        self.start()

    def run(self):
        try:
            while not self._over.is_set():
                self._call.exchange(_STANDING_PACKETS)
        except AssertionError as failure:
            self._failure = failure

    def end(self):
        self._over.set()
        self.join()
        if self._failure:
            raise self._failure
