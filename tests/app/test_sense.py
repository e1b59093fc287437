"""`undertone sense` as a script uses it: lines of JSON, reasons, exit codes, recordings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.cli.dispatch import main
from app.wristband.recorder import FILE_NAME, open_recording
from inference.emotion import QUADRANTS, Quadrant
from inference.physio.simulate import SimulatedListener
from tests.architecture.test_light_start import HEAVY, run

NAMES = [q.value for q in QUADRANTS]
FIELDS = {"t_s", "quadrant", "reason", "probabilities", "valence", "arousal", "quality", "lost"}
SIMULATED = ("--source", "simulated", "--speed", "max")


def sense(capsys, *arguments: str) -> tuple[int, list[dict], str]:
    """Exit code, the objects on stdout, and stderr."""
    capsys.readouterr()
    code = main(["sense", *arguments, "--jsonl", "-"])
    told = capsys.readouterr()
    return code, [json.loads(line) for line in told.out.splitlines()], told.err


def said(rows: list[dict]) -> list[dict]:
    return [r for r in rows if r["quadrant"] is not None]


def listening(seconds: float = 20.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """GSR at 4 Hz and PPG at 64 Hz, as an Empatica E4 writes them."""
    listener = SimulatedListener("demo", seed)
    listener.song(Quadrant.HALV, seed)
    gsr, ppg = listener.next(round(seconds * 128))
    return gsr[::32], ppg[::2]


def write_hku(folder: Path, names: tuple[str, ...] = ("0_11.csv", "1_22.csv")) -> Path:
    for kind in ("EDA", "BVP"):
        (folder / kind).mkdir(parents=True)
    for seed, name in enumerate(names):
        gsr, ppg = listening(seed=seed)
        np.savetxt(folder / "EDA" / name, gsr)
        np.savetxt(folder / "BVP" / name, ppg)
    return folder


def recorded(capsys, folder: Path, seconds: str = "14") -> Path:
    code, _, _ = sense(capsys, *SIMULATED, "--seconds", seconds, "--record", str(folder))
    assert code == 0
    (kept,) = folder.iterdir()
    return kept


def test_a_simulation_gives_an_estimate_every_hop(capsys):
    code, rows, err = sense(capsys, *SIMULATED, "--seconds", "30")
    assert code == 0
    assert all(rows[0].keys() >= FIELDS for r in rows)
    assert np.abs(np.diff([r["t_s"] for r in rows]) - 0.35).max() < 0.01
    spoken = said(rows)
    assert spoken[0]["t_s"] < 10.4
    assert len(spoken) >= 50
    for r in spoken:
        p = r["probabilities"]
        assert list(p) == NAMES
        assert sum(p.values()) == pytest.approx(1.0, abs=1e-5)
        assert r["quadrant"] == max(p, key=p.get)
        assert r["valence"] == pytest.approx(2 * (p["HAHV"] + p["LAHV"]) - 1, abs=1e-5)
        assert r["arousal"] == pytest.approx(2 * (p["HAHV"] + p["HALV"]) - 1, abs=1e-5)
        assert 0.0 < r["quality"] <= 1.0
        assert r["provenance"] == "simulated"
    for r in rows[: rows.index(spoken[0])]:
        assert r["reason"] == "collecting"
        assert r["probabilities"] is None
    assert "SIMULATED" in err
    assert "0 lost" in err
    average = {q.label: np.mean([r["probabilities"][q.value] for r in spoken]) for q in QUADRANTS}
    ranked = sorted(average, key=average.get, reverse=True)
    told = ", ".join(f"{label} {100 * average[label]:.0f} %" for label in ranked)
    assert f"on average: {told}" in err


def test_it_starts_without_research_libraries_and_qt():
    code, loaded, stdout = run("sense", *SIMULATED, "--seconds", "12", "--jsonl", "-")
    assert code == 0
    assert json.loads(stdout.splitlines()[-1])["quadrant"] in NAMES
    assert loaded.isdisjoint(HEAVY)


def test_without_jsonl_stdout_stays_empty(capsys):
    assert main(["sense", *SIMULATED, "--seconds", "3"]) == 0
    assert capsys.readouterr().out == ""


def test_a_recording_replays_to_the_same_estimates(capsys, tmp_path):
    rows_before = tmp_path / "before.jsonl"
    arguments = [*SIMULATED, "--seconds", "14", "--record", str(tmp_path / "kept")]
    assert main(["sense", *arguments, "--jsonl", str(rows_before)]) == 0
    before = [json.loads(line) for line in rows_before.read_text().splitlines()]
    (kept,) = (tmp_path / "kept").iterdir()
    assert (kept / FILE_NAME).stat().st_mode & 0o077 == 0
    code, after, _ = sense(capsys, "--source", "replay", "--file", str(kept), "--speed", "max")
    assert code == 0
    assert len(after) == len(before)
    assert {r["provenance"] for r in after} == {"replay"}
    for a, b in zip(said(before), said(after), strict=True):
        assert b["probabilities"] == pytest.approx(a["probabilities"], abs=1e-4)


def test_a_listener_of_hku956_is_replayed_song_by_song(capsys, tmp_path):
    folder = write_hku(tmp_path / "hku1")
    code, rows, _ = sense(capsys, "--source", "replay", "--file", str(folder), "--speed", "max")
    assert code == 0
    spoken = np.array([r["t_s"] for r in said(rows)])
    assert ((spoken > 10.0) & (spoken < 20.0)).sum() >= 25
    assert not ((spoken > 20.5) & (spoken < 29.5)).any()
    assert (spoken > 30.0).sum() >= 25


@pytest.mark.parametrize("kind", ["listening", "e4"])
def test_other_layouts(capsys, tmp_path, kind):
    if kind == "listening":
        file = write_hku(tmp_path / "hku1") / "BVP" / "0_11.csv"
    else:
        file = tmp_path / "e4.zip"
        gsr, ppg = listening()
        with zipfile.ZipFile(file, "w") as archive:
            for name, x, fs in (("EDA.csv", gsr, 4), ("BVP.csv", ppg, 64)):
                text = "\n".join(["1600000000.0", f"{fs}.0", *(f"{v:.5f}" for v in x)])
                archive.writestr(name, text)
    code, rows, _ = sense(capsys, "--source", "replay", "--file", str(file), "--speed", "max")
    assert code == 0
    assert len(said(rows)) >= 20


@pytest.mark.parametrize("kind", ["EDA", "BVP"])
def test_one_signal_has_its_own_network_and_the_output_says_so(capsys, tmp_path, kind):
    folder = write_hku(tmp_path / "hku1", ("0_11.csv",))
    (folder / ("BVP" if kind == "EDA" else "EDA") / "0_11.csv").unlink()
    code, rows, told = sense(capsys, "--source", "replay", "--file", str(folder), "--speed", "max")
    assert code == 0
    name = "gsr" if kind == "EDA" else "ppg"
    spoken = said(rows)
    assert len(spoken) >= 15
    assert all(r["signals"] == [name] and set(r["channels"]) == {name} for r in spoken)
    assert spoken[-1]["text"] == f"{name.upper()} alone"
    assert f"{name.upper()} alone" in told


@pytest.mark.parametrize("share", [0.03, 0.5, 0.97])
def test_a_truncated_recording_is_used_up_to_the_damage(capsys, tmp_path, share):
    kept = recorded(capsys, tmp_path / "kept")
    file = kept / FILE_NAME
    data = file.read_bytes()
    file.write_bytes(data[: round(share * len(data)) | 1])
    code, rows, err = sense(capsys, "--source", "replay", "--file", str(kept), "--speed", "max")
    assert code == 1
    assert "damaged" in err
    assert len(rows) >= round(share * 30) - 1


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x00" * 5000, b"1.0\n", b"nan\n" * 2000])
def test_what_is_no_recording_is_refused_with_a_reason(capsys, tmp_path, content):
    file = tmp_path / "what.csv"
    file.write_bytes(content)
    code, rows, err = sense(capsys, "--source", "replay", "--file", str(file), "--speed", "max")
    assert code == 1
    assert rows == []
    assert "what.csv" in err
    assert "Traceback" not in err


def test_gaps_in_a_file_are_counted(capsys, tmp_path):
    folder = write_hku(tmp_path / "hku1", ("0_11.csv",))
    file = folder / "BVP" / "0_11.csv"
    lines = file.read_text().splitlines()
    lines[800:816] = ["x"] * 16
    file.write_text("\n".join(lines))
    code, rows, _ = sense(capsys, "--source", "replay", "--file", str(folder), "--speed", "max")
    assert code == 0
    assert rows[-1]["lost"] == 32  # of 128 a second
    assert said(rows)[-1]["t_s"] > 19.0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--source", "replay"),
        ("--source", "simulated", "--file", "x"),
        ("--source", "lsl", "--virtual"),
        ("--source", "ble", "--virtual", "--device", "aa"),
        ("--source", "simulated", "--device", "aa"),
        ("--source", "ble", "--speed", "2"),
        ("--source", "simulated", "--speed", "max"),
        ("--source", "simulated", "--seconds", "0"),
        ("--source", "simulated", "--seconds", "nan"),
        ("--source", "simulated", "--seed", "-1"),
        ("--source", "telepathy"),
        (),
    ],
)
def test_wrong_usage(capsys, arguments):
    assert main(["sense", *arguments]) == 2
    assert capsys.readouterr().err


def test_a_song_is_the_prior(capsys, make_audio):
    song = make_audio("a.wav", duration_s=8, kind="chord")
    code, rows, err = sense(capsys, *SIMULATED, "--seconds", "11", "--song", str(song))
    assert code == 0
    assert "song:" in err
    assert "+ssia-cbgru" in rows[-1]["model"]


def test_a_song_that_is_none(capsys, tmp_path):
    file = tmp_path / "no.mp3"
    file.write_bytes(b"nothing")
    code, rows, err = sense(capsys, *SIMULATED, "--seconds", "2", "--song", str(file))
    assert (code, rows) == (1, [])
    assert "no.mp3" in err or "audio" in err


def test_a_recording_that_cannot_be_kept_is_said_before_listening(capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    folder = str(tmp_path / "file" / "sub")
    code, rows, err = sense(capsys, *SIMULATED, "--seconds", "2", "--record", folder)
    assert (code, rows) == (1, [])
    assert "recording" in err


def test_without_an_adapter(capsys, monkeypatch):
    from app.wristband import ble

    async def discover(**_):
        raise OSError("no adapter")

    monkeypatch.setattr(ble.BleakScanner, "discover", discover)
    code, rows, err = sense(capsys, "--source", "ble", "--seconds", "2")
    assert (code, rows) == (1, [])
    assert "no Bluetooth adapter" in err
    assert "Plug one in" in err


def test_without_lsl(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    code, rows, err = sense(capsys, "--source", "lsl", "--seconds", "2")
    assert (code, rows) == (1, [])
    assert "undertone[lsl]" in err


def test_without_bumble(capsys, monkeypatch):
    for name in ("app.wristband.virtual_band", "app.wristband.bumble_backend"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "bumble", None)
    for name in [n for n in sys.modules if n.startswith("bumble.")]:
        monkeypatch.delitem(sys.modules, name)
    code, rows, err = sense(capsys, "--source", "ble", "--virtual", "--seconds", "2")
    assert (code, rows) == (1, [])
    assert "undertone[virtual]" in err


@pytest.mark.bluetooth
def test_a_virtual_band_streams_and_its_packets_are_kept(capsys, tmp_path):
    pytest.importorskip("bumble")
    arguments = ("--source", "ble", "--virtual", "--seconds", "4", "--record", str(tmp_path / "r"))
    code, rows, err = sense(capsys, *arguments)
    assert code == 0
    assert "streaming" in err
    assert rows[-1]["lost"] == 0
    assert rows[-1]["t_s"] > 2.5
    (kept,) = (tmp_path / "r").iterdir()
    recording = open_recording(kept)
    assert recording.meta["profile"] == "undertone-band"
    assert "gsr_fs_hz" in recording.meta["info"]
    assert len(list(recording.packets())) >= 50
    code, again, _ = sense(capsys, "--source", "replay", "--file", str(kept), "--speed", "max")
    assert code == 0
    assert len(again) >= len(rows)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_with_130_and_keeps_the_recording(tmp_path):
    command = [sys.executable, "-m", "app", "sense", "--source", "simulated"]
    arguments = ["--jsonl", "-", "--record", str(tmp_path / "r")]
    process = subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(3):
        assert json.loads(process.stdout.readline())["reason"] == "collecting"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err
    (kept,) = (tmp_path / "r").iterdir()
    assert open_recording(kept).damage == ""
    assert len(open_recording(kept).records) >= 20
