"""EMOPIA: piano clips as MIDI with quadrant labels; rendered to audio by whoever uses them."""

from __future__ import annotations

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
    name="emopia",
    title="EMOPIA",
    citation="Hung et al.: EMOPIA, a multi-modal pop piano dataset for emotion recognition, "
    "ISMIR 2021",
    licence="CC BY-NC-SA 4.0 (share-alike: keep it out of shipped weights)",
    layout="labels.csv (clip, quadrant, song, split) and midis/<clip>.mid or audio/<clip>.flac",
)


def load(root: Path) -> MusicSet:
    """Read the table and find the clips: rendered audio in ``audio/`` first, else MIDI.

    Raises
    ------
    DatasetError
        If a column or file is missing or a quadrant is unknown.
    """
    clips: list[MusicClip] = []
    for number, row in read_table(root / "labels.csv", ["clip", "quadrant", "song"], INFO):
        where = f"labels.csv line {number}"
        names = [f"audio/{row['clip']}{s}" for s in (".flac", ".wav", ".opus", ".mp3")]
        paths = [inside(root, n, where) for n in [*names, f"midis/{row['clip']}.mid"]]
        found = next((p for p in paths if p.is_file()), None)
        if found is None:
            raise DatasetError(f"{where}: there is no midis/{row['clip']}.mid")
        quadrant = parse_quadrant(row["quadrant"], where)
        clips.append(MusicClip(row["clip"], found, quadrant, row["song"]))
    if not clips:
        raise DatasetError(f"{root / 'labels.csv'} names no clip", f"It must hold: {INFO.layout}.")
    return MusicSet(INFO, root, tuple(clips))
