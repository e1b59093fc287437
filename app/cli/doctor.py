"""`undertone doctor`: what is missing on this machine, and the remedy."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from app.cli.console import clean, dump_json, message, out

__all__ = ["add_parser", "run"]

_MARKS = {"ok": "ok", "note": "note", "missing": "MISSING"}


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "doctor",
        description="Look for what Undertone needs on this machine: libVLC, display, Bluetooth, "
        "model files, disk space, an intact library. Exit code 1 if a part will not work.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser


def run(args: argparse.Namespace) -> int:
    from app.doctor import examine

    checks = []
    for check in examine(args.home):
        checks.append(check)
        if not args.json:
            out(f"{_MARKS[check.status]:8} {check.name:10} {clean(check.detail)}")
            if check.remedy:
                out(f"{'':8} {'':10} -> {clean(check.remedy)}")
    healthy = all(check.status != "missing" for check in checks)
    if args.json:
        out(dump_json({"ok": healthy, "checks": [asdict(check) for check in checks]}, indent=2))
    elif healthy:
        message("all that Undertone needs is here")
    return 0 if healthy else 1
