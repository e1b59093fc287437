"""musicnn's convolutional music tagger in torch: published weights, silent filters taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["CELL_FRAMES", "N_MELS", "Filters", "Musicnn", "MusicnnOutput"]

N_MELS = 96
CELL_FRAMES = 187
"""Frames of a window, 3 s: what the network was trained on."""

_EPSILON = 1e-3  # tf.compat.v1.layers.batch_normalization's default
_SILENT_VARIANCE = 1e-8  # a filter whose output never moved while the network was trained
_TIMBRAL = (("conv2d", 1), ("conv2d_1", 2))
_TEMPORAL = (("conv2d_2", 3), ("conv2d_3", 4), ("conv2d_4", 5))

# What a product of integers costs, measured: it works on so many columns and rows at once ...
_COLUMNS, _ROWS = 16, 4
_NODE, _COPY = 5e6, 550.0  # ... and one more product, or moving a few bytes, on so many numbers
_AT_MOST = 1 << 17  # numbers in a product, so that they stay in the processor's cache

Weights = Mapping[str, NDArray[np.float32]]


class MusicnnOutput(NamedTuple):
    """What the network says of each cell of 3 s.

    Parameters
    ----------
    pooled : Tensor, shape (n, P)
        Maxima, then means, over the cell of the channels that ever moved in training.
    penultimate : Tensor, shape (n, 200)
    tags : Tensor, shape (n, 50)
        Logits of the tags that the network was trained on.
    """

    pooled: Tensor
    penultimate: Tensor
    tags: Tensor


class _Normalisation(NamedTuple):
    """Batch normalisation at run time, ``scale x + shift``, and which channels ever moved."""

    scale: NDArray[np.float32]
    shift: NDArray[np.float32]
    moved: NDArray[np.bool_]

    @classmethod
    def read(cls, weights: Weights, number: int) -> _Normalisation:
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        variance = weights[f"{name}/moving_variance"]
        scale = (weights[f"{name}/gamma"] / np.sqrt(variance + _EPSILON)).astype(np.float32)
        shift = (weights[f"{name}/beta"] - scale * weights[f"{name}/moving_mean"]).astype(
            np.float32
        )
        return cls(scale, shift, variance > _SILENT_VARIANCE)


@dataclass(frozen=True, slots=True)
class Filters:
    """One convolution with the batch normalisation behind its ReLU, live filters only.

    Parameters
    ----------
    kernel : ndarray, shape (F, C, time, bins)
    bias, scale, shift : ndarray, shape (F,)
        The layer is ``scale * relu(kernel * x + bias) + shift``.
    live : ndarray of int
        The places of the live filters among all of the layer's filters.
    constant : ndarray, shape (all filters,)
        What the silent filters say at all times; 0 at the live ones.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    scale: NDArray[np.float32]
    shift: NDArray[np.float32]
    live: NDArray[np.int64]
    constant: NDArray[np.float32]

    @classmethod
    def read(cls, weights: Weights, convolution: str, normalisation: int) -> Filters:
        """Fold layer `convolution` and batch normalisation number `normalisation` together."""
        scale, shift, moved = _Normalisation.read(weights, normalisation)
        kernel = weights[f"{convolution}/kernel"]  # time, bins, channels, filters
        mean = (
            weights[f"batch_normalization_{normalisation}/moving_mean"]
            if normalisation
            else np.zeros_like(scale)
        )
        live = np.flatnonzero(moved)
        return cls(
            np.ascontiguousarray(kernel[..., live].transpose(3, 2, 0, 1)),
            weights[f"{convolution}/bias"][live],
            scale[live],
            shift[live],
            live,
            np.where(moved, 0.0, scale * mean + shift).astype(np.float32),
        )


