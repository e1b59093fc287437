"""Heart rate bands and Polar's optical bands: published layouts, damaged bytes, exact counts."""

from __future__ import annotations

import random

import numpy as np
import pytest

from app.wristband.profiles.heart_rate import MEASUREMENT, HeartRateProfile, decode_heart_rate
from app.wristband.profiles.polar_pmd import (
    CONTROL,
    DATA,
    FS_HZ,
    PolarPmd,
    decode_frame,
    encode_frame,
)
from app.wristband.source import Annotation, AnnotationKind, Delivery, HeartRate
from inference.physio.signals import Channel, SignalChunk


class TestHeartRate:
    @pytest.mark.parametrize(
        ("data", "bpm", "rr_s", "contact"),
        [
            ("00 48", 72, (), None),
            ("01 2c01", 300, (), None),
            ("06 48", 72, (), True),
            ("04 48", 72, (), False),
            ("02 48", 72, (), None),  # the contact bit without "contact is known"
            ("10 48 0004", 72, (1.0,), None),
            ("10 48 0004 0002", 72, (1.0, 0.5), None),
            ("1f 4800 1027 0003", 72, (0.75,), True),
            ("08 48 1027", 72, (), None),
            ("10 48", 72, (), None),
        ],
    )
    def test_the_flags_are_honoured(
        self, data: str, bpm: int, rr_s: tuple[float, ...], contact: bool | None
    ) -> None:
        assert decode_heart_rate(bytes.fromhex(data), 5.0) == HeartRate(5.0, bpm, rr_s, contact)

    @pytest.mark.parametrize("data", ["", "00", "01 48", "10 48 00", "08 48 10", "00 48 0004"])
    def test_what_does_not_fit_its_flags_is_refused(self, data: str) -> None:
        with pytest.raises(ValueError, match=r"measurement|fit"):
            decode_heart_rate(bytes.fromhex(data), 0.0)

    def test_the_profile_delivers_and_counts(self) -> None:
        profile = HeartRateProfile()
        assert profile.channels == frozenset()
        assert profile.feed(MEASUREMENT, bytes.fromhex("00 48"), 1.0) == [HeartRate(1.0, 72)]
        assert profile.feed(MEASUREMENT, b"", 2.0) == []
        assert (profile.counters.packets, profile.counters.corrupt) == (1, 1)


def light(start: int, n: int) -> np.ndarray:
    """Samples start..start+n-1: three lights around 200,000 and an ambient of 1,000."""
    k = np.arange(start, start + n)
    pulse = np.round(2000 * np.sin(2 * np.pi * 1.2 * k / FS_HZ)).astype(np.int32)
    columns = [200_000 + pulse, 210_000 + pulse, -50_000 + pulse, np.full(n, 1000)]
    return np.stack(columns, axis=1).astype(np.int32)


def time_ns(last: int) -> int:
    return 700_000_000_000_000_000 + round(last / FS_HZ * 1e9)


def frames(count: int, n: int = 36) -> list[bytes]:
    return [encode_frame(time_ns((i + 1) * n - 1), light(i * n, n)) for i in range(count)]


def feed(profile: PolarPmd, numbered: list[tuple[int, bytes]], n: int = 36) -> list[Delivery]:
    out: list[Delivery] = []
    for i, data in numbered:
        out += profile.feed(DATA, data, 50.0 + (i + 1) * n / FS_HZ)
    return out


class TestPolar:
    @pytest.mark.parametrize("bits", [13, 16, 22, 32])
    @pytest.mark.parametrize("n", [1, 2, 36, 300])
    def test_deltas_there_and_back(self, bits: int, n: int) -> None:
        time, samples = decode_frame(encode_frame(123, light(7, n), bits))
        assert time == 123
        np.testing.assert_array_equal(samples, light(7, n))

    def test_a_frame_by_hand(self) -> None:
        data = bytes.fromhex(
            "01 0100000000000000 80"  # PPG, 1 ns, deltas
            "640000 c80000 ffffff 000000"  # 100, 200, -1, 0
            "04 01 f1 27"  # one delta a channel of 4 bits: 1, -1, 7, 2
        )
        assert decode_frame(data)[1].tolist() == [[100, 200, -1, 0], [101, 199, 6, 2]]

    def test_plain_samples(self) -> None:
        data = bytes.fromhex("01 0100000000000000 00 640000 c80000 ffffff 000000")
        assert decode_frame(data)[1].tolist() == [[100, 200, -1, 0]]

    def test_damaged_frames_are_counted_and_never_raise(self) -> None:
        rng = random.Random(1)
        profile = PolarPmd()
        whole = frames(1)[0]
        tried = 0
        for cut in range(len(whole)):
            profile.feed(DATA, whole[:cut], 0.0)
            tried += 1
        for _ in range(500):
            head = whole[:10] if rng.random() < 0.7 else b""
            profile.feed(DATA, head + rng.randbytes(rng.randrange(200)), 0.0)
            tried += 1
        counters = profile.counters
        assert counters.corrupt > 500
        assert (
            counters.corrupt + counters.packets + counters.duplicate + counters.reordered == tried
        )

    def test_a_whole_stream_comes_through(self) -> None:
        profile = PolarPmd()
        out = feed(profile, list(enumerate(frames(50))))
        found = [d for d in out if isinstance(d, SignalChunk)]
        assert {c.channel for c in found} == {Channel.PPG} == set(profile.channels)
        values = np.concatenate([c.samples for c in found])
        expected = light(0, 50 * 36)
        np.testing.assert_allclose(values, expected[:, :3].mean(axis=1) - 1000, rtol=1e-5)
        assert profile.counters.lost == 0
        assert np.diff([c.t0_s for c in found]) == pytest.approx(36 / FS_HZ, abs=0.01)

    def test_lost_duplicate_late_and_a_new_clock(self) -> None:
        profile = PolarPmd()
        sent = frames(20)
        order = [0, 1, 1, 2, 5, 4, 6]
        out = feed(profile, [(i, sent[i]) for i in order])
        counters = profile.counters
        assert (counters.duplicate, counters.reordered, counters.lost) == (1, 1, 72)
        profile.link_lost()
        out = feed(profile, [(30, sent[19])])
        assert [d.kind for d in out if isinstance(d, Annotation)] == [
            AnnotationKind.RECONNECTED,
            AnnotationKind.GAP,
        ]
        out = feed(profile, [(40, encode_frame(5_000_000_000, light(0, 36)))])
        assert out
        assert isinstance(out[0], Annotation)
        assert out[0].kind is AnnotationKind.CLOCK_RESET

    def test_answers_to_commands_are_no_signal(self) -> None:
        profile = PolarPmd()
        assert profile.feed(CONTROL, bytes.fromhex("f0 02 01 00 00"), 0.0) == []
        assert profile.counters.corrupt == 0
