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
    cell = quadrant[inside].astype(np.int32) * (width * height)
    cell += row[inside] * width + column[inside]
    counts = np.bincount(cell, weights=weight[inside], minlength=4 * width * height)
    layers = _blurred(counts.astype(np.float32).reshape(4, height, width))
    total = layers.sum(axis=0)
    visible = float(total.sum())
    # A few songs a cell should read as solid whatever the size of the library.
    mean = visible / max(int(np.count_nonzero(total > 0.05)), 1)
    gain = min(3.0, 1.1 / max(mean, 1e-6))
    alpha = 1.0 - np.exp(-gain * total)
    share = alpha / np.maximum(total, 1e-6)
    out = np.empty((height, width, 4), np.uint8)
    flat = layers.reshape(4, -1)
    mixed = (colours.T @ flat).reshape(3, height, width)
    for channel in range(3):
        out[..., channel] = np.minimum(mixed[channel] * share * 255.0, 255.0)
    out[..., 3] = alpha * 255.0
    return out


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
    alpha = np.minimum(total, 1.0)
    share = alpha / np.maximum(total, 1e-6)
    out = np.empty((height, width, 4), np.uint8)
    for channel in range(3):
        painted = np.bincount(cell, weights=amount * colours[kind, channel], minlength=area)
        out[..., channel] = (painted * share * 255.0).reshape(height, width)
    out[..., 3] = (alpha * 255.0).reshape(height, width)
    return out


def _blurred(layers: Floats) -> Floats:
    """Binomial 1-2-1 along both axes: neighbouring cells share a song."""
    wide = layers * 0.5
    wide[..., 1:] += 0.25 * layers[..., :-1]
    wide[..., :-1] += 0.25 * layers[..., 1:]
    tall = wide * 0.5
    tall[:, 1:] += 0.25 * wide[:, :-1]
    tall[:, :-1] += 0.25 * wide[:, 1:]
    return tall


def _stamp(radius: float) -> tuple[Floats, NDArray[np.int32], NDArray[np.int32]]:
    """Coverage of the pixels of a disc, and their offsets from its middle."""
    reach = int(np.ceil(radius)) + 1
    side = np.arange(-reach, reach + 1, dtype=np.int32)
    dx, dy = np.meshgrid(side, side)
    coverage = np.clip(radius + 0.5 - np.hypot(dx, dy), 0.0, 1.0).astype(np.float32)
    used = coverage > 0
    return coverage[used], dx[used], dy[used]
