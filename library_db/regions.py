"""Parts of the mood plane: which songs lie within a drawn outline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["inside"]

Numbers = NDArray[np.floating]


def inside(x: Numbers, y: Numbers, corners: Numbers) -> NDArray[np.bool_]:
    """Which points lie within a closed outline that may cross itself.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        NaN is never inside.
    corners : ndarray, shape (m, 2)
        x and y of the outline's corners; the last is joined to the first.

    Returns
    -------
    ndarray of bool, shape (n,)
        Where the outline winds round the point (D. Sunday, "Inclusion of a Point in a
        Polygon", 2001). Points on the outline may count or not.

    Notes
    -----
    The points are sorted by y once, so that each edge looks only at those beside it: 100,000
    points and 500 corners take some ms.
    """
    result = np.zeros(len(x), np.bool_)
    if len(corners) < 3:
        return result
    x0, y0 = np.asarray(corners, np.float64).T
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero((x >= x0.min()) & (x <= x0.max()) & (y >= y0.min()) & (y <= y0.max()))
    near = near[np.argsort(y[near], kind="stable")]
    px, py = x[near].astype(np.float64), y[near].astype(np.float64)
    winding = np.zeros(len(near), np.int32)
    first = np.searchsorted(py, np.minimum(y0, y1))
    last = np.searchsorted(py, np.maximum(y0, y1))
    for edge in np.flatnonzero((first < last) & (y0 != y1)).tolist():
        beside = slice(int(first[edge]), int(last[edge]))
        slope = (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
        crosses = px[beside] < x0[edge] + slope * (py[beside] - y0[edge])
        winding[beside] += np.where(crosses, 1 if y1[edge] > y0[edge] else -1, 0)
    result[near] = winding != 0
    return result
