"""Evaluates a query on the columns of the index: one boolean array a node."""

from __future__ import annotations

import numpy as np

from library_db.columns import Columns, Mask
from library_db.query import AllOf, AnyOf, Contains, Flag, MoodIs, Node, Not, Within

__all__ = ["UNSURE_BELOW", "match"]

UNSURE_BELOW = 0.5
"""Confidence below which a track counts as unsure."""


def match(node: Node, columns: Columns) -> Mask:
    """Which rows of `columns` satisfy `node`; shape (len(columns),)."""
    if isinstance(node, AllOf):
        mask = np.ones(len(columns), dtype=np.bool_)
        for part in node.parts:
            mask &= match(part, columns)
        return mask
    if isinstance(node, AnyOf):
        mask = np.zeros(len(columns), dtype=np.bool_)
        for part in node.parts:
            mask |= match(part, columns)
        return mask
    if isinstance(node, Not):
        return ~match(node.part, columns)
    if isinstance(node, Contains):
        return _contains(node, columns)
    if isinstance(node, Within):
        return _within(node, columns)
    if isinstance(node, MoodIs):
        mask = np.zeros(len(columns), dtype=np.bool_)
        for quadrant in node.quadrants:
            mask |= columns.quadrant == (-1 if quadrant is None else quadrant.position)
        return mask
    return _flag(node, columns)


def _contains(node: Contains, columns: Columns) -> Mask:
    text = node.text
    if node.field == "path":
        return _path_contains(text, columns, exact=node.exact)
    if node.field in ("", "title"):
        texts = columns.titles if node.field else columns.words
        if node.exact:
            return np.fromiter((t == text for t in texts), np.bool_, len(texts))
        return np.fromiter((text in t for t in texts), np.bool_, len(texts))
    return columns.texts[node.field].holds(
        (lambda t: t == text) if node.exact else (lambda t: text in t)
    )


def _path_contains(text: str, columns: Columns, *, exact: bool) -> Mask:
    """A path is folder + "/" + name: within the folder, within the name, or across the slash."""
    folders, names = columns.texts["folder"], columns.names
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


def _within(node: Within, columns: Columns) -> Mask:
    values = columns.numbers[node.field]
    low = values > node.low if node.low_open else values >= node.low
    high = values < node.high if node.high_open else values <= node.high
    return low & high  # NaN, the unknown value, compares false


def _flag(node: Flag, columns: Columns) -> Mask:
    name = node.name
    if name == "tagged":
        return columns.quadrant >= 0
    if name == "untagged":
        return columns.quadrant < 0
    if name == "unsure":
        return columns.numbers["confidence"] < UNSURE_BELOW
    return columns.flags[name]
