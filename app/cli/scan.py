"""`undertone scan`: read the tags of new and changed songs."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.console import clean, dump_json, message, out
from app.cli.interrupt import Interrupt
from app.cli.opening import open_library
from app.cli.progress import display

if TYPE_CHECKING:
    from library_db.scan import ScanReport

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "scan",
        description="Read the tags of new and changed songs at or below PATH into the library. "
        "Unchanged files are skipped, moved ones keep their data, missing ones are marked and "
        "never deleted. Your files are only read.",
        epilog="example: undertone scan ~/Music",
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a folder or a song")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser


def run(args: argparse.Namespace) -> int:
    from library_db.scan import scan

    report = None
    with Interrupt() as interrupt, open_library(args.home) as library:
        job = scan(library, absolute(args.paths))
        with closing(job), display() as shown:
            while report is None and not interrupt.requested:
                try:
                    shown.show(next(job), "scanning")
                except StopIteration as stop:
                    report = stop.value
    if report is None:
        message("interrupted; what was scanned is kept, and the same command goes on from there")
        return 130
    for fault in report.failed:
        message(f"failed: {clean(fault.path)}: {clean(fault.reason)}")
    if args.json:
        out(dump_json(_to_json(report)))
    message(_summary(report))
    return 1 if report.failed else 0


def absolute(paths: list[Path]) -> list[Path]:
    """Paths as the library keeps them: absolute, links unresolved, ``..`` folded."""
    import os

    return [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 (resolve follows links)


def _to_json(report: ScanReport) -> dict[str, Any]:
    return {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "moved": report.moved,
        "missing": report.missing,
        "failed": [{"path": str(f.path), "reason": f.reason} for f in report.failed],
        "seconds": round(report.seconds, 3),
    }


def _summary(report: ScanReport) -> str:
    counts = {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "moved": report.moved,
        "missing": report.missing,
        "failed": len(report.failed),
    }
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{told or 'no songs found'} in {report.seconds:.1f} s"
