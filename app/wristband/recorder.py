"""Keeps what a band sent: raw packets with arrival times, append-only, whole after a kill -9.

A recording is a folder of its own (0700) with the file `packets.utr` (0600): eight bytes of magic,
then records of length u32, kind u8, time f64 (session clock, s), payload, CRC-32 of all that.
Little-endian. Each record is written by one system call, so that a killed program loses nothing
that it had taken; a record that was cut short by a full disk is cut off again.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np

from app.wristband.source import Annotation
from inference.errors import UndertoneError
from inference.physio.signals import Channel, SignalChunk

__all__ = [
    "FILE_NAME",
    "Kind",
    "Outline",
    "Record",
    "Recorder",
    "Recording",
    "RecordingError",
    "chunk_of",
    "open_recording",
    "outline_recording",
]

FILE_NAME = "packets.utr"
_MAGIC = b"UTREC\x00\x01\n"
_HEAD = struct.Struct("<IBd")
_CRC = struct.Struct("<I")
_SAMPLES = struct.Struct("<BdI")
_LONGEST = 1 << 20
_CHANNELS = (Channel.GSR, Channel.PPG)


class RecordingError(UndertoneError):
    """A recording that cannot be written or read."""


class Kind(IntEnum):
    """What a record holds."""

    META = 1
    """JSON: which device, which profile, when."""
    CHARACTERISTIC = 2
    """One byte of number, then the UUID that it stands for from here on."""
    PACKET = 3
    """One byte of number, then the notification as it came."""
    SAMPLES = 4
    """A chunk of a source that has no packets: channel u8, rate f64, lost u32, float32 values."""
    ANNOTATION = 5
    """JSON: what happened, or what the listener noted."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its kind, its time on the session's clock, its payload."""

    kind: Kind
    t_s: float
    payload: bytes


class Recorder:
    """Writes one recording into a new folder below `folder`; never over an old one.

    Parameters
    ----------
    folder : Path
        Where recordings are kept; made if missing, readable by its owner alone.
    meta : mapping
        What the recording is of: JSON values.
    t_s : float
        The session's clock now.
    now : datetime, optional
        Names the folder.

    Raises
    ------
    RecordingError
        If nothing can be written there.
    """

    def __init__(
        self, folder: Path, meta: Mapping[str, Any], t_s: float, now: datetime | None = None
    ) -> None:
        self._numbers: dict[str, int] = {}
        self._fd = -1
        self._whole = 0
        self.fault: RecordingError | None = None
        """Why nothing is kept any more; None while all is well."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder = _new_folder(folder, now or datetime.now())
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._fd = os.open(self.folder / FILE_NAME, flags, 0o600)
        except OSError as error:
            raise RecordingError(
                f"The recording cannot be kept in {folder} ({error.strerror})",
                "Choose another folder for recordings.",
            ) from error
        self._write(_MAGIC)
        self._record(Kind.META, t_s, _json(meta))
        self._give_up_on_fault()

    @property
    def path(self) -> Path:
        return self.folder / FILE_NAME

    def packet(self, characteristic: str, data: bytes, t_s: float) -> None:
        """Keep a notification as it came; the shape of `BleSource`'s `on_packet`."""
        number = self._numbers.get(characteristic)
        if number is None:
            number = self._numbers[characteristic] = len(self._numbers)
            self._record(Kind.CHARACTERISTIC, t_s, bytes((number,)) + characteristic.encode())
        self._record(Kind.PACKET, t_s, bytes((number,)) + data)

    def chunk(self, chunk: SignalChunk) -> None:
        """Keep a chunk of a source that has no packets."""
        head = _SAMPLES.pack(_CHANNELS.index(chunk.channel), chunk.fs_hz, chunk.lost)
        samples = np.asarray(chunk.samples, dtype="<f4").tobytes()
        self._record(Kind.SAMPLES, chunk.t0_s, head + samples)

    def annotate(self, t_s: float, kind: str, text: str = "", **values: Any) -> None:
        """Keep an event: what the listener noted, which song plays where, and the like."""
        self._record(Kind.ANNOTATION, t_s, _json({"kind": kind, "text": text, **values}))

    def annotation(self, annotation: Annotation) -> None:
        """Keep what a source said of its signals."""
        channel = annotation.channel.value if annotation.channel is not None else None
        self.annotate(annotation.t_s, annotation.kind.value, annotation.text, channel=channel)

    def close(self) -> None:
        """Put everything on the disk and close the file."""
        if self._fd >= 0:
            try:
                os.fsync(self._fd)
            except OSError as error:
                self._fail(error)
            os.close(self._fd)
            self._fd = -1

    def _give_up_on_fault(self) -> None:
        if self.fault is not None:
            os.close(self._fd)
            self._fd = -1
            raise self.fault

    def _record(self, kind: Kind, t_s: float, payload: bytes) -> None:
        body = _HEAD.pack(len(payload), kind, t_s) + payload
        self._write(body + _CRC.pack(zlib.crc32(body)))

    def _write(self, data: bytes) -> None:
        if self.fault is not None or self._fd < 0:
            return
        try:
            written = os.write(self._fd, data)
            if written < len(data):
                os.ftruncate(self._fd, self._whole)
                raise OSError(28, "No space left on device")
            self._whole += written
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.fault = RecordingError(
            f"The recording stopped ({error.strerror})",
            "What was kept so far is whole. Free some space and record anew.",
        )


