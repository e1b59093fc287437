"""One walk through the program by keys alone: libVLC plays, another program on the bus listens in.

First run, add a folder, tag, browse, lasso the plane into the queue, correct, undo, a playlist out
and in again, steered from outside, and the end in order.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.desktop.outside import Outside
from app.paths import home as home_at
from app.playback.backend import PlaybackBackend, Post
from app.playback.vlc_backend import VlcBackend
from inference.emotion import Quadrant
from library_db.m3u import read_m3u
from tests.app.ear_model import ear_model
from tests.audio_files import write_audio
from tests.gui.conftest import WAIT_MS, mood_counts, settle, titles
from widgets.main_window import Page

pytestmark = pytest.mark.gui

LIMIT_S = 10.0
NAME = "org.mpris.MediaPlayer2.undertone"
PLAYER = "org.mpris.MediaPlayer2.Player"


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The address of a session bus of this test's own; empty where there is no D-Bus."""
    if shutil.which("dbus-daemon") is None or shutil.which("dbus-send") is None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "")
        yield ""
        return
    folder = tmp_path / "bus"
    folder.mkdir()
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    daemon = subprocess.Popen(
        [*command, f"--address=unix:dir={folder}"], stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout is not None
    address = daemon.stdout.readline().strip()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    yield address
    daemon.terminate()
    daemon.wait(LIMIT_S)
    daemon.stdout.close()


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Six songs that are long enough to be steered."""
    folder = tmp_path / "music"
    for number in range(6):
        write_audio(
            folder / f"{number}.mp3",
            duration_s=8.0,
            frequency_hz=200.0 + 150.0 * number,
            title=f"Song {number}",
            artist="Ana" if number % 2 else "Bo",
            album=f"Album {number // 3}",
        )
    return folder


class Walk:
    """A listener without a mouse."""

    def __init__(self, qtbot: QtBot, desktop: Desktop) -> None:
        self.qtbot, self.desktop, self.window = qtbot, desktop, desktop.window

    def press(self, keys: str, on: QWidget | None = None) -> None:
        """Press a key where the focus is."""
        stroke = QKeySequence(keys)[0]
        widget = on or QApplication.focusWidget() or self.window
        QTest.keyClick(widget, stroke.key(), stroke.keyboardModifiers())

    def type(self, text: str) -> None:
        QTest.keyClicks(QApplication.focusWidget(), text)

    def until(self, done: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(done, timeout=WAIT_MS)

    def settle(self) -> None:
        settle(self.qtbot, self.desktop)

    def tab_to(self, widget: QWidget) -> None:
        """Go on with Tab until `widget` has the focus."""
        for _ in range(60):
            if QApplication.focusWidget() is widget:
                return
            self.press("Tab")
        raise AssertionError(f"Tab does not lead to {widget.accessibleName()}")

    def name_file(self, path: Path) -> None:
        """Type a path into the file dialog that has come up."""
        self.until(lambda: self._dialog() is not None)
        dialog = self._dialog()
        assert dialog is not None
        line = dialog.findChild(QLineEdit, "fileNameEdit")
        line.setText(str(path))  # pasted: typing would open the list of completions
        QTest.keyClick(line, Qt.Key.Key_Return)
        self.until(lambda: not dialog.isVisible())
        self.window.activateWindow()  # as a window manager would

    def choose(self, text: str) -> None:
        """Take an entry of the menu that is open with Down and Return."""
        self.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        for _ in range(60):
            active = menu.activeAction()
            if active is not None and active.text().startswith(text):
                self.press("Return", menu)
                self.window.activateWindow()
                return
            self.press("Down", menu)
        raise AssertionError(f"no entry {text!r}")

    def _dialog(self) -> QFileDialog | None:
        found = self.window.findChildren(QFileDialog)
        return next((dialog for dialog in found if dialog.isVisible()), None)


@pytest.fixture
def walk(qtbot: QtBot, qapp: QApplication, home: Path, bus: str) -> Iterator[Walk]:
    """The program at its first start, with libVLC playing into nothing."""

    def make_backend(post: Post) -> PlaybackBackend:
        return VlcBackend(post, ("--aout=dummy",))

    desktop = Desktop(qapp, home_at(home).prepare(), make_backend, model=ear_model(), tag_jobs=0)
    with qtbot.waitSignal(desktop.opened, timeout=WAIT_MS):
        desktop.start([])
    if bus:
        Outside(desktop, QIcon())
    settle(qtbot, desktop)
    desktop.window.activateWindow()
    yield Walk(qtbot, desktop)
    assert desktop.close() == []
    desktop.window.close()
    desktop.window.deleteLater()
    desktop.deleteLater()
    qapp.processEvents()


def outside(member: str, *arguments: str) -> str:
    """What the player answers a program on the bus."""
    command = ["dbus-send", "--session", "--print-reply=literal", f"--dest={NAME}"]
    answer = subprocess.run(
        [*command, "/org/mpris/MediaPlayer2", member, *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    return answer.stdout


def asked(what: str) -> str:
    """A property of the player, as text."""
    return outside("org.freedesktop.DBus.Properties.Get", f"string:{PLAYER}", f"string:{what}")


def test_the_whole_way_by_keys(walk: Walk, music: Path, tmp_path: Path, bus: str) -> None:
    first_run_adds_a_folder(walk, music)
    albums_are_looked_through(walk)
    chosen = the_plane_becomes_the_queue(walk)
    a_mood_is_corrected_and_the_correction_undone(walk)
    a_playlist_goes_out_and_comes_back(walk, music, tmp_path)
    columns_and_order_are_chosen(walk)
    the_queue_is_played(walk, chosen)
    if bus:
        another_program_steers(walk, chosen)


def first_run_adds_a_folder(walk: Walk, music: Path) -> None:
    assert walk.window.page is Page.WELCOME
    walk.tab_to(walk.window.welcome.add_folder)
    walk.press("Space")
    walk.name_file(music)
    walk.until(lambda: sum(mood_counts(walk.desktop)) == 6)
    walk.settle()
    assert walk.window.page is Page.SONGS
    assert walk.desktop.library.roots() == [music]
    assert sorted(titles(walk.desktop)) == [f"Song {n}" for n in range(6)]


def albums_are_looked_through(walk: Walk) -> None:
    walk.window.sidebar.focus_list()
    walk.press("Home")
    for _ in range(30):
        if walk.window.sidebar.current == "albums":
            break
        walk.press("Down")
    walk.settle()
    walk.press("F6")
    walk.press("F6")
    walk.press("Home")
    walk.press("Return")
    walk.settle()
    assert walk.window.heading == "Album 0"
    assert sorted(titles(walk.desktop)) == ["Song 0", "Song 1", "Song 2"]
    walk.press("Alt+Left")
    walk.settle()
    assert walk.window.heading == "Albums"


def the_plane_becomes_the_queue(walk: Walk) -> list[int]:
    walk.press("Ctrl+P")
    canvas = walk.window.plane.canvas
    walk.until(lambda: len(canvas.points) == 6)
    walk.settle()
    walk.tab_to(canvas)
    walk.press("Ctrl+A")
    chosen = sorted(int(i) for i in canvas.chosen_ids())
    assert len(chosen) == 6
    walk.press("Shift+Return")
    assert sorted(i or 0 for i in walk.desktop.player.queue_ids) == chosen
    return chosen


def a_mood_is_corrected_and_the_correction_undone(walk: Walk) -> None:
    library, table = walk.desktop.library, walk.window.table
    walk.window.actions_.all_songs.trigger()
    walk.settle()
    walk.tab_to(table)
    walk.press("Home")
    song = table.selected_ids()[0]
    assert library.emotion(song).user is None
    walk.press("4")
    walk.until(lambda: library.emotion(song).user is not None)
    assert library.emotion(song).quadrant is Quadrant.LALV
    walk.settle()
    walk.press("Ctrl+Z")
    walk.until(lambda: library.emotion(song).user is None)
    walk.settle()


def a_playlist_goes_out_and_comes_back(walk: Walk, music: Path, tmp_path: Path) -> None:
    playlists = walk.desktop.views.playlists
    walk.press("Ctrl+A")
    walk.press("Ctrl+Shift+A")
    walk.choose("New playlist")
    walk.until(lambda: len(playlists.infos) == 1)
    walk.settle()
    walk.type("Road")
    walk.press("Return")
    walk.until(lambda: playlists.infos[0].name == "Road")
    walk.settle()
    made = playlists.infos[0].id
    songs = list(walk.desktop.library.playlists.get(made).entries)
    assert len(songs) == 6
    walk.window.sidebar.focus_list()
    walk.window.sidebar.menu_requested.emit(walk.window.sidebar.current, walk.window.pos())
    walk.choose("Export")
    file = tmp_path / "road.m3u8"
    walk.name_file(file)
    walk.until(file.exists)
    assert len(read_m3u(file).files) == 6
    walk.press("Ctrl+I")
    walk.name_file(file)
    walk.until(lambda: len(playlists.infos) == 2)
    walk.settle()
    back = next(info.id for info in playlists.infos if info.id != made)
    assert list(walk.desktop.library.playlists.get(back).entries) == songs


def columns_and_order_are_chosen(walk: Walk) -> None:
    walk.window.actions_.all_songs.trigger()
    walk.settle()
    walk.press("F10")
    walk.choose("Sort by")
    walk.choose("Title")
    walk.settle()
    assert titles(walk.desktop) == [f"Song {n}" for n in range(6)]


def the_queue_is_played(walk: Walk, chosen: list[int]) -> None:
    player = walk.desktop.player
    walk.press("Ctrl+U") if not walk.window.queue.isVisible() else None
    walk.window.queue.view.setFocus()
    walk.press("Home")
    walk.press("Return")
    walk.until(lambda: player.state == "playing" and player.position_s > 0)
    assert player.track_id == player.queue_ids[0]
    assert player.track_id in chosen


def another_program_steers(walk: Walk, chosen: list[int]) -> None:
    player = walk.desktop.player
    walk.until(lambda: "Playing" in asked("PlaybackStatus"))
    title = walk.desktop.library.track(player.track_id).title
    walk.until(lambda: title in asked("Metadata"))
    outside(f"{PLAYER}.Pause")
    walk.until(lambda: player.state == "paused")
    outside(f"{PLAYER}.Play")
    walk.until(lambda: player.state == "playing")
    outside(f"{PLAYER}.Next")
    walk.until(lambda: player.track_id == player.queue_ids[1] and player.state == "playing")
    walk.settle()
