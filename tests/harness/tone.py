"""Tones as WAV files, and how much of a recording is a tone of a given frequency."""

import array
import math
import wave

RATE = 8000
_PIECES = 5


def write_tone(path, hertz, seconds):
    """A sine of half the full amplitude, mono, 16 bits."""
    samples = array.array("h", (round(16000 * math.sin(2 * math.pi * hertz * i / RATE)) for i in range(round(RATE * seconds))))
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def read_samples(path):
    """The samples and the rate of a mono file, also of one whose header was never finished."""
    with open(path, "rb") as file:
        data = file.read()
    rate = int.from_bytes(data[24:28], "little")
    body = data[44:]
    return array.array("h", body[:len(body) // 2 * 2]), rate


def strongest_tone(samples, rate):
    """What _frequency says of the purest of the loudest fifths of a second: silence around the call and gaps in it do not count."""
    size = rate // 5
    pieces = [samples[start:start + size] for start in range(0, max(1, len(samples) - size), size)]
    pieces.sort(key=lambda piece: sum(abs(s) for s in piece[::7]), reverse=True)
    return max((_frequency(piece, rate) for piece in pieces[:_PIECES]), key=lambda found: found[1])


def _frequency(samples, rate):
    """The strongest frequency from 100 to 3400 Hz, to 5 Hz, and its share of the energy (1: a pure tone)."""
    energy = sum(s * s for s in samples) or 1
    powers = {hertz: _goertzel(samples, rate, hertz) for hertz in range(100, 3401, 5)}
    best = max(powers, key=powers.get)
    return best, 2 * powers[best] / (len(samples) * energy)


def _goertzel(samples, rate, hertz):
    coefficient = 2 * math.cos(2 * math.pi * hertz / rate)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
    return last * last + before * before - coefficient * last * before
