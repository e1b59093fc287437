"""The whole window on a library of its own: real widgets, real database, a silent back end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.paths import home as home_at
from app.playback.backend import PlaybackBackend, Post
from app.playback.null_backend import NullBackend
from inference.emotion import QUADRANTS, EmotionEstimate
from inference.job import run_to_end
from inference.timeline import Timeline
from library_db.library import EstimateRow, Library
from library_db.scan import scan
from tests.app.ear_model import ear_model
from tests.audio_files import tiny_png, write_audio
from widgets.theme import Mode, Theme

WAIT_MS = 40_000


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, Mode.LIGHT)


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A folder with eight tagged MP3s of different audio, by two artists."""
    folder = tmp_path / "songs"
    for number in range(8):
        write_audio(
            folder / f"{number}.mp3",
            duration_s=1.0,
            frequency_hz=200.0 + 150.0 * number,
            title=f"Song {number}",
            artist="Ana" if number % 2 else "Bo",
            album="First",
            cover=tiny_png() if number == 0 else None,
        )
    return folder


@pytest.fixture
def tagged(home: Path, songs: Path) -> Path:
    """The home of a library that knows `songs`: two of each mood, in the order of titles."""
    home.mkdir(parents=True, exist_ok=True)
    with Library.open(home) as library:
        library.add_root(songs)
        run_to_end(scan(library, [songs]))
        rows = []
        for place, track_id in enumerate(library.search("", sort="title")):
            weights = [0.1, 0.1, 0.1, 0.1]
            weights[place // 2] = 0.7
            estimate = EmotionEstimate.from_probabilities(
                weights, 0.3 if place == 7 else 0.8, "test-ear"
            )
            line = _timeline(weights).to_bytes()
            rows.append(EstimateRow(int(track_id), "common", estimate, timeline=line))
        library.set_estimates(rows)
    return home


def _timeline(weights: list[float]) -> Timeline:
    import numpy as np

    return Timeline(0.0, 0.25, np.tile(np.array(weights, np.float32), (4, 1)))


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication, home: Path) -> Iterator[Callable[..., Desktop]]:
    """`start(paths)`: the program on this test's home, its library open; closed with the test."""
    begun: list[Desktop] = []

    def make_backend(post: Post) -> PlaybackBackend:
        return NullBackend(post)

    def begin(*paths: Path) -> Desktop:
        desktop = Desktop(
            qapp, home_at(home).prepare(), make_backend, model=ear_model(), tag_jobs=0
        )
        begun.append(desktop)
        with qtbot.waitSignal(desktop.opened, timeout=WAIT_MS):
            desktop.start(list(paths))
        settle(qtbot, desktop)
        return desktop

    before = qapp.allWidgets()
    yield begin
    nobodys = _nobodys(qapp, before, begun)
    for desktop in begun:
        stuck = desktop.close()
        assert stuck == []
        desktop.window.close()
        desktop.window.deleteLater()
        desktop.deleteLater()
    qapp.processEvents()
    assert nobodys == []


def _nobodys(qapp: QApplication, before: list[QWidget], begun: list[Desktop]) -> list[str]:
    """Widgets that only Python keeps: its collector may end them while Qt goes through them all."""
    known = before + [desktop.window for desktop in begun]
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return [
        repr(widget)
        for widget in qapp.allWidgets()
        if shiboken6.ownedByPython(widget) and widget not in known
    ]


def settle(qtbot: QtBot, desktop: Desktop) -> None:
    """Wait until no job runs, no question is open and the rows in sight are there."""
    assert desktop.songs is not None
    assert desktop.views is not None
    songs, table = desktop.songs, desktop.window.table

    def quiet() -> bool:
        resting = not songs.restless and not desktop.views.restless
        return desktop.runner.idle and resting and _filled()

    def _filled() -> bool:
        visible = range(min(len(table.songs.ids), 12))
        return all(table.songs.song(row) is not None for row in visible)

    desktop.window.table.viewport().repaint()
    qtbot.waitUntil(quiet, timeout=WAIT_MS)


def drop_on(widget: QWidget, place: QPointF, mime: QMimeData) -> None:
    """Drag something over a widget and let it fall there, as the window system would."""
    keys, buttons = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    copy = Qt.DropAction.CopyAction
    QApplication.sendEvent(widget, QDragEnterEvent(place.toPoint(), copy, mime, buttons, keys))
    QApplication.sendEvent(widget, QDragMoveEvent(place.toPoint(), copy, mime, buttons, keys))
    QApplication.sendEvent(widget, QDropEvent(place, copy, mime, buttons, keys))


def titles(desktop: Desktop) -> list[str]:
    """The titles in the table, from above."""
    model = desktop.window.table.songs
    rows = [model.song(row) for row in range(len(model.ids))]
    return [row.title if row else "" for row in rows]


def mood_counts(desktop: Desktop) -> list[int]:
    """The numbers beside the four moods."""
    return [desktop.window.sidebar.count_of(quadrant.value) for quadrant in QUADRANTS]
