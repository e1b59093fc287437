"""The listener's own model: learned from answers and corrections, tested, taken up, taken back.

It is trained from what is stored alone: no song is decoded again, no sensor is
needed. Corrections win over it in any case (`library_db.emotion_layers`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from app.evidence import Evidence, collect
from app.personal_model import PersonalModel, features_of, personal_row
from app.personal_models import PersonalModels
from app.unfinished import TrainingLock, Unfinished
from inference.errors import UndertoneError
from inference.job import Job, Progress
from library_db.answers import AnswerStore
from library_db.personal_layer import (
    clear_personal,
    common_model,
    common_revision,
    personal_ids,
    rated_by,
)

if TYPE_CHECKING:
    from app.folder_evidence import FolderEvidence
    from app.material import Material, SessionFeatures
    from inference.labelling.ladder import Fit, NetworkTuner
    from inference.labelling.own import OwnParts
    from inference.labelling.pairing import Pairing
    from inference.labelling.songs import SongReader, Windows
    from inference.pipelines.head import Head
    from library_db.library import Library

__all__ = [
    "Forgotten",
    "PersonalReport",
    "Tune",
    "forget",
    "rate_library",
    "roll_back",
    "train",
    "use",
]

_AT_ONCE = 1000


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
    kept, dropped : int
        Words whose features are targets of the regression, and those whose are not; the database
        says of each why.
    sessions : int
        Words on songs that were heard with a band.
    band : str
        What became of the listener's layer of the sensor network, in a sentence.
    rung : str or None
        How much of the model is the listener's own: `inference.labelling.ladder.Rung`.
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
    kept: int = 0
    dropped: int = 0
    sessions: int = 0
    band: str = ""
    rung: str | None = None
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


class Tune(Protocol):
    """Makes what fine-tunes networks; `inference.training.personal.HeadTuner`, where torch is."""

    def __call__(
        self, start: Head, songs: Sequence[Windows | None], pairing: Pairing
    ) -> NetworkTuner: ...


def train(
    library: Library,
    answers: AnswerStore,
    models: PersonalModels,
    *,
    sessions: Callable[[Evidence], Job[Mapping[int, SessionFeatures]]] | None = None,
    tune: Callable[[], Tune | None] | None = None,
    band: Callable[[Material], Job[str]] | None = None,
    folder: Callable[[str], Job[FolderEvidence]] | None = None,
    dry_run: bool = False,
) -> Job[PersonalReport]:
    """Learn a new version, take it up if it passes the test, and rate the library with it.

    If it is not taken up, or this is interrupted at any moment, the version
    that was active stays so; a library that is only partly rated is completed
    by the next call, and what was found out about networks is used again.

    Parameters
    ----------
    sessions : callable, optional
        Finds what the listener's own signals say of the songs with a word.
    tune : callable, optional
        Gives the code that fine-tunes networks, or None where it is not installed.
    band : callable, optional
        Learns the listener's layer of the sensor network, and says what came of it.
    folder : callable, optional
        Reads, with the common model's id, somebody's folder of recordings: then that is learned
        from in place of answers and corrections, whose decisions stay as they are.
    dry_run : bool
        Change nothing.

    Raises
    ------
    UndertoneError
        If no song has been rated, another training is at work, or something cannot be read or
        written.
    """
    began_s = time.monotonic()
    base_model = common_model(library)
    if base_model is None:
        raise UndertoneError(
            "no song has a mood yet, so there is nothing to learn from",
            "Tag your music first: undertone tag FOLDER",
        )
    with TrainingLock(models):
        from app.material import decided, gather, kept_and_dropped

        yield Progress(0, 0, "reading your answers")
        text = ""
        if folder is not None:
            given = yield from folder(base_model)
            evidence, worn, heard = given.music, given.music_sessions, given.features
            of_band = gather(library, given.all, "", models.models_dir, given.sessions)
        else:
            evidence = collect(library, answers.all(), base_model)
            worn = dict((yield from sessions(evidence)) if sessions is not None else {})
            heard, of_band = {}, None
        material = gather(library, evidence, base_model, models.models_dir, worn, heard)
        yield Progress(0, 0, "learning")
        learned = yield from _learn(material, models, tune, keep=not dry_run)
        rows = decided(material)
        fit, before = learned.fit, models.usable()
        model = _model(learned, models.next_number(), library, base_model) if fit.accepted else None
        known = model is not None and before is not None and model.is_same(before)
        taken_up = model is not None and not known and not dry_run
        if not dry_run and folder is None:
            answers.decide(rows)
        if model is not None and taken_up:
            models.save(model)
            models.activate(model.number)
        if band is not None and (worn or of_band is not None):
            text = yield from band(of_band or material)
        rated, moved = (0, 0) if dry_run else (yield from rate_library(library, models.usable()))
    kept, dropped = kept_and_dropped(rows)
    return PersonalReport(
        outcome=fit.outcome.name,
        explanation=_explained(learned, evidence) + ("; it is the active version" if known else ""),
        accepted=taken_up,
        active=models.active_number,
        base_model=base_model,
        songs=fit.n,
        answers=evidence.answers,
        corrections=evidence.corrections,
        contradictory=evidence.contradictory,
        gone=evidence.gone,
        unrated=evidence.unrated,
        kept=kept,
        dropped=dropped,
        sessions=len((of_band or material).sessions),
        band=text,
        rung=fit.rung.value if fit.map is not None else None,
        strength=fit.strength,
        common=fit.test.common if fit.test else None,
        personal=fit.test.personal if fit.test else None,
        lower=fit.test.lower if fit.test else None,
        rated=rated,
        moved=moved,
        seconds=round(time.monotonic() - began_s, 3),
    )


@dataclass(frozen=True, eq=False)
class _Learned:
    """A fit with what it needs to rate songs."""

    fit: Fit
    parts: OwnParts | None = None
    reader: SongReader | None = None
    without_torch: bool = False


def _learn(
    material: Material,
    models: PersonalModels,
    tune: Callable[[], Tune | None] | None,
    *,
    keep: bool,
) -> Job[_Learned]:
    import numpy as np

    from inference.labelling.ladder import LEAST_FOR, Rung, climb
    from inference.labelling.own import OwnHead, OwnParts

    words, reader = material.evidence.words, material.reader
    tuner, lacks = None, False
    heads = reader.heads if reader is not None else ()
    if heads and tune is not None and len(words) >= LEAST_FOR[Rung.NETWORK]:
        make = tune()
        lacks = make is None
        tuner = make(heads[0], material.windows, material.pairing) if make is not None else None
    unfinished = Unfinished(models, material.digest)
    if keep:
        unfinished.begin()
    y = material.pairing.answers
    fit = yield from climb(
        material.probabilities, y, material.places, tuner, unfinished if keep else {}
    )
    parts = head = space = None
    if fit.map is not None and reader is not None:
        space = material.space if fit.map.dimensions else None
        if fit.rung is Rung.NETWORK and tuner is not None:
            places = material.places if space is not None else None
            mine = fit.map.rate(material.probabilities, places)
            tuned = tuner.network(np.ones(len(words), bool), np.log(np.maximum(mine, 1e-6)))
            head = OwnHead(heads[0], tuned, fit.share)
        if space is not None or head is not None:
            parts = OwnParts(reader.front_end, space, head)
    if keep:
        unfinished.done()
    return _Learned(fit, parts, reader if parts is not None else None, lacks)


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
        features = None
        if model.front_end:
            front_end = model.front_end
            features = [features_of(library.features(i, front_end)) for i, _ in common]
        mine = model.rate([e.common for _, e in common if e.common is not None], features)
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

    Raises
    ------
    PersonalModelError
        If a training runs; nothing is deleted then.
    """
    with TrainingLock(models):  # what is trained at this moment would come after it
        songs = len(personal_ids(library))
        deleted = Forgotten(answers.delete(), models.delete(), songs)
        clear_personal(library)
    library.store.database.fold_wal()
    return deleted


