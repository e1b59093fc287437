"""The scores of the demo library: four pieces for each quadrant, written as small texts.

Notation
--------
Melody: bars divided by ``|``; each note is a degree of the scale and a length in beats,
``5:.5`` (length 1 where it is left out); 8 is the octave of 1, 0 lies below it, ``r`` is a rest,
``#`` and ``b`` before a degree raise and lower it.
Chords: one degree a bar, stacked in thirds of the scale; ``7`` after a slash adds the seventh
(``1/7``), ``9`` seventh and ninth, ``s`` makes a suspended fourth, ``c`` a dissonant cluster.
Rhythm: one bar in sixteenths; ``x`` begins a note, ``-`` holds it, ``.`` is silence, ``X`` accents.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.emotion import Quadrant

__all__ = ["PIECES", "Part", "Piece", "Sound"]


@dataclass(frozen=True)
class Part:
    """One player: what it plays, on which instrument, where and how loud.

    Parameters
    ----------
    role : {"melody", "chords", "bass", "arpeggio", "drums"}
    instrument : str
        A voice of `app.demo.synthesis`, or a drum for the role "drums".
    rhythm : str
        One bar in sixteenths; unused by melodies.
    octave : int
        Octaves above or below the piece's tonic.
    gain, pan : float
        Loudness factor, and place from -1 (left) to 1 (right).
    gate : float
        Sounding share of each note: under 1 staccato, over 1 overlapping.
    enters : int
        First bar in which it plays.
    order : tuple of int
        Arpeggio: which chord tones follow one another.
    """

    role: str
    instrument: str
    rhythm: str = ""
    octave: int = 0
    gain: float = 1.0
    pan: float = 0.0
    gate: float = 0.95
    enters: int = 0
    order: tuple[int, ...] = (0, 1, 2, 1)


@dataclass(frozen=True)
class Sound:
    """The room and the level: reverberation time, share of it, root mean square, drive."""

    reverb_s: float
    wet: float
    level_dbfs: float
    drive: float = 0.0
    """Saturation of the whole mix, from 0 (clean) on."""


@dataclass(frozen=True)
class Piece:
    """One piece: its tags, its notes, its players and its sound."""

    title: str
    artist: str
    album: str
    genre: str
    year: int
    track_no: int
    quadrant: Quadrant
    tempo_bpm: float
    tonic: int
    """MIDI number of degree 1 in the melody's octave."""
    scale: str
    chords: str
    melody: str
    parts: tuple[Part, ...]
    sound: Sound
    beats_per_bar: int = 4
    swing: float = 0.0
    """How late an off-beat eighth comes, in beats."""
    loose_s: float = 0.006
    """Standard deviation of the players' timing, seconds."""


_FOUR_FLOOR = Part("drums", "kick", "X...x...X...x...", gain=0.9)
_BACKBEAT = Part("drums", "clap", "....X.......X...", gain=0.5, pan=0.1)
_EIGHTH_HATS = Part("drums", "hat", "..x...x...x...x.", gain=0.3, pan=-0.25, enters=2)
_METAL_DRUMS = (
    Part("drums", "hard_kick", "XxXxXxXxXxXxXxXx", gain=0.8),
    Part("drums", "hard_snare", "....X.......X...", gain=0.8),
    Part("drums", "ride", "X.X.X.X.X.X.X.X.", gain=0.5, pan=0.3),
    Part("drums", "crash", "X.......X.......", gain=0.5, pan=-0.3),
)
_SLOW_DRUMS = (
    Part("drums", "kick", "X.........x.....", gain=0.5, enters=4),
    Part("drums", "brush", "....X.......X...", gain=0.5, enters=4),
    Part("drums", "hat", "x...x...x...x...", gain=0.2, pan=0.2, enters=4),
)
_BRIGHT = Sound(reverb_s=0.9, wet=0.12, level_dbfs=-14.5)
_HARSH = Sound(reverb_s=0.7, wet=0.08, level_dbfs=-11.0, drive=2.2)
_WIDE = Sound(reverb_s=3.2, wet=0.38, level_dbfs=-24.0)
_DARK = Sound(reverb_s=1.6, wet=0.22, level_dbfs=-19.5)

