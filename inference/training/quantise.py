"""Eight-bit models: static quantisation, per channel, calibrated on images of music."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

__all__ = ["onnx_features", "quantise"]


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, batches: Iterable[NDArray[np.float32]]) -> None:
        self._batches: Iterator[NDArray[np.float32]] = iter(batches)

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch}


def quantise(
    model: Path, target: Path, calibration: Iterable[NDArray[np.float32]], *, keep: int = 0
) -> None:
    """Write an int8 copy of a convolutional front end.

    Weights are quantised per channel, activations to 8 bits with the range
    seen in calibration (paper-spec item 20). Inputs and outputs stay float32
    under their names.

    Parameters
    ----------
    model, target : Path
        ONNX files.
    calibration : iterable of ndarray, each (n, 3, 64, 46), float32
    keep : int
        Convolutions from the image on that stay float32, with their activations.
    """
    with TemporaryDirectory() as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        quant_pre_process(str(model), str(prepared))
        quantize_static(
            str(prepared),
            str(Path(scratch) / "int8.onnx"),
            _Reader(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            op_types_to_quantize=["Conv", "MaxPool", "Relu", "Gemm", "Add"],
            nodes_to_exclude=_first_nodes(prepared, keep),
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        part.write_bytes((Path(scratch) / "int8.onnx").read_bytes())
        part.replace(target)


def _first_nodes(model: Path, convolutions: int) -> list[str]:
    """Names of all nodes in front of the convolution that is the first to be rounded."""
    names: list[str] = []
    for node in onnx.load(str(model)).graph.node:
        convolutions -= node.op_type == "Conv"
        if convolutions < 0:
            break
        names.append(node.name)
    return names


def onnx_features(model: Path) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """An exported front end as a function: images (n, 3, 64, 46) -> features (n, d)."""
    options = SessionOptions()
    options.intra_op_num_threads = 1
    session = InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        features: NDArray[np.float32] = session.run(["features"], {"images": images})[0]
        return features

    return run
