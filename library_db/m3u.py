"""M3U and M3U8 playlists, as files of any program have them: read in full, written plainly.

Read are UTF-8 and Latin-1, relative and absolute paths, `file://` addresses,
percent-encoded and Windows-style paths, and playlists within playlists.
"""

# Paths are joined as text: `..` must stay as it was written until the end.
# ruff: noqa: PTH100, PTH118, PTH122

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO
from urllib.parse import quote, unquote_to_bytes

from inference.errors import UndertoneError
from library_db.playlists import OutsideFile
from library_db.text import plain_text

__all__ = ["SUFFIXES", "M3u", "PlaylistError", "read_m3u", "write_m3u8"]

SUFFIXES = frozenset({".m3u", ".m3u8"})
_MOST_BYTES = 64 * 2**20
_MOST_DEPTH = 20
_MOST_UP = 3
_INFO = re.compile(r"#EXTINF:\s*(-?\d+(?:\.\d+)?)?(?:\s+[\w-]+=\"[^\"]*\")*\s*,?(.*)")
_ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+)://")
_PLAIN = re.compile(r"[^%\\\udc80-\udcff:]+\Z")
_DRIVE = re.compile(r"[a-zA-Z]:[\\/]")


class PlaylistError(UndertoneError):
    """A playlist file that cannot be read or written."""


@dataclass
class M3u:
    """What a playlist file lists.

    Attributes
    ----------
    name : str
        What it calls itself, or its file's name.
    files : list of OutsideFile
        In order, with absolute paths; whether they exist was not asked.
    skipped : list of str
        What could not be taken over and why, in words: streams, other playlists.
    """

    name: str
    files: list[OutsideFile] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def read_m3u(path: Path) -> M3u:
    """Read a playlist file, and those that it lists in their places.

    Raises
    ------
    PlaylistError
        If `path` itself cannot be read, or is no playlist.
    """
    result = M3u(plain_text(path.stem) or "Playlist")
    _read(Path(os.path.abspath(path)), result, ())
    return result


def _read(path: Path, into: M3u, within: tuple[str, ...]) -> None:
    place = os.path.realpath(path)
    if place in within:
        into.skipped.append(f"{path.name} lists itself")
        return
    if len(within) >= _MOST_DEPTH:
        into.skipped.append(f"{path.name} lies too deep in other playlists")
        return
    within = (*within, place)
    title, seconds = "", None
    for line in _lines(path):
        if not line.startswith("#"):
            _take(line, path, into, title, seconds, within)
            title, seconds = "", None
        elif line.startswith("#EXTINF:") and (found := _INFO.match(line)):
            title = plain_text(found[2])
            length = float(found[1] or -1)
            seconds = length if 0 <= length < 1e7 else None
        elif line.startswith("#PLAYLIST:") and len(within) == 1:
            into.name = plain_text(line.partition(":")[2]) or into.name
        elif line.startswith("#EXT-X-"):
            raise PlaylistError(
                f"{path} is the list of a stream, not of songs",
                "Choose a playlist that names music files.",
            )


def _lines(path: Path) -> list[str]:
    """The lines that say something, as text; bytes that are no text are escaped as in file names.

    Raises
    ------
    PlaylistError
        If the file cannot be read or is no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise PlaylistError(
            f"The playlist {path} cannot be read ({error.strerror})",
            "Check that the file is there and that you may read it.",
        ) from error
    if len(data) > _MOST_BYTES or b"\0" in data[:4096]:
        raise PlaylistError(
            f"{path} is not a playlist", "Choose a file that ends in .m3u8 or .m3u."
        )
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
    lines = (line.strip(" \t") for line in re.split(r"\r\n|\r|\n", text))
    return [line for line in lines if line]


def _take(
    line: str,
    playlist: Path,
    into: M3u,
    title: str,
    seconds: float | None,
    within: tuple[str, ...],
) -> None:
    address = _ADDRESS.match(line) if ":" in line else None
    if address and address[1].lower() != "file":
        into.skipped.append(f"{plain_text(line, 80)} is a stream")
        return
    path = Path(_place(line, playlist.parent))
    if os.path.splitext(path.name)[1].lower() not in SUFFIXES:
        into.files.append(OutsideFile(path, _readable(title) or _named(path), seconds))
        return
    try:
        _read(path, into, within)
    except PlaylistError as error:
        into.skipped.append(error.message)


def _place(line: str, folder: Path) -> str:
    """The absolute path that a line means; of several readings the first whose file is there."""
    if _PLAIN.match(line):
        return os.path.normpath(os.path.join(folder, line))
    readings = []
    if _ADDRESS.match(line):
        rest = re.sub(r"(?i)^file://(localhost(?=/))?", "", line)
        readings.append(os.fsdecode(unquote_to_bytes(rest.encode("utf-8", "surrogateescape"))))
    else:
        readings.append(line)
        if "\\" in line and not line.startswith("/"):
            readings.append(line.replace("\\", "/"))
        if "%" in line:
            readings.append(os.fsdecode(unquote_to_bytes(line.encode("utf-8", "surrogateescape"))))
        if _escaped(line):
            readings.append(_latin(line))
    places = [os.path.abspath(os.path.join(folder, reading)) for reading in readings]
    if len(places) > 1:
        for place in places:
            if os.path.exists(place):  # noqa: PTH110
                return place
        if _escaped(line):
            return places[-1]
        if _DRIVE.match(line) or "\\" in line:
            return places[1]
    return places[0]


def _escaped(text: str) -> bool:
    return any("\udc80" <= c <= "\udcff" for c in text)


def _latin(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _readable(title: str) -> str:
    return title.replace("\ufffd", "?")


def _named(path: Path) -> str:
    if path.stem.isascii() and path.stem.isprintable() and len(path.stem) < 100:
        return path.stem
    return plain_text(os.fsencode(path.stem).decode("utf-8", "replace"))


# writing


def write_m3u8(
    file: TextIO,
    songs: Iterable[tuple[Path, str, float | None]],
    folder: Path | None,
    name: str = "",
    progress: Callable[[int], None] | None = None,
) -> None:
    """An extended playlist in UTF-8.

    Parameters
    ----------
    songs : iterable of (path, what it is called, seconds or None)
    folder : Path or None
        Where the playlist will lie: paths are relative to it where they do not climb far. A
        path that a line cannot hold (a line break, bytes that are not UTF-8) becomes a
        percent-encoded ``file://`` address.
    name : str
        What the playlist calls itself.
    progress : callable, optional
        Told how many songs are written.
    """
    file.write("#EXTM3U\n")
    if name:
        file.write(f"#PLAYLIST:{plain_text(name)}\n")
    for number, (path, title, duration_s) in enumerate(songs, 1):
        seconds = -1 if duration_s is None else round(duration_s)
        line = " ".join(printable(title).split())
        file.write(f"#EXTINF:{seconds},{line}\n{_written(path, folder)}\n")
        if progress is not None:
            progress(number)


def _written(path: Path, folder: Path | None) -> str:
    text = str(path)
    if "\n" in text or "\r" in text or printable(text) != text or text != text.strip():
        return "file://" + quote(os.fsencode(path))
    if folder is None:
        return text
    relative = os.path.relpath(path, folder)
    climbed = Path(relative).parts.count("..")
    if climbed > _MOST_UP or (climbed and climbed >= len(folder.parts) - 1):
        return text
    # A leading # would be a comment, "c:/x" an address.
    return f"./{relative}" if relative.startswith("#") or ":" in relative else relative


def printable(text: str) -> str:
    """`text` with what UTF-8 cannot hold as ``\\xNN``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
