"""`undertone train personal`: your own model, from your answers and corrections alone."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from app.cli.console import UsageError, dump_json, message, out
from app.cli.opening import open_library
from app.personal import PersonalReport, Tune, roll_back, train, use
from app.personal_models import PersonalModels
from app.personal_process import TrainingFault, fault_line, progress_line, report_line
from inference.errors import UndertoneError

if TYPE_CHECKING:
    from app.material import Material
    from inference.job import Job
    from inference.sensor_runtime import SensorClassifier
    from library_db.answers import AnswerStore
    from library_db.library import Library

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
    parser.add_argument("--dry-run", action="store_true", help="only say what would come of it")
    parser.add_argument(
        "--roll-back", action="store_true", help="go back to the version before the active one"
    )
    parser.add_argument(
        "--use", type=int, metavar="N", help="take up version N again; 0: the common model alone"
    )


def run_personal(args: argparse.Namespace, tune: Callable[[], Tune | None]) -> int:
    """Train, or roll back, and say what came of it.

    Parameters
    ----------
    tune : callable
        As in `app.personal.train`.
    """
    if args.roll_back and args.dry_run:
        raise UsageError("--roll-back and --dry-run do not go together")
    if args.use is not None and (args.roll_back or args.dry_run or args.use < 0):
        raise UsageError("--use takes a version's number and goes with no other option")
    if args.niceness > 0 and hasattr(os, "nice"):
        os.nice(args.niceness)
    try:
        report = _report(args, tune)
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


def _training(
    args: argparse.Namespace,
    library: Library,
    answers: AnswerStore,
    models: PersonalModels,
    tune: Callable[[], Tune | None],
) -> Job[PersonalReport]:
    """Learn from answers, corrections and the recorded sessions."""
    from app.personal_band import train_band
    from app.session_features import sessions_of

    loaded: list[SensorClassifier] = []

    def load() -> SensorClassifier | None:
        from inference.sensor_runtime import SensorClassifier

        with suppress(UndertoneError):  # without the network the sessions wait
            loaded.append(SensorClassifier.load(models_dir=args.home.models_dir))
        return loaded[0] if loaded else None

    def band(material: Material) -> Job[str]:
        return train_band(material, models, loaded[0], dry_run=args.dry_run)

    sessions = sessions_of(args.home.recordings_dir, models, load)
    return train(
        library, answers, models,
        sessions=sessions, tune=tune, band=band, dry_run=args.dry_run,
    )  # fmt: skip


def _report(args: argparse.Namespace, tune: Callable[[], Tune | None]) -> PersonalReport | None:
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
            job = _training(args, library, answers, models, tune)
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
