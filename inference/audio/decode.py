"""The one door to audio files: any common format to mono float32 blocks, in bounded memory.

PyAV (FFmpeg's libraries) decodes and soxr resamples. Measured beside libsndfile
(`benchmarks/music.py decoders`), PyAV was as fast or faster on every format, 3 times so
on Opus, reads M4A, and goes on after broken frames.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
import soxr  # type: ignore[import-untyped, unused-ignore]
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard
from numpy.typing import NDArray

from inference.audio.errors import AudioError, Cancelled

__all__ = [
    "AudioBlocks",
    "AudioError",
    "AudioInfo",
    "Cancelled",
    "decode_blocks",
    "probe",
]

Samples = NDArray[np.float32]

# Containers that hold music. Playlists and "concat" scripts, which FFmpeg would follow to
# other files and to the network, are deliberately absent.
_CONTAINERS = (
    "mp3,flac,ogg,mov,mp4,m4a,3gp,3g2,mj2,wav,w64,aiff,caf,au,aac,ac3,eac3,amr,ape,asf,avi,"
    "dsf,dts,flv,iff,matroska,webm,mpc,mpc8,mpeg,mpegts,oma,rm,spx,tak,tta,voc,wv"
)
_CHUNK = 32768  # samples per channel converted at a time
_SAMPLES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
_LOUDEST = 4.0  # full scale is 1; float files may exceed it a little, broken ones by any amount
_MAX_PLANES = 8
_RATES_HZ = (1000, 8_000_000)  # a header of 1 Hz would blow a short file up to days of audio
_MAX_RESTARTS = 1000  # read errors in one file before the rest of it counts as lost

# Weight of a loudspeaker in (left + right) / 2 of ITU-R BS.775's stereo mix; the LFE is left out.
_LOUDSPEAKERS = {
    "FL": 0.5, "FR": 0.5, "FC": 0.7071, "LFE": 0.0, "LFE2": 0.0,
    "BL": 0.35355, "BR": 0.35355, "SL": 0.35355, "SR": 0.35355, "BC": 0.5,
    "FLC": 0.5, "FRC": 0.5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header of a file says of its (best) audio stream.

    Parameters
    ----------
    duration_s : float or None
        None where the container does not say; an estimate in MP3 files without a Xing header.
    fs_hz, channels : int
        As stored, before resampling and mixing down.
    codec : str
        FFmpeg's name: ``mp3``, ``flac``, ``vorbis``, ``opus``, ``aac``, ``pcm_s16le``, ...
    """

    duration_s: float | None
    fs_hz: int
    channels: int
    codec: str


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Read the header of an audio file.

    Raises
    ------
    AudioError
        If the file cannot be read or holds no audio.
    """
    container, stream = _open(Path(path))
    with container:
        return _info(container, stream)


def decode_blocks(
    path: str | os.PathLike[str],
    *,
    fs_hz: int = 16000,
    block_s: float = 60.0,
    cancelled: Callable[[], bool] | None = None,
) -> AudioBlocks:
    """Decode a file to mono at one rate, block by block.

    Parameters
    ----------
    path : path-like
    fs_hz : int
        Rate of the result.
    block_s : float
        Length of all blocks but the last, seconds.
    cancelled : callable, optional
        Asked about once a second of audio; when it says True, the next step raises `Cancelled`.

    Returns
    -------
    AudioBlocks
        Iterator of ndarray, shape (n,), float32, finite, nominal full scale 1.
        Stereo is averaged; surround is mixed as for stereo first (ITU-R BS.775).

    Raises
    ------
    AudioError
        At once if the file cannot be opened or holds no audio; on the first step if nothing
        in it can be decoded.
    """
    return AudioBlocks(Path(path), fs_hz=fs_hz, block_s=block_s, cancelled=cancelled)


class AudioBlocks(Iterator[Samples]):
    """Blocks of decoded audio; see `decode_blocks`. Also a context manager that closes the file.

    Attributes
    ----------
    info : AudioInfo
    faults : int
        Broken packets that were skipped so far, as a player would.
    samples : int
        Samples handed out so far, at the rate of the result.
    """

    def __init__(
        self,
        path: Path,
        *,
        fs_hz: int,
        block_s: float,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._path = path
        self._fs_hz = fs_hz
        self._block = max(1, round(block_s * fs_hz))
        self._cancelled = cancelled
        self.faults = 0
        self.samples = 0
        self._container, self._stream = _open(path)
        self.info = _info(self._container, self._stream)
        self._steps = self._blocks()

    def __next__(self) -> Samples:
        return next(self._steps)

    def __enter__(self) -> AudioBlocks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; no more blocks follow. Safe to call twice."""
        self._steps.close()
        self._container.close()

    def _blocks(self) -> Generator[Samples]:
        block = np.empty(self._block, np.float32)
        filled = 0
        try:
            for piece in self._resampled():
                while piece.size:
                    n = min(piece.size, block.size - filled)
                    block[filled : filled + n] = piece[:n]
                    filled += n
                    piece = piece[n:]
                    if filled == block.size:
                        self.samples += filled
                        yield block
                        block, filled = np.empty(self._block, np.float32), 0
            if filled:
                self.samples += filled
                yield block[:filled].copy()
        finally:
            self._container.close()
        if not self.samples:
            raise _nothing_decoded(self._path)

    def _resampled(self) -> Iterator[Samples]:
        """Mono pieces at the wanted rate; a stream may change its own rate on the way."""
        rate = 0
        resampler: soxr.ResampleStream | None = None
        for chunk, chunk_rate in self._chunks():
            if self._cancelled is not None and self._cancelled():
                raise Cancelled()
            if chunk_rate != rate:
                if resampler is not None:
                    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)
                rate = chunk_rate
                resampler = (
                    None
                    if rate == self._fs_hz
                    else soxr.ResampleStream(rate, self._fs_hz, 1, dtype="float32", quality="HQ")
                )
            yield chunk if resampler is None else resampler.resample_chunk(chunk)
        if resampler is not None:
            yield resampler.resample_chunk(np.empty(0, np.float32), last=True)

    def _chunks(self) -> Iterator[tuple[Samples, int]]:
        """Mono chunks at the stored rate, with that rate."""
        fifo: AudioFifo | None = None
        for frame in self._frames():
            if not frame.samples:
                continue
            frame.pts = None  # gaps and jumps are played through, as players do
            if fifo is not None:
                try:
                    fifo.write(frame)
                except ValueError:  # another rate, format or layout from here on
                    yield from _drained(fifo)
                    fifo = None
            if fifo is None:
                if not _readable(frame):
                    self.faults += 1
                    continue
                fifo = AudioFifo()
                fifo.write(frame)
            if fifo.samples >= _CHUNK:
                chunk = fifo.read(_CHUNK)
                assert chunk is not None
                yield _mono(chunk), chunk.sample_rate
        if fifo is not None:
            yield from _drained(fifo)

    def _frames(self) -> Iterator[AudioFrame]:
        """Frames in order; what cannot be read or decoded is skipped and counted."""
        restarts = 0
        while restarts < _MAX_RESTARTS:
            try:
                for packet in self._container.demux(self._stream):
                    try:
                        yield from self._stream.decode(packet)
                    except av.FFmpegError:
                        self.faults += 1
                return
            except av.FFmpegError:
                self.faults += 1
                restarts += 1