class _Bank(nn.Module):
    """Convolution, ReLU, normalisation, then the maximum over all frequency positions.

    The maximum is taken of the bare products: ReLU and normalisation are monotone, and a filter
    whose scale is negative is turned round first, which makes its minimum a maximum. The
    convolution is a few wide matrix products with shifted copies of the kernels.
    """

    sign: Tensor
    bias: Tensor
    scale: Tensor
    shift: Tensor
    matrix: Tensor

    def __init__(self, filters: Filters) -> None:
        super().__init__()
        sign = np.where(filters.scale < 0.0, -1.0, 1.0).astype(np.float32)
        self.register_buffer("sign", torch.from_numpy(sign))
        self.register_buffer("bias", torch.from_numpy(filters.bias))
        self.register_buffer("scale", torch.from_numpy(filters.scale))
        self.register_buffer("shift", torch.from_numpy(filters.shift))

    def finished(self, best: Tensor) -> Tensor:
        """From the maximum of the signed products to the layer's output; (T, F) both."""
        return self.scale * torch.relu(self.sign * best + self.bias) + self.shift


class _TimbralBank(_Bank):
    """Kernels of 7 frames that move along frequency, several positions in one product."""

    def __init__(self, filters: Filters, frames: int) -> None:
        super().__init__(filters)
        count, _, self.span, self.bins = filters.kernel.shape
        self.positions = N_MELS - self.bins + 1
        widths = range(1, self.positions + 1)
        self.at_once = min(widths, key=lambda n: self._price(n, count, frames))
        kernel = filters.kernel[:, 0] * self.sign.numpy()[:, None, None]  # filters, time, bins
        block = np.zeros((self.bins + self.at_once - 1, self.span, self.at_once, count), np.float32)
        for step in range(self.at_once):
            block[step : step + self.bins, :, step] = kernel.transpose(2, 1, 0)
        rows = (self.bins + self.at_once - 1) * self.span
        self.register_buffer("matrix", torch.from_numpy(block.reshape(rows, -1)))

    def _price(self, at_once: int, count: int, frames: int) -> float:
        """Of all products, in multiplications."""
        products = -(-self.positions // at_once)
        rows = _filled((self.bins + at_once - 1) * self.span, _ROWS)
        columns = _filled(at_once * count, _COLUMNS)
        return float(products * (frames * (rows * columns + 10 * rows + 40 * columns) + _NODE))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (T, 96) in, (T, F) out."""
        frames = x.shape[0]
        padded = nn.functional.pad(x, (0, 0, self.span // 2, self.span // 2))
        patches = torch.stack([padded[i : i + frames] for i in range(self.span)], dim=2)
        flat = patches.reshape(frames, -1)
        best: Tensor | None = None
        starts = [*range(0, self.positions - self.at_once, self.at_once)]
        for start in [*starts, self.positions - self.at_once]:
            columns = slice(start * self.span, (start + self.bins + self.at_once - 1) * self.span)
            said = (flat[:, columns] @ self.matrix).reshape(frames, self.at_once, -1).amax(1)
            best = said if best is None else torch.maximum(best, said)
        if best is None:
            raise AssertionError("a bank has at least one position")
        return self.finished(best)


class _TemporalBank(_Bank):
    """Kernels of one mel band that move along time, a block of frames in one product."""

    def __init__(self, filters: Filters, frames: int) -> None:
        super().__init__(filters)
        count, _, span, _ = filters.kernel.shape
        divisors = [d for d in range(1, span + 1) if frames % d == 0]
        self.block = min(divisors, key=lambda d: _block_price(d, span, count))
        self.blocks = frames // self.block
        self.parts = _parts(self.block, span)
        self.before = (span - 1) // 2
        self.after = (self.blocks + self.parts - 1) * self.block - self.before - frames
        self.at_once = max(1, _AT_MOST // (N_MELS * self.block * count))  # blocks
        kernel = filters.kernel[:, 0, :, 0] * self.sign.numpy()[:, None]
        matrix = np.zeros((self.parts * self.block, self.block, count), np.float32)
        for step in range(self.block):
            matrix[step : step + span, step] = kernel.T
        self.register_buffer("matrix", torch.from_numpy(matrix.reshape(len(matrix), -1)))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (T, 96) in, (T, F) out."""
        padded = nn.functional.pad(x, (0, 0, self.before, self.after))
        cut = padded.reshape(self.blocks + self.parts - 1, self.block, N_MELS).transpose(1, 2)
        rests = torch.cat([cut[i : i + self.blocks] for i in range(self.parts)], dim=2)
        said = [
            # blocks, bins, frames of a block x filters
            (rests[start : start + self.at_once] @ self.matrix).amax(1)
            for start in range(0, self.blocks, self.at_once)
        ]
        return self.finished(torch.cat(said).reshape(x.shape[0], -1))


def _filled(count: int, unit: int) -> int:
    return -(-count // unit) * unit


def _parts(block: int, span: int) -> int:
    """Blocks of frames that a block of answers rests on."""
    return 1 + -(-(span - 1) // block)


def _block_price(block: int, span: int, count: int) -> float:
    """Of a frame and band, in multiplications, when so many frames go into one product."""
    parts = _parts(block, span)
    columns = _filled(block * count, _COLUMNS)
    return (_filled(parts * block, _ROWS) * columns + _COPY * parts) / block


class _Middle(nn.Module):
    """Convolution over 7 frames and all channels, ReLU, normalisation; silent filters constant."""

    kernel: Tensor
    bias: Tensor
    scale: Tensor
    shift: Tensor
    place: Tensor
    constant: Tensor

    def __init__(self, kernel: NDArray[np.float32], filters: Filters) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.from_numpy(kernel))
        self.register_buffer("bias", torch.from_numpy(filters.bias))
        self.register_buffer("scale", torch.from_numpy(filters.scale))
        self.register_buffer("shift", torch.from_numpy(filters.shift))
        place = np.full(len(filters.constant), len(filters.live))
        place[filters.live] = np.arange(len(filters.live))
        self.register_buffer("place", torch.from_numpy(place))
        self.register_buffer("constant", torch.from_numpy(filters.constant))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (1, C, T) in, (1, 64, T) out."""
        y = nn.functional.conv1d(x, self.kernel, self.bias, padding=3).relu()
        y = y * self.scale[:, None] + self.shift[:, None]
        full = torch.cat([y, torch.zeros_like(y[:, :1])], dim=1)[:, self.place]
        return full + self.constant[:, None]


class Musicnn(nn.Module):
    """Musically motivated filters over log-mel frames, three dense layers, pooling over cells.

    Equations as in Pons and Serra (2019), "musicnn: pre-trained convolutional
    neural networks for music audio tagging" (late-breaking demo, ISMIR). Most
    filters of the published weights (ISC licence) never fire: MSD_musicnn has 64
    live ones of 561 in its first layer. They are left out, which changes no
    output by more than rounding and saves nine tenths of the work.

    Parameters
    ----------
    weights : mapping of str to ndarray
        The checkpoint's variables, as `read_checkpoint` gives them.
    cells : int
        Cells of 187 frames in the stretch that `forward` takes.
    """

    dense: Tensor
    dense_bias: Tensor
    out_scale: Tensor
    out_shift: Tensor
    tag_kernel: Tensor
    tag_bias: Tensor
    moved: Tensor

    def __init__(self, weights: Weights, cells: int) -> None:
        super().__init__()
        self.cells = cells
        first = _Normalisation.read(weights, 0)
        self.input_scale, self.input_shift = float(first.scale[0]), float(first.shift[0])
        timbral = [Filters.read(weights, *names) for names in _TIMBRAL]
        temporal = [Filters.read(weights, *names) for names in _TEMPORAL]
        banks = [
            *(_TimbralBank(filters, cells * CELL_FRAMES) for filters in timbral),
            *(_TemporalBank(filters, cells * CELL_FRAMES) for filters in temporal),
        ]
        self.banks = nn.ModuleList(banks)
        front = timbral + temporal
        offsets = np.cumsum([0, *(len(f.constant) for f in front)])
        live = np.concatenate([f.live + o for f, o in zip(front, offsets, strict=False)])
        constant = np.concatenate([f.constant for f in front])
        self.middle = nn.ModuleList(_middle(weights, live, constant))
        self._set_back(weights, live, constant)

    def _set_back(
        self, weights: Weights, live: NDArray[np.int64], constant: NDArray[np.float32]
    ) -> None:
        """The dense layer on maxima and means, what is constant folded into its bias."""
        n = len(constant) + 3 * 64
        pooling = _Normalisation.read(weights, 9)
        scale, shift = _unlaced(pooling.scale), _unlaced(pooling.shift)
        moved = pooling.moved.reshape(-1, 2).T.reshape(-1)
        kernel = weights["dense/kernel"]
        dense = kernel.reshape(n, 2, -1).transpose(1, 0, 2).reshape(2 * n, -1)
        fixed = np.setdiff1d(np.arange(len(constant)), live)
        kept = np.setdiff1d(np.arange(n), fixed)
        kept = np.concatenate([live, kept[kept >= len(constant)]])
        both = np.concatenate([kept, n + kept])
        bias = weights["dense/bias"] + shift[both] @ dense[both]
        for half in (0, n):
            value = scale[half + fixed] * constant[fixed] + shift[half + fixed]
            bias = bias + value @ dense[half + fixed]
        last = _Normalisation.read(weights, 10)
        buffers = {
            "dense": scale[both, None] * dense[both],
            "dense_bias": bias.astype(np.float32),
            "out_scale": last.scale,
            "out_shift": last.shift,
            "tag_kernel": weights["dense_1/kernel"],
            "tag_bias": weights["dense_1/bias"],
            "moved": np.flatnonzero(moved[both]),
        }
        for name, array in buffers.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)))

    def channels(self, mel: Tensor) -> Tensor:
        """All live channels over time.

        Parameters
        ----------
        mel : Tensor, shape (T, 96)
            log10(1 + 10000 x mel power), 62.5 frames a second.

        Returns
        -------
        Tensor, shape (1, C, T)
        """
        x = mel * self.input_scale + self.input_shift
        front = torch.cat([bank(x) for bank in self.banks], dim=1).T[None]
        total = self.middle[0](torch.cat([front, torch.ones_like(front[:, :1])], dim=1))
        features = [front, total]
        for layer in (self.middle[1], self.middle[2]):
            total = total + layer(total)
            features.append(total)
        return torch.cat(features, dim=1)

    def forward(self, mel: Tensor) -> MusicnnOutput:
        """Describe `mel`, shape (cells x 187, 96), cell by cell."""
        cut = self.channels(mel)[0].reshape(-1, self.cells, CELL_FRAMES)
        pooled = torch.cat([cut.amax(2), cut.mean(2)], dim=0).T
        hidden = torch.relu(pooled @ self.dense + self.dense_bias)
        penultimate = hidden * self.out_scale + self.out_shift
        tags = penultimate @ self.tag_kernel + self.tag_bias
        return MusicnnOutput(pooled[:, self.moved], penultimate, tags)


def _middle(
    weights: Weights, live: NDArray[np.int64], constant: NDArray[np.float32]
) -> list[_Middle]:
    layers = []
    for number in (5, 6, 7):
        filters = Filters.read(weights, f"conv2d_{number}", number + 1)
        kernel = filters.kernel[:, 0].transpose(0, 2, 1)  # filters, channels, time
        if number == 5:  # one more channel carries all constant ones; padding makes it 0 outside
            ones = (kernel * constant[None, :, None]).sum(1, keepdims=True)
            kernel = np.concatenate([kernel[:, live], ones], axis=1)
        layers.append(_Middle(np.ascontiguousarray(kernel), filters))
    return layers


def _unlaced(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """TensorFlow flattens (channels, [max, mean]): all maxima first, then all means."""
    return array.reshape(-1, 2).T.reshape(-1)
