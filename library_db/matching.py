"""Evaluates a query on the columns of the index: one boolean array a node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from operator import contains, eq

import numpy as np

from library_db.columns import Columns, Mask
from library_db.query import AllOf, AnyOf, Contains, Flag, MoodIs, Node, Not, Within

__all__ = ["UNSURE_BELOW", "match"]

UNSURE_BELOW = 0.5
"""Confidence below which a track counts as unsure."""


def match(node: Node, columns: Columns, among: Mask | None = None) -> Mask:
    """Which rows of `columns` satisfy `node`; shape (len(columns),).

    Parameters
    ----------
    among : ndarray of bool, optional
        The rows that matter; of the others the result may say anything.
    """
    if isinstance(node, AllOf):
        mask = np.ones(len(columns), np.bool_) if among is None else among.copy()
        # Comparing numbers is cheap; texts are then looked at where all else fits.
        for part in sorted(node.parts, key=_is_text):
            mask &= match(part, columns, mask)
        return mask
    if isinstance(node, AnyOf):
        mask = np.zeros(len(columns), np.bool_)
        for part in node.parts:
            mask |= match(part, columns, among)
        return mask
    if isinstance(node, Not):
        return ~match(node.part, columns, among)
    if isinstance(node, Contains):
        return _contains(node, columns, among)
    if isinstance(node, Within):
        return _within(node, columns)
    if isinstance(node, MoodIs):
        mask = np.zeros(len(columns), dtype=np.bool_)
        counted = columns.relative_quadrant if node.relative else columns.quadrant
        for quadrant in node.quadrants:
            mask |= counted == (-1 if quadrant is None else quadrant.position)
        return mask
    return _flag(node, columns)


def _is_text(node: Node) -> bool:
    while isinstance(node, Not):
        node = node.part
    return isinstance(node, Contains | AllOf | AnyOf)


def _contains(node: Contains, columns: Columns, among: Mask | None) -> Mask:
    text = node.text
    if node.field == "path":
        return _path_contains(text, columns, among, exact=node.exact)
    test = eq if node.exact else contains
    if node.field in ("", "title"):
        return _each(test, columns.titles if node.field else columns.words, text, among)
    return columns.texts[node.field].holds(lambda value: test(value, text))


def _each(
    test: Callable[[str, str], bool], texts: Sequence[str], text: str, among: Mask | None
) -> Mask:
    """`test(row's text, text)` for each row that matters."""
    if among is None or 2 * np.count_nonzero(among) > len(texts):
        return np.fromiter(map(test, texts, repeat(text)), np.bool_, len(texts))
    rows = np.flatnonzero(among)
    chosen = map(texts.__getitem__, rows.tolist())
    mask = np.zeros(len(texts), np.bool_)
    mask[rows] = np.fromiter(map(test, chosen, repeat(text)), np.bool_, len(rows))
    return mask


def _path_contains(text: str, columns: Columns, among: Mask | None, *, exact: bool) -> Mask:
    """A path is folder + "/" + name: within the folder, within the name, or across the slash."""
    folders, names = columns.texts["folder"], columns.names
    left, slash, right = text.rpartition("/")
    if exact:
        return folders.holds(lambda t: t == left) & _each(eq, names, right, among)
    within = folders.holds(lambda t: text in t)
    if not slash:
        return within | _each(contains, names, text, among)
    across = folders.holds(lambda t: t.endswith(left))
    if right:
        across = across & _each(str.startswith, names, right, across)
    return across | within


def _within(node: Within, columns: Columns) -> Mask:
    values = columns.number(node.field)
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
