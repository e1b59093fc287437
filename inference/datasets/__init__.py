"""Loaders of data sets: each knows its layout, licence and citation, and checks what it reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from inference.datasets import deap, emopia, hku956, music4q, recordings
from inference.datasets.base import (
    DatasetError,
    DatasetInfo,
    Listening,
    MusicClip,
    MusicSet,
    SensorSet,
)

__all__ = [
    "MUSIC_SETS",
    "SENSOR_SETS",
    "DatasetError",
    "DatasetInfo",
    "Listening",
    "MusicClip",
    "MusicSet",
    "SensorSet",
    "load_music",
    "load_sensor",
]

T = TypeVar("T")

MUSIC_SETS: dict[str, Callable[[Path], MusicSet]] = {
    "music4q": music4q.load,
    "emopia": emopia.load,
}
SENSOR_SETS: dict[str, Callable[[Path], SensorSet]] = {
    "hku956": hku956.load,
    "m-heps": recordings.load,
    "recordings": recordings.load,
    "deap": deap.load,
}


def load_music(name: str, root: Path) -> MusicSet:
    """Load a data set of music by name.

    Raises
    ------
    DatasetError
        If there is no such data set, or the folder is not in its layout.
    """
    return _loader(MUSIC_SETS, name)(root)


def load_sensor(name: str, root: Path) -> SensorSet:
    """Load a data set of signals by name; raises as `load_music`."""
    return _loader(SENSOR_SETS, name)(root)


def _loader(table: dict[str, Callable[[Path], T]], name: str) -> Callable[[Path], T]:
    try:
        return table[name]
    except KeyError:
        raise DatasetError(
            f"there is no data set {name!r} for this", f"Choose one of: {', '.join(table)}."
        ) from None
