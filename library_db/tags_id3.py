"""ID3v2.3 and 2.4 tags, taken apart frame by frame; frames that are not ours stay raw bytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from library_db.tag_items import KEYS, Piece, TagItem, refuse

__all__ = ["Id3Layout", "read_id3"]

_HEADER = 10
_ROOM = 1024  # padding of a tag that had to grow
_MAX_BYTES = 1 << 28
_FRAME_ID = re.compile(rb"[A-Z][A-Z0-9]{3}")
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


@dataclass(frozen=True)
class Id3Layout:
    """See `library_db.tag_items.Layout`.

    Parameters
    ----------
    version : int
        3 or 4.
    flags : int
        Of the tag's header.
    tag_bytes : int
        Length of the tag with header and padding; 0 where there is none.
    size : int
        Of the file.
    """

    version: int
    flags: int
    tag_bytes: int
    size: int
    items: tuple[TagItem, ...]
    foreign: tuple[bytes, ...]

    @property
    def kind(self) -> str:
        return f"ID3v2.{self.version}"

    @property
    def kept(self) -> tuple[tuple[int, int], ...]:
        return ((self.tag_bytes, self.size),)

    def encode(self, key: str, text: str) -> bytes:
        """TMOO for the mood in 2.4, user-defined text frames for everything else."""
        if self.version == 4:
            if key == "MOOD":
                name, body = b"TMOO", b"\x03" + text.encode()
            else:
                name, body = b"TXXX", b"\x03" + key.encode() + b"\0" + text.encode()
            return name + _synchsafe(len(body)) + b"\0\0" + body
        if text.isascii():
            body = b"\0" + key.encode() + b"\0" + text.encode()
        else:
            body = b"\x01" + key.encode("utf-16") + b"\0\0" + text.encode("utf-16")
        return b"TXXX" + struct.pack(">I", len(body)) + b"\0\0" + body

    def pieces(self, raw: Sequence[bytes]) -> Iterator[Piece]:
        frames = b"".join((*self.foreign, *raw))
        if frames:
            length = _HEADER + len(frames)
            total = self.tag_bytes if length <= self.tag_bytes else length + _ROOM
            if total - _HEADER >= _MAX_BYTES:
                raise refuse("they would become too large")
            yield b"ID3" + bytes((self.version, 0, self.flags)) + _synchsafe(total - _HEADER)
            yield frames + bytes(total - length)
        yield (self.tag_bytes, self.size)


def read_id3(file: BinaryIO, size: int) -> Id3Layout:
    """The tag at the start of an MP3; without one, the layout of an empty tag of version 2.4.

    Raises
    ------
    TagError
        If it is not understood to the last byte.
    """
    header = file.read(_HEADER)
    if header[:3] != b"ID3":
        return Id3Layout(4, 0, 0, size, (), ())
    version, flags = header[3], header[5]
    if version not in (3, 4):
        raise refuse(f"ID3v2.{version} has no place for a mood")
    if flags & 0x7F or (flags and version == 3) or max(header[6:]) > 0x7F:
        raise refuse("the ID3 tag has an extended header or another rare form")
    length = _unsynchsafe(header[6:])
    if _HEADER + length > size:
        raise refuse("the ID3 tag is longer than the file")
    body = file.read(length)
    frames = _frames(body, version, synchsafe=version == 4)
    if frames is None and version == 4:
        frames = _frames(body, version, synchsafe=False)  # as iTunes wrote them for years
    if frames is None:
        raise refuse("the ID3 tag holds something that is not a frame")
    items, foreign = [], []
    for frame in frames:
        item = _item(frame)
        if item is None:
            foreign.append(frame)
        else:
            items.append(item)
    return Id3Layout(version, flags, _HEADER + length, size, tuple(items), tuple(foreign))


def _frames(body: bytes, version: int, *, synchsafe: bool) -> list[bytes] | None:
    """The frames with their headers; None if they do not fill the tag up to its padding."""
    frames, at = [], 0
    while at < len(body) and body[at]:
        header = body[at : at + _HEADER]
        if len(header) < _HEADER or not _FRAME_ID.fullmatch(header[:4]):
            return None
        if synchsafe:
            if max(header[4:8]) > 0x7F:
                return None
            length = _unsynchsafe(header[4:8])
        else:
            length = int.from_bytes(header[4:8], "big")
        if at + _HEADER + length > len(body):
            return None
        frames.append(body[at : at + _HEADER + length])
        at += _HEADER + length
    return None if any(body[at:]) else frames


def _item(frame: bytes) -> TagItem | None:
    name, flags, body = frame[:4], frame[8:10], frame[_HEADER:]
    if name not in (b"TMOO", b"TXXX") or len(body) < 2 or body[0] >= len(_ENCODINGS):
        return None
    if flags[1]:
        return None  # compressed, encrypted or grouped: nothing of ours
    encoding = _ENCODINGS[body[0]]
    wide = encoding.startswith("utf-16")
    try:
        if name == b"TMOO":
            return TagItem("MOOD", frame, _text(body[1:], encoding))
        key, text = _split(body[1:], wide)
        described = _text(key, encoding).upper()
    except UnicodeDecodeError:
        return None
    if described not in KEYS:
        return None
    try:
        return TagItem(described, frame, _text(text, encoding))
    except UnicodeDecodeError:
        return TagItem(described, frame, "?")


def _split(data: bytes, wide: bool) -> tuple[bytes, bytes]:
    if not wide:
        key, _, text = data.partition(b"\0")
        return key, text
    for at in range(0, len(data) - 1, 2):
        if data[at : at + 2] == b"\0\0":
            return data[:at], data[at + 2 :]
    return data, b""


def _text(data: bytes, encoding: str) -> str:
    text = data.decode(encoding).rstrip("\0")
    return "; ".join(text.replace("\ufeff", "").split("\0"))


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _unsynchsafe(data: bytes) -> int:
    return data[0] << 21 | data[1] << 14 | data[2] << 7 | data[3]