def _model(learned: _Learned, number: int, library: Library, base_model: str) -> PersonalModel:
    fit = learned.fit
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
        parts=learned.parts,
        reader=learned.reader,
        base_revision=common_revision(library, base_model),
    )


def _explained(learned: _Learned, evidence: Evidence) -> str:
    from inference.labelling.personal import LEAST_ANSWERS, MARGIN, Outcome

    fit = learned.fit
    text = fit.outcome.value
    if fit.outcome is Outcome.TOO_FEW:
        text += f": {fit.n} of the {LEAST_ANSWERS} that it takes"
    if fit.test is not None:
        test = fit.test
        text += (
            f": it is right on {test.personal:.0%} of {fit.n} songs, the common one on "
            f"{test.common:.0%}; the difference is above {100 * test.lower:+.0f} points with "
            f"95 % certainty, and above {-100 * MARGIN:+.0f} it has to be; "
            f"what was {'learned' if fit.accepted else 'tried'} is {fit.rung.text}"
        )
    if learned.without_torch:
        text += "; networks of your own were not tried, since torch is not installed"
    for count, one, many in (
        (evidence.contradictory, "song has contradictory answers, of which the newest counts",
         "songs have contradictory answers, of which the newest counts"),
        (evidence.gone, "song with an answer is no longer in the library and was left out",
         "songs with an answer are no longer in the library and were left out"),
        (evidence.unrated, "song with an answer has no mood of this model and was left out",
         "songs with an answer have no mood of this model and were left out"),
    ):  # fmt: skip
        if count:
            text += f"; {count} {one if count == 1 else many}"
    return text
