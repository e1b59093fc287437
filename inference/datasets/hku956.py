"""HKU956: wrist signals (Empatica E4) and felt emotion during music, in its original layout."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from inference.datasets.base import (
    DatasetError,
    DatasetInfo,
    Listening,
    SensorSet,
    quadrant_of,
    read_table,
)
from inference.physio.signals import Channel, SignalChunk, SignalError

__all__ = ["EDA_FS_HZ", "INFO", "PPG_FS_HZ", "load"]

EDA_FS_HZ = 4.0
PPG_FS_HZ = 64.0
_SHORTEST_S = 10.0

INFO = DatasetInfo(
    name="hku956",
    title="HKU956",
    citation="Hu, Li, Liu: Detecting music-induced emotion based on acoustic analysis and "
    "physiological sensing, Applied Sciences 2022, 12, 9354",
    licence="CC BY-NC 4.0",
    layout="'1. physiological_signals/<listener>/{BVP,EDA}/<order>_<song>.csv' and "
    "'3. AV_ratings.csv'",
)


def load(root: Path, audio: Path | None = None) -> SensorSet:
    """Read all listenings that have both signals and both ratings.

    Parameters
    ----------
    root : Path
    audio : Path, optional
        A folder with ``<song>.mp3`` files, where the user has fetched them.

    Returns
    -------
    SensorSet
        In the order of listener and session. A listening of less than 10 s,
        without ratings, or with an unreadable file is named in `skipped`.

    Raises
    ------
    DatasetError
        If the ratings are missing or not one listening can be read.
    """
    folder = root / "1. physiological_signals"
    columns = ["participant_id", "song_no", "song_id", "valence_rating", "arousal_rating"]
    listenings: list[Listening] = []
    files = [root / "3. AV_ratings.csv"]
    skipped: list[str] = []
    for number, row in read_table(files[0], columns, INFO):
        where = f"3. AV_ratings.csv line {number}"
        name = f"{row['song_no']}_{row['song_id']}.csv"
        paths = [folder / row["participant_id"] / kind / name for kind in ("EDA", "BVP")]
        try:
            listenings.append(_listening(row, paths[0], paths[1], audio))
        except (OSError, ValueError, SignalError) as error:
            skipped.append(f"{where}: {error}")
            continue
        files += paths
    if not listenings:
        raise DatasetError(
            f"not one listening in {root} can be read", f"--root must hold: {INFO.layout}."
        )
    listenings.sort(key=lambda x: (x.listener, x.order))
    return SensorSet(INFO, root, tuple(listenings), tuple(files), tuple(skipped))


def _listening(row: dict[str, str], eda: Path, bvp: Path, audio: Path | None) -> Listening:
    valence, arousal = float(row["valence_rating"]), float(row["arousal_rating"])
    if not (math.isfinite(valence) and math.isfinite(arousal)):
        raise ValueError("a rating is missing")
    gsr = SignalChunk.of(Channel.GSR, _column(eda), EDA_FS_HZ)
    ppg = SignalChunk.of(Channel.PPG, _column(bvp), PPG_FS_HZ)
    if min(gsr.duration_s, ppg.duration_s) < _SHORTEST_S:
        raise ValueError(f"less than {_SHORTEST_S:.0f} s of signal")
    song = row["song_id"]
    path = audio / f"{song}.mp3" if audio is not None else None
    return Listening(
        listener=row["participant_id"],
        song=song,
        order=int(row["song_no"]),
        quadrant=quadrant_of(valence, arousal),
        gsr=gsr,
        ppg=ppg,
        valence=valence / 10.0,
        arousal=arousal / 10.0,
        audio=path if path is not None and path.is_file() else None,
    )


def _column(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    text = path.read_text(encoding="ascii", errors="strict")
    return np.array(text.split(), dtype=np.float64)
