"""What a listener does: first run, add, tag, browse, search, sort, correct, undo, come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from inference.emotion import QUADRANTS, Quadrant
from library_db.library import Library
from tests.audio_files import write_audio
from tests.gui.conftest import WAIT_MS, mood_counts, settle, titles
from widgets.main_window import Page
from widgets.theme import Mode
from widgets.track_table.columns import column_index

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


def type_query(qtbot: QtBot, desktop: Desktop, text: str) -> None:
    desktop.window.search.line.clear()
    QTest.keyClicks(desktop.window.search.line, text)
    QTest.keyClick(desktop.window.search.line, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: desktop.songs.text == text, timeout=WAIT_MS)
    settle(qtbot, desktop)


def select(desktop: Desktop, *rows: int) -> None:
    table = desktop.window.table
    table.setFocus()
    table.select_ids([table.songs.id_at(row) for row in rows])


def test_first_run_welcomes_and_adding_a_folder_fills_and_tags_it(
    qtbot: QtBot, start: Start, songs: Path
) -> None:
    desktop = start()
    assert desktop.window.page is Page.WELCOME
    desktop.work.add([songs])
    qtbot.waitUntil(lambda: sum(mood_counts(desktop)) == 8, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert desktop.window.page is Page.SONGS
    assert sorted(titles(desktop)) == [f"Song {n}" for n in range(8)]
    assert all(desktop.window.table.songs.song(row).quadrant for row in range(8))
    assert desktop.library.roots() == [songs]


def test_dropping_files_on_the_window_adds_them(qtbot: QtBot, start: Start, songs: Path) -> None:
    desktop = start()
    mime = QMimeData()
    mime.setUrls(
        [QUrl.fromLocalFile(str(songs / "1.mp3")), QUrl.fromLocalFile(str(songs / "2.mp3"))]
    )
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    desktop.window.dropEvent(event)
    qtbot.waitUntil(lambda: len(desktop.window.table.songs.ids) == 2, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert sorted(titles(desktop)) == ["Song 1", "Song 2"]


def test_a_bad_file_is_named_and_the_rest_goes_on(qtbot: QtBot, start: Start, songs: Path) -> None:
    (songs / "broken.mp3").write_bytes(b"this is no music" * 100)
    desktop = start()
    desktop.work.add([songs])
    qtbot.waitUntil(lambda: sum(mood_counts(desktop)) == 8, timeout=WAIT_MS)
    settle(qtbot, desktop)
    problems = desktop.problems.problems
    assert [Path(p.path).name for p in problems] == ["broken.mp3"]
    assert problems[0].reason
    assert any("1 file" in toast.text for toast in desktop.window.toasts.toasts)


def test_search_as_you_type_narrows_list_and_counts(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    assert mood_counts(desktop) == [2, 2, 2, 2]
    type_query(qtbot, desktop, "artist:ana")
    assert sorted(titles(desktop)) == ["Song 1", "Song 3", "Song 5", "Song 7"]
    assert mood_counts(desktop) == [1, 1, 1, 1]
    QTest.keyClick(desktop.window.search.line, Qt.Key.Key_Escape)
    settle(qtbot, desktop)
    assert len(titles(desktop)) == 8


def test_a_query_error_points_at_the_mistake_and_keeps_the_list(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    type_query(qtbot, desktop, "song mood:hapy")
    search = desktop.window.search
    assert search.error
    start_at, end_at = search.marked
    assert "hapy" in "song mood:hapy"[start_at:end_at]
    assert len(titles(desktop)) == 8
    type_query(qtbot, desktop, "song mood:happy")
    assert search.error == ""
    assert titles(desktop) == ["Song 0", "Song 1"] or len(titles(desktop)) == 2


def test_the_sidebar_shows_one_mood_and_says_why_a_view_is_empty(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    desktop.window.sidebar.choose(Quadrant.LAHV.value)
    settle(qtbot, desktop)
    assert sorted(titles(desktop)) == ["Song 4", "Song 5"]
    desktop.window.sidebar.choose("unsure")
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 7"]
    desktop.window.sidebar.choose("missing")
    settle(qtbot, desktop)
    assert desktop.window.page is Page.NO_MATCH


def test_a_click_on_a_header_sorts_and_turns_round(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    table = desktop.window.table
    header = table.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(column_index("title")) + 20, 10)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    settle(qtbot, desktop)
    assert titles(desktop) == [f"Song {n}" for n in range(8)]
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    settle(qtbot, desktop)
    assert titles(desktop) == [f"Song {n}" for n in range(7, -1, -1)]


@pytest.mark.parametrize(("key", "quadrant"), list(zip("1234", QUADRANTS, strict=True)))
def test_one_key_corrects_and_undo_takes_it_back(
    qtbot: QtBot, start: Start, tagged: Path, key: str, quadrant: Quadrant
) -> None:
    desktop = start()
    select(desktop, 2, 3)
    ids = desktop.window.table.selected_ids()
    before = [emotion.quadrant for emotion in desktop.library.emotions(ids)]
    QTest.keyClick(desktop.window.table, key)
    qtbot.waitUntil(
        lambda: [e.quadrant for e in desktop.library.emotions(ids)] == [quadrant] * 2,
        timeout=WAIT_MS,
    )
    settle(qtbot, desktop)
    assert all(desktop.window.table.songs.song(row).corrected for row in (2, 3))
    assert desktop.window.table.selected_ids() == ids
    desktop.window.actions_.undo.trigger()
    qtbot.waitUntil(
        lambda: [e.quadrant for e in desktop.library.emotions(ids)] == before, timeout=WAIT_MS
    )
    assert [e.user for e in desktop.library.emotions(ids)] == [None, None]


def test_zero_gives_the_song_back_to_the_model(qtbot: QtBot, start: Start, tagged: Path) -> None:
    desktop = start()
    track_id = desktop.window.table.songs.id_at(0)
    common = desktop.library.emotion(track_id).quadrant
    other = next(q for q in QUADRANTS if q is not common)
    desktop.songs.correct([track_id], other)
    qtbot.waitUntil(lambda: desktop.library.emotion(track_id).quadrant is other, timeout=WAIT_MS)
    settle(qtbot, desktop)
    select(desktop, 0)
    QTest.keyClick(desktop.window.table, "0")
    qtbot.waitUntil(lambda: desktop.library.emotion(track_id).quadrant is common, timeout=WAIT_MS)


def test_a_change_from_outside_keeps_selection_and_place(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    select(desktop, 5)
    chosen = desktop.window.table.selected_ids()
    with Library.open(tagged) as other:
        other.correct(desktop.window.table.songs.id_at(0), Quadrant.LALV)
    desktop.songs.look_for_foreign_changes()
    qtbot.waitUntil(lambda: desktop.window.table.songs.song(0).corrected, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert desktop.window.table.selected_ids() == chosen


def test_geometry_columns_volume_and_queue_come_back(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    first = start()
    first.window.resize(760, 600)
    first.window.table.show_column("year", True)
    first.window.set_queue_shown(True)
    first.preferences.set("appearance", "theme", "dark")
    first.player.set_volume(35)
    first.player.set_repeat("all")
    first.glue.play_from(2)
    qtbot.waitUntil(lambda: first.player.state == "playing", timeout=WAIT_MS)
    queue, index = first.player.queue_ids, first.player.queue_index
    assert first.close() == []

    second = start()
    assert (second.window.width(), second.window.height()) == (760, 600)
    assert "year" in second.window.table.kept_state().shown
    assert second.window.queue.isVisibleTo(second.window)
    assert second.theme.mode is Mode.DARK
    assert (second.player.volume, second.player.repeat) == (35, "all")
    assert (second.player.queue_ids, second.player.queue_index) == (queue, index)
    assert second.player.state == "paused"


def test_files_from_outside_the_library_come_back_with_the_queue(
    qtbot: QtBot, start: Start, tagged: Path, tmp_path: Path
) -> None:
    outside = [write_audio(tmp_path / f"outside {n}.mp3", duration_s=2.0) for n in range(2)]
    first = start()
    first.player.play_paths(outside)
    first.player.enqueue([1, 2])
    first.player.next()
    qtbot.waitUntil(lambda: first.player.state == "playing", timeout=WAIT_MS)
    assert first.close() == []
    player = start().player
    assert [entry.path for entry in player.queue_entries] == [*outside, None, None]
    assert [entry.track_id for entry in player.queue_entries] == [None, None, 1, 2]
    assert (player.queue_index, player.path, player.state) == (1, outside[1], "paused")


def test_closing_during_work_ends_within_two_seconds_and_keeps_what_was_done(
    qtbot: QtBot, start: Start, songs: Path, tmp_path: Path
) -> None:
    for number in range(40):
        (songs / f"slow{number}.mp3").write_bytes(
            (songs / f"{number % 8}.mp3").read_bytes() + bytes([number])
        )
    desktop = start()
    desktop.work.add([songs])
    qtbot.waitUntil(lambda: sum(mood_counts(desktop)) > 0, timeout=WAIT_MS)
    begun = time.monotonic()
    desktop.window.close()
    assert time.monotonic() - begun < 2.0
    assert desktop.stuck == []
    with Library.open(desktop.home.library_dir) as library:
        assert sum(n for q, n in library.counts().items() if q is not None) > 0


def test_pausing_a_job_stops_its_progress_until_it_goes_on(
    qtbot: QtBot, start: Start, songs: Path
) -> None:
    desktop = start()
    desktop.work.scan([songs])
    settle(qtbot, desktop)
    desktop.window.toasts.clear()
    desktop.work.tag([songs], force=True)
    task = desktop.runner.tasks[-1]
    task.pause()
    assert task.state.value == "paused"
    qtbot.waitUntil(lambda: desktop.runner.resting(task), timeout=WAIT_MS)
    for _ in range(5):
        QApplication.processEvents()  # what was posted before it came to rest
    told: list[object] = []
    task.stepped.connect(lambda *step: told.append(step))
    task.finished.connect(told.append)
    for _ in range(20):
        QApplication.processEvents()
    assert told == []
    assert desktop.runner.resting(task)
    task.resume()
    with qtbot.waitSignal(task.finished, timeout=WAIT_MS):
        pass
    assert told != []


def test_a_second_start_hands_its_paths_over(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path
) -> None:
    desktop = start()
    reply = desktop.handle({"command": "open", "paths": [str(songs / "3.mp3")]})
    assert reply == {"ok": True}
    qtbot.waitUntil(lambda: desktop.player.state == "playing", timeout=WAIT_MS)
    assert desktop.player.path == songs / "3.mp3"
    assert desktop.player.track_id == desktop.library.by_path(songs / "3.mp3").id
    assert desktop.handle({"command": "sing"})["ok"] is False


def test_the_failed_view_says_why_and_tries_again(qtbot: QtBot, start: Start, songs: Path) -> None:
    bad = songs / "9.mp3"
    good = (songs / "0.mp3").read_bytes()
    bad.write_bytes(b"no music" * 1000)
    desktop = start()
    desktop.work.add([songs])
    qtbot.waitUntil(lambda: sum(mood_counts(desktop)) == 8, timeout=WAIT_MS)
    settle(qtbot, desktop)
    desktop.window.sidebar.choose("failed")
    settle(qtbot, desktop)
    table = desktop.window.table
    assert len(table.songs.ids) == 1
    reason = column_index("error")
    assert not table.isColumnHidden(reason)
    assert table.songs.index(0, reason).data()
    bad.write_bytes(good + b"\0")
    desktop.window.view_action_requested.emit()
    qtbot.waitUntil(lambda: sum(mood_counts(desktop)) == 9, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert desktop.problems.problems == []
    assert desktop.window.sidebar.count_of("failed") == 0


def test_missing_songs_are_taken_out_and_brought_back(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path
) -> None:
    (songs / "4.mp3").unlink()
    desktop = start()
    qtbot.waitUntil(lambda: desktop.window.sidebar.count_of("missing") == 1, timeout=WAIT_MS)
    settle(qtbot, desktop)
    desktop.window.table.setFocus()
    desktop.window.table.selectAll()
    QTest.keyClick(desktop.window.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(desktop.window.table.songs.ids) == 7, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert "Song 4" not in titles(desktop)
    desktop.window.actions_.undo.trigger()
    qtbot.waitUntil(lambda: len(desktop.window.table.songs.ids) == 8, timeout=WAIT_MS)


def test_a_folder_is_taken_out_with_its_songs_and_brought_back(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path
) -> None:
    desktop = start()
    with qtbot.waitSignal(desktop.dialogs.opened, timeout=WAIT_MS) as caught:
        desktop.dialogs.show_folders()
    (dialog,) = caught.args
    assert [dialog.list.item(i).text() for i in range(dialog.list.count())] == [str(songs)]
    dialog.list.setCurrentRow(0)
    dialog.remove.click()
    qtbot.waitUntil(lambda: desktop.window.page is Page.WELCOME, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert dialog.list.count() == 0
    assert (songs / "0.mp3").exists()
    assert desktop.library.roots() == []
    desktop.window.actions_.undo.trigger()
    qtbot.waitUntil(lambda: dialog.list.count() == 1, timeout=WAIT_MS)
    settle(qtbot, desktop)
    dialog.done(0)
    assert desktop.library.roots() == [songs]
    assert len(titles(desktop)) == 8
