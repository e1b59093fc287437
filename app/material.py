"""What a training learns from: stored features of the songs, signals of the sessions, clusters."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.evidence import Evidence, Word
from app.personal_model import features_of
from inference.emotion import EmotionEstimate, Quadrant
from inference.errors import UndertoneError
from inference.labelling.pairing import Pairing
from inference.labelling.selection import Decision, Reason
from inference.labelling.songs import SongReader, SongSpace, Windows, read_songs
from library_db.decisions import Decided
from library_db.personal_layer import rated_by

if TYPE_CHECKING:
    from pathlib import Path

    from inference.audio.features import SongFeatures
    from library_db.library import Library

__all__ = ["Material", "SessionFeatures", "decided", "gather"]

Array = NDArray[np.float64]

_SAMPLE = 1000
_BORROWED = 24
_LEAST_FOR_SPACE = 40


@dataclass(frozen=True, eq=False)
class SessionFeatures:
    """What the signals of a session say of one song that was heard.

    Parameters
    ----------
    features : ndarray, shape (s,), or None
        Attended features of the sensor network; None where the signals were too bad.
    prediction : Quadrant or None
        The network's.
    fault : str
        What was wrong with the signals.
    estimate : EmotionEstimate or None
        The network's, whole.
    """

    features: Array | None
    prediction: Quadrant | None = None
    fault: str = ""
    estimate: EmotionEstimate | None = None


@dataclass(frozen=True, eq=False)
class Material:
    """See the module.

    Parameters
    ----------
    evidence : Evidence
    reader : SongReader or None
        None where the common model is not installed any more, or keeps no features.
    space : SongSpace or None
        None where too few songs have features.
    places : ndarray, shape (n, m), or None
        Of the words' songs in that space.
    windows : tuple of Windows or None
        One a word.
    pairing : Pairing
    sessions : mapping of int to SessionFeatures
        By the position of the word.
    """

    evidence: Evidence
    reader: SongReader | None
    space: SongSpace | None
    places: Array | None
    windows: tuple[Windows | None, ...]
    pairing: Pairing
    sessions: Mapping[int, SessionFeatures]

    @property
    def probabilities(self) -> Array:
        """The common model's, (n, 4)."""
        rows = [estimate.probabilities for estimate in self.evidence.estimates]
        return np.array(rows, np.float64).reshape(-1, 4)

    @property
    def digest(self) -> str:
        """Of everything that is learned from."""
        whole = hashlib.sha256(repr([(w.word, w.at_s) for w in self.evidence.words]).encode())
        signals = self.pairing.signals
        for array in (self.probabilities, self.places, self.pairing.music, signals):
            if array is not None:
                whole.update(np.ascontiguousarray(array).tobytes())
        return whole.hexdigest()[:32]


def gather(
    library: Library,
    evidence: Evidence,
    base_model: str,
    models_dir: Path,
    sessions: Mapping[int, SessionFeatures] | None = None,
    features: Mapping[int, SongFeatures] | None = None,
) -> Material:
    """Read what is stored; nothing is decoded or heard again.

    Parameters
    ----------
    sessions : mapping of int to SessionFeatures, optional
        By the position of the word.
    features : mapping of int to SongFeatures, optional
        Of words on songs that are not in the library.
    """
    worn = dict(sessions or {})
    reader: SongReader | None = None
    with suppress(UndertoneError):  # the plane can be learned without
        reader = read_songs(base_model, models_dir)
    if reader is None or not evidence.words:
        pairing = _pairing(evidence, np.full((len(evidence.words), 1), np.nan), worn, None)
        return Material(evidence, None, None, None, (None,) * len(evidence.words), pairing, worn)
    brought = features or {}
    found = [
        brought.get(i) or _features(library, word, reader) for i, word in enumerate(evidence.words)
    ]
    found = [f if f is not None and f.front_end == reader.front_end else None for f in found]
    space = _space(library, base_model, reader)
    places = None
    if space is not None:
        places = np.zeros((len(found), space.dimensions))
        for i, one in enumerate(found):
            if one is not None:
                places[i] = space.places(reader.musical(one)[None])[0]
    known = [reader.physiological(one) for one in found if one is not None]
    music = np.full((len(found), len(known[0]) if known else 1), np.nan)
    if known:
        music[[one is not None for one in found]] = known
    borrowed = _borrowed(library, base_model, reader) if known else None
    windows = tuple(reader.windows(one) if one is not None else None for one in found)
    pairing = _pairing(evidence, music, worn, borrowed)
    return Material(evidence, reader, space, places, windows, pairing, worn)


