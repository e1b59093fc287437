"""music4q: the 4Q audio emotion data set as folder of Opus clips with quadrant labels."""

from __future__ import annotations

import math
from pathlib import Path

from inference.datasets.base import (
    DatasetError,
    DatasetInfo,
    MusicClip,
    MusicSet,
    inside,
    parse_quadrant,
    read_table,
)

__all__ = ["INFO", "load"]

INFO = DatasetInfo(
    name="music4q",
    title="4Q audio emotion data set",
    citation="Panda, Malheiro, Paiva: Novel audio features for music emotion recognition, "
    "IEEE Trans. Affective Computing 2018",
    licence="research and personal use (previews of commercial recordings)",
    layout="labels.csv (clip, quadrant, artist_group, tag_agreement, genres) and audio/<clip>.opus",
)


def load(root: Path) -> MusicSet:
    """Read the table and find the clips; audio is decoded later.

    Raises
    ------
    DatasetError
        If a column or an audio file is missing, a clip is named twice, a
        quadrant is unknown, or a share lies outside (0, 1].
    """
    clips: list[MusicClip] = []
    seen: set[str] = set()
    columns = ["clip", "quadrant", "artist_group"]
    for number, row in read_table(root / "labels.csv", columns, INFO):
        where = f"labels.csv line {number}"
        name = row["clip"]
        if not name or name in seen:
            raise DatasetError(f"{where}: clip {name!r} is empty or named twice")
        seen.add(name)
        if not row["artist_group"]:
            raise DatasetError(f"{where}: no artist group", "Without it folds would leak.")
        path = _audio(root, name, where)
        clips.append(
            MusicClip(
                clip_id=name,
                path=path,
                quadrant=parse_quadrant(row["quadrant"], where),
                group=row["artist_group"],
                weight=_share(row.get("tag_agreement", ""), where),
                genre=row.get("genres", "").replace(";", ",").split(",")[0].strip(),
            )
        )
    if not clips:
        raise DatasetError(f"{root / 'labels.csv'} names no clip", f"It must hold: {INFO.layout}.")
    return MusicSet(INFO, root, tuple(clips))


_SUFFIXES = (".opus", ".mp3", ".ogg", ".flac", ".wav", ".m4a")


def _audio(root: Path, name: str, where: str) -> Path:
    for suffix in _SUFFIXES:
        path = inside(root, f"audio/{name}{suffix}", where)
        if path.is_file():
            return path
    raise DatasetError(
        f"{where}: there is no audio/{name}.opus", f"--root must hold {INFO.layout}."
    )


def _share(text: str, where: str) -> float:
    if not text:
        return 1.0
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value <= 1.0:
        raise DatasetError(f"{where}: tag_agreement {text!r} is not in (0, 1]")
    return value
