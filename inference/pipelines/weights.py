"""Weights out of an .onnx file by the place where they are used, without the onnx package.

ONNX Runtime runs a network and does not show its weights. What is learned for one listener
starts from the weights of a shipped head, so they have to be read: the file is protocol buffers
(https://protobuf.dev/programming-guides/encoding), of whose messages a few fields are needed here
(onnx.proto of ONNX 1.16: ModelProto.graph, GraphProto.node and .initializer, NodeProto,
TensorProto).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import UndertoneError

__all__ = ["Graph", "Node", "read_graph"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FLOAT = 1
_MOST_BYTES = 64 << 20

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Node:
    """One operation: its kind and the names of what goes in and comes out."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """Operations and float weights of a network.

    Parameters
    ----------
    nodes : tuple of Node
        In the order of computation.
    weights : mapping of str to ndarray
        By the names that nodes use; those that merely repeat another one have its value.
    """

    nodes: tuple[Node, ...]
    weights: Mapping[str, Array] = field(repr=False)

    def of(self, output: str) -> tuple[Array, ...]:
        """The weights that the node with this output uses, in the order of its inputs.

        Raises
        ------
        KeyError
            If there is no such node.
        """
        for node in self.nodes:
            if output in node.outputs:
                return tuple(self.weights[name] for name in node.inputs if name in self.weights)
        raise KeyError(output)


def read_graph(path: Path) -> Graph:
    """Read a network that the catalogue has verified.

    Raises
    ------
    UndertoneError
        If the file is none.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("too large")
        model = list(_fields(path.read_bytes()))
        graph = next(bytes(v) for n, v in model if n == 7)
        nodes, weights = [], {}
        for number, value in _fields(graph):
            if number == 1:
                nodes.append(_node(bytes(value)))
            elif number == 5:
                name, array = _tensor(bytes(value))
                if array is not None:
                    weights[name] = array
    except (OSError, ValueError, IndexError, StopIteration, TypeError) as error:
        raise UndertoneError(
            f"{path.name} is not a network whose weights can be read", "Install the model again"
        ) from error
    for node in nodes:
        if node.kind == "Identity" and node.inputs[0] in weights:
            weights[node.outputs[0]] = weights[node.inputs[0]]
    return Graph(tuple(nodes), weights)


def _fields(data: bytes) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message: number and value."""
    view, at = memoryview(data), 0
    while at < len(view):
        key, at = _varint(view, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(view, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(view, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(view):
            raise ValueError("cut short")
        yield number, view[at : at + size]
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _node(data: bytes) -> Node:
    texts: dict[int, list[str]] = {1: [], 2: [], 4: []}
    for number, value in _fields(data):
        if number in texts and not isinstance(value, int):
            texts[number].append(bytes(value).decode())
    return Node("".join(texts[4]), tuple(texts[1]), tuple(texts[2]))


def _tensor(data: bytes) -> tuple[str, Array | None]:
    """Name and values; None for values that are no float32."""
    dims: list[int] = []
    name, kind, raw = "", 0, b""
    for number, value in _fields(data):
        if number == 1:
            dims += [value] if isinstance(value, int) else _packed(value)
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8 and not isinstance(value, int):
            name = bytes(value).decode()
        elif number in (4, 9) and not isinstance(value, int):
            raw += bytes(value)
    if kind != _FLOAT:
        return name, None
    return name, np.frombuffer(raw, "<f4").reshape(dims).astype(np.float32)


def _packed(view: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(view):
        value, at = _varint(view, at)
        values.append(value)
    return values
