"""`undertone labels answers` and `labels forget`: what you answered, and forgetting it for good."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.cli.console import UsageError, clean, dump_json, message, out

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = ["list_answers", "run_forget"]


def list_answers(library: Library, args: argparse.Namespace) -> int:
    """Print the answers to "This felt Calm to you?", the oldest first."""
    from app.my_data import answer_to_json
    from library_db.answers import AnswerStore

    with AnswerStore.open(args.home.library_dir) as store:
        answers = store.all()
        _tell(store)
    rows = [answer_to_json(library, answer) for answer in answers]
    if args.json:
        out(dump_json(rows, indent=1))
        return 0
    for answer, row in zip(answers, rows, strict=True):
        day = time.strftime("%Y-%m-%d", time.localtime(answer.at_s))
        name = row["title"] or "(a song that is no longer in the library)"
        verdict = "yes" if answer.agreed else f"no, {answer.answer.label}"
        out(f"{day}  {answer.shown.label:6}? {verdict:10}  {clean(name)}")
    message(f"{len(rows)} answers")
    return 0


def run_forget(library: Library, args: argparse.Namespace) -> int:
    """Delete answers, personal models and what they said of the songs."""
    from app.personal import forget
    from app.personal_models import PersonalModels
    from library_db.answers import AnswerStore

    if args.all:
        return _forget_everything(library, args)
    if not args.yes and not _agreed("all your answers and your own models"):
        message("nothing was deleted")
        return 0
    with AnswerStore.open(args.home.library_dir) as store:
        _tell(store)
        gone = forget(library, store, PersonalModels(args.home.models_dir))
    if args.json:
        out(dump_json({"answers": gone.answers, "models": gone.models, "songs": gone.songs}))
    message(
        f"deleted: {gone.answers} answers, {gone.models} model versions; "
        f"{gone.songs} songs count as the common model says again"
    )
    message("your corrections are kept; `undertone labels delete --all` takes them back")
    backups = args.home.library_dir / "backups"
    if gone.songs and any(backups.glob("library-*")):
        message(
            "daily backups may hold the moods of your own model until newer ones replace them: "
            f"{clean(backups)}"
        )
    return 0


def _forget_everything(library: Library, args: argparse.Namespace) -> int:
    """As *Your model, Delete my data* with every kind ticked."""
    from app.my_data import Part, delete_data, kept

    found = kept(library, args.home)
    what = (
        f"{found.answers} answers, {found.corrections} corrections, {found.versions} model "
        f"versions, {found.plays} plays, {found.recordings} recordings and {found.backups} backups"
    )
    if not args.yes and not _agreed(what):
        message("nothing was deleted")
        return 0
    gone = delete_data(library, args.home, list(Part)).what
    if args.json:
        out(dump_json(asdict(gone)))
    message(f"deleted for good: {what}")
    return 0


def _agreed(what: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(f"{what} would be deleted", "Add --yes to do it")
    sys.stderr.write(f"Delete {what} for good? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _tell(store: Any) -> None:
    for notice in store.notices:
        message(clean(f"undertone: {notice}"))
