"""The two short-time spectra that all musical descriptors share, of audio at one loudness."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal, sparse

__all__ = [
    "CELL_FRAMES",
    "CELL_S",
    "COARSE_HOP",
    "COARSE_LENGTH",
    "FINE_HOP",
    "FINE_LENGTH",
    "FRAME_RATE_HZ",
    "FS_HZ",
    "FineSpectra",
    "Level",
    "Spectra",
    "filled",
    "mel_filters",
]

FS_HZ = 16_000
FINE_LENGTH, FINE_HOP = 512, 256
COARSE_LENGTH, COARSE_HOP = 4096, 2048
FRAME_RATE_HZ = FS_HZ / FINE_HOP
CELL_FRAMES = 187
"""Fine frames in a cell, the shortest stretch that is described: musicnn's 3 s patch."""
CELL_S = CELL_FRAMES / FRAME_RATE_HZ
N_MELS = 96
_TARGET_POWER = 10.0 ** (-16.0 / 10.0)
_GATE = 10.0 ** (-4.0)  # blocks 40 dB below the loudest do not count
_AT_ONCE = 1 << 17  # samples of one step of a transform
_BLOCK = 6400  # 0.4 s, the gating block of ITU-R BS.1770

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a song is: the mean power of its blocks of 0.4 s that are not near silence.

    Parameters
    ----------
    powers : tuple of float
        Mean squares of consecutive blocks, full scale 1.
    """

    powers: tuple[float, ...] = ()

    def heard(self, x: Array) -> Level:
        """This level and the samples `x`, shape (n,), that follow."""
        whole = len(x) // _BLOCK * _BLOCK
        parts = [x[:whole].reshape(-1, _BLOCK)] if whole else []
        if whole < len(x):
            parts.append(x[whole:][None])
        new = [float(p) for part in parts for p in np.mean(np.square(part), 1)]
        return Level((*self.powers, *new))

    @property
    def power(self) -> float:
        """Mean square of what counts; 0 for silence."""
        powers = np.asarray(self.powers)
        if not len(powers) or powers.max() <= 0.0:
            return 0.0
        return float(powers[powers >= powers.max() * _GATE].mean())

    @property
    def gain(self) -> float:
        """The factor that brings the song to -16 dB full scale, the middle of released music."""
        power = self.power
        return float(np.sqrt(_TARGET_POWER / power)) if power > 1e-12 else 1.0


@dataclass(frozen=True, slots=True)
class FineSpectra:
    """Short-time power of at most a minute of audio, fine in time.

    Parameters
    ----------
    fine : ndarray, shape (T, 257), float32
        Power of Hann windows of 32 ms, 62.5 a second.
    mel : ndarray, shape (T, 96), float32
        log10(1 + 10000 x power) in mel bands (Slaney), what musicnn was trained on.
    """

    fine: Array
    mel: Array

    @classmethod
    def of(cls, x: Array) -> FineSpectra:
        """Transform `x`, shape (n,), 16 kHz mono brought to one loudness."""
        fine = _power(x, FINE_LENGTH, FINE_HOP)
        mel = np.empty((len(fine), N_MELS), np.float32)
        for start in range(0, len(fine), _AT_ONCE // FINE_LENGTH):
            part = slice(start, start + _AT_ONCE // FINE_LENGTH)
            # few entries: nothing that a matrix product would be worth its threads for
            mel[part] = (_sparse_mel_filters() @ fine[part].T).T
        mel *= 10_000.0
        mel += 1.0
        return cls(fine, np.log10(mel, out=mel))

    @property
    def cells(self) -> int:
        """Whole cells in this stretch."""
        return len(self.fine) // CELL_FRAMES


@dataclass(frozen=True, slots=True)
class Spectra(FineSpectra):
    """The fine spectra with one that is fine in pitch.

    Parameters
    ----------
    coarse : ndarray, shape (U, 2049), float32
        Magnitude of Hann windows of 256 ms, 7.8 a second.
    crest : ndarray, shape (T,), float32
        Largest sample of a hop over its root mean square.
    """

    coarse: Array
    crest: Array

    @classmethod
    def of(cls, x: Array, fine: FineSpectra | None = None) -> Spectra:
        """Transform `x`, shape (n,); what is there of it already need not be done again."""
        fine = fine or FineSpectra.of(x)
        coarse = _power(x, COARSE_LENGTH, COARSE_HOP)
        np.sqrt(coarse, out=coarse)
        hops = filled(x, len(fine.fine) * FINE_HOP).reshape(-1, FINE_HOP)
        rms = np.sqrt(np.einsum("ij,ij->i", hops, hops) / FINE_HOP)
        largest = np.maximum(hops.max(axis=1), -hops.min(axis=1))
        return cls(fine.fine, fine.mel, coarse, largest / (rms + 1e-6))


def _power(x: Array, length: int, hop: int) -> Array:
    """Power of centred Hann windows (periodic), zeros outside; one for each `hop` begun."""
    x = x.astype(np.float32, copy=False)
    power = np.empty((len(x) // hop + 1, length // 2 + 1), np.float32)
    step = max(1, _AT_ONCE // length)  # frames: few enough to stay in the processor's cache
    for start in range(0, len(power), step):
        part = power[start : start + step]
        begin = start * hop - length // 2
        end = begin + (len(part) - 1) * hop + length
        piece = x[max(0, begin) : end]
        if len(piece) < end - begin:
            piece = np.pad(piece, (max(0, -begin), max(0, end - len(x))))
        frames = np.lib.stride_tricks.sliding_window_view(piece, length)[::hop]
        spectrum = fft.rfft(frames * _hann(length), axis=1, overwrite_x=True)
        np.square(spectrum.real, out=part)
        part += np.square(spectrum.imag)
    return power


def filled(x: Array, count: int) -> Array:
    """The first `count` of `x`, zeros behind them where there are fewer."""
    if len(x) >= count:
        return x[:count]
    return np.pad(x, [(0, count - len(x)), *[(0, 0)] * (x.ndim - 1)])


@lru_cache(maxsize=4)
def _hann(length: int) -> Array:
    window: Array = signal.get_window("hann", length).astype(np.float32)
    return window


@lru_cache(maxsize=1)
def mel_filters() -> Array:
    """Triangles of equal area, shape (257, 96): Slaney's Auditory Toolbox (1998), as librosa's."""
    hz = np.linspace(0.0, FS_HZ / 2, FINE_LENGTH // 2 + 1)
    edges = _hz_of_mel(np.linspace(0.0, _mel_of_hz(FS_HZ / 2), N_MELS + 2))
    rise = (hz[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    fall = (edges[2:] - hz[:, None]) / np.diff(edges)[1:]
    weights = np.maximum(0.0, np.minimum(rise, fall)) * (2.0 / (edges[2:] - edges[:-2]))
    return weights.astype(np.float32)


@lru_cache(maxsize=1)
def _sparse_mel_filters() -> sparse.csr_array:
    return sparse.csr_array(mel_filters().T)


def _mel_of_hz(hz: float) -> float:
    return hz * 3.0 / 200.0 if hz < 1000.0 else 15.0 + 27.0 * np.log(hz / 1000.0) / np.log(6.4)


def _hz_of_mel(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(
        mel < 15.0, mel * 200.0 / 3.0, 1000.0 * np.exp(np.log(6.4) * (mel - 15.0) / 27.0)
    )
