"""Tones of music: pitch classes, key and mode, chords, intervals, pitch height, roughness."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from inference.audio.cells import coarse_means
from inference.audio.spectra import COARSE_LENGTH, FS_HZ, Spectra

__all__ = ["TonalCells", "best_key", "tonal_cells", "tonal_features"]

Array = NDArray[np.float32]

_LOWEST_HZ = 65.406  # C2
_OCTAVES, _STEPS = 5, 3  # steps a semitone
_SEMITONES = 12 * _OCTAVES
_PITCHES = _SEMITONES * _STEPS
_SMOOTHING = 3  # coarse frames, 0.38 s
_PEAKS = 14

# Krumhansl and Kessler's probe-tone ratings (Psychological Review 1982), C major and C minor.
_MAJOR_KEY = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR_KEY = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_CHORDS = (
    (0, 4, 7),
    (0, 3, 7),
    (0, 3, 6),
    (0, 4, 8),
    (0, 5, 7),
    (0, 4, 7, 10),
    (0, 3, 7, 10),
    (0, 4, 7, 11),
)
_KINDS = len(_CHORDS)  # major, minor, diminished, augmented, suspended, 7, m7, maj7


class TonalCells(NamedTuple):
    """Moments of harmony and melody, first axis cells.

    Parameters
    ----------
    chroma : ndarray, shape (n, 3, 12)
        Salience of the pitch classes from C: all, below C4, above.
    chords : ndarray, shape (n, 8, 2)
        Share of frames, and fit, of each kind of chord.
    progress : ndarray, shape (n, 13)
        Share of frames that begin a new chord; by interval of the roots (0-11).
    harmony : ndarray, shape (n, 8)
        Fit of the best major less the best minor chord and its square, entropy of the pitch
        classes, their change, change of the tonnetz place, best fit, its square, share of major.
    intervals : ndarray, shape (n, 2, 6)
        Interval classes 1-6 in the pitch classes: at once, and from one frame to the next.
    melody : ndarray, shape (n, 8)
        Pitch of the strongest note above C4 (octaves) and its square, its step's size, share of
        steps, of leaps, of rises, mean pitch of all salience and its square.
    sound : ndarray, shape (n, 8)
        Roughness and its square, log tonal power share and its square, number of tones and its
        square, spacing of partials, distance of partials from a harmonic row.
    """

    chroma: Array
    chords: Array
    progress: Array
    harmony: Array
    intervals: Array
    melody: Array
    sound: Array


def tonal_cells(spectra: Spectra) -> TonalCells:
    """Moments of each cell of `spectra`."""
    cells = spectra.cells
    salience = _salience(spectra.coarse)
    classes = salience.reshape(-1, _OCTAVES, 12)
    chroma = np.stack([classes.sum(1), classes[:, :2].sum(1), classes[:, 2:].sum(1)], axis=1)
    smooth = ndimage.uniform_filter1d(chroma[:, 0], _SMOOTHING, axis=0, mode="nearest")
    smooth = smooth / (np.linalg.norm(smooth, axis=1, keepdims=True) + 1e-3)
    chords, progress, fit = _chords(smooth)
    return TonalCells(
        chroma=coarse_means(chroma, cells),
        chords=coarse_means(chords, cells),
        progress=coarse_means(progress, cells),
        harmony=coarse_means(_harmony(smooth, fit), cells),
        intervals=coarse_means(_intervals(smooth), cells),
        melody=coarse_means(_melody(salience), cells),
        sound=coarse_means(_sound(spectra.coarse), cells),
    )


@lru_cache(maxsize=1)
def _pitch_filters() -> sparse.csr_array:
    """Triangles a third of a semitone apart, at least a coarse bin wide: (180, 2049)."""
    hz = np.arange(COARSE_LENGTH // 2 + 1) * FS_HZ / COARSE_LENGTH
    pitch = _LOWEST_HZ * 2.0 ** (np.arange(_PITCHES) / (12 * _STEPS))
    width = np.maximum(pitch * (2.0 ** (1.0 / (12 * _STEPS)) - 1.0), FS_HZ / COARSE_LENGTH)
    weights = np.maximum(0.0, 1.0 - np.abs(hz[:, None] - pitch) / width)
    return sparse.csr_array((weights / weights.sum(axis=0)).T.astype(np.float32))


def _salience(coarse: Array) -> Array:
    """What stands out as a tone in each semitone from C2, tuning corrected: (U, 60)."""
    top = int(_LOWEST_HZ * 2**_OCTAVES / FS_HZ * COARSE_LENGTH) + 8
    band = (_pitch_filters()[:, :top] @ coarse[:, :top].T).T
    level = np.log1p(800.0 / COARSE_LENGTH * band)
    floor = ndimage.uniform_filter1d(level, 7 * _STEPS, axis=1, mode="nearest")
    tones = np.maximum(0.0, level - floor)
    total = tones.sum(axis=0).astype(np.float64)
    turn = np.exp(2j * np.pi * np.arange(_PITCHES) / _STEPS)
    shift = float(np.angle(total @ turn)) / (2 * np.pi) * _STEPS  # in steps, -1.5 .. 1.5
    at = np.arange(_SEMITONES)[:, None] * _STEPS + shift - np.arange(_PITCHES)
    fold = np.maximum(0.0, 1.0 - np.abs(at) / 1.5).astype(np.float32)
    salience: Array = tones @ fold.T
    return salience


@lru_cache(maxsize=1)
def _chord_templates() -> Array:
    """Unit vectors, (8 kinds x 12 roots, 12)."""
    templates = np.zeros((_KINDS, 12, 12), np.float32)
    for kind, notes in enumerate(_CHORDS):
        for root in range(12):
            for note in notes:
                templates[kind, root, (root + note) % 12] = 1.0
    templates /= np.linalg.norm(templates, axis=2, keepdims=True)
    return templates.reshape(-1, 12)


def _chords(smooth: Array) -> tuple[Array, Array, Array]:
    fit = smooth @ _chord_templates().T
    by_kind = fit.reshape(-1, _KINDS, 12)
    # Four notes fit more easily than three: triads are compared among themselves.
    best = np.argmax(fit[:, : 5 * 12], axis=1)
    chords = np.zeros((len(smooth), _KINDS, 2), np.float32)
    chords[np.arange(len(smooth)), best // 12, 0] = 1.0
    chords[:, :, 1] = by_kind.max(axis=2)
    progress = np.zeros((len(smooth), 13), np.float32)
    new = np.flatnonzero(np.diff(best) != 0) + 1
    progress[new, 0] = 1.0
    progress[new, 1 + (best[new] - best[new - 1]) % 12] = 1.0
    return chords, progress, fit


def _harmony(smooth: Array, fit: Array) -> Array:
    major, minor = fit[:, :12].max(axis=1), fit[:, 12:24].max(axis=1)
    best = np.maximum(major, minor)
    share = smooth / (smooth.sum(axis=1, keepdims=True) + 1e-3)
    entropy = -(share * np.log(share + 1e-6)).sum(axis=1)
    change = np.zeros(len(smooth), np.float32)
    change[1:] = np.linalg.norm(np.diff(smooth, axis=0), axis=1)
    place = share @ _tonnetz()
    move = np.zeros(len(smooth), np.float32)
    move[1:] = np.linalg.norm(np.diff(place, axis=0), axis=1)
    columns = [
        major - minor,
        (major - minor) ** 2,
        entropy,
        change,
        move,
        best,
        best**2,
        (major > minor),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


@lru_cache(maxsize=1)
def _tonnetz() -> Array:
    """Harte, Sandler and Gasser's six-dimensional tonal centroid (ACM AMCMM 2006), (12, 6)."""
    turns = np.arange(12)[:, None] * np.array([7 / 6, 3 / 2, 2 / 3]) * np.pi
    both = np.concatenate([np.sin(turns), np.cos(turns)], axis=1)
    tonnetz: Array = (both * np.array([1.0, 1.0, 0.5, 1.0, 1.0, 0.5])).astype(np.float32)
    return tonnetz


