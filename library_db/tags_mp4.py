"""iTunes-style tags in MP4 files (M4A), taken apart atom by atom; what is not ours stays raw."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from library_db.tag_items import KEYS, Piece, TagItem, refuse

__all__ = ["Mp4Layout", "read_mp4"]

_MEAN = b"com.apple.iTunes"
_ROOM = 1024  # free space of a file whose tags had to grow
_MAX_MOOV = 256 << 20
_MAX_ATOMS = 100_000
_TEXT = 1  # well-known type: UTF-8
_HANDLER = bytes(8) + b"mdirappl" + bytes(9)
_TABLES = {b"stco": ">I", b"co64": ">Q"}
_WITH_TABLES = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


@dataclass(frozen=True)
class _Atom:
    """An atom inside `data`: where it begins, where its content does, where it ends."""

    name: bytes
    start: int
    body: int
    end: int

    def raw(self, data: bytes) -> bytes:
        return data[self.start : self.end]


@dataclass(frozen=True)
class Mp4Layout:
    """See `library_db.tag_items.Layout`.

    Parameters
    ----------
    moov : bytes
        The atom with everything but the audio.
    moov_start, size : int
        Where it begins; size of the file.
    others : tuple of bytes
        Raw items of `ilst` that are not ours, in order.
    """

    moov: bytes
    moov_start: int
    size: int
    items: tuple[TagItem, ...]
    others: tuple[bytes, ...]

    kind = "MP4"

    @property
    def foreign(self) -> tuple[bytes, ...]:
        return (*self.others, *_skeleton(self.moov, self._moov_end))

    @property
    def kept(self) -> tuple[tuple[int, int], ...]:
        return ((0, self.moov_start), (self._moov_end, self.size))

    @property
    def _moov_end(self) -> int:
        return self.moov_start + len(self.moov)

    def encode(self, key: str, text: str) -> bytes:
        return _atom(
            b"----",
            _atom(b"mean", bytes(4) + _MEAN)
            + _atom(b"name", bytes(4) + key.encode())
            + _atom(b"data", struct.pack(">II", _TEXT, 0) + text.encode()),
        )

    def pieces(self, raw: Sequence[bytes]) -> Iterator[Piece]:
        ilst = _atom(b"ilst", b"".join((*self.others, *raw)))
        moov = _with_ilst(self.moov, ilst, len(self.moov))
        grown = len(moov) - len(self.moov)
        if grown:
            moov = _moved(moov, self._moov_end, grown)
        yield (0, self.moov_start)
        yield moov
        yield (self._moov_end, self.size)


def read_mp4(file: BinaryIO, size: int) -> Mp4Layout:
    """The tags of an MP4 file.

    Raises
    ------
    TagError
        If its structure is not understood to the last byte, or is that of a stream.
    """
    at, found = 0, None
    for _ in range(_MAX_ATOMS):
        if at >= size:
            break
        file.seek(at)
        header = file.read(16)
        if len(header) < 8:
            raise refuse("the file is cut off")
        (length,), name = struct.unpack(">I", header[:4]), header[4:8]
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack(">Q", header[8:])
        elif length == 0:
            length = size - at
        if length < 8 or at + length > size:
            raise refuse("the file is cut off")
        if name in (b"moof", b"sidx", b"mfra"):
            raise refuse("it is an MP4 in fragments")
        if name == b"moov":
            if found is not None or length > _MAX_MOOV or header[:4] in (bytes(4), b"\0\0\0\x01"):
                raise refuse("its moov atom has a rare form")
            found = (at, length)
        at += length
    if found is None:
        raise refuse("there is no moov atom")
    file.seek(found[0])
    moov = file.read(found[1])
    items, others = [], []
    ilst = _find(moov, b"udta", b"meta", b"ilst")
    if ilst is not None:
        for atom in _children(moov, ilst.body, ilst.end):
            item = _item(moov, atom)
            if item is None:
                others.append(atom.raw(moov))
            else:
                items.append(item)
    layout = Mp4Layout(moov, found[0], size, tuple(items), tuple(others))
    _skeleton(moov, 0)  # refuses what is not understood
    return layout


def _atom(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def _children(data: bytes, at: int, end: int) -> list[_Atom]:
    atoms: list[_Atom] = []
    while at < end:
        if end - at == 4 and not any(data[at:end]):  # QuickTime ends user data with four zeros
            break
        if end - at < 8:
            raise refuse("its moov atom is not in order")
        (length,) = struct.unpack_from(">I", data, at)
        if length < 8 or at + length > end:
            raise refuse("its moov atom is not in order")
        atoms.append(_Atom(data[at + 4 : at + 8], at, at + 8, at + length))
        at += length
        if len(atoms) > _MAX_ATOMS:
            raise refuse("its moov atom has too many parts")
    return atoms


def _inside(data: bytes, atom: _Atom) -> list[_Atom]:
    """Children of a container; `meta` has four bytes of flags before them."""
    return _children(data, atom.body + (4 if atom.name == b"meta" else 0), atom.end)


def _find(moov: bytes, *names: bytes) -> _Atom | None:
    atom: _Atom | None = _Atom(b"moov", 0, 8, len(moov))
    for name in names:
        if atom is None:
            return None
        found = [child for child in _inside(moov, atom) if child.name == name]
        if len(found) > 1:
            raise refuse(f"there are two {name.decode('latin-1')} atoms")
        atom = found[0] if found else None
    return atom


def _item(data: bytes, atom: _Atom) -> TagItem | None:
    if atom.name != b"----":
        return None
    parts: dict[bytes, list[bytes]] = {}
    for part in _inside(data, atom):
        parts.setdefault(part.name, []).append(data[part.body : part.end])
    mean, name = parts.get(b"mean", [b""])[0][4:], parts.get(b"name", [b""])[0][4:]
    key = name.upper().decode("ascii", "replace")
    if mean.lower() != _MEAN.lower() or key not in KEYS:
        return None
    texts = [value[8:].decode("utf-8", "replace") for value in parts.get(b"data", [])]
    return TagItem(key, atom.raw(data), "; ".join(texts))


def _rebuilt(data: bytes, atom: _Atom, path: Sequence[bytes], ilst: bytes) -> bytes:
    """The atom with `ilst` put at the end of `path`; free space beside it is not copied."""
    lead = data[atom.body : atom.body + 4] if atom.name == b"meta" else b""
    parts, placed = [], False
    for child in _inside(data, atom):
        if path and child.name == path[0]:
            placed = True
            deeper = len(path) > 1
            parts.append(_rebuilt(data, child, path[1:], ilst) if deeper else ilst)
        elif len(path) != 1 or child.name != b"free":
            parts.append(child.raw(data))
    if not placed:
        parts.append(_new(path, ilst))
    return _atom(atom.name, lead + b"".join(parts))


def _new(path: Sequence[bytes], ilst: bytes) -> bytes:
    if len(path) == 1:
        return ilst
    inner = _new(path[1:], ilst)
    if path[0] == b"meta":
        inner = bytes(4) + _atom(b"hdlr", _HANDLER) + inner
    return _atom(path[0], inner)


def _with_ilst(moov: bytes, ilst: bytes, wanted: int) -> bytes:
    """`moov` with this `ilst`, as long as `wanted` where free space allows it."""
    whole = _Atom(b"moov", 0, 8, len(moov))
    path = (b"udta", b"meta", b"ilst")
    bare = _rebuilt(moov, whole, path, ilst)
    free = wanted - len(bare)
    if free == 0:
        return bare
    if free < 8:
        free = _ROOM
    return _rebuilt(moov, whole, path, ilst + _atom(b"free", bytes(free - 8)))


def _tables(data: bytes, atom: _Atom) -> Iterator[_Atom]:
    for child in _inside(data, atom):
        if child.name in _TABLES:
            yield child
        elif child.name in _WITH_TABLES:
            yield from _tables(data, child)


def _offsets(data: bytes, table: _Atom) -> tuple[str, tuple[int, ...]]:
    try:
        (count,) = struct.unpack_from(">I", data, table.body + 4)
        form = f">{count}{_TABLES[table.name][1]}"
        if table.body + 8 + struct.calcsize(form) > table.end:
            raise refuse("a table of its moov atom is cut off")
        return form, struct.unpack_from(form, data, table.body + 8)
    except struct.error:
        raise refuse("a table of its moov atom is cut off") from None


def _moved(moov: bytes, behind: int, by: int) -> bytes:
    """`moov` with the offsets of audio that lies behind `behind` raised by `by`."""
    out = bytearray(moov)
    for table in _tables(moov, _Atom(b"moov", 0, 8, len(moov))):
        form, offsets = _offsets(moov, table)
        try:
            moved = struct.pack(form, *(o + by if o >= behind else o for o in offsets))
        except struct.error:
            raise refuse("the file would become too large for its tables") from None
        out[table.body + 8 : table.body + 8 + len(moved)] = moved
    return bytes(out)


def _skeleton(moov: bytes, behind: int) -> tuple[bytes, ...]:
    """All of `moov` that must not change: without tags and free space, audio counted from its end.

    Offsets behind `behind` are told relative to it, since they move with the audio.
    """
    data = bytearray(moov)
    for table in _tables(moov, _Atom(b"moov", 0, 8, len(moov))):
        form, offsets = _offsets(moov, table)
        relative = struct.pack(form, *(o - behind if o >= behind else o for o in offsets))
        data[table.body + 8 : table.body + 8 + len(relative)] = relative
    plain = bytes(data)
    parts = []
    for atom in _children(plain, 8, len(plain)):
        if atom.name != b"udta":
            parts.append(atom.raw(plain))
            continue
        for part in _inside(plain, atom):
            if part.name != b"meta":
                parts.append(part.raw(plain))
                continue
            kept = [c for c in _inside(plain, part) if c.name not in (b"ilst", b"free", b"hdlr")]
            parts += [child.raw(plain) for child in kept]
    return tuple(parts)
