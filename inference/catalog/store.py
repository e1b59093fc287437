"""Finding, verifying and installing model folders. No torch, no NumPy, no ONNX Runtime."""

from __future__ import annotations

import hashlib
import importlib.resources
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from inference.catalog.card import CARD_NAME, CatalogError, ModelCard, ModelFile

__all__ = [
    "DEFAULT_MODELS",
    "InstalledModel",
    "ModelFault",
    "faults",
    "find",
    "install",
    "installed",
    "resolve",
    "shipped_dir",
    "write_model",
]

DEFAULT_MODELS = ("undertone-music", "ms-sg-student", "ms-sg-vgg19")
"""Music models by preference: the first that is installed is the default."""

_MAX_CARD_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A verified model: its card, and the path of each file by role."""

    card: ModelCard
    folder: Path
    files: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class ModelFault:
    """A model folder that cannot be used, and why."""

    folder: Path
    reason: str


def shipped_dir() -> Path:
    """Where the models lie that come with the program."""
    return Path(str(importlib.resources.files("resources"))) / "models"


def installed(models_dir: Path | None = None) -> list[ModelCard]:
    """Cards of all models that look usable, without reading their files; sorted by id.

    Parameters
    ----------
    models_dir : Path, optional
        The user's own models. One with the same id as a shipped model takes its place unless
        it is older.
    """
    return [card for _, (card, _) in sorted(_scan(models_dir)[0].items())]


def faults(models_dir: Path | None = None) -> list[ModelFault]:
    """Model folders that were passed over, with the reason of each."""
    return _scan(models_dir)[1]


def resolve(model_id: str | None = None, models_dir: Path | None = None) -> ModelCard:
    """The card of a model, by default the preferred installed music model. Reads no model file.

    Raises
    ------
    CatalogError
        If there is no such model.
    """
    return _locate(model_id, models_dir)[0]


def find(model_id: str | None = None, models_dir: Path | None = None) -> InstalledModel:
    """A model whose files have been verified by size and sha256.

    Raises
    ------
    CatalogError
        If it is not installed, or a file is missing, damaged or foreign.
    """
    card, folder = _locate(model_id, models_dir)
    return InstalledModel(card, folder, _verified(card, folder))


def install(source: Path, models_dir: Path) -> ModelCard:
    """Copy a verified model folder into the user's models, all of it or nothing.

    Raises
    ------
    CatalogError
        If the source is not a sound model folder, or the target cannot be written.
    """
    card = _read_card(source, expect_name=False)
    files = _verified(card, source)
    _place(card, files, models_dir / card.id)
    return card


def write_model(card: ModelCard, folder: Path, sources: Mapping[str, Path]) -> ModelCard:
    """Make a model folder from freshly trained files.

    Parameters
    ----------
    card : ModelCard
        Its `files` are filled in here.
    folder : Path
        Replaced if it exists; its name must be the card's id.
    sources : mapping of role to Path
        Each is copied under its own file name.

    Returns
    -------
    ModelCard
        With names, sizes and sha256 of the files.
    """
    if folder.name != card.id:
        raise CatalogError(f"the folder of model {card.id} must have that name, not {folder.name}")
    files = {
        role: ModelFile(path.name, _sha256(path), path.stat().st_size)
        for role, path in sources.items()
    }
    if len({file.name for file in files.values()}) != len(files):
        raise CatalogError(f"two files of model {card.id} have the same name")
    card = replace(card, files=files)
    ModelCard.from_json(card.to_json())  # what cannot be read back must not be written
    _place(card, sources, folder)
    return card


def _place(card: ModelCard, files: Mapping[str, Path], folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{card.id}-", dir=folder.parent))
        try:
            for role, path in files.items():
                shutil.copyfile(path, staging / card.files[role].name)
            (staging / CARD_NAME).write_text(card.to_json(), encoding="utf-8")
            _verified(card, staging)
            staging.chmod(0o755)
            if folder.exists():
                for extra in folder.iterdir():  # a README beside the files stays
                    if extra.suffix == ".md" and not (staging / extra.name).exists():
                        shutil.copyfile(extra, staging / extra.name)
                old = Path(tempfile.mkdtemp(prefix=f".{card.id}-old-", dir=folder.parent))
                folder.replace(old / "model")
                staging.replace(folder)
                shutil.rmtree(old, ignore_errors=True)
            else:
                staging.replace(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise CatalogError(
            f"model {card.id} cannot be written to {folder.parent}: {error.strerror or error}",
            "Check the free space and the permissions there.",
        ) from error


def _locate(model_id: str | None, models_dir: Path | None) -> tuple[ModelCard, Path]:
    found, wrong = _scan(models_dir)
    if model_id is None:
        for preferred in DEFAULT_MODELS:
            if preferred in found:
                return found[preferred]
        raise CatalogError(
            "no music model is installed",
            "Install Undertone's model pack, or run 'undertone models' to see what is missing.",
        )
    if model_id in found:
        return found[model_id]
    for fault in wrong:
        if fault.folder.name == model_id:
            raise CatalogError(f"model {model_id} cannot be used: {fault.reason}")
    names = ", ".join(sorted(found)) or "none"
    raise CatalogError(
        f"there is no model {model_id!r}; installed: {names}",
        "Choose one of them, or run 'undertone models install ID'.",
    )


def _may_be_model(name: str) -> bool:
    """Not hidden or unfinished, and not the listener's own versions, which are no catalogue's."""
    return name[0] not in "._" and name != "personal"


def _scan(
    models_dir: Path | None,
) -> tuple[dict[str, tuple[ModelCard, Path]], list[ModelFault]]:
    found: dict[str, tuple[ModelCard, Path]] = {}
    wrong: list[ModelFault] = []
    for root in (shipped_dir(), models_dir):
        if root is None:
            continue
        try:
            folders = sorted(p for p in root.iterdir() if p.is_dir() and _may_be_model(p.name))
        except OSError:
            continue
        for folder in folders:
            try:
                card = _read_card(folder)
                _check_sizes(card, folder)
            except CatalogError as error:
                wrong.append(ModelFault(folder, str(error)))
                continue
            if card.id not in found or card.order >= found[card.id][0].order:
                found[card.id] = (card, folder)
    return found, wrong


def _read_card(folder: Path, *, expect_name: bool = True) -> ModelCard:
    path = folder / CARD_NAME
    try:
        if path.stat().st_size > _MAX_CARD_BYTES:
            raise CatalogError("the model's card is too large to be one")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(
            f"{folder.name} has no readable {CARD_NAME}", "Install the model again."
        ) from error
    card = ModelCard.from_json(text)
    if expect_name and card.id != folder.name:
        raise CatalogError(
            f"folder {folder.name} holds the card of {card.id}", "Install the model again."
        )
    return card


def _check_sizes(card: ModelCard, folder: Path) -> None:
    for file in card.files.values():
        path = folder / file.name
        try:
            size = path.stat().st_size if path.is_file() else -1
        except OSError:
            size = -1
        if size != file.size_bytes:
            what = "is missing" if size < 0 else f"has {size} bytes in place of {file.size_bytes}"
            raise CatalogError(f"{file.name} of model {card.id} {what}", "Install the model again.")


def _verified(card: ModelCard, folder: Path) -> dict[str, Path]:
    _check_sizes(card, folder)
    paths = {}
    for role, file in card.files.items():
        path = folder / file.name
        try:
            right = _sha256(path) == file.sha256
        except OSError as error:
            raise CatalogError(
                f"{file.name} of model {card.id} cannot be read: {error.strerror or error}"
            ) from error
        if not right:
            raise CatalogError(
                f"{file.name} of model {card.id} is damaged or not the file that the card names",
                "Install the model again.",
            )
        paths[role] = path
    return paths


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
