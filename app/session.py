"""A live sensor session: deliveries in, one estimate a hop out. Pure: the caller owns the clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.wristband.source import Annotation, AnnotationKind, Delivery, HeartRate
from inference.emotion import EmotionEstimate, Quadrant
from inference.physio.quality import Quality, judge
from inference.physio.signals import FS_HZ, Channel, SignalChunk
from inference.physio.stream import SensorStream, Window

__all__ = ["Abstention", "Rater", "Sensed", "Session", "SessionConfig"]


class Abstention(str, Enum):
    """Why there is no emotion to tell."""

    COLLECTING = "collecting"
    """Not enough signal yet."""
    QUALITY = "quality"
    """The signals are too bad; the issues say how."""
    LOSS = "loss"
    """Too much was lost on the way."""
    NO_SIGNAL = "no_signal"
    """Nothing comes."""
    NO_MODEL = "no_model"
    """No network reads what this source measures."""
    UNDECIDED = "undecided"
    """Two quadrants are as probable as each other."""


class Rater(Protocol):
    """Segments to emotion: `inference.sensor_runtime.SensorClassifier`."""

    @property
    def model_id(self) -> str: ...

    @property
    def song_weight(self) -> float: ...

    def reads(self, channels: Iterable[Channel]) -> bool: ...

    def classify(self, segments: Mapping[Channel, NDArray[np.float32]]) -> EmotionEstimate: ...


@dataclass(frozen=True)
class SessionConfig:
    """When a session speaks.

    Parameters
    ----------
    enough_s : float
        Unbroken signal before the first estimate.
    judged_s : float
        Unbroken signal before its quality is judged: the band can be put right meanwhile.
    least_segments : int
        Segments without loss that an estimate needs: as many as in training.
    late_s : float
        An estimate that would come later than this after its last sample is
        dropped: the next one is due already.
    silent_s : float
        Silence after which the session says that nothing comes.
    margin : float
        Lead over the second quadrant below which it is undecided.
    hold_s : float
        A new quadrant is shown once it has led so long: what is shown does not flicker.
    shown_from : float
        Least probability of a quadrant that is shown.
    """

    enough_s: float = 10.0
    judged_s: float = 5.0
    least_segments: int = 8
    late_s: float = 0.35
    silent_s: float = 2.0
    margin: float = 1e-4
    hold_s: float = 2.0
    shown_from: float = 0.40


@dataclass(frozen=True)
class Sensed:
    """What the session says at the end of a segment.

    Parameters
    ----------
    t_s : float
        From the first sample of the session to the last one of the segment.
    estimate : EmotionEstimate or None
        None where nothing can be said; also given where it is undecided.
    reason : Abstention or None
        Why there is no quadrant; None where there is one.
    text : str
        The reason for people, with the remedy.
    signals : frozenset of Channel
        Whose network spoke: one channel may be left out for its quality.
    quality : mapping of Channel to Quality
    heart_rate_bpm : float or None
    shown : Quadrant or None
        The steady quadrant for the eye; None while nothing is clear enough.
    lost : int
        Samples a channel that never came, so far.
    dropped : int
        Estimates that were left out since a newer one was due, so far.
    felt : EmotionEstimate or None
        What the sensors alone say; `estimate` is the song's own, updated by it.
    song : EmotionEstimate or None
        What the playing song alone says.
    """

    t_s: float
    estimate: EmotionEstimate | None
    reason: Abstention | None
    text: str = ""
    signals: frozenset[Channel] = frozenset()
    quality: Mapping[Channel, Quality] = field(default_factory=dict)
    heart_rate_bpm: float | None = None
    shown: Quadrant | None = None
    lost: int = 0
    dropped: int = 0
    felt: EmotionEstimate | None = None
    song: EmotionEstimate | None = None

    @property
    def quadrant(self) -> Quadrant | None:
        """The most probable quadrant; None where the session abstains."""
        return self.estimate.quadrant if self.estimate and self.reason is None else None

    @property
    def score(self) -> float:
        """Quality of the signals that were used, or of the worst one, 0..1."""
        used = [q.score for c, q in self.quality.items() if not self.signals or c in self.signals]
        return min(used, default=0.0)


class Session:
    """Takes what a source delivers and says how the listener feels.

    `take` everything as it comes; when it returns True a segment is whole:
    `estimate` then speaks of the latest one. Segments that nobody asked for
    in time are counted, not queued. `tick` from time to time notices silence.
    All calls are from one thread at a time; no call waits.

    Parameters
    ----------
    channels : iterable of Channel
        What the source measures; may be empty (a heart rate strap).
    rater : Rater or None
        None where the model is not installed: signals and quality only.
    prior : EmotionEstimate, optional
        The playing song's own estimate.
    speed : float
        Of the source's time against the clock; infinity where nothing is ever late.
    config : SessionConfig, optional
    """

    def __init__(
        self,
        channels: Iterable[Channel],
        rater: Rater | None,
        *,
        prior: EmotionEstimate | None = None,
        speed: float = 1.0,
        config: SessionConfig | None = None,
    ) -> None:
        self.channels = frozenset(channels)
        self.prior = prior
        self.config = config or SessionConfig()
        self.dropped = 0
        self.heart_rate_bpm: float | None = None
        self._rater = rater
        self._speed = speed
        self._stream = SensorStream(self.channels) if self.channels else None
        self._seen = (0, 0)
        self._pending = False
        self._begun_s: float | None = None
        self._lost = dict.fromkeys(self.channels, 0)
        self._break = False
        self._heard_s: float | None = None
        self._told_s = 0.0
        self._silent = False
        self._base_s = np.inf
        self._due_s = 0.0
        self._t_s = 0.0
        self._shown: Quadrant | None = None
        self._rival: tuple[Quadrant | None, float] = (None, 0.0)

    @property
    def lost(self) -> int:
        """Samples a channel that never came."""
        return max(self._lost.values(), default=0)

    # -- in -----------------------------------------------------------------------

    def take(self, delivery: Delivery, now_s: float) -> bool:
        """Take one delivery that arrived at `now_s` (the caller's clock); True if a segment is due.

        Whatever it is, it is taken: chunks of unknown channels and notes
        that mean nothing here are ignored.
        """
        if isinstance(delivery, HeartRate):
            self.heart_rate_bpm = float(delivery.bpm) if delivery.bpm > 0 else None
            if self._begun_s is None:
                self._begun_s = delivery.t_s
            self._t_s = max(self._t_s, delivery.t_s - self._begun_s)
            self._heard(now_s)
            return not self.channels
        if isinstance(delivery, Annotation):
            if delivery.kind in (AnnotationKind.GAP, AnnotationKind.CLOCK_RESET):
                self._break = True
            return False
        if self._stream is None or delivery.channel not in self.channels:
            return False
        return self._take_chunk(self._stream, delivery, now_s)

    def _take_chunk(self, stream: SensorStream, chunk: SignalChunk, now_s: float) -> bool:
        self._heard(now_s)
        if self._begun_s is None:
            self._begun_s = chunk.t0_s
        self._lost[chunk.channel] += round(chunk.lost * FS_HZ / chunk.fs_hz)
        if self._break and chunk.lost == 0:
            stream.restart()
        self._break = False
        stream.push(chunk)
        end_s = chunk.t0_s + chunk.duration_s
        # How late this comes against the promptest chunk so far; clocks may drift by 1 in 10,000.
        late_s = (now_s - end_s / self._speed) if np.isfinite(self._speed) else 0.0
        self._base_s = min(self._base_s + 1e-4 * chunk.duration_s, late_s)
        now = (stream.restarts, stream.hops)
        if now[0] != self._seen[0]:
            self._seen = (now[0], 0)
        fresh = now[1] - self._seen[1]
        if fresh <= 0:
            return self._pending
        self.dropped += fresh - 1 + int(self._pending)
        self._seen = now
        self._pending = True
        self._due_s = now_s - (late_s - self._base_s)
        return True

    def _heard(self, now_s: float) -> None:
        self._heard_s = now_s
        self._silent = False

    # -- out ----------------------------------------------------------------------

    def estimate(self, now_s: float) -> Sensed | None:
        """Speak of the latest whole segment; None where none is due or it is too late for it."""
        if not self.channels:
            text = "this device gives a heart rate only, which tells no emotion"
            return self._say(Abstention.NO_MODEL, text)
        if not self._pending or self._stream is None:
            return None
        self._pending = False
        if now_s - self._due_s > self.config.late_s:
            self.dropped += 1
            return None
        window = self._stream.window()
        self._t_s = window.end_s - (self._begun_s or 0.0)
        return self._speak(window)

    def tick(self, now_s: float) -> Sensed | None:
        """Say that nothing comes, once a hop while that is so; None where all is well."""
        if self._heard_s is None:
            self._heard_s = now_s
        silent_s = now_s - self._heard_s
        waits = self._stream is not None and not self._pending and silent_s >= self.config.silent_s
        if not waits or (self._silent and now_s - self._told_s < self.config.late_s):
            return None
        self._silent, self._told_s = True, now_s
        self._show(None, self._t_s)
        return self._say(Abstention.NO_SIGNAL, f"no signal for {silent_s:.0f} s")

    def _speak(self, window: Window) -> Sensed:
        config = self.config
        quality: dict[Channel, Quality] = {}
        if window.signal_s >= config.judged_s:
            quality = {c: judge(c, x, missing=window.missing[c]) for c, x in window.recent.items()}
        if window.signal_s < config.enough_s:
            text = f"{window.signal_s:.1f} of {config.enough_s:.0f} s of signal collected"
            return self._say(Abstention.COLLECTING, text, quality)
        ppg = quality.get(Channel.PPG)
        if ppg is not None and ppg.beats is not None:
            self.heart_rate_bpm = ppg.beats.rate_bpm if ppg.usable else None
        good = frozenset(c for c, q in quality.items() if q.usable)
        if self._rater is None:
            return self._say(Abstention.NO_MODEL, "the sensor model is not installed", quality)
        if good == self.channels and not self._rater.reads(good):
            text = f"no network of {self._rater.model_id} reads {_names(good)} alone"
            return self._say(Abstention.NO_MODEL, text, quality)
        if not self._rater.reads(good):
            return self._say(Abstention.QUALITY, self._faults(quality), quality)
        segments = {c: window.segments[c] for c in window.segments if c in good}
        if min(len(x) for x in segments.values()) < config.least_segments:
            return self._say(Abstention.LOSS, "too many gaps in the last minute", quality)
        return self._decide(self._rater.classify(segments), quality, good)

    def _decide(
        self,
        felt: EmotionEstimate,
        quality: Mapping[Channel, Quality],
        signals: frozenset[Channel],
    ) -> Sensed:
        said = felt
        if self.prior is not None and self._rater is not None:
            said = _fused(self.prior, felt, self._rater.song_weight)
        ranked = sorted(said.probabilities, reverse=True)
        if ranked[0] - ranked[1] < self.config.margin:
            text = "two quadrants are equally probable"
            return self._say(Abstention.UNDECIDED, text, quality, said, signals, felt)
        clear = said.quadrant if ranked[0] >= self.config.shown_from else None
        self._show(clear, self._t_s)
        text = f"{_names(signals)} alone" if len(signals) == 1 else ""
        if signals != self.channels:
            text += f": {self._faults(quality)}"
        return self._say(None, text, quality, said, signals, felt)

    def _faults(self, quality: Mapping[Channel, Quality]) -> str:
        texts = {c: q.issues[0].text for c, q in quality.items() if q.issues}
        texts |= {c: "no signal" for c in self.channels if c not in quality}
        return "; ".join(f"{c.value.upper()}: {texts[c]}" for c in Channel if c in texts)

    def _say(
        self,
        reason: Abstention | None,
        text: str,
        quality: Mapping[Channel, Quality] | None = None,
        estimate: EmotionEstimate | None = None,
        signals: frozenset[Channel] = frozenset(),
        felt: EmotionEstimate | None = None,
    ) -> Sensed:
        if reason is not None:
            self._show(None, self._t_s)
        return Sensed(
            t_s=self._t_s,
            estimate=estimate,
            reason=reason,
            text=text,
            signals=signals,
            quality=quality or {},
            heart_rate_bpm=self.heart_rate_bpm,
            shown=self._shown,
            lost=self.lost,
            dropped=self.dropped,
            felt=felt,
            song=self.prior,
        )

    def latency_s(self, now_s: float) -> float:
        """From the arrival of the last segment's last sample to `now_s`."""
        return max(0.0, now_s - self._due_s)

    def _show(self, quadrant: Quadrant | None, t_s: float) -> None:
        """Hysteresis: a change is shown once it has lasted."""
        if quadrant == self._shown or quadrant != self._rival[0]:
            self._rival = (quadrant, t_s)
        if t_s - self._rival[1] >= self.config.hold_s:
            self._shown = self._rival[0]


def _fused(prior: EmotionEstimate, felt: EmotionEstimate, weight: float) -> EmotionEstimate:
    from inference.sensor_runtime import fuse

    p = fuse(prior.probabilities, felt.probabilities, weight)
    # Where the sensors count for nothing the song's calibrated confidence stands.
    moved = max(abs(a - b) for a, b in zip(p, prior.probabilities, strict=True))
    confidence = prior.confidence if moved < 1e-6 else max(p)
    return EmotionEstimate(p, confidence, f"{prior.model_id}+{felt.model_id}")


def _names(channels: Iterable[Channel]) -> str:
    return " and ".join(sorted(c.value.upper() for c in channels))
