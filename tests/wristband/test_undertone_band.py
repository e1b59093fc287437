"""The Undertone band profile: exact bytes, exact counts, and nothing that a packet can break."""

from __future__ import annotations

import binascii
import json
import random

import numpy as np
import pytest

from app.wristband.profiles.base import ProtocolError
from app.wristband.profiles.undertone_band import (
    CONTROL,
    SIGNALS,
    STATUS,
    BandInfo,
    BandPacket,
    BandStatus,
    PacketError,
    UndertoneBand,
    decode_packet,
    decode_status,
    encode_info,
    encode_packet,
    encode_status,
)
from app.wristband.source import Annotation, AnnotationKind, Delivery
from inference.physio.signals import Channel, SignalChunk

FS_HZ = 128.0


def packet(
    index: int, n: int = 8, *, first_ms: int = 0, sequence: int = 0, light: int = 1000
) -> bytes:
    """Packet `index` of a band whose sample k has GSR k and PPG `light` + k."""
    k = np.arange(index * n, (index + 1) * n)
    return encode_packet(
        BandPacket(
            sequence=(sequence + index) % 65536,
            time_ms=(first_ms + round(1000 * index * n / FS_HZ)) % 2**32,
            gsr=(k % 60000).astype(np.uint16),
            ppg=(light + k).astype(np.uint32),
        )
    )


def arrival(index: int, n: int = 8) -> float:
    return 100.0 + (index + 1) * n / FS_HZ


def feed(
    band: UndertoneBand, packets: dict[int, bytes] | list[tuple[int, bytes]]
) -> list[Delivery]:
    out: list[Delivery] = []
    for index, data in packets.items() if isinstance(packets, dict) else packets:
        out += band.feed(SIGNALS, data, arrival(index))
    return out


def chunks(deliveries: list[Delivery], channel: Channel) -> list[SignalChunk]:
    return [d for d in deliveries if isinstance(d, SignalChunk) and d.channel is channel]


def kinds(deliveries: list[Delivery]) -> list[AnnotationKind]:
    return [d.kind for d in deliveries if isinstance(d, Annotation)]


