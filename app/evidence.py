"""What the listener has said, one word a song, brought together from answers and corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inference.emotion import EmotionEstimate, Quadrant
from library_db.answers import Answer
from library_db.decisions import Decided, Origin
from library_db.personal_layer import corrected_ids

if TYPE_CHECKING:
    from library_db.library import Library
    from library_db.track import Track

__all__ = ["Evidence", "Word", "collect", "song_of"]


@dataclass(frozen=True)
class Word:
    """One thing that the listener said of a song.

    Parameters
    ----------
    origin : Origin
    answer_id : int or None
    track_id : int or None
        None where the song is no longer in the library.
    audio_hash : str
    at_s : float
    word : Quadrant
    predicted : Quadrant or None
        What was said to the listener before; None for a correction.
    recording : str
        That ran at the time, "" without a band.
    """

    origin: Origin
    answer_id: int | None
    track_id: int | None
    audio_hash: str
    at_s: float
    word: Quadrant
    predicted: Quadrant | None = None
    recording: str = ""

    def decided(self, *, label: bool, kept: bool, reason: str) -> Decided:
        """A decision in which nothing was compared."""
        return Decided(
            self.origin, self.answer_id, self.track_id or 0, self.audio_hash, self.at_s,
            self.word, label, kept, reason, recording=self.recording,
        )  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """What the listener has said, one word a song, beside what the common model says of it.

    Parameters
    ----------
    words : tuple of Word
        What counts, one a song.
    same : tuple of tuple of Word
        Beside each word, others on the song that say the same: an answer and the correction
        that it made.
    estimates : tuple of EmotionEstimate
        The common model's, one a word.
    set_aside : tuple of (Word, str)
        Words that do not count, each with the name of its reason in
        `inference.labelling.selection.Reason`.
    answers, corrections : int
        All that were given, whether or not they are of use.
    contradictory : int
        Songs on which the listener has said different things: the newest counts.
    gone : int
        Songs that are no longer in the library and left no estimate of this model.
    unrated : int
        Songs that this model has not rated.
    """

    words: tuple[Word, ...]
    same: tuple[tuple[Word, ...], ...]
    estimates: tuple[EmotionEstimate, ...]
    set_aside: tuple[tuple[Word, str], ...]
    answers: int
    corrections: int
    contradictory: int
    gone: int
    unrated: int


@dataclass
class _Song:
    """All words on one song."""

    track_id: int | None
    said: list[Word] = field(default_factory=list)
    kept: EmotionEstimate | None = None


def collect(library: Library, answers: Sequence[Answer], base_model: str) -> Evidence:
    """Bring answers and corrections together, song by song.

    An answer on a song that is gone still counts where the estimate that was
    kept with it is this model's.
    """
    songs: dict[str, _Song] = {}
    for answer in answers:
        track = song_of(library, answer)
        key = _key(track) if track is not None else f"gone {answer.audio_hash or answer.track_id}"
        song = songs.setdefault(key, _Song(track.id if track is not None else None))
        song.said.append(
            Word(
                "answer", answer.id, song.track_id, answer.audio_hash, answer.at_s, answer.answer,
                answer.predicted.quadrant, answer.session,
            )
        )  # fmt: skip
        if answer.predicted.model_id == base_model:
            song.kept = answer.predicted
    corrected = library.tracks(corrected_ids(library))
    for track, emotion in zip(corrected, library.emotions(t.id for t in corrected), strict=True):
        if emotion.user is not None:
            song = songs.setdefault(_key(track), _Song(track.id))
            user = emotion.user
            song.said.append(
                Word("correction", None, track.id, track.audio_hash, user.at_s, user.quadrant)
            )
    return _counted(library, songs, base_model, len(answers), len(corrected))


def _counted(
    library: Library, songs: dict[str, _Song], base_model: str, answers: int, corrections: int
) -> Evidence:
    there = [song.track_id for song in songs.values() if song.track_id is not None]
    common = dict(zip(there, (e.common for e in library.emotions(there)), strict=True))
    words, same, estimates, aside = [], [], [], []
    gone = unrated = contradictory = 0
    for _, song in sorted(songs.items()):
        newest = max(song.said, key=lambda word: word.at_s)
        agreeing = [w for w in song.said if w.word is newest.word]
        aside += [(w, "LATER") for w in song.said if w.word is not newest.word]
        contradictory += len(agreeing) < len(song.said)
        estimate = common.get(song.track_id) if song.track_id is not None else None
        if estimate is None or estimate.model_id != base_model:
            estimate = song.kept
        if estimate is None:
            reason = "GONE" if song.track_id is None else "UNRATED"
            aside += [(w, reason) for w in agreeing]
            gone += song.track_id is None
            unrated += song.track_id is not None
            continue
        # An answer knows what was shown and whether a band was worn; a correction does not.
        chosen = max(agreeing, key=lambda w: (w.recording != "", w.origin == "answer", w.at_s))
        words.append(chosen)
        same.append(tuple(w for w in agreeing if w is not chosen))
        estimates.append(estimate)
    return Evidence(
        tuple(words), tuple(same), tuple(estimates), tuple(aside), answers, corrections,
        contradictory, gone, unrated,
    )  # fmt: skip


def song_of(library: Library, answer: Answer) -> Track | None:
    """The song that an answer is about, also under another id: the audio decides."""
    track = library.track(answer.track_id)
    if track is not None and track.audio_hash == answer.audio_hash:
        return track
    if answer.audio_hash:
        for file in library.files_with(answer.audio_hash):
            if file.hidden is None:
                return library.track(file.id)
    return None


def _key(track: Track) -> str:
    return track.audio_hash or f"track {track.id}"
