"""Whatever lies in a music folder, the whole pipeline finishes it or names it with its reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli.dispatch import main
from tests.audio_files import write_audio
from tests.inference.runtime.tiny_models import write_tiny_model

GOOD = {
    "mono.mp3": {"channels": 1},
    "8 kHz.mp3": {"fs_hz": 8000},
    "192 kHz.flac": {"fs_hz": 192_000},
    "5.1.flac": {"channels": 6},
    "opus.opus": {"fs_hz": 48_000},
    "vorbis.ogg": {},
    "aac.m4a": {},
    "plain.wav": {},
    "hostile.mp3": {
        "title": "\x1b[31m<script>" + "x" * 2_000_000,
        "artist": "../../../etc",
        "album": "two\nlines\0",
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A music folder with everything in it that people have in theirs."""
    music = tmp_path / "music"
    for number, (name, options) in enumerate(GOOD.items()):
        write_audio(music / name, **{"duration_s": 8.0, "kind": "noise", "seed": number, **options})
    whole = write_audio(tmp_path / "whole.mp3", duration_s=12.0, kind="noise", seed=99).read_bytes()
    (music / "truncated.mp3").write_bytes(whole[: len(whole) * 2 // 3 + 7])
    (music / "empty.mp3").touch()
    (music / "text.mp3").write_text("these are words, not music\n" * 400)
    (music / "header only.mp3").write_bytes(whole[:200])
    write_audio(music / "blink.mp3", duration_s=0.2, kind="noise")
    write_audio(music / "silent.mp3", duration_s=8.0, kind="silence")
    (music / "loop").symlink_to(music)
    (music / "dead link.mp3").symlink_to(tmp_path / "nowhere.mp3")
    (music / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (music / "fifo.mp3").mkdir()
    shutil.copy(music / "mono.mp3", music / "copy of mono.mp3")
    return music


@pytest.fixture
def tag(home: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any, str]]:
    """`tag(...)` with a tiny model of the shipped kind: exit code, rows by name, stderr."""
    write_tiny_model(home / "models")

    def run(*arguments: object) -> tuple[int, dict[str, Any], str]:
        capfd.readouterr()
        code = main(["tag", "--model", "tiny", "--jsonl", "-", *map(str, arguments)])
        captured = capfd.readouterr()
        rows = [json.loads(line) for line in captured.out.splitlines()]
        by_name = {Path(row["path"]).name: row for row in rows}
        assert len(by_name) == len(rows)
        return code, by_name, captured.err

    return run


def test_everything_is_finished_or_named(folder: Path, tag: Callable[..., Any]) -> None:
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    code, rows, err = tag(folder, "--jobs", 2)
    assert code == 1
    bad = {"empty.mp3", "text.mp3", "header only.mp3", "blink.mp3", "dead link.mp3"}
    assert {name for name, row in rows.items() if row["error"]} == bad
    assert set(rows) == {*GOOD, *bad, "truncated.mp3", "silent.mp3", "copy of mono.mp3"}
    for name in bad:
        assert name in err
        assert rows[name]["quadrant"] is None
    assert "0.20 s" in rows["blink.mp3"]["error"]
    assert all(rows[name]["error"].strip() for name in bad)
    for name in set(rows) - bad:
        row = rows[name]
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert 0 <= row["confidence"] <= 1
        # As decoded: the header of a file that was cut off promises more.
        assert row["duration_s"] == pytest.approx(8, abs=0.6)
    assert rows["copy of mono.mp3"]["probabilities"] == rows["mono.mp3"]["probabilities"]
    assert "\x1b" not in err
    assert before == {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    code, again, _ = tag(folder)
    assert code == 1
    assert again == {name: {**row, "seconds": None} for name, row in rows.items()}

    code, one_job, _ = tag(folder, "--force", "--jobs", 1)
    assert code == 1
    for name, row in one_job.items():
        if name in bad:  # an empty file, say, is now the decoder's word and not the scan's
            assert row["error"]
        else:
            assert {**row, "seconds": None} == again[name], "the same rows bit for bit"


def test_a_damaged_model_is_refused_with_a_remedy(
    folder: Path, tag: Callable[..., Any], home: Path
) -> None:
    file = next((home / "models" / "tiny").glob("*.onnx"))
    file.write_bytes(file.read_bytes()[:-20])
    code, rows, err = tag(folder / "mono.mp3")
    assert code == 1
    assert rows == {}
    assert "tiny" in err
    assert "nstall" in err
    assert "Traceback" not in err


def test_an_unknown_model_is_wrong_usage(folder: Path, tag: Callable[..., Any]) -> None:
    code, _, err = tag(folder, "--model", "grand-unified")
    assert code == 2
    assert "grand-unified" in err
    assert "tiny" in err
