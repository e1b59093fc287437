"""The reference firmware: its packets under CPython and MicroPython, its parts against fakes."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.wristband.profiles import undertone_band as profile
from app.wristband.profiles.undertone_band import BandInfo, UndertoneBand, decode_packet
from app.wristband.source import AnnotationKind
from inference.physio.signals import Channel, SignalChunk

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "resources" / "band"
VECTORS = Path(__file__).parent / "firmware" / "vectors.py"
RUNNER = Path(__file__).parent / "firmware" / "run.mjs"
FILES = sorted(FIRMWARE.glob("*.py"))
# What MicroPython has of the standard library on an ESP32, and its own modules.
MODULES = {
    *("array", "asyncio", "binascii", "json", "os", "struct", "sys", "time"),
    *("bluetooth", "machine", "micropython"),
}


def micropython() -> list[str] | None:
    """How a script is run under MicroPython here; None where that cannot be done.

    `micropython` on the path (or the program that MICROPYTHON names), or the WebAssembly port
    from npm, which set-up puts into the virtual environment where node is there.
    """
    named = os.environ.get("MICROPYTHON") or shutil.which("micropython")
    if named:
        return [named, str(VECTORS), str(FIRMWARE)]
    package = Path(sys.prefix) / "share" / "micropython" / "micropython.mjs"
    node = shutil.which("node")
    if node and package.is_file():
        return [node, str(RUNNER), str(package), str(VECTORS), str(FIRMWARE / "packets.py")]
    return None


def lines(command: list[str]) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def firmware(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Loads files of the firmware as modules, with MicroPython's own ones faked."""
    made = types.ModuleType("micropython")
    made.const = lambda value: value  # type: ignore[attr-defined]
    bluetooth = types.ModuleType("bluetooth")
    bluetooth.UUID = FakeUUID  # type: ignore[attr-defined]
    clock = types.ModuleType("time")
    clock.sleep_ms = lambda _: None  # type: ignore[attr-defined]
    clock.ticks_diff = lambda a, b: a - b  # type: ignore[attr-defined]
    clock.ticks_ms = lambda: 0  # type: ignore[attr-defined]
    for module in (made, bluetooth):
        monkeypatch.setitem(sys.modules, module.__name__, module)

    def load(name: str) -> Any:
        spec = importlib.util.spec_from_file_location(name, FIRMWARE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        if hasattr(module, "time"):
            module.time = clock
        return module

    return load


class FakeUUID:
    def __init__(self, text: str) -> None:
        self.text = text

    def __bytes__(self) -> bytes:
        return bytes.fromhex(self.text.replace("-", ""))[::-1]


class TestPackets:
    def test_the_reader_reads_what_the_band_writes(self, firmware: Any) -> None:
        packets = firmware("packets")
        rng = np.random.default_rng(0)
        for n in range(1, 17):
            gsr = rng.integers(0, 1 << 16, n).tolist()
            ppg = rng.integers(0, 1 << 24, n).tolist()
            read = decode_packet(packets.encode_packet(70_000, 2**32 + 7, gsr, ppg, 5))
            assert (read.sequence, read.time_ms, read.flags) == (70_000 % 65536, 7, 5)
            assert (read.gsr.tolist(), read.ppg.tolist()) == (gsr, ppg)

    def test_the_description_is_one_that_the_reader_takes(self, firmware: Any) -> None:
        told = BandInfo.parse(firmware("packets").encode_info("m", "a1b2", "1.0", 128))
        assert (told.device.serial, told.gsr_fs_hz) == ("a1b2", 128.0)

    def test_under_micropython_it_does_the_same_to_the_byte(self) -> None:
        command = micropython()
        if command is None:
            pytest.skip("needs `micropython`, or node and its npm package (see resources/band)")
        expected = lines([sys.executable, str(VECTORS), str(FIRMWARE)])
        assert len(expected) > 30
        assert lines(command) == expected

    def test_known_results(self) -> None:
        told = dict(
            line.split(" ", 1)
            for line in lines([sys.executable, str(VECTORS), str(FIRMWARE)])
            if not line.startswith(("packet", "no skin", "too few", "after"))
        )
        assert told["crc"] == str(0x29B1)
        assert told["room"] == "[1, 2, 7, 8, 8, 8]"
        assert told["clock"] == f"[0, 8, 16, {2**29 + 10}, {2**30 + 15}]"
        assert told["ring"] == "(8, 3, 6)"  # three found no room, a gap after the sixth
        assert told["skin"] == "5.0"


class FakeRegisters:
    """An I2C bus with a MAX30102 (its FIFO filled by the test) and an ADS1115."""

    def __init__(self, part: int = 0x15) -> None:
        self.fifo: list[int] = []
        self.volts = 0.0
        self.registers = {0xFF: part, 0x04: 0, 0x06: 0, 0x09: 0}

    def writeto_mem(self, address: int, register: int, data: bytes) -> None:
        if address == 0x57:
            # The reset clears itself.
            self.registers[register] = 0 if data[0] == 0x40 else data[0]

    def readfrom_mem_into(self, address: int, register: int, into: Any) -> None:
        if address == 0x48:
            into[:] = round(self.volts / 4.096 * 32768).to_bytes(2, "big", signed=True)
        elif register == 0x07:
            count = len(into) // 3
            into[:] = b"".join(v.to_bytes(3, "big") for v in self.fifo[:count])
            self.fifo = self.fifo[count:]
            self.registers[0x06] = (self.registers[0x06] + count) % 32
        else:
            self.registers[0x04] = (self.registers[0x06] + len(self.fifo)) % 32
            into[0] = self.registers.get(register, 0)


class TestSensors:
    def test_the_pulse_is_averaged_and_turned_over(self, firmware: Any) -> None:
        firmware("packets")
        bus = FakeRegisters()
        pulse = firmware("sensors").Max3010x(bus)
        bus.fifo = [100_000, 100_004, 100_008]
        assert pulse.read() == (1 << 18) - 1 - 100_004
        assert pulse.read() == (1 << 18) - 1 - 100_004  # nothing new: the value stands

    def test_another_part_is_named(self, firmware: Any) -> None:
        firmware("packets")
        sensors = firmware("sensors")
        with pytest.raises(sensors.SensorError, match="MAX3010"):
            sensors.Max3010x(FakeRegisters(part=0x11))

    def test_a_calibrated_front_end_measures_conductance(
        self, firmware: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        firmware("packets")
        sensors, calibrate = firmware("sensors"), firmware("calibrate")
        bus = FakeRegisters()
        adc = sensors.Ads1115(bus)
        leads = {"ohm": 1e6}

        def front_end() -> None:  # 3 % of gain and 2 mV of offset away from the drawing
            bus.volts = 0.515 * 220e3 / (leads["ohm"] + 10_000) + 0.002

        def ask(text: str) -> str:
            leads["ohm"] = float(text.split()[0])
            front_end()
            return "skip" if text.startswith("470000") else ""

        said: list[str] = []
        gain, offset = calibrate.run(adc, ask, said.append)
        assert calibrate.load() == (gain, offset)
        assert "largest error 0.00" in said[0]
        skin = sensors.SkinConductance(adc, gain, offset)
        for ohm, us in ((200e3, 5.0), (2e6, 0.5), (80e3, 12.5)):
            leads["ohm"] = ohm
            front_end()
            assert skin.read() == pytest.approx(us, abs=0.005)


class FakeRadio:
    """`bluetooth.BLE` as far as the band uses it."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.full = False
        self.advertised: list[tuple[bytes, bytes]] = []
        self.values: dict[int, bytes] = {}

    def active(self, _: bool) -> None: ...

    def config(self, **_: Any) -> None: ...

    def irq(self, handler: Any) -> None:
        self.event = handler

    def gatts_register_services(self, services: Any) -> Any:
        self.offered = {uuid.text: flags for uuid, flags in services[0][1]}
        self.service = services[0][0].text
        return ((10, 11, 12, 13),)

    def gatts_set_buffer(self, *_: int) -> None: ...

    def gatts_write(self, handle: int, value: bytes) -> None:
        self.values[handle] = value

    def gatts_read(self, handle: int) -> bytes:
        return self.values[handle]

    def gatts_notify(self, _: int, handle: int, data: bytes) -> None:
        if self.full:
            raise OSError(12)
        self.sent.append((handle, data))

    def gap_advertise(self, _: int, adv_data: bytes, resp_data: bytes) -> None:
        self.advertised.append((adv_data, resp_data))

    def write(self, value: bytes) -> None:
        self.values[13] = value
        self.event(3, (0, 13))


class Sensor:
    def __init__(self, value: float) -> None:
        self.value = value
        self.broken = False

    def read(self) -> Any:
        if self.broken:
            raise OSError(5)
        return self.value


class Bench:
    """A band on fakes, with a clock of its own, and the program's reader at the other end."""

    def __init__(self, firmware: Any) -> None:
        firmware("packets")
        self.radio = FakeRadio()
        self.gsr, self.ppg = Sensor(2.5), Sensor(150_000)
        self.samples = 0
        self.band = firmware("band").Band(
            self.radio, self.gsr, self.ppg, "a1b2", battery=lambda: 83, ticks=self.ticks
        )
        self.reader = UndertoneBand()
        self.reader.take_info(self.radio.values[10])

    def ticks(self) -> int:
        return (2**30 - 3000 + round(self.samples * 7.8125)) % 2**30

    def connect(self, mtu: int = 128) -> None:
        self.radio.event(1, (0, 0, b""))
        if mtu != 23:
            self.radio.event(21, (0, mtu))
        self.radio.write(b"\x01")

    def run(self, samples: int, *, send: bool = True) -> None:
        for _ in range(samples):
            self.samples += 1
            self.band.tick()
            if send:
                while self.band.send():
                    pass

    def received(self) -> list[Any]:
        out: list[Any] = []
        sent, self.radio.sent = self.radio.sent, []
        for i, (handle, data) in enumerate(sent):
            name = profile.SIGNALS if handle == 11 else profile.STATUS
            out += self.reader.feed(name, data, 0.0625 * i + 100.0)
        return out


class TestBand:
    def test_it_offers_the_profile_in_31_bytes(self, firmware: Any) -> None:
        radio = Bench(firmware).radio
        assert radio.service == profile.SERVICE
        assert radio.offered == {
            profile.INFO: 0x02,
            profile.SIGNALS: 0x10,
            profile.STATUS: 0x10,
            profile.CONTROL: 0x08,
        }
        data, answer = radio.advertised[0]
        assert len(data) <= 31
        assert bytes(FakeUUID(profile.SERVICE)) in data
        assert b"Undertone" in answer

    @pytest.mark.parametrize(("mtu", "n"), [(23, 1), (128, 8)])
    def test_what_it_measures_arrives_whole(self, firmware: Any, mtu: int, n: int) -> None:
        bench = Bench(firmware)
        bench.connect(mtu)
        bench.run(1280)  # over a wrap of the ticks
        got = bench.received()
        c = bench.reader.counters
        assert (c.samples, c.lost, c.corrupt, c.duplicate) == (1280, 0, 0, 0)
        assert c.packets == 1280 // n
        assert bench.reader.battery_percent == 83
        first = {d.channel: d for d in reversed(got) if isinstance(d, SignalChunk)}
        np.testing.assert_allclose(first[Channel.GSR].samples, 2.5, rtol=1e-6)
        np.testing.assert_allclose(first[Channel.PPG].samples, 150_000)

    def test_nothing_is_sent_unasked_or_after_the_end(self, firmware: Any) -> None:
        bench = Bench(firmware)
        bench.run(64)
        assert not bench.radio.sent
        bench.connect()
        bench.run(64)
        assert bench.radio.sent
        bench.radio.write(b"\x00")
        bench.radio.sent.clear()
        bench.run(64)
        assert not bench.radio.sent
        before = len(bench.radio.advertised)
        bench.radio.event(2, (0, 0, b""))
        assert len(bench.radio.advertised) == before + 1

    def test_a_full_radio_costs_samples_that_are_counted(self, firmware: Any) -> None:
        bench = Bench(firmware)
        bench.connect()
        bench.run(64)
        bench.radio.full = True
        bench.run(16)
        bench.radio.full = False
        bench.run(64)
        bench.received()
        assert bench.band.dropped == 16
        assert bench.reader.counters.lost == 16

    def test_a_stalled_sender_costs_the_newest_and_says_how_many(self, firmware: Any) -> None:
        bench = Bench(firmware)
        bench.connect()
        bench.run(64)
        bench.run(256 + 40, send=False)
        while bench.band.send():
            pass
        bench.run(64)
        bench.received()
        assert bench.band.dropped == 40
        assert bench.reader.counters.lost == 40

    def test_a_sensor_that_fails_costs_its_samples_only(self, firmware: Any) -> None:
        bench = Bench(firmware)
        bench.connect()
        bench.run(64)
        bench.gsr.broken = True
        bench.run(24)
        bench.gsr.broken = False
        bench.run(64)
        bench.received()
        assert (bench.band.faults, bench.reader.counters.lost) == (24, 24)

    def test_contacts_are_told_when_they_change(self, firmware: Any) -> None:
        bench = Bench(firmware)
        bench.connect()
        bench.run(64)
        bench.received()
        bench.gsr.value, bench.ppg.value = 0.0, 262_000
        bench.run(64)
        kinds = [getattr(d, "kind", None) for d in bench.received()]
        assert kinds.count(AnnotationKind.CONTACT_LOST) == 2


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_only_what_micropython_has_is_used(file: Path) -> None:
    """Modules, and syntax that MicroPython 1.22 does not know or takes in another way."""
    tree = ast.parse(file.read_text("utf-8"))
    own = {f.stem for f in FILES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {n.name for n in node.names} <= MODULES | own
        elif isinstance(node, ast.ImportFrom):
            assert node.module in MODULES | own
        elif isinstance(node, ast.arguments):
            assert not node.posonlyargs
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            assert {ast.unparse(d) for d in node.decorator_list} <= {"property", "staticmethod"}
        elif isinstance(node, ast.Call):
            assert "strict" not in {k.arg for k in node.keywords}
        assert not isinstance(node, ast.Match | ast.AsyncFor | ast.AsyncWith | ast.AnnAssign)
        with contextlib.suppress(AttributeError):
            assert not isinstance(node, ast.TryStar)


def test_the_readme_s_files_are_there() -> None:
    text = (FIRMWARE / "README.md").read_text("utf-8")
    assert all(f"`{f.name}`" in text for f in FILES)
