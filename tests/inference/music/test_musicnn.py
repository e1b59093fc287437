"""The pruned network says what the published architecture says; its checkpoints can be read."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import conv1d, conv2d, pad

from inference.models.musicnn import (
    CELL_FRAMES,
    N_MELS,
    Filters,
    Musicnn,
    _TemporalBank,
    _TimbralBank,
)
from inference.training.music_best_checkpoint import CheckpointError, read_checkpoint

pytestmark = pytest.mark.training

Weights = dict[str, NDArray[np.float32]]
_FRONT = ((7, 38, 204), (7, 67, 204), (128, 1, 51), (64, 1, 51), (32, 1, 51))


def made_up_weights(seed: int = 0) -> Weights:
    """Random weights of the published shapes; most filters never fire, as in the published ones."""
    rng = np.random.default_rng(seed)
    weights: Weights = {}

    def layer(name: str, number: int, shape: tuple[int, ...], silent: float) -> None:
        filters = shape[-1]
        dead = rng.random(filters) < silent
        kernel = rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
        kernel[..., dead] = 0.0
        bias = rng.normal(size=filters)
        weights[f"{name}/kernel"] = kernel.astype(np.float32)
        weights[f"{name}/bias"] = bias.astype(np.float32)
        normalise(number, filters, np.maximum(bias, 0.0), dead)

    def normalise(number: int, n: int, mean: NDArray[np.float64], dead: NDArray[np.bool_]) -> None:
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        weights[f"{name}/gamma"] = rng.normal(size=n).astype(np.float32)  # of either sign
        weights[f"{name}/beta"] = rng.normal(size=n).astype(np.float32)
        weights[f"{name}/moving_mean"] = mean.astype(np.float32)
        variance = np.where(dead, 1e-36, rng.uniform(0.5, 2.0, n))
        weights[f"{name}/moving_variance"] = variance.astype(np.float32)

    normalise(0, 1, np.zeros(1), np.zeros(1, bool))
    names = ["conv2d", *(f"conv2d_{i}" for i in range(1, 8))]
    for i, (time, bins, count) in enumerate(_FRONT):
        layer(names[i], i + 1, (time, bins, 1, count), silent=0.9)
    for i, width in ((5, 561), (6, 64), (7, 64)):
        layer(names[i], i + 1, (7, width, 1, 64), silent=0.3)
    normalise(9, 1506, np.zeros(1506), rng.random(1506) < 0.2)
    weights["dense/kernel"] = (rng.normal(size=(1506, 200)) / 40).astype(np.float32)
    weights["dense/bias"] = rng.normal(size=200).astype(np.float32)
    normalise(10, 200, np.zeros(200), np.zeros(200, bool))
    weights["dense_1/kernel"] = (rng.normal(size=(200, 50)) / 14).astype(np.float32)
    weights["dense_1/bias"] = rng.normal(size=50).astype(np.float32)
    return weights


def as_published(weights: Weights, mel: Tensor) -> tuple[Tensor, Tensor]:
    """The published graph, line by line: one patch (1, 187, 96) to penultimate layer and tags."""

    def w(name: str) -> Tensor:
        return torch.from_numpy(weights[name])

    def normal(x: Tensor, number: int) -> Tensor:
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        shape = [1, -1] + [1] * (x.dim() - 2)
        gamma, beta, mean, variance = (
            w(f"{name}/{part}").view(shape)
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return gamma * (x - mean) / torch.sqrt(variance + 1e-3) + beta

    x = normal(mel[:, None], 0)
    front = []
    for i, (time, _, _) in enumerate(_FRONT):
        name = f"conv2d_{i}" if i else "conv2d"
        padded = pad(x, (0, 0, (time - 1) // 2, time // 2))
        y = conv2d(padded, w(f"{name}/kernel").permute(3, 2, 0, 1), w(f"{name}/bias")).relu()
        front.append(normal(y, i + 1).amax(dim=3))
    total = torch.cat(front, dim=1)
    features = [total]
    for i in (5, 6, 7):
        kernel = w(f"conv2d_{i}/kernel")[:, :, 0].permute(2, 1, 0)
        y = normal(conv1d(total, kernel, w(f"conv2d_{i}/bias"), padding=3).relu(), i + 1)
        total = y if i == 5 else total + y
        features.append(total)
    every = torch.cat(features, dim=1)
    pooled = torch.stack([every.amax(dim=2), every.mean(dim=2)], dim=2).flatten(1)
    hidden = (normal(pooled, 9) @ w("dense/kernel") + w("dense/bias")).relu()
    penultimate = normal(hidden, 10)
    return penultimate, penultimate @ w("dense_1/kernel") + w("dense_1/bias")


def test_leaving_silent_filters_out_changes_nothing() -> None:
    weights = made_up_weights()
    mel = torch.rand(CELL_FRAMES, N_MELS) * 3.0
    with torch.inference_mode():
        said = Musicnn(weights, 1).eval()(mel)
        penultimate, tags = as_published(weights, mel[None])
    torch.testing.assert_close(said.penultimate, penultimate, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(said.tags, tags, atol=1e-4, rtol=1e-4)


def test_cells_have_context_but_keep_their_order() -> None:
    weights = made_up_weights(1)
    mel = torch.rand(2 * CELL_FRAMES, N_MELS)
    mel[CELL_FRAMES:] *= 3.0
    with torch.inference_mode():
        together = Musicnn(weights, 2).eval()(mel).penultimate
        alone = Musicnn(weights, 1).eval()
        apart = torch.cat(
            [alone(mel[:CELL_FRAMES]).penultimate, alone(mel[CELL_FRAMES:]).penultimate]
        )
    for number in (0, 1):
        distance = (together[number] - apart).norm(dim=1)
        assert distance.argmin() == number


@pytest.mark.parametrize("cells", [1, 2, 10])
@pytest.mark.parametrize("filters", [3, 47])
@pytest.mark.parametrize("shape", [(7, 38), (7, 67), (128, 1), (32, 1)])
def test_a_bank_is_a_convolution_and_its_maximum_however_it_is_cut(
    shape: tuple[int, int], filters: int, cells: int
) -> None:
    rng = np.random.default_rng(filters)
    time, bins = shape
    kernel = rng.normal(size=(filters, 1, time, bins)).astype(np.float32) / (time * bins)
    bias, scale, shift = rng.normal(size=(3, filters)).astype(np.float32) / 20
    live, constant = np.arange(filters), np.zeros(filters, np.float32)
    layer = Filters(kernel, bias, scale, shift, live, constant)
    frames = cells * CELL_FRAMES
    bank = (_TimbralBank if bins > 1 else _TemporalBank)(layer, frames)
    x = torch.from_numpy(rng.random((frames, N_MELS), np.float32))
    padded = pad(x[None, None], (0, 0, (time - 1) // 2, time // 2))
    plain = conv2d(padded, torch.from_numpy(kernel), torch.from_numpy(bias)).relu()
    plain = torch.from_numpy(scale)[:, None, None] * plain[0]
    wanted = plain.amax(dim=2).T + torch.from_numpy(shift)
    torch.testing.assert_close(bank(x), wanted, atol=1e-5, rtol=1e-4)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A table block without shared prefixes but for the second entry's first letter."""
    out = b""
    before = b""
    for key, value in entries:
        shared = 1 if before[:1] == key[:1] and before else 0
        out += _varint(shared) + _varint(len(key) - shared) + _varint(len(value))
        out += key[shared:] + value
        before = key
    return out + struct.pack("<II", 0, 1)


