"""The listener's own models on disk: numbered versions, which one is active, the way back."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.overwriting import delete_for_good
from app.personal_model import MODEL_PREFIX, PersonalModel
from inference.errors import UndertoneError

__all__ = [
    "FOLDER",
    "PersonalModelError",
    "PersonalModels",
    "heard_folder",
    "usable_model",
    "write_atomically",
]

FOLDER = MODEL_PREFIX
"""In the folder of the user's models."""

_FORMAT = "undertone-personal-model"
_FORMAT_VERSION = 2
_MODEL_FILE = "model.json"
_PARTS_FILE = "parts.npz"
_ACTIVE_FILE = "active.json"
_MOST_BYTES = 1 << 20
_MOST_PARTS_BYTES = 64 << 20
_COMMON_ALONE = 0  # in the history: the listener has chosen the common model
_REMEDY = "Train it again with `undertone train personal`"


class PersonalModelError(UndertoneError):
    """A personal model that cannot be read, written or found."""


class PersonalModels:
    """The versions in a folder of models; every change is made at once or not at all.

    Parameters
    ----------
    models_dir : Path
        The user's models; the versions lie in ``personal/<number>/model.json``.
    folder : str
        In place of ``personal``.
    """

    def __init__(self, models_dir: Path, folder: str = FOLDER) -> None:
        self.folder = models_dir / folder
        self.models_dir = models_dir

    def numbers(self) -> list[int]:
        """The versions that are there, ascending."""
        return [n for n in self._folders() if (self.folder / str(n) / _MODEL_FILE).exists()]

    def _folders(self) -> list[int]:
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
        if whole.get("version") not in (1, _FORMAT_VERSION):
            raise PersonalModelError(
                f"{path} was made by another version of Undertone",
                f"Update Undertone, or train anew. {_REMEDY}",
            )
        model = _from_json(path, whole["model"])
        if whole.get("parts") is None:
            return model
        return self._with_parts(model, str(whole["parts"]))

    def _with_parts(self, model: PersonalModel, sha256: str) -> PersonalModel:
        from inference.labelling.own import OwnParts
        from inference.labelling.songs import read_songs

        path = self.folder / str(model.number) / _PARTS_FILE
        data = _bytes(path, _MOST_PARTS_BYTES)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise PersonalModelError(f"{path} is damaged", _REMEDY)
        try:
            parts = OwnParts.from_bytes(data)
        except ValueError as error:
            raise PersonalModelError(f"{path} is damaged ({error})", _REMEDY) from error
        if model.map.dimensions != (parts.space.dimensions if parts.space else 0):
            raise PersonalModelError(f"{path} does not fit its map", _REMEDY)
        model = replace(model, parts=parts)
        if model.is_whole:
            return model
        try:
            reader = read_songs(model.base_model, self.models_dir)
        except UndertoneError:
            return model  # nothing is lost: its map of the plane speaks without
        return replace(model, reader=reader) if reader.front_end == parts.front_end else model

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
        folder = self.folder / str(model.number)
        whole = {
            "format": _FORMAT,
            "version": _FORMAT_VERSION,
            "model": plain,
            "sha256": _digest(plain),
            "parts": None,
        }
        try:
            if model.parts is not None:
                data = model.parts.to_bytes()
                whole["parts"] = hashlib.sha256(data).hexdigest()
                write_atomically(folder / _PARTS_FILE, data)
            _write(folder / _MODEL_FILE, whole)
        except PersonalModelError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def next_number(self) -> int:
        """The number of the next version; no number is used twice."""
        return max([0, *self._folders(), *self.history]) + 1

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
        """Overwrite and delete every version; returns how many there were.

        Raises
        ------
        PersonalModelError
            If a file cannot be deleted.
        """
        count = len(self.numbers())
        try:
            delete_for_good(self.folder)
        except OSError as error:
            raise PersonalModelError(
                f"{self.folder} cannot be deleted ({error.strerror})", "Delete it yourself"
            ) from error
        return count

    def _set_history(self, history: list[int]) -> None:
        _write(self.folder / _ACTIVE_FILE, {"history": history})


def heard_folder(models: PersonalModels) -> Path:
    """Where is kept what was read of the listener's recordings."""
    return models.folder / "heard"


def usable_model(models_dir: Path | None) -> PersonalModel | None:
    """The active version in a folder of models, if there is one that can be read."""
    return PersonalModels(models_dir).usable() if models_dir is not None else None


def _digest(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _bytes(path: Path, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise PersonalModelError(f"{path} is damaged", _REMEDY)
        return path.read_bytes()
    except OSError as error:
        raise PersonalModelError(f"{path} cannot be read ({error.strerror})", _REMEDY) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        whole = json.loads(_bytes(path, _MOST_BYTES).decode("utf-8"))
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
            strength=float(plain["strength"]),
            common=float(plain["common"]),
            personal=float(plain["personal"]),
            lower=float(plain["lower"]),
            made_s=float(plain["made_s"]),
            base_revision=str(plain.get("base_revision", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PersonalModelError(f"{path} is damaged ({error})", _REMEDY) from error


def _write(path: Path, whole: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(whole, allow_nan=False, indent=1).encode())


def write_atomically(path: Path, data: bytes) -> None:
    """Write a private file whole or not at all, on the disk when this returns.

    Raises
    ------
    PersonalModelError
        If it cannot be written; what was there stays.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
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
