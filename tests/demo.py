#!/usr/bin/env python3
"""./dev demo: one relay, one controller, and the seed call between two phones with its audio and video.

Everything runs in network namespaces of its own (harness/call_network.py), so nothing of the machine is touched, and all is gone at the
end. Exit status 0 only if all 17 messages happened in their order on both sides and every packet of the media came through.
"""

import argparse
import contextlib
import sys
import time

from call_view import clipped, duration, ladder, percentile, table
from harness import call_network as net
from harness.call_network import CallNetwork
from harness.controller import Controller
from harness.namespaces import NamespaceError
from harness.process import INTERRUPTED, ProcessError, end_on_sigterm
from harness.programs import parser, programs_of
from harness.proto_json import moment, number, seconds_of, get
from harness.relay import Relay, worker_cpu
from harness.sluicectl import SluicectlError
from harness.work_folder import WorkFolder
from phone import sdp
from phone.rtp_stream import exchange, open_paths, pair, point
from phone.sip_phone import PhoneError
from seed_call.phones import CALLEE, CALLEE_PASSWORD, CALLER, CALLER_NAME, CALLER_PASSWORD, SeedCallee, SeedCaller

# The ladder: whose side, whether the phone sends, and how its first line begins.
SEED_LADDER = [
    ("A", True, "INVITE"), ("A", False, "SIP/2.0 407"), ("A", True, "ACK"), ("A", True, "INVITE"), ("A", False, "SIP/2.0 100"),
    ("B", False, "INVITE"), ("B", True, "SIP/2.0 100"), ("B", True, "SIP/2.0 180"), ("A", False, "SIP/2.0 180"),
    ("B", True, "SIP/2.0 200"), ("B", False, "ACK"), ("A", False, "SIP/2.0 200"), ("A", True, "ACK"),
    ("A", True, "BYE"), ("A", False, "SIP/2.0 200"), ("B", False, "BYE"), ("B", True, "SIP/2.0 200"),
]


class DemoError(RuntimeError):
    """The demo cannot go on; the text says what was seen and what to do."""


