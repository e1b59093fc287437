"""`undertone` as a process: signals, kill -9, closed pipes, start time and what it imports."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audio_files import write_audio
from tests.integration.conftest import ROOT

Start = Callable[..., "subprocess.Popen[str]"]
FORBIDDEN = ("torch", "librosa", "sklearn", "matplotlib", "PySide6", "pyqtgraph", "numba", "pandas")


@pytest.fixture
def slow_songs(tmp_path: Path) -> Path:
    """Twelve songs; each takes 0.3 s."""
    folder = tmp_path / "slow"
    for number in range(12):
        write_audio(folder / f"slow{number:02}.mp3", duration_s=1, kind="noise", seed=number)
    return folder


def rows(text: str) -> dict[str, dict[str, object]]:
    found = [json.loads(line) for line in text.splitlines()]
    assert len({row["path"] for row in found}) == len(found)
    return {row["path"]: row for row in found}


def first_row(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_finished_songs_and_the_next_run_goes_on(
    start: Start, slow_songs: Path, number: signal.Signals
) -> None:
    process = start("tag", slow_songs, "--jsonl", "-")
    line = first_row(process)
    process.send_signal(number)
    begun = time.monotonic()
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - begun < 3
    assert "Traceback" not in err
    assert "goes on from there" in err
    finished = rows(line + out)
    assert 1 <= len(finished) < 12
    process = start("tag", slow_songs, "--jsonl", "-")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(rows(out)) == 12
    kept = [path for path, row in rows(out).items() if row["seconds"] is None]
    assert set(finished) <= set(kept)


def test_ctrl_c_reaches_the_whole_group_and_no_worker_complains(
    slow_songs: Path, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.with_ear", "tag", slow_songs, "--jobs", "2",
         "--jsonl", "-"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    first_row(process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_kill_9_loses_at_most_what_was_not_said(start: Start, slow_songs: Path) -> None:
    process = start("tag", slow_songs, "--jsonl", "-", "--jobs", "2")
    said = [first_row(process) for _ in range(3)]
    process.kill()
    out, _ = process.communicate(timeout=20)
    finished = rows("".join(said) + out)
    process = start("tag", slow_songs, "--jsonl", "-")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    again = rows(out)
    assert len(again) == 12
    for path, row in finished.items():
        assert again[path] == {**row, "seconds": None}


def test_workers_end_when_the_run_is_killed(start: Start, slow_songs: Path) -> None:
    process = start("tag", slow_songs, "--jsonl", "-", "--jobs", "2")
    first_row(process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) >= 2
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(_runs(child) for child in children):
        time.sleep(0.05)
    assert not any(_runs(child) for child in children)


def _runs(pid: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_reader_that_goes_away_is_no_fault(start: Start, slow_songs: Path) -> None:
    process = start("tag", slow_songs, "--jsonl", "-")
    first_row(process)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=30) == 130
    assert process.stderr is not None
    err = process.stderr.read()
    assert "Traceback" not in err
    assert "Broken pipe" not in err
    listed = start("list", module="app")
    assert listed.stdout is not None
    listed.stdout.close()
    assert listed.wait(timeout=30) == 0


def test_two_runs_at_once_do_each_song_about_once(start: Start, slow_songs: Path) -> None:
    runs = [start("tag", slow_songs, "--jsonl", "-") for _ in range(2)]
    outputs = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    found = [rows(out) for out, _ in outputs]
    assert [len(one) for one in found] == [12, 12]
    classified = sum(row["seconds"] is not None for one in found for row in one.values())
    assert 12 <= classified <= 16
    third, _ = start("tag", slow_songs, "--jsonl", "-").communicate(timeout=60)
    assert all(row["seconds"] is None for row in rows(third).values())


def test_a_second_run_over_100_songs_is_quick_and_light(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    for number in range(100):
        write_audio(folder / f"{number}.flac", duration_s=0.6, fs_hz=8000, channels=1,
                    frequency_hz=200.0 + number)  # fmt: skip
    process = start("tag", folder, "--jobs", "2")
    process.communicate(timeout=60)
    assert process.returncode == 0
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['undertone', 'tag', {str(folder)!r}]\n"
        "try:\n    runpy.run_module('tests.integration.with_ear', run_name='__main__')\n"
        "except SystemExit as stop:\n    assert not stop.code\n"
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.returncode == 0, ran.stderr
    assert "100 up to date" in ran.stderr
    loaded = ran.stdout.split()
    assert not set(FORBIDDEN) & set(loaded)
    assert "onnxruntime" not in loaded
    # Processor time: the same on a machine that is busy with other things.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2.0


def test_without_a_display_the_player_says_what_to_do() -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    env = {key: value for key, value in os.environ.items() if key not in hidden}
    ran = subprocess.run(
        [sys.executable, "-m", "app"], cwd=ROOT, capture_output=True, text=True, env=env
    )
    assert ran.returncode == 1
    assert "no display" in ran.stderr
    assert "undertone tag" in ran.stderr
    assert "Traceback" not in ran.stderr
