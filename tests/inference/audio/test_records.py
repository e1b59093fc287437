"""Stored features and timelines: exact enough, compact, checked."""

from __future__ import annotations

import numpy as np
import pytest

from inference.audio.features import MAX_BYTES, SongFeatures
from inference.packing import PackingError, pack, unpack
from inference.timeline import Timeline


@pytest.fixture
def features() -> SongFeatures:
    rng = np.random.default_rng(0)
    return SongFeatures(
        front_end="ms-sg-1/tiny/1.0",
        duration_s=181.25,
        hop_s=4.9,
        segments=rng.standard_normal((60, 129)).astype(np.float16),
        song=np.array([29.55, 151.9], np.float32),
    )


@pytest.fixture
def timeline() -> Timeline:
    rng = np.random.default_rng(0)
    return Timeline(0.5, 1.0, rng.dirichlet(np.ones(4), 200).astype(np.float32))


def test_features_survive_storage_exactly(features: SongFeatures) -> None:
    data = features.to_bytes()
    again = SongFeatures.from_bytes(data)
    assert len(data) <= MAX_BYTES
    assert (again.front_end, again.duration_s) == (features.front_end, features.duration_s)
    assert again.hop_s == pytest.approx(features.hop_s)
    np.testing.assert_array_equal(again.segments, features.segments)
    np.testing.assert_array_equal(again.song, features.song)
    assert again.to_bytes() == data


def test_a_timeline_survives_storage_within_half_a_percent(timeline: Timeline) -> None:
    data = timeline.to_bytes()
    again = Timeline.from_bytes(data)
    assert len(data) < 900
    assert (again.start_s, again.hop_s) == (0.5, 1.0)
    np.testing.assert_allclose(again.probabilities, timeline.probabilities, atol=0.006)
    np.testing.assert_allclose(again.probabilities.sum(axis=1), 1.0, rtol=1e-6)


def test_a_timeline_tells_time_valence_and_arousal() -> None:
    timeline = Timeline(2.0, 0.5, np.array([[1, 0, 0, 0], [0, 0, 0.5, 0.5]], np.float32))
    np.testing.assert_allclose(timeline.times_s, [2.0, 2.5])
    np.testing.assert_allclose(timeline.valence, [1.0, 0.0])
    np.testing.assert_allclose(timeline.arousal, [1.0, -1.0])


def test_an_empty_timeline_survives() -> None:
    empty = Timeline(0.0, 1.0, np.empty((0, 4), np.float32))
    assert Timeline.from_bytes(empty.to_bytes()).probabilities.shape == (0, 4)


def test_damaged_records_are_refused(features: SongFeatures, timeline: Timeline) -> None:
    for kind, data in ((SongFeatures, features.to_bytes()), (Timeline, timeline.to_bytes())):
        for broken in (b"", data[:5], data[:-1], data + b"x", data[:40] + b"?" + data[41:]):
            with pytest.raises(PackingError) as caught:
                kind.from_bytes(broken)
            assert "Tag the song again" in str(caught.value)


def test_records_of_another_kind_or_a_newer_version_are_refused(timeline: Timeline) -> None:
    with pytest.raises(PackingError, match="another kind"):
        SongFeatures.from_bytes(timeline.to_bytes())
    with pytest.raises(PackingError, match="Update Undertone"):
        unpack(b"TEST", 1, pack(b"TEST", 2, b"content"))
    assert unpack(b"TEST", 2, pack(b"TEST", 2, b"content")) == b"content"
