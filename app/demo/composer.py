"""Turns a written piece into timed notes: who plays what, when and how strongly."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from app.demo.pieces import Part, Piece

__all__ = ["Note", "compose"]

LENGTH_S = 40.0
_SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
}
_DRUM_PITCH = 36


@dataclass(frozen=True, slots=True)
class Note:
    """One sounding note.

    Parameters
    ----------
    start_s, duration_s : float
        When it begins, and how long its key is held.
    midi : int
        Pitch number, 60 is middle C; meaningless for drums.
    velocity : float
        Loudness factor, gain of the part included.
    instrument : str
    pan : float
        From -1 (left) to 1 (right).
    """

    start_s: float
    duration_s: float
    midi: int
    velocity: float
    instrument: str
    pan: float


def compose(piece: Piece) -> list[Note]:
    """The notes of `piece`, about 40 s of whole bars and a last chord, ordered by time."""
    bar_s = piece.beats_per_bar * 60.0 / piece.tempo_bpm
    bars = max(2, int(LENGTH_S / bar_s) - 1)
    # zlib.crc32 and not hash(), which differs from one run to the next.
    rng = np.random.default_rng(zlib.crc32(piece.title.encode()))
    notes = []
    for part in piece.parts:
        for start, length, midi, velocity in _events(piece, part, bars):
            arc = 0.85 + 0.15 * math.sin(math.pi * (start / piece.beats_per_bar % 4) / 4)
            late_s = abs(rng.normal(0.0, piece.loose_s))
            notes.append(
                Note(
                    start_s=_swung(start, piece.swing) * 60.0 / piece.tempo_bpm + late_s,
                    duration_s=length * part.gate * 60.0 / piece.tempo_bpm,
                    midi=midi,
                    velocity=part.gain * velocity * arc * float(rng.uniform(0.9, 1.0)),
                    instrument=part.instrument,
                    pan=part.pan,
                )
            )
    notes += _last_chord(piece, bars * bar_s, bar_s)
    return sorted(notes, key=lambda note: note.start_s)


Event = tuple[float, float, int, float]
"""Start and length in beats, pitch, velocity."""


def _events(piece: Piece, part: Part, bars: int) -> Iterator[Event]:
    if part.role == "melody":
        yield from _melody(piece, part, bars)
        return
    chords = piece.chords.split()
    for bar in range(part.enters, bars):
        chord = _chord(piece, chords[bar % len(chords)])
        base = bar * piece.beats_per_bar
        for count, (start, length, velocity) in enumerate(_rhythm(part.rhythm)):
            for midi in _pitches(piece, part, chord, count):
                yield base + start, length, midi, velocity


def _pitches(piece: Piece, part: Part, chord: list[int], count: int) -> list[int]:
    shift = piece.tonic + 12 * part.octave
    if part.role == "drums":
        return [_DRUM_PITCH]
    if part.role == "bass":
        # Every other note of a busy bass is the fifth.
        return [shift + chord[2 if count % 4 == 3 else 0] % 12]
    if part.role == "arpeggio":
        ladder = [*chord, *(tone + 12 for tone in chord)]
        return [shift + ladder[part.order[count % len(part.order)]]]
    # Chords stay in one octave around the tonic, so that voices move little.
    return [shift + (tone + 5) % 12 - 5 for tone in chord]


def _melody(piece: Piece, part: Part, bars: int) -> Iterator[Event]:
    phrases = [bar.split() for bar in piece.melody.split("|")]
    tune = islice(cycle(phrases), bars - part.enters)
    for number, bar in enumerate(tune, start=part.enters):
        position = float(number * piece.beats_per_bar)
        again = number - part.enters >= len(phrases)
        for token in bar:
            degree, _, length_text = token.partition(":")
            length = float(length_text or 1)
            if degree != "r":
                midi = piece.tonic + 12 * part.octave + _degree(piece, degree)
                on_beat = position % 1 == 0
                yield position, length, midi, 1.0 if on_beat else 0.85
                if again and length >= 1:
                    # The second time a second voice joins on the long notes, a third lower.
                    yield position, length, midi + _third_below(piece, degree), 0.5
            position += length


def _third_below(piece: Piece, degree: str) -> int:
    step = int(degree.lstrip("#b"))
    return _step(piece, step - 2) - _step(piece, step)


def _chord(piece: Piece, text: str) -> list[int]:
    """Semitones above the tonic of one chord symbol."""
    symbol, _, added = text.partition("/")
    kind = symbol[-1] if symbol[-1] in "sc" else ""
    degree = symbol.rstrip("sc")
    root = int(degree.lstrip("#b"))
    bend = degree.count("#") - degree.count("b")
    if kind == "s":
        steps = [0, 3, 4]
    elif kind == "c":
        steps = [0, 1, 4]
    else:
        steps = [0, 2, 4]
    steps += {"": [], "7": [6], "9": [6, 8]}[added]
    tones = [_step(piece, root + step) + bend for step in steps]
    if kind == "c":
        tones.append(tones[0] + 6)
    return tones


def _degree(piece: Piece, text: str) -> int:
    return _step(piece, int(text.lstrip("#b"))) + text.count("#") - text.count("b")


def _step(piece: Piece, degree: int) -> int:
    """Semitones from the tonic to a degree: 1 is the tonic, 8 its octave, 0 the note below."""
    scale = _SCALES[piece.scale]
    octave, index = divmod(degree - 1, len(scale))
    return 12 * octave + scale[index]


def _rhythm(text: str) -> Iterator[tuple[float, float, float]]:
    """Start and length in beats, and velocity, of each note in a bar of sixteenths."""
    for index, sign in enumerate(text):
        if sign in "xX":
            held = len(text[index + 1 :]) - len(text[index + 1 :].lstrip("-"))
            yield index / 4, (1 + held) / 4, 1.0 if sign == "X" else 0.75


def _swung(beat: float, swing: float) -> float:
    return beat + swing if beat % 1 == 0.5 else beat


def _last_chord(piece: Piece, start_s: float, length_s: float) -> Iterator[Note]:
    chord = _chord(piece, piece.chords.split()[0])
    for part in piece.parts:
        if part.role == "drums":
            pitches = [_DRUM_PITCH] if part.instrument in ("kick", "crash", "tom") else []
        elif part.role == "melody":
            pitches = [piece.tonic + 12 * part.octave]
        else:
            pitches = _pitches(piece, part, chord, 0)
        for midi in pitches:
            yield Note(start_s, length_s, midi, part.gain * 0.8, part.instrument, part.pan)
