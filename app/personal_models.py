"""The listener's own models on disk: numbered versions, which one is active, the way back."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.emotion import EmotionEstimate
from inference.errors import UndertoneError

if TYPE_CHECKING:
    from inference.labelling.personal import PersonalMap
    from library_db.library import EstimateRow

__all__ = [
    "FOLDER",
    "PersonalModel",
    "PersonalModelError",
    "PersonalModels",
    "personal_row",
    "personal_rows",
    "usable_model",
]

FOLDER = "personal"
"""In the folder of the user's models."""

_FORMAT = "undertone-personal-model"
_FORMAT_VERSION = 1
_MODEL_FILE = "model.json"
_ACTIVE_FILE = "active.json"
_MOST_BYTES = 1 << 20
_COMMON_ALONE = 0  # in the history: the listener has chosen the common model
_REMEDY = "Train it again with `undertone train personal`"


class PersonalModelError(UndertoneError):
    """A personal model that cannot be read, written or found."""


@dataclass(frozen=True, eq=False)
class PersonalModel:
    """One version of the listener's model.

    Parameters
    ----------
    number : int
        1, 2, ...
    base_model : str
        The common model whose estimates it moves; on another's it says nothing.
    map : PersonalMap
    songs : int
        With a word of the listener, that it was learned from.
    strength : float
        Of the prior.
    common, personal, lower : float
        The paired test on held-out answers, see `inference.labelling.personal.PairedTest`.
    made_s : float
        Seconds since the epoch.
    """

    number: int
    base_model: str
    map: PersonalMap
    songs: int
    strength: float
    common: float
    personal: float
    lower: float
    made_s: float

    @property
    def kind(self) -> str:
        """How much of it is the listener's own: "map" of the plane."""
        return "map"

    @property
    def model_id(self) -> str:
        """What its estimates name."""
        return f"{FOLDER}-{self.number}"

    def rate(self, estimates: Sequence[EmotionEstimate]) -> list[EmotionEstimate]:
        """The listener's estimates from the common model's.

        The confidence is the personal probability of the mood: it was fitted
        to this listener's own answers.
        """
        if not estimates:
            return []
        # Rounded, so that a song's estimate is the same whatever songs are rated along with it.
        rows = self.map.rate([estimate.probabilities for estimate in estimates]).round(9)
        return [
            EmotionEstimate.from_probabilities(row.tolist(), float(row.max()), self.model_id)
            for row in rows
        ]

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON values."""
        return {
            "number": self.number,
            "base_model": self.base_model,
            "weights": self.map.weights.tolist(),
            "songs": self.songs,
            "strength": self.strength,
            "common": self.common,
            "personal": self.personal,
            "lower": self.lower,
            "made_s": self.made_s,
        }


class PersonalModels:
    """The versions in a folder of models; every change is made at once or not at all.

    Parameters
    ----------
    models_dir : Path
        The user's models; the versions lie in ``personal/<number>/model.json``.
    """

    def __init__(self, models_dir: Path) -> None:
        self.folder = models_dir / FOLDER

    def numbers(self) -> list[int]:
        """The versions that are there, ascending."""
        try:
            names = [entry.name for entry in self.folder.iterdir() if entry.is_dir()]
        except OSError:
            return []
        return sorted(int(name) for name in names if name.isdecimal() and name.isascii())

    def load(self, number: int) -> PersonalModel:
        """Read and check one version.

        Raises
        ------
        PersonalModelError
            If it is missing, damaged, or of a newer version of the program.
        """
        path = self.folder / str(number) / _MODEL_FILE
        whole = _read(path)
        if whole.get("format") != _FORMAT or whole.get("sha256") != _digest(whole.get("model")):
            raise PersonalModelError(f"{path} is damaged", _REMEDY)
        if whole.get("version") != _FORMAT_VERSION:
            raise PersonalModelError(
                f"{path} was made by another version of Undertone",
                f"Update Undertone, or train anew. {_REMEDY}",
            )
        return _from_json(path, whole["model"])

    @property
    def history(self) -> list[int]:
        """The versions that were activated and not rolled back, the active one last."""
        try:
            found = _read(self.folder / _ACTIVE_FILE).get("history")
        except PersonalModelError:
            return []
        if not isinstance(found, list):
            return []
        return [number for number in found if type(number) is int]

    @property
    def active_number(self) -> int | None:
        """The active version's number; None: the common model alone."""
        history = self.history
        return (history[-1] or None) if history else None

    def active(self) -> PersonalModel | None:
        """The active version; None: the common model alone.

        Raises
        ------
        PersonalModelError
            If the active one cannot be read.
        """
        number = self.active_number
        return self.load(number) if number is not None else None

    def usable(self) -> PersonalModel | None:
        """As `active`, with None for one that cannot be read: tagging goes on without it."""
        try:
            return self.active()
        except PersonalModelError:
            return None

    def save(self, model: PersonalModel) -> None:
        """Write a version, not yet active.

        Raises
        ------
        PersonalModelError
            If it cannot be written; what was there stays.
        """
        plain = model.to_json()
        whole = {
            "format": _FORMAT,
            "version": _FORMAT_VERSION,
            "model": plain,
            "sha256": _digest(plain),
        }
        _write(self.folder / str(model.number) / _MODEL_FILE, whole)

    def next_number(self) -> int:
        """The number of the next version; no number is used twice."""
        return max([0, *self.numbers(), *self.history]) + 1

    def activate(self, number: int) -> None:
        """Make a version the active one."""
        self._set_history([*self.history, number])

    def choose(self, number: int | None) -> None:
        """As `activate`, for a version that was made earlier, or None: the common model alone.

        Raises
        ------
        PersonalModelError
            If that version cannot be read; the active one stays so.
        """
        if number is not None:
            self.load(number)
        if number != self.active_number:
            self.activate(number or _COMMON_ALONE)

    def roll_back(self) -> int | None:
        """Take back the last activation.

        Returns
        -------
        int or None
            The version that is active now; None: the common model alone.

        Raises
        ------
        PersonalModelError
            If none is active.
        """
        history = self.history
        if not history:
            raise PersonalModelError(
                "no personal model is active, so there is nothing to roll back", _REMEDY
            )
        self._set_history(history[:-1])
        return (history[-2] or None) if len(history) > 1 else None

    def delete(self) -> int:
        """Delete every version; returns how many there were.

        Raises
        ------
        PersonalModelError
            If a file cannot be deleted.
        """
        count = len(self.numbers())
        try:
            shutil.rmtree(self.folder)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise PersonalModelError(
                f"{self.folder} cannot be deleted ({error.strerror})", "Delete it yourself"
            ) from error
        return count

    def _set_history(self, history: list[int]) -> None:
        _write(self.folder / _ACTIVE_FILE, {"history": history})


