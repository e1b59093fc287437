"""What the default model is worth beyond one figure: routes, shifts, libraries, robustness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.audio.recode import Codec, recoded
from inference.datasets import MusicSet
from inference.errors import UndertoneError
from inference.evaluation.controls import permute_labels
from inference.evaluation.intervals import Interval, bootstrap, bootstrap_difference
from inference.evaluation.metrics import METRICS
from inference.evaluation.music_libraries import (
    Row,
    check_row,
    known_library,
    libraries,
    library_rows,
)
from inference.job import Job, Progress
from inference.training.calibration import coverage_figures, fit_temperature, tempered
from inference.training.costs import Cost
from inference.training.music import Route, Targets
from inference.training.music_best_folds import (
    BestRecipe,
    FittedHead,
    Material,
    cross_validated,
    fold_heads,
)
from inference.training.music_best_head import Clips
from inference.training.music_best_hearing import Variation, hear_clips, hear_material

__all__ = ["GENRE_GROUPS", "VARIATIONS", "ChecksSetup", "checks_cost", "music_checks"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

GENRE_GROUPS: Mapping[str, tuple[str, ...]] = {
    "rock": ("Pop/Rock",),
    "rap, soul, reggae": ("Rap", "R&B", "Reggae"),
    "jazz, blues, vocal": ("Jazz", "Blues", "Vocal", "Easy Listening"),
    "electronic, new age": ("Electronic", "New Age", "Avant-Garde"),
    "latin, international": ("Latin", "International"),
    "country, folk": ("Country", "Folk"),
}
"""Genres that are held out together, by the first one that a clip names; all others are one group
more."""

_AXES = ("accuracy", "arousal_accuracy", "valence_accuracy")
_TRIMMED = 160_000  # samples, 10 s
_LOUDER = 10.0 ** (6.0 / 20.0)
_HEARD_S = 1.0
_SIZES = (30, 100)  # songs of a small library of another kind
_MOST_ROBUST = 240  # clips that go through every variation


def _through(codec: Codec) -> Callable[[NDArray[np.float32], int], NDArray[np.float32]]:
    return lambda x, _: recoded(x, codec)


VARIATIONS = (
    Variation("mp3-128k", _through(Codec("libmp3lame", ".mp3", 44_100, 128_000))),
    Variation("6 dB louder", lambda x, _: np.clip(x * np.float32(_LOUDER), -1.0, 1.0)),
    Variation("6 dB softer", lambda x, _: x / np.float32(_LOUDER)),
    Variation("first 10 s gone", lambda x, _: x[min(_TRIMMED, len(x) // 2) :]),
    Variation("22050 Hz, 16 bits", _through(Codec("pcm_s16le", ".wav", 22_050))),
)
"""What a file may go through without becoming another song; peaks are cut where it is louder."""


@dataclass(frozen=True)
class ChecksSetup:
    """What is measured on.

    Parameters
    ----------
    data : MusicSet
    networks : mapping of str to Path
        ``msd`` and ``mtt``.
    work : Path
        What is heard is kept there.
    targets : Targets
    recipe : BestRecipe
        Its seeds are those of the comparison of routes; the other checks have the first one.
    others : sequence of MusicSet
        Other kinds of music, never trained on.
    """

    data: MusicSet
    networks: Mapping[str, Path]
    work: Path
    targets: Targets
    recipe: BestRecipe
    others: Sequence[MusicSet] = field(default=())

    def heard(self, data: MusicSet, variation: Variation | None = None) -> Job[Clips]:
        """Clips that are only tested, kept by the name of their folder."""
        return hear_clips(data, self.networks, self.work / data.root.name, variation)


def checks_cost(steps: Sequence[Cost], folds: int, seeds: int) -> list[Cost]:
    """The steps of a training, `steps`, as often as the checks take them."""
    *before, heads = steps
    each = heads.seconds / (folds * seeds + 1)
    fits = (len(Route) * seeds + 2) * folds + len(GENRE_GROUPS) + 2
    through = Cost("clips through codecs, louder, softer, shortened", _MOST_ROBUST * 5 * _HEARD_S)
    return [*before, through, Cost("heads: routes, folds, genres, all clips", fits * each)]


class _Case(NamedTuple):
    """Predictions for labelled clips, to be scored."""

    check: str
    data: str
    condition: str
    labels: Places
    groups: NDArray[np.str_]
    probabilities: Floats

    def at(self, places: Places) -> _Case:
        """Some of its clips."""
        return self._replace(
            labels=self.labels[places],
            groups=self.groups[places],
            probabilities=self.probabilities[..., places, :],
        )


def music_checks(setup: ChecksSetup, parts: Sequence[str] = ()) -> Job[list[Row]]:
    """All checks, or some, as rows of one table (check, data, n, condition, measure, value, ...).

    Raises
    ------
    UndertoneError
        If there is no such part.
    """
    known = {"routes": _routes, "genres": _genres, "folds": _folds, "other kinds": _other_kinds}
    for part in parts:
        if part not in known:
            raise UndertoneError(
                f"the checks have no part {part!r}", f"Some of: {'; '.join(known)}."
            )
    material = yield from hear_material(setup.data, setup.networks, setup.work)
    rows: list[Row] = []
    for part, check in known.items():
        if not parts or part in parts:
            rows += yield from check(setup, material)
    return rows


def _routes(setup: ChecksSetup, material: Material) -> Job[list[Row]]:
    """The paper's route, no codes, random codes at one capacity; calibration; labels permuted."""
    data, artists = setup.data, list(setup.data.groups)
    rows: list[Row] = []
    found: dict[Route, Floats] = {}
    for route in Route:
        recipe = replace(setup.recipe, head=replace(setup.recipe.head, route=route))
        found[route] = yield from cross_validated(
            material, artists, recipe, setup.targets, setup.work
        )
        rows += _scores(_case(setup, "routes", route.value, found[route]))
    chosen = found[setup.recipe.head.route]
    for route in Route:
        if route is setup.recipe.head.route:
            continue
        name = f"{setup.recipe.head.route.value} less {route.value}"
        for axis in _AXES:
            i = bootstrap_difference(METRICS[axis], data.labels, chosen, found[route], data.groups)
            rows.append(check_row("routes", data.info.name, len(data.clips), name, axis, i))
    rows += _calibrated(setup, chosen)
    permuted = permute_labels(data.labels, np.arange(len(data.clips)), seed=1)
    once = replace(setup.recipe, seeds=setup.recipe.seeds[:1])
    said = yield from cross_validated(
        material.labelled(permuted), artists, once, setup.targets, setup.work
    )
    case = _case(setup, "labels permuted", setup.recipe.head.route.value, said)
    return rows + _scores(case._replace(labels=permuted))


