"""How far up its ladder a model of one's own climbs, and what that is worth: all three rungs.

Simulated listeners (`inference.evaluation.personal_worlds`) of two kinds answer on songs of a real
data set of music. Some have a plane of their own; others hear in some songs what the plane cannot
tell, in a direction of the musical features that is theirs. No person is measured here.
"""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inference.emotion import QUADRANTS
from inference.evaluation.personal import interval, stored_rows
from inference.evaluation.personal_songs import PlayerSongs, player_songs, songs_record
from inference.evaluation.personal_worlds import Listener, moods_of, read_estimates
from inference.evaluation.results import digest_files, write_results
from inference.job import Job, Progress, run_to_end
from inference.labelling.ladder import Fit, Rung, climb, fit_personal
from inference.labelling.pairing import Pairing
from inference.training.personal import HeadTuner, TunerSettings

__all__ = ["COUNTS", "KINDS", "NOISES", "evaluate_ladder"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Kind = Literal["plane", "taste"]

KINDS: tuple[Kind, ...] = ("plane", "taste")
"""Of listeners: by valence and arousal alone; also by musical features."""

COUNTS = (10, 20, 40, 80)
"""How many songs a listener has answered on."""

NOISES = (0.0, 0.2)
"""Shares of answers at random."""

_TASTE_SD = 0.6
"""Of what a taste adds to valence and to arousal, over the songs."""


@dataclass(frozen=True)
class _Climbed:
    """One listener, one draw of songs, one noise, one number of answers."""

    noise: float
    answers: int
    common: float
    plane: float
    individual: float
    accepted: bool
    rung: str


def evaluate_ladder(
    estimates: Path,
    root: Path,
    results: Path,
    *,
    work: Path,
    dataset: str = "music4q",
    listeners: int = 10,
    seeds: int = 3,
    quick: bool = False,
    resume: bool = False,
    command: Sequence[str] = (),
) -> Job[list[dict[str, object]]]:
    """Measure, and write ``personal-ladder.csv`` and ``.json`` into `results`.

    Parameters
    ----------
    estimates : Path
        Out-of-fold probabilities of the clips, in the order of the data set.
    root : Path
        Of the music.
    listeners : int
        Of each kind.
    quick : bool
        Two steps a network: only to see that it runs.

    Returns
    -------
    list of dict
        A row for each kind, noise and number of answers: accuracy on other songs of the common
        model, of the plane alone and of what the player would use, each behind the same test;
        95 % intervals by bootstrap over listeners; how often each rung was taken up.
    """
    began_s = time.monotonic()
    p = read_estimates(estimates)
    songs = yield from player_songs(p, dataset, root, work / "song-features")
    digest = digest_files([estimates], estimates.parent)
    settings_digest = repr((digest, NOISES, COUNTS, _TASTE_SD, songs.notes, quick)).encode()
    folder = work / "personal" / f"ladder-{hashlib.sha256(settings_digest).hexdigest()[:12]}"
    settings = TunerSettings(steps=2) if quick else TunerSettings()
    rows: list[dict[str, object]] = []
    done, total = 0, len(KINDS) * listeners * seeds
    for kind in KINDS:
        found = []
        for number in range(listeners):
            runs = []
            for seed in range(seeds):
                file = folder / f"{kind}-{number}-{seed}.json"
                measure = functools.partial(_one, songs, kind, number, seed, settings)
                runs.append(stored_rows(file, measure, resume=resume))
                done += 1
                yield Progress(done, total, f"listeners ({kind})")
            found.append(runs)
        rows += [_summary(found, i, kind) for i in range(len(found[0][0]))]
    notes = songs.notes | {"taste_sd": _TASTE_SD, "quick": quick, "resumed": resume}
    record = songs_record(command, dataset, digest, seeds, began_s, notes)
    write_results(results, f"personal-ladder{'-quick' if quick else ''}", rows, record)
    return rows


_Row = dict[str, Any]


def _one(
    songs: PlayerSongs, kind: Kind, number: int, seed: int, settings: TunerSettings
) -> list[_Row]:
    """One listener with one draw of songs: every number of answers at every noise."""
    rng = np.random.default_rng([number, seed, 1])
    felt = _felt(songs, kind, number, rng)
    order = rng.permutation(len(songs.p))
    asked, test = order[: max(COUNTS)], order[max(COUNTS) :]
    slips, words = rng.random(len(asked)), rng.integers(0, len(QUADRANTS), len(asked))
    rows = []
    for noise in NOISES:
        said = np.where(slips < noise, words, felt[asked])
        for count in COUNTS:
            climbed = _climbed(songs, felt, asked[:count], said[:count], test, noise, settings)
            rows.append(asdict(climbed))
    return rows


def _felt(songs: PlayerSongs, kind: Kind, number: int, rng: np.random.Generator) -> Ints:
    """What the listener feels; one in four hears as the common model does."""
    of_listener = np.random.default_rng([number, 0])
    typical = number % 4 == 0
    moods = moods_of(songs.p)
    if kind == "plane":
        return Listener.draw(of_listener, typical=typical).feel(moods, rng)
    if not typical:
        taste = songs.places @ of_listener.normal(size=(songs.places.shape[1], 2))
        moods = moods + _TASTE_SD * (taste - taste.mean(axis=0)) / taste.std(axis=0)
    return Listener(0.0, (0.0, 0.0)).feel(moods, rng)


def _climbed(
    songs: PlayerSongs, felt: Ints, asked: Ints, said: Ints, test: Ints, noise: float,
    settings: TunerSettings,
) -> _Climbed:  # fmt: skip
    p, truth = songs.p[asked], felt[test]
    pairing = Pairing(said, p.argmax(axis=1), songs.physiological[asked])
    tuner = HeadTuner(songs.start, tuple(songs.windows[i] for i in asked), pairing, settings)
    fit = run_to_end(climb(p, said, songs.places[asked], tuner))
    plane = fit_personal(p, said)
    common = float((songs.p[test].argmax(axis=1) == truth).mean())
    return _Climbed(
        noise, len(asked), common,
        _right(songs, plane, None, asked, test, truth) if plane.accepted else common,
        _right(songs, fit, tuner, asked, test, truth) if fit.accepted else common,
        fit.accepted, fit.rung.value,
    )  # fmt: skip


def _right(
    songs: PlayerSongs, fit: Fit, tuner: HeadTuner | None, asked: Ints, test: Ints, truth: Ints
) -> float:
    """Accuracy of a fit on other songs, rated as the player does."""
    assert fit.map is not None
    mine = fit.map.rate(songs.p, songs.places if fit.map.dimensions else None)
    scores = np.log(np.maximum(mine, 1e-6))
    if fit.share and tuner is not None:
        head = tuner.network(np.ones(len(asked), bool), scores[asked])
        change = np.stack([songs.windows[i].scores(head) for i in test]) - songs.started[test]
        scores[test] += fit.share * change
    return float((scores[test].argmax(axis=1) == truth).mean())


def _summary(found: list[list[list[_Row]]], cell: int, kind: Kind) -> dict[str, object]:
    runs = [[run[cell] for run in listener] for listener in found]

    def values(name: str) -> Array:
        return np.array([[run[name] for run in listener] for listener in runs], np.float64)

    gain = values("individual") - values("common")
    above = (values("individual") - values("plane")).mean(axis=1)
    low, high = interval(gain.mean(axis=1))
    above_low, above_high = interval(above)
    row: dict[str, object] = {
        "listeners_of": kind,
        "answer_noise": runs[0][0]["noise"],
        "answers": runs[0][0]["answers"],
        "listeners": len(runs),
    }
    row |= {name: float(values(name).mean()) for name in ("common", "plane", "individual")}
    row |= {
        "gain": float(gain.mean()),
        "gain_low": low,
        "gain_high": high,
        "worst_listener": float(gain.mean(axis=1).min()),
        "worst_run": float(gain.min()),
        "above_plane": float(above.mean()),
        "above_plane_low": above_low,
        "above_plane_high": above_high,
        "taken_up": float(values("accepted").mean()),
    }
    taken = [run["rung"] if run["accepted"] else "" for listener in runs for run in listener]
    row |= {f"taken_{rung.value}": taken.count(rung.value) / len(taken) for rung in Rung}
    return row
