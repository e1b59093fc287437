"""Draws many songs at once, with numpy: a density when far, discs when near. No widgets here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["density", "discs"]

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def density(
    x: Floats,
    y: Floats,
    quadrant: NDArray[np.int8],
    weight: Floats,
    colours: Floats,
    size: tuple[int, int],
) -> Pixels:
    """How densely the songs lie, coloured by what quadrants they are of.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Places in cells; those outside are left out.
    quadrant : ndarray, shape (n,)
        0..3.
    weight : ndarray, shape (n,)
        Each song's opacity in [0, 1].
    colours : ndarray, shape (4, 3)
        Blue, green, red of each quadrant in [0, 1].
    size : (width, height) in cells

    Returns
    -------
    ndarray, shape (height, width, 4), uint8
        Premultiplied blue, green, red, alpha.
    """
    width, height = size
    column, row = x.astype(np.int32), y.astype(np.int32)
    inside = (x >= 0) & (column < width) & (y >= 0) & (row < height)
    area = width * height
    cell = quadrant[inside].astype(np.int32) * area + row[inside] * width + column[inside]
    counts = np.bincount(cell, weights=weight[inside], minlength=4 * area)
    layers = _blurred(counts.astype(np.float32), 1, width).reshape(4, area)
    # Sums are written out: a matrix product of so thin matrices takes ten times as long.
    total = layers[0] + layers[1] + layers[2] + layers[3]
    # A few songs a cell should read as solid whatever the size of the library.
    occupied = max(int(np.count_nonzero(total > 0.05)), 1)
    gain = min(3.0, 1.1 * occupied / max(float(counts.sum()), 1e-6))
    alpha = 1.0 - np.exp(total * np.float32(-gain))
    share = np.float32(255.0) * alpha / np.maximum(total, np.float32(1e-6))
    out = np.empty((area, 4), np.uint8)
    for channel in range(3):
        mixed = layers[0] * colours[0, channel]
        for kind in (1, 2, 3):
            mixed += layers[kind] * colours[kind, channel]
        out[:, channel] = np.minimum(mixed * share, np.float32(255.0))
    out[:, 3] = np.float32(255.0) * alpha
    return out.reshape(height, width, 4)


def discs(
    x: Floats,
    y: Floats,
    quadrant: NDArray[np.int8],
    weight: Floats,
    colours: Floats,
    size: tuple[int, int],
    radius: float,
) -> Pixels:
    """A disc for each song, with smooth edges; where discs meet, their colours mix.

    Parameters and result as for `density`, in px; `radius` in px.
    """
    width, height = size
    stamp, offsets_x, offsets_y = _stamp(radius)
    reach = radius + 1
    near = (x > -reach) & (x < width + reach) & (y > -reach) & (y < height + reach)
    column = np.rint(x[near]).astype(np.int32)[:, None] + offsets_x
    row = np.rint(y[near]).astype(np.int32)[:, None] + offsets_y
    amount = weight[near][:, None] * stamp
    kind = np.broadcast_to(quadrant[near].astype(np.int32)[:, None], column.shape)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    cell = row[inside] * width + column[inside]
    amount, kind = amount[inside], kind[inside]
    area = width * height
    total = np.bincount(cell, weights=amount, minlength=area)
    touched = np.flatnonzero(total)
    total = total[touched]
    alpha = np.minimum(total, 1.0)
    share = 255.0 * alpha / total
    out = np.zeros((area, 4), np.uint8)
    for channel in range(3):
        painted = np.bincount(cell, weights=amount * colours[kind, channel], minlength=area)
        out[touched, channel] = painted[touched] * share
    out[touched, 3] = 255.0 * alpha
    return out.reshape(height, width, 4)


def _blurred(flat: Floats, *strides: int) -> Floats:
    """Binomial 1-2-1 along axes of a flat array, given by their strides.

    What runs over an edge lands at the opposite one; the edges lie outside the window.
    """
    for stride in strides:
        out = flat * np.float32(0.5)
        part = flat * np.float32(0.25)
        out[stride:] += part[:-stride]
        out[:-stride] += part[stride:]
        flat = out
    return flat


def _stamp(radius: float) -> tuple[Floats, NDArray[np.int32], NDArray[np.int32]]:
    """Coverage of the pixels of a disc, and their offsets from its middle."""
    reach = int(np.ceil(radius)) + 1
    side = np.arange(-reach, reach + 1, dtype=np.int32)
    dx, dy = np.meshgrid(side, side)
    coverage = np.clip(radius + 0.5 - np.hypot(dx, dy), 0.0, 1.0).astype(np.float32)
    used = coverage > 0
    return coverage[used], dx[used], dy[used]
