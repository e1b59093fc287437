"""`undertone control`: steer the running player. Imports neither Qt nor the library."""

from __future__ import annotations

import argparse
from typing import Any

from app import remote
from app.cli.console import clean
from inference.errors import UndertoneError

__all__ = ["ACTIONS", "add_parser", "run"]

ACTIONS = ("play-pause", "next", "previous", "stop")


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "control",
        description="Steer the player that is running with the same home.",
        epilog="example: undertone control play-pause",
    )
    parser.add_argument("action", choices=ACTIONS, help="what the player shall do")
    return parser


def run(args: argparse.Namespace) -> int:
    answer = remote.send(args.home.folder, {"command": args.action})
    if answer is None:
        raise UndertoneError("no player is running", "Start it with `undertone`.")
    if not answer.get("ok"):
        reason = clean(str(answer.get("error") or "it does not say why"))
        raise UndertoneError(f"the player could not do it ({reason})")
    return 0
