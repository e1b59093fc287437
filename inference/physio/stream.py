"""Chunks of GSR and PPG as they come, to the segments that the network reads: live, bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.physio.conditioning import Conditioner
from inference.physio.images import ListenerScale
from inference.physio.quality import RECENT_S
from inference.physio.scalogram import GSR_SCALES, PPG_SCALES, CausalScalogram
from inference.physio.segments import HOP_SAMPLES, SEGMENT_SAMPLES, segment_count
from inference.physio.signals import FS_HZ, Channel, SignalChunk

__all__ = ["SensorStream", "StreamConfig", "Window"]

Samples = NDArray[np.float32]
_UNASKED_S = 30.0


@dataclass(frozen=True)
class StreamConfig:
    """How much of the past is looked at.

    Parameters
    ----------
    window_s : float
        The network reads segments of the last so many seconds.
    segments : int
        Evenly spaced in the window, as in training.
    prefix_s : float
        A listener's scale is learned from so much signal without labels, then kept.
    bridge_s : float
        A gap up to this is bridged by a straight line and its segments are
        left out; after a longer one the filters begin anew.
    lead_s : float
        A channel that is so far ahead of the other one waits no longer: it goes
        on alone until the other one comes back.
    """

    window_s: float = 60.0
    segments: int = 16
    prefix_s: float = 120.0
    bridge_s: float = 1.0
    lead_s: float = 5.0


@dataclass(frozen=True)
class Window:
    """What is known at the end of one segment.

    Parameters
    ----------
    end_s : float
        Session time of the last sample.
    signal_s : float
        Length of unbroken signal up to there.
    segments : mapping of Channel to ndarray, shape (L, rows, 64), float32
        Of the channels that send, old to new; fewer than configured where the
        rest is lost or not there yet.
    recent : mapping of Channel to ndarray, shape (n,), float32
        The last seconds at 128 Hz in the channel's unit, unfiltered.
    missing : mapping of Channel to float
        Share of `recent` that was lost and bridged.
    """

    end_s: float
    signal_s: float
    segments: Mapping[Channel, Samples]
    recent: Mapping[Channel, Samples]
    missing: Mapping[Channel, float]


class _Lane:
    """One channel since the last restart, at 128 Hz."""

    def __init__(self, channel: Channel, config: StreamConfig) -> None:
        self.channel = channel
        self._config = config
        self._filter = Conditioner(channel)
        self._bank = CausalScalogram(GSR_SCALES if channel is Channel.GSR else PPG_SCALES)
        self.t0_s: float | None = None
        self.skip = 0
        self.count = 0
        """Samples that were taken, the skipped ones left out."""
        self._taken_in = 0
        self._made = 0
        self._last = 0.0
        self.fs_hz = FS_HZ
        self._waiting: list[Samples] = []
        self._raw = np.zeros(0, np.float32)
        self._whole = np.zeros(0, np.bool_)
        self.columns = np.zeros((self._bank.config.rows, 0), np.float32)
        self.transformed = 0
        self.prefix = np.zeros(0, np.float32)

    @property
    def raw(self) -> Samples:
        return self._raw

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Whether each sample of `raw` was measured, rather than bridged."""
        return self._whole

    def take(self, chunk: SignalChunk) -> None:
        """Bring a chunk to 128 Hz behind what is there; a short loss is bridged."""
        x = np.asarray(chunk.samples, np.float64)
        if len(x) == 0:
            return
        if self.t0_s is None:
            self.t0_s, self.fs_hz = chunk.t0_s, chunk.fs_hz
        elif chunk.lost:
            line = np.linspace(self._last, x[0], chunk.lost + 2)[1:-1]
            self._resample(line, measured=False)
        self._resample(x, measured=True)

    def _resample(self, x: NDArray[np.float64], *, measured: bool) -> None:
        """As `signals.resample` does with a whole recording."""
        if self.fs_hz == FS_HZ:
            values = x
        else:
            first = self._taken_in
            at_s = np.arange(first, first + len(x)) / self.fs_hz
            known = x
            if first:
                at_s = np.concatenate([[(first - 1) / self.fs_hz], at_s])
                known = np.concatenate([[self._last], x])
            stop = int(np.floor(at_s[-1] * FS_HZ + 1e-9)) + 1
            values = np.interp(np.arange(self._made, stop) / FS_HZ, at_s, known)
            self._made = max(self._made, stop)
        self._taken_in += len(x)
        self._last = float(x[-1])
        dropped = min(self.skip, len(values))
        self.skip -= dropped
        kept = values[dropped:].astype(np.float32)
        self.count += len(kept)
        self._raw = np.concatenate([self._raw, kept])
        self._whole = np.concatenate([self._whole, np.full(len(kept), measured)])
        self._waiting.append(kept)

    def shift(self, samples: int) -> None:
        """Leave out the first `samples` of all, to begin with the other channel."""
        dropped = min(samples, self.count)
        self.skip = samples - dropped
        self.count -= dropped
        self._raw, self._whole = self._raw[dropped:], self._whole[dropped:]
        self._waiting = [np.concatenate(self._waiting)[dropped:]] if self._waiting else []

    def transform(self, prefix_left: int) -> Samples:
        """Filter and transform what waits; returns what of it belongs to the prefix."""
        fresh = np.concatenate(self._waiting) if self._waiting else np.zeros(0, np.float32)
        self._waiting = []
        conditioned = self._filter.push(fresh)
        if len(conditioned):
            self.columns = np.concatenate([self.columns, self._bank.push(conditioned)], axis=1)
        self.transformed += len(conditioned)
        keep = round((self._config.window_s + self._config.lead_s + 1.0) * FS_HZ)
        if self.columns.shape[1] > 2 * keep:
            self.columns = self.columns[:, -keep:].copy()
        if len(self._raw) > 2 * keep:
            self._raw, self._whole = self._raw[-keep:].copy(), self._whole[-keep:].copy()
        return conditioned[:prefix_left]