def usable_model(models_dir: Path | None) -> PersonalModel | None:
    """The active version in a folder of models, if there is one that can be read."""
    return PersonalModels(models_dir).usable() if models_dir is not None else None


def personal_rows(model: PersonalModel | None, rows: Iterable[EstimateRow]) -> list[EstimateRow]:
    """The personal estimates that belong to these common ones: for songs as they are tagged."""
    if model is None:
        return []
    common = [
        (row.track_id, row.estimate)
        for row in rows
        if row.estimate is not None and row.estimate.model_id == model.base_model
    ]
    mine = model.rate([estimate for _, estimate in common])
    return [personal_row(track_id, e) for (track_id, _), e in zip(common, mine, strict=True)]


def personal_row(track_id: int, estimate: EmotionEstimate) -> EstimateRow:
    """What `Library.set_estimates` takes to fill the personal layer of a song."""
    from library_db.library import EstimateRow

    return EstimateRow(track_id, "personal", estimate)


def _digest(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PersonalModelError(f"{path} is damaged", _REMEDY)
        whole = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PersonalModelError(f"{path} cannot be read ({error.strerror})", _REMEDY) from error
    except (ValueError, RecursionError) as error:
        raise PersonalModelError(f"{path} is damaged", _REMEDY) from error
    if not isinstance(whole, dict):
        raise PersonalModelError(f"{path} is damaged", _REMEDY)
    return whole


def _from_json(path: Path, plain: Any) -> PersonalModel:
    import numpy as np

    from inference.labelling.personal import PersonalMap

    try:
        return PersonalModel(
            number=int(plain["number"]),
            base_model=str(plain["base_model"]),
            map=PersonalMap(np.array(plain["weights"], np.float64)),
            songs=int(plain["songs"]),
            **{
                name: float(plain[name])
                for name in ("strength", "common", "personal", "lower", "made_s")
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PersonalModelError(f"{path} is damaged ({error})", _REMEDY) from error


def _write(path: Path, whole: dict[str, Any]) -> None:
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(whole, file, allow_nan=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()
        raise PersonalModelError(
            f"{path} cannot be written ({error.strerror}); the model stays as it was",
            "Free some space or make the folder writable",
        ) from error
