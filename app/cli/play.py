"""`undertone play`: play files in the player, the running one or a new one."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app import remote
from app.cli.console import clean, message
from app.cli.scan import absolute
from inference.errors import UndertoneError

__all__ = ["add_parser", "run"]

_SUFFIXES = frozenset(
    (".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".wav", ".aif", ".aiff")
)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "play",
        description="Play songs, or all songs of a folder, in the running player; opens one if "
        "none runs. They need not be in the library. Without FILE the player is shown.",
        epilog="example: undertone play ~/Music/album/*.mp3",
    )
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path, help="a song or a folder")
    return parser


def run(args: argparse.Namespace) -> int:
    songs, faults = _find(absolute(args.files))
    for path, reason in faults:
        message(f"failed: {clean(path)}: {reason}")
    if args.files and not songs:
        raise UndertoneError("there is nothing to play")
    order = {"command": "open", "paths": [str(path) for path in songs], "play": True}
    answer = remote.send(args.home.folder, order)
    if answer is None:
        from app.cli.window import open_window

        code = open_window(args.home, songs)
    elif not answer.get("ok"):
        raise UndertoneError(f"the player could not do it ({clean(_error_of(answer))})")
    else:
        code = 0
    return code or (1 if faults else 0)


def _error_of(answer: dict[str, Any]) -> str:
    return str(answer.get("error") or "it does not say why")


def _find(paths: Sequence[Path]) -> tuple[list[Path], list[tuple[Path, str]]]:
    songs: list[Path] = []
    faults: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir():
            inside = list(_songs_below(path))
            songs += inside
            if not inside:
                faults.append((path, "there is no song in this folder"))
        elif path.is_file():
            songs.append(path)
        else:
            faults.append((path, "there is no such file"))
    return songs, faults


def _songs_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if path.suffix.lower() in _SUFFIXES:
                yield path
