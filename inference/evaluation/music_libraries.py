"""Libraries to get used to: drawn at random, one-sided, unbalanced; and what that gains."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from inference.evaluation.intervals import Interval, bootstrap, bootstrap_difference
from inference.evaluation.metrics import METRICS
from inference.pipelines.adaptation import FEWEST_SONGS, LibraryStatistics
from inference.training.music_best_folds import FittedHead, library_of
from inference.training.music_best_head import Clips

__all__ = ["Row", "check_row", "known_library", "libraries", "library_rows"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Row = dict[str, object]

_LIBRARY = 50
_DRAWS = 4
_SHARES = (0.1, 0.2, 0.3, 0.4)
_SIDES = {
    "calm songs only": (2, 3),
    "excited songs only": (0, 1),
    "happy and sad songs only": (0, 3),
    "tense songs only": (1,),
}


def check_row(check: str, data: str, n: int, condition: str, measure: str, i: Interval) -> Row:
    """A row of the table of checks."""
    return {
        "check": check,
        "data": data,
        "n": n,
        "condition": condition,
        "measure": measure,
        "value": i.value,
        "low": i.low,
        "high": i.high,
    }


def known_library(clips: Clips, head: FittedHead) -> LibraryStatistics | None:
    """What a head gets used to; nothing where the songs are too few."""
    return library_of(clips, head.reduction) if len(clips) >= FEWEST_SONGS else None


def libraries(labels: Places, rng: np.random.Generator) -> Iterator[tuple[str, Places]]:
    """Libraries out of clips with these labels: names, and which clips; fewer than 30 are none."""
    for _ in range(_DRAWS):
        if len(labels) >= _LIBRARY:
            yield f"{_LIBRARY} at random", rng.choice(len(labels), _LIBRARY, replace=False)
    for name, which in _SIDES.items():
        at = np.flatnonzero(np.isin(labels, which))
        if len(at) >= FEWEST_SONGS:
            yield name, at
    for turn in range(2):
        shares = np.roll(_SHARES, turn)
        most = min(int((labels == q).sum() / share) for q, share in enumerate(shares))
        if most >= FEWEST_SONGS:
            parts = [
                rng.permutation(np.flatnonzero(labels == q))[: int(most * share)]
                for q, share in enumerate(shares)
            ]
            yield "10, 20, 30 and 40 % of the quadrants", np.concatenate(parts)


def library_rows(
    data: str,
    condition: str,
    labels: Places,
    groups: NDArray[np.str_],
    without: Floats,
    adapted: Floats,
) -> list[Row]:
    """Accuracy without and with adaptation, and what it gains."""
    measure = METRICS["accuracy"]
    rows = []
    for label, p in (("accuracy without", without), ("accuracy adapted", adapted)):
        i = bootstrap(measure, labels, p, groups)
        rows.append(check_row("libraries", data, len(labels), condition, label, i))
    i = bootstrap_difference(measure, labels, adapted, without, groups)
    rows.append(check_row("libraries", data, len(labels), condition, "gain by adaptation", i))
    return rows
