"""A call between two of our phones through Sluice: set up step by step, with a stream each way, ready for media."""

from phone import sdp
from phone.rtp_stream import PCMA_20_MS, RtpStream, exchange, open_paths, pair, point


class EstablishedCall:
    """`caller` calls `callee`, who rings and answers. The phones have the RTP ports `caller_port` and `callee_port`."""

    def __init__(self, caller, callee, *, caller_port=21000, callee_port=21000):
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
