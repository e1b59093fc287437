"""Evaluates a query on the columnar index: one boolean array per node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from library_db.query import AllOf, AnyOf, Contains, Flag, MoodIs, Node, Not, Within

if TYPE_CHECKING:
    from library_db.index import LibraryIndex

__all__ = ["UNSURE_BELOW", "match"]

UNSURE_BELOW = 0.5
"""Confidence below which a track counts as unsure."""

Mask = NDArray[np.bool_]


def match(node: Node, index: LibraryIndex) -> Mask:
    """Which rows of `index` satisfy `node`; shape (len(index),)."""
    if isinstance(node, AllOf):
        mask = np.ones(len(index), dtype=np.bool_)
        for part in node.parts:
            mask &= match(part, index)
        return mask
    if isinstance(node, AnyOf):
        mask = np.zeros(len(index), dtype=np.bool_)
        for part in node.parts:
            mask |= match(part, index)
        return mask
    if isinstance(node, Not):
        return ~match(node.part, index)
    if isinstance(node, Contains):
        return _contains(node, index)
    if isinstance(node, Within):
        return _within(node, index)
    if isinstance(node, MoodIs):
        mask = np.zeros(len(index), dtype=np.bool_)
        for quadrant in node.quadrants:
            mask |= index.quadrant == (-1 if quadrant is None else quadrant.position)
        return mask
    return _flag(node, index)


def _contains(node: Contains, index: LibraryIndex) -> Mask:
    text = node.text
    if node.field == "path":
        return _path_contains(text, index, exact=node.exact)
    if node.field in ("", "title"):
        texts = index.titles if node.field else index.words
        if node.exact:
            return np.fromiter((t == text for t in texts), np.bool_, len(texts))
        return np.fromiter((text in t for t in texts), np.bool_, len(texts))
    return index.text_column(node.field).holds(
        (lambda t: t == text) if node.exact else (lambda t: text in t)
    )


def _path_contains(text: str, index: LibraryIndex, *, exact: bool) -> Mask:
    """A path is folder + "/" + name: within the folder, within the name, or across the slash."""
    folders, names = index.text_column("folder"), index.names
    left, slash, right = text.rpartition("/")
    if exact:
        by_folder = folders.holds(lambda t: t == left)
        by_name = np.fromiter((n == right for n in names), np.bool_, len(names))
        return by_folder & by_name
    if not slash:
        by_name = np.fromiter((text in n for n in names), np.bool_, len(names))
        return by_name | folders.holds(lambda t: text in t)
    across = folders.holds(lambda t: t.endswith(left))
    if right:
        across = across & np.fromiter((n.startswith(right) for n in names), np.bool_, len(names))
    return across | folders.holds(lambda t: text in t)


def _within(node: Within, index: LibraryIndex) -> Mask:
    values = index.number_column(node.field)
    low = values > node.low if node.low_open else values >= node.low
    high = values < node.high if node.high_open else values <= node.high
    return low & high  # NaN, the unknown value, compares false


def _flag(node: Flag, index: LibraryIndex) -> Mask:
    name = node.name
    if name == "tagged":
        return index.quadrant >= 0
    if name == "untagged":
        return index.quadrant < 0
    if name == "unsure":
        return index.confidence < UNSURE_BELOW
    return index.flag(name)