_HAPPY = (
    Piece(
        "Kites over the Square", "The Small Parade", "Bunting", "Indie Pop", 2019, 1,
        Quadrant.HAHV, 132, 72, "major", "1 5 6 4 1 5 4 1",
        "3:.5 5:.5 5 6:.5 5:.5 3 | 2:.5 5:.5 5 7:.5 5:.5 2 | 8:.5 8:.5 7:.5 6:.5 5:.5 3:.5 5 "
        "| 6:.5 5:.5 4:.5 6:.5 5:2 | 3:.5 5:.5 5 6:.5 5:.5 8 | 9:.5 8:.5 7 5:.5 7:.5 9 "
        "| 8:.5 6:.5 6 5:.5 4:.5 6 | 5:.5 6:.5 7:.5 9:.5 8:2",
        (
            Part("melody", "whistle", gate=0.8, gain=0.8, enters=2),
            Part("chords", "pluck", "..x...x...x..xx.", gate=0.5, gain=0.5, pan=0.3),
            Part("bass", "bass", "x--.x-x.x--.x-x.", octave=-3, gate=0.8, gain=0.9),
            _FOUR_FLOOR, _BACKBEAT, _EIGHTH_HATS,
        ), _BRIGHT,
    ),
    Piece(
        "Bread and Marmalade", "The Small Parade", "Bunting", "Folk Pop", 2019, 2,
        Quadrant.HAHV, 124, 67, "major", "1 4 1 5 1 4 5 1",
        "1:.5 3:.5 5:.5 8:.5 5 3 | 4:.5 6:.5 8:.5 6:.5 4 6 | 5:.5 3:.5 5:.5 8:.5 10 8 "
        "| 9:.5 8:.5 7:.5 6:.5 5:2 | 1:.5 3:.5 5:.5 8:.5 5 3 | 6:.5 8:.5 6:.5 4:.5 6 8 "
        "| 7:.5 9:.5 7:.5 5:.5 6:.5 7:.5 9 | 8 5:.5 3:.5 1:2",
        (
            Part("melody", "whistle", gate=0.85, gain=0.7, enters=2),
            Part("chords", "accordion", "x-.xx-.xx-.xx-x-", octave=-1, gate=0.7, gain=0.5,
                 pan=-0.3),
            Part("chords", "square", "..x...x...x...x.", gate=0.5, gain=0.25, pan=0.35),
            Part("bass", "synth_bass", "x.x.x.x.x.x.x.x.", octave=-3, gate=0.9, gain=0.7),
            _BACKBEAT, _EIGHTH_HATS,
            Part("drums", "snare", "....x.......x..x", gain=0.4),
            Part("drums", "shaker", "x.xxx.xxx.xxx.xx", gain=0.35, pan=0.4),
            _FOUR_FLOOR,
        ), _BRIGHT, swing=0.08,
    ),
    Piece(
        "Sunday Engine", "Paper Lanterns", "Open Windows", "Dance", 2021, 1,
        Quadrant.HAHV, 128, 69, "mixolydian", "1 7 4 1 1 7 4 5",
        "r:.5 8:.5 8:.5 7:.5 8 5 | r:.5 7:.5 7:.5 6:.5 7 9 | r:.5 6:.5 8:.5 6:.5 8 6 "
        "| 5:.5 6:.5 8:.5 9:.5 10:2 | 10:.5 9:.5 8:.5 9:.5 10 12 | 11:.5 9:.5 7:.5 9:.5 11 9 "
        "| 8:.5 6:.5 4:.5 6:.5 8 10 | 9:.5 8:.5 7:.5 9:.5 8:2",
        (
            Part("melody", "square", gate=0.7, gain=0.55, enters=4),
            Part("arpeggio", "pluck", "xxxxxxxxxxxxxxxx", octave=1, gate=0.6, gain=0.35,
                 pan=0.35, order=(0, 2, 1, 2, 0, 1, 2, 1)),
            Part("chords", "organ", "x..x..x...x..x..", gate=0.7, gain=0.4, pan=-0.2),
            Part("bass", "synth_bass", "..x...x...x...x.", octave=-3, gate=1.2, gain=0.8),
            _FOUR_FLOOR, _BACKBEAT, _EIGHTH_HATS,
        ), Sound(reverb_s=0.8, wet=0.1, level_dbfs=-13.0),
    ),
    Piece(
        "Brass at Noon", "Paper Lanterns", "Open Windows", "Ska", 2021, 2,
        Quadrant.HAHV, 144, 70, "major", "1 6 4 5 1 6 2 5",
        "5:.5 5:.5 6 5 8 | 8:.5 7:.5 6 5 3 | 4:.5 5:.5 6 8 6 | 5:.5 6:.5 7 9:2 "
        "| 10:.5 10:.5 9 8 10 | 8:.5 7:.5 6 8 10 | 9:.5 8:.5 6 4 6 | 7:.5 6:.5 5 7 9",
        (
            Part("melody", "brass", gate=0.75, gain=0.7, enters=2),
            Part("chords", "pluck", "..X...X...X...X.", gate=0.35, gain=0.6, pan=0.4),
            Part("chords", "organ", "..x...x...x...x.", gate=0.3, gain=0.3, pan=-0.4),
            Part("bass", "bass", "x-x-x-x-x-x-x-x-", octave=-2, gate=0.7, gain=0.9),
            Part("drums", "kick", "....X.......X...", gain=0.9),
            Part("drums", "snare", "....x.......x..x", gain=0.4),
            Part("drums", "hat", "x.x.x.x.x.x.x.x.", gain=0.3, pan=0.3),
        ), _BRIGHT,
    ),
)  # fmt: skip

