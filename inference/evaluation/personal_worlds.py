"""Simulated listeners with songs and a band: what is felt, what the signals then look like."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from inference.datasets import Listening, SensorSet, simulated
from inference.emotion import QUADRANTS, MoodPoint, Quadrant
from inference.errors import UndertoneError
from inference.evaluation.crossval import Samples
from inference.job import Job, Progress, run_to_end
from inference.models.sensor import SensorNet
from inference.physio.signals import FS_HZ, Channel, SignalChunk
from inference.physio.simulate import PRESETS, SimulatedListener
from inference.training.loops import Optimisation
from inference.training.sensor import (
    Recording,
    SensorTraining,
    prepare_recordings,
    read_recordings,
    train_sensor,
)

__all__ = [
    "DEVIATION_SD",
    "SHIFT_SD",
    "TURN_SD",
    "WORLD",
    "Heard",
    "Listener",
    "band_network",
    "hear",
    "moods_of",
    "read_estimates",
]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Preset = Literal["real", "demo"]

TURN_SD = 0.6  # rad, about 34 degrees
SHIFT_SD = 0.35
DEVIATION_SD = 0.25
_SEGMENTS = 12
_COLUMNS = ("p_hahv", "p_halv", "p_lahv", "p_lalv")
_SONG_S = 30.0
_BASE_LISTENERS, _BASE_SONGS = 12, 24
WORLD = (TURN_SD, SHIFT_SD, DEVIATION_SD, _SONG_S, _SEGMENTS, _BASE_LISTENERS, _BASE_SONGS)
"""Everything that decides what is simulated."""


@dataclass(frozen=True)
class Listener:
    """A simulated listener.

    Parameters
    ----------
    turn : float
        By how much the plane is turned, rad.
    shift : tuple of 2 floats
        Added to valence and arousal.
    """

    turn: float
    shift: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, *, typical: bool) -> Listener:
        """A listener of its own kind, or one who hears as the common model does."""
        turn, valence, arousal = rng.normal(0.0, (TURN_SD, SHIFT_SD, SHIFT_SD))
        return (
            cls(0.0, (0.0, 0.0)) if typical else cls(float(turn), (float(valence), float(arousal)))
        )

    def feel(self, moods: Array, rng: np.random.Generator) -> Ints:
        """The quadrant felt at each song, as positions in `QUADRANTS`.

        Parameters
        ----------
        moods : ndarray, shape (n, 2)
            Valence and arousal that the common model says.
        """
        c, s = np.cos(self.turn), np.sin(self.turn)
        felt = moods @ np.array([[c, s], [-s, c]]) + np.array(self.shift)
        felt += rng.normal(0.0, DEVIATION_SD, felt.shape)
        points = np.clip(felt, -1.0, 1.0)
        return np.array(
            [Quadrant.of(MoodPoint(float(v), float(a))).position for v, a in points], np.int64
        )


def moods_of(p: Array) -> Array:
    """Valence and arousal of probabilities (n, 4): (n, 2)."""
    return np.column_stack([p[:, 0] + p[:, 2], p[:, 0] + p[:, 1]]) * 2.0 - 1.0


def read_estimates(path: Path, least: int = 160) -> Array:
    """The common model's out-of-fold probabilities, shape (n, 4).

    Raises
    ------
    UndertoneError
        If it is no table with the columns p_hahv, p_halv, p_lahv, p_lalv.
    """
    remedy = "Choose a CSV table with the columns " + ", ".join(_COLUMNS)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [[float(row[name]) for name in _COLUMNS] for row in csv.DictReader(file)]
    except OSError as error:
        raise UndertoneError(f"{path} cannot be read ({error.strerror})", remedy) from error
    except (KeyError, TypeError, ValueError) as error:
        raise UndertoneError(f"{path} is no table of estimates", remedy) from error
    p = np.array(rows, np.float64).reshape(-1, len(_COLUMNS))
    if len(p) < least or not np.isfinite(p).all() or (p < 0).any():
        raise UndertoneError(f"{path} holds too few estimates, or some that are none", remedy)
    return p


@dataclass(frozen=True, eq=False)
class Heard:
    """What a band's network makes of listenings.

    Parameters
    ----------
    probabilities : ndarray, shape (n, 4)
    attended : ndarray, shape (n, d)
        r of equation 13.
    responds : bool
        False for a listener whose body shows nothing.
    """

    probabilities: Array
    attended: Array
    responds: bool


def band_network(
    preset: Preset,
    file: Path,
    *,
    epochs: int = 12,
    listeners: int = _BASE_LISTENERS,
    songs: int = _BASE_SONGS,
) -> Job[SensorNet]:
    """The common sensor network of a preset, trained on other simulated listeners.

    It is kept in `file`, and read from there if it is there already.
    """
    settings = _settings(epochs)
    net = SensorNet(settings.network)
    if file.exists():
        net.load_state_dict(torch.load(file, weights_only=True))
        return net.eval()
    yield Progress(0, 0, f"listeners of the preset {preset}")
    data = simulated.make(
        PRESETS[preset], listeners=listeners, songs=songs, duration_s=_SONG_S, seed=99
    )
    recordings = yield from prepare_recordings(data)
    yield Progress(0, 0, f"their network ({preset})")
    samples = Samples[Recording](recordings, data.labels, data.column("listener"))
    net = train_sensor(samples, settings, 0)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    torch.save(net.state_dict(), part)
    part.replace(file)
    return net


def _settings(epochs: int = 12) -> SensorTraining:
    return SensorTraining(
        optimisation=Optimisation(epochs=epochs, batch=32, rate=3e-3), test_segments=_SEGMENTS
    )


def hear(net: SensorNet, preset: Preset, who: int, seed: int, felt: Sequence[int]) -> Heard:
    """A listener hears one song after another, with a band on.

    Parameters
    ----------
    who : int
        The listener: body and responsiveness.
    seed : int
        Of everything else.
    felt : sequence of int
        The quadrant felt at each song, positions in `QUADRANTS`.
    """
    person = SimulatedListener(preset, seed=5000 + who)
    person.next(round((1 + 11 * seed) * FS_HZ))  # another stretch of the same listener's noise
    rng = np.random.default_rng([who, seed, 2])
    n = round(_SONG_S * FS_HZ)
    listenings = []
    for order, position in enumerate(felt):
        quadrant = QUADRANTS[int(position)]
        person.song(quadrant, seed=int(rng.integers(1 << 30)))
        gsr, ppg = person.next(n)
        listenings.append(
            Listening(
                "one", f"song{order}", order, quadrant,
                SignalChunk.of(Channel.GSR, gsr, FS_HZ), SignalChunk.of(Channel.PPG, ppg, FS_HZ),
            )
        )  # fmt: skip
    data = SensorSet(simulated.INFO, Path(), tuple(listenings), ())
    recordings = run_to_end(prepare_recordings(data))
    p, attended = read_recordings(net, recordings, _settings())
    return Heard(p, attended, person.traits.coupling > 0.0)
