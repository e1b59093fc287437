"""What a file sounds like, as a hash: the audio payload without tags, unchanged by retagging.

Where the payload lies is read from the file's own structure, by its first
bytes and never by its name:

=============  ==================================================================
MP3, AAC       the file without ID3v2, ID3v1, APEv2 and Lyrics3 tags
FLAC           the frames after the metadata blocks
Ogg, Opus      the pages after the header packets; page numbers and checksums,
               which change when comments grow, count as zero
MP4, M4A       the contents of the `mdat` atoms
WAV, AIFF      the `data` or `SSND` chunk
WMA            the ASF data object
=============  ==================================================================
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["SAMPLE_BYTES", "audio_hash", "payload_hash"]

SAMPLE_BYTES = 64 * 1024
"""Length of each of the three samples (start, middle, end) that `audio_hash` reads."""

_BLOCK_BYTES = 1024 * 1024
_MAX_PARTS = 100_000
_MAX_POSITION = 2**62
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")

# In an Ogg page header (RFC 3533, section 6): sequence number at 18, checksum at 22.
_OGG_MASKED = slice(18, 26)
_OGG_HEADER_BYTES = 27


def audio_hash(path: Path | bytes | str) -> str:
    """Sampled identity: the payload's length and three samples of 64 KiB.

    Two files with the same value hold the same audio for all practical
    purposes; a payload of up to 192 KiB is read whole.

    Returns
    -------
    str
        Length and digest in hexadecimal, "2f4a10-5d41...".

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with Path(os.fsdecode(path)).open("rb") as file:
        payload = _payload(file)
        total = payload.length
        digest = hashlib.blake2b(digest_size=16)
        if total <= 3 * SAMPLE_BYTES:
            digest.update(payload.read(0, total))
        else:
            for start in (0, (total - SAMPLE_BYTES) // 2, total - SAMPLE_BYTES):
                digest.update(payload.read(start, SAMPLE_BYTES))
    return f"{total:x}-{digest.hexdigest()}"


def payload_hash(path: Path | bytes | str, cancelled: Callable[[], bool] | None = None) -> str:
    """Full identity: as `audio_hash`, over every byte of the payload.

    Raises
    ------
    OSError
        If the file cannot be read.
    InterruptedError
        If `cancelled` said so between two blocks.
    """
    with Path(os.fsdecode(path)).open("rb") as file:
        payload = _payload(file)
        digest = hashlib.blake2b(digest_size=20)
        for start in range(0, payload.length, _BLOCK_BYTES):
            if cancelled is not None and cancelled():
                raise InterruptedError("hashing was cancelled")
            digest.update(payload.read(start, min(_BLOCK_BYTES, payload.length - start)))
    return f"{payload.length:x}-{digest.hexdigest()}"


@dataclass(frozen=True)
class _Payload:
    """Byte ranges of a file, read as one."""

    file: BinaryIO
    parts: tuple[tuple[int, int], ...]
    is_ogg: bool = False

    @property
    def length(self) -> int:
        return sum(end - start for start, end in self.parts)

    def read(self, start: int, count: int) -> bytes:
        if self.is_ogg:
            return self._read_ogg(start, count)
        return b"".join(self._pieces(start, count))

    def _pieces(self, start: int, count: int) -> Iterator[bytes]:
        for begin, end in self.parts:
            size = end - begin
            if start >= size:
                start -= size
                continue
            wanted = min(count, size - start)
            self.file.seek(begin + start)
            yield self.file.read(wanted)
            count -= wanted
            start = 0
            if not count:
                return

    def _read_ogg(self, start: int, count: int) -> bytes:
        # A page header may begin before the piece, or end after it.
        lead = min(start, _OGG_MASKED.stop - 1)
        data = bytearray(b"".join(self._pieces(start - lead, lead + count)))
        at = data.find(b"OggS")
        while at >= 0:
            begin, end = at + _OGG_MASKED.start, min(at + _OGG_MASKED.stop, len(data))
            if begin < end:
                data[begin:end] = bytes(end - begin)
            at = data.find(b"OggS", at + 4)
        return bytes(data[lead:])


def _payload(file: BinaryIO) -> _Payload:
    size = os.fstat(file.fileno()).st_size
    start = _after_id3v2(file, size)
    file.seek(start)
    head = file.read(16)
    try:
        if head.startswith(b"fLaC"):
            return _Payload(file, ((_flac_frames(file, start, size), _before_tail(file, size)),))
        if head.startswith(b"OggS"):
            return _Payload(file, ((_ogg_audio(file, start, size), size),), is_ogg=True)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
            parts = tuple(_mp4_mdat(file, start, size))
        elif head.startswith((b"RIFF", b"RF64")) and head[8:12] == b"WAVE":
            parts = tuple(_chunks(file, start + 12, size, b"data", "<"))
        elif head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
            parts = tuple(_chunks(file, start + 12, size, b"SSND", ">"))
        elif head == _ASF_HEADER:
            parts = tuple(_asf_data(file, start, size))
        else:
            parts = ()
    except (struct.error, ValueError):
        parts = ()
    if not parts:
        parts = ((start, _before_tail(file, size)),)
    return _Payload(file, tuple((a, b) for a, b in parts if b > a))


def _at(file: BinaryIO, position: int, count: int) -> bytes:
    if position > _MAX_POSITION:
        return b""
    file.seek(position)
    return file.read(count)


def _after_id3v2(file: BinaryIO, size: int) -> int:
    """Where the file goes on behind its ID3v2 tags (there may be several)."""
    position = 0
    for _ in range(16):
        header = _at(file, position, 10)
        if len(header) < 10 or header[:3] != b"ID3" or max(header[6:10]) > 0x7F:
            break
        length = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
        footer = 10 if header[5] & 0x10 else 0
        if position + 10 + length + footer > size:
            break
        position += 10 + length + footer
    return position


def _before_tail(file: BinaryIO, size: int) -> int:
    """Where the tags at the end of the file begin: ID3v1, Lyrics3v2, APEv2, in any order."""
    end = size
    for _ in range(8):
        before = end
        if end >= 128 and _at(file, end - 128, 3) == b"TAG":
            end -= 128
            if end >= 227 and _at(file, end - 227, 4) == b"TAG+":
                end -= 227
        footer = _at(file, end - 32, 32) if end >= 32 else b""
        if footer[:8] == b"APETAGEX":
            length, _, flags = struct.unpack("<III", footer[12:24])
            length += 32 if flags & 0x80000000 else 0
            if 32 <= length <= end:
                end -= length
        lyrics = _at(file, end - 15, 15) if end >= 15 else b""
        if lyrics[6:] == b"LYRICS200" and lyrics[:6].isdigit():
            length = int(lyrics[:6]) + 15
            end -= length if length <= end else 0
        if end == before:
            break
    return end


def _flac_frames(file: BinaryIO, start: int, size: int) -> int:
    position = start + 4
    for _ in range(_MAX_PARTS):
        header = _at(file, position, 4)
        if len(header) < 4:
            break
        position += 4 + int.from_bytes(header[1:], "big")
        if header[0] & 0x80:
            return min(position, size)
    return min(position, size)


def _ogg_audio(file: BinaryIO, start: int, size: int) -> int:
    """Where the first page lies that holds no header packet.

    Header packets have granule position 0 and the first audio page one above
    it, in Vorbis (I, section A.2) and Opus (RFC 7845, section 4) alike; a page
    on which no packet ends has -1 and belongs to what comes before it.
    """
    position = start
    for _ in range(_MAX_PARTS):
        header = _at(file, position, _OGG_HEADER_BYTES)
        if len(header) < _OGG_HEADER_BYTES or header[:4] != b"OggS":
            break
        granule, segments = struct.unpack_from("<q", header, 6)[0], header[26]
        if granule > 0:
            return position
        lacing = file.read(segments)
        position += _OGG_HEADER_BYTES + segments + sum(lacing)
    return min(position, size)


def _mp4_mdat(file: BinaryIO, start: int, size: int) -> Iterator[tuple[int, int]]:
    position = start
    for _ in range(_MAX_PARTS):
        header = _at(file, position, 16)
        if len(header) < 8:
            return
        length, name, skip = struct.unpack(">I", header[:4])[0], header[4:8], 8
        if length == 1:
            length, skip = struct.unpack(">Q", header[8:16])[0], 16
        elif length == 0:
            length = size - position
        if length < skip:
            return
        if name == b"mdat":
            yield position + skip, min(position + length, size)
        position += length


def _chunks(
    file: BinaryIO, start: int, size: int, wanted: bytes, order: str
) -> Iterator[tuple[int, int]]:
    position = start
    for _ in range(_MAX_PARTS):
        header = _at(file, position, 8)
        if len(header) < 8:
            return
        length = struct.unpack(f"{order}I", header[4:])[0]
        if header[:4] == wanted:
            # 0xFFFFFFFF in RF64, and 0 or too much in streamed files, mean "the rest".
            end = size if length in (0, 0xFFFFFFFF) else min(position + 8 + length, size)
            yield position + 8, end
            return
        position += 8 + length + (length & 1)


def _asf_data(file: BinaryIO, start: int, size: int) -> Iterator[tuple[int, int]]:
    position = start
    for _ in range(_MAX_PARTS):
        header = _at(file, position, 24)
        if len(header) < 24:
            return
        length = struct.unpack("<Q", header[16:])[0]
        if length < 24:
            return
        if header[:16] == _ASF_DATA:
            yield position + 24, min(position + length, size)
            return
        position += length
