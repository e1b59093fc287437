"""Chunks of any size, rate and offset become the same segments as a whole recording."""

from __future__ import annotations

import numpy as np
import pytest

from inference.emotion import Quadrant
from inference.physio.images import ListenerScale, conditioned, sensor_images
from inference.physio.segments import segment_count, segment_starts
from inference.physio.signals import FS_HZ, Channel, SignalChunk
from inference.physio.simulate import SimulatedListener
from inference.physio.stream import SensorStream, StreamConfig


def signals(seconds: float, gsr_hz: float = 128.0, ppg_hz: float = 128.0) -> dict:
    listener = SimulatedListener("demo", 0)
    listener.song(Quadrant.HAHV, 0)
    gsr, ppg = listener.next(round(seconds * 128))
    return {
        Channel.GSR: (gsr[:: round(128 / gsr_hz)], gsr_hz),
        Channel.PPG: (ppg[:: round(128 / ppg_hz)], ppg_hz),
    }


def play(stream: SensorStream, given: dict, *, chunk_s: float = 0.25, t0_s: float = 5.0) -> None:
    """Both channels in turn, in chunks."""
    longest = max(len(x) / fs for x, fs in given.values())
    for k in range(int(np.ceil(longest / chunk_s))):
        for channel, (x, fs) in given.items():
            a, b = round(k * chunk_s * fs), round((k + 1) * chunk_s * fs)
            if len(x[a:b]):
                stream.push(chunk_of(channel, x[a:b], fs, t0_s + a / fs))
        if stream.hops and k % 7 == 0:
            stream.window()


def chunk_of(channel: Channel, x: np.ndarray, fs_hz: float, t0_s: float, lost: int = 0):
    return SignalChunk(channel, t0_s, fs_hz, x, channel.unit, lost)


@pytest.mark.parametrize(("gsr_hz", "ppg_hz"), [(128.0, 128.0), (4.0, 64.0)])
def test_live_segments_equal_those_of_training(gsr_hz, ppg_hz):
    given = signals(40.0, gsr_hz, ppg_hz)
    stream = SensorStream(Channel)
    play(stream, given)
    whole = {c: conditioned(SignalChunk.of(c, x, fs)) for c, (x, fs) in given.items()}
    n = min(len(x) for x in whole.values())
    assert stream.samples == n
    assert stream.hops == segment_count(n)
    gsr, ppg = whole[Channel.GSR][:n], whole[Channel.PPG][:n]
    images = sensor_images(gsr, ppg, ListenerScale.of(gsr, ppg))
    starts = segment_starts(n)
    chosen = np.linspace(0, len(starts) - 1, 16).round().astype(int)
    expected = images.segments(starts[chosen])
    window = stream.window()
    for channel, image in zip((Channel.GSR, Channel.PPG), expected, strict=True):
        assert window.segments[channel].shape == image.shape
        assert np.abs(window.segments[channel] - image).max() < 1e-4
    assert window.end_s == pytest.approx(5.0 + (starts[-1] + 64) / FS_HZ)


def test_memory_does_not_grow():
    stream = SensorStream(Channel, StreamConfig(window_s=5.0, lead_s=1.0))
    sizes = []
    for _ in range(6):
        play(stream, signals(20.0))
        lanes = stream._lanes.values()
        sizes.append(sum(x.columns.nbytes + x.raw.nbytes + x.whole.nbytes for x in lanes))
    assert max(sizes[2:]) <= 2.2 * sizes[0]
    assert stream.hops == segment_count(round(120.0 * FS_HZ))


def test_channels_begin_together():
    given = signals(12.0)
    stream = SensorStream(Channel)
    stream.push(chunk_of(Channel.GSR, given[Channel.GSR][0][:512], 128.0, 0.0))
    stream.push(chunk_of(Channel.PPG, given[Channel.PPG][0][128:512], 128.0, 1.0))
    assert stream.samples == 384
    window = stream.window()
    assert window.recent[Channel.GSR][0] == given[Channel.GSR][0][128]
    assert window.recent[Channel.PPG][0] == given[Channel.PPG][0][128]


