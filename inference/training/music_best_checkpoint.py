"""Read the arrays of a TensorFlow V2 checkpoint with numpy alone: a sorted table and raw data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import UndertoneError

__all__ = ["CheckpointError", "read_checkpoint"]

_FOOTER_BYTES = 48
_MAGIC = 0xDB4775248B80FB57  # leveldb/table/format.h, kTableMagicNumber
_TRAILER_BYTES = 5  # one compression byte, a 32-bit checksum
_DTYPE_FLOAT = 1  # tensorflow/core/framework/types.proto, DT_FLOAT


class CheckpointError(UndertoneError):
    """A checkpoint that cannot be read."""


@dataclass(frozen=True, slots=True)
class _Entry:
    dtype: int
    shape: tuple[int, ...]
    offset: int
    size: int


def read_checkpoint(index: bytes, data: bytes) -> dict[str, NDArray[np.float32]]:
    """All float32 variables of a one-shard checkpoint.

    Parameters
    ----------
    index, data : bytes
        The files ``*.index`` and ``*.data-00000-of-00001``.

    Returns
    -------
    dict of str to ndarray, float32
        By variable name, in the order of the names.

    Raises
    ------
    CheckpointError
        If the index is not an uncompressed table or points outside the data.

    Notes
    -----
    The format is documented by its writers: leveldb's ``doc/table_format.md``
    and TensorFlow's ``tensor_bundle.proto`` (``BundleEntryProto``).
    """
    arrays: dict[str, NDArray[np.float32]] = {}
    for key, value in _table(index):
        if not key:
            continue  # the header entry
        entry = _entry(value)
        if entry.dtype != _DTYPE_FLOAT:
            continue
        raw = data[entry.offset : entry.offset + entry.size]
        count = int(np.prod(entry.shape, dtype=np.int64))
        if len(raw) != entry.size or entry.size != 4 * count:
            raise CheckpointError(f"the checkpoint's entry {key.decode()!r} lies outside its data")
        arrays[key.decode()] = np.frombuffer(raw, "<f4").reshape(entry.shape).copy()
    return arrays


def read_checkpoint_folder(folder: Path) -> dict[str, NDArray[np.float32]]:
    """`read_checkpoint` of the pair of files named ``.index`` and ``.data-00000-of-00001``."""
    return read_checkpoint(
        (folder / ".index").read_bytes(), (folder / ".data-00000-of-00001").read_bytes()
    )


def _table(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(raw) < _FOOTER_BYTES or int.from_bytes(raw[-8:], "little") != _MAGIC:
        raise CheckpointError("not a TensorFlow V2 checkpoint index")
    footer = raw[-_FOOTER_BYTES:]
    _, _, at = _handle(footer, 0)
    offset, size, _ = _handle(footer, at)
    for _, handle in _block(raw, offset, size):
        block_offset, block_size, _ = _handle(handle, 0)
        yield from _block(raw, block_offset, block_size)


def _handle(raw: bytes, at: int) -> tuple[int, int, int]:
    offset, at = _varint(raw, at)
    size, at = _varint(raw, at)
    return offset, size, at


def _block(raw: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    block = raw[offset : offset + size]
    if len(raw) < offset + size + _TRAILER_BYTES or raw[offset + size] != 0:
        raise CheckpointError("the checkpoint's index is cut short or compressed")
    restarts = int.from_bytes(block[-4:], "little")
    end = size - 4 * (restarts + 1)
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        unshared, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(raw):
            raise CheckpointError("the checkpoint's index is cut short")
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protocol-buffer message: (number, value)."""
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(raw, at)
            yield number, value
        elif wire == 2:
            length, at = _varint(raw, at)
            yield number, raw[at : at + length]
            at += length
        elif wire in (1, 5):
            width = 8 if wire == 1 else 4
            yield number, raw[at : at + width]
            at += width
        else:
            raise CheckpointError("the checkpoint's index holds an unknown field")


def _entry(raw: bytes) -> _Entry:
    dtype = offset = size = 0
    shape: list[int] = []
    for number, value in _fields(raw):
        if number == 1 and isinstance(value, int):
            dtype = value
        elif number == 2 and isinstance(value, bytes):
            shape = [_dimension(dim) for field, dim in _fields(value) if field == 2]
        elif number == 4 and isinstance(value, int):
            offset = value
        elif number == 5 and isinstance(value, int):
            size = value
    return _Entry(dtype, tuple(shape), offset, size)


def _dimension(raw: int | bytes) -> int:
    if isinstance(raw, bytes):
        for number, value in _fields(raw):
            if number == 1 and isinstance(value, int):
                return value
    return 0
