"""Reads the GSR and PPG of EDF, EDF+, BDF and BDF+ files, with the gaps that our export marks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyedflib
from numpy.typing import NDArray

from app.wristband.layouts import UNIT, UNIT_REMEDY, ReplayError
from app.wristband.lsl import LslError, lanes_of
from inference.physio.signals import Channel

__all__ = ["MISSING", "read_edf"]

MISSING = "lowest value: missing"
"""Our export says so of each signal: no sensor gives the lowest value."""


def read_edf(path: Path) -> Iterator[tuple[Channel, float, NDArray[np.float32]]]:
    """Channel, rate (Hz) and values of the signals whose label names one of ours.

    Parameters
    ----------
    path : Path

    Yields
    ------
    channel, fs_hz, values
        NaN where a value is missing or makes no sense.

    Raises
    ------
    ReplayError
        If it is no such file, is cut short, or has gaps (EDF+D), or its skin
        conductance is in a unit that we cannot convert.
    """
    try:
        reader = pyedflib.EdfReader(str(path))
    except (OSError, ValueError) as error:
        told = " ".join(str(error).split())
        raise ReplayError(
            f"{path.name} cannot be read as EDF+ or BDF+ ({told})", "Export it anew, or as CSV."
        ) from error
    with contextlib.closing(reader):
        labels = [str(text).strip() for text in reader.getSignalLabels()]
        units = [reader.getPhysicalDimension(i).strip() for i in range(len(labels))]
        try:
            lanes = lanes_of("", labels, units, len(labels))
        except LslError as error:
            raise ReplayError(f"{path.name}: {UNIT}", UNIT_REMEDY) from error
        for lane in lanes:
            values = lane.convert(reader.readSignal(lane.column))
            if MISSING in reader.getPrefilter(lane.column):
                whole = reader.readSignal(lane.column, digital=True)
                values[whole == reader.getDigitalMinimum(lane.column)] = np.nan
            if np.isfinite(values).any():
                yield lane.channel, float(reader.getSampleFrequency(lane.column)), values
