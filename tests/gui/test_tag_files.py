"""Moods into files from the window: the difference first, then writing, then taking it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from library_db.tags_writing import read_mood_tags
from tests.gui.conftest import WAIT_MS, settle
from widgets.dialogs.file_changes import FileChangesDialog, WrittenRunsDialog

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


def moods_in(folder: Path) -> list[str | None]:
    return [read_mood_tags(path).texts.get("MOOD") for path in sorted(folder.glob("*.mp3"))]


def ask(qtbot: QtBot, desktop: Desktop) -> FileChangesDialog:
    desktop.window.table.selectAll()
    with qtbot.waitSignal(desktop.dialogs.opened, timeout=WAIT_MS) as opened:
        desktop.window.actions_.write_tags.trigger()
    (dialog,) = opened.args
    assert isinstance(dialog, FileChangesDialog)
    return dialog


def test_look_write_and_take_back(qtbot: QtBot, start: Start, tagged: Path, songs: Path) -> None:
    desktop = start()
    assert desktop.conveniences is not None
    files = desktop.conveniences.tag_files
    before = {path: path.read_bytes() for path in songs.iterdir()}
    dialog = ask(qtbot, desktop)
    assert dialog.table.model().rowCount() == 8
    assert "8" in dialog.write.text()
    assert "MOOD Happy" in dialog.table.model().index(0, 2).data()
    assert {path: path.read_bytes() for path in songs.iterdir()} == before  # nothing written yet
    with qtbot.waitSignal(files.written, timeout=WAIT_MS):
        QTest.mouseClick(dialog.write, Qt.MouseButton.LeftButton)
    assert moods_in(songs) == [m for m in ("Happy", "Tense", "Calm", "Sad") for _ in "12"]
    settle(qtbot, desktop)
    assert desktop.window.sidebar.count_of("missing") == 0

    # A second time there is nothing left to do ...
    dialog = ask(qtbot, desktop)
    assert dialog.table.model().rowCount() == 0
    assert not dialog.write.isEnabled()
    dialog.reject()
    # ... and the run can be taken back, also later.
    with qtbot.waitSignal(desktop.dialogs.opened, timeout=WAIT_MS) as opened:
        desktop.window.actions_.untag_files.trigger()
    (runs,) = opened.args
    assert isinstance(runs, WrittenRunsDialog)
    assert runs.list.count() == 1
    runs.list.setCurrentRow(0)
    with qtbot.waitSignal(files.written, timeout=WAIT_MS):
        QTest.mouseClick(runs.undo, Qt.MouseButton.LeftButton)
    assert moods_in(songs) == [None] * 8
    settle(qtbot, desktop)


def test_a_foreign_mood_is_left_alone_unless_asked(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path
) -> None:
    from mutagen.id3 import ID3, TMOO

    tags = ID3(songs / "0.mp3")
    tags.add(TMOO(encoding=3, text=["Melancholy"]))
    tags.save()
    desktop = start()
    assert desktop.work is not None
    settle(qtbot, desktop)
    dialog = ask(qtbot, desktop)
    rows = dialog.table.model()
    assert rows.rowCount() == 8
    assert "Melancholy" in rows.index(7, 2).data()  # what is left alone comes last, with why
    assert "7" in dialog.write.text()
    with qtbot.waitSignal(rows.modelReset, timeout=WAIT_MS):
        QTest.keyClick(dialog.overwrite, Qt.Key.Key_Space)
    assert "8" in dialog.write.text()
    dialog.reject()
    settle(qtbot, desktop)


def test_undo_from_the_toast_and_a_file_that_cannot_be_written(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path
) -> None:
    desktop = start()
    assert desktop.conveniences is not None
    files = desktop.conveniences.tag_files
    (songs / "3.mp3").write_bytes(b"changed since it was scanned, and no longer audio")
    ids = [int(i) for i in desktop.window.table.songs.ids]
    with qtbot.waitSignal(files.written, timeout=WAIT_MS):
        files.write(ids)
    assert [problem.path for problem in desktop.problems.problems] == [str(songs / "3.mp3")]
    toast = desktop.window.toasts.toasts[-1]
    assert "7" in toast.text
    with qtbot.waitSignal(files.written, timeout=WAIT_MS):
        toast.action.click()  # type: ignore[union-attr]
    assert read_mood_tags(songs / "0.mp3").texts == {}
    settle(qtbot, desktop)