class TestBytes:
    def test_the_layout_is_the_published_one(self) -> None:
        data = encode_packet(
            BandPacket(
                sequence=0x0102,
                time_ms=0x03040506,
                gsr=np.array([0x1122, 1], np.uint16),
                ppg=np.array([0x334455, 2], np.uint32),
                flags=3,
            )
        )
        body = bytes.fromhex("01 03 0201 06050403 02 2211 0100 554433 020000")
        assert data == body + binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "little")
        assert binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1  # CRC-16/CCITT-FALSE

    def test_eight_samples_make_51_bytes(self) -> None:
        assert len(packet(0)) == 51

    @pytest.mark.parametrize("n", range(1, 17))
    def test_there_and_back(self, n: int) -> None:
        rng = np.random.default_rng(n)
        sent = BandPacket(
            65535,
            2**32 - 1,
            rng.integers(0, 65536, n, dtype=np.uint16),
            rng.integers(0, 1 << 24, n, dtype=np.uint32),
            5,
        )
        got = decode_packet(encode_packet(sent))
        assert (got.sequence, got.time_ms, got.flags) == (65535, 2**32 - 1, 5)
        np.testing.assert_array_equal(got.gsr, sent.gsr)
        np.testing.assert_array_equal(got.ppg, sent.ppg)

    def test_every_single_bit_error_is_found(self) -> None:
        data = packet(3)
        for bit in range(8 * len(data)):
            damaged = bytearray(data)
            damaged[bit // 8] ^= 1 << bit % 8
            with pytest.raises(PacketError):
                decode_packet(bytes(damaged))

    def test_no_bytes_break_the_reader(self) -> None:
        rng = random.Random(0)
        band = UndertoneBand()
        for i in range(3000):
            data = rng.randbytes(rng.randrange(0, 300))
            assert band.feed(rng.choice([SIGNALS, STATUS]), data, float(i)) == []
        assert band.counters.packets == 0
        assert band.counters.corrupt > 2900  # six random bytes can be a status

    def test_status(self) -> None:
        assert decode_status(encode_status(BandStatus(87, 3, 123456))) == BandStatus(87, 3, 123456)
        for data in (b"", b"\0" * 5, b"\0" * 7, encode_status(BandStatus(101, 0, 0))):
            with pytest.raises(PacketError):
                decode_status(data)

    @pytest.mark.parametrize(("count", "value"), [(0, 0), (17, 0), (1, 1 << 24)])
    def test_an_impossible_packet_is_not_sent(self, count: int, value: int) -> None:
        with pytest.raises(PacketError):
            encode_packet(
                BandPacket(0, 0, np.zeros(count, np.uint16), np.full(count, value, np.uint32))
            )


class TestInfo:
    def test_what_a_band_says_of_itself(self) -> None:
        data = encode_info(model="Ref 1", serial="A-7", firmware="1.0", fs_hz=64.0)
        assert len(data) <= 200
        told = BandInfo.parse(data)
        assert (told.device.model, told.device.serial, told.device.firmware) == (
            "Ref 1", "A-7", "1.0",
        )  # fmt: skip
        band = UndertoneBand()
        band.take_info(data)
        assert band.fs_hz == 64.0

    def test_names_are_plain_text(self) -> None:
        told = json.dumps({"model": "\x1b[31m<b>x\n" + "y" * 90, "gsr_fs_hz": 1, "ppg_fs_hz": 1})
        device = BandInfo.parse(told.encode()).device
        assert device.model.isprintable()
        assert len(device.model) <= 60

    @pytest.mark.parametrize(
        "data",
        [
            b"", b"\xff\xfe", b"[]", b"{}", b"nonsense", b"{" * 150, b" " * 201,
            b'{"gsr_fs_hz": 128, "ppg_fs_hz": 64}', b'{"gsr_fs_hz": NaN, "ppg_fs_hz": NaN}',
            b'{"gsr_fs_hz": "128", "ppg_fs_hz": "128"}', b'{"gsr_fs_hz": 1e9, "ppg_fs_hz": 1e9}',
            b'{"gsr_fs_hz": 0, "ppg_fs_hz": 0}',
        ],
    )  # fmt: skip
    def test_a_bad_description_is_refused(self, data: bytes) -> None:
        with pytest.raises(ProtocolError):
            BandInfo.parse(data)


class TestStream:
    def test_a_whole_stream_comes_through_in_physical_units(self) -> None:
        band = UndertoneBand()
        out = feed(band, {i: packet(i) for i in range(100)})
        gsr = np.concatenate([c.samples for c in chunks(out, Channel.GSR)])
        ppg = np.concatenate([c.samples for c in chunks(out, Channel.PPG)])
        np.testing.assert_allclose(gsr, np.arange(800) * 0.001, rtol=1e-6)
        np.testing.assert_array_equal(ppg, 1000 + np.arange(800))
        assert kinds(out) == []
        counters = band.counters
        assert (counters.packets, counters.samples) == (100, 800)
        assert (counters.lost, counters.duplicate, counters.reordered, counters.corrupt) == (
            0, 0, 0, 0,
        )  # fmt: skip

    def test_chunks_follow_each_other_on_the_session_clock(self) -> None:
        out = feed(UndertoneBand(), {i: packet(i) for i in range(400)})
        t0 = np.array([c.t0_s for c in chunks(out, Channel.GSR)])
        np.testing.assert_allclose(np.diff(t0), 8 / FS_HZ, atol=0.002)
        assert t0[0] == pytest.approx(100.0, abs=0.01)

    @pytest.mark.parametrize("n", [1, 8, 16])
    @pytest.mark.parametrize("gone", [[5], [5, 6, 7], [5, 20, 21], list(range(30, 90))])
    def test_lost_samples_are_counted_where_they_are_missing(self, n: int, gone: list[int]) -> None:
        band = UndertoneBand()
        out = feed(band, {i: packet(i, n) for i in range(100) if i not in gone})
        assert band.counters.lost == n * len(gone)
        for channel in Channel:
            found = chunks(out, channel)
            assert sum(len(c.samples) + c.lost for c in found) == 100 * n
        starts = {g for g in gone if g - 1 not in gone}
        assert kinds(out) == [AnnotationKind.GAP] * len(starts)

    def test_duplicates_and_late_packets_are_left_out_and_counted(self) -> None:
        band = UndertoneBand()
        order = [0, 1, 1, 2, 2, 2, 4, 3, 5, 0, 6]
        out = feed(band, [(i, packet(i)) for i in order])
        assert band.counters.duplicate == 4
        assert band.counters.reordered == 1
        assert band.counters.lost == 8  # packet 3 came too late to be used
        values = np.concatenate([c.samples for c in chunks(out, Channel.PPG)])
        assert np.all(np.diff(values) > 0)

    def test_corrupt_packets_are_counted_and_are_a_gap(self) -> None:
        band = UndertoneBand()
        packets = {i: packet(i) for i in range(20)}
        packets[7] = packets[7][:-1] + b"\0"
        packets[9] = packets[9][:20]
        out = feed(band, packets)
        assert band.counters.corrupt == 2
        assert band.counters.lost == 16
        assert kinds(out) == [AnnotationKind.GAP] * 2

    def test_sequence_and_clock_may_wrap(self) -> None:
        band = UndertoneBand()
        out = feed(
            band,
            {i: packet(i, first_ms=2**32 - 3000, sequence=65500) for i in range(120) if i != 60},
        )
        assert band.counters.lost == 8
        assert kinds(out) == [AnnotationKind.GAP]
        t0 = [c.t0_s for c in chunks(out, Channel.PPG)]
        assert t0 == sorted(t0)
        assert t0[-1] - t0[0] == pytest.approx(119 * 8 / FS_HZ, abs=0.01)

    def test_a_restarted_band_is_noticed(self) -> None:
        band = UndertoneBand()
        before = feed(band, {i: packet(i) for i in range(100)})
        band_restarts_at = 132  # two seconds after the last packet
        after: list[Delivery] = []
        for i in range(50):
            after += band.feed(SIGNALS, packet(i, light=7), arrival(band_restarts_at + i))
        assert kinds(before) == []
        assert kinds(after)[0] is AnnotationKind.CLOCK_RESET
        assert kinds(after).count(AnnotationKind.CLOCK_RESET) == 1
        assert band.counters.packets == 150
        assert band.counters.lost == pytest.approx(32 * 8, abs=2)  # by the host's clock
        assert chunks(after, Channel.PPG)[0].t0_s > chunks(before, Channel.PPG)[-1].t0_s

    def test_a_clock_that_leaps_while_the_link_holds_began_anew(self) -> None:
        band = UndertoneBand()
        feed(band, {i: packet(i) for i in range(20)})
        out = feed(band, {i: packet(i, first_ms=10_000_000) for i in range(20, 40)})
        assert kinds(out) == [AnnotationKind.CLOCK_RESET]
        assert band.counters.lost <= 1

    def test_after_a_broken_link_the_band_s_clock_says_what_is_missing(self) -> None:
        band = UndertoneBand()
        feed(band, {i: packet(i) for i in range(50)})
        band.link_lost()
        out = feed(band, {i: packet(i) for i in range(1650, 1700)})  # 100 s later
        assert kinds(out) == [AnnotationKind.RECONNECTED, AnnotationKind.GAP]
        assert band.counters.lost == 1600 * 8

    def test_a_sequence_that_begins_anew_with_the_link_is_no_loss_of_its_own(self) -> None:
        band = UndertoneBand()
        feed(band, {i: packet(i, sequence=500) for i in range(50)})
        band.link_lost()
        out = feed(band, {i: packet(i, sequence=-60) for i in range(60, 100)})
        assert band.counters.lost == 10 * 8
        assert band.counters.packets == 90
        assert kinds(out) == [AnnotationKind.RECONNECTED, AnnotationKind.GAP]

    def test_contact_and_clipping_are_told_when_they_change(self) -> None:
        band = UndertoneBand()
        found = []
        for i, flags in enumerate([3, 3, 2, 2, 3, 7, 7, 1]):
            data = BandPacket(
                i, round(62.5 * i), np.ones(8, np.uint16), np.ones(8, np.uint32), flags
            )
            found += [
                (d.kind, d.channel)
                for d in band.feed(SIGNALS, encode_packet(data), arrival(i))
                if isinstance(d, Annotation)
            ]
        assert found == [
            (AnnotationKind.CONTACT_LOST, Channel.GSR),
            (AnnotationKind.CONTACT_BACK, Channel.GSR),
            (AnnotationKind.CLIPPING, None),
            (AnnotationKind.CONTACT_LOST, Channel.PPG),
        ]

    def test_status_tells_battery_and_what_the_band_dropped(self) -> None:
        band = UndertoneBand()
        assert band.battery_percent is None
        for dropped in (40, 40, 45, 52):
            assert band.feed(STATUS, encode_status(BandStatus(66, 3, dropped)), 0.0) == []
        assert band.battery_percent == 66
        assert band.counters.dropped_in_device == 12

    def test_what_comes_from_elsewhere_is_ignored(self) -> None:
        band = UndertoneBand()
        assert band.feed(CONTROL, packet(0), 0.0) == []
        assert band.counters.packets == 0

    @pytest.mark.parametrize("seed", range(5))
    def test_injected_faults_are_counted_exactly(self, seed: int) -> None:
        rng = random.Random(seed)
        band = UndertoneBand()
        lost = duplicate = corrupt = 0
        for i in range(2000):
            fate = rng.random() if 0 < i < 1999 else 1.0
            if fate < 0.02:
                lost += 1
                continue
            if fate < 0.04:
                corrupt += 1
                damaged = bytearray(packet(i))
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
                band.feed(SIGNALS, bytes(damaged), arrival(i))
                continue
            band.feed(SIGNALS, packet(i), arrival(i) + rng.random() * 0.2)
            if fate < 0.07:
                duplicate += 1
                band.feed(SIGNALS, packet(i), arrival(i))
        counters = band.counters
        assert counters.lost == 8 * (lost + corrupt)
        assert counters.duplicate == duplicate
        assert counters.corrupt == corrupt
        assert counters.reordered == 0