def _calibrated(setup: ChecksSetup, raw: Floats) -> list[Row]:
    data = setup.data
    tiled = np.tile(data.labels, len(raw))
    temperature = fit_temperature(raw.reshape(-1, 4), tiled)
    calm = np.stack([tempered(p, temperature) for p in raw])
    agreement = [clip.weight for clip in data.clips]
    name, n = data.info.name, len(data.clips)
    figures = coverage_figures(calm, data.labels, agreement, data.groups)
    error = bootstrap(METRICS["calibration_error"], data.labels, calm, data.groups)
    rows = [check_row("calibration", name, n, "out of fold", "calibration_error", error)]
    for measure, value in figures.items():
        if measure.endswith(("_low", "_high")):
            continue
        interval = Interval(
            value, figures.get(f"{measure}_low", np.nan), figures.get(f"{measure}_high", np.nan)
        )
        rows.append(check_row("calibration", name, n, "out of fold", measure, interval))
    return rows


def _genres(setup: ChecksSetup, material: Material) -> Job[list[Row]]:
    """Genres held out together with all artists that play them, without and with adaptation."""
    data, seed = setup.data, setup.recipe.seeds[0]
    group = np.array([_genre_group(clip.genre) for clip in data.clips])
    without, adapted = np.zeros((2, len(data.clips), 4))
    names = sorted(set(group))
    for number, name in enumerate(names):
        test = np.flatnonzero(group == name)
        train = np.flatnonzero((group != name) & ~np.isin(data.groups, data.groups[test]))
        head = FittedHead.of(material.take(train), setup.recipe, seed, setup.targets)
        clips = material.plain.take(test)
        without[test] = head.said(clips)
        adapted[test] = head.said(clips, known_library(clips, head))
        yield Progress(number + 1, len(names), f"without {name}")
    rows: list[Row] = []
    for label, p in (("without adaptation", without), ("with adaptation", adapted)):
        rows += _scores(_case(setup, "genres held out", label, p))
        for name in names:
            at = np.flatnonzero(group == name)
            case = _case(setup, "genres held out", f"{name}, {label}", p).at(at)
            rows += _scores(case)[:1]
    return rows


def _genre_group(genre: str) -> str:
    return next((name for name, genres in GENRE_GROUPS.items() if genre in genres), "others")