def test_a_short_loss_is_bridged_and_its_segments_are_left_out():
    gsr, ppg = (x for x, _ in signals(20.0).values())
    stream = SensorStream(Channel)
    for channel, x in ((Channel.GSR, gsr), (Channel.PPG, ppg)):
        stream.push(chunk_of(channel, x[:1280], 128.0, 0.0))
    for channel, x in ((Channel.GSR, gsr), (Channel.PPG, ppg)):
        stream.push(chunk_of(channel, x[1312:1920], 128.0, 10.25, lost=32))
    assert stream.restarts == 0
    assert stream.samples == 1920
    window = stream.window()
    assert len(window.segments[Channel.PPG]) == 16
    assert window.missing[Channel.PPG] == pytest.approx(32 / 1280, abs=0.002)
    starts = stream._choose(stream.hops - 1)
    assert not np.any((starts < 1312) & (starts + 64 > 1280))


def test_a_long_loss_begins_anew_and_keeps_the_listener():
    gsr, ppg = (x for x, _ in signals(20.0).values())
    stream = SensorStream(Channel)
    for channel, x in ((Channel.GSR, gsr), (Channel.PPG, ppg)):
        stream.push(chunk_of(channel, x[:1280], 128.0, 0.0))
    stream.window()
    known = len(stream._prefix[Channel.GSR])
    for channel, x in ((Channel.GSR, gsr), (Channel.PPG, ppg)):
        stream.push(chunk_of(channel, x[1600:1800], 128.0, 12.5, lost=320))
    assert stream.restarts >= 1
    assert stream.samples == 200
    assert stream.window().signal_s < 2.0
    assert len(stream._prefix[Channel.GSR]) > known > 0


def test_a_channel_that_never_sends_is_waited_for_in_vain_and_does_not_pile_up_the_other():
    ppg = signals(20.0)[Channel.PPG][0]
    stream = SensorStream(Channel)
    for i in range(120):
        chunk = chunk_of(Channel.PPG, ppg[(i % 10) * 128 : (i % 10 + 1) * 128], 128.0, float(i))
        stream.push(chunk)
        assert len(stream._lanes[Channel.PPG].raw) <= 2 * 68 * FS_HZ
        assert (stream.hops > 0) == (i >= 6)
    window = stream.window()
    assert set(window.segments) == set(window.recent) == {Channel.PPG}
    assert window.signal_s > 119.0
    assert stream.restarts == 0


def test_a_channel_that_falls_silent_leaves_the_other_to_go_on_and_may_come_back():
    gsr, ppg = (x for x, _ in signals(10.0).values())
    stream = SensorStream(Channel)
    for i in range(50):
        at = slice((i % 10) * 128, (i % 10 + 1) * 128)
        stream.push(chunk_of(Channel.PPG, ppg[at], 128.0, float(i)))
        if not 12 <= i < 30:
            stream.push(chunk_of(Channel.GSR, gsr[at], 128.0, float(i)))
        if i == 11:
            before = stream.window()
        if i == 29:
            alone = stream.window()
    assert set(before.segments) == set(Channel)
    assert set(alone.segments) == {Channel.PPG}
    assert alone.signal_s > 29.0  # nothing of it was thrown away
    both = stream.window()
    assert set(both.segments) == set(Channel)
    assert both.end_s == pytest.approx(50.0, abs=0.4)
    assert 18.0 < both.signal_s < 20.5


def test_one_channel_alone_and_foreign_chunks():
    gsr, ppg = (x for x, _ in signals(12.0).values())
    stream = SensorStream([Channel.PPG])
    stream.push(chunk_of(Channel.GSR, gsr, 128.0, 0.0))
    stream.push(chunk_of(Channel.PPG, ppg, 128.0, 0.0))
    window = stream.window()
    assert set(window.segments) == {Channel.PPG}
    assert window.segments[Channel.PPG].shape == (16, 32, 64)


def test_no_channel_and_no_segment_are_refused():
    with pytest.raises(ValueError, match="channel"):
        SensorStream([])
    with pytest.raises(ValueError, match="segment"):
        SensorStream(Channel).window()


def test_what_nobody_asks_for_does_not_pile_up():
    gsr, ppg = (x for x, _ in signals(10.0).values())
    stream = SensorStream(Channel)
    for i in range(30):
        for channel, x in ((Channel.GSR, gsr), (Channel.PPG, ppg)):
            stream.push(chunk_of(channel, x, 128.0, 10.0 * i))
        for lane in stream._lanes.values():
            assert sum(map(len, lane._waiting)) <= 45 * FS_HZ
    assert stream.restarts == 0
    assert stream.window().signal_s > 299.0
