"""The shared fixtures keep their promises: real files, a private home, leftovers are seen."""

from __future__ import annotations

import os
from pathlib import Path

import mutagen
import pytest
import soundfile

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav"])
def test_audio_files_have_their_duration_and_tags(make_audio, suffix):
    from tests.audio_files import tiny_png

    path = make_audio(f"a/song{suffix}", duration_s=1.5, fs_hz=48000, year=1999, cover=tiny_png())
    file = mutagen.File(path, easy=True)
    assert file.info.length == pytest.approx(1.5, abs=0.1)
    texts = " ".join(str(value) for value in file.tags.values())
    assert "A Tone" in texts
    assert "1999" in texts


def test_the_home_is_private(home):
    assert os.environ["UNDERTONE_HOME"] == str(home)
    assert Path.home() in home.parents
    assert not home.exists()


def test_the_music_folder_has_six_playable_songs(music_folder):
    songs = [path for path in sorted(music_folder.rglob("*")) if path.is_file()]
    assert len(songs) == 6
    assert all(soundfile.info(path).frames > 0 for path in songs)


LEFTOVERS = {
    "thread": """
        import threading
        def test_it():
            wait = threading.Event().wait
            threading.Thread(target=wait, args=(20,), name="lost", daemon=True).start()
    """,
    "timer": """
        from PySide6.QtCore import QTimer
        def test_it(qapp):
            global timer
            timer = QTimer()
            timer.setObjectName("lost")
            timer.start(1000)
    """,
    "single shot": """
        from PySide6.QtCore import QTimer
        def lost(): ...
        def test_it(qapp):
            QTimer.singleShot(5000, lost)
    """,
    "thread pool": """
        import threading
        from PySide6.QtCore import QThreadPool
        def test_it(qapp):
            global pool
            pool = QThreadPool()
            pool.setObjectName("lost")
            pool.start(lambda: threading.Event().wait(1.5))
    """,
}


@pytest.fixture
def inner(pytester, monkeypatch):
    """Runs a test file under this project's conftest, in a process of its own."""
    root = Path(__file__).parents[1]
    pytester.makeconftest(
        "from tests.conftest import *\nfrom tests import conftest\nconftest.GRACE_S = 0.2"
    )
    pytester.makeini("[pytest]\nmarkers = keeps_threads\nqt_api = pyside6\n")
    monkeypatch.setenv("PYTHONPATH", str(root))

    def run(source):
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess("-q")

    return run


@pytest.mark.parametrize("source", LEFTOVERS.values(), ids=LEFTOVERS)
def test_what_a_test_leaves_running_fails_it(inner, source):
    result = inner(source)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the test left something running*lost*"])


def test_stopped_and_finished_work_passes(inner):
    result = inner("""
        import threading
        from PySide6.QtCore import QThreadPool, QTimer
        def test_thread():
            thread = threading.Thread(target=lambda: None)
            thread.start()
        def test_timers(qtbot):
            timer = QTimer()
            timer.start(1)
            with qtbot.waitSignal(timer.timeout): pass
            timer.stop()
            with qtbot.waitCallback() as fired:
                QTimer.singleShot(1, fired)
        def test_forgotten_by_everyone(qapp):
            QTimer().start(1000)
        def test_pool(qapp):
            QThreadPool.globalInstance().start(lambda: None)
        """)
    result.assert_outcomes(passed=4)
