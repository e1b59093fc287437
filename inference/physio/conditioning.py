"""Causal filters that carry their state: what training and live listening do alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from inference.physio.signals import FS_HZ, Channel

__all__ = ["Conditioner", "ConditioningConfig", "condition"]

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class ConditioningConfig:
    """Cut-off frequencies of the Butterworth filters.

    Parameters
    ----------
    ppg_band_hz : tuple of float
        Pass band of the pulse.
    gsr_low_pass_hz : float
        Above it, skin conductance holds noise only.
    order : int
        Of each filter (twice that for a band-pass).
    gsr_floor_us : float
        Conductance below it is taken as it, before the logarithm: a dry
        electrode reads 0.
    """

    ppg_band_hz: tuple[float, float] = (0.5, 8.0)
    gsr_low_pass_hz: float = 5.0
    order: int = 2
    gsr_floor_us: float = 0.01


class Conditioner:
    """One channel's filter; feed it chunks of any size, in order.

    GSR comes out as the natural logarithm of conductance in microsiemens,
    low-passed: its fluctuations are relative to the level. PPG comes out
    band-passed in its own units. The filter starts as if the first sample
    had always been there, so that there is no jump at the start.

    Parameters
    ----------
    channel : Channel
    config : ConditioningConfig, optional
    fs_hz : float
    """

    def __init__(
        self, channel: Channel, config: ConditioningConfig | None = None, fs_hz: float = FS_HZ
    ) -> None:
        self.channel = channel
        self.config = config or ConditioningConfig()
        self._sos = (
            signal.butter(
                self.config.order, self.config.gsr_low_pass_hz, "lowpass", fs=fs_hz, output="sos"
            )
            if channel is Channel.GSR
            else signal.butter(
                self.config.order, self.config.ppg_band_hz, "bandpass", fs=fs_hz, output="sos"
            )
        )
        self._state: NDArray[np.float64] | None = None

    def push(self, samples: Samples) -> Samples:
        """Filter the next samples, shape (n,) -> (n,). Chunked and one-shot results agree."""
        if len(samples) == 0:
            return np.zeros(0, np.float32)
        x = np.asarray(samples, np.float64)
        if self.channel is Channel.GSR:
            x = np.log(np.maximum(x, self.config.gsr_floor_us))
        if self._state is None:
            self._state = signal.sosfilt_zi(self._sos) * x[0]
        y, self._state = signal.sosfilt(self._sos, x, zi=self._state)
        return np.asarray(y, dtype=np.float32)


def condition(
    channel: Channel, samples: Samples, config: ConditioningConfig | None = None
) -> Samples:
    """A whole recording at 128 Hz through `Conditioner`."""
    return Conditioner(channel, config).push(samples)