@dataclass(frozen=True)
class Recording:
    """A recording that was read.

    Parameters
    ----------
    meta : dict
        What `Recorder` was given.
    records : tuple of Record
        All whole records besides the first.
    damage : str
        What is wrong with the rest of the file; empty if nothing is.
    """

    path: Path
    meta: dict[str, Any]
    records: tuple[Record, ...]
    damage: str = ""

    def packets(self) -> Iterator[tuple[str, bytes, float]]:
        """(characteristic, bytes, arrival) of each notification, as it came."""
        names: dict[int, str] = {}
        for record in self.records:
            number, rest = record.payload[:1], record.payload[1:]
            if record.kind is Kind.CHARACTERISTIC and number:
                names[number[0]] = rest.decode("ascii", "replace")
            elif record.kind is Kind.PACKET and number and number[0] in names:
                yield names[number[0]], rest, record.t_s


def open_recording(path: Path) -> Recording:
    """Read a recording: its folder or its file, also where it was cut off anywhere.

    Raises
    ------
    RecordingError
        If it is no recording, or not even its first record is whole.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RecordingError(f"{file.name} cannot be read ({error.strerror})") from error
    if not data.startswith(_MAGIC):
        raise RecordingError(f"{file.name} is no recording of Undertone's")
    records, damage = _split(data)
    if not records or records[0].kind is not Kind.META:
        raise RecordingError(f"The recording {file.name} holds nothing", damage)
    meta = _object(records[0].payload)
    return Recording(file, meta, tuple(records[1:]), damage)


@dataclass(frozen=True)
class Outline:
    """A recording without its signals: quick to read, however long it is.

    Parameters
    ----------
    meta : dict
    notes : tuple of Record
        The annotations.
    first_s, last_s : float
        Session time of the first and the last record; equal where there is none.
    damage : str
        What is wrong with the rest of the file; checksums are only checked of what is read.
    """

    path: Path
    meta: dict[str, Any]
    notes: tuple[Record, ...]
    first_s: float
    last_s: float
    damage: str = ""


def outline_recording(path: Path) -> Outline:
    """Read what a recording is of, and its annotations; the signals are passed over.

    Raises
    ------
    RecordingError
        As `open_recording`.
    """
    file = path / FILE_NAME if path.is_dir() else path
    notes: list[Record] = []
    meta: dict[str, Any] | None = None
    times: list[float] = []
    damage = ""
    try:
        with file.open("rb") as handle:
            if handle.read(len(_MAGIC)) != _MAGIC:
                raise RecordingError(f"{file.name} is no recording of Undertone's")
            while head := handle.read(_HEAD.size):
                if len(head) < _HEAD.size:
                    damage = "the last record is half"
                    break
                length, kind, t_s = _HEAD.unpack(head)
                rest = handle.read(length + _CRC.size) if length <= _LONGEST else b""
                if len(rest) != length + _CRC.size or kind not in _KINDS:
                    damage = "the rest is half a record, or damaged"
                    break
                if kind not in (Kind.META, Kind.ANNOTATION):
                    times[1:] = [t_s] if times else [t_s, t_s]
                    continue
                if zlib.crc32(head + rest[:-4]) != _CRC.unpack(rest[-4:])[0]:
                    damage = "a record is damaged"
                    break
                if kind == Kind.META and meta is None:
                    meta = _object(rest[:-4])
                    continue
                notes.append(Record(Kind(kind), t_s, rest[:-4]))
                times[1:] = [t_s] if times else [t_s, t_s]
    except OSError as error:
        raise RecordingError(f"{file.name} cannot be read ({error.strerror})") from error
    if meta is None:
        raise RecordingError(f"The recording {file.name} holds nothing", damage)
    first_s, last_s = (times[0], max(times)) if times else (0.0, 0.0)
    return Outline(file, meta, tuple(notes), first_s, last_s, damage)


_KINDS = frozenset(int(kind) for kind in Kind)


def chunk_of(record: Record) -> SignalChunk | None:
    """The chunk in a SAMPLES record; None where it makes no sense."""
    try:
        number, fs_hz, lost = _SAMPLES.unpack_from(record.payload)
        samples = np.frombuffer(record.payload, "<f4", offset=_SAMPLES.size)
        channel = _CHANNELS[number]
        return SignalChunk(channel, record.t_s, fs_hz, samples, channel.unit, lost)
    except (struct.error, ValueError, IndexError, UndertoneError):
        return None


def _split(data: bytes) -> tuple[list[Record], str]:
    records: list[Record] = []
    offset = len(_MAGIC)
    while offset < len(data):
        if len(data) - offset < _HEAD.size:
            return records, f"the last {len(data) - offset} bytes are half a record"
        length, kind, t_s = _HEAD.unpack_from(data, offset)
        end = offset + _HEAD.size + length
        if length > _LONGEST or end + _CRC.size > len(data):
            return records, f"the last {len(data) - offset} bytes are half a record"
        (crc,) = _CRC.unpack_from(data, end)
        if zlib.crc32(data[offset:end]) != crc or kind not in set(Kind):
            return records, f"the record at byte {offset} is damaged; {len(data) - offset} left out"
        records.append(Record(Kind(kind), t_s, data[offset + _HEAD.size : end]))
        offset = end + _CRC.size
    return records, ""


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _object(payload: bytes) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _new_folder(folder: Path, now: datetime) -> Path:
    """A folder that did not exist before, named by the time."""
    stem = now.strftime("%Y-%m-%dT%H-%M-%S")
    for i in range(1000):
        path = folder / (stem if i == 0 else f"{stem}-{i}")
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, "File exists", str(folder / stem))
