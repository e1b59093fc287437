"""Is a signal good enough to be listened to? Contact, flat line, clipping, motion, pulse shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from inference.physio.features import Beats, find_beats
from inference.physio.signals import FS_HZ, Channel, SignalError

__all__ = ["RECENT_S", "Issue", "Quality", "QualityLimits", "judge"]

Floats = NDArray[np.float64]

RECENT_S = 10.0
"""Length of signal that is judged, s: long enough for some beats, short enough to say "now"."""


class Issue(str, Enum):
    """What is wrong with a signal."""

    NO_CONTACT = "no_contact"
    FLAT = "flat"
    CLIPPING = "clipping"
    MOTION = "motion"
    NO_PULSE = "no_pulse"
    """What comes does not look like one heartbeat after another."""
    MISSING = "missing"
    """Too many samples were lost on the way."""

    @property
    def text(self) -> str:
        """The issue and its remedy for people."""
        return _TEXTS[self]


_TEXTS: Mapping[Issue, str] = {
    Issue.NO_CONTACT: "no contact with the skin: put the band on tighter",
    Issue.FLAT: "the signal does not move: check the sensor",
    Issue.CLIPPING: "the signal is cut off at its limit: loosen the band a little",
    Issue.MOTION: "motion: keep the hand still",
    Issue.NO_PULSE: "no clear pulse: move the sensor a little",
    Issue.MISSING: "too much of the signal was lost on the way: bring the band nearer",
}


@dataclass(frozen=True)
class QualityLimits:
    """Where good ends.

    Parameters
    ----------
    contact_us : float
        Median conductance below it is an electrode in the air.
    ceiling_us : float
        Skin does not conduct more.
    clipped_share : float
        Of samples at the very end of the range.
    jump : float
        Change of ln conductance within a second that no skin makes.
    burst : float
        Deviation of the loudest second over that of the median second.
    similarity : float
        Least mean correlation of beats with their average beat.
    missing_share : float

    References
    ----------
    Orphanidou et al., IEEE J. Biomed. Health Inform. 19 (2015): template
    matching, 0.86 for PPG at rest; wrists are worse, so less is asked here.
    Kocielnik et al., PervasiveHealth 2013, for limits of conductance and its slope.
    """

    contact_us: float = 0.02
    ceiling_us: float = 60.0
    clipped_share: float = 0.05
    jump: float = 1.0
    burst: float = 5.0
    similarity: float = 0.5
    missing_share: float = 0.2


@dataclass(frozen=True)
class Quality:
    """How good one channel is now.

    Parameters
    ----------
    score : float
        0 (useless) .. 1 (as good as it gets).
    issues : tuple of Issue
        The worst first; with one of them the signal says nothing of emotion.
    beats : Beats or None
        Of the pulse, where one was looked for.
    """

    score: float
    issues: tuple[Issue, ...] = ()
    beats: Beats | None = field(default=None, compare=False, repr=False)

    @property
    def usable(self) -> bool:
        return not self.issues


def judge(
    channel: Channel,
    samples: NDArray[np.float32],
    fs_hz: float = FS_HZ,
    *,
    missing: float = 0.0,
    limits: QualityLimits | None = None,
) -> Quality:
    """Judge the latest stretch of one channel, in its own unit and before any filter.

    Parameters
    ----------
    channel : Channel
    samples : ndarray, shape (n,), float32
        About `RECENT_S` seconds.
    fs_hz : float
    missing : float
        Share of the samples that were lost and are filled in, 0..1.
    limits : QualityLimits, optional

    Raises
    ------
    SignalError
        If there is less than a second.
    """
    x = np.asarray(samples, np.float64)
    if len(x) < fs_hz:
        raise SignalError("there is less than a second of signal to judge")
    at = limits or QualityLimits()
    found = _gsr(x, fs_hz, at) if channel is Channel.GSR else _ppg(x, fs_hz, at)
    if missing > at.missing_share:
        found = Quality(found.score, (*found.issues, Issue.MISSING), found.beats)
    score = 0.0 if found.issues else found.score * (1.0 - missing)
    return Quality(round(min(max(score, 0.0), 1.0), 3), found.issues, found.beats)


def _gsr(x: Floats, fs_hz: float, at: QualityLimits) -> Quality:
    if float(np.median(x)) < at.contact_us:
        return Quality(0.0, (Issue.NO_CONTACT,))
    if float(np.ptp(x)) == 0.0:
        return Quality(0.0, (Issue.FLAT,))
    if float(np.mean(x >= at.ceiling_us)) > at.clipped_share:
        return Quality(0.0, (Issue.CLIPPING,))
    level = np.log(np.maximum(x, at.contact_us / 2))
    second = round(fs_hz)
    change = np.abs(level[second:] - level[:-second])
    worst = float(change.max()) if len(change) else 0.0
    issues = (Issue.MOTION,) if worst > at.jump else ()
    return Quality(1.0 - 0.5 * min(worst / at.jump, 1.0), issues)


def _ppg(x: Floats, fs_hz: float, at: QualityLimits) -> Quality:
    reach = float(np.ptp(x))
    if reach == 0.0:
        return Quality(0.0, (Issue.FLAT,))
    ends = np.mean(x >= x.max() - 1e-6 * reach), np.mean(x <= x.min() + 1e-6 * reach)
    if float(max(ends)) > at.clipped_share:
        # A sensor without skin rests at one end nearly all the time.
        gone = max(ends) > 0.5
        return Quality(0.0, (Issue.NO_CONTACT if gone else Issue.CLIPPING,))
    beats = find_beats(x, fs_hz)
    slow = np.convolve(x, np.ones(round(fs_hz)) / round(fs_hz), "same")
    seconds = [np.std(s) for s in np.array_split(x - slow, max(2, round(len(x) / fs_hz)))]
    burst = float(np.max(seconds[1:-1] or seconds) / max(float(np.median(seconds)), 1e-12))
    alike = beats.similarity
    issues: list[Issue] = []
    if burst > at.burst:
        issues.append(Issue.MOTION)
    elif alike < at.similarity or beats.rate_bpm is None:
        issues.append(Issue.NO_PULSE)
    return Quality(max(alike, 0.0), tuple(issues), beats)
