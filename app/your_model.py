"""What the listener may see of their own model: answers and what became of them, versions, moves.

Plain values for the window and the command line; reading them changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evidence import song_of
from app.personal_models import PersonalModelError, PersonalModels
from inference.emotion import EmotionEstimate, Quadrant
from library_db.answers import Answer, AnswerStore
from library_db.decisions import Decided, Origin
from library_db.personal_layer import (
    common_model,
    common_revision,
    corrected_ids,
    moved_ids,
)

if TYPE_CHECKING:
    from library_db.library import Library
    from library_db.track import Track

__all__ = [
    "Agreement",
    "Move",
    "Overview",
    "Said",
    "Version",
    "agreement",
    "moves",
    "overview",
    "said",
    "versions",
]

MOST_MOVES = 2000
"""More than anyone looks through; their number is told all the same."""

_TRAILING = 20
_AT_ONCE = 1000


@dataclass(frozen=True)
class Said:
    """One word of the listener, and what became of it.

    Parameters
    ----------
    origin : Origin
    at_s : float
        Seconds since the epoch.
    track_id : int or None
        None where the song is no longer in the library.
    title, artist : str
    word : Quadrant
    shown : Quadrant or None
        What the question named; None for a correction.
    agreed : bool or None
        Whether the listener said yes; None for a correction.
    answer_id : int or None
        For `AnswerStore.change` and `AnswerStore.remove`; None for a correction.
    decision : Decided or None
        Of the last training; None where it has not been decided on yet.
    """

    origin: Origin
    at_s: float
    track_id: int | None
    title: str
    artist: str
    word: Quadrant
    shown: Quadrant | None = None
    agreed: bool | None = None
    answer_id: int | None = None
    decision: Decided | None = None


@dataclass(frozen=True)
class Agreement:
    """How often the listener said yes, up to a moment.

    Parameters
    ----------
    at_s : float
        Of an answer, seconds since the epoch.
    share : float
        Of the last `answers` answers that agreed with what was shown, 0..1.
    answers : int
        At most 20.
    """

    at_s: float
    share: float
    answers: int


@dataclass(frozen=True)
class Version:
    """One version of the model, as far as it can be read.

    Parameters
    ----------
    number : int
    active : bool
    usable : bool
        Whether it is of the common model that rates the library now.
    earlier : bool
        Learned upon another version of that model: it goes on speaking, untested on this one.
    whole : bool
        False where that version's features are no longer made: only its map of the plane speaks.
    fault : str
        Why it cannot be read, with the remedy; then the other values are None.
    made_s : float or None
        Seconds since the epoch.
    kind : str or None
        A value of `inference.labelling.ladder.Rung`: how much of the model is the listener's own.
    songs : int or None
        With a word, that it was learned from.
    common, personal, lower : float or None
        The test that it passed: shares of held-out answers, lower bound of the difference.
    """

    number: int
    active: bool
    usable: bool = False
    earlier: bool = False
    whole: bool = True
    fault: str = ""
    made_s: float | None = None
    kind: str | None = None
    base_model: str | None = None
    songs: int | None = None
    common: float | None = None
    personal: float | None = None
    lower: float | None = None

    @property
    def note(self) -> str:
        """What there is to say of it in a sentence; "" where all is as it should be."""
        if self.fault:
            return self.fault
        if not self.usable:
            return f"it was learned upon another model ({self.base_model}), and says nothing now"
        if not self.whole:
            return (
                f"it was learned upon another version of {self.base_model}, whose features are "
                "no longer made: its map of valence and arousal alone speaks"
            )
        if self.earlier:
            return (
                f"it was learned upon another version of {self.base_model} and goes on "
                "speaking, untested on the present one"
            )
        return ""


@dataclass(frozen=True)
class Move:
    """A song whose mood is another one with the listener's model than without."""

    track_id: int
    title: str
    artist: str
    before: EmotionEstimate
    after: EmotionEstimate