def _intervals(smooth: Array) -> Array:
    after = np.concatenate([smooth[_SMOOTHING:], smooth[-_SMOOTHING:]])[: len(smooth)]
    both = []
    for later in (smooth, after):
        classes = [
            (smooth * (np.roll(later, -i, 1) + np.roll(later, i, 1))).sum(1) for i in range(1, 7)
        ]
        both.append(np.stack(classes, axis=1))
    return np.stack(both, axis=1).astype(np.float32)


def _melody(salience: Array) -> Array:
    note = salience[:, 24:].argmax(axis=1)
    step = np.zeros(len(note))
    step[1:] = np.diff(note)
    size = np.abs(step)
    share = salience / (salience.sum(axis=1, keepdims=True) + 1e-3)
    height = share @ (np.arange(_SEMITONES) / 12.0)
    pitch = note / 12.0
    columns = [
        pitch,
        pitch**2,
        np.minimum(size, 24) / 12.0,
        (size > 0) & (size <= 2),
        size > 2,
        step > 0,
        height,
        height**2,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _sound(coarse: Array) -> Array:
    top = int(4000.0 / FS_HZ * COARSE_LENGTH)
    magnitude = coarse[:, 12 : top + 1]  # from 47 Hz
    inner = magnitude[:, 1:-1]
    peak = (inner > magnitude[:, :-2]) & (inner >= magnitude[:, 2:])
    place, a = _highest(inner, peak, _PEAKS)
    hz = (place + 13) * (FS_HZ / COARSE_LENGTH)
    rough = _roughness(hz, a)
    power = np.square(magnitude).sum(axis=1)
    # a Hann main lobe spreads a tone's power over three bins about its peak
    tonal = np.log((1.5 * np.square(a).sum(axis=1) + 1e-6) / (power + 1e-6))
    loudest = a.max(axis=1, keepdims=True)
    many = (a > 0.1 * loudest).sum(axis=1) / _PEAKS
    weight = a / (a.sum(axis=1, keepdims=True) + 1e-6)
    spacing = (np.diff(np.log2(hz), axis=1) * np.minimum(weight[:, 1:], weight[:, :-1])).sum(axis=1)
    row = hz / np.take_along_axis(hz, a.argmax(axis=1)[:, None], axis=1)
    row = np.where(row < 1.0, 1.0 / row, row)
    off = (np.abs(row - np.round(row)) * weight).sum(axis=1)
    columns = [rough, rough**2, tonal, tonal**2, many, many**2, spacing, off]
    return np.stack(columns, axis=1).astype(np.float32)


def _highest(x: Array, peak: NDArray[np.bool_], few: int) -> tuple[NDArray[np.intp], Array]:
    """Places, rising, and heights of the `few` highest peaks of each row; 0 where there are less.

    Of two neighbours only one can be a peak, so that pairs are searched, which are half as many.
    """
    pairs = -(-x.shape[1] // 2)
    # What is no peak gets a value of its own: many equal ones make the selection 15 times slower.
    heights = np.tile(_lesser(2 * pairs), (len(x), 1))
    np.copyto(heights[:, : x.shape[1]], x, where=peak)
    left, right = heights[:, ::2], heights[:, 1::2]
    pair = _largest(np.maximum(left, right), few)
    a, b = (np.take_along_axis(side, pair, axis=1) for side in (left, right))
    return 2 * pair + (b > a), np.maximum(np.maximum(a, b), 0.0)


def _largest(x: Array, few: int) -> NDArray[np.intp]:
    """Places of the `few` largest of each row, rising: (U, few)."""
    least = np.partition(x, -few, axis=1)[:, -few, None]  # much quicker than to sort places
    row, place = np.nonzero(x >= least)
    if len(row) != few * len(x):  # equal ones at the border
        place = np.argpartition(x, -few, axis=1)[:, -few:]
        place.sort(axis=1)
    return place.reshape(len(x), few)


@lru_cache(maxsize=1)
def _lesser(count: int) -> Array:
    """Different numbers below zero, falling."""
    return -np.arange(1, count + 1, dtype=np.float32)


def _roughness(hz: NDArray[Any], a: Array) -> Array:
    """Sensory dissonance of pairs of partials (Sethares, JASA 1993), as a share of their power."""
    i, j = np.triu_indices(hz.shape[1], 1)
    low, gap = hz[:, i], hz[:, j] - hz[:, i]
    scale = 0.24 / (0.0207 * low + 18.96)
    curve = np.exp(-3.51 * scale * gap) - np.exp(-5.75 * scale * gap)
    rough: Array = (a[:, i] * a[:, j] * curve).sum(1) / (np.square(a).sum(1) + 1e-6)
    return rough.astype(np.float32)


@lru_cache(maxsize=1)
def _key_profiles() -> Array:
    """All 24 keys, majors first, standardised: (24, 12)."""
    rows = [np.roll(profile, tonic) for profile in (_MAJOR_KEY, _MINOR_KEY) for tonic in range(12)]
    profiles = np.array(rows, np.float32)
    profiles = profiles - profiles.mean(axis=1, keepdims=True)
    standard: Array = profiles / np.linalg.norm(profiles, axis=1, keepdims=True)
    return standard


def _key_fit(chroma: Array) -> Array:
    centred = chroma - chroma.mean(axis=1, keepdims=True)
    fit: Array = centred @ _key_profiles().T
    fit /= np.linalg.norm(centred, axis=1, keepdims=True) + 1e-4
    return fit


def best_key(cells: TonalCells) -> NDArray[np.int64]:
    """The key that fits best, (n,): 0-11 major from C, 12-23 minor."""
    key: NDArray[np.int64] = _key_fit(cells.chroma[:, 0]).argmax(axis=1)
    return key


def tonal_features(cells: TonalCells) -> Array:
    """Descriptors of each window, (W, k), from averaged moments; transposing changes none."""
    parts = [
        _key_features(cells.chroma),
        _chord_features(cells),
        cells.harmony[:, [0, 2, 3, 4, 5, 7]],
        _deviation(cells.harmony, 0, 1),
        _deviation(cells.harmony, 5, 6),
        cells.intervals.reshape(len(cells.intervals), -1),
        cells.melody[:, [0, 2, 3, 4, 5, 6]],
        _deviation(cells.melody, 0, 1),
        _deviation(cells.melody, 6, 7),
        cells.sound[:, [0, 2, 4, 6, 7]],
        np.concatenate([_deviation(cells.sound, i, i + 1) for i in (0, 2, 4)], axis=1),
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _deviation(moments: Array, first: int, second: int) -> Array:
    variance = moments[:, second] - moments[:, first] ** 2
    deviation: Array = np.sqrt(np.maximum(variance, 0.0))[:, None]
    return deviation


def _key_features(chroma: Array) -> Array:
    parts = []
    for register in range(3):
        fit = _key_fit(chroma[:, register])
        major, minor = fit[:, :12].max(axis=1), fit[:, 12:].max(axis=1)
        ordered = np.sort(fit, axis=1)
        total = chroma[:, register].sum(axis=1, keepdims=True)
        share = chroma[:, register] / (total + 1e-3)
        entropy = -(share * np.log(share + 1e-6)).sum(axis=1)
        parts.append(
            np.stack(
                [
                    major - minor,
                    ordered[:, -1],
                    ordered[:, -1] - ordered[:, -2],
                    entropy,
                    np.log(total[:, 0] + 0.1),
                ],
                axis=1,
            )
        )
    fit = _key_fit(chroma[:, 0])
    tonic = np.maximum(fit[:, :12], fit[:, 12:]).argmax(axis=1)  # major or minor: the same keynote
    turned = (tonic[:, None] + np.arange(12)) % 12
    for register in range(2):
        row = np.take_along_axis(chroma[:, register], turned, axis=1)
        parts.append(row / (row.sum(axis=1, keepdims=True) + 1e-3))
    parallel = np.take_along_axis(fit[:, :12] - fit[:, 12:], tonic[:, None], axis=1)
    return np.concatenate([*parts, parallel], axis=1)


def _chord_features(cells: TonalCells) -> Array:
    n = len(cells.chords)
    change = cells.progress[:, :1]
    roots = cells.progress[:, 1:] / (change + 1e-2)
    return np.concatenate([cells.chords.reshape(n, -1), change, roots], axis=1)
