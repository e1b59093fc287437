"""`undertone models`: the installed models with their cards; `models install ID` builds another."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.console import UsageError, clean, dump_json, message, out
from app.cli.opening import open_library
from app.paths import Home

if TYPE_CHECKING:
    from app.adaptation_state import AdaptationState
    from inference.catalog import ModelCard

__all__ = ["INSTALLABLE", "add_parser", "run"]

INSTALLABLE = {"ms-sg-vgg19": "the paper's VGG19 features, from the published ImageNet weights"}

_SHOWN = 9  # figures of a protocol; a card may carry a hundred


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "models",
        description="List the installed models: what each is for, how well it was measured to do, "
        "and its licence. `undertone models install ID` builds one that is not shipped.",
        epilog="can be installed: "
        + "; ".join(f"{name} ({what})" for name, what in INSTALLABLE.items()),
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array on stdout")
    parser.set_defaults(action="list")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    install = actions.add_parser(
        "install",
        help="build a model from published weights",
        description="Download the published weights (80 MB), check them, and build the model.",
    )
    install.add_argument("model", metavar="ID", choices=tuple(INSTALLABLE), help="the model's id")
    install.add_argument(
        "--from",
        dest="archive",
        metavar="FILE",
        type=Path,
        help="use this copy of the published archive instead of downloading it",
    )
    install.add_argument("--force", action="store_true", help="build it again if it is there")
    return parser


def run(args: argparse.Namespace) -> int:
    if args.action == "install":
        return _install(args)
    return _list(args)


def _list(args: argparse.Namespace) -> int:
    from inference.catalog import installed

    cards = installed(args.home.models_dir)
    states = _states(args.home, [card for card in cards if card.kind == "music"])
    if args.json:
        out(dump_json([_to_json(card, states.get(card.id)) for card in cards], indent=2))
        return 0
    for card in cards:
        out(f"{card.id}  {card.version}  ({card.kind})")
        for line in _about(card):
            out(textwrap.fill(clean(line), 96, initial_indent="    ", subsequent_indent="      "))
        if card.id in states and states[card.id].can:
            said = f"your library: {states[card.id].words}"
            out(textwrap.fill(said, 96, initial_indent="    ", subsequent_indent="      "))
    if not cards:
        message("no model is installed; `undertone doctor` says more")
    return 0


def _about(card: ModelCard) -> Iterator[str]:
    yield card.summary or card.title
    for protocol, metrics in groupby(card.metrics, key=lambda metric: metric.protocol):
        found = list(metrics)
        yield f"measured by {protocol}:"
        for metric in found[:_SHOWN]:
            between = ""
            if metric.low is not None and metric.high is not None:
                between = f"  [{metric.low:.3f}, {metric.high:.3f}]"
            yield f"- {metric.name} {metric.value:.3f}{between}"
        if len(found) > _SHOWN:
            yield f"- {len(found) - _SHOWN} more with --json"
    yield f"licence: {card.licence}"


def _states(home: Home, cards: Sequence[ModelCard]) -> dict[str, AdaptationState]:
    """By model id how it is used to the library; nothing where there is none."""
    if not (home.library_dir / "library.sqlite3").exists():
        return {}
    from app.adaptation_state import adaptation_state
    from app.settings import Settings
    from app.song_model import music_model

    on = Settings.load_usable(home.settings_file)[0].tagging.adapt
    with open_library(home) as library:
        models = (music_model(card.id, home.models_dir) for card in cards)
        return {model.model_id: adaptation_state(library, model, on=on) for model in models}


def _to_json(card: ModelCard, state: AdaptationState | None) -> dict[str, Any]:
    """The card's fields, and `library`: how the model is used to it, null where it is not."""
    from dataclasses import asdict

    return {**asdict(card), "library": state.to_json() if state and state.can else None}


def _install(args: argparse.Namespace) -> int:
    from app.published import fetch_vgg19

    home: Home = args.home
    target = home.models_dir / args.model
    if target.exists() and not args.force:
        raise UsageError(f"{args.model} is installed already", "Add --force to build it again")
    home.prepare()
    home.models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".install-", dir=home.models_dir) as scratch:
        built = Path(scratch) / args.model
        built.mkdir()
        weights = fetch_vgg19(Path(scratch), archive=args.archive, say=message)
        from inference.training.install import install_vgg19

        install_vgg19(weights, built, progress=message)
        if target.exists():
            shutil.rmtree(target)
        built.rename(target)
    message(f"{args.model} is installed; use it with `undertone tag --model {args.model} PATH`")
    return 0
