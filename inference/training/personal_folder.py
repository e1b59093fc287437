"""Somebody's recordings for a personal model: songs with signals and a word, from a data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.datasets import DatasetError, Listening, load_sensor
from inference.emotion import Quadrant
from inference.physio.conditioning import condition
from inference.physio.images import conditioned, prefix_scale, sensor_images
from inference.physio.quality import RECENT_S, judge
from inference.physio.segments import segment_starts
from inference.physio.signals import FS_HZ, Channel, resample

__all__ = ["FolderSong", "read_folder"]

_SEGMENTS = 16
_PREFIX_S = 120.0
_BAD_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class FolderSong:
    """One listening of a folder.

    Parameters
    ----------
    song : str
        As the manifest names it.
    order : int
    quadrant : Quadrant
        The listener's word.
    audio : Path or None
    segments : mapping of Channel to ndarray, shape (L, rows, 64)
        For the sensor network, normalised by the listener's first 120 s.
    fault : str
        What is wrong with the signals; "" if nothing is.
    """

    song: str
    order: int
    quadrant: Quadrant
    audio: Path | None
    segments: dict[Channel, NDArray[np.float32]]
    fault: str = ""


def read_folder(
    dataset: str, root: Path, listener: str | None = None
) -> tuple[list[FolderSong], tuple[str, ...]]:
    """The listenings of one listener.

    Parameters
    ----------
    dataset : str
        Its layout, as in ``--dataset``.
    listener : str, optional
        Needed where there are several.

    Returns
    -------
    songs : list of FolderSong
    skipped : tuple of str
        What could not be read, and why.

    Raises
    ------
    DatasetError
        If the folder is not in its layout, or it is not clear whose listenings are meant.
    """
    data = load_sensor(dataset, root)
    names = sorted(set(data.column("listener").tolist()))
    if listener is None and len(names) > 1:
        raise DatasetError(
            f"{root} holds {len(names)} listeners", f"Choose one: --listener {names[0]}"
        )
    chosen = names[0] if listener is None else listener
    if chosen not in names:
        raise DatasetError(
            f"there is no listener {chosen!r} in {root}", f"One of {', '.join(names)}."
        )
    mine = sorted((x for x in data.listenings if x.listener == chosen), key=lambda x: x.order)
    return list(_read(mine)), data.skipped


def _read(listenings: list[Listening]) -> Iterator[FolderSong]:
    scale = prefix_scale(
        [(conditioned(x.gsr), conditioned(x.ppg)) for x in listenings], prefix_s=_PREFIX_S
    )
    for x in listenings:
        gsr, ppg = resample(x.gsr).samples, resample(x.ppg).samples
        images = sensor_images(condition(Channel.GSR, gsr), condition(Channel.PPG, ppg), scale)
        starts = segment_starts(min(images.gsr.shape[1], images.ppg.shape[1]))
        count = min(_SEGMENTS, len(starts))
        at = np.linspace(0, len(starts) - 1, count).round().astype(np.int64)
        one, other = images.segments(starts[at])
        fault = _fault({Channel.GSR: gsr, Channel.PPG: ppg})
        segments = {Channel.GSR: one, Channel.PPG: other}
        yield FolderSong(x.song, x.order, x.quadrant, x.audio, segments, fault)


def _fault(signals: dict[Channel, NDArray[np.float32]]) -> str:
    """What is wrong where more than half of the time is bad."""
    length = round(RECENT_S * FS_HZ)
    texts: list[str] = []
    pieces = 0
    for channel, values in signals.items():
        for start in range(0, max(1, len(values) - length + 1), length):
            piece = values[start : start + length]
            if len(piece) < FS_HZ:
                continue
            pieces += 1
            texts += [
                f"{channel.value.upper()}: {i.text}" for i in judge(channel, piece).issues[:1]
            ]
    return max(texts, key=texts.count) if len(texts) > _BAD_SHARE * max(pieces, 1) else ""
