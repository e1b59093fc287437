"""`undertone tag`: find out how songs feel."""

from __future__ import annotations

import argparse
import functools
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.console import OutputClosedError, UsageError, clean, dump_json, out
from app.cli.interrupt import Interrupt
from app.cli.opening import open_library, preview_library
from app.cli.progress import Display, display
from app.cli.scan import absolute
from app.cli.tag_files import follow, undo
from app.tag_rows import TagRow
from inference.emotion import QUADRANTS, Quadrant
from inference.errors import UndertoneError

if TYPE_CHECKING:
    from app.tagging import TagReport

__all__ = ["add_parser", "run"]

_EPILOG = """\
examples:
  undertone tag ~/Music                     all songs that are new or changed
  undertone tag --jobs 4 ~/Music            four songs at a time
  undertone tag --jsonl moods.jsonl ~/Music one JSON object a song, into a file
  undertone tag --jsonl - song.mp3          or to stdout
  undertone tag --write-tags --dry-run ~/Music   what would be written into the files?
  undertone tag --undo-tags FILE            take back what a run wrote into them

With 30 songs or more, moods are judged by what is usual in your own library; as it grows to
twice its size, all its songs are rated anew from what was kept of them (no decoding). A run that
may do so prints its rows at its end.

Stop it at any time with Ctrl-C: finished songs are kept, and the same command goes on
from there. Your music files are only read, unless you say --write-tags: then MOOD, VALENCE,
AROUSAL and MOOD_SOURCE are written into MP3, FLAC, Ogg, Opus and M4A files, and nothing else
in them changes. Your own correction is what is written where there is one."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "tag",
        description="Find out how the songs at or below PATH feel: Happy, Tense, Calm or Sad, with "
        "valence, arousal and a confidence. Songs that have been tagged already are skipped.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="a folder or a song")
    parser.add_argument(
        "--jobs", metavar="N", type=_jobs, default=None, help="songs at a time (default: 1)"
    )
    parser.add_argument("--model", metavar="ID", help="see `undertone models` (default: the best)")
    parser.add_argument(
        "--adapt",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="judge songs by what is usual in your library, from 30 songs on; this run only "
        "(default: as in the settings, where it is on)",
    )
    parser.add_argument("--force", action="store_true", help="tag also what is up to date")
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would be done; write nothing"
    )
    parser.add_argument(
        "--write-tags",
        action="store_true",
        help="also write the mood into the files; with --dry-run show what would change",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="with --write-tags: also over a mood that another program wrote",
    )
    parser.add_argument(
        "--undo-tags",
        metavar="FILE",
        type=Path,
        help="take back what a run of --write-tags wrote, by the undo file that it named",
    )
    parser.add_argument(
        "--jsonl", metavar="FILE", help="one JSON object a song into FILE, or - for stdout"
    )
    return parser


def run(args: argparse.Namespace) -> int:
    if args.undo_tags is not None:
        if args.paths or args.write_tags or args.overwrite:
            raise UsageError("--undo-tags stands alone", "Leave PATH and --write-tags out")
    elif not args.paths:
        raise UsageError("no PATH was named", "Write a folder or a song: undertone tag ~/Music")
    if args.overwrite and not args.write_tags:
        raise UsageError("--overwrite needs --write-tags", "Write both, or neither")
    with Interrupt() as interrupt, _sink(args.jsonl) as write, display() as shown:
        if args.undo_tags is not None:
            return undo(args.home, args.undo_tags, args.dry_run, interrupt, shown)
        result = _Run(args, interrupt, write, shown)
        return result.run()


class _Run:
    """One call of the command."""

    def __init__(
        self, args: argparse.Namespace, interrupt: Interrupt, write: Any, shown: Display
    ) -> None:
        self._args = args
        self._interrupt = interrupt
        self._write = write
        self._shown = shown
        self._moods: Counter[Quadrant] = Counter()
        self._rows = 0
        self._done = 0

    def run(self) -> int:
        from app.settings import Settings
        from app.tagging import TagOptions, music_model, tag

        args = self._args
        settings = Settings.load(args.home.settings_file).tagging
        options = TagOptions(
            model_id=args.model or settings.model or None,
            models_dir=args.home.models_dir,
            jobs=args.jobs or settings.jobs,
            force=args.force,
            dry_run=args.dry_run,
            adapt=settings.adapt if args.adapt is None else args.adapt,
            whole_library=args.adapt is None,
        )
        model = _known_model(options, music_model)
        if args.adapt and not model.adapts:
            raise UsageError(
                f"{model.model_id} cannot get used to a library",
                "Leave --adapt out, or take --model undertone-music",
            )
        opened = preview_library(args.home) if args.dry_run else open_library(args.home)
        report = None
        with opened as library:
            job = tag(library, absolute(args.paths), options, model=model)
            with closing(job):
                try:
                    while report is None and not self._interrupt.requested:
                        try:
                            self._step(next(job))
                        except StopIteration as stop:
                            report = stop.value
                except OutputClosedError:
                    report = None
            code = self._end(report)
            if report is not None and args.write_tags:
                paths = absolute(args.paths)
                code = max(code, self._write_tags(library, paths))
        return code

    def _write_tags(self, library: Any, paths: list[Path]) -> int:
        from app.write_tags import write_tags

        args = self._args
        return follow(
            write_tags(
                library,
                library.under(paths),
                args.home.undo_dir,
                overwrite=args.overwrite,
                dry_run=args.dry_run,
            ),
            self._interrupt,
            self._shown,
            dry_run=args.dry_run,
        )

    def _step(self, progress: Any) -> None:
        row = progress.item if isinstance(progress.item, TagRow) else None
        self._done = max(self._done, progress.done)
        self._shown.show(progress, "scanning" if progress.text and row is None else "tagging")
        if row is None:
            return
        self._rows += 1
        if row.error is not None:
            self._shown.say(f"failed: {clean(row.path)}: {clean(row.error)}")
        elif row.estimate is not None:
            self._moods[row.estimate.quadrant] += 1
        elif self._args.dry_run:
            self._shown.say(f"would tag: {clean(row.path)}")
        self._write(dump_json(row.to_json()))

    def _end(self, report: TagReport | None) -> int:
        if report is None:
            self._shown.say(
                f"interrupted after {max(self._rows, self._done)} songs; finished ones are kept. "
                "The same command goes on from there"
            )
            return 130
        self._shown.say(_summary(report, dry_run=self._args.dry_run))
        if self._moods:
            told = [f"{q.label} {self._moods[q]}" for q in QUADRANTS if self._moods[q]]
            self._shown.say("  ".join(told))
        return 1 if report.failed else 0


def _known_model(options: Any, music_model: Any) -> Any:
    """The model, as a matter of usage where its name was typed."""
    from inference.catalog import CatalogError

    try:
        return music_model(options.model_id, options.models_dir)
    except CatalogError as error:
        named = options.model_id
        if named is None or (options.models_dir / named).exists():  # it is there, and damaged
            raise
        raise UsageError(error.message, error.remedy) from error


@contextmanager
def _sink(name: str | None) -> Iterator[Any]:
    """A function that writes a line: to nowhere, to stdout, or to a file, each at once."""
    if name is None:
        yield lambda line: None
    elif name == "-":
        yield out
    else:
        try:
            file = Path(name).open("wb", buffering=0)  # noqa: SIM115 (closed below)
        except OSError as error:
            raise UsageError(
                f"cannot write {name} ({error.strerror})", "Name another file with --jsonl"
            ) from error
        with file:
            yield functools.partial(_write_line, file)


def _write_line(file: FileIO, line: str) -> None:
    rest = (line + "\n").encode("ascii")
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise UndertoneError(
            f"{file.name!r} cannot be written ({error.strerror}); finished songs are kept",
            "Free some space and run the same command again",
        ) from error


def _summary(report: TagReport, *, dry_run: bool) -> str:
    counts = (
        (report.done, "would be tagged" if dry_run else "tagged"),
        (report.up_to_date, "up to date"),
        (len(report.failed), "failed"),
    )
    told = ", ".join(f"{count} {name}" for count, name in counts if count)
    return f"{told or 'no songs found'} in {report.seconds:.1f} s"


def _jobs(text: str) -> int:
    try:
        jobs = int(text)
    except ValueError:
        jobs = 0
    if not 1 <= jobs <= 64:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of songs; write a whole number from 1 to 64 "
            f"(this machine has {os.cpu_count() or 1} processors)"
        )
    return jobs
