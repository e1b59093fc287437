"""The filter banks in 8 bits say nearly what they said in 32, on every processor alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from inference.models.musicnn import CELL_FRAMES, N_MELS, Musicnn
from inference.runtime import open_network
from inference.training.export import export_network
from inference.training.music_best_hearing import _Tagger, export_networks
from inference.training.music_best_int8 import LARGEST_MEL, eight_bit_banks
from tests.inference.music.test_musicnn import made_up_weights

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One network in 32 and in 8 bits."""
    folder = tmp_path_factory.mktemp("networks")
    weights = made_up_weights(2)
    eight = export_networks(weights, weights, folder)["mtt"]
    plain = folder / "plain.onnx"
    example = np.zeros((CELL_FRAMES, N_MELS), np.float32)
    export_network(
        _Tagger(Musicnn(weights, 1)),
        [torch.from_numpy(example)],
        plain,
        ["mel"],
        ["penultimate", "tags"],
        {},
    )
    return plain, eight


def mel(seed: int = 0) -> NDArray[np.float32]:
    """A picture whose neighbours are alike, as music's are."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(CELL_FRAMES, N_MELS)).cumsum(0).cumsum(1)
    x = (x - x.min()) / (x.max() - x.min())
    picture: NDArray[np.float32] = (x * LARGEST_MEL).astype(np.float32)
    return picture


def test_eight_bits_say_nearly_the_same(networks: tuple[Path, Path]) -> None:
    plain, eight = (open_network(path) for path in networks)
    for seed in range(3):
        x = mel(seed)
        wanted, got = plain({"mel": x})["penultimate"], eight({"mel": x})["penultimate"]
        off = np.sqrt(((wanted - got) ** 2).mean() / (wanted**2).mean())
        assert off < 0.05
        assert not np.array_equal(wanted, got)


def test_no_sum_of_two_products_can_leave_16_bits(networks: tuple[Path, Path]) -> None:
    """Processors without VNNI add pairs in 16 bits, and would clip what does not fit."""
    graph = onnx.load(str(networks[1])).graph
    arrays = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    rounded = [a for name, a in arrays.items() if name.endswith(".rounded")]
    assert len(rounded) == 5
    assert all(a.dtype == np.int8 and 2 * 255 * int(np.abs(a).max()) < 2**15 for a in rounded)


def test_the_sum_of_each_filter_is_kept(networks: tuple[Path, Path]) -> None:
    plain, eight = (onnx.load(str(path)).graph for path in networks)
    exact = {i.name: numpy_helper.to_array(i) for i in plain.initializer}
    rounded = {i.name: numpy_helper.to_array(i) for i in eight.initializer}
    for name in [n for n in exact if n.endswith(".matrix")]:
        matrix = exact[name]
        count = len(exact[name.replace(".matrix", ".sign")])
        steps = np.abs(matrix.reshape(-1, count)).max(axis=0) / 63
        wanted = matrix.astype(np.float64).sum(axis=0) / np.tile(steps, matrix.shape[1] // count)
        got = rounded[name.replace(".matrix", ".rounded")].sum(axis=0, dtype=np.int64)
        assert np.abs(wanted - got).max() <= 0.51


def test_another_graph_is_refused(networks: tuple[Path, Path], tmp_path: Path) -> None:
    twice = tmp_path / "twice.onnx"
    twice.write_bytes(networks[1].read_bytes())
    with pytest.raises(ValueError, match="no filter bank"):
        eight_bit_banks(twice)
