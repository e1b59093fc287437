"""What a query is made of: plain data that `library_db.matching` evaluates on the index."""

from __future__ import annotations

from dataclasses import dataclass

from inference.emotion import Quadrant
from inference.errors import UndertoneError

__all__ = [
    "AllOf",
    "AnyOf",
    "Contains",
    "Flag",
    "MoodIs",
    "Node",
    "Not",
    "Query",
    "QueryError",
    "Within",
]


class QueryError(UndertoneError):
    """A query that cannot be understood.

    Parameters
    ----------
    start, end : int
        The offending part is `text[start:end]`.
    """

    def __init__(self, message: str, remedy: str = "", start: int = 0, end: int = 0) -> None:
        super().__init__(message, remedy)
        self.start = start
        self.end = end

    def __reduce__(self) -> tuple[type[QueryError], tuple[str, str, int, int]]:  # type: ignore[override]
        return (type(self), (self.message, self.remedy, self.start, self.end))


@dataclass(frozen=True, slots=True)
class Contains:
    """Folded `text` occurs in a text field ("" = title, artist or album), or is all of it."""

    field: str
    text: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Within:
    """A numeric field lies between `low` and `high`; tracks without a value never do."""

    field: str
    low: float
    high: float
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class MoodIs:
    """The track counts as one of these quadrants; None stands for "no mood yet".

    `relative`: of those about the medians of the library.
    """

    quadrants: frozenset[Quadrant | None]
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """A state of a track, one of `FLAGS`."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class AllOf:
    """All parts hold; without parts, everything matches."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Node, ...]


Node = Contains | Within | MoodIs | Flag | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query and the text that it came from."""

    root: Node
    text: str = ""