_TENSE = (
    Piece(
        "Warning Light", "Night Machinery", "Red Shift", "Metal", 2022, 1,
        Quadrant.HALV, 168, 64, "phrygian", "1 2 1 7 1 2 b5 1",
        "1:.5 1:.5 2:.5 1:.5 1:.5 b5:.5 4:.5 2:.5 | 2:.5 2:.5 b4:.5 2:.5 1:2 "
        "| 1:.5 1:.5 2:.5 1:.5 8:.5 b8:.5 6:.5 b5:.5 | 7:.5 6:.5 b5:.5 4:.5 2:2 "
        "| 8:.5 b8:.5 8:.5 9:.5 b9:.5 8:.5 b5:.5 6:.5 | 9:.5 8:.5 b5:.5 9:.5 8:2 "
        "| b5:.5 4:.5 b5:.5 6:.5 b5:.5 4:.5 2:.5 1:.5 | b2:.5 1:.5 0:.5 1:.5 2:2",
        (
            Part("melody", "lead_guitar", octave=-1, gate=0.95, gain=0.3, pan=0.1, enters=4),
            Part("bass", "power_chord", "X-xX-xX-X-xX-xX-", octave=-2, gate=0.95, gain=0.9,
                 pan=-0.5),
            Part("chords", "power_chord", "X-----X-----X---", octave=-2, gate=1.0, gain=0.45,
                 pan=0.5),
            Part("bass", "distorted", "xxxxxxxxxxxxxxxx", octave=-3, gate=0.8, gain=0.5),
            *_METAL_DRUMS,
        ), _HARSH, loose_s=0.005,
    ),
    Piece(
        "Glass Teeth", "Night Machinery", "Red Shift", "Metal", 2022, 2,
        Quadrant.HALV, 184, 62, "harmonic minor", "1 1 6 b2 1 4 7 1",
        "1:.25 1:.25 1:.5 2:.5 3:.5 b5:1 4:1 | 1:.25 1:.25 1:.5 b2:.5 1:.5 0:2 "
        "| 6:.5 5:.5 6:.5 7:.5 8:1 b7:1 | b9:.5 8:.5 7:.5 b5:.5 b2:2 "
        "| 8:.25 8:.25 8:.5 9:.5 10:.5 b12:1 11:1 | 8:.5 7:.5 6:.5 b5:.5 4:2 "
        "| 7:.5 9:.5 b11:.5 9:.5 7:2 | 8:.5 b9:.5 8:.5 7:.5 b5:2",
        (
            Part("melody", "lead_guitar", octave=-1, gate=0.95, gain=0.3, enters=4),
            Part("bass", "power_chord", "X-X-X-XxX-X-X-Xx", octave=-2, gate=0.95, gain=0.9,
                 pan=-0.5),
            Part("chords", "power_chord", "X-------X---X---", octave=-2, gate=1.0, gain=0.45,
                 pan=0.5),
            Part("bass", "synth_bass", "xxxxxxxxxxxxxxxx", octave=-3, gate=0.6, gain=0.6),
            *_METAL_DRUMS,
        ), _HARSH, loose_s=0.005,
    ),
    Piece(
        "The Corridor Runs", "Iron Orchard", "Pursuit", "Hardcore", 2020, 1,
        Quadrant.HALV, 176, 60, "locrian", "1 1 2 1 1 b5 4 2",
        "1:1 2:1 1:2 | 5:1 4:1 2:2 | 8:1 9:1 8:2 | 5:1 b5:1 2:2 | 12:2 b12:2 | 8:1 9:1 5:2 "
        "| 4:1 5:1 b7:2 | 9:2 8:2",
        (
            Part("melody", "lead_guitar", octave=-1, gate=1.0, gain=0.35, enters=2),
            Part("bass", "power_chord", "X-X-X-X-X-X-X-X-", octave=-2, gate=0.95, gain=0.9,
                 pan=-0.4),
            Part("chords", "power_chord", "X-------X-----X-", octave=-2, gate=1.0, gain=0.4,
                 pan=0.5),
            Part("bass", "distorted", "x-x-x-x-x-x-x-x-", octave=-3, gate=0.9, gain=0.6),
            *_METAL_DRUMS,
        ), _HARSH, loose_s=0.008,
    ),
    Piece(
        "Siren Arithmetic", "Iron Orchard", "Pursuit", "Hardcore", 2020, 2,
        Quadrant.HALV, 160, 61, "phrygian", "1 1 2 1 b5 4 2 1",
        "8:2 b8:2 | 12:1 b12:1 12:2 | 9:2 b10:2 | 8:1 b5:1 8:2 | 15:2 b15:2 | 12:1 b12:1 9:2 "
        "| b12:2 9:2 | 9:1 8:1 b5:2",
        (
            Part("melody", "lead_guitar", octave=-1, gate=1.0, gain=0.3, pan=0.2, enters=4),
            Part("bass", "power_chord", "X-X-X-X-X-X-X-X-", octave=-2, gate=0.95, gain=0.9,
                 pan=-0.5),
            Part("chords", "power_chord", "X-------X-------", octave=-2, gate=1.0, gain=0.45,
                 pan=0.5),
            Part("bass", "distorted", "xx.xxx.xxx.xx-x-", octave=-3, gate=0.8, gain=0.6),
            *_METAL_DRUMS,
        ), _HARSH, loose_s=0.006,
    ),
)  # fmt: skip