def checkpoint(arrays: dict[str, NDArray[np.float32]]) -> tuple[bytes, bytes]:
    """What TensorFlow would write: the index and the data of a V2 checkpoint."""
    data, entries = b"", [(b"", b"\x08\x01")]
    for name, array in sorted(arrays.items()):
        dims = b"".join(
            b"\x12" + _varint(len(d)) + d for d in (b"\x08" + _varint(n) for n in array.shape)
        )
        size = array.nbytes
        entry = b"\x08\x01" + b"\x12" + _varint(len(dims)) + dims
        entry += b"\x20" + _varint(len(data)) + b"\x28" + _varint(size)
        entry += b"\x35" + b"\x00" * 4
        entries.append((name.encode(), entry))
        data += array.tobytes()
    body = _block(entries)
    index = body + b"\x00" * 5
    handle = _varint(0) + _varint(len(body))
    top = _block([(b"z", handle)])
    place = len(index)
    index += top + b"\x00" * 5
    footer = _varint(0) + _varint(0) + _varint(place) + _varint(len(top))
    return index + footer.ljust(40, b"\x00") + struct.pack("<Q", 0xDB4775248B80FB57), data


def test_a_checkpoint_is_read_back() -> None:
    rng = np.random.default_rng(3)
    arrays = {
        "conv2d/kernel": rng.normal(size=(7, 3, 1, 300)).astype(np.float32),
        "conv2d/bias": rng.normal(size=300).astype(np.float32),
        "power": np.float32(0.9).reshape(()),
    }
    read = read_checkpoint(*checkpoint(arrays))
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)


def test_damaged_checkpoints_are_refused() -> None:
    index, data = checkpoint({"a": np.ones(100, np.float32)})
    with pytest.raises(CheckpointError, match="lies outside"):
        read_checkpoint(index, data[:-4])
    with pytest.raises(CheckpointError, match="not a TensorFlow"):
        read_checkpoint(index[:-1], data)
    with pytest.raises(CheckpointError):
        read_checkpoint(index[-60:], data)
