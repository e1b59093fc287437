"""`ms-sg-vgg19` on the user's machine: published weights in, verified int8 model out."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from inference.catalog import CatalogError, ModelCard, write_model
from inference.errors import UndertoneError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["RECIPE", "eight_bit", "install_vgg19", "recipe_folder"]

RECIPE = "ms-sg-vgg19"
CALIBRATION_PIECES = 16
_KEPT_CONVOLUTIONS = 5
"""Of colours and the first two blocks, which stay float32: a quarter of the work, half of the
error (DECISIONS 55)."""

_NEEDS_TRAINING = UndertoneError(
    "building this model needs PyTorch and ONNX, which are not installed",
    "Install Undertone with its training extra: pip install 'undertone[train]'.",
)


def recipe_folder() -> Path:
    """Where the trained head lies that belongs to the published weights."""
    return Path(str(importlib.resources.files("resources"))) / "recipes" / RECIPE


def install_vgg19(
    weights: Path,
    folder: Path,
    *,
    progress: Callable[[str], None] = lambda text: None,
    recipe: Path | None = None,
) -> ModelCard:
    """Build the model `ms-sg-vgg19`: the convolutional base in 8 bits before our trained head.

    The 8-bit ranges come from synthesised music, so that nobody's recordings
    are needed. Takes about a minute and 1 GB of memory.

    Parameters
    ----------
    weights : Path
        ``vgg_normalized.pth``; its sha256 is checked.
    folder : Path
        An empty or missing folder named ``ms-sg-vgg19``.
    progress : callable
        Told what is being done, for people.
    recipe : Path, optional
        Folder of card, head and classifier; the shipped one by default.

    Raises
    ------
    UndertoneError
        If PyTorch or ONNX are missing, the weights are not the published
        ones, or the shipped head is missing.
    """
    try:
        import onnx  # noqa: F401

        from inference.models.vgg19 import VGG19Blocks, load_published_weights
    except ModuleNotFoundError as error:
        raise _NEEDS_TRAINING from error
    card, files = _read_recipe(recipe or recipe_folder())
    progress("reading the weights")
    base = load_published_weights(weights)
    model = VGG19Blocks(base) if "features" in card.config else base  # what the head learned from
    with TemporaryDirectory() as scratch:
        small = Path(scratch) / "vgg19.onnx"
        progress("converting the network to 8 bits")
        eight_bit(model, small)
        progress("writing the model")
        return write_model(card, folder, {**files, "front_end": small})


def eight_bit(model: nn.Module, target: Path) -> None:
    """Write VGG19 as a front end in 8 bits but for its first blocks, by synthesised music."""
    from inference.training.export import export_front_end
    from inference.training.quantise import quantise
    from inference.training.synthetic import calibration_segments

    with TemporaryDirectory() as scratch:
        plain = Path(scratch) / "fp32.onnx"
        export_front_end(model, plain)
        segments = (c[::2] for c in calibration_segments(CALIBRATION_PIECES))
        quantise(plain, target, segments, keep=_KEPT_CONVOLUTIONS)


def _read_recipe(folder: Path) -> tuple[ModelCard, dict[str, Path]]:
    try:
        card = ModelCard.from_json((folder / "card.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(
            f"the trained head of {RECIPE} is not in {folder}",
            "Install Undertone's model pack, or train it: undertone train music --front-end vgg19.",
        ) from error
    return card, {role: folder / file.name for role, file in card.files.items()}
