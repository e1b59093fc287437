"""The personal layer as a whole: what it is made from, which songs have it, taking it away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from library_db.adaptation import MARK
from library_db.changes import ChangeSet
from library_db.database import Durability
from library_db.rows import effective_fields

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = [
    "clear_corrections",
    "clear_personal",
    "common_model",
    "common_revision",
    "corrected_ids",
    "moved_ids",
    "personal_ids",
    "rated_by",
]


def personal_ids(library: Library) -> list[int]:
    """Ids of the tracks that have a personal estimate, ascending."""
    return [i for (i,) in library.store.rows("SELECT id FROM emotion_personal ORDER BY id")]


def clear_personal(library: Library, ids: Iterable[int] | None = None) -> ChangeSet:
    """Take the personal estimates of these tracks, or of all, away in one commit.

    What the tracks count as falls back to the common model; the listener's
    corrections are untouched. The rows are overwritten in the file.
    """
    store = library.store
    with store.commit(Durability.BULK) as revision, store.database.reading() as connection:
        connection.execute("PRAGMA secure_delete=ON").fetchone()
        gone = personal_ids(library)
        if ids is not None:
            gone = sorted(set(gone) & {int(i) for i in ids})
        store.personal.remove(doc_ids=gone)
        fields = zip(gone, store.emotions(gone), strict=True)
        store.write_tracks(revision, ((i, effective_fields(e)) for i, e in fields))
    return library.refresh()


def clear_corrections(library: Library) -> ChangeSet:
    """Take all the listener's corrections away in one commit; the rows are overwritten."""
    store = library.store
    with store.commit(Durability.LISTENER) as revision, store.database.reading() as connection:
        connection.execute("PRAGMA secure_delete=ON").fetchone()
        gone = corrected_ids(library)
        store.user.remove(doc_ids=gone)
        fields = zip(gone, store.emotions(gone), strict=True)
        store.write_tracks(revision, ((i, effective_fields(e)) for i, e in fields))
    return library.refresh()


def common_model(library: Library) -> str | None:
    """The model that rated most songs; None where none has been rated."""
    rows = library.store.rows(
        "SELECT model_id FROM emotion_common GROUP BY model_id ORDER BY count(*) DESC, model_id"
    )
    return rows[0][0] if rows else None


def common_revision(library: Library, model_id: str) -> str:
    """The revision of `model_id` that rated most songs, adapted or not; "" if none is known."""
    begin = f"{model_id}@"
    rows = library.store.rows(
        "SELECT common_model, count(*) FROM tracks WHERE substr(common_model, 1, ?) = ? "
        "GROUP BY common_model",
        (len(begin), begin),
    )
    counts: Counter[str] = Counter()
    for key, number in rows:
        counts[key.removeprefix(begin).partition(MARK)[0]] += number
    return max(counts, key=lambda revision: (counts[revision], revision), default="")


def moved_ids(library: Library) -> list[int]:
    """Ids of the tracks whose mood the personal layer makes another one, the farthest first."""
    rows = library.store.rows(
        "SELECT p.id FROM emotion_personal p JOIN emotion_common c ON c.id = p.id "
        f"WHERE {_MOST_PROBABLE.format(t='p')} <> {_MOST_PROBABLE.format(t='c')} "
        f"ORDER BY {_DISTANCE} DESC, p.id"
    )
    return [i for (i,) in rows]


_DISTANCE = " + ".join(f"abs(p.p_{q} - c.p_{q})" for q in ("hahv", "halv", "lahv", "lalv"))


_MOST_PROBABLE = (
    "(CASE WHEN {t}.p_hahv >= max({t}.p_halv, {t}.p_lahv, {t}.p_lalv) THEN 0 "
    "WHEN {t}.p_halv >= max({t}.p_lahv, {t}.p_lalv) THEN 1 "
    "WHEN {t}.p_lahv >= {t}.p_lalv THEN 2 ELSE 3 END)"
)
"""The first of the most probable quadrants, as `EmotionEstimate.quadrant` has it."""


def rated_by(library: Library, model_id: str) -> list[int]:
    """Ids of the tracks whose common estimate is this model's, ascending."""
    rows = library.store.rows(
        "SELECT id FROM emotion_common WHERE model_id = ? ORDER BY id", (model_id,)
    )
    return [i for (i,) in rows]


def corrected_ids(library: Library) -> list[int]:
    """Ids of the tracks that the listener has corrected, ascending."""
    return [i for (i,) in library.store.rows("SELECT id FROM emotion_user ORDER BY id")]
