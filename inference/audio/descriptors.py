"""The musical descriptors of an excerpt as one vector: rhythm, harmony and timbre."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inference.audio.cells import Windows, windowed
from inference.audio.rhythm import rhythm_cells, rhythm_features
from inference.audio.spectra import CELL_FRAMES, FINE_HOP, Spectra
from inference.audio.timbre import timbre_cells, timbre_features
from inference.audio.tonal import tonal_cells, tonal_features

__all__ = ["DESCRIPTORS", "describe", "descriptor_count"]

DESCRIPTORS = "descriptors-1"
"""Changes whenever a descriptor does, since trained models read them by place."""


def describe(spectra: Spectra) -> NDArray[np.float32]:
    """Descriptors of all whole cells of `spectra` together, shape (k,).

    None depends on the level of the audio as long as it was brought to the common loudness.
    """
    whole = Windows.over(spectra.cells, spectra.cells, 1)
    parts = [
        rhythm_features(windowed(rhythm_cells(spectra), whole)),
        tonal_features(windowed(tonal_cells(spectra), whole)),
        timbre_features(windowed(timbre_cells(spectra), whole)),
    ]
    described: NDArray[np.float32] = np.concatenate(parts, axis=1)[0]
    return described


@lru_cache(maxsize=1)
def descriptor_count() -> int:
    """The k of `describe`."""
    return len(describe(Spectra.of(np.zeros(CELL_FRAMES * FINE_HOP, np.float32))))
