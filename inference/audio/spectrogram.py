"""Log-mel spectrogram with a row of log energy, and its first differential. NumPy and SciPy only.

librosa is the oracle of the tests: mel filters and power spectra equal its defaults (Slaney).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.typing import NDArray

from inference.audio.segments import FS_HZ, HOP_LENGTH

__all__ = ["DELTA_FRAMES", "MelConfig", "MelSpectrogram", "delta", "log_mel", "mel_filters"]

Image = NDArray[np.float32]

DELTA_FRAMES = 4
"""Frames on either side that the first differential looks at (width 9)."""


@dataclass(frozen=True, slots=True)
class MelConfig:
    """Settings of the mel spectrogram (paper-spec items 15 and 16).

    Parameters
    ----------
    fs_hz, n_fft, hop_length, n_mels : int
    f_min_hz, f_max_hz : float
        Edges of the filter bank.
    energy : {"replace", "append"}
        Where the log-energy row goes: into row 0 in place of the lowest band (as many rows
        as bands), or under the bands as one more row 0.
    floor : float
        Added to powers before the logarithm; about -80 dB of a full-scale sine.
    """

    fs_hz: int = FS_HZ
    n_fft: int = 1024
    hop_length: int = HOP_LENGTH
    n_mels: int = 64
    f_min_hz: float = 0.0
    f_max_hz: float = 8000.0
    energy: str = "replace"
    floor: float = 1e-5

    @property
    def rows(self) -> int:
        return self.n_mels + (self.energy == "append")

    @property
    def margin(self) -> int:
        """Samples that a frame needs on either side of its centre."""
        return self.n_fft // 2


def mel_filters(config: MelConfig) -> Image:
    """Triangular filters on Slaney's mel scale, each of unit area.

    Returns
    -------
    ndarray, shape (n_mels, 1 + n_fft // 2), float32
        Equals ``librosa.filters.mel`` with its defaults.

    References
    ----------
    Slaney, Auditory Toolbox, 1998: linear below 1 kHz (200/3 Hz a mel), logarithmic above
    (ln(6.4) / 27 a mel).
    """
    step = np.log(6.4) / 27.0

    def to_mel(f_hz: float) -> float:
        return f_hz * 3.0 / 200.0 if f_hz < 1000.0 else 15.0 + float(np.log(f_hz / 1000.0)) / step

    mels = np.linspace(to_mel(config.f_min_hz), to_mel(config.f_max_hz), config.n_mels + 2)
    edges = np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp(step * (mels - 15.0)))
    bins = np.fft.rfftfreq(config.n_fft, 1.0 / config.fs_hz)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (high - low))
    matrix: Image = weights.astype(np.float32)
    return matrix


class MelSpectrogram:
    """Log-mel rows with log energy, for audio with its margins; keeps the filters ready.

    Parameters
    ----------
    config : MelConfig
    """

    def __init__(self, config: MelConfig | None = None) -> None:
        self.config = config or MelConfig()
        n_fft = self.config.n_fft
        # Periodic Hann window, as in scipy.signal.get_window and librosa.
        window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_fft) / n_fft)
        self._window = window.astype(np.float32)
        # One more column: the frame's energy by Parseval (twice the one-sided power over n_fft).
        energy = np.full((1, 1 + n_fft // 2), 2.0 / n_fft, np.float32)
        energy[0, [0, -1]] /= 2.0
        filters = mel_filters(self.config)
        if self.config.energy == "replace":
            filters = filters[1:]
        elif self.config.energy != "append":
            raise ValueError(f"energy must be 'replace' or 'append', not {self.config.energy!r}")
        # Sparse: three times cheaper than a dense product, and BLAS would wake threads of its own.
        self._bands = scipy.sparse.csr_array(np.concatenate([energy, filters]))

    def __call__(self, padded: NDArray[np.float32], frames: int) -> Image:
        """Rows for `frames` consecutive frames.

        Parameters
        ----------
        padded : ndarray, shape (>= n_fft + (frames - 1) * hop_length,), float32
            Audio from `margin` samples before the first frame's centre on; zeros beyond
            the ends of the recording.
        frames : int

        Returns
        -------
        ndarray, shape (rows, frames), float32
            Natural logarithm; row 0 is energy, then bands from low to high.
        """
        n_fft, hop = self.config.n_fft, self.config.hop_length
        if frames <= 0:
            return np.empty((self.config.rows, 0), np.float32)
        views = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop][:frames]
        if len(views) < frames:
            raise ValueError(f"{padded.size} samples hold {len(views)} frames, not {frames}")
        image = np.empty((self.config.rows, frames), np.float32)
        for start in range(0, frames, _BATCH):
            spectrum = scipy.fft.rfft(views[start : start + _BATCH] * self._window, axis=1)
            power = spectrum.real**2
            power += spectrum.imag**2
            image[:, start : start + _BATCH] = self._bands @ np.ascontiguousarray(power.T)
        image += np.float32(self.config.floor)
        np.log(image, out=image)
        return image


_BATCH = 128  # frames at a time: spectra of 0.5 MB stay in the cache


def log_mel(samples: NDArray[np.float32], config: MelConfig | None = None) -> Image:
    """Log-mel rows of a whole recording.

    Parameters
    ----------
    samples : ndarray, shape (n,), float32
    config : MelConfig, optional

    Returns
    -------
    ndarray, shape (rows, 1 + n // hop_length), float32
    """
    mel = _mel(config or MelConfig())
    margin = mel.config.margin
    padded = np.pad(np.asarray(samples, np.float32), margin)
    return mel(padded, 1 + samples.size // mel.config.hop_length if samples.size else 0)


@lru_cache(maxsize=4)
def _mel(config: MelConfig) -> MelSpectrogram:
    return MelSpectrogram(config)


def delta(image: Image) -> Image:
    """First differential along the frames: slope of the least-squares line through 9 frames.

    Parameters
    ----------
    image : ndarray, shape (r, t), float32

    Returns
    -------
    ndarray, shape (r, t), float32
        Per frame. The first and last frames are repeated beyond the ends; equals
        ``librosa.feature.delta(image, width=9, mode="nearest")``.
    """
    width = DELTA_FRAMES
    return delta_inside(np.pad(image, ((0, 0), (width, width)), mode="edge"))


def delta_inside(image: Image) -> Image:
    """As `delta`, for the inner frames only: shape (r, t) to (r, t - 8)."""
    width = DELTA_FRAMES
    frames = image.shape[1] - 2 * width
    norm = 2.0 * sum(k * k for k in range(1, width + 1))
    slope = np.zeros((image.shape[0], max(frames, 0)), np.float32)
    for k in range(1, width + 1):
        ahead = image[:, width + k : width + k + frames]
        behind = image[:, width - k : width - k + frames]
        slope += np.float32(k / norm) * (ahead - behind)
    return slope
