"""A tiny music model with random weights in the layout of the shipped ones, for tests."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from inference.catalog import Calibration, DataSource, ModelCard, write_model

__all__ = ["tiny_card", "write_tiny_model"]

_FEATURES, _ATTENDED = 8, 6


def tiny_card(model_id: str = "tiny") -> ModelCard:
    """A card without files."""
    return ModelCard(
        id=model_id,
        version="1.0",
        kind="music",
        title="Tiny",
        licence="CC0-1.0",
        pipeline="ms-sg",
        data=(DataSource("random numbers", "CC0-1.0", "weights"),),
        calibration=Calibration(1.5, ((0.25, 0.25), (1.0, 0.9))),
    )


def write_tiny_model(
    models_dir: Path, model_id: str = "tiny", *, seed: int = 0, rerates: bool = True
) -> ModelCard:
    """Write `models_dir/model_id` with two networks; milliseconds to run.

    Parameters
    ----------
    models_dir : Path
    model_id : str
    seed : int
        Other seeds, other opinions.
    rerates : bool
        Whether the head has the output ``attended`` and the card a classifier.
    """
    rng = np.random.default_rng(seed)

    def weights(name: str, *shape: int, scale: float = 3.0) -> onnx.TensorProto:
        values = scale * rng.standard_normal(shape).astype(np.float32)
        return numpy_helper.from_array(values, name)

    def axes(*values: int) -> onnx.TensorProto:
        return numpy_helper.from_array(np.array(values, np.int64), "axes")

    encoder = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["images", "axes"], ["means"], keepdims=0),
            helper.make_node("MatMul", ["means", "w"], ["raw"]),
            helper.make_node("Tanh", ["raw"], ["features"]),
        ],
        "encoder",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 64, 46])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", _FEATURES])],
        [axes(2, 3), weights("w", 3, _FEATURES)],
    )
    w, b = weights("w2", _ATTENDED, 4), weights("b", 4, scale=0.1)
    outputs = [helper.make_tensor_value_info("log_probabilities", TensorProto.FLOAT, ["b", 4])]
    if rerates:
        outputs.append(
            helper.make_tensor_value_info("attended", TensorProto.FLOAT, ["b", _ATTENDED])
        )
    head = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["features", "axes"], ["mean"], keepdims=0),
            helper.make_node("MatMul", ["mean", "w1"], ["attended"]),
            helper.make_node("MatMul", ["attended", "w2"], ["scores"]),
            helper.make_node("Add", ["scores", "b"], ["biased"]),
            helper.make_node("LogSoftmax", ["biased"], ["log_probabilities"], axis=1),
        ],
        "head",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["b", "l", _FEATURES])],
        outputs,
        [axes(1), weights("w1", _FEATURES, _ATTENDED), w, b],
    )
    with tempfile.TemporaryDirectory() as scratch:
        sources = {}
        for role, graph in (("front_end", encoder), ("head", head)):
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
            model.ir_version = 9
            onnx.checker.check_model(model)
            sources[role] = Path(scratch) / f"{role}.onnx"
            onnx.save(model, sources[role])
        if rerates:
            sources["classifier"] = Path(scratch) / "classifier.npz"
            np.savez(
                sources["classifier"],
                weight=numpy_helper.to_array(w),
                bias=numpy_helper.to_array(b),
            )
        return write_model(replace(tiny_card(model_id)), models_dir / model_id, sources)
