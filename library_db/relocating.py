"""Which of the files found elsewhere are those that are no longer where they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from library_db.text import fold

__all__ = ["match_moved"]


def match_moved(lost: Iterable[Path], found: Iterable[Path]) -> dict[Path, Path]:
    """Where lost files are now, as far as their paths say.

    Parameters
    ----------
    lost : iterable of Path
        Where they were.
    found : iterable of Path
        Files that are there now.

    Returns
    -------
    dict
        New path by old one: of the files of the same name the one whose folders agree farthest
        from the name upwards; none where two agree equally far. Case and accents do not matter.
    """
    by_name: defaultdict[str, list[Path]] = defaultdict(list)
    for path in found:
        by_name[fold(path.name)].append(path)
    moved: dict[Path, Path] = {}
    for old in lost:
        candidates = [(_agreement(old, path), path) for path in by_name.get(fold(old.name), ())]
        if not candidates:
            continue
        best = max(length for length, _ in candidates)
        chosen = [path for length, path in candidates if length == best]
        if len(chosen) == 1:
            moved[old] = chosen[0]
    return moved


def _agreement(one: Path, other: Path) -> int:
    """How many parts agree from the end."""
    length = 0
    for a, b in zip(reversed(one.parts), reversed(other.parts), strict=False):
        if fold(a) != fold(b):
            break
        length += 1
    return length
