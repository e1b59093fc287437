"""`undertone evaluate`: reproduce a table of the paper, or one of ours, by a named protocol."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli.console import UsageError, message, out
from app.cli.train import recorded
from inference.errors import UndertoneError

__all__ = ["add_parser", "run"]

_TABLES = {
    "table-1": "GSR and PPG: the systems of the paper's Table I",
    "table-2": "GSR and PPG: segments of 0.5, 1, 2.5 and 5 s (Table II)",
    "table-3": "music: feature sets through regressor and SIA-BGRU (Table III)",
    "controls": "music: physiological targets against no targets and random codes",
    "int8": "music: VGG19 in eight bits against float32, before the same heads",
    "music-checks": "music: the default model's routes, genres held out, libraries, robustness",
    "leak": "GSR and PPG: what random folds over segments measure",
}
_PROTOCOLS = {
    "P0": "random folds over segments, as in the paper: leaky, for comparison only",
    "P1": "recordings unseen",
    "P2": "songs and artists unseen",
    "P3": "listener unseen",
    "P4": "listener and song unseen",
}
_EPILOG = "protocols:\n" + "\n".join(f"  {k}  {v}" for k, v in _PROTOCOLS.items())


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate",
        description="Measure systems on a data set, with everything fitted inside the training "
        "fold. Says first what it will cost; writes a table (CSV) and how it was made (JSON).",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tables = parser.add_subparsers(dest="table", metavar="TABLE", required=True)
    for name, text in _TABLES.items():
        _arguments(tables.add_parser(name, help=text, description=text), name)
    text = "simulated listeners: does the sensor network find what is there, and no more?"
    _simulated_arguments(tables.add_parser("simulated", help=text, description=text))
    text = (
        "a personal model against the common one: simulated listeners after 0 to 80 answers, or "
        "those of a data set with a band (--root)"
    )
    _personal_arguments(tables.add_parser("personal", help=text, description=text))
    text = "the held-out common model that simulated listeners hear music by"
    _estimates_arguments(tables.add_parser("estimates", help=text, description=text))
    text = "whether the default music model takes music for music, and nothing else"
    sounds = tables.add_parser("sounds", help=text, description=text)
    _estimates_arguments(sounds)
    sounds.add_argument(
        "--weights", metavar="FILE", type=Path, required=True, help="musicnn's wheel"
    )
    return parser


def _simulated_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--coupling",
        metavar="K",
        type=float,
        nargs="+",
        default=[0.0, 6.0],
        help="how strongly they feel: 1 as people do, 0 not at all (default: 0 6)",
    )
    parser.add_argument("--listeners", type=int, default=24, metavar="N")
    parser.add_argument("--songs", type=int, default=32, metavar="N")
    parser.add_argument("--duration", type=float, default=40.0, metavar="S", help="of a song, s")
    parser.add_argument("--folds", type=int, default=4, metavar="N")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--epochs", type=int, default=12, metavar="N")
    parser.add_argument(
        "--native", action="store_true", help="also images of 64 columns, at five times the cost"
    )
    parser.add_argument("--work", metavar="DIR", type=Path, help="for finished folds")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="for the results (default: results)"
    )


def _personal_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--estimates",
        metavar="FILE",
        type=Path,
        default=Path("results/common-estimates.csv"),
        help="a common model's out-of-fold probabilities (default: results/common-estimates.csv)",
    )
    parser.add_argument(
        "--root", metavar="DIR", type=Path, help="real listeners: 70 %% of their songs as answers"
    )
    parser.add_argument("--dataset", default="hku956", help="its layout (default: hku956)")
    parser.add_argument(
        "--music-root", metavar="DIR", type=Path,
        help="simulated listeners hear music4q: what the selection does to targets and heads",
    )  # fmt: skip
    parser.add_argument(
        "--ladder", action="store_true",
        help="with --music-root: how far up its three rungs a model climbs, and what for",
    )  # fmt: skip
    parser.add_argument("--folds", type=int, default=3, metavar="N", help="of listeners")
    parser.add_argument("--listeners", type=int, default=10, metavar="N", help="simulated ones")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--quick", action="store_true", help="only see that it runs")
    parser.add_argument("--resume", action="store_true", help="go on from finished listeners")
    parser.add_argument("--work", metavar="DIR", type=Path, help="for what is computed once")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="for the results (default: results)"
    )


def _estimates_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", metavar="DIR", type=Path, required=True, help="the music")
    parser.add_argument("--dataset", default="music4q", help="its layout (default: music4q)")
    parser.add_argument("--work", metavar="DIR", type=Path, help="for what is computed once")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="for the results (default: results)"
    )


def _arguments(parser: argparse.ArgumentParser, table: str) -> None:
    of_music = table in ("table-3", "controls", "int8", "music-checks")
    dataset, protocol = ("music4q", "P2") if of_music else ("hku956", "P3")
    parser.add_argument("--root", metavar="DIR", type=Path, required=True, help="the data set")
    parser.add_argument("--dataset", default=dataset, help=f"its layout (default: {dataset})")
    parser.add_argument("--protocol", choices=tuple(_PROTOCOLS), default=protocol)
    parser.add_argument("--systems", metavar="NAMES", help="some rows only, with ; between")
    parser.add_argument("--folds", type=int, default=5, metavar="N")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--quick", action="store_true", help="only see that it runs")
    parser.add_argument("--resume", action="store_true", help="go on from finished folds")
    parser.add_argument("--dry-run", action="store_true", help="only say what it would cost")
    parser.add_argument("--work", metavar="DIR", type=Path, help="for what is computed once")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="for the results (default: results)"
    )
    if of_music:
        parser.add_argument("--sensor-root", metavar="DIR", type=Path, required=True)
        parser.add_argument("--sensor-dataset", default="hku956")
        parser.add_argument("--weights", metavar="FILE", type=Path)
    if table == "music-checks":
        text = "another kind of music, only tested: emopia:DIR (may be given again)"
        parser.add_argument("--other", metavar="LAYOUT:DIR", action="append", default=[], help=text)


def run(args: argparse.Namespace) -> int:
    if args.table == "personal":
        return _run_personal(args)
    if args.table == "estimates":
        return _run_estimates(args)
    if args.table == "sounds":
        return _run_sounds(args)
    if args.table == "simulated":
        return _run_simulated(args)
    if args.folds < 2 or args.seeds < 1:
        raise UsageError("evaluating takes at least 2 folds and 1 seed")
    commands = _commands()
    from inference.evaluation.folds import Protocol

    options = commands.EvaluateOptions(
        table=args.table,
        root=args.root,
        dataset=args.dataset,
        protocol=Protocol(args.protocol),
        work=args.work or args.home.folder / "training",
        results=args.out or Path("results"),
        sensor_root=getattr(args, "sensor_root", None),
        sensor_dataset=getattr(args, "sensor_dataset", "hku956"),
        weights=getattr(args, "weights", None),
        others=tuple(_other(text) for text in getattr(args, "other", ())),
        systems=tuple(s.strip() for s in args.systems.split(";")) if args.systems else (),
        folds=args.folds,
        seeds=args.seeds,
        quick=args.quick,
        resume=args.resume,
        command=recorded(args, "evaluate", args.table),
    )
    message("this will take:")
    for line in commands.lines(commands.cost(options)):
        message(line)
    if args.dry_run:
        return 0
    _run(commands.evaluate(options, out))
    return 0


def _other(text: str) -> tuple[str, Path]:
    layout, colon, folder = text.partition(":")
    if not colon or not folder:
        raise UsageError(f"--other {text!r} is no LAYOUT:DIR, such as emopia:rendered")
    return layout, Path(folder)


def _run_simulated(args: argparse.Namespace) -> int:
    if args.folds < 2 or args.seeds < 1 or args.listeners < 2 or args.songs < 4 * args.folds:
        raise UsageError("evaluating takes 2 folds, 2 listeners and 4 songs a fold at least")
    _commands()
    from inference.evaluation.results import table_text
    from inference.evaluation.sensor_simulated import SimulatedOptions, evaluate_simulated

    options = SimulatedOptions(
        couplings=args.coupling,
        listeners=args.listeners,
        songs=args.songs,
        duration_s=args.duration,
        folds=args.folds,
        seeds=args.seeds,
        epochs=args.epochs,
        native=args.native,
        results=args.out or Path("results"),
        work=args.work,
        command=recorded(args, "evaluate", "simulated"),
    )
    out(table_text(_run(evaluate_simulated(options))))
    return 0


def _run_personal(args: argparse.Namespace) -> int:
    if args.ladder and args.music_root is None:
        raise UsageError("--ladder needs the music: --music-root DIR")
    if args.listeners < 2 or args.seeds < 1 or args.folds < 2:
        raise UsageError("evaluating takes at least 2 listeners, 2 folds and 1 seed")
    _commands()
    from inference.evaluation.personal import evaluate_personal
    from inference.evaluation.results import table_text

    results, work = args.out or Path("results"), args.work or args.home.folder / "training"
    shared = {"work": work, "seeds": args.seeds, "quick": args.quick, "resume": args.resume}
    command = recorded(args, "evaluate", "personal")
    if args.root is not None:
        from inference.evaluation.personal_real import evaluate_real_listeners

        job = evaluate_real_listeners(
            args.dataset, args.root, results, folds=args.folds, command=command, **shared
        )
    elif args.music_root is not None:
        from inference.evaluation.personal_ladder import evaluate_ladder
        from inference.evaluation.personal_targets import evaluate_targets

        measure = evaluate_ladder if args.ladder else evaluate_targets
        job = measure(
            args.estimates, args.music_root, results, listeners=args.listeners, command=command,
            **shared,
        )  # fmt: skip
    else:
        job = evaluate_personal(
            args.estimates, results, listeners=args.listeners, command=command, **shared
        )
    out(table_text(_run(job)))
    return 0


def _run_estimates(args: argparse.Namespace) -> int:
    _commands()
    from inference.evaluation.personal_songs import estimate_songs

    rows = _run(
        estimate_songs(
            args.root,
            args.out or Path("results"),
            work=args.work or args.home.folder / "training",
            dataset=args.dataset,
            command=recorded(args, "evaluate", "estimates"),
        )
    )
    message(f"{len(rows)} songs estimated")
    return 0


def _run_sounds(args: argparse.Namespace) -> int:
    _commands()
    from inference.evaluation.music_sounds import evaluate_sounds
    from inference.evaluation.results import table_text

    job = evaluate_sounds(
        args.root,
        args.weights,
        args.out or Path("results"),
        work=args.work or args.home.folder / "training",
        dataset=args.dataset,
        command=recorded(args, "evaluate", "sounds"),
    )
    out(table_text(_run(job)))
    return 0


def _commands() -> Any:
    try:
        from inference.evaluation import commands
    except ModuleNotFoundError as error:
        raise UndertoneError(
            f"evaluating needs {error.name}, which is not installed",
            "Install Undertone with its training extra: pip install 'undertone[train]'.",
        ) from error
    return commands


def _run(job: Any) -> Any:
    from app.cli.progress import display

    with display() as shown:
        while True:
            try:
                progress = next(job)
            except StopIteration as stop:
                return stop.value
            shown.show(progress, progress.text or "evaluating")
