"""Finds the command that was typed, parses its arguments, runs it, turns errors into exit codes."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from app import __version__
from app.cli.console import OutputClosedError, UsageError, clean, flush, message
from app.paths import HOME_VARIABLE, home
from inference.errors import UndertoneError

__all__ = ["COMMANDS", "Command", "main"]

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


@dataclass(frozen=True, slots=True)
class Command:
    """A line of the table of commands: `module` is imported when `name` was typed."""

    name: str
    module: str
    help: str


COMMANDS: tuple[Command, ...] = (
    Command("scan", "app.cli.scan", "read the tags of new and changed songs"),
    Command("tag", "app.cli.tag", "find out how songs feel"),
    Command("list", "app.cli.list_", "search the library"),
    Command("export", "app.cli.export", "write a playlist, a table or JSON"),
    Command("playlists", "app.cli.playlists", "your playlists: list, import, export"),
    Command("labels", "app.cli.labels", "your corrections and answers: list, export, forget"),
    Command("play", "app.cli.play", "play files in the player"),
    Command("control", "app.cli.control", "steer the running player"),
    Command("sense", "app.cli.sense", "feel along: live emotion from a wristband"),
    Command("recordings", "app.cli.recordings", "a band's recordings as EDF+, BDF+ or CSV"),
    Command("models", "app.cli.models", "the installed models, and installing another"),
    Command("doctor", "app.cli.doctor", "what is missing on this machine, and the remedy"),
    Command("train", "app.cli.train", "train a model"),
    Command("evaluate", "app.cli.evaluate", "measure a model, reproduce a table"),
)

_DESCRIPTION = """\
Undertone plays your music and knows how it feels: Happy, Tense, Calm or Sad.
Everything runs, and stays, on this machine. Without a command the player opens."""

_EPILOG = """\
to begin with:
  undertone tag ~/Music                      how does each song feel?
  undertone list "mood:calm conf:>0.7"       the surely calm ones
  undertone export mood:happy --format m3u8 -o happy.m3u8
  undertone doctor                           is anything missing?

`undertone COMMAND --help` tells more of each."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `undertone` with `argv` (without the program's name) and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            return _run(arguments)
        finally:
            flush()
    except SystemExit as stop:  # argparse: --help, --version, wrong usage
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    except UsageError as error:
        message("undertone: " + "\n".join(map(clean, str(error).splitlines())))
        return EXIT_USAGE
    except UndertoneError as error:
        message(f"undertone: {clean(str(error))}")
        return EXIT_FAILED
    except OutputClosedError:
        return 0
    except KeyboardInterrupt:
        message("undertone: interrupted")
        return EXIT_INTERRUPTED


def _run(arguments: list[str]) -> int:
    parser, module = _build(arguments)
    args = parser.parse_args(arguments)
    args.home = home(getattr(args, "home", None))
    if args.command is None:
        return _open_window(args)
    if module is None:
        raise UsageError(f"`undertone {args.command}` is not in this version")
    return int(module.run(args))


def _open_window(args: argparse.Namespace) -> int:
    from app.cli.scan import absolute
    from app.cli.window import open_window

    return open_window(args.home, absolute([Path(name) for name in args.music]))


class _Parser(argparse.ArgumentParser):
    """argparse's parser, with an error that points to the help."""

    def error(self, message_: str) -> NoReturn:
        self.print_usage(sys.stderr)
        message(f"{self.prog}: {clean(message_)}")
        message(f"Try `{self.prog} --help`.")
        raise SystemExit(EXIT_USAGE)


def _build(arguments: list[str]) -> tuple[argparse.ArgumentParser, ModuleType | None]:
    parser = _Parser(
        prog="undertone",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"undertone {__version__}")
    parser.add_argument(
        "--music",
        metavar="DIR",
        action="append",
        default=[],
        help="open the player with the music of DIR",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    typed = _typed_command(arguments)
    module = None
    for command in COMMANDS:
        loaded = _load(command) if command.name == typed else None
        if loaded is None:
            if command.name == typed or _is_there(command):
                subparsers.add_parser(command.name, help=command.help)
            continue
        module = loaded
        sub = loaded.add_parser(subparsers)
        _set_help(subparsers, command)
        if isinstance(sub, argparse.ArgumentParser):
            sub.allow_abbrev = False
    _add_home(parser, top=True)
    return parser, module


def _typed_command(arguments: Sequence[str]) -> str | None:
    """The first argument that is neither an option nor an option's value."""
    rest = iter(arguments)
    for argument in rest:
        if argument in ("--home", "--music"):
            next(rest, None)
        elif not argument.startswith("-"):
            return argument
    return None


def _load(command: Command) -> ModuleType | None:
    try:
        return importlib.import_module(command.module)
    except ModuleNotFoundError as error:
        if error.name == command.module:
            return None
        raise


def _is_there(command: Command) -> bool:
    return importlib.util.find_spec(command.module) is not None


def _set_help(subparsers: argparse._SubParsersAction[_Parser], of: Command) -> None:
    """One list of commands, in one voice, whichever of them is loaded."""
    for choice in subparsers._choices_actions:
        if choice.dest == of.name:
            choice.help = of.help


def _add_home(parser: argparse.ArgumentParser, *, top: bool = False) -> None:
    """Accept --home in `parser` and in every parser below it; the last one wins."""
    parser.add_argument(
        "--home",
        metavar="DIR",
        default=os.environ.get(HOME_VARIABLE) or None if top else argparse.SUPPRESS,
        help=f"keep settings, library, models and recordings in DIR (or set {HOME_VARIABLE})",
    )
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in dict.fromkeys(action.choices.values()):
                _add_home(sub)