_CALM = (
    Piece(
        "Still Harbour", "Lake Hours", "Slow Water", "Ambient", 2018, 1,
        Quadrant.LAHV, 60, 65, "major", "1/9 4/7 1/9 4/7 6/7 4/7 5s 1/9",
        "r:1 5:1.5 3:1.5 | 6:2 5:2 | r:1 3:1.5 2:1.5 | 1:4 | 3:2 5:2 | 6:3 5:1 | 4:2 2:2 | 3:4",
        (
            Part("melody", "flute", gate=1.05, gain=0.6, enters=1),
            Part("chords", "pad", "x---------------", octave=-1, gate=1.15, gain=0.7),
            Part("arpeggio", "harp", "x...x...x...x...", gate=2.5, gain=0.4, pan=0.3,
                 order=(0, 2, 3, 1)),
            Part("bass", "soft_bass", "x---------------", octave=-2, gate=1.0, gain=0.5),
        ), _WIDE, loose_s=0.015,
    ),
    Piece(
        "Linen in the Garden", "Lake Hours", "Slow Water", "Folk", 2018, 2,
        Quadrant.LAHV, 72, 62, "major", "1/7 6/7 4/7 1/7 2/7 4/7 1/7 1/7",
        "5:1.5 3:.5 2:1 | 1:2 3:1 | 6:1.5 5:.5 4:1 | 3:3 | 4:1.5 6:.5 8:1 | 6:2 4:1 "
        "| 5:1 3:1 2:1 | 1:3",
        (
            Part("melody", "harp", octave=1, gate=2.0, gain=0.8, enters=2),
            Part("arpeggio", "harp", "x.x.x.x.x.x.", gate=2.0, gain=0.5, pan=-0.25,
                 order=(0, 2, 3, 1, 3, 2)),
            Part("chords", "pad", "x-----------", octave=-1, gate=1.1, gain=0.35),
            Part("bass", "soft_bass", "x-----------", octave=-2, gate=1.0, gain=0.5),
        ), _WIDE, beats_per_bar=3, loose_s=0.012,
    ),
    Piece(
        "Lamp, Tea, Rain", "Ines Aurel", "Evening Pages", "Piano", 2017, 1,
        Quadrant.LAHV, 66, 68, "major", "4/7 1/7 2/7 6/7 4/7 5s 1/9 1/9",
        "6:1 5:.5 3:.5 5:2 | r:1 3:.5 5:.5 8:2 | 6:1 4:.5 6:.5 5:2 | 3:1.5 2:.5 1:2 "
        "| 6:1 8:1 10:2 | 9:1.5 8:.5 6:2 | 5:1 3:1 2:1 3:1 | 1:4",
        (
            Part("melody", "piano", gate=1.3, gain=0.7, enters=1),
            Part("arpeggio", "piano", "x.x.x.x.x.x.x.x.", octave=-1, gate=2.2, gain=0.4,
                 order=(0, 2, 3, 2, 1, 2, 3, 2)),
            Part("bass", "piano", "x-------x-------", octave=-2, gate=1.2, gain=0.45),
            Part("chords", "pad", "x---------------", gate=1.1, gain=0.15),
        ), Sound(reverb_s=2.4, wet=0.28, level_dbfs=-23.0), loose_s=0.016,
    ),
    Piece(
        "Cloud Inventory", "Ines Aurel", "Evening Pages", "Ambient", 2017, 2,
        Quadrant.LAHV, 63, 67, "lydian", "1/9 2/7 1/9 2/7 6/7 2/7 1/9 1/9",
        "r:2 5:2 | #4:2 6:2 | 5:3 3:1 | 2:4 | 8:2 7:2 | 6:2 #4:2 | 5:2 3:2 | 1:4",
        (
            Part("melody", "bell", octave=1, gate=2.0, gain=0.45, pan=0.2, enters=1),
            Part("chords", "pad", "x---------------", octave=-1, gate=1.2, gain=0.8),
            Part("arpeggio", "bell", "x.....x.....x...", octave=1, gate=2.0, gain=0.2,
                 pan=-0.4, order=(2, 0, 1)),
            Part("bass", "soft_bass", "x---------------", octave=-2, gate=1.1, gain=0.5),
        ), Sound(reverb_s=4.0, wet=0.45, level_dbfs=-25.0), loose_s=0.02,
    ),
)  # fmt: skip

