"""M-HEPS-like folder: the documented format of anyone's own recordings (manifest and signals)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.datasets.base import (
    DatasetError,
    DatasetInfo,
    Listening,
    SensorSet,
    inside,
    parse_quadrant,
    read_table,
)
from inference.physio.signals import Channel, SignalChunk, SignalError

__all__ = ["INFO", "load"]

INFO = DatasetInfo(
    name="recordings",
    title="recordings folder",
    citation="in the layout of M-HEPS: Kim, Lee, Kim, IEEE Trans. Consumer Electronics 2021",
    licence="as its owner says",
    layout="manifest.csv (listener, song, quadrant, gsr, ppg, audio, fs_hz) and one CSV file a "
    "signal, one value a line (GSR in microsiemens)",
)

_COLUMNS = ["listener", "song", "quadrant", "gsr", "ppg", "fs_hz"]


def load(root: Path) -> SensorSet:
    """Read a folder of recordings; lines of one listener are in listening order.

    Raises
    ------
    DatasetError
        If the manifest is missing or faulty, or no recording can be read.
        A faulty signal file is named in `skipped`.
    """
    listenings: list[Listening] = []
    files = [root / "manifest.csv"]
    skipped: list[str] = []
    orders: dict[str, int] = {}
    for number, row in read_table(files[0], _COLUMNS, INFO):
        where = f"manifest.csv line {number}"
        quadrant = parse_quadrant(row["quadrant"], where)
        paths = [inside(root, row[k], where) for k in ("gsr", "ppg")]
        audio = inside(root, row["audio"], where) if row.get("audio") else None
        order = orders.get(row["listener"], 0)
        orders[row["listener"]] = order + 1
        try:
            fs_hz = float(row["fs_hz"])
            gsr = SignalChunk.of(Channel.GSR, _column(paths[0]), fs_hz)
            ppg = SignalChunk.of(Channel.PPG, _column(paths[1]), fs_hz)
            if min(gsr.duration_s, ppg.duration_s) < 1.0:
                raise ValueError("less than a second of signal")
        except (OSError, ValueError, SignalError) as error:
            skipped.append(f"{where}: {error}")
            continue
        files += paths
        known = audio if audio is not None and audio.is_file() else None
        listenings.append(
            Listening(row["listener"], row["song"], order, quadrant, gsr, ppg, audio=known)
        )
    if not listenings:
        raise DatasetError(
            f"not one recording in {root} can be read", f"--root must hold: {INFO.layout}."
        )
    return SensorSet(INFO, root, tuple(listenings), tuple(files), tuple(skipped))


def _column(path: Path) -> NDArray[np.float64]:
    values = np.array(path.read_text(encoding="ascii").split(), dtype=np.float64)
    if not all(map(math.isfinite, values)):
        raise ValueError(f"{path.name} holds values that are not finite")
    return values
