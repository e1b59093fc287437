"""`undertone labels`: the listener's own answers and corrections: list, export, import, delete."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.answers import list_answers, run_forget
from app.cli.console import UsageError, clean, dump_json, message, out, write_bytes
from app.cli.list_ import QUERY_HELP, find
from app.cli.opening import open_library
from app.cli.replacing import replacing
from inference.emotion import Quadrant
from library_db.answers import Answer, AnswerStore

if TYPE_CHECKING:
    from library_db.decisions import Decided
    from library_db.emotion_layers import UserLabel
    from library_db.library import Library
    from library_db.track import Track

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "labels",
        description="Your own word on how songs feel: what you answered when you were asked, and "
        "what you corrected. No model ever overwrites it.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = _action(actions, "list", "show your answers and corrections, and why", query=True)
    listed.add_argument("--json", action="store_true", help="print a JSON array on stdout")
    export = _action(actions, "export", "write them to a file", query=True)
    export.add_argument(
        "--format", choices=("json", "m-heps"), default="json",
        help="m-heps: your sessions with a band as a folder of signals (-o DIR)",
    )  # fmt: skip
    export.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="default: stdout; a folder for m-heps"
    )
    export.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    export.add_argument("--listener", default="me", metavar="NAME", help="in the manifest (m-heps)")
    export.add_argument("--audio", action="store_true", help="copy the songs, too (m-heps)")
    taken = _action(actions, "import", "take them over from a file; the newer one wins")
    taken.add_argument("file", metavar="FILE", type=Path, help="written by `labels export`")
    taken.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    delete = _action(actions, "delete", "take your answers and corrections back", query=True)
    delete.add_argument("--all", action="store_true", help="all of them")
    delete.add_argument("--only", choices=("answers", "corrections"), help="leave the others")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    delete.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    answers = _action(actions, "answers", "show what you answered when you were asked")
    answers.add_argument("--json", action="store_true", help="print a JSON array on stdout")
    forget = _action(actions, "forget", "delete all answers and your own models for good")
    forget.add_argument(
        "--all", action="store_true",
        help="also corrections, listening history, recordings and daily backups",
    )  # fmt: skip
    forget.add_argument("--yes", action="store_true", help="do not ask")
    forget.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser


def _action(actions: Any, name: str, text: str, *, query: bool = False) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=QUERY_HELP if query else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if query:
        parser.add_argument("query", metavar="QUERY", nargs="*", help="only those that fit")
    return parser


def run(args: argparse.Namespace) -> int:
    action = {
        "list": _list,
        "export": _export,
        "import": _import,
        "delete": _delete,
        "answers": list_answers,
        "forget": run_forget,
    }[args.action]
    with open_library(args.home) as library:
        return action(library, args)


def _found(library: Library, args: argparse.Namespace) -> list[tuple[Track, UserLabel]]:
    from app.labels import corrected

    return list(corrected(library, find(library, args.query)))


def _answers(library: Library, args: argparse.Namespace, store: AnswerStore) -> list[Answer]:
    """The answers on the songs that fit; without a query also those on songs that are gone."""
    from app.evidence import song_of

    if not args.query:
        return store.all()
    wanted = set(find(library, args.query))
    pairs = ((answer, song_of(library, answer)) for answer in store.all())
    return [answer for answer, track in pairs if track is not None and track.id in wanted]


def _list(library: Library, args: argparse.Namespace) -> int:
    from app.label_rows import answer_row, correction_row

    corrections = _found(library, args)
    answers: list[Answer] = []
    decisions: list[Decided] = []
    if AnswerStore.exists(args.home.library_dir):
        with AnswerStore.open(args.home.library_dir) as store:
            answers, decisions = _answers(library, args, store), store.decisions()
            for notice in store.notices:
                message(f"undertone: {notice}")
    rows = [correction_row(track, label, decisions) for track, label in corrections]
    rows += [answer_row(library, answer, decisions) for answer in answers]
    rows.sort(key=lambda row: float(row["at_s"]))
    if args.json:
        out(dump_json(rows, indent=1))
        return 0
    for row in rows:
        day = time.strftime("%Y-%m-%d", time.localtime(row["at_s"])) if row["at_s"] else ""
        name = f"{row['artist']} - {row['title']}" if row["artist"] else row["title"] or "(gone)"
        mood = Quadrant(row["quadrant"]).label
        verdict = "" if row["decision"] is None else f"  {_verdict(row['decision'])}"
        out(f"{mood:6} {day:10}  {row['origin']:10}  {clean(name)}{clean(verdict)}")
    message(f"{len(answers)} answers, {len(corrections)} corrections")
    return 0


def _verdict(decision: dict[str, Any]) -> str:
    if decision["kept"]:
        return f"kept: {decision['reason']}"
    return f"{'a label only' if decision['label'] else 'left out'}: {decision['reason']}"


def _export(library: Library, args: argparse.Namespace) -> int:
    if args.format == "m-heps":
        return _export_sessions(library, args)
    from app.labels import write
    from app.my_data import answer_to_json

    found = _found(library, args)
    answers: list[dict[str, Any]] = []
    if AnswerStore.exists(args.home.library_dir):
        with AnswerStore.open(args.home.library_dir) as store:
            answers = [answer_to_json(library, a) for a in _answers(library, args, store)]
    text = write(found, answers)
    if args.output == "-":
        write_bytes(text.encode())
    else:
        with replacing(Path(args.output)) as file:
            file.write(text)
        if args.json:
            out(dump_json({"answers": len(answers), "corrections": len(found)}))
    message(f"{len(found)} corrections and {len(answers)} answers written to {clean(args.output)}")
    return 0


def _export_sessions(library: Library, args: argparse.Namespace) -> int:
    from app.cli.progress import run_shown
    from app.evidence import collect
    from app.m_heps import export_sessions
    from library_db.personal_layer import common_model

    if args.output == "-" or args.query:
        raise UsageError(
            "sessions are exported whole, into a folder",
            "Write `undertone labels export --format m-heps -o DIR`",
        )
    with AnswerStore.open(args.home.library_dir) as store:
        evidence = collect(library, store.all(), common_model(library) or "")
    words = [*evidence.words, *(w for w, reason in evidence.set_aside if reason != "LATER")]
    done = run_shown(
        export_sessions(
            library, words, args.home.recordings_dir, Path(args.output),
            listener=args.listener, audio=args.audio,
        ),
        "sessions",
    )  # fmt: skip
    for name, reason in done.left_out:
        message(f"left out: {clean(name)}: {clean(reason)}")
    if args.json:
        left_out = [{"song": name, "reason": reason} for name, reason in done.left_out]
        out(dump_json({"written": done.written, "left_out": left_out}))
    message(f"{done.written} songs with signals written to {clean(args.output)}")
    return 0


def _import(library: Library, args: argparse.Namespace) -> int:
    from app.answers_file import TakenAnswers, read_answers, take_over_answers
    from app.labels import read, take_over

    labels, given = read(args.file), read_answers(args.file)
    answers = TakenAnswers(0, 0)
    if given:
        with AnswerStore.open(args.home.library_dir) as store:
            answers = take_over_answers(library, store, given)
    result = take_over(library, labels)
    for path in result.unknown:
        message(f"failed: {clean(path)}: not in the library; `undertone scan` its folder first")
    if args.json:
        unknown = [str(path) for path in result.unknown]
        out(
            dump_json(
                {"taken": result.taken, "kept": result.kept, "unknown": unknown,
                 "answers": answers.taken, "answers_known": answers.known}
            )
        )  # fmt: skip
    message(
        f"{result.taken} corrections and {answers.taken} answers taken over, "
        f"{result.kept + answers.known} kept as they were"
    )
    return 1 if result.unknown else 0


def _delete(library: Library, args: argparse.Namespace) -> int:
    if bool(args.query) == args.all:
        raise UsageError(
            "say what to delete",
            "Name a query, for instance `undertone labels delete artist:abba`, or --all",
        )
    found = [] if args.only == "answers" else _found(library, args)
    answers: list[Answer] = []
    if args.only != "corrections" and AnswerStore.exists(args.home.library_dir):
        with AnswerStore.open(args.home.library_dir) as store:
            answers = _answers(library, args, store)
    what = f"{len(found)} corrections and {len(answers)} answers"
    if (found or answers) and not args.yes and not _agreed(what):
        message("nothing was deleted")
        return 0
    if answers:
        with AnswerStore.open(args.home.library_dir) as store:
            if args.all:
                store.delete()
            else:
                store.remove(answer.id for answer in answers if answer.id is not None)
    if found:
        library.correct_many({track.id: None for track, _ in found})
        library.store.database.fold_wal()  # so that no file holds them any more
        if AnswerStore.exists(args.home.library_dir):
            with AnswerStore.open(args.home.library_dir) as store:
                store.forget_corrections(track.id for track, _ in found)
    if args.json:
        out(dump_json({"deleted": len(found), "answers": len(answers)}))
    message(f"{what} deleted")
    if answers:
        message("what was learned from them stays until you train again, or `labels forget` all")
    return 0


def _agreed(what: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(f"{what} would be deleted", "Add --yes to do it")
    sys.stderr.write(f"Delete {what}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
