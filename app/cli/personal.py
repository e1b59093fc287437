"""`undertone train personal`: your own model, from your answers and corrections alone."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.console import UsageError, clean, dump_json, message, out
from app.cli.opening import open_library
from app.personal import PersonalReport, Tune, roll_back, train, use
from app.personal_models import PersonalModels
from app.personal_process import TrainingFault, fault_line, progress_line, report_line
from inference.errors import UndertoneError

if TYPE_CHECKING:
    from app.folder_evidence import FolderEvidence, ReadSong
    from app.material import Material
    from inference.job import Job
    from inference.sensor_runtime import SensorClassifier
    from library_db.answers import AnswerStore
    from library_db.library import Library

    ReadFolder = Callable[[str, Path, str | None], tuple[Sequence[ReadSong], Sequence[str]]]

__all__ = ["add_arguments", "run_personal"]

EXIT_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `undertone train personal`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument(
        "--jsonl",
        action="store_true",
        help="print one JSON object a step on stdout, the last one with what came of it",
    )
    parser.add_argument(
        "--niceness", type=int, default=0, metavar="N", help="let other programs go first, 0 to 19"
    )
    parser.add_argument(
        "--root", metavar="DIR", type=Path,
        help="learn from somebody's recordings in place of your own answers",
    )  # fmt: skip
    parser.add_argument(
        "--dataset", default="m-heps", help="layout of that folder (default: m-heps)"
    )
    parser.add_argument("--listener", metavar="NAME", help="whose, where there are several")
    parser.add_argument("--dry-run", action="store_true", help="only say what would come of it")
    parser.add_argument(
        "--roll-back", action="store_true", help="go back to the version before the active one"
    )
    parser.add_argument("--versions", action="store_true", help="only list the versions")
    parser.add_argument(
        "--use", type=int, metavar="N", help="take up version N again; 0: the common model alone"
    )


def run_personal(
    args: argparse.Namespace, tune: Callable[[], Tune | None], read: ReadFolder
) -> int:
    """Train, or roll back, and say what came of it.

    Parameters
    ----------
    tune : callable
        As in `app.personal.train`.
    read : callable
        Reads somebody's folder (`inference.training.personal_folder.read_folder`).
    """
    if args.roll_back and args.dry_run:
        raise UsageError("--roll-back and --dry-run do not go together")
    if args.use is not None and (args.roll_back or args.dry_run or args.use < 0):
        raise UsageError("--use takes a version's number and goes with no other option")
    if args.versions:
        if args.roll_back or args.dry_run or args.use is not None:
            raise UsageError("--versions goes with no other option but --json")
        return _list_versions(args)
    if args.niceness > 0 and hasattr(os, "nice"):
        os.nice(args.niceness)
    try:
        report = _report(args, tune, read)
    except UndertoneError as error:
        if args.jsonl:
            out(dump_json(fault_line(TrainingFault(error.message, error.remedy))))
        raise
    if report is None:
        message("undertone: interrupted; what is finished is kept, and the model stays as it was")
        return EXIT_INTERRUPTED
    if args.jsonl:
        out(dump_json(report_line(report)))
    elif args.json:
        out(dump_json(report.to_json()))
    else:
        message(f"{report.answers} answers and {report.corrections} corrections were read")
    message(report.explanation)
    if report.band:
        message(report.band)
    now = "the common model alone" if report.active is None else f"version {report.active}"
    message(f"active: {now}; {report.moved} songs have another mood than the common model's")
    return 0


def _list_versions(args: argparse.Namespace) -> int:
    """Every version with the test that it passed, the newest first."""
    from dataclasses import asdict

    from app.your_model import versions
    from inference.labelling.ladder import Rung

    models = PersonalModels(args.home.models_dir)
    with open_library(args.home) as library:
        found = versions(library, models)
    if args.json:
        out(dump_json([{**asdict(version), "note": version.note} for version in found], indent=1))
        return 0
    for version in found:
        mark = "*" if version.active else " "
        line = f"{mark} version {version.number}"
        if version.personal is not None and version.common is not None:
            day = time.strftime("%Y-%m-%d", time.localtime(version.made_s))
            line += (
                f"  {day}  {version.songs} songs  right on {version.personal:.0%} held out, "
                f"the common model on {version.common:.0%}  {Rung(version.kind).text}"
            )
        out(clean(f"{line}; {version.note}" if version.note else line))
    if models.active_number is None:
        message("active: the common model alone")
    return 0


def _training(
    args: argparse.Namespace,
    library: Library,
    answers: AnswerStore,
    models: PersonalModels,
    tune: Callable[[], Tune | None],
    read: ReadFolder,
) -> Job[PersonalReport]:
    """Learn from answers, corrections and the recorded sessions, or from somebody's folder."""
    from app.personal_band import train_band
    from app.session_features import sessions_of

    loaded: list[SensorClassifier] = []

    def load() -> SensorClassifier | None:
        from inference.sensor_runtime import SensorClassifier

        if loaded:
            return loaded[0]
        with suppress(UndertoneError):  # without the network the sessions wait
            loaded.append(SensorClassifier.load(models_dir=args.home.models_dir))
        return loaded[0] if loaded else None

    def band(material: Material) -> Job[str]:
        base = load()
        if base is None:
            raise UndertoneError("no sensor network is installed", "See `undertone models`")
        return train_band(material, models, base, dry_run=args.dry_run)

    def folder(base_model: str) -> Job[FolderEvidence]:
        from app.folder_evidence import folder_evidence
        from inference.runtime import MusicClassifier

        songs, skipped = read(args.dataset, args.root, args.listener)
        for text in skipped:
            message(f"skipped: {clean(text)}")
        models_dir = args.home.models_dir
        return folder_evidence(
            songs, library, base_model, load(),
            lambda: MusicClassifier.load(base_model, models_dir=models_dir),
        )  # fmt: skip

    sessions = sessions_of(args.home.recordings_dir, models, load)
    return train(
        library, answers, models,
        sessions=sessions, tune=tune, band=band,
        folder=folder if args.root is not None else None, dry_run=args.dry_run,
    )  # fmt: skip


def _report(
    args: argparse.Namespace, tune: Callable[[], Tune | None], read: ReadFolder
) -> PersonalReport | None:
    """What came of it; None where it was interrupted."""
    from app.cli.interrupt import Interrupt
    from app.cli.progress import display
    from library_db.answers import AnswerStore

    models = PersonalModels(args.home.models_dir)
    with (
        open_library(args.home) as library,
        AnswerStore.open(args.home.library_dir) as answers,
        Interrupt() as interrupt,
        display() as shown,
    ):
        for notice in answers.notices:
            message(f"undertone: {notice}")
        if args.roll_back:
            job = roll_back(library, models)
        elif args.use is not None:
            job = use(library, models, args.use or None)
        else:
            job = _training(args, library, answers, models, tune, read)
        while True:
            try:
                progress = next(job)
            except StopIteration as stop:
                report: PersonalReport = stop.value
                return report
            if args.jsonl:
                out(dump_json(progress_line(progress)))
            else:
                shown.show(progress, progress.text)
            if interrupt.requested:
                job.close()
                return None
