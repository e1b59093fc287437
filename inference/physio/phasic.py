"""The fast part of skin conductance, sample by sample: responses without the level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from inference.physio.signals import SignalError

__all__ = ["PHASIC_HZ", "Phasic"]

PHASIC_HZ = 0.05
"""Slower than this is level: the usual high-pass for responses (Boucsein et al.,
Psychophysiology 49 (2012) 1017-1034, publication recommendations)."""


class Phasic:
    """A causal high-pass that carries its state; feed it chunks of any size, in order.

    Parameters
    ----------
    fs_hz : float
        Above 0.1 Hz.

    Raises
    ------
    SignalError
        If the rate is too low for the filter.
    """

    def __init__(self, fs_hz: float) -> None:
        if not fs_hz > 2.0 * PHASIC_HZ:
            raise SignalError(f"no responses can be seen at {fs_hz:g} Hz")
        self._sos = signal.butter(1, PHASIC_HZ, "highpass", fs=fs_hz, output="sos")
        self._state: NDArray[np.float64] | None = None

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The fast part of the next samples, shape (n,) -> (n,), microsiemens.

        It begins as if the first sample had always been there, with zero.
        """
        if len(samples) == 0:
            return np.zeros(0, np.float32)
        x = np.asarray(samples, np.float64)
        if self._state is None:
            self._state = signal.sosfilt_zi(self._sos) * x[0]
        y, self._state = signal.sosfilt(self._sos, x, zi=self._state)
        return np.asarray(y, np.float32)
