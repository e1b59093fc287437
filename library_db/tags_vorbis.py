"""Vorbis comments in FLAC, Ogg Vorbis and Opus files; comments that are not ours stay raw bytes."""

# mutagen has few annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from mutagen.ogg import OggPage

from library_db.tag_items import KEYS, Piece, TagItem, refuse

__all__ = ["FlacLayout", "OggLayout", "read_flac", "read_ogg"]

_ROOM = 1024  # padding of a file whose tags had to grow
_MAX_BLOCK = (1 << 24) - 1
_STREAM_INFO, _PADDING, _COMMENTS, _INVALID = 0, 1, 4, 127
_MAX_PAGES = 100_000
_OGG_KINDS = {b"\x01vorbis": (b"\x03vorbis", 3), b"OpusHead": (b"OpusTags", 2)}
"""First packet's start -> start of the comment packet, count of header packets."""


@dataclass(frozen=True)
class _Comments:
    vendor: bytes
    items: tuple[TagItem, ...]
    foreign: tuple[bytes, ...]
    tail: bytes

    def render(self, raw: Sequence[bytes]) -> bytes:
        comments = (*self.foreign, *raw)
        parts = [struct.pack("<I", len(self.vendor)), self.vendor]
        parts.append(struct.pack("<I", len(comments)))
        for comment in comments:
            parts += [struct.pack("<I", len(comment)), comment]
        return b"".join((*parts, self.tail))


def _parse(data: bytes) -> _Comments:
    try:
        (length,) = struct.unpack_from("<I", data)
        vendor, at = data[4 : 4 + length], 4 + length
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
        items, foreign = [], []
        for _ in range(count):
            (length,) = struct.unpack_from("<I", data, at)
            at += 4 + length
            if at > len(data):
                raise refuse("the comments are cut off")
            comment = data[at - length : at]
            key, _, text = comment.partition(b"=")
            name = key.upper().decode("ascii", "replace")
            if name in KEYS:
                items.append(TagItem(name, comment, text.decode("utf-8", "replace")))
            else:
                foreign.append(comment)
    except struct.error:
        raise refuse("the comments are cut off") from None
    return _Comments(vendor, tuple(items), tuple(foreign), data[at:])


def _encode(key: str, text: str) -> bytes:
    return f"{key}={text}".encode()


# FLAC


@dataclass(frozen=True)
class FlacLayout:
    """See `library_db.tag_items.Layout`.

    Parameters
    ----------
    audio : int
        Where the frames begin.
    size : int
        Of the file.
    blocks : tuple of (type, data)
        Without padding; the comments' data is None.
    """

    audio: int
    size: int
    blocks: tuple[tuple[int, bytes | None], ...]
    comments: _Comments

    kind = "FLAC"

    @property
    def items(self) -> tuple[TagItem, ...]:
        return self.comments.items

    @property
    def foreign(self) -> tuple[bytes, ...]:
        others = [bytes((kind,)) + data for kind, data in self.blocks if data is not None]
        return (self.comments.vendor, self.comments.tail, *self.comments.foreign, *others)

    @property
    def kept(self) -> tuple[tuple[int, int], ...]:
        return ((self.audio, self.size),)

    def encode(self, key: str, text: str) -> bytes:
        return _encode(key, text)

    def pieces(self, raw: Sequence[bytes]) -> Iterator[Piece]:
        comments = self.comments.render(raw)
        if len(comments) > _MAX_BLOCK:
            raise refuse("they would become too large")
        blocks = [(kind, comments if data is None else data) for kind, data in self.blocks]
        free = self.audio - 4 - sum(4 + len(data) for _, data in blocks)
        if free and not 4 <= free <= 4 + _MAX_BLOCK:
            free = 4 + _ROOM
        if free:
            blocks.append((_PADDING, bytes(free - 4)))
        yield b"fLaC"
        for number, (kind, data) in enumerate(blocks, 1):
            last = 0x80 if number == len(blocks) else 0
            yield bytes((kind | last,)) + len(data).to_bytes(3, "big") + data
        yield (self.audio, self.size)