@dataclass(frozen=True)
class Overview:
    """Everything about the listener's model in one reading.

    Parameters
    ----------
    said : tuple of Said
        The newest first.
    versions : tuple of Version
        The newest first.
    agreement : tuple of Agreement
        Over time, the oldest first.
    moves : tuple of Move
        By title; of more than `MOST_MOVES` those that moved farthest.
    moved : int
        How many there are.
    active : int or None
        None: the common model alone.
    base_model : str or None
        The common model that rates the library.
    """

    said: tuple[Said, ...]
    versions: tuple[Version, ...]
    agreement: tuple[Agreement, ...]
    moves: tuple[Move, ...]
    moved: int
    active: int | None
    base_model: str | None


def overview(library: Library, answers: AnswerStore, models: PersonalModels) -> Overview:
    """Read everything; no answer is changed, and no model loaded that is not needed."""
    given = answers.all()
    return Overview(
        said=said(library, given, answers.decisions()),
        versions=versions(library, models),
        agreement=agreement(given),
        moves=moves(library),
        moved=len(moved_ids(library)),
        active=models.active_number,
        base_model=common_model(library),
    )


def said(
    library: Library, answers: Sequence[Answer], decisions: Sequence[Decided]
) -> tuple[Said, ...]:
    """Answers and corrections with what became of them, the newest first."""
    of_answers = {d.answer_id: d for d in decisions if d.origin == "answer"}
    of_songs = {(d.track_id, d.at_s): d for d in decisions if d.origin == "correction"}
    found = []
    for answer in answers:
        found.append(
            Said(
                "answer", answer.at_s, *_named(song_of(library, answer)), answer.answer,
                answer.shown, answer.agreed, answer.id, of_answers.get(answer.id),
            )
        )  # fmt: skip
    corrected = library.tracks(corrected_ids(library))
    for track, emotion in zip(corrected, library.emotions(t.id for t in corrected), strict=True):
        if emotion.user is not None:
            at_s, word = emotion.user.at_s, emotion.user.quadrant
            decision = of_songs.get((track.id, at_s))
            found.append(Said("correction", at_s, *_named(track), word, decision=decision))
    return tuple(sorted(found, key=lambda one: one.at_s, reverse=True))


def _named(track: Track | None) -> tuple[int | None, str, str]:
    return (None, "", "") if track is None else (track.id, track.title, track.artist)


def agreement(answers: Sequence[Answer], trailing: int = _TRAILING) -> tuple[Agreement, ...]:
    """The share of yes among the last answers, after each answer; the oldest first."""
    in_order = sorted(answers, key=lambda answer: answer.at_s)
    found = []
    for i, answer in enumerate(in_order):
        last = in_order[max(0, i + 1 - trailing) : i + 1]
        found.append(Agreement(answer.at_s, sum(a.agreed for a in last) / len(last), len(last)))
    return tuple(found)


def versions(library: Library, models: PersonalModels) -> tuple[Version, ...]:
    """Every version that is there, the newest first."""
    chosen, base = models.active_number, common_model(library)
    revision = common_revision(library, base) if base is not None else ""
    found = []
    for number in reversed(models.numbers()):
        active = number == chosen
        try:
            model = models.load(number)
        except PersonalModelError as error:
            found.append(Version(number, active, fault=str(error)))
            continue
        found.append(
            Version(
                number, active, model.base_model == base,
                _differ(model.base_revision, revision), model.is_whole, "", model.made_s,
                model.kind, model.base_model, model.songs, model.common, model.personal,
                model.lower,
            )
        )  # fmt: skip
    return tuple(found)


def _differ(one: str, other: str) -> bool:
    """Whether both revisions are known, and are not the same."""
    return bool(one and other) and one != other


def moves(library: Library, most: int = MOST_MOVES) -> tuple[Move, ...]:
    """The songs whose mood the listener's model changes, by title; of very many the farthest."""
    ids = moved_ids(library)[:most]
    found = []
    for start in range(0, len(ids), _AT_ONCE):
        chunk = ids[start : start + _AT_ONCE]
        tracks = {track.id: track for track in library.tracks(chunk)}
        for track_id, emotion in zip(chunk, library.emotions(chunk), strict=True):
            track, before, after = tracks.get(track_id), emotion.common, emotion.personal
            if track is not None and before is not None and after is not None:
                found.append(Move(track.id, track.title, track.artist, before, after))
    return tuple(sorted(found, key=lambda move: (move.title.casefold(), move.track_id)))