class Demo:
    """One run. Each step is a method; `problems` collects what is missing at the end."""

    def __init__(self, flags):
        self._programs = programs_of(flags)
        self._seconds = flags.seconds
        self._device = flags.device
        self._stack = contextlib.ExitStack()
        self._step_name = ""
        self._problems = []
        self._tty = sys.stderr.isatty()

    def run(self):
        with self._stack:
            self._step("makes the network namespaces", self._make_network)
            self._step("starts the relay", self._start_relay)
            self._step("starts the controller", self._start_controller)
            self._step("registers B from behind its NAT", self._register)
            self._step("places the call", self._place_call)
            self._step("opens the media paths", self._open_media)
            self._step("plays audio and video", self._play)
            self._step("hangs up", self._hang_up)
            self._step("asks the controller what it saw", self._ask)
            self._clear_progress()
            self._show()
        return 1 if self._problems else 0

    def _step(self, name, action):
        self._step_name = name
        self._progress(name)
        try:
            action()
        except (PhoneError, ProcessError, NamespaceError, SluicectlError, DemoError, ValueError) as error:
            self._clear_progress()
            raise DemoError(f"step '{name}': {error}") from error

    # The steps.

    def _make_network(self):
        self._work_folder = self._stack.enter_context(WorkFolder())
        self._network = self._stack.enter_context(CallNetwork())

    def _start_relay(self):
        devices = ["af_xdp", "af_packet"] if self._device == "auto" else [self._device]
        for device in devices:
            relay = Relay(self._programs, self._work_folder, self._network.switch, device=device)
            try:
                self._relay = self._stack.enter_context(relay)
                self._device = device
                return
            except ProcessError as error:
                if device == devices[-1]:
                    raise
                self._clear_progress()
                reason = str(error).splitlines()[-1].split(" | ")[-1]
                print(f"demo: warning: no AF_XDP here, so the relay uses af_packet, which is slower: {reason}", file=sys.stderr)

    def _start_controller(self):
        self._controller = self._stack.enter_context(Controller(
            self._programs, self._work_folder, self._network.switch, [(self._relay.name, self._relay.address)]))
        self._controller.wait_for_relay(self._relay.name)
        self._controller.add_account(CALLER, CALLER_PASSWORD, display_name=CALLER_NAME, legacy_digest=True)
        self._controller.add_account(CALLEE, CALLEE_PASSWORD)

    def _register(self):
        self._caller = self._stack.enter_context(SeedCaller(self._network))
        self._callee = self._stack.enter_context(SeedCallee(self._network))
        response = self._callee.phone.register()
        if response.status != 200:
            raise DemoError(f"B's REGISTER was answered by '{response}' instead of 200: look at the controller's accounts")
        for side in (self._caller, self._callee):
            side.phone.trace.clear()

    def _place_call(self):
        caller, callee = self._caller, self._callee
        caller.invite()
        challenged = caller.phone.expect(407)
        caller.acknowledge_challenge(challenged)
        caller.invite_authorized(challenged)
        caller.phone.expect(100)
        self._offer = callee.phone.expect("INVITE")
        callee.trying(self._offer)
        callee.ring(self._offer)
        caller.phone.expect(180)
        callee.answer(self._offer)
        callee.phone.expect("ACK")
        self._answer = caller.phone.expect(200)
        caller.acknowledge(self._answer)

    def _open_media(self):
        towards_a, towards_b = sdp.read(self._answer.body), sdp.read(self._offer.body)
        if len(towards_a) != 2 or len(towards_b) != 2:
            raise DemoError(f"audio and video were offered, but B was offered {len(towards_b)} and A was answered "
                            f"{len(towards_a)} media lines")
        for index, (a, b) in enumerate(zip(self._caller.streams, self._callee.streams)):
            pair(a, b)
            point(a, towards_a[index])
            point(b, towards_b[index])
        self._streams = self._caller.streams + self._callee.streams
        if not open_paths(self._streams):
            deaf = [f"{stream.format.kind} of {name} ({stream.opening_sent} sent)"
                    for name, side in (("A", self._caller), ("B", self._callee)) for stream in side.streams
                    if not stream.opening_received]
            raise DemoError(f"nothing came for 5 s on: {', '.join(deaf)}; drops of the relay: {self._drops()}")

    def _play(self):
        packets = round(self._seconds / self._streams[0].format.interval)
        exchange(self._streams, packets,
                 progress=lambda now: self._progress(f"plays audio and video {now:4.1f} of {self._seconds} s"))
        calls = self._controller.ctl.json("calls").get("calls", [])
        if not calls:
            raise DemoError("the controller knows no call while one is standing (sluicectl calls)")
        self._call_id = calls[0]["callId"]
        self._live = self._controller.ctl.json("call", self._call_id)

    def _hang_up(self):
        self._caller.bye(self._answer)
        self._caller.phone.expect(200)
        bye = self._callee.phone.expect("BYE")
        self._callee.answer_bye(bye)

    def _ask(self):
        deadline = time.monotonic() + 5
        while True:
            self._final = self._controller.ctl.json("call", self._call_id)
            if self._final["call"].get("state") == "CALL_STATE_ENDED" or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        self._relay_statistics = self._relay.ctl.json("stats", "relay")

    # What is shown.

    def _show(self):
        callee_seen = get(self._final, "call", "callee", "peer", default="?").rpartition("udp:")[2]
        print(f"Sluice demo · {CALLER} “{CALLER_NAME}” (A) calls {CALLEE} (B, behind a NAT) through {self._relay.name}, "
              f"DPDK net_{self._device}, worker on core {worker_cpu()}\n")
        messages = self._show_ladder(callee_seen)
        print()
        self._show_media_map()
        print()
        self._show_streams()
        sent = sum(stream.sent for stream in self._streams)
        received = sum(stream.received for stream in self._streams)
        lost = sum(stream.lost for stream in self._streams)
        for problem in self._problems:
            print(f"demo: missing: {problem}")
        print(f"demo: {messages}/{len(SEED_LADDER)} messages, {sent} packets sent, {received} received, {lost} lost")

    def _show_ladder(self, callee_seen):
        """Shows the controller's ladder; answers how many of the 17 messages are there and were seen by the phones too."""
        entries = [entry for entry in self._final.get("ladder", []) if not entry.get("retransmission")]
        first = moment(entries[0]["time"]) if entries else 0
        shown, seen = [], []
        for entry in entries:
            side = "A" if entry.get("peer") == "LADDER_PEER_CALLER" else "B"
            sent = entry.get("received", False)
            rightwards = sent == (side == "A")
            shown.append((moment(entry["time"]) - first, side == "A", rightwards, _short(entry["firstLine"])))
            seen.append((side, sent, entry["firstLine"]))
        print(ladder(shown, f"A {net.PHONE_A}:45426", f"controller {net.SWITCH_A}:{net.SIP_PORT}",
                     f"B {net.PHONE_B}:43518, seen as {callee_seen}"))
        return self._check_ladder(seen)

    def _check_ladder(self, seen):
        """The order within each side is fixed; between the sides some messages may cross."""
        there = 0
        for side, phone in (("A", self._caller.phone), ("B", self._callee.phone)):
            wanted = [(sent, begin) for where, sent, begin in SEED_LADDER if where == side]
            controllers = [(sent, line) for where, sent, line in seen if where == side]
            phones = [(entry.sent, entry.message.start_line) for entry in phone.trace]
            if controllers != phones:
                self._problems.append(f"on {side}'s side the controller's ladder is {controllers}, but the phone saw {phones}")
            for index, (sent, begin) in enumerate(wanted):
                if index < len(controllers) and controllers[index] in phones and \
                        controllers[index][0] == sent and controllers[index][1].startswith(begin):
                    there += 1
                else:
                    self._problems.append(f"{side}'s message {index + 1}: {'sent' if sent else 'received'} {begin}")
        return there

    def _show_media_map(self):
        rows = []
        for index, kind in enumerate(("audio", "video")):
            stream = get(self._live, "media", "streams", index, default={})
            a, b = (get(stream, "legs", leg, default={}) for leg in (0, 1))
            learned, said = _endpoint(b.get("learnedRemote")), f"{net.PHONE_B}:{self._callee.streams[index].port}"
            rows.append([kind, _endpoint(a.get("learnedRemote")), "⇄", _endpoint(a.get("local")), "⇄", _endpoint(b.get("local")), "⇄",
                         f"{learned} (said {said}, learned after 5 packets)" if learned != said else learned])
            if "learnedRemote" not in a or "learnedRemote" not in b:
                self._problems.append(f"{kind}: the relay has not learned both sources")
        print(table(["media", "A", "", "relay towards A", "", "relay towards B", "", "B, as the relay sees it"], rows, "<<<<<<<<"))

    def _show_streams(self):
        residence = get(self._relay_statistics, "relay", "residence", default={})
        relay_delay = f"{duration(seconds_of(residence.get('p50')))} / {duration(seconds_of(residence.get('p99')))}"
        rows = []
        for index, kind in enumerate(("audio", "video")):
            a, b = self._caller.streams[index], self._callee.streams[index]
            for leg, sender, receiver, direction in ((0, a, b, "A → B"), (1, b, a, "B → A")):
                received = get(self._final, "media", "streams", index, "legs", leg, "received", default={})
                mos = get(received, "quality", "mos", default=0)
                rows.append([
                    kind, direction, str(sender.sent), str(receiver.received), str(receiver.lost), f"{receiver.jitter_ms:.1f} ms",
                    relay_delay,
                    f"{duration(percentile(receiver.delays, 0.5))} / {duration(percentile(receiver.delays, 0.99))}",
                    f"{mos:.2f}" if mos else "–"])
                self._check_stream(kind, direction, leg, index, sender, receiver, received)
        head = ["stream", "direction", "sent", "received", "lost", "jitter", "relay delay p50 / p99", "phone to phone p50 / p99", "MOS"]
        print(table(head, rows, "<<>>>>>>>"))
        opening = max(stream.opening_sent for stream in self._streams)
        print(f"\nBefore that, each stream sent {opening} opening packets of its own sequence: B opens its NAT with them, and the relay takes\n"
              "an address that was not signalled only after 5 of them. The relay delay is that of all packets of its one worker.")

    def _check_stream(self, kind, direction, leg, index, sender, receiver, received):
        """What phones, relay and controller counted has to agree."""
        name = f"{kind} {direction}"
        wrong = {"lost": receiver.lost, "altered": receiver.altered, "out of order": receiver.reordered,
                 "doubled": receiver.duplicates, "not of this stream": receiver.strange}
        self._problems += [f"{name}: {count} packets {what}" for what, count in wrong.items() if count]
        if not receiver.rtcp_received:
            self._problems.append(f"{name}: no RTCP came through")
        sent_on = number(self._final, "media", "streams", index, "legs", 1 - leg, "sentPackets")
        if sent_on < receiver.received:
            self._problems.append(f"{name}: the relay says that it sent {sent_on} packets, {receiver.received} came")
        if number(received, "lost"):
            self._problems.append(f"{name}: the relay counts {number(received, 'lost')} packets as lost before it")

    def _drops(self):
        with contextlib.suppress(SluicectlError):
            return get(self._relay.ctl.json("stats", "relay"), "relay", "drops", default={}) or "none"
        return "unknown (sluicectl stats failed)"

    # Progress goes to the terminal only, one line that the next one overwrites.

    def _progress(self, text):
        if self._tty:
            print(f"\r\033[K  … {clipped(text, 70)}", end="", file=sys.stderr, flush=True)

    def _clear_progress(self):
        if self._tty:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _short(first_line):
    """The first line without what is the same in all of them."""
    return first_line.removeprefix("SIP/2.0 ").removesuffix(" SIP/2.0")


def _endpoint(value):
    return f"{value['address']}:{value['port']}" if value else "–"


def main():
    flags = parser(__doc__.splitlines()[0])
    flags.add_argument("--seconds", type=_seconds, default=10, help="how long audio and video play, 1 to 30 (10)")
    flags.add_argument("--device", choices=("auto", "af_xdp", "af_packet"), default="auto",
                       help="auto: AF_XDP, and af_packet with a warning where that does not work")
    end_on_sigterm()
    try:
        return Demo(flags.parse_args()).run()
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; all that it had started is ended", file=sys.stderr)
        return INTERRUPTED


def _seconds(text):
    if not text.isdigit() or not 1 <= int(text) <= 30:
        raise argparse.ArgumentTypeError("wants a whole number from 1 to 30")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
