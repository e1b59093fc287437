"""ReplayGain and the volume control as one amplitude that never clips."""

from __future__ import annotations

import math

__all__ = ["GAIN_LIMIT_DB", "amplitude", "clamp_percent"]

GAIN_LIMIT_DB = 24.0
"""A gain beyond this is a damaged tag: real ones lie within some 20 dB."""


def clamp_percent(percent: float) -> float:
    """`percent` limited to 0..100; a value that is no number counts as 0."""
    if math.isnan(percent):
        return 0.0
    return min(max(float(percent), 0.0), 100.0)


def amplitude(percent: float, gain_db: float = 0.0, peak: float = 1.0) -> float:
    """Factor on the samples for a volume control at `percent` and a ReplayGain.

    Parameters
    ----------
    percent : float
        The volume control, 0..100.
    gain_db : float
        ReplayGain of the track or album in dB; not finite counts as 0.
    peak : float
        The track's largest sample (1 is full scale); a value that is not
        finite or not positive counts as 1.

    Returns
    -------
    float
        In [0, 1 / peak]: the loudest sample stays within full scale.

    Notes
    -----
    The control is cubic, as in libVLC and PulseAudio: amplitude =
    (percent / 100) ** 3, which the ear takes as roughly even steps.
    """
    if not math.isfinite(gain_db):
        gain_db = 0.0
    if not (math.isfinite(peak) and peak > 0.0):
        peak = 1.0
    gain_db = min(max(gain_db, -GAIN_LIMIT_DB), GAIN_LIMIT_DB)
    factor: float = (clamp_percent(percent) / 100.0) ** 3 * 10.0 ** (gain_db / 20.0)
    return min(factor, 1.0 / peak)
