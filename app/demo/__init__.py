"""A demo library that the program composes itself: sixteen short pieces in four moods.

Example
-------
>>> from app.demo import make_demo_library
>>> songs = make_demo_library(Path("demo"))      # 16 tagged MP3s of about 40 s
"""

from __future__ import annotations

from pathlib import Path

from app.demo.pieces import PIECES, Piece

__all__ = ["PIECES", "Piece", "make_demo_library", "song_path"]


def song_path(folder: Path, piece: Piece) -> Path:
    """Where `piece` lies in the demo library: `folder/Artist/Album/NN Title.mp3`."""
    return folder / piece.artist / piece.album / f"{piece.track_no:02d} {piece.title}.mp3"


def make_demo_library(folder: Path, limit: int | None = None) -> list[Path]:
    """Write the demo pieces as tagged MP3s with covers, and return their paths.

    Parameters
    ----------
    folder : Path
        Made if it is missing. A song that is there already is left as it is,
        so an interrupted call is simply repeated.
    limit : int, optional
        Only the first `limit` pieces.

    Notes
    -----
    Each song is complete or absent: it is written under another name and
    renamed. The audio is the same on every machine up to rounding.
    """
    paths = []
    for piece in PIECES[:limit]:
        path = song_path(folder, piece)
        paths.append(path)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_song(piece, path)
    return paths


def _write_song(piece: Piece, path: Path) -> None:
    # Here and not above: `undertone` starts without the synthesiser.
    import soundfile

    from app.demo.composer import compose
    from app.demo.cover import paint_cover
    from app.demo.synthesis import FS_HZ, render
    from library_db.tags import write_basic_tags

    partial = path.with_name(f".{path.stem}.part")
    try:
        samples = render(compose(piece), piece.sound)
        soundfile.write(partial, samples, FS_HZ, format="MP3", subtype="MPEG_LAYER_III")
        write_basic_tags(
            partial,
            title=piece.title,
            artist=piece.artist,
            album=piece.album,
            genre=piece.genre,
            year=piece.year,
            track_no=piece.track_no,
            cover_png=paint_cover(piece),
        )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
