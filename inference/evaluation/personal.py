"""Personal against common models on simulated listeners: are answers worth giving?

No person is measured here. A simulated listener hears a song where the common
model's out-of-fold estimate puts it on the valence-arousal plane, after a turn,
a shift and a deviation of its own for each song, which no model can learn. One
listener in four hears as the common model does, apart from the deviation.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.emotion import QUADRANTS, MoodPoint, Quadrant
from inference.errors import UndertoneError
from inference.evaluation.results import RunRecord, digest_files, write_results
from inference.job import Job, Progress
from inference.labelling.ladder import fit_personal
from inference.labelling.personal import MARGIN

__all__ = ["ANSWERS", "NOISES", "Listener", "evaluate_personal", "read_estimates"]

Array = NDArray[np.float64]

ANSWERS = (0, 5, 10, 20, 40, 80)
"""How many songs a listener has answered on."""

NOISES = (0.0, 0.1, 0.2)
"""Shares of answers that name a mood at random in place of the one felt."""

_TURN_SD = 0.6  # rad, about 34 degrees
_SHIFT_SD = 0.35
_DEVIATION_SD = 0.25
_DRAWS = 2000
_COLUMNS = ("p_hahv", "p_halv", "p_lahv", "p_lalv")


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
        turn, valence, arousal = rng.normal(0.0, (_TURN_SD, _SHIFT_SD, _SHIFT_SD))
        return (
            cls(0.0, (0.0, 0.0)) if typical else cls(float(turn), (float(valence), float(arousal)))
        )

    def feel(self, moods: Array, rng: np.random.Generator) -> NDArray[np.int64]:
        """The quadrant felt at each song, as positions in `QUADRANTS`.

        Parameters
        ----------
        moods : ndarray, shape (n, 2)
            Valence and arousal that the common model says.
        """
        c, s = np.cos(self.turn), np.sin(self.turn)
        felt = moods @ np.array([[c, s], [-s, c]]) + np.array(self.shift)
        felt += rng.normal(0.0, _DEVIATION_SD, felt.shape)
        points = np.clip(felt, -1.0, 1.0)
        return np.array(
            [Quadrant.of(MoodPoint(float(v), float(a))).position for v, a in points], np.int64
        )


def read_estimates(path: Path) -> Array:
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
    if len(p) < 2 * max(ANSWERS) or not np.isfinite(p).all() or (p < 0).any():
        raise UndertoneError(f"{path} holds too few estimates, or some that are none", remedy)
    return p


def evaluate_personal(
    estimates: Path,
    results: Path,
    *,
    listeners: int = 16,
    seeds: int = 3,
    command: Sequence[str] = (),
) -> Job[list[dict[str, object]]]:
    """Measure, and write ``personal-simulated.csv`` and ``.json`` into `results`.

    A listener answers on songs drawn at random; the test is on all other songs,
    against what the listener feels, free of answer noise. Intervals are 95 %
    by bootstrap over listeners, of means over the seeds.

    Returns
    -------
    list of dict
        A row for each noise and number of answers. `individual` is what the
        player would use: the personal model where it was accepted, else the
        common one; `unguarded` uses the personal model always.
    """
    began_s = time.monotonic()
    p = read_estimates(estimates)
    cells: dict[tuple[float, int], list[list[_Measured]]] = {}
    done = 0
    for listener in range(listeners):
        for noise in NOISES:
            for count in ANSWERS:
                cells.setdefault((noise, count), []).append([])
        for seed in range(seeds):
            for noise, count, measured in _one(p, listener, seed):
                cells[noise, count][-1].append(measured)
            done += 1
            yield Progress(done, listeners * seeds, "simulated listeners")
    rows = [_summary(noise, count, found) for (noise, count), found in cells.items()]
    record = RunRecord(
        command=list(command),
        dataset="simulated listeners upon the common model's out-of-fold estimates",
        protocol="songs held out from the answers",
        data_digest=digest_files([estimates], estimates.parent),
        seeds=list(range(seeds)),
        seconds=time.monotonic() - began_s,
        notes={
            "listeners": listeners,
            "turn_sd_rad": _TURN_SD,
            "shift_sd": _SHIFT_SD,
            "deviation_sd": _DEVIATION_SD,
            "typical_listeners": "one in four",
            "margin": MARGIN,
        },
    )
    write_results(results, "personal-simulated", rows, record)
    return rows


@dataclass(frozen=True)
class _Measured:
    common: float
    individual: float
    unguarded: float
    accepted: bool


def _one(p: Array, number: int, seed: int) -> Iterator[tuple[float, int, _Measured]]:
    """One listener with one draw of songs: every number of answers at every noise."""
    kind = np.random.default_rng([number, 0])
    rng = np.random.default_rng([number, seed, 1])
    listener = Listener.draw(kind, typical=number % 4 == 0)
    moods = np.column_stack([p[:, 0] + p[:, 2], p[:, 0] + p[:, 1]]) * 2.0 - 1.0
    felt = listener.feel(moods, rng)
    order = rng.permutation(len(p))
    asked, test = order[: max(ANSWERS)], order[max(ANSWERS) :]
    slips, random_words = rng.random(len(asked)), rng.integers(0, len(QUADRANTS), len(asked))
    common = float((p[test].argmax(axis=1) == felt[test]).mean())
    for noise in NOISES:
        said = np.where(slips < noise, random_words, felt[asked])
        for count in ANSWERS:
            fit = fit_personal(p[asked[:count]].reshape(-1, 4), said[:count])
            unguarded = common
            if fit.map is not None:
                unguarded = float((fit.map.rate(p[test]).argmax(axis=1) == felt[test]).mean())
            individual = unguarded if fit.accepted else common
            yield noise, count, _Measured(common, individual, unguarded, fit.accepted)


def _summary(noise: float, count: int, found: list[list[_Measured]]) -> dict[str, object]:
    def table(name: str) -> Array:
        return np.array([[getattr(m, name) for m in runs] for runs in found], np.float64)

    common, individual, unguarded = table("common"), table("individual"), table("unguarded")
    gain = (individual - common).mean(axis=1)
    rng = np.random.default_rng(0)
    draws = gain[rng.integers(0, len(gain), (_DRAWS, len(gain)))].mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return {
        "answer_noise": noise,
        "answers": count,
        "listeners": len(found),
        "common": float(common.mean()),
        "individual": float(individual.mean()),
        "gain": float(gain.mean()),
        "gain_low": float(low),
        "gain_high": float(high),
        "gain_worst_listener": float(gain.min()),
        "gain_worst_run": float((individual - common).min()),
        "unguarded_gain": float((unguarded - common).mean()),
        "unguarded_worst_run": float((unguarded - common).min()),
        "taken_up": float(table("accepted").mean()),
    }
