"""`undertone playlists`: the listener's playlists: list, show, import, export, delete."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.console import UsageError, clean, dump_json, message, out, write_bytes
from app.cli.opening import open_library
from app.cli.replacing import replacing

if TYPE_CHECKING:
    from library_db.library import Library
    from library_db.playlists import Playlist

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "playlists",
        description="Your playlists, and the questions that you saved as smart playlists.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = _action(actions, "list", "show their names and sizes")
    listed.add_argument("--json", action="store_true", help="print a JSON array on stdout")
    shown = _action(actions, "show", "show the songs of one", named=True)
    shown.add_argument("--json", action="store_true", help="print a JSON array on stdout")
    taken = _action(actions, "import", "take over M3U and M3U8 files")
    taken.add_argument("files", metavar="FILE", nargs="+", type=Path, help=".m3u8 or .m3u")
    export = _action(actions, "export", "write one to an M3U8 file", named=True)
    export.add_argument("-o", "--output", metavar="FILE", required=True, help="or - for stdout")
    _action(actions, "delete", "delete one; its songs stay", named=True)
    return parser


def _action(actions: Any, name: str, text: str, *, named: bool = False) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}."
    )
    if named:
        parser.add_argument("name", metavar="NAME", help="of the playlist")
    return parser


def run(args: argparse.Namespace) -> int:
    action = {
        "list": _list,
        "show": _show,
        "import": _import,
        "export": _export,
        "delete": _delete,
    }[args.action]
    with open_library(args.home) as library:
        return action(library, args)


def _named(library: Library, name: str) -> Playlist:
    playlist = library.playlists.named(name)
    if playlist is None:
        raise UsageError(f"there is no playlist “{clean(name)}”", "See `undertone playlists list`")
    return playlist


def _list(library: Library, args: argparse.Namespace) -> int:
    from app.playlists import entries_of

    rows = []
    for info in library.playlists.infos():
        songs = info.songs
        if info.smart and (playlist := library.playlists.get(info.id)) is not None:
            songs = len(entries_of(library, playlist))
        rows.append({"name": info.name, "smart": info.smart, "songs": songs})
    if args.json:
        out(dump_json(rows, indent=1))
        return 0
    for row in rows:
        out(f"{row['songs']:6}  {'smart' if row['smart'] else '':5}  {clean(str(row['name']))}")
    message(f"{len(rows)} playlists")
    return 0


def _show(library: Library, args: argparse.Namespace) -> int:
    from app.cli.list_ import songs
    from app.playlists import entries_of
    from app.rows import track_to_json
    from library_db.playlists import OutsideFile

    entries = entries_of(library, _named(library, args.name))
    known = [entry for entry in entries if isinstance(entry, int)]
    found = {song[0].id: song for song in songs(library, known)}
    rows: list[dict[str, Any]] = []
    for entry in entries:
        if isinstance(entry, OutsideFile):
            rows.append(
                {"path": str(entry.path), "title": entry.title, "error": "not in the library"}
            )
        elif entry in found:
            rows.append(track_to_json(*found[entry]))
    if args.json:
        out(dump_json(rows, indent=1))
        return 0
    for number, row in enumerate(rows, 1):
        artist = f"{row['artist']} - " if row.get("artist") else ""
        fault = f"  ({row['error']})" if row["error"] else ""
        out(clean(f"{number:5}  {artist}{row['title']}{fault}"))
    message(f"{len(rows)} songs")
    return 0


def _import(library: Library, args: argparse.Namespace) -> int:
    from app.playlists import import_m3u
    from inference.errors import UndertoneError

    failed = 0
    for path in args.files:
        try:
            imported = import_m3u(library, path)
        except UndertoneError as error:
            message(f"failed: {clean(path)}: {clean(str(error))}")
            failed += 1
            continue
        library.playlists.put(imported.playlist)
        for reason in imported.skipped:
            message(f"left out: {clean(reason)}")
        songs = len(imported.playlist.entries)
        message(f"“{clean(imported.playlist.name)}”: {songs} songs")
        if imported.unknown:
            message(f"  {len(imported.unknown)} are not in the library yet: undertone scan them")
        if imported.missing:
            first = clean(imported.missing[0])
            message(f"  {len(imported.missing)} files are not there, the first: {first}")
    return 1 if failed else 0


def _export(library: Library, args: argparse.Namespace) -> int:
    from app.playlists import write_playlist

    playlist = _named(library, args.name)
    if args.output == "-":
        text = io.StringIO(newline="")
        written = write_playlist(library, playlist, text, None)
        write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))
    else:
        target = Path(args.output)
        with replacing(target) as file:
            written = write_playlist(library, playlist, file, target.absolute().parent)
    message(f"{written} songs written to {clean(args.output)}")
    return 0


def _delete(library: Library, args: argparse.Namespace) -> int:
    playlist = _named(library, args.name)
    library.playlists.write({playlist.id: None})
    message(f"“{clean(playlist.name)}” deleted; its songs stay in the library")
    return 0
