"""`undertone train personal`: your own model, from your answers and corrections alone."""

from __future__ import annotations

import argparse

from app.cli.console import UsageError, dump_json, message, out
from app.cli.opening import open_library

__all__ = ["add_arguments", "run_personal"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `undertone train personal`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("--dry-run", action="store_true", help="only say what would come of it")
    parser.add_argument(
        "--roll-back", action="store_true", help="go back to the version before the active one"
    )


def run_personal(args: argparse.Namespace) -> int:
    """Train, or roll back, and say what came of it."""
    from app.cli.progress import display
    from app.personal import roll_back, train
    from app.personal_models import PersonalModels
    from library_db.answers import AnswerStore

    if args.roll_back and args.dry_run:
        raise UsageError("--roll-back and --dry-run do not go together")
    models = PersonalModels(args.home.models_dir)
    with open_library(args.home) as library, AnswerStore.open(args.home.library_dir) as answers:
        for notice in answers.notices:
            message(f"undertone: {notice}")
        if args.roll_back:
            job = roll_back(library, models)
        else:
            job = train(library, answers, models, dry_run=args.dry_run)
        with display() as shown:
            while True:
                try:
                    progress = next(job)
                except StopIteration as stop:
                    report = stop.value
                    break
                shown.show(progress, progress.text)
    if args.json:
        out(dump_json(report.to_json()))
    else:
        message(f"{report.answers} answers and {report.corrections} corrections were read")
    message(report.explanation)
    now = "the common model alone" if report.active is None else f"version {report.active}"
    message(f"active: {now}; {report.moved} songs have another mood than the common model's")
    return 0