def _readable(frame: AudioFrame) -> bool:
    # PyAV reaches the first 8 planes only and reads past them without a check; broken AAC
    # frames do claim 27 channels.
    too_many = frame.format.is_planar and frame.layout.nb_channels > _MAX_PLANES
    known = frame.format.name.removesuffix("p") in _SAMPLES
    return known and not too_many and _RATES_HZ[0] <= frame.sample_rate <= _RATES_HZ[1]


def _drained(fifo: AudioFifo) -> Iterator[tuple[Samples, int]]:
    rest = fifo.read(0, partial=True)
    if rest is not None and rest.samples:
        yield _mono(rest), rest.sample_rate


def _mono(frame: AudioFrame) -> Samples:
    """Mix a frame down to mono float32, finite and within reason."""
    data = _planes(frame)
    mono: Samples
    if len(data) == 1:
        mono = data[0].astype(np.float32)
    elif len(data) == 2:
        mono = np.add(data[0], data[1], dtype=np.float32)
        mono *= np.float32(0.5)
    else:
        mono = _weights(frame) @ np.stack([plane.astype(np.float32) for plane in data])
    kind = data[0].dtype
    if kind == np.uint8:
        mono -= np.float32(128.0)
        mono *= np.float32(1.0 / 128.0)
    elif kind.kind == "i":
        mono *= np.float32(1.0 / -float(np.iinfo(kind).min))
    # NaN fails both comparisons.
    if not (mono.max() <= _LOUDEST and mono.min() >= -_LOUDEST):
        np.nan_to_num(mono, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        np.clip(mono, -_LOUDEST, _LOUDEST, out=mono)
    return mono


def _planes(frame: AudioFrame) -> list[NDArray[Any]]:
    """One view a channel; `frame.to_ndarray` would copy, at half the price of decoding."""
    kind = _SAMPLES[frame.format.name.removesuffix("p")]
    if frame.format.is_planar:
        return [np.frombuffer(memoryview(plane), kind, frame.samples) for plane in frame.planes]
    channels = frame.layout.nb_channels
    packed = np.frombuffer(memoryview(frame.planes[0]), kind, frame.samples * channels)
    return list(packed.reshape(-1, channels).T)


def _weights(frame: AudioFrame) -> Samples:
    names = [channel.name for channel in frame.layout.channels]
    if len(names) > 2 and {"FL", "FR"} <= set(names):
        return np.array([_LOUDSPEAKERS.get(name, 0.35355) for name in names], np.float32)
    n = frame.layout.nb_channels
    return np.full(n, 1.0 / n, np.float32)


def _open(path: Path) -> tuple[InputContainer, AudioStream]:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise AudioError(f"{_shown(path)} is {kind}", "Give it an audio file.")
        with path.open("rb"):
            pass
    except OSError as error:
        raise AudioError(
            f"{_shown(path)} cannot be read: {error.strerror or error}",
            "Check that the file is there and that you may read it.",
        ) from error
    except ValueError as error:  # a NUL byte in the name
        raise AudioError(f"{_shown(path)} is not a file name") from error
    if status.st_size == 0:
        raise AudioError(f"{_shown(path)} is empty (0 bytes)", "Copy or download it again.")
    try:
        # "file:" keeps FFmpeg from reading a colon in a name as a protocol.
        container = av.open(
            "file:" + os.fspath(path),
            metadata_errors="replace",
            container_options={
                "format_whitelist": _CONTAINERS,
                "protocol_whitelist": "file",
            },
        )
    except (av.FFmpegError, UnicodeError) as error:
        raise AudioError(
            f"{_shown(path)} is not audio in a format that can be read, or is badly damaged",
            "Play it elsewhere to check it; copy or download it again if it is damaged.",
        ) from error
    try:
        stream = _audio_stream(container)
    except BaseException:
        container.close()
        raise
    if stream is None:
        container.close()
        raise AudioError(f"{_shown(path)} holds no audio", "Give it an audio file.")
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    stream.codec_context.thread_count = 1
    return container, stream


def _audio_stream(container: InputContainer) -> AudioStream | None:
    """The stream that a player would choose: FFmpeg's best one, if it can be decoded at all."""
    best = container.streams.best("audio")
    return best if isinstance(best, AudioStream) and best.codec_context is not None else None


def _info(container: InputContainer, stream: AudioStream) -> AudioInfo:
    duration_s: float | None = None
    if stream.duration is not None and stream.time_base is not None:
        duration_s = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        duration_s = container.duration / av.time_base
    if duration_s is not None and not 0.0 < duration_s < 1e7:
        duration_s = None
    context = stream.codec_context
    return AudioInfo(
        duration_s=duration_s,
        fs_hz=int(context.sample_rate or 0),
        channels=int(context.layout.nb_channels),
        codec=str(context.codec.canonical_name),
    )


def _nothing_decoded(path: Path) -> AudioError:
    return AudioError(
        f"nothing in {_shown(path)} can be decoded",
        "Play it elsewhere to check it; copy or download it again if it is damaged.",
    )


def _shown(path: Path) -> str:
    """The file's name, printable whatever bytes it holds."""
    name = os.fsencode(path.name or str(path)).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