def _pairing(
    evidence: Evidence,
    music: Array,
    sessions: Mapping[int, SessionFeatures],
    borrowed: tuple[Array, NDArray[np.int64]] | None,
) -> Pairing:
    words = evidence.words
    predictions = []
    barred = np.zeros(len(words), bool)
    signals: Array | None = None
    for i, (word, estimate) in enumerate(zip(words, evidence.estimates, strict=True)):
        session = sessions.get(i)
        said = word.predicted or estimate.quadrant
        if session is not None:
            said = session.prediction or said
            barred[i] = session.features is None
            if session.features is not None:
                if signals is None:
                    signals = np.full((len(words), len(session.features)), np.nan)
                signals[i] = session.features
        predictions.append(said.position)
    return Pairing(
        np.array([word.word.position for word in words], np.int64),
        np.array(predictions, np.int64),
        music,
        signals,
        borrowed,
        barred,
    )


def _features(library: Library, word: Word, reader: SongReader) -> SongFeatures | None:
    if word.track_id is None:
        return None
    return features_of(library.features(word.track_id, reader.front_end))


def _space(library: Library, base_model: str, reader: SongReader) -> SongSpace | None:
    """Directions of the library's songs, evenly drawn; no word of the listener counts here."""
    ids = rated_by(library, base_model)
    drawn = ids[:: max(1, len(ids) // _SAMPLE)][:_SAMPLE]
    found = [features_of(library.features(i, reader.front_end)) for i in drawn]
    rows = [reader.musical(one) for one in found if one is not None]
    return SongSpace.fit(np.stack(rows)) if len(rows) >= _LEAST_FOR_SPACE else None


def _borrowed(
    library: Library, base_model: str, reader: SongReader
) -> tuple[Array, NDArray[np.int64]] | None:
    """Songs that the common model is surest of, a few of each mood."""
    ids = rated_by(library, base_model)
    drawn = ids[:: max(1, len(ids) // _SAMPLE)][:_SAMPLE]
    of_mood: dict[int, list[tuple[float, int]]] = {}
    for track_id, emotion in zip(drawn, library.emotions(drawn), strict=True):
        if emotion.common is not None:
            mood = of_mood.setdefault(emotion.common.quadrant.position, [])
            mood.append((-emotion.common.confidence, track_id))
    rows, moods = [], []
    for position, songs in sorted(of_mood.items()):
        for _, track_id in sorted(songs)[:_BORROWED]:
            one = features_of(library.features(track_id, reader.front_end))
            if one is not None:
                rows.append(reader.physiological(one))
                moods.append(position)
    return (np.stack(rows), np.array(moods, np.int64)) if rows else None


def decided(material: Material) -> list[Decided]:
    """What became of every word, with its reason, for the database."""
    evidence, n = material.evidence, len(material.evidence.words)
    paired = material.pairing.of(np.ones(n, bool))
    rows = []
    for i, word in enumerate(evidence.words):
        row = _decided(
            word, paired.decisions[i], bool(paired.by_signals[i]), material.sessions.get(i),
            heard=bool(np.isfinite(material.pairing.music[i]).all()),
        )  # fmt: skip
        rows.append(row)
        rows += [_as(row, other) for other in evidence.same[i]]
    rows += [
        word.decided(label=False, kept=False, reason=Reason[reason].value)
        for word, reason in evidence.set_aside
    ]
    return sorted(rows, key=lambda row: row.at_s)


def _decided(
    word: Word,
    decision: Decision | None,
    by_signals: bool,
    session: SessionFeatures | None,
    *,
    heard: bool,
) -> Decided:
    if session is not None and session.features is None:
        text = f"{Reason.SIGNALS.value}: {session.fault}" if session.fault else Reason.SIGNALS.value
        return word.decided(label=True, kept=False, reason=text)
    if decision is None:
        why = Reason.NO_CLUSTERS if heard else Reason.NO_FEATURES
        return word.decided(label=True, kept=False, reason=why.value)
    plain = word.decided(label=True, kept=decision.kept and heard, reason=decision.reason.value)
    return replace(
        plain,
        compared="signals" if by_signals else "music",
        prediction=decision.prediction,
        cluster=decision.cluster,
        similarity=round(decision.similarity, 4),
    )


def _as(row: Decided, other: Word) -> Decided:
    """The same decision for another word that says the same of the same song."""
    return replace(row, origin=other.origin, answer_id=other.answer_id, at_s=other.at_s)


def kept_and_dropped(rows: Sequence[Decided]) -> tuple[int, int]:
    """Words whose features are targets, and those whose are not."""
    kept = sum(row.kept for row in rows)
    return kept, len(rows) - kept
