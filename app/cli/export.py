"""`undertone export`: write songs and their moods to a playlist, a table or JSON."""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.cli.console import UsageError, clean, message, write_bytes
from app.cli.list_ import QUERY_HELP, find, songs
from app.cli.opening import open_library
from app.cli.replacing import replacing
from app.export import WRITERS

__all__ = ["add_parser", "run"]

_EPILOG = f"""\
examples:
  undertone export mood:happy --format m3u8 -o happy.m3u8
  undertone export --format csv -o library.csv
  undertone export "mood:sad conf:>0.8" --format json -o -

{QUERY_HELP}"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        description="Write the songs that fit QUERY (all without one) to a file: a playlist for "
        "any player (m3u8), a table for any spreadsheet (csv), or JSON.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("query", metavar="QUERY", nargs="*", help="see below")
    parser.add_argument("--format", choices=tuple(WRITERS), help="default: by FILE's ending")
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the file, or - for stdout"
    )
    return parser


def run(args: argparse.Namespace) -> int:
    kind = args.format or Path(args.output).suffix.removeprefix(".").lower()
    if kind not in WRITERS:
        raise UsageError(
            f"cannot tell the format of {args.output}",
            "Say --format csv, --format json or --format m3u8",
        )
    with open_library(args.home) as library:
        ids = find(library, args.query)
        if args.output == "-":
            _to_stdout(kind, songs(library, ids))
        else:
            target = Path(args.output)
            with replacing(target) as file:
                WRITERS[kind](file, songs(library, ids), target.absolute().parent)
    message(f"{len(ids)} songs written to {clean(args.output)}")
    return 0


def _to_stdout(kind: str, found: Iterator[Any]) -> None:
    text = io.StringIO(newline="")
    WRITERS[kind](text, found, None)
    write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))
