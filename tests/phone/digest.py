"""Answers to digest challenges: MD5 and SHA-256 with qop=auth (RFC 7616), and the old form without qop (RFC 2069)."""

import hashlib
import re
import secrets

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Challenge:
    """A WWW-Authenticate or Proxy-Authenticate value."""

    def __init__(self, value):
        scheme, _, rest = value.partition(" ")
        if scheme.lower() != "digest":
            raise ValueError(f"not a digest challenge: {value}")
        self._parameters = {
            name.lower(): quoted or plain
            for name, quoted, plain in re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', rest)}

    @property
    def realm(self):
        return self._parameters["realm"]

    @property
    def nonce(self):
        return self._parameters["nonce"]

    @property
    def algorithm(self):
        """MD5 where the challenge names none."""
        return self._parameters.get("algorithm", "MD5").upper()

    @property
    def qops(self):
        return [qop.strip() for qop in self._parameters.get("qop", "").split(",") if qop.strip()]

    @property
    def is_stale(self):
        return self._parameters.get("stale", "").lower() == "true"

    @property
    def opaque(self):
        return self._parameters.get("opaque")


def choose(challenges, algorithm="MD5"):
    """The first challenge with the algorithm; ValueError where there is none."""
    for challenge in challenges:
        if challenge.algorithm == algorithm:
            return challenge
    raise ValueError(f"no challenge for {algorithm}; there are: {[challenge.algorithm for challenge in challenges]}")


def answer(challenge, method, uri, user, password, *, legacy=False):
    """The Authorization value. `legacy`: the old form without qop and cnonce, which the phones of the seed call use."""
    def digest(*parts):
        return _HASHES[challenge.algorithm](":".join(parts).encode("utf-8")).hexdigest()

    ha1 = digest(user, challenge.realm, password)
    ha2 = digest(method, uri)
    head = f'Digest username="{user}", realm="{challenge.realm}", nonce="{challenge.nonce}", uri="{uri}"'
    if legacy or "auth" not in challenge.qops:
        return f'{head}, response="{digest(ha1, challenge.nonce, ha2)}"'
    cnonce = secrets.token_hex(8)
    response = digest(ha1, challenge.nonce, "00000001", cnonce, "auth", ha2)
    text = f'{head}, response="{response}", algorithm={challenge.algorithm}, cnonce="{cnonce}", qop=auth, nc=00000001'
    return f'{text}, opaque="{challenge.opaque}"' if challenge.opaque is not None else text