def _folds(setup: ChecksSetup, material: Material) -> Job[list[Row]]:
    """What needs the heads of the folds: libraries without a shift, and what files go through."""
    data, recipe = setup.data, setup.recipe
    few = _thinned(len(data.clips), _MOST_ROBUST)
    some = replace(data, clips=tuple(data.clips[int(i)] for i in few))
    heard = {}
    for variation in VARIATIONS:
        heard[variation.name] = yield from setup.heard(some, variation)
    same: dict[str, list[tuple[int, bool]]] = {name: [] for name in heard}
    found: dict[str, list[tuple[Places, Floats, Floats]]] = {}
    rng = np.random.default_rng(0)
    models = fold_heads(material, list(data.groups), recipe, setup.targets, recipe.seeds[0])
    for number, (fold, head) in enumerate(models):
        clips = material.plain.take(fold.test)
        inside = np.isin(few, fold.test)
        before = head.said(material.plain.take(few[inside])).argmax(axis=1)
        for name, varied in heard.items():
            after = head.said(varied.take(np.flatnonzero(inside))).argmax(axis=1)
            same[name] += list(zip(few[inside].tolist(), (before == after).tolist(), strict=True))
        for name, at in libraries(clips.labels, rng):
            part = clips.take(at)
            pair = (fold.test[at], head.said(part), head.said(part, known_library(part, head)))
            found.setdefault(name, []).append(pair)
        yield Progress(number + 1, recipe.n_folds, f"fold {number + 1} of {recipe.n_folds}")
    rows = [_same_quadrant(data, name, pairs) for name, pairs in same.items()]
    for name, parts in found.items():
        at, without, adapted = (np.concatenate(p) for p in zip(*parts, strict=True))
        rows += library_rows(
            data.info.name, name, data.labels[at], data.groups[at], without, adapted
        )
    return rows


def _other_kinds(setup: ChecksSetup, material: Material) -> Job[list[Row]]:
    """Music of another kind, by heads fitted on all clips of the first."""
    rows: list[Row] = []
    if not setup.others:
        return rows
    head = FittedHead.of(material, setup.recipe, setup.recipe.seeds[0], setup.targets)
    for data in setup.others:
        clips = yield from setup.heard(data)
        name, labels, groups = data.root.name, data.labels, data.groups
        case = _Case("another kind of music", name, "without", labels, groups, head.said(clips))
        rows += _scores(case)
        adapted = head.said(clips, known_library(clips, head))
        all_of_it = case._replace(condition="adapted to all of it", probabilities=adapted)
        rows += _scores(all_of_it)
        rng = np.random.default_rng(0)
        for size in _SIZES:
            if len(clips) >= size:
                rows += _scores(_small_libraries(case, clips, head, size, rng))
        for label, at in libraries(clips.labels, rng):
            part = clips.take(at)
            pair = head.said(part), head.said(part, known_library(part, head))
            if "random" not in label:
                rows += library_rows(name, label, labels[at], groups[at], *pair)
    return rows


def _small_libraries(
    case: _Case, clips: Clips, head: FittedHead, size: int, rng: np.random.Generator
) -> _Case:
    """Ten libraries of `size` songs, each used to for itself."""
    parts = [rng.choice(len(clips), size, replace=False) for _ in range(10)]
    said = [head.said(clips.take(a), known_library(clips.take(a), head)) for a in parts]
    at = np.concatenate(parts)
    drawn = case.at(at)._replace(condition=f"adapted to {size} songs, 10 draws")
    return drawn._replace(probabilities=np.concatenate(said))


def _same_quadrant(data: MusicSet, name: str, pairs: Sequence[tuple[int, bool]]) -> Row:
    at = np.array([i for i, _ in pairs])
    same = np.array([[s] for _, s in pairs], np.float64)
    i = bootstrap(lambda _, p: float(np.asarray(p).mean()), data.labels[at], same, data.groups[at])
    return check_row("robustness", data.info.name, len(at), name, "same quadrant", i)


def _thinned(total: int, few: int) -> Places:
    return np.unique(np.linspace(0, total - 1, min(total, few)).astype(np.int64))


def _case(setup: ChecksSetup, check: str, condition: str, p: Floats) -> _Case:
    data = setup.data
    return _Case(check, data.info.name, condition, data.labels, data.groups, p)


def _scores(case: _Case) -> list[Row]:
    return [
        check_row(
            case.check,
            case.data,
            len(case.labels),
            case.condition,
            axis,
            bootstrap(METRICS[axis], case.labels, case.probabilities, case.groups),
        )
        for axis in _AXES
    ]
