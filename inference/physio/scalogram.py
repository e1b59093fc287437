"""Scalograms of GSR and PPG by a Morlet wavelet that looks back only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft

from inference.physio.signals import FS_HZ, Channel, SignalError

__all__ = ["GSR_SCALES", "PPG_SCALES", "CausalScalogram", "ScalogramConfig", "scalogram"]

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class ScalogramConfig:
    """Settings of a scalogram.

    Parameters
    ----------
    f_min_hz, f_max_hz : float
        Lowest and highest centre frequency, log-spaced between.
    scales : int
    omega0 : float
        Centre of the mother wavelet, radians (about 6: admissible to 1e-7).
    reach : float
        Length of the kernels in standard deviations of their envelope.
    gain : float
        The image is ln(1 + gain x magnitude).
    level : bool
        Add the conditioned signal itself as a last row. A Morlet wavelet has
        no response to a constant, and skin conductance level tells arousal.
    """

    f_min_hz: float
    f_max_hz: float
    scales: int = 32
    omega0: float = 6.0
    reach: float = 3.0
    gain: float = 1.0
    level: bool = False

    @property
    def rows(self) -> int:
        return self.scales + int(self.level)

    @property
    def centres_hz(self) -> NDArray[np.float64]:
        """Centre frequencies, low to high."""
        return np.geomspace(self.f_min_hz, self.f_max_hz, self.scales)


GSR_SCALES = ScalogramConfig(0.05, 4.0, gain=20.0, level=True)
"""Skin conductance: 0.05-4 Hz and the level row (33 rows)."""
PPG_SCALES = ScalogramConfig(0.5, 16.0)
"""Pulse: 0.5-16 Hz (32 rows), for a signal scaled to about unit deviation."""


_FEW = 256
"""So many new samples are filtered by products, more by the Fourier transform."""
_GROUP = 4
"""Kernels of about the same length that are multiplied together."""


class CausalScalogram:
    """The filter bank of one channel; feed it conditioned samples in chunks of any size.

    Each kernel is a complex Morlet wavelet cut at its centre: only the half
    that looks into the past is kept, so a column is ready with its sample.
    What the cut lets through of a constant is taken off by the envelope
    (the kernel sums to 0), and a sine at the centre frequency has magnitude
    1. Before the first sample, the signal is taken to have been constant.

    Parameters
    ----------
    config : ScalogramConfig
    fs_hz : float

    References
    ----------
    Torrence and Compo, Bulletin of the AMS 79 (1998), for the wavelet and
    its scale s = omega0 / (2 pi f).
    """

    def __init__(self, config: ScalogramConfig, fs_hz: float = FS_HZ) -> None:
        self.config = config
        longest = config.omega0 / (2 * np.pi * config.f_min_hz) * config.reach
        self.memory = int(np.ceil(longest * fs_hz))
        lag_s = np.arange(self.memory + 1) / fs_hz
        kernels = np.zeros((config.scales, self.memory + 1), np.complex128)
        for kernel, centre in zip(kernels, config.centres_hz, strict=True):
            deviation = config.omega0 / (2 * np.pi * centre)
            envelope = np.exp(-0.5 * (lag_s / deviation) ** 2)
            envelope[lag_s > config.reach * deviation] = 0.0
            wave = envelope * np.exp(2j * np.pi * centre * lag_s)
            wave -= envelope * (wave.sum() / envelope.sum())
            kernel[:] = wave * (2.0 / envelope.sum())
        self._kernels = kernels
        self._groups = self._grouped()
        self._spectra: dict[int, NDArray[np.complex128]] = {}
        self._past: NDArray[np.float64] | None = None

    def _spectrum(self, size: int) -> NDArray[np.complex128]:
        if size not in self._spectra:
            self._spectra = {size: np.asarray(fft.fft(self._kernels, size, axis=1))}
        return self._spectra[size]

    def push(self, samples: Samples) -> NDArray[np.float32]:
        """Columns for the next samples: shape (n,) -> (rows, n).

        Chunked and one-shot results agree to 1e-4.

        Raises
        ------
        SignalError
            If a sample is not finite.
        """
        n = len(samples)
        if n == 0:
            return np.zeros((self.config.rows, 0), np.float32)
        x = np.asarray(samples, np.float64)
        if not np.isfinite(x).all():
            raise SignalError("a conditioned signal holds values that are not finite")
        past = np.full(self.memory, x[0]) if self._past is None else self._past
        whole = np.concatenate([past, x])
        self._past = whole[-self.memory :]
        centred = whole - whole.mean()
        image = np.abs(self._direct(centred, n) if n <= _FEW else self._fast(centred, n))
        image = np.log1p(self.config.gain * image)
        if self.config.level:
            image = np.concatenate([image, x[None]])
        return np.asarray(image, dtype=np.float32)

    def _fast(self, whole: NDArray[np.float64], n: int) -> NDArray[np.complex128]:
        """By the Fourier transform: the past weighs as much as what is new."""
        size = fft.next_fast_len(len(whole) + self.memory)
        spectrum = np.asarray(fft.fft(whole, size))
        filtered = fft.ifft(self._spectrum(size) * spectrum, axis=1)
        return np.asarray(filtered[:, self.memory : self.memory + n])

    def _direct(self, whole: NDArray[np.float64], n: int) -> NDArray[np.complex128]:
        """By products, octave by octave: for a live chunk, whose past is far longer than itself."""
        filtered = np.empty((self.config.scales, n), np.complex128)
        for rows, taps in self._groups:
            windows = sliding_window_view(whole[-(n + taps.shape[1] - 1) :], taps.shape[1])
            parts = taps @ np.ascontiguousarray(windows.T)
            half = len(parts) // 2
            filtered[rows] = parts[:half] + 1j * parts[half:]
        return filtered

    def _grouped(self) -> list[tuple[slice, NDArray[np.float64]]]:
        """Rows, and their kernels turned round: real parts above imaginary ones, no zeros."""
        groups = []
        for first in range(0, self.config.scales, _GROUP):
            rows = slice(first, first + _GROUP)
            kernels = self._kernels[rows]
            length = int(np.flatnonzero(np.abs(kernels).max(axis=0))[-1]) + 1
            turned = kernels[:, length - 1 :: -1] if length else kernels
            groups.append((rows, np.concatenate([turned.real, turned.imag])))
        return groups

    def alone(self, segments: Samples) -> NDArray[np.float32]:
        """Images of segments, each transformed as if nothing had been before it.

        The paper's literal way (paper-spec item 1): what a segment's image
        shows below 4 Hz is its edge. Equal to `push` of a new bank, segment by
        segment; the bank's own past is neither used nor changed.

        Parameters
        ----------
        segments : ndarray, shape (L, n), float32

        Returns
        -------
        ndarray, shape (L, rows, n), float32
        """
        x = np.asarray(segments, np.float64)
        if not np.isfinite(x).all():
            raise SignalError("a conditioned signal holds values that are not finite")
        n = x.shape[1]
        lag = np.arange(n)[:, None] - np.arange(n)
        kernels = np.zeros((self.config.scales, n), np.complex128)
        kept = min(n, self.memory + 1)
        kernels[:, :kept] = self._kernels[:, :kept]
        matrix = np.where(lag >= 0, kernels[:, np.maximum(lag, 0)], 0.0)  # (scales, n, n)
        # The kernels sum to 0: a constant before the segment leaves nothing.
        filtered = np.einsum("sij,lj->lsi", matrix, x - x[:, :1], optimize=True)
        image = np.log1p(self.config.gain * np.abs(filtered))
        if self.config.level:
            image = np.concatenate([image, x[:, None]], axis=1)
        return np.asarray(image, dtype=np.float32)


def scalogram(
    samples: Samples, channel: Channel, config: ScalogramConfig | None = None
) -> NDArray[np.float32]:
    """Scalogram of a whole conditioned recording at 128 Hz.

    Parameters
    ----------
    samples : ndarray, shape (n,), float32
        From `conditioning.condition`.
    channel : Channel
        Chooses the default settings.

    Returns
    -------
    ndarray, shape (rows, n), float32
        Low to high; for GSR the level is the last row.
    """
    default = GSR_SCALES if channel is Channel.GSR else PPG_SCALES
    return CausalScalogram(config or default).push(samples)
