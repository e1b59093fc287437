"""`undertone labels`: the listener's own corrections and answers: list, export, import, delete."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.answers import list_answers, run_forget
from app.cli.console import UsageError, clean, dump_json, message, out, write_bytes
from app.cli.list_ import QUERY_HELP, find
from app.cli.opening import open_library
from app.cli.replacing import replacing

if TYPE_CHECKING:
    from library_db.emotion_layers import UserLabel
    from library_db.library import Library
    from library_db.track import Track

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "labels",
        description="Your own word on how songs feel: what you corrected in the player. No model "
        "ever overwrites it.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = _action(actions, "list", "show your corrections", query=True)
    listed.add_argument("--json", action="store_true", help="print a JSON array on stdout")
    export = _action(actions, "export", "write them to a file", query=True)
    export.add_argument("-o", "--output", metavar="FILE", default="-", help="default: stdout")
    export.add_argument("--json", action="store_true", help="the format is JSON in any case")
    taken = _action(actions, "import", "take them over from a file; the newer one wins")
    taken.add_argument("file", metavar="FILE", type=Path, help="written by `labels export`")
    taken.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    delete = _action(actions, "delete", "take your corrections back", query=True)
    delete.add_argument("--all", action="store_true", help="all of them")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    delete.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    answers = _action(actions, "answers", "show what you answered when you were asked")
    answers.add_argument("--json", action="store_true", help="print a JSON array on stdout")
    forget = _action(actions, "forget", "delete all answers and your own models for good")
    forget.add_argument("--yes", action="store_true", help="do not ask")
    forget.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser


def _action(actions: Any, name: str, text: str, *, query: bool = False) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=QUERY_HELP if query else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if query:
        parser.add_argument("query", metavar="QUERY", nargs="*", help="only those that fit")
    return parser


def run(args: argparse.Namespace) -> int:
    action = {
        "list": _list,
        "export": _export,
        "import": _import,
        "delete": _delete,
        "answers": list_answers,
        "forget": run_forget,
    }[args.action]
    with open_library(args.home) as library:
        return action(library, args)


def _found(library: Library, args: argparse.Namespace) -> list[tuple[Track, UserLabel]]:
    from app.labels import corrected

    return list(corrected(library, find(library, args.query)))


def _list(library: Library, args: argparse.Namespace) -> int:
    from app.labels import label_to_json

    found = _found(library, args)
    if args.json:
        out(dump_json([label_to_json(track, label) for track, label in found], indent=1))
        return 0
    for track, label in found:
        day = time.strftime("%Y-%m-%d", time.localtime(label.at_s)) if label.at_s else ""
        name = f"{track.artist} - {track.title}" if track.artist else track.title
        out(f"{label.quadrant.label:6} {day:10}  {clean(name)}")
    message(f"{len(found)} corrections")
    return 0


def _export(library: Library, args: argparse.Namespace) -> int:
    from app.labels import write

    found = _found(library, args)
    text = write(found)
    if args.output == "-":
        write_bytes(text.encode())
    else:
        with replacing(Path(args.output)) as file:
            file.write(text)
    message(f"{len(found)} corrections written to {clean(args.output)}")
    return 0


def _import(library: Library, args: argparse.Namespace) -> int:
    from app.labels import read, take_over

    result = take_over(library, read(args.file))
    for path in result.unknown:
        message(f"failed: {clean(path)}: not in the library; `undertone scan` its folder first")
    if args.json:
        unknown = [str(path) for path in result.unknown]
        out(dump_json({"taken": result.taken, "kept": result.kept, "unknown": unknown}))
    message(f"{result.taken} corrections taken over, {result.kept} kept as they were")
    return 1 if result.unknown else 0


def _delete(library: Library, args: argparse.Namespace) -> int:
    if bool(args.query) == args.all:
        raise UsageError(
            "say which corrections to delete",
            "Name a query, for instance `undertone labels delete artist:abba`, or --all",
        )
    found = _found(library, args)
    if found and not args.yes and not _agreed(len(found)):
        message("nothing was deleted")
        return 0
    if found:
        library.correct_many({track.id: None for track, _ in found})
    if args.json:
        out(dump_json({"deleted": len(found)}))
    message(f"{len(found)} corrections deleted")
    return 0


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(f"{count} corrections would be deleted", "Add --yes to do it")
    sys.stderr.write(f"Delete {count} corrections? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
