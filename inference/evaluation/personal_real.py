"""Individual against common models on real listeners with a band: HKU956 and folders like it.

The first 70 % of a listener's songs are answers, the last 30 % the test; everything common is
learned from other listeners. There is no audio, so the other listeners' word on a song (the song
consensus) stands where a model of the music would.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.datasets import SensorSet, load_sensor
from inference.evaluation.crossval import Samples
from inference.evaluation.folds import Groups, Protocol, make_folds
from inference.evaluation.results import RunRecord, digest_files, write_results
from inference.job import Job, Progress, run_to_end
from inference.labelling.ladder import Fit, climb
from inference.labelling.pairing import Pairing
from inference.labelling.songs import SongSpace
from inference.training.loops import Optimisation
from inference.training.sensor import (
    Recording,
    SensorTraining,
    prepare_recordings,
    read_recordings,
    train_sensor,
)

__all__ = ["evaluate_real_listeners"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_ANSWERED = 0.7
_LEAST_SONGS = 10
_DRAWS = 2000


@dataclass(frozen=True, eq=False)
class _Base:
    """What the common models say of all listenings, learned without their listeners."""

    consensus: Array
    band: Array  # seeds, n, 4
    attended: Array  # seeds, n, d


def evaluate_real_listeners(
    dataset: str,
    root: Path,
    results: Path,
    *,
    work: Path,
    folds: int = 3,
    seeds: int = 3,
    quick: bool = False,
    resume: bool = False,
    command: Sequence[str] = (),
) -> Job[list[dict[str, object]]]:
    """Measure, and write ``personal-<dataset>.csv`` and ``.json`` into `results`.

    Returns
    -------
    list of dict
        A row a system: shares of the test songs that it names, averaged over seeds, the gain
        over its own common model, 95 % intervals by bootstrap over listeners.
    """
    began_s = time.monotonic()
    data = load_sensor(dataset, root)
    digest = digest_files(data.files, data.root)
    folder = work / "personal" / hashlib.sha256(f"{digest}{folds}{quick}".encode()).hexdigest()[:12]
    base = yield from _base(data, folder, folds, 1 if quick else seeds, quick, resume)
    listeners = data.column("listener")
    right: dict[str, list[Array]] = {}
    taken: dict[str, list[float]] = {}
    groups: list[Ints] = []
    for number, name in enumerate(dict.fromkeys(listeners)):
        at = np.flatnonzero(listeners == name)
        at = at[np.argsort([data.listenings[i].order for i in at], kind="stable")]
        if len(at) < _LEAST_SONGS:
            continue
        cut = int(_ANSWERED * len(at))
        for system, (hits, accepted) in _one(data.labels, base, at[:cut], at[cut:]).items():
            right.setdefault(system, []).append(hits)
            taken.setdefault(system, []).append(accepted)
        groups.append(np.full(len(at) - cut, number))
        yield Progress(number + 1, 0, f"listener {name}")
    whole = {system: np.concatenate(hits) for system, hits in right.items()}
    of = np.concatenate(groups)
    rows = [_row(system, whole, of, float(np.mean(taken[system]))) for system in whole]
    record = RunRecord(
        command=list(command),
        dataset=dataset,
        protocol="first 70 % of a listener's songs as answers, last 30 % tested",
        data_digest=digest,
        seeds=list(range(1 if quick else seeds)),
        seconds=time.monotonic() - began_s,
        notes={
            "folds of listeners for the band's network": folds,
            "resumed": resume,
            "quick": quick,
            "song consensus": "of all other listeners",
        },
    )
    write_results(results, f"personal-{dataset}{'-quick' if quick else ''}", rows, record)
    return rows


def _base(
    data: SensorSet, folder: Path, n_folds: int, seeds: int, quick: bool, resume: bool
) -> Job[_Base]:
    listeners = data.column("listener")
    folds = make_folds(
        Protocol.P3, data.labels, Groups({"listener": listeners}), n_folds=n_folds, seed=0
    )
    settings = SensorTraining(optimisation=Optimisation(epochs=1 if quick else 12, batch=32))
    recordings: list[Recording] | None = None
    band = np.zeros((seeds, len(data.labels), 4))
    attended = np.zeros((seeds, len(data.labels), 0))
    for seed in range(seeds):
        for number, fold in enumerate(folds):
            file = folder / f"band-{seed}-{number}.npz"
            if not (resume and file.exists()):
                if recordings is None:
                    recordings = yield from prepare_recordings(data)
                yield Progress(seed * len(folds) + number, seeds * len(folds), "the band's network")
                samples = Samples[Recording](recordings, data.labels, listeners)
                net = train_sensor(samples.take(fold.train), settings, seed)
                p, r = read_recordings(net, [recordings[i] for i in fold.test], settings)
                folder.mkdir(parents=True, exist_ok=True)
                part = file.with_suffix(".part.npz")
                np.savez(part, p=p, r=r)
                part.replace(file)
            with np.load(file) as found:
                if attended.shape[2] == 0:
                    attended = np.zeros((seeds, len(data.labels), found["r"].shape[1]))
                band[seed, fold.test], attended[seed, fold.test] = found["p"], found["r"]
    return _Base(_consensus(data), band, attended)


def _consensus(data: SensorSet) -> Array:
    """What all other listeners felt at the same song, and one more vote as all labels are."""
    listeners, songs, labels = data.column("listener"), data.column("song"), data.labels
    p = np.empty((len(labels), 4))
    for i in range(len(labels)):
        others = listeners != listeners[i]
        share = np.bincount(labels[others], minlength=4) / others.sum()
        votes = np.bincount(labels[others & (songs == songs[i])], minlength=4) + share
        p[i] = votes / votes.sum()
    return p


def _one(y: Ints, base: _Base, asked: Ints, test: Ints) -> dict[str, tuple[Array, float]]:
    """Shares of seeds that are right at each test song, and how often a model was taken up."""
    truth = y[test]
    majority = np.bincount(y[asked], minlength=4).argmax()
    consensus = base.consensus
    music = run_to_end(climb(consensus[asked], y[asked]))
    said = consensus[test] if music.map is None else music.map.rate(consensus[test])
    own = (said.argmax(axis=1) == truth).astype(float)
    common = (consensus[test].argmax(axis=1) == truth).astype(float)
    found: dict[str, tuple[Array, float]] = {
        "majority of the answers": ((truth == majority).astype(float), 0.0),
        "song consensus": (common, 0.0),
        "individual on song consensus": (own if music.accepted else common, music.accepted),
        "individual on song consensus, unguarded": (own, 1.0),
    }
    # The player takes a layer up from 40 sessions on: none of these listeners gets there. What
    # is measured is what fewer words would have given.
    bands: dict[str, list[tuple[Array, float]]] = {}
    for p, r in zip(base.band, base.attended, strict=True):
        band = (p[test].argmax(axis=1) == truth).astype(float)
        bands.setdefault("band", []).append((band, 0.0))
        kept = _kept(r[asked], p[asked], y[asked])
        for name, trusted in (("kept words", kept), ("all words", None)):
            fit, hits = _layer(p, r, y, asked, test, trusted)
            guarded = hits if fit.accepted else band
            bands.setdefault(f"individual band, {name}, by the test", []).append(
                (guarded, fit.accepted)
            )
            bands.setdefault(f"individual band, {name}, unguarded", []).append((hits, 1.0))
    for name, runs in bands.items():
        found[name] = (np.mean([h for h, _ in runs], axis=0), float(np.mean([a for _, a in runs])))
    return found


def _kept(r: Array, p: Array, said: Ints) -> NDArray[np.bool_]:
    everything = np.ones(len(said), bool)
    nothing = np.full((len(said), 1), np.nan)
    paired = Pairing(said, p.argmax(axis=1), nothing, r).of(everything)
    if not paired.by_signals.any():
        return everything
    return np.array([d is not None and d.kept for d in paired.decisions], bool)


def _layer(
    p: Array, r: Array, y: Ints, asked: Ints, test: Ints, trusted: NDArray[np.bool_] | None
) -> tuple[Fit, Array]:
    """The listener's last layer upon the common band network."""
    space = SongSpace.fit(r[asked])
    fit = run_to_end(climb(p[asked], y[asked], space.places(r[asked]), trusted=trusted))
    said = p[test]
    if fit.map is not None:
        said = fit.map.rate(said, space.places(r[test]) if fit.map.dimensions else None)
    return fit, (said.argmax(axis=1) == y[test]).astype(float)


def _row(system: str, right: dict[str, Array], groups: Ints, taken_up: float) -> dict[str, object]:
    hits = right[system]
    common = right["band" if "band" in system else "song consensus"]
    low, high = _interval(hits, groups)
    gain_low, gain_high = _interval(hits - common, groups)
    return {
        "system": system,
        "listeners": len(np.unique(groups)),
        "songs": len(hits),
        "accuracy": float(hits.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "gain": float((hits - common).mean()),
        "gain_low": gain_low,
        "gain_high": gain_high,
        "worst_listener": float(min((hits - common)[groups == g].mean() for g in set(groups))),
        "taken_up": taken_up,
    }


def _interval(values: Array, groups: Ints) -> tuple[float, float]:
    """95 % by bootstrap over listeners."""
    names = np.unique(groups)
    sums = np.array([values[groups == g].sum() for g in names])
    counts = np.array([(groups == g).sum() for g in names])
    at = np.random.default_rng(0).integers(0, len(names), (_DRAWS, len(names)))
    draws = sums[at].sum(axis=1) / counts[at].sum(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
