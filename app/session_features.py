"""What a listener's own signals say of the songs with a word: read from recordings, kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.evidence import Evidence, Word
from app.heard_songs import HeardSong, Signals, quality_fault, readable, recordings_in
from app.material import SessionFeatures
from app.personal_models import (
    PersonalModelError,
    PersonalModels,
    heard_folder,
    write_atomically,
)
from app.wristband.recorder import FILE_NAME
from inference.emotion import EmotionEstimate
from inference.errors import UndertoneError
from inference.job import Job, Progress
from inference.physio.conditioning import condition
from inference.physio.images import ListenerScale, sensor_images
from inference.physio.segments import segment_starts
from inference.physio.signals import FS_HZ, Channel

if TYPE_CHECKING:
    from inference.sensor_runtime import SensorClassifier

__all__ = ["SessionFeatures", "SongRead", "read_recording", "sessions_of"]

_SEGMENTS = 16
_PREFIX_S = 120.0
_BOTH = frozenset(Channel)


@dataclass(frozen=True, eq=False)
class SongRead:
    """A song of a recording as the sensor network reads it.

    Parameters
    ----------
    song : HeardSong
    features : ndarray, shape (s,), or None
        Attended; None where the signals were too bad, `fault` says how.
    estimate : EmotionEstimate or None
    fault : str
    """

    song: HeardSong
    features: NDArray[np.float64] | None
    estimate: EmotionEstimate | None = None
    fault: str = ""

    @property
    def session(self) -> SessionFeatures:
        quadrant = self.estimate.quadrant if self.estimate is not None else None
        return SessionFeatures(self.features, quadrant, self.fault, self.estimate)


def sessions_of(
    folder: Path, models: PersonalModels, load: Callable[[], SensorClassifier | None]
) -> Callable[[Evidence], Job[Mapping[int, SessionFeatures]]]:
    """Finds the sessions of words; what was read of a recording is kept beside the models.

    Parameters
    ----------
    folder : Path
        Of the recordings.
    load : callable
        Gives the common sensor network, or None where none is installed; called only if there
        are recordings.
    """

    def find(evidence: Evidence) -> Job[Mapping[int, SessionFeatures]]:
        recordings = recordings_in(folder)
        _tidy(models, recordings)
        classifier = load() if recordings and evidence.words else None
        if classifier is None:
            return {}
        found: dict[str, list[SongRead]] = {}
        for number, path in enumerate(recordings):
            yield Progress(number, len(recordings), "reading your sessions")
            for read in _known(path, models, classifier):
                found.setdefault(read.song.audio_hash or f"track {read.song.track_id}", []).append(
                    read
                )
        pairs = ((i, _of_word(word, found)) for i, word in enumerate(evidence.words))
        return {i: chosen.session for i, chosen in pairs if chosen is not None}

    return find


def _of_word(word: Word, found: Mapping[str, Sequence[SongRead]]) -> SongRead | None:
    """The listening that the word is about: of its recording, else the one before the word."""
    reads = found.get(word.audio_hash) or found.get(f"track {word.track_id}") or ()
    named = [r for r in reads if word.recording and r.song.recording == word.recording]
    if named or word.recording:
        return named[-1] if named else None
    good = [r for r in reads if r.features is not None] or list(reads)
    return max(good, key=lambda r: (r.song.at_s <= word.at_s, r.song.at_s), default=None)


def read_recording(path: Path, classifier: SensorClassifier) -> list[SongRead]:
    """The songs of a recording, as far as both signals were recorded; [] if it cannot be read."""
    whole = readable(path)
    if whole is None or whole[1].channels != _BOTH or not classifier.reads(_BOTH):
        return []
    songs, signals = whole
    scale = _scale(signals)
    found = []
    for song in songs:
        part = signals.during(song)
        if part is None:
            continue
        fault = quality_fault(part)
        if fault:
            found.append(SongRead(song, None, fault=fault))
            continue
        estimate, features = classifier.read(segments_of(part, scale))
        found.append(SongRead(song, features, estimate))
    return found


def _scale(signals: Signals) -> ListenerScale:
    """Of the listener, from the beginning of the recording, which carries no label."""
    first = round(_PREFIX_S * FS_HZ)
    gsr, ppg = (condition(c, signals.values[c][:first]) for c in (Channel.GSR, Channel.PPG))
    return ListenerScale.of(gsr, ppg, prefix_s=_PREFIX_S)


def segments_of(signals: Signals, scale: ListenerScale) -> dict[Channel, NDArray[np.float32]]:
    """Evenly spaced segments of a song as in training, those with losses left out."""
    gsr, ppg = (condition(c, signals.values[c]) for c in (Channel.GSR, Channel.PPG))
    images = sensor_images(gsr, ppg, scale)
    starts = segment_starts(min(images.gsr.shape[1], images.ppg.shape[1]))
    whole = np.ones(len(starts), bool)
    for measured in signals.measured.values():
        lost = np.concatenate([[0], np.cumsum(~measured)])
        ends = np.minimum(starts + 64, len(measured))
        whole &= lost[ends] == lost[np.minimum(starts, len(measured))]
    starts = starts[whole] if whole.sum() >= _SEGMENTS // 2 else starts
    at = np.linspace(0, len(starts) - 1, min(_SEGMENTS, len(starts))).round().astype(np.int64)
    one, other = images.segments(starts[at])
    return {Channel.GSR: one, Channel.PPG: other}


# -- kept, so that a recording is read once ----------------------------------------


def _tidy(models: PersonalModels, recordings: Sequence[Path]) -> None:
    """Delete what was read of recordings that are gone."""
    there = {path.name for path in recordings}
    with suppress(OSError):
        for file in heard_folder(models).glob("*.json"):
            if file.stem not in there:
                file.unlink()


def _known(path: Path, models: PersonalModels, classifier: SensorClassifier) -> list[SongRead]:
    file = heard_folder(models) / f"{path.name}.json"
    status = (path / FILE_NAME).stat()
    key = [status.st_size, status.st_mtime_ns, classifier.card.revision, classifier.model_id]
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["key"] == key:
            return [_read_from(row) for row in stored["songs"]]
    except (OSError, ValueError, KeyError, TypeError, AssertionError):
        stored = None  # not read yet, or of another kind
    try:
        reads = read_recording(path, classifier)
    except UndertoneError:
        reads = []
    whole = {"key": key, "songs": [_to_json(read) for read in reads]}
    with suppress(PersonalModelError):  # then it is read again the next time
        write_atomically(file, json.dumps(whole, allow_nan=False).encode())
    return reads


def _to_json(read: SongRead) -> dict[str, object]:
    song, estimate = read.song, read.estimate
    return {
        "song": [
            song.recording, song.track_id, song.audio_hash, song.title, song.path, song.begin_s,
            song.end_s, song.at_s,
        ],
        "features": None if read.features is None else read.features.tolist(),
        "estimate": None if estimate is None else list(estimate.probabilities),
        "model": "" if estimate is None else estimate.model_id,
        "fault": read.fault,
    }  # fmt: skip


def _read_from(row: dict[str, object]) -> SongRead:
    values = row["song"]
    assert isinstance(values, list)
    features, p = row["features"], row["estimate"]
    estimate = None
    if isinstance(p, list):
        estimate = EmotionEstimate.from_probabilities(p, max(p), str(row["model"]))
    known = np.array(features, np.float64) if isinstance(features, list) else None
    return SongRead(HeardSong(*values), known, estimate, str(row["fault"]))