class SensorStream:
    """Turns chunks into windows; the same figures as in training, chunk by chunk.

    Memory does not grow. Both channels begin together: what one of them has
    before the other is left out. The listener's scale is learned from the
    first `prefix_s` seconds of the session, over restarts.

    Parameters
    ----------
    channels : iterable of Channel
        What the source measures.
    config : StreamConfig, optional
    """

    def __init__(self, channels: Iterable[Channel], config: StreamConfig | None = None) -> None:
        self.channels = tuple(sorted(set(channels), key=list(Channel).index))
        if not self.channels:
            raise ValueError("a stream needs a channel")
        self.config = config or StreamConfig()
        self.restarts = 0
        self._prefix = {channel: np.zeros(0, np.float32) for channel in self.channels}
        self._final: ListenerScale | None = None
        self._begin()

    def _begin(self) -> None:
        self._lanes = {channel: _Lane(channel, self.config) for channel in self.channels}
        self._aligned = False

    def restart(self) -> None:
        """Begin anew after a gap or with the next listening; the listener stays the same."""
        self._begin()
        self.restarts += 1

    def push(self, chunk: SignalChunk) -> None:
        """Take the next chunk of a channel; channels that were not announced are ignored."""
        if chunk.channel not in self.channels:
            return
        if chunk.channel not in self._lanes:
            self.restart()  # it was silent, and is back
        lane = self._lanes[chunk.channel]
        broken = chunk.fs_hz != lane.fs_hz or chunk.lost > self.config.bridge_s * chunk.fs_hz
        if broken and lane.t0_s is not None:
            self.restart()
        self._lanes[chunk.channel].take(chunk)
        self._align()
        counts = [x.count for x in self._lanes.values()]
        lead = self.config.lead_s + chunk.duration_s
        if max(counts) - min(counts) > lead * FS_HZ:
            self._go_on_with(chunk.channel)
        elif (
            self._aligned
            and min(counts) - min(x.transformed for x in self._lanes.values()) > _UNASKED_S * FS_HZ
        ):
            self._advance()  # nobody asks for windows: what waits must not pile up

    def _go_on_with(self, channel: Channel) -> None:
        """The other channel is silent: this one waits for it no longer."""
        lane = self._lanes[channel]
        self._lanes = {channel: lane}
        if not self._aligned:
            assert lane.t0_s is not None
            self._origin_s, self._aligned = lane.t0_s, True

    def _align(self) -> None:
        starts = [lane.t0_s for lane in self._lanes.values()]
        if self._aligned or None in starts:
            return
        latest = max(t for t in starts if t is not None)
        for lane in self._lanes.values():
            assert lane.t0_s is not None
            lane.shift(round((latest - lane.t0_s) * FS_HZ))
        self._origin_s = latest
        self._aligned = True

    @property
    def samples(self) -> int:
        """Samples since the last restart that all channels have, but silent ones."""
        return min(lane.count for lane in self._lanes.values()) if self._aligned else 0

    @property
    def hops(self) -> int:
        """Whole segments since the last restart."""
        return segment_count(self.samples)

    @property
    def has_scale(self) -> bool:
        """Whether the listener's scale is final."""
        return all(len(x) >= round(self.config.prefix_s * FS_HZ) for x in self._prefix.values())

    def window(self) -> Window:
        """What is known now, at the end of the latest whole segment.

        Raises
        ------
        ValueError
            If there is none yet.
        """
        last = self.hops - 1
        if last < 0:
            raise ValueError("there is no whole segment yet")
        self._advance()
        scale = self._scale()
        end = round(last * HOP_SAMPLES) + SEGMENT_SAMPLES
        chosen = self._choose(last)
        return Window(
            end_s=self._origin_s + end / FS_HZ,
            signal_s=end / FS_HZ,
            segments={c: self._cut(c, chosen, scale) for c in self._lanes},
            recent={c: self._recent(c, end)[0] for c in self._lanes},
            missing={c: self._recent(c, end)[1] for c in self._lanes},
        )

    def _advance(self) -> None:
        """Filter and transform all that waits."""
        limit = round(self.config.prefix_s * FS_HZ)
        for channel, lane in self._lanes.items():
            have = self._prefix[channel]
            more = lane.transform(limit - len(have))
            if len(more):
                self._prefix[channel] = np.concatenate([have, more])

    def _scale(self) -> ListenerScale:
        if self._final is None and self.has_scale:
            self._final = self._measure_scale()
        return self._final or self._measure_scale()

    def _measure_scale(self) -> ListenerScale:
        known = [self._prefix.get(c, ()) for c in (Channel.GSR, Channel.PPG)]
        other = next(np.asarray(x) for x in known if len(x))
        gsr, ppg = (np.asarray(x) if len(x) else other for x in known)
        n = min(len(gsr), len(ppg))
        if n < FS_HZ:
            return ListenerScale(float(np.median(gsr)), max(float(np.std(ppg)), 1e-6))
        return ListenerScale.of(gsr[:n], ppg[:n], prefix_s=self.config.prefix_s)

    def _choose(self, last: int) -> NDArray[np.int64]:
        """First samples of the segments: evenly spaced among those without loss."""
        first = max(0, last - int((self.config.window_s - 0.5) * FS_HZ / HOP_SAMPLES))
        starts = np.array([round(i * HOP_SAMPLES) for i in range(first, last + 1)], np.int64)
        for lane in self._lanes.values():
            lost = np.concatenate([[0], np.cumsum(~lane.whole)])
            at = starts - (lane.count - len(lane.raw))
            starts = starts[(lost[at + SEGMENT_SAMPLES] - lost[at]) == 0]
        if len(starts) > self.config.segments:
            at = np.linspace(0, len(starts) - 1, self.config.segments).round().astype(np.int64)
            starts = starts[at]
        return starts

    def _cut(self, channel: Channel, starts: NDArray[np.int64], scale: ListenerScale) -> Samples:
        lane = self._lanes[channel]
        at = starts - (lane.transformed - lane.columns.shape[1])
        where = at[:, None] + np.arange(SEGMENT_SAMPLES)
        image = np.ascontiguousarray(lane.columns[:, where].transpose(1, 0, 2))
        if channel is Channel.GSR:
            # The wavelets do not see a constant: the level is the last row alone.
            image[:, -1] -= np.float32(scale.gsr_level)
            return image
        magnitude = np.expm1(image.astype(np.float64)) / scale.ppg_deviation
        return np.log1p(magnitude).astype(np.float32)

    def _recent(self, channel: Channel, end: int) -> tuple[Samples, float]:
        lane = self._lanes[channel]
        stop = end - (lane.count - len(lane.raw))
        start = max(0, stop - round(RECENT_S * FS_HZ))
        whole = lane.whole[start:stop]
        return lane.raw[start:stop], float(np.mean(~whole)) if len(whole) else 0.0
