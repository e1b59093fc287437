"""`undertone recordings`: what a band sent, as files that other programs read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli.console import UsageError, clean, message, out

__all__ = ["add_parser", "run"]

_FORMATS = ("edf", "bdf", "csv")
_EPILOG = """\
examples:
  undertone recordings export ~/recordings/2026-05-04T03-02-01 -o song.edf
  undertone recordings export ~/recordings/2026-05-04T03-02-01 --format csv -o tables

edf (EDF+) has 16 bits a sample, bdf (BDF+) keeps a band's 24 bits; both have physical units, and
gaps and notes as annotations. csv makes a folder of tables, one a signal and one of events.
Nothing is ever overwritten; the files are readable by you alone."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "recordings", description="Recordings of a band (`undertone sense --record DIR`)."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    export = actions.add_parser(
        "export",
        help="write one as EDF+, BDF+ or CSV",
        description="Write a recording in a format that other programs read.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    export.add_argument("recording", metavar="RECORDING", type=Path, help="its folder or file")
    export.add_argument("--format", choices=_FORMATS, help="default: by the ending of OUT")
    export.add_argument(
        "-o", "--output", metavar="OUT", type=Path, required=True, help="file, or folder for csv"
    )
    return parser


def run(args: argparse.Namespace) -> int:
    kind = args.format or args.output.suffix.removeprefix(".").lower()
    if kind not in _FORMATS:
        raise UsageError(
            f"cannot tell the format of {args.output}", "Say --format edf, bdf or csv."
        )
    recording, target = args.recording.expanduser(), args.output.expanduser()
    if kind == "csv":
        from app.wristband.export import export_csv

        files = export_csv(recording, target)
    else:
        from app.wristband.export_edf import export_edf

        files = [export_edf(recording, target, kind)]
    for file in files:
        out(str(file))
    if not files:
        message(f"{clean(str(recording))} holds nothing to export")
    return 0
