"""Heads as arrays: read from a shipped network without the onnx package, the same to the digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from inference.catalog import find
from inference.errors import UndertoneError
from inference.labelling.songs import Windows
from inference.pipelines.head import Head, heads_of
from inference.pipelines.weights import read_graph
from inference.runtime import open_network

HEAD = "undertone-music"


@pytest.fixture(scope="module")
def file() -> Path:
    return find(HEAD).files["head"]


@pytest.fixture(scope="module")
def heads(file: Path) -> list[Head]:
    return heads_of(read_graph(file))


@pytest.fixture
def committee(file: Path, tmp_path: Path) -> Path:
    """The shipped network without its second judge: it ends where its heads' mean is taken."""
    network = onnx.load(file)
    maker = {name: node for node in network.graph.node for name in node.output}
    means = [
        node.output[0]
        for node in network.graph.node
        if node.op_type == "Log" and maker[node.input[0]].op_type == "ReduceMean"
    ]
    assert len(means) == 1
    network.graph.output[0].name = means[0]
    path = tmp_path / "committee.onnx"
    onnx.save(network, path)
    return path


def test_the_heads_say_what_the_network_says(committee: Path, heads: list[Head]) -> None:
    rng = np.random.default_rng(0)
    width = len(heads[0].hidden)
    segments = rng.normal(size=(7, 5, 160)).astype(np.float32)
    song = rng.normal(size=(7, width - 160)).astype(np.float32)
    network = open_network(committee)
    (wanted,) = network({"segments": segments, "song": song}).values()
    said = []
    for head in heads:
        codes = head.codes(segments.reshape(35, -1), np.repeat(song, 5, axis=0))
        said.append(np.exp(head.think(codes.reshape(7, 5, -1)).log_probabilities))
    np.testing.assert_allclose(np.log(np.mean(said, axis=0)), wanted, atol=1e-5)


def test_a_head_survives_a_file(heads: list[Head]) -> None:
    arrays = heads[0].arrays("x_")
    again = Head.from_arrays(arrays, "x_")
    assert all(np.array_equal(arrays[k], v) for k, v in again.arrays("x_").items())
    with pytest.raises(ValueError, match="missing"):
        Head.from_arrays(arrays, "y_")
    broken = dict(arrays, x_hidden=np.full_like(arrays["x_hidden"], np.nan))
    with pytest.raises(ValueError, match="finite"):
        Head.from_arrays(broken, "x_")
    with pytest.raises(ValueError, match="fit"):
        Head.from_arrays(dict(arrays, x_output=arrays["x_output"][:, :-1]), "x_")


@pytest.mark.parametrize("cut", [0, 1, 1000, -1])
def test_a_file_that_is_no_network_is_refused(file: Path, tmp_path: Path, cut: int) -> None:
    damaged = tmp_path / "head.onnx"
    damaged.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(UndertoneError, match=r"head\.onnx"):
        read_graph(damaged)


def test_noise_is_refused_or_has_no_heads(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for n in range(50):
        noise = tmp_path / f"{n}.onnx"
        noise.write_bytes(rng.bytes(200))
        with pytest.raises(UndertoneError):
            heads_of(read_graph(noise))


def test_few_windows_are_spread_over_the_song() -> None:
    long = Windows(np.zeros((42, 3), np.float32), np.zeros(2, np.float32))
    start, length = long.starts()
    assert (start.tolist(), length) == ([0, 12, 25, 37], 5)
    short = Windows(np.zeros((2, 3), np.float32), np.zeros(2, np.float32))
    assert (short.starts()[0].tolist(), short.starts()[1]) == ([0], 2)
