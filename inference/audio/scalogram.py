"""Scalogram of music: complex Morlet filters, 12 per octave, evaluated at the frame rate only.

Filtering is done on the spectrum of a block. A filter's output is wanted at multiples of the
hop alone, and sampling in time is folding in frequency: so each filtered spectrum is folded
to the number of frames before its (short) inverse transform. The result is exact, and about
forty times cheaper than a transform at the full rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.typing import NDArray

from inference.audio.segments import FS_HZ, HOP_LENGTH

__all__ = ["Scalogram", "ScalogramConfig", "resize_rows", "scalogram"]

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ScalogramConfig:
    """Settings of the scalogram (paper-spec items 1 and 18).

    Parameters
    ----------
    fs_hz, hop_length : int
    per_octave, octaves : int
    f_min_hz : float
        Centre of the lowest filter; the highest is 6.6 kHz.
    omega0 : float
        Centre of the mother wavelet in radians: a filter at f has the standard deviation
        f / omega0 in frequency. At 20, neighbours a semitone apart cross at 0.8.
    gain : float
        The image is ln(1 + gain * magnitude); a full-scale sine has magnitude 1.
    rows : int
        The 84 filters are averaged to this many rows.
    block_frames : int
        Frames of one transform (its length is ``block_frames * hop_length`` samples).
    """

    fs_hz: int = FS_HZ
    hop_length: int = HOP_LENGTH
    per_octave: int = 12
    octaves: int = 7
    f_min_hz: float = 55.0
    omega0: float = 20.0
    gain: float = 1e4
    rows: int = 64
    block_frames: int = 768

    @property
    def filters(self) -> int:
        return self.per_octave * self.octaves

    @property
    def centres_hz(self) -> NDArray[np.float64]:
        """Centre frequencies, low to high, hertz."""
        return self.f_min_hz * 2.0 ** (np.arange(self.filters) / self.per_octave)

    @property
    def margin_frames(self) -> int:
        """Frames at either end of a block that the circular transform spoils."""
        deviation_s = self.omega0 / (2.0 * np.pi * self.f_min_hz)
        return int(np.ceil(_REACH * deviation_s * self.fs_hz / self.hop_length))

    @property
    def core_frames(self) -> int:
        """Frames of a block that are good."""
        return self.block_frames - 2 * self.margin_frames


_REACH = 4.5  # standard deviations of a wavelet in time and of a filter in frequency: 4e-5


class Scalogram:
    """The filter bank for blocks of one length; keeps the filters ready.

    Parameters
    ----------
    config : ScalogramConfig
    """

    def __init__(self, config: ScalogramConfig | None = None) -> None:
        self.config = config or ScalogramConfig()
        c = self.config
        self.length = c.block_frames * c.hop_length
        """Samples in a block."""
        bin_hz = c.fs_hz / self.length
        self._bands: list[tuple[int, int, Image]] = []
        for centre in c.centres_hz:
            deviation = centre / c.omega0
            first = max(1, int(np.ceil((centre - _REACH * deviation) / bin_hz)))
            last = min(self.length // 2, int((centre + _REACH * deviation) / bin_hz))
            bins = np.arange(first, last + 1) * bin_hz
            # 2: an analytic filter keeps one half of a sine; 1 / length: the inverse transform's
            # norm, on all samples, though it yields every hop-th only.
            response = 2.0 / self.length * np.exp(-0.5 * ((bins - centre) / deviation) ** 2)
            self._bands.append((first, last + 1, response.astype(np.float32)))
        # Sparse, since BLAS would wake threads of its own for a product of this size.
        self._resize = scipy.sparse.csr_array(resize_rows(c.filters, c.rows))

    def magnitudes(self, block: NDArray[np.float32]) -> Image:
        """Filter outputs' magnitudes at all frames of a block, its spoilt ends included.

        Parameters
        ----------
        block : ndarray, shape (length,), float32

        Returns
        -------
        ndarray, shape (filters, block_frames), float32
        """
        if block.shape != (self.length,):
            raise ValueError(f"expected a block of {self.length} samples, got {block.shape}")
        frames = self.config.block_frames
        spectrum = scipy.fft.rfft(block)
        folded = np.zeros((len(self._bands), frames), np.complex64)
        for row, (first, stop, response) in zip(folded, self._bands, strict=True):
            band = spectrum[first:stop] * response
            # Put the band where it lies modulo the number of frames, then add the folds.
            # A magnitude does not feel a rotation, so only the order of the bins counts.
            whole = band.size // frames * frames
            if whole:
                row += band[:whole].reshape(-1, frames).sum(axis=0)
            row[: band.size - whole] += band[whole:]
        outputs = scipy.fft.ifft(folded, axis=1, norm="forward", overwrite_x=True)
        magnitudes: Image = np.abs(outputs)
        return magnitudes

    def __call__(self, block: NDArray[np.float32]) -> Image:
        """Rows for the good frames of a block.

        Parameters
        ----------
        block : ndarray, shape (length,), float32
            Starts `margin_frames` frames before the first frame wanted.

        Returns
        -------
        ndarray, shape (rows, core_frames), float32
            ln(1 + gain * magnitude), low to high.
        """
        margin = self.config.margin_frames
        image = self.magnitudes(block)[:, margin : margin + self.config.core_frames]
        image *= np.float32(self.config.gain)
        np.log1p(image, out=image)
        rows: Image = self._resize @ np.ascontiguousarray(image)
        return rows


def scalogram(samples: NDArray[np.float32], config: ScalogramConfig | None = None) -> Image:
    """Rows of a whole recording.

    Parameters
    ----------
    samples : ndarray, shape (n,), float32

    Returns
    -------
    ndarray, shape (rows, 1 + n // hop_length), float32
        One frame at each multiple of the hop, as in `spectrogram.log_mel`.
    """
    bank = _bank(config or ScalogramConfig())
    c = bank.config
    total = 1 + samples.size // c.hop_length if samples.size else 0
    margin = c.margin_frames * c.hop_length
    blocks = -(-total // c.core_frames)
    padded = np.zeros(blocks * c.core_frames * c.hop_length + 2 * margin, np.float32)
    padded[margin : margin + samples.size] = samples
    image = np.empty((c.rows, total), np.float32)
    for start in range(0, total, c.core_frames):
        rows = bank(padded[start * c.hop_length :][: bank.length])
        image[:, start : start + c.core_frames] = rows[:, : total - start]
    return image


@lru_cache(maxsize=4)
def _bank(config: ScalogramConfig) -> Scalogram:
    return Scalogram(config)


def resize_rows(rows_in: int, rows_out: int) -> Image:
    """Matrix, shape (rows_out, rows_in), that shrinks an image by averaging over areas."""
    edges = np.linspace(0.0, rows_in, rows_out + 1)
    cells = np.arange(rows_in)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights = np.maximum(overlap, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    matrix: Image = weights.astype(np.float32)
    return matrix
