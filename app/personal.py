"""The listener's own model: learned from answers and corrections, tested, taken up, taken back.

It is trained from what is stored alone: no song is decoded again, no sensor is
needed. Corrections win over it in any case (`library_db.emotion_layers`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from app.personal_models import PersonalModel, PersonalModels, personal_row
from inference.emotion import EmotionEstimate, Quadrant
from inference.errors import UndertoneError
from inference.job import Job, Progress
from library_db.answers import Answer, AnswerStore
from library_db.personal_layer import (
    clear_personal,
    common_model,
    corrected_ids,
    personal_ids,
    rated_by,
)

if TYPE_CHECKING:
    from inference.labelling.personal import Fit
    from library_db.library import Library
    from library_db.track import Track

__all__ = [
    "Evidence",
    "Forgotten",
    "PersonalReport",
    "collect",
    "forget",
    "rate_library",
    "roll_back",
    "song_of",
    "train",
    "use",
]

_AT_ONCE = 1000


@dataclass(frozen=True)
class Evidence:
    """What the listener has said, one word a song, beside what the common model says of it.

    Parameters
    ----------
    estimates : tuple of EmotionEstimate
    words : tuple of Quadrant
    answers, corrections : int
        All that were given, whether or not they are of use.
    contradictory : int
        Songs on which the listener has said different things: the newest counts.
    gone : int
        Songs that are no longer in the library and left no estimate of this model.
    unrated : int
        Songs that this model has not rated.
    """

    estimates: tuple[EmotionEstimate, ...]
    words: tuple[Quadrant, ...]
    answers: int
    corrections: int
    contradictory: int
    gone: int
    unrated: int


@dataclass(frozen=True)
class PersonalReport:
    """What came of a training or a roll-back; everything in it is a plain JSON value.

    Parameters
    ----------
    outcome : str
        Name of `inference.labelling.personal.Outcome`, or "ROLLED_BACK", "CHOSEN".
    explanation : str
        The same in a sentence.
    accepted : bool
        Whether a new version was taken up; the same words again make none.
    active : int or None
        The version that is active now; None: the common model alone.
    base_model : str or None
    songs, answers, corrections, contradictory, gone, unrated : int
        See `Evidence`; `songs` is what was learned from.
    strength : float or None
        Of the prior.
    common, personal, lower : float or None
        The paired test on held-out answers.
    rated : int
        Songs whose personal estimate was written anew.
    moved : int
        Of these, songs whose mood is another one than the common model's.
    seconds : float
    """

    outcome: str
    explanation: str
    accepted: bool
    active: int | None
    base_model: str | None
    songs: int = 0
    answers: int = 0
    corrections: int = 0
    contradictory: int = 0
    gone: int = 0
    unrated: int = 0
    strength: float | None = None
    common: float | None = None
    personal: float | None = None
    lower: float | None = None
    rated: int = 0
    moved: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Forgotten:
    """What `forget` has deleted."""

    answers: int
    models: int
    songs: int


def collect(library: Library, answers: Sequence[Answer], base_model: str) -> Evidence:
    """Bring answers and corrections together, song by song.

    An answer on a song that is gone still counts where the estimate that was
    kept with it is this model's.
    """
    said: dict[str, list[tuple[float, Quadrant]]] = {}
    kept: dict[str, EmotionEstimate] = {}
    ids: dict[str, int | None] = {}
    for answer in answers:
        track = song_of(library, answer)
        key = _key(track) if track is not None else f"gone {answer.audio_hash or answer.track_id}"
        ids[key] = track.id if track is not None else None
        said.setdefault(key, []).append((answer.at_s, answer.answer))
        if answer.predicted.model_id == base_model:
            kept[key] = answer.predicted
    corrected = library.tracks(corrected_ids(library))
    for track, emotion in zip(corrected, library.emotions(t.id for t in corrected), strict=True):
        if emotion.user is not None:
            ids[_key(track)] = track.id
            said.setdefault(_key(track), []).append((emotion.user.at_s, emotion.user.quadrant))
    there = [track_id for track_id in ids.values() if track_id is not None]
    common = dict(zip(there, (e.common for e in library.emotions(there)), strict=True))
    estimates, words, gone, unrated = [], [], 0, 0
    for key, moments in sorted(said.items()):
        track_id = ids[key]
        estimate = common.get(track_id) if track_id is not None else None
        if estimate is None or estimate.model_id != base_model:
            estimate = kept.get(key)
        if estimate is not None:
            estimates.append(estimate)
            words.append(max(moments, key=lambda moment: moment[0])[1])
        elif track_id is None:
            gone += 1
        else:
            unrated += 1
    return Evidence(
        estimates=tuple(estimates),
        words=tuple(words),
        answers=len(answers),
        corrections=len(corrected),
        contradictory=sum(len({word for _, word in moments}) > 1 for moments in said.values()),
        gone=gone,
        unrated=unrated,
    )


def train(
    library: Library, answers: AnswerStore, models: PersonalModels, *, dry_run: bool = False
) -> Job[PersonalReport]:
    """Learn a new version, take it up if it passes the test, and rate the library with it.

    If it is not taken up, or this is interrupted at any moment, the version
    that was active stays so; a library that is only partly rated is completed
    by the next call.

    Raises
    ------
    UndertoneError
        If no song has been rated, or something cannot be read or written.
    """
    from inference.labelling.personal import fit_personal

    began_s = time.monotonic()
    base_model = common_model(library)
    if base_model is None:
        raise UndertoneError(
            "no song has a mood yet, so there is nothing to learn from",
            "Tag your music first: undertone tag FOLDER",
        )
    yield Progress(0, 0, "reading your answers")
    evidence = collect(library, answers.all(), base_model)
    yield Progress(0, 0, "learning")
    fit = fit_personal(
        [estimate.probabilities for estimate in evidence.estimates],
        [word.position for word in evidence.words],
    )
    known = _is_same(fit, base_model, models.usable())
    taken_up = fit.accepted and not known and not dry_run
    if taken_up:
        model = _model(fit, models.next_number(), base_model)
        models.save(model)
        models.activate(model.number)
    rated, moved = (0, 0) if dry_run else (yield from rate_library(library, models.usable()))
    return PersonalReport(
        outcome=fit.outcome.name,
        explanation=_explained(fit, evidence) + ("; it is the active version" if known else ""),
        accepted=taken_up,
        active=models.active_number,
        base_model=base_model,
        songs=fit.n,
        answers=evidence.answers,
        corrections=evidence.corrections,
        contradictory=evidence.contradictory,
        gone=evidence.gone,
        unrated=evidence.unrated,
        strength=fit.strength,
        common=fit.test.common if fit.test else None,
        personal=fit.test.personal if fit.test else None,
        lower=fit.test.lower if fit.test else None,
        rated=rated,
        moved=moved,
        seconds=round(time.monotonic() - began_s, 3),
    )


def roll_back(library: Library, models: PersonalModels) -> Job[PersonalReport]:
    """Go back to the version before the active one, and rate the library with that.

    Raises
    ------
    PersonalModelError
        If none is active.
    """
    models.roll_back()
    return (yield from _rated_anew(library, models, "ROLLED_BACK"))


def use(library: Library, models: PersonalModels, number: int | None) -> Job[PersonalReport]:
    """Take up a version that was made earlier, or None: the common model alone.

    Raises
    ------
    PersonalModelError
        If that version cannot be read; the active one stays so.
    """
    models.choose(number)
    return (yield from _rated_anew(library, models, "CHOSEN"))


def _rated_anew(library: Library, models: PersonalModels, outcome: str) -> Job[PersonalReport]:
    began_s = time.monotonic()
    rated, moved = yield from rate_library(library, models.usable())
    number = models.active_number
    now = "the common model alone" if number is None else f"version {number} of your model"
    again = " again" if outcome == "ROLLED_BACK" else ""
    return PersonalReport(
        outcome=outcome,
        explanation=f"moods come from {now}{again}",
        accepted=False,
        active=number,
        base_model=common_model(library),
        rated=rated,
        moved=moved,
        seconds=round(time.monotonic() - began_s, 3),
    )


def rate_library(library: Library, model: PersonalModel | None) -> Job[tuple[int, int]]:
    """Make the personal layer what `model` says; None takes it away.

    Returns
    -------
    (rated, moved) : int
        Songs whose estimate was written, and songs whose mood the model changes.
    """
    ids = rated_by(library, model.base_model) if model is not None else []
    superfluous = set(personal_ids(library)) - set(ids)
    if superfluous:
        clear_personal(library, superfluous)
    rated = moved = 0
    for start in range(0, len(ids), _AT_ONCE):
        chunk = ids[start : start + _AT_ONCE]
        yield Progress(start, len(ids), "rating your songs")
        rows = []
        emotions = library.emotions(chunk)
        common = [(i, e) for i, e in zip(chunk, emotions, strict=True) if e.common is not None]
        assert model is not None
        mine = model.rate([e.common for _, e in common if e.common is not None])
        for (track_id, emotion), estimate in zip(common, mine, strict=True):
            assert emotion.common is not None
            moved += estimate.quadrant is not emotion.common.quadrant
            if emotion.personal != estimate:
                rows.append(personal_row(track_id, estimate))
        if rows:
            library.set_estimates(rows)
            rated += len(rows)
    return rated, moved


def forget(library: Library, answers: AnswerStore, models: PersonalModels) -> Forgotten:
    """Delete all answers, every version of the model and what it said of the songs, for good.

    Corrections are no part of it: `undertone labels delete --all` takes those back.
    """
    songs = len(personal_ids(library))
    deleted = Forgotten(answers.delete(), models.delete(), songs)
    clear_personal(library)
    return deleted


def _model(fit: Fit, number: int, base_model: str) -> PersonalModel:
    assert fit.map is not None
    assert fit.test is not None
    assert fit.strength is not None
    return PersonalModel(
        number=number,
        base_model=base_model,
        map=fit.map,
        songs=fit.n,
        strength=fit.strength,
        common=fit.test.common,
        personal=fit.test.personal,
        lower=fit.test.lower,
        made_s=time.time(),
    )


def _is_same(fit: Fit, base_model: str, active: PersonalModel | None) -> bool:
    """Whether the active version was learned from the same words already."""
    if fit.map is None or active is None or active.base_model != base_model:
        return False
    return active.songs == fit.n and bool((active.map.weights == fit.map.weights).all())


def _explained(fit: Fit, evidence: Evidence) -> str:
    from inference.labelling.personal import LEAST_ANSWERS, MARGIN, Outcome

    text = fit.outcome.value
    if fit.outcome is Outcome.TOO_FEW:
        text += f": {fit.n} of the {LEAST_ANSWERS} that it takes"
    if fit.test is not None:
        test = fit.test
        text += (
            f": it is right on {test.personal:.0%} of {fit.n} songs, the common one on "
            f"{test.common:.0%}; the difference is above {100 * test.lower:+.0f} points with "
            f"95 % certainty, and above {-100 * MARGIN:+.0f} it has to be"
        )
    for count, what in (
        (evidence.contradictory, "songs have contradictory answers, of which the newest counts"),
        (evidence.gone, "songs with an answer are no longer in the library and were left out"),
        (evidence.unrated, "songs with an answer have no mood of this model and were left out"),
    ):
        if count:
            text += f"; {count} {what}"
    return text


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
