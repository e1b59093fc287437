"""A data set of music as a player has stored it, and held-out estimates of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from inference.audio.features import SongFeatures
from inference.catalog import find
from inference.datasets import MusicClip, load_music
from inference.emotion import QUADRANTS
from inference.errors import UndertoneError
from inference.evaluation.folds import Fold, Groups, grouped_folds, inner_folds
from inference.evaluation.metrics import score
from inference.evaluation.results import RunRecord, digest_files, write_results
from inference.job import Job, Progress
from inference.labelling.songs import SongReader, SongSpace, Windows, read_songs
from inference.pipelines.head import Head
from inference.runtime import MusicClassifier

__all__ = ["MODEL", "PlayerSongs", "estimate_songs", "player_songs", "songs_record"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MODEL = "undertone-music"
_STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1)
_FOLDS, _INNER_FOLDS = 5, 4


@dataclass(frozen=True, eq=False)
class PlayerSongs:
    """The songs of a data set, and what a player has stored of them.

    Parameters
    ----------
    p : ndarray, shape (n, 4)
        What a common model says that has not learned from the song's artist.
    windows : tuple of Windows
    physiological : ndarray, shape (n, c)
        Regressed features.
    places : ndarray, shape (n, m)
        Of the songs in the space of musical features, which knows of no label.
    start : Head
        One member of the default model's committee, where a head of one's own starts from.
    started : ndarray, shape (n, 4)
        Its log-probabilities.
    """

    p: Array
    windows: tuple[Windows, ...]
    physiological: Array
    places: Array
    start: Head
    started: Array

    @property
    def notes(self) -> dict[str, object]:
        """Which model's features these are."""
        return {"model": MODEL, "revision": find(MODEL).card.revision}


def player_songs(p: Array, dataset: str, root: Path, folder: Path) -> Job[PlayerSongs]:
    """Read the songs, and hear those whose features are not in `folder` yet.

    Parameters
    ----------
    p : ndarray, shape (n, 4)
        In the order of the data set.

    Raises
    ------
    UndertoneError
        If there are not as many songs as estimates.
    """
    clips = load_music(dataset, root).clips
    if len(clips) != len(p):
        raise UndertoneError(
            f"{root} holds {len(clips)} clips and the table {len(p)} estimates",
            "Choose the table that belongs to the data set with --estimates",
        )
    reader = read_songs(MODEL, None)
    stored = yield from _stored(clips, reader, folder)
    windows = [reader.windows(features) for features in stored]
    known = tuple(seen for seen in windows if seen is not None)
    start = reader.heads[0]
    musical = np.stack([reader.musical(features) for features in stored])
    return PlayerSongs(
        p,
        known,
        np.stack([reader.physiological(features) for features in stored]),
        SongSpace.fit(musical).places(musical),
        start,
        np.stack([song.scores(start) for song in known]),
    )


def _stored(
    clips: Sequence[MusicClip], reader: SongReader, folder: Path
) -> Job[list[SongFeatures]]:
    classifier: MusicClassifier | None = None
    found = []
    for number, clip in enumerate(clips):
        file = folder / reader.front_end.replace("/", "-") / f"{clip.clip_id}.utsf"
        if not file.exists():
            classifier = classifier or MusicClassifier.load(MODEL)
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.write_bytes(classifier.classify(clip.path).features.to_bytes())
            part.replace(file)
            yield Progress(number + 1, len(clips), "features of the songs")
        found.append(SongFeatures.from_bytes(file.read_bytes()))
    return found


def songs_record(
    command: Sequence[str],
    dataset: str,
    digest: str,
    seeds: int,
    began_s: float,
    notes: Mapping[str, object],
) -> RunRecord:
    """Of a table of simulated listeners upon real songs, begun at `began_s` (monotonic clock)."""
    return RunRecord(
        command=list(command),
        dataset=f"simulated listeners upon {dataset} and out-of-fold estimates",
        protocol="songs held out from the answers",
        data_digest=digest,
        seeds=list(range(seeds)),
        seconds=time.monotonic() - began_s,
        notes=dict(notes),
    )


def estimate_songs(
    root: Path,
    results: Path,
    *,
    work: Path,
    dataset: str = "music4q",
    command: Sequence[str] = (),
) -> Job[list[dict[str, object]]]:
    """Write ``common-estimates.csv`` and ``.json``: a common model that knows no clip's artist.

    A multinomial logistic regression on what the default model stores of a song, in folds
    grouped by artist; its strength is chosen in inner folds of the training part.

    Returns
    -------
    list of dict
        A row a clip: its name, its quadrant, and the probabilities.
    """
    began_s = time.monotonic()
    data = load_music(dataset, root)
    reader = read_songs(MODEL, None)
    stored = yield from _stored(data.clips, reader, work / "song-features")
    x = np.stack([reader.musical(features) for features in stored])
    p = np.zeros((len(x), len(QUADRANTS)))
    folds = grouped_folds(data.labels, Groups({"artist": data.groups}), n_folds=_FOLDS, seed=0)
    for number, fold in enumerate(folds):
        p[fold.test] = _fitted(x, data.labels, fold).predict_proba(x[fold.test])
        yield Progress(number + 1, len(folds), "estimates")
    rows: list[dict[str, object]] = [
        {"clip": clip.clip_id, "quadrant": clip.quadrant.value}
        | {f"p_{q.value.lower()}": float(v) for q, v in zip(QUADRANTS, row, strict=True)}
        for clip, row in zip(data.clips, p, strict=True)
    ]
    scores = score(data.labels, p)
    record = RunRecord(
        command=list(command),
        dataset=dataset,
        protocol=f"P2: {_FOLDS} folds grouped by artist",
        data_digest=digest_files([clip.path for clip in data.clips], root),
        seeds=[0],
        seconds=time.monotonic() - began_s,
        notes={
            "features": MODEL,
            "revision": find(MODEL).card.revision,
            "system": "logistic regression on the songs' means",
            "accuracy": round(scores.accuracy, 4),
            "calibration_error": round(scores.calibration_error, 4),
        },
    )
    write_results(results, "common-estimates", rows, record)
    return rows


def _fitted(x: Array, y: Ints, fold: Fold) -> Any:
    """Fitted to the training part, with the strength that loses least in its inner folds."""
    lost = np.zeros(len(_STRENGTHS))
    for inner in inner_folds(fold, y, n_folds=_INNER_FOLDS, seed=0):
        for i, strength in enumerate(_STRENGTHS):
            p = (
                _regression(strength)
                .fit(x[inner.train], y[inner.train])
                .predict_proba(x[inner.test])
            )
            right = p[np.arange(len(inner.test)), y[inner.test]]
            lost[i] -= np.log(np.maximum(right, 1e-9)).sum()
    best = _STRENGTHS[int(lost.argmin())]
    return _regression(best).fit(x[fold.train], y[fold.train])


def _regression(strength: float) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
