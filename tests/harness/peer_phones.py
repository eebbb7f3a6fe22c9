"""What the tests with the phones of others have in common: phones that register at Sluice, answer at once and play a tone each."""

import argparse

from harness import baresip, call_network as net
from harness.baresip import Baresip
from harness.controller import REALM
from harness.linphone import Linphone
from harness.system_test import SystemTest, main, measured
from harness.tone import read_samples, strongest_tone, write_tone

TONES = {"anna": 600, "bert": 1450, "carl": 1000}
_KINDS = {"baresip": Baresip, "linphone": Linphone}


class PeerPhonesTest(SystemTest):
    # Name to class.
    kinds = {}

    @classmethod
    def start_programs(cls):
        cls.relay = cls.start_relay()
        digests = set.intersection(*(set(kind.DIGESTS) for kind in cls.kinds.values()))
        cls.controller = cls.start_controller([cls.relay], digests=sorted(digests, reverse=True))

    def phone(self, name, namespace, address):
        """A phone of account `name`, registered."""
        self.controller.add_account(name, f"{name}-secret")
        sound = self.work_folder.file(f"{name}.wav")
        write_tone(sound, TONES[name], 60)
        who = (name, f"{name}-secret", REALM, f"{net.SWITCH_A}:{net.SIP_PORT}")
        if self.kinds[name] is Baresip:
            phone = Baresip(name, baresip.account_line(*who), self.work_folder, namespace, address, sound)
        else:
            phone = Linphone(*who, self.work_folder, namespace, sound)
        self.stack.enter_context(phone)
        phone.wait_until(lambda: self.controller.ctl.json("bindings", name).get("bindings"), "it registered")
        return phone

    def talking_phones(self):
        """anna and bert, who is behind the NAT, in a call that anna has made."""
        anna = self.phone("anna", self.network.phone_a, net.PHONE_A)
        bert = self.phone("bert", self.network.phone_b, net.PHONE_B)
        anna.dial(f"sip:bert@{REALM}")
        anna.wait_until_talking()
        return anna, bert

    def expect_heard(self, phone, name):
        """The recording has the tone of `name`. Answers its seconds."""
        samples, rate = read_samples(phone.recording())
        heard, share = strongest_tone(samples, rate)
        measured(f"{phone.name} heard {heard} Hz, {share:.1%} of the sound, for {len(samples) / rate:.1f} s")
        self.assertEqual(heard, TONES[name])
        self.assertGreater(share, 0.9)
        return len(samples) / rate


def peer_phones_main(description):
    """main of the calling script; its flag --phones says which phones anna, bert, … have."""
    flags = argparse.ArgumentParser(add_help=False)
    flags.add_argument("--phones", required=True, metavar="KIND,…", help=f"{' or '.join(_KINDS)} for each of {', '.join(TONES)}")
    PeerPhonesTest.kinds = dict(zip(TONES, (_KINDS[kind] for kind in flags.parse_known_args()[0].phones.split(","))))
    main(description, more_flags=[flags])
