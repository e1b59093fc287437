"""Timbre and dynamics of music: spectral shape and contrast, flux, loudness and how it moves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.audio.cells import fine_means
from inference.audio.spectra import FINE_LENGTH, FS_HZ, Spectra

__all__ = ["TimbreCells", "timbre_cells", "timbre_features"]

Array = NDArray[np.float32]

_EDGES_HZ = (0, 200, 400, 800, 1600, 3200, 7200)
_BINS_A_BLOCK = 16
_LN_10 = np.float32(np.log(10.0))
_EXTREME = 0.2  # share of a band's bins that make its peak and its valley


class TimbreCells(NamedTuple):
    """Moments of colour and loudness, first axis cells; (..., 2) are means of x and x squared.

    Parameters
    ----------
    contrast : ndarray, shape (n, 6, 2)
        log10 peak to valley of a band (Jiang et al., ICME 2002).
    shape : ndarray, shape (n, 8, 2)
        Centroid and spread in octaves, roll-off at 0.85 and 0.5, flatness below and above 2 kHz,
        flux, crest of the wave.
    loudness : ndarray, shape (n, 3, 2)
        log10 power, mean of the log-mel bands, and the cell's own mean of the former.
    """

    contrast: Array
    shape: Array
    loudness: Array


def timbre_cells(spectra: Spectra) -> TimbreCells:
    """Moments of each cell of `spectra`."""
    power = spectra.fine
    log = np.log10(power + 1e-6)
    total = power.sum(axis=1)
    loud = np.log10(total + 1e-5)
    loudness = fine_means(_squares(np.stack([loud, spectra.mel.mean(axis=1)], axis=1)))
    own = np.stack([loudness[:, 0, 0], loudness[:, 0, 0] ** 2], axis=1)[:, None]
    return TimbreCells(
        contrast=fine_means(_squares(_contrast(log))),
        shape=fine_means(_squares(_shape(spectra, total, log))),
        loudness=np.concatenate([loudness, own], axis=1),
    )


def _squares(x: Array) -> Array:
    return np.stack([x, x * x], axis=-1)


def _contrast(log: Array) -> Array:
    bands, weights = _contrast_bands()
    ordered = np.concatenate([np.sort(log[:, band], axis=1) for band in bands], axis=1)
    contrast: Array = ordered @ weights
    return contrast


@lru_cache(maxsize=1)
def _contrast_bands() -> tuple[list[slice], Array]:
    """The bins of each band; what takes the mean valley of sorted bins from the mean peak."""
    edges = np.rint(np.array(_EDGES_HZ) * FINE_LENGTH / FS_HZ).astype(np.int64)
    weights = np.zeros((edges[-1], len(edges) - 1), np.float32)
    for band, (a, b) in enumerate(itertools.pairwise(edges)):
        few = max(1, round(_EXTREME * (b - a)))
        weights[b - few : b, band] += 1.0 / few
        weights[a : a + few, band] -= 1.0 / few
    return [slice(a, b) for a, b in itertools.pairwise(edges)], weights


@lru_cache(maxsize=1)
def _octaves() -> Array:
    hz = np.arange(FINE_LENGTH // 2 + 1) * FS_HZ / FINE_LENGTH
    octaves: Array = np.log2(np.maximum(hz, 20.0) / 1000.0).astype(np.float32)
    return octaves


def _shape(spectra: Spectra, total: Array, log: Array) -> Array:
    share = np.sqrt(spectra.fine)
    share /= share.sum(axis=1, keepdims=True) + np.float32(1e-3)
    centroid = share @ _octaves()
    spread = np.sqrt(np.maximum(share @ np.square(_octaves()) - centroid**2, 0.0))
    columns = [centroid, spread]
    for bins in _rolled_off(spectra.fine, total, (0.85, 0.5)):
        columns.append(_octaves()[bins])
    flatness = log @ _halves() * _LN_10 - np.log(spectra.fine @ _halves() + 1e-6)
    columns += list(flatness.T)
    flux = np.zeros_like(centroid)
    change = share[1:] - share[:-1]
    flux[1:] = np.sqrt(np.einsum("ij,ij->i", change, change))
    columns += [flux, np.log(spectra.crest + 0.1)]
    return np.stack(columns, axis=1).astype(np.float32)


@lru_cache(maxsize=1)
def _halves() -> Array:
    """What takes the mean below and above 2 kHz, (257, 2)."""
    halves = np.zeros((FINE_LENGTH // 2 + 1, 2), np.float32)
    middle = 2000 * FINE_LENGTH // FS_HZ
    for half, bins in enumerate((slice(2, middle), slice(middle, 230))):
        halves[bins, half] = 1.0 / (bins.stop - bins.start)
    return halves


def _rolled_off(power: Array, total: Array, parts: tuple[float, ...]) -> Iterator[NDArray[np.intp]]:
    """The bin up to which so large a part of each frame's power lies, (T,) a part.

    Blocks of bins are summed first, so that only one of them is gone through bin by bin.
    """
    count = -(-power.shape[1] // _BINS_A_BLOCK)
    padded = np.pad(power, ((0, 0), (0, count * _BINS_A_BLOCK - power.shape[1])))
    blocks = padded.reshape(len(power), count, _BINS_A_BLOCK)
    rising = power @ _up_to_block()
    frames = np.arange(len(power))
    for part in parts:
        wanted = part * total
        block = np.minimum((rising < wanted[:, None]).sum(axis=1), count - 1)
        before = np.where(block > 0, rising[frames, block - 1], np.float32(0.0))
        within = np.cumsum(blocks[frames, block], axis=1) + before[:, None]
        inside = np.minimum((within < wanted[:, None]).sum(axis=1), _BINS_A_BLOCK - 1)
        yield np.minimum(block * _BINS_A_BLOCK + inside, power.shape[1] - 1)


@lru_cache(maxsize=1)
def _up_to_block() -> Array:
    """Which bins belong to each block or one before it, (257, 17)."""
    block = np.arange(FINE_LENGTH // 2 + 1) // _BINS_A_BLOCK
    up_to: Array = (block[:, None] <= np.arange(block[-1] + 1)).astype(np.float32)
    return up_to


def timbre_features(cells: TimbreCells) -> Array:
    """Descriptors of each window, (W, k), from moments averaged over it."""
    parts = [*_both(cells.contrast), *_both(cells.shape), *_both(cells.loudness)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _both(moments: Array) -> tuple[Array, Array]:
    mean = moments[..., 0]
    return mean, np.sqrt(np.maximum(moments[..., 1] - mean**2, 0.0))
