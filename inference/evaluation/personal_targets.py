"""What the selection does to the regression's targets: purity, and accuracy of a head of one's own.

Simulated listeners (`inference.evaluation.personal_worlds`) answer on 80 songs of a real data set
of music with a band on. A head is fine-tuned three times: with the targets that the strict rule
keeps, with those of all words, and without any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.emotion import QUADRANTS
from inference.evaluation.personal import NOISES, interval, stored_rows
from inference.evaluation.personal_songs import PlayerSongs, player_songs, songs_record
from inference.evaluation.personal_worlds import (
    Heard,
    Listener,
    Preset,
    band_network,
    hear,
    moods_of,
    read_estimates,
)
from inference.evaluation.results import digest_files, write_results
from inference.job import Job, Progress
from inference.labelling.ladder import fit_personal
from inference.labelling.pairing import Pairing
from inference.training.personal import HeadTuner, TunerSettings

__all__ = ["evaluate_targets"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_ANSWERS = 80
_SHARE = 0.5
"""Of the head's change that is taken, as in the middle of the ladder's grid; not tuned here."""


def evaluate_targets(
    estimates: Path,
    root: Path,
    results: Path,
    *,
    work: Path,
    dataset: str = "music4q",
    preset: Preset = "demo",
    listeners: int = 10,
    seeds: int = 3,
    quick: bool = False,
    resume: bool = False,
    command: Sequence[str] = (),
) -> Job[list[dict[str, object]]]:
    """Measure, and write ``personal-targets.csv`` and ``.json`` into `results`.

    Parameters
    ----------
    estimates : Path
        Out-of-fold probabilities of the clips, in the order of the data set.
    root : Path
        Of the music.
    quick : bool
        Two steps a head: only to see that it runs.

    Returns
    -------
    list of dict
        A row for each noise: label purity of all words and of the kept ones; accuracy on other
        songs of the common model, the listener's plane, and a head upon it by kind of targets;
        95 % intervals by bootstrap over listeners.
    """
    began_s = time.monotonic()
    songs = yield from player_songs(
        read_estimates(estimates), dataset, root, work / "song-features"
    )
    digest = digest_files([estimates], estimates.parent)
    folder = work / "personal" / f"targets-{digest[:12]}{'-quick' if quick else ''}"
    net = yield from band_network(preset, folder / f"{preset}.pt", epochs=1 if quick else 12)
    found: list[list[list[dict[str, float]]]] = []
    for number in range(listeners):
        runs = []
        for seed in range(seeds):
            file = folder / f"{preset}-{number}-{seed}.json"

            def measure(number: int = number, seed: int = seed) -> list[dict[str, float]]:
                settings = TunerSettings(steps=2) if quick else TunerSettings()
                return _one(songs, lambda felt: hear(net, preset, number, seed, felt), number,
                            seed, settings)  # fmt: skip

            runs.append(stored_rows(file, measure, resume=resume))
            yield Progress(number * seeds + seed + 1, listeners * seeds, "targets and heads")
        found.append(runs)
    rows = [_summary(found, i, preset) for i in range(len(NOISES))]
    notes = {"share": _SHARE, "answers": _ANSWERS, "quick": quick, "resumed": resume}
    record = songs_record(command, dataset, digest, seeds, began_s, songs.notes | notes)
    write_results(results, f"personal-targets{'-quick' if quick else ''}", rows, record)
    return rows


def _one(
    songs: PlayerSongs,
    band: Callable[[Sequence[int]], Heard],
    number: int,
    seed: int,
    settings: TunerSettings,
) -> list[dict[str, float]]:
    rng = np.random.default_rng([number, seed, 1])
    listener = Listener.draw(np.random.default_rng([number, 0]), typical=number % 4 == 0)
    felt = listener.feel(moods_of(songs.p), rng)
    order = rng.permutation(len(songs.p))
    asked, test = order[:_ANSWERS], order[_ANSWERS:]
    heard = band(felt[asked].tolist())
    slips, words = rng.random(_ANSWERS), rng.integers(0, len(QUADRANTS), _ANSWERS)
    rows = []
    for noise in NOISES:
        said = np.where(slips < noise, words, felt[asked])
        pairing = Pairing(
            said, heard.probabilities.argmax(axis=1), songs.physiological[asked], heard.attended
        )
        rows.append(_heads(songs, pairing, felt, asked, test, settings) | {"noise": noise})
    return rows


def _heads(
    songs: PlayerSongs,
    pairing: Pairing,
    felt: Ints,
    asked: Ints,
    test: Ints,
    settings: TunerSettings,
) -> dict[str, float]:
    everything = np.ones(len(asked), bool)
    said, truth = pairing.answers, felt[test]
    fit = fit_personal(songs.p[asked], said)
    plane = songs.p if fit.map is None else fit.map.rate(songs.p)
    log_p = np.log(np.maximum(plane, 1e-6))
    kept = pairing.of(everything).kept
    right = said == felt[asked]
    row = {
        "purity": float(right.mean()),
        "purity_kept": float(right[kept].mean()) if kept.any() else 1.0,
        "kept": float(kept.mean()),
        "common": float((songs.p[test].argmax(axis=1) == truth).mean()),
        "plane": float((plane[test].argmax(axis=1) == truth).mean()),
    }
    heard = tuple(songs.windows[i] for i in asked)
    for name, paired, how in (
        ("selected", pairing, settings),
        ("all", replace(pairing, select=False), settings),
        ("none", pairing, replace(settings, code_weight=0.0)),
    ):
        tuned = HeadTuner(songs.start, heard, paired, how).network(everything, log_p[asked])
        change = np.stack([songs.windows[i].scores(tuned) for i in test]) - songs.started[test]
        scores = log_p[test] + _SHARE * change
        row[f"targets_{name}"] = float((scores.argmax(axis=1) == truth).mean())
    return row


def _summary(
    found: list[list[list[dict[str, float]]]], cell: int, preset: Preset
) -> dict[str, object]:
    def values(name: str) -> Array:
        table: Array = np.array([[run[cell][name] for run in runs] for runs in found])
        return np.asarray(table.mean(axis=1))

    row: dict[str, object] = {
        "preset": preset,
        "answer_noise": found[0][0][cell]["noise"],
        "answers": _ANSWERS,
        "listeners": len(found),
    }
    names = ("purity", "purity_kept", "kept", "common", "plane", "targets_selected", "targets_all",
             "targets_none")  # fmt: skip
    row |= {name: float(values(name).mean()) for name in names}
    for name, one, other in (
        ("purity_gain", "purity_kept", "purity"),
        ("selected_minus_all", "targets_selected", "targets_all"),
        ("selected_minus_plane", "targets_selected", "plane"),
    ):
        difference = values(one) - values(other)
        low, high = interval(difference)
        row |= {name: float(difference.mean()), f"{name}_low": low, f"{name}_high": high}
    return row