_SAD = (
    Piece(
        "Empty Platform", "Marta Winterfeld", "Letters Unsent", "Singer-Songwriter", 2016, 1,
        Quadrant.LALV, 66, 57, "minor", "1 6 3 7 1 4 6 5",
        "8:1.5 7:.5 5:2 | 6:1 5:1 3:2 | 5:1.5 4:.5 3:2 | 2:1 3:1 2:2 | 5:1 8:1 7:1 5:1 | 4:2 6:2 "
        "| 5:1 3:1 1:2 | 2:1 0:1 1:2",
        (
            Part("melody", "voice", gate=1.0, gain=0.9, enters=2),
            Part("arpeggio", "guitar", "x.x.x.x.x.x.x.x.", octave=-1, gate=2.0, gain=0.6,
                 pan=-0.3, order=(0, 2, 3, 4, 3, 2, 3, 2)),
            Part("bass", "soft_bass", "x-------x-------", octave=-2, gate=1.0, gain=0.6),
            *_SLOW_DRUMS,
        ), _DARK, loose_s=0.014,
    ),
    Piece(
        "What the Snow Kept", "Marta Winterfeld", "Letters Unsent", "Singer-Songwriter", 2016, 2,
        Quadrant.LALV, 72, 62, "minor", "1 1 6 4 1 3 7 1",
        "5:1.5 3:.5 4:1 | 5:2 r:1 | 6:1.5 5:.5 3:1 | 4:1 3:1 1:1 | 8:1.5 7:.5 5:1 | 3:1 4:1 5:1 "
        "| 4:1 3:1 2:1 | 1:3",
        (
            Part("melody", "voice", gate=1.0, gain=0.9, enters=2),
            Part("arpeggio", "guitar", "x.x.x.x.x.x.", octave=-1, gate=1.8, gain=0.6, pan=-0.3,
                 order=(0, 2, 3, 4, 3, 2)),
            Part("bass", "soft_bass", "x-----------", octave=-2, gate=1.0, gain=0.6),
            Part("drums", "kick", "X...........", gain=0.5, enters=4),
            Part("drums", "brush", "....X...X...", gain=0.4, enters=4),
        ), _DARK, beats_per_bar=3, loose_s=0.014,
    ),
    Piece(
        "Blue Hour, No Answer", "Joris Vael", "Rooms", "Slowcore", 2015, 1,
        Quadrant.LALV, 63, 60, "minor", "1 7 6 5 1 7 4 5",
        "r:1 5:1 4:.5 3:.5 2:1 | 2:2 r:2 | r:1 3:1 2:.5 1:.5 0:1 | 1:2 2:2 "
        "| r:1 8:1 7:.5 6:.5 5:1 | 4:2 2:2 | 3:1 2:1 1:2 | 0:4",
        (
            Part("melody", "voice", gate=1.0, gain=0.8, enters=2),
            Part("arpeggio", "guitar", "x.x.x.x.x.x.x.x.", octave=-1, gate=2.0, gain=0.6,
                 pan=0.3, order=(0, 2, 3, 2, 4, 3, 2, 1)),
            Part("bass", "soft_bass", "x-------x-------", octave=-2, gate=1.0, gain=0.6),
            *_SLOW_DRUMS,
        ), _DARK, loose_s=0.014,
    ),
    Piece(
        "Letter in a Drawer", "Joris Vael", "Rooms", "Slowcore", 2015, 2,
        Quadrant.LALV, 69, 64, "minor", "1 6 1 6 4 1 5 1",
        "r:1 3:1 2:1 1:1 | 1:3 0:1 | r:1 1:1 0:1 -1:1 | -1:3 r:1 | r:1 4:1 3:1 2:1 | 1:3 r:1 "
        "| r:1 2:1 1:1 0:1 | 1:4",
        (
            Part("melody", "voice", octave=0, gate=1.0, gain=0.8, enters=2),
            Part("arpeggio", "guitar", "x.xxx.x.x.xxx.x.", octave=-1, gate=1.8, gain=0.6,
                 pan=0.3, order=(0, 2, 3, 4, 2, 3)),
            Part("bass", "soft_bass", "x-------x-----x-", octave=-2, gate=1.0, gain=0.6),
            *_SLOW_DRUMS,
        ), _DARK, loose_s=0.014,
    ),
)  # fmt: skip

# Taking turns, so that the first few already span all four quadrants.
PIECES: tuple[Piece, ...] = tuple(
    piece for four in zip(_HAPPY, _TENSE, _CALM, _SAD, strict=True) for piece in four
)
