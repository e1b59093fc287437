"""DEAP's preprocessed Python files, read by an unpickler that builds arrays and nothing else."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from inference.datasets.base import (
    DatasetError,
    DatasetInfo,
    Listening,
    SensorSet,
    quadrant_of,
)
from inference.physio.signals import Channel, SignalChunk, SignalError

__all__ = ["INFO", "load", "load_arrays"]

FS_HZ = 128.0
BASELINE_S = 3.0
GSR_CHANNEL, PPG_CHANNEL = 36, 38
_MIDDLE, _HALF_RANGE = 5.0, 4.0

INFO = DatasetInfo(
    name="deap",
    title="DEAP",
    citation="Koelstra et al.: DEAP, a database for emotion analysis using physiological "
    "signals, IEEE Trans. Affective Computing 2012",
    licence="research only, on request from its authors",
    layout="data_preprocessed_python/s01.dat ... s32.dat",
)

_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _ArraysOnly(pickle.Unpickler):
    """A pickle from elsewhere is code: only what makes plain arrays is let through."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        if name == "_reconstruct":
            from numpy._core.multiarray import _reconstruct

            return _reconstruct
        return super().find_class(module, name)


def load_arrays(data: bytes) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Signals and ratings of one file.

    Returns
    -------
    data : ndarray, shape (n, c, t)
    labels : ndarray, shape (n, 4)
        Valence, arousal, dominance, liking, 1 to 9.

    Raises
    ------
    DatasetError
        If the file holds anything but plain arrays, or arrays of other shapes.
    """
    try:
        content = _ArraysOnly(io.BytesIO(data), encoding="latin1").load()
        signals, labels = np.asarray(content["data"]), np.asarray(content["labels"])
    except Exception as error:  # hostile pickles raise anything
        raise DatasetError(
            f"not a DEAP file ({error})", "Use the files of data_preprocessed_python unchanged."
        ) from error
    good = (
        signals.ndim == 3
        and signals.shape[1] > PPG_CHANNEL
        and labels.shape == (len(signals), 4)
        and signals.dtype.kind == labels.dtype.kind == "f"
    )
    if not good:
        raise DatasetError(f"unexpected shapes {signals.shape} and {labels.shape} in a DEAP file")
    return signals, labels


def load(root: Path) -> SensorSet:
    """Read all listeners' files; the first 3 s of each trial are the baseline and are cut off.

    GSR was recorded as resistance in Geneva (s23-s32 in ohm) and processed
    by the authors; a recording that is not positive throughout is offset to
    a median of 1 microsiemens, so that its changes count and its level does
    not.

    Raises
    ------
    DatasetError
        If there is no file or one is not DEAP's.
    """
    folder = root / "data_preprocessed_python"
    files = sorted((folder if folder.is_dir() else root).glob("s[0-9][0-9].dat"))
    if not files:
        raise DatasetError(f"there are no DEAP files in {root}", f"--root must hold {INFO.layout}.")
    listenings: list[Listening] = []
    skipped: list[str] = []
    for path in files:
        signals, labels = load_arrays(path.read_bytes())
        start = round(BASELINE_S * FS_HZ)
        for trial in range(len(signals)):
            try:
                gsr = SignalChunk.of(
                    Channel.GSR, _microsiemens(signals[trial, GSR_CHANNEL, start:]), FS_HZ
                )
                ppg = SignalChunk.of(Channel.PPG, signals[trial, PPG_CHANNEL, start:], FS_HZ)
            except SignalError as error:
                skipped.append(f"{path.name} trial {trial}: {error}")
                continue
            valence, arousal = (
                min(max((float(v) - _MIDDLE) / _HALF_RANGE, -1.0), 1.0) for v in labels[trial, :2]
            )
            # "> 5" is high on DEAP's scale, so exactly 5 is low.
            quadrant = quadrant_of(valence or -1e-9, arousal or -1e-9)
            listenings.append(
                Listening(
                    path.stem, f"video{trial:02d}", trial, quadrant, gsr, ppg, valence, arousal
                )
            )
    if not listenings:
        raise DatasetError(f"not one trial in {root} can be read")
    return SensorSet(INFO, root, tuple(listenings), tuple(files), tuple(skipped))


def _microsiemens(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    finite = np.asarray(values, np.float64)
    if not np.isfinite(finite).all():
        return finite
    if np.median(finite) > 1000.0 and finite.min() > 0.0:  # ohm
        return np.asarray(1e6 / finite)
    if finite.min() <= 0.0:
        spread = max(float(np.percentile(np.abs(finite - np.median(finite)), 99)), 1e-9)
        return np.asarray(1.0 + 0.5 * np.clip((finite - np.median(finite)) / spread, -1.5, 1.5))
    return finite
