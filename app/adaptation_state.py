"""What was learned of the library as a whole, for people: which version, from what, since when."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.adapting import adapted, needed_songs, stored
from library_db.adaptation import heard, rated_with
from library_db.rows import model_key

if TYPE_CHECKING:
    from app.song_model import Model
    from library_db.library import Library

__all__ = ["AdaptationState", "adaptation_state"]


@dataclass(frozen=True, slots=True)
class AdaptationState:
    """How a model is used to the library.

    Parameters
    ----------
    model_id : str
    can : bool
        Whether the model can get used to a library at all.
    on : bool
        Whether it may: the setting.
    version : int or None
        Of what was learned last; None where nothing was.
    songs : int
        Different recordings that it was learned from.
    learned_s : float or None
        When, seconds since the epoch; None where an older program learned it.
    rated : int
        Songs of the library whose estimate rests on this very version.
    heard : int
        Different recordings that the model has heard by now.
    needed : int
        How many of them it takes to learn (anew).
    """

    model_id: str
    can: bool
    on: bool
    version: int | None
    songs: int
    learned_s: float | None
    rated: int
    heard: int
    needed: int

    @property
    def since(self) -> str:
        """The day, such as 2026-11-25; empty where it is not known."""
        if self.learned_s is None:
            return ""
        return time.strftime("%Y-%m-%d", time.localtime(self.learned_s))

    @property
    def words(self) -> str:
        """For the command line."""
        if not self.can:
            return "does not get used to a library"
        if self.version is None:
            said = f"nothing learned yet: {self.heard} of {self.needed} songs heard"
        else:
            since = f" on {self.since}" if self.since else ""
            said = (
                f"version {self.version}, learned{since} from {self.songs} songs; "
                f"{self.rated} songs are rated with it; learned anew at {self.needed}"
            )
        return said if self.on else f"switched off ([tagging] adapt); {said}"

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``json.dumps``."""
        return {
            "on": self.on,
            "version": self.version,
            "songs": self.songs,
            "learned": self.since or None,
            "rated": self.rated,
            "heard": self.heard,
            "needed": self.needed,
        }


def adaptation_state(library: Library, model: Model, *, on: bool) -> AdaptationState:
    """How `model` is used to `library`; `on` as the settings have it."""
    found = stored(library, model)
    rated = 0
    if found is not None:
        used = adapted(model, found)
        wanted = model_key(used.model_id, used.revision)
        plain = model_key(model.model_id, model.revision)
        rated = sum(key == wanted for _, key in rated_with(library, plain))
    return AdaptationState(
        model_id=model.model_id,
        can=model.adapts,
        on=on,
        version=found.version if found else None,
        songs=found.songs if found else 0,
        learned_s=found.learned_s if found else None,
        rated=rated,
        heard=len(heard(library, model.front_end)) if model.adapts else 0,
        needed=needed_songs(found),
    )
