"""What every format's tags have in common for writing: our four keys, and files as pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from library_db.errors import TagError

__all__ = ["KEYS", "Layout", "Piece", "TagItem", "refuse", "texts_of", "write_pieces"]

KEYS = ("MOOD", "VALENCE", "AROUSAL", "MOOD_SOURCE")
"""The only items that are ever written, replaced or removed."""

_BLOCK_BYTES = 1 << 20

Piece = bytes | tuple[int, int]
"""Part of a file to be written: these bytes, or the old file's from start to end."""


@dataclass(frozen=True, slots=True)
class TagItem:
    """One item of ours (by its key) in a file.

    Parameters
    ----------
    key : str
        One of `KEYS`.
    raw : bytes
        The item as the file holds it; putting it back restores it byte for byte.
    text : str
    """

    key: str
    raw: bytes
    text: str


class Layout(Protocol):
    """A file's tags, taken apart.

    Attributes
    ----------
    kind : str
        Names the tag format; raw items fit files of the same kind only.
    items : tuple of TagItem
        Those with our keys, whoever wrote them, in the file's order.
    foreign : tuple of bytes
        All other items and whatever else must stay as it is, in the file's order.
    kept : tuple of (start, end)
        Byte ranges beside the tags that must stay as they are.
    """

    @property
    def kind(self) -> str: ...
    @property
    def items(self) -> tuple[TagItem, ...]: ...
    @property
    def foreign(self) -> tuple[bytes, ...]: ...
    @property
    def kept(self) -> tuple[tuple[int, int], ...]: ...

    def encode(self, key: str, text: str) -> bytes:
        """A raw item in this file's format."""
        ...

    def pieces(self, raw: Sequence[bytes]) -> Iterator[Piece]:
        """The whole file with the raw items `raw` in place of `items`."""
        ...


def refuse(reason: str) -> TagError:
    """The error of a file whose tags are left alone."""
    return TagError(f"its tags are left alone: {reason}")


def texts_of(items: Sequence[TagItem]) -> Mapping[str, str]:
    """The text of each key that is there; several values as one line."""
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item.key, []).append(item.text)
    return {key: "; ".join(values) for key, values in found.items()}


def write_pieces(source: BinaryIO, target: BinaryIO, pieces: Iterator[Piece]) -> None:
    """Write a file from its pieces.

    Raises
    ------
    OSError
    TagError
        If the old file became shorter meanwhile.
    """
    for piece in pieces:
        if isinstance(piece, bytes):
            target.write(piece)
            continue
        start, end = piece
        source.seek(start)
        while start < end:
            data = source.read(min(_BLOCK_BYTES, end - start))
            if not data:
                raise refuse("the file became shorter while it was read")
            target.write(data)
            start += len(data)
