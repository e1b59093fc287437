"""A small software synthesiser: notes to stereo sound. Made for the demo library only."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from app.demo.composer import Note
from app.demo.pieces import Sound

__all__ = ["FS_HZ", "render"]

FS_HZ = 44100
Samples = NDArray[np.float32]
Voice = Callable[[float, float], Samples]
"""(frequency in Hz, held for so many seconds) -> mono samples, peak about 1."""


def render(notes: Sequence[Note], sound: Sound) -> Samples:
    """Play `notes` in the room `sound`.

    Returns
    -------
    ndarray, shape (n, 2), float32
        At `FS_HZ`, level as `sound` says, peak < 1, with the reverberation's end.
    """
    end_s = max(note.start_s + note.duration_s for note in notes) + sound.reverb_s
    mix = np.zeros((int(end_s * FS_HZ) + FS_HZ, 2), dtype=np.float32)
    played: dict[tuple[str, int, int], Samples] = {}
    for note in notes:
        key = (note.instrument, note.midi, round(note.duration_s * 100))
        if key not in played:
            frequency_hz = 440.0 * 2.0 ** ((note.midi - 69) / 12)
            played[key] = VOICES[note.instrument](frequency_hz, key[2] / 100)
        samples = played[key]
        start = int(note.start_s * FS_HZ)
        angle = (note.pan + 1.0) * np.pi / 4
        for channel, share in enumerate((np.cos(angle), np.sin(angle))):
            mix[start : start + len(samples), channel] += (
                np.float32(note.velocity * share) * (samples[: len(mix) - start])
            )
    mix = mix[: int(end_s * FS_HZ)]
    mix = mix + sound.wet * _reverberated(mix, sound.reverb_s)
    return _mastered(mix, sound)


def _reverberated(mix: Samples, reverb_s: float) -> Samples:
    """`mix` in a room: convolved with darkened noise that falls by 60 dB in `reverb_s`."""
    rng = np.random.default_rng(7)
    n = int(reverb_s * FS_HZ)
    t_s = np.arange(n) / FS_HZ
    response = rng.standard_normal((n, 2)) * np.exp(-6.9 * t_s / reverb_s)[:, None]
    response[: int(0.012 * FS_HZ)] = 0.0
    size = 1 << (len(mix) + n - 1).bit_length()
    spectrum = np.fft.rfft(response, size, axis=0)
    f_hz = np.fft.rfftfreq(size, 1 / FS_HZ)
    spectrum *= (1.0 / (1.0 + (f_hz / 3500.0) ** 2))[:, None]
    spectrum[f_hz < 120.0] = 0.0
    spectrum *= 1.0 / np.sqrt(np.mean(np.abs(spectrum) ** 2))
    wet = np.fft.irfft(np.fft.rfft(mix, size, axis=0) * spectrum, size, axis=0)
    return wet[: len(mix)].astype(np.float32)


def _mastered(mix: Samples, sound: Sound) -> Samples:
    mix = mix / np.float32(np.sqrt(np.mean(mix**2)) + 1e-9)
    if sound.drive:
        mix = np.tanh(sound.drive * 0.5 * mix) / np.tanh(sound.drive)
        mix = mix / np.float32(np.sqrt(np.mean(mix**2)))
    mix = mix * np.float32(10.0 ** (sound.level_dbfs / 20.0))
    # A soft knee at 0.7 keeps the peaks below full scale, also after lossy coding.
    over = np.abs(mix) > 0.7
    mix[over] = np.sign(mix[over]) * (0.7 + 0.2 * np.tanh((np.abs(mix[over]) - 0.7) / 0.2))
    fade = np.minimum(1.0, np.arange(len(mix))[::-1] / (0.5 * FS_HZ)).astype(np.float32)
    samples: Samples = mix * fade[:, None]
    return samples


# ---------------------------------------------------------------- tones


def _partials(phase: NDArray[np.float64], weights: Sequence[float]) -> NDArray[np.float64]:
    """Sum of sines at 1, 2, 3 ... times `phase`, by the Chebyshev recurrence."""
    twice_cos = 2.0 * np.cos(phase)
    before, now = np.zeros_like(phase), np.sin(phase)
    total = weights[0] * now
    for weight in weights[1:]:
        before, now = now, twice_cos * now - before
        if weight:
            total += weight * now
    return total


def _audible(frequency_hz: float, weights: Sequence[float]) -> Sequence[float]:
    return weights[: max(1, int(0.4 * FS_HZ / frequency_hz))]


def _envelope(n_held: int, n: int, attack_s: float, release_s: float) -> NDArray[np.float64]:
    t_s = np.arange(n) / FS_HZ
    rise = np.minimum(1.0, t_s / attack_s)
    fall = np.exp(-np.maximum(0.0, t_s - n_held / FS_HZ) * 5.0 / release_s)
    # The last hundredth of a second goes to zero: an exponential never does, and would click.
    out = np.minimum(1.0, np.arange(n)[::-1] / (0.01 * FS_HZ))
    return rise * fall * out


def _held(
    frequency_hz: float,
    held_s: float,
    *,
    weights: Sequence[float],
    attack_s: float,
    release_s: float,
    vibrato_cents: float = 0.0,
    detune_cents: Sequence[float] = (0.0,),
    breath: float = 0.0,
    drive: float = 0.0,
) -> Samples:
    """A bowed, blown or sustained electronic tone."""
    n = int((held_s + release_s) * FS_HZ)
    t_s = np.arange(n) / FS_HZ
    slow_in = np.minimum(1.0, t_s / 0.4)
    bend = vibrato_cents / 1200.0 * np.log(2.0) * slow_in
    # Phase of a tone whose pitch swings 5.3 times a second by `vibrato_cents`.
    wobble = bend * np.sin(2 * np.pi * 5.3 * t_s) if vibrato_cents else 0.0
    total = np.zeros(n)
    for number, cents in enumerate(detune_cents):
        f_hz = frequency_hz * 2.0 ** (cents / 1200.0)
        phase = 2 * np.pi * f_hz * np.cumsum(1.0 + wobble + np.zeros(n)) / FS_HZ + 1.7 * number
        total += _partials(phase, _audible(f_hz, weights))
    total /= len(detune_cents) * sum(abs(w) for w in weights) ** 0.5
    if breath:
        total += breath * _noise(n, 800.0, 6000.0)
    if drive:
        total = np.tanh(drive * total)
    return (total * _envelope(int(held_s * FS_HZ), n, attack_s, release_s)).astype(np.float32)


def _struck(
    frequency_hz: float,
    held_s: float,
    *,
    weights: Sequence[float],
    decay_s: float,
    brightness: float,
    ratios: Sequence[float] | None = None,
    release_s: float = 0.25,
) -> Samples:
    """A plucked or hammered tone: each partial dies away, high ones sooner."""
    n = int((min(held_s, 2.5 * decay_s) + release_s) * FS_HZ)
    t_s = np.arange(n) / FS_HZ
    decay_s = decay_s * (220.0 / max(frequency_hz, 80.0)) ** 0.35
    total = np.zeros(n)
    for number, weight in enumerate(weights, start=1):
        ratio = ratios[number - 1] if ratios else number * (1.0 + 0.0002 * number**2) ** 0.5
        if frequency_hz * ratio > 0.4 * FS_HZ:
            break
        rate = (1.0 + (number - 1) / brightness) / decay_s
        total += weight * np.exp(-t_s * rate) * np.sin(2 * np.pi * frequency_hz * ratio * t_s)
    total /= sum(abs(w) for w in weights) ** 0.7
    held = int(min(held_s, 2.5 * decay_s) * FS_HZ)
    return (total * _envelope(held, n, 0.003, release_s)).astype(np.float32)


def _sung(frequency_hz: float, held_s: float) -> Samples:
    """A voice on "ah": partials under three formants, with vibrato and breath."""
    partials = np.arange(1, max(2, int(5000.0 / frequency_hz))) * frequency_hz
    formants = ((700.0, 130.0, 1.0), (1150.0, 160.0, 0.6), (2700.0, 250.0, 0.25))
    weights = sum(g / (1.0 + ((partials - f) / b) ** 2) for f, b, g in formants)
    return _held(
        frequency_hz, held_s, weights=list(weights + 0.35 * (partials < 600.0)), attack_s=0.09,
        release_s=0.2, vibrato_cents=16, breath=0.02,
    )  # fmt: skip


def _amplified(ratios: Sequence[float], *, vibrato_cents: float = 0.0, gain: float) -> Voice:
    """An electric guitar through an overdriven amplifier and its loudspeaker.

    `ratios` are the strings of one grip: (1, 1.5, 2) is a power chord. They are
    distorted together, which is what makes it growl.
    """

    def play(frequency_hz: float, held_s: float) -> Samples:
        strings = [
            _held(
                frequency_hz * ratio, held_s, weights=_SAW[:14], attack_s=0.002, release_s=0.06,
                vibrato_cents=vibrato_cents, detune_cents=(-3, 4),
            )
            for ratio in ratios
        ]  # fmt: skip
        t_s = np.arange(len(strings[0])) / FS_HZ
        pick = 0.6 * _noise(len(t_s), 1500.0, 7000.0) * np.exp(-t_s / 0.006)
        loud = np.tanh(gain * (np.sum(strings, axis=0) + pick) * (0.6 + 0.4 * np.exp(-t_s / 0.5)))
        spectrum = np.fft.rfft(loud)
        f_hz = np.fft.rfftfreq(len(loud), 1 / FS_HZ)
        # A guitar loudspeaker: nothing under 80 Hz, little above 5 kHz, a bump at 2.5 kHz.
        spectrum *= (f_hz > 80.0) * (1.0 + 0.8 * np.exp(-(((f_hz - 2500.0) / 900.0) ** 2)))
        spectrum /= 1.0 + (f_hz / 5000.0) ** 6
        return np.fft.irfft(spectrum, len(loud)).astype(np.float32)

    return play


# ---------------------------------------------------------------- drums


def _noise(n: int, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """White noise between two frequencies, root mean square 1; the same at each call."""
    rng = np.random.default_rng(zlib.crc32(f"{n} {low_hz} {high_hz}".encode()))
    spectrum = np.fft.rfft(rng.standard_normal(n))
    f_hz = np.fft.rfftfreq(n, 1 / FS_HZ)
    spectrum[(f_hz < low_hz) | (f_hz > high_hz)] = 0.0
    noise: NDArray[np.float64] = np.fft.irfft(spectrum, n)
    noise /= np.sqrt(np.mean(noise**2)) + 1e-12
    return noise


def _hit(low_hz: float, high_hz: float, decay_s: float, level: float) -> Voice:
    def play(_frequency_hz: float, _held_s: float) -> Samples:
        n = int(6 * decay_s * FS_HZ)
        return (
            level * _noise(n, low_hz, high_hz) * np.exp(-np.arange(n) / FS_HZ / decay_s)
        ).astype(np.float32)

    return play


def _drum(start_hz: float, end_hz: float, decay_s: float, snap: float = 0.0) -> Voice:
    """A skin: a sine that falls in pitch, with `snap` of noise."""

    def play(_frequency_hz: float, _held_s: float) -> Samples:
        n = int(6 * decay_s * FS_HZ)
        t_s = np.arange(n) / FS_HZ
        f_hz = end_hz + (start_hz - end_hz) * np.exp(-t_s / 0.03)
        tone = np.sin(2 * np.pi * np.cumsum(f_hz) / FS_HZ) * np.exp(-t_s / decay_s)
        rattle = snap * _noise(n, 900.0, 9000.0) * np.exp(-t_s / (0.6 * decay_s))
        return (tone + rattle).astype(np.float32)

    return play


# ---------------------------------------------------------------- the orchestra

_SAW = [1 / k for k in range(1, 25)]
_SQUARE = [1 / k if k % 2 else 0.0 for k in range(1, 20)]
_DARK = [1 / k**2.2 for k in range(1, 9)]
_STRING = [1.0, 0.7, 0.55, 0.35, 0.3, 0.2, 0.14, 0.1, 0.07, 0.05]

VOICES: dict[str, Voice] = {
    "whistle": partial(
        _held, weights=[1.0, 0.15, 0.08], attack_s=0.02, release_s=0.08, vibrato_cents=8,
        breath=0.02,
    ),
    "flute": partial(
        _held, weights=[1.0, 0.3, 0.12, 0.04], attack_s=0.12, release_s=0.35, vibrato_cents=7,
        breath=0.015,
    ),
    "brass": partial(
        _held, weights=[1, 0.9, 0.8, 0.7, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1], attack_s=0.03,
        release_s=0.09, detune_cents=(-4, 5),
    ),
    "cello": partial(
        _held, weights=_STRING, attack_s=0.16, release_s=0.3, vibrato_cents=14
    ),
    "strings": partial(
        _held, weights=_STRING, attack_s=0.06, release_s=0.2, vibrato_cents=10,
        detune_cents=(-9, 0, 8),
    ),
    "pad": partial(_held, weights=_DARK, attack_s=0.9, release_s=1.4, detune_cents=(-6, 1, 7)),
    "organ": partial(
        _held, weights=[1, 0.7, 0.5, 0.4, 0, 0.2, 0, 0.25], attack_s=0.01, release_s=0.06
    ),
    "accordion": partial(
        _held, weights=[1, 0.6, 0.6, 0.3, 0.3, 0.2], attack_s=0.03, release_s=0.08,
        detune_cents=(-7, 7),
    ),
    "square": partial(_held, weights=_SQUARE, attack_s=0.005, release_s=0.06, detune_cents=(-3, 4)),
    "saw": partial(
        _held, weights=_SAW, attack_s=0.005, release_s=0.08, detune_cents=(-14, 0, 13)
    ),
    "distorted": partial(
        _held, weights=_SAW, attack_s=0.003, release_s=0.05, detune_cents=(-8, 7), drive=6.0
    ),
    "synth_bass": partial(
        _held, weights=_SAW[:10], attack_s=0.004, release_s=0.05, detune_cents=(-5, 5)
    ),
    "soft_bass": partial(_held, weights=[1.0, 0.25, 0.06], attack_s=0.08, release_s=0.4),
    "bass": partial(_struck, weights=[1, 0.7, 0.35, 0.2, 0.1], decay_s=0.8, brightness=3.0),
    "pluck": partial(
        _struck, weights=[1, 0.7, 0.6, 0.45, 0.35, 0.3, 0.2, 0.15], decay_s=0.7, brightness=5.0
    ),
    "soft_pluck": partial(_struck, weights=[1, 0.5, 0.25, 0.1], decay_s=1.6, brightness=2.0),
    "harp": partial(_struck, weights=[1, 0.45, 0.25, 0.12, 0.06], decay_s=1.8, brightness=3.0),
    "piano": partial(
        _struck, weights=[1, 0.6, 0.35, 0.28, 0.16, 0.12, 0.08, 0.05], decay_s=1.9, brightness=2.6
    ),
    "bell": partial(
        _struck, weights=[1, 0.6, 0.4, 0.25], decay_s=2.6, brightness=1.5, release_s=0.6,
        ratios=[1.0, 2.76, 5.4, 8.93],
    ),
    "guitar": partial(
        _struck, weights=[1, 0.8, 0.5, 0.42, 0.3, 0.22, 0.16, 0.1, 0.07], decay_s=1.3,
        brightness=3.6,
    ),
    "voice": _sung,
    "power_chord": _amplified((1.0, 1.4983, 2.0), gain=7.0),
    "lead_guitar": _amplified((1.0,), vibrato_cents=18, gain=6.0),
    "kick": _drum(160.0, 48.0, 0.12),
    "hard_kick": _drum(210.0, 55.0, 0.09, snap=0.5),
    "hard_snare": _drum(260.0, 190.0, 0.11, snap=1.5),
    "brush": _hit(1200.0, 7000.0, 0.09, 0.3),
    "ride": _hit(4500.0, 15000.0, 0.16, 0.4),
    "tom": _drum(190.0, 85.0, 0.2, snap=0.1),
    "snare": _drum(240.0, 180.0, 0.07, snap=0.8),
    "clap": _hit(700.0, 5000.0, 0.06, 0.8),
    "hat": _hit(7000.0, 16000.0, 0.03, 0.5),
    "shaker": _hit(4000.0, 11000.0, 0.04, 0.35),
    "crash": _hit(3000.0, 15000.0, 0.45, 0.6),
}  # fmt: skip