def read_flac(file: BinaryIO, size: int) -> FlacLayout:
    """The metadata blocks of a FLAC file.

    Raises
    ------
    TagError
        If they are not understood to the last byte.
    """
    if file.read(4) != b"fLaC":
        raise refuse("something, perhaps an ID3 tag, lies before the FLAC data")
    blocks: list[tuple[int, bytes | None]] = []
    comments = None
    last = False
    while not last:
        header = file.read(4)
        if len(header) < 4:
            raise refuse("the metadata is cut off")
        last, kind = bool(header[0] & 0x80), header[0] & 0x7F
        data = file.read(int.from_bytes(header[1:], "big"))
        if len(data) != int.from_bytes(header[1:], "big") or kind == _INVALID:
            raise refuse("the metadata is cut off")
        if kind == _COMMENTS:
            if comments is not None:
                raise refuse("there are two sets of comments")
            comments = _parse(data)
            blocks.append((kind, None))
        elif kind != _PADDING:
            blocks.append((kind, data))
    if not blocks or blocks[0][0] != _STREAM_INFO:
        raise refuse("the metadata does not begin with the stream's facts")
    if comments is None:
        comments = _Comments(b"Undertone", (), (), b"")
        blocks.append((_COMMENTS, None))
    return FlacLayout(file.tell(), size, tuple(blocks), comments)


# Ogg


@dataclass(frozen=True)
class OggLayout:
    """See `library_db.tag_items.Layout`.

    Parameters
    ----------
    pages : tuple of OggPage
        Those that hold the comment packet, perhaps with the begin of the next one.
    packets : tuple of bytes
        All header packets apart from the comments.
    """

    file: BinaryIO
    size: int
    magic: bytes
    pages: tuple[Any, ...]
    packets: tuple[bytes, ...]
    comments: _Comments

    kind = "Ogg"

    @property
    def items(self) -> tuple[TagItem, ...]:
        return self.comments.items

    @property
    def foreign(self) -> tuple[bytes, ...]:
        comments = self.comments
        return (comments.vendor, comments.tail, *comments.foreign, *self.packets)

    @property
    def kept(self) -> tuple[tuple[int, int], ...]:
        return ((0, int(self.pages[0].offset)),)

    def encode(self, key: str, text: str) -> bytes:
        return _encode(key, text)

    def pieces(self, raw: Sequence[bytes]) -> Iterator[Piece]:
        old = self.pages
        packets = OggPage.to_packets(list(old), strict=False)
        packets[0] = self.magic + self.comments.render(raw)
        new = OggPage.from_packets(packets, old[0].sequence)
        for page in new:
            page.serial = old[0].serial
        new[0].first, new[0].continued = old[0].first, old[0].continued
        new[-1].last, new[-1].complete = old[-1].last, old[-1].complete
        if not new[-1].complete and len(new[-1].packets) == 1:
            new[-1].position = -1
        yield (0, old[0].offset)
        for page in new:
            yield page.write()
        at = old[-1].offset + old[-1].size
        if len(new) != len(old):
            self.file.seek(at)
            at = yield from self._renumbered(new[-1])
        yield (at, self.size)

    def _renumbered(self, page: Any) -> Generator[Piece, None, int]:
        """The pages behind `page` up to the stream's last one, counted on from it."""
        sequence, at = page.sequence, int(self.file.tell())
        for following in _pages(self.file, at, self.size):
            if following.serial == page.serial:
                sequence += 1
                following.sequence = sequence
                yield following.write()
            else:
                yield (following.offset, following.offset + following.size)
            at = following.offset + following.size
            if following.last and following.serial == page.serial:
                break
        return at


def read_ogg(file: BinaryIO, size: int) -> OggLayout:
    """The header packets of an Ogg Vorbis or Opus file.

    Raises
    ------
    TagError
        If they are not understood to the last byte.
    """
    pages = _pages(file, 0, size)
    first = next(pages, None)
    known = next(
        (v for k, v in _OGG_KINDS.items() if first and (first.packets or [b""])[0].startswith(k)),
        None,
    )
    if first is None or known is None or len(first.packets) != 1 or not first.complete:
        raise refuse("only Vorbis and Opus are known in Ogg files")
    magic, count = known
    header = [first]
    holding: list[Any] = []
    packets: list[bytes] = []
    while len(packets) < count:
        page = next(pages, None)
        if page is None or page.serial != first.serial:
            raise refuse("the headers are cut off, or there are several streams at once")
        if not holding or not (holding[-1].complete or len(holding[-1].packets) > 1):
            holding.append(page)
        header.append(page)
        found = OggPage.to_packets(header, strict=False)
        packets = found if header[-1].complete else found[:-1]
    if not packets[1].startswith(magic) or holding[0].continued:
        raise refuse("the comments are not in their place")
    comments = _parse(packets[1][len(magic) :])
    others = (packets[0], *packets[2:count])
    return OggLayout(file, size, magic, tuple(holding), others, comments)


def _pages(file: BinaryIO, at: int, size: int) -> Iterator[Any]:
    for _ in range(_MAX_PAGES):
        if at >= size:
            return
        file.seek(at)
        try:
            page: Any = OggPage(file)
        except Exception as error:  # mutagen lets struct and index errors of bad files through
            raise refuse("it holds something that is not an Ogg page") from error
        yield page
        at = page.offset + page.size
    raise refuse("it has too many pages")
