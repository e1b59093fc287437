"""The part of `undertone tag` that writes into files, and takes it back."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path

from app.cli.console import clean
from app.cli.interrupt import Interrupt
from app.cli.opening import open_library, preview_library
from app.cli.progress import Display
from app.paths import Home
from app.write_tags import TagChange, WriteReport, undo_tags
from inference.job import Job

__all__ = ["follow", "undo"]


def undo(home: Home, undo_file: Path, dry_run: bool, interrupt: Interrupt, shown: Display) -> int:
    """`undertone tag --undo-tags FILE`; returns the exit code."""
    opened = preview_library(home) if dry_run else open_library(home)
    with opened as library:
        job = undo_tags(library, undo_file, dry_run=dry_run)
        return follow(job, interrupt, shown, dry_run=dry_run, undoing=True)


def follow(
    job: Job[WriteReport],
    interrupt: Interrupt,
    shown: Display,
    *,
    dry_run: bool,
    undoing: bool = False,
) -> int:
    """Run the job, say what becomes of each file, and return the exit code."""
    report = None
    with closing(job):
        while report is None and not interrupt.requested:
            try:
                progress = next(job)
            except StopIteration as stop:
                report = stop.value
                break
            shown.show(progress, "undoing" if undoing else "writing tags")
            if isinstance(progress.item, TagChange):
                _say(progress.item, shown, dry_run=dry_run)
    if report is None:
        shown.say("interrupted; each file is either written or as it was")
        return 130
    shown.say(_summary(report, dry_run=dry_run, undoing=undoing))
    if report.undo_file is not None:
        name = shlex.quote(clean(report.undo_file))
        shown.say(f"to take it back: undertone tag --undo-tags {name}")
    return 1 if report.failed else 0


def _say(change: TagChange, shown: Display, *, dry_run: bool) -> None:
    name = clean(change.path)
    if change.error is not None:
        shown.say(f"failed: {name}: {clean(change.error)}")
    elif change.skipped is not None:
        shown.say(f"left alone: {name}: {clean(change.skipped)}")
    elif dry_run and change.is_change:
        shown.say(f"would write: {name}")
        for line in change.lines():
            shown.say(f"    {clean(line)}")


def _summary(report: WriteReport, *, dry_run: bool, undoing: bool) -> str:
    done = "restored" if undoing else "written"
    counts = (
        (report.written, f"would be {done}" if dry_run else done),
        (report.unchanged, "as they should be"),
        (len(report.skipped), "left alone"),
        (len(report.failed), "failed"),
    )
    told = ", ".join(f"{count} {name}" for count, name in counts if count)
    return f"tags in files: {told or 'nothing to do'}"
