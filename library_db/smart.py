"""Smart playlists at work: the songs that a saved question finds now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from library_db.index import SORTS
from library_db.query import parse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from library_db.index import LibraryIndex
    from library_db.playlists import Rule

__all__ = ["songs_of"]


def songs_of(
    index: LibraryIndex,
    rule: Rule,
    *,
    also: str = "",
    sort: str = "",
    descending: bool = False,
) -> NDArray[np.int64]:
    """Ids of the songs that a rule finds, in its order.

    Parameters
    ----------
    also : str
        A further query that they must fit.
    sort, descending
        Another order than the rule's.

    Raises
    ------
    QueryError
        If the rule's query is none (any more).
    """
    parse(rule.query)  # by itself, so that a mistake is told where it stands
    query = " ".join(f"({part})" for part in (rule.query, also) if part.strip())
    order = (sort, descending) if sort else (rule.sort, rule.descending)
    known = order[0] in SORTS
    found = index.search(query, sort=order[0] if known else "artist", descending=known and order[1])
    if rule.region:
        found = found[np.isin(found, index.within(rule.region, relative=rule.relative))]
    return found
