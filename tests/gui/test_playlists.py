"""Playlists in the window: making, arranging, dropping, files in and out, undo, what is missing."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.desktop.playlist_controller import key_of
from library_db.library import Library
from library_db.m3u import read_m3u
from library_db.playlists import OutsideFile, Playlist, Rule
from tests.gui.conftest import WAIT_MS, drop_on, settle, titles
from widgets.main_window import Page
from widgets.mood_plane.canvas import Tool
from widgets.sidebar.tree import ENTRY_MIME
from widgets.track_table.columns import column_index
from widgets.track_table.model import ids_from_mime

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


def ids_of(desktop: Desktop, *numbers: int) -> list[int]:
    """The ids of "Song n"."""
    by_title = {
        track.title: track.id for track in desktop.library.tracks(desktop.library.index.ids)
    }
    return [by_title[f"Song {number}"] for number in numbers]


def make(qtbot: QtBot, desktop: Desktop, *numbers: int, name: str = "Road") -> int:
    """A playlist of these songs, made in the window; it is shown."""
    before = {info.id for info in desktop.views.playlists.infos}
    desktop.views.playlists.create(ids_of(desktop, *numbers), name, rename=False)
    qtbot.waitUntil(lambda: len(desktop.views.playlists.infos) > len(before), timeout=WAIT_MS)
    settle(qtbot, desktop)
    (made,) = {info.id for info in desktop.views.playlists.infos} - before
    return made


def stored(desktop: Desktop, playlist_id: int) -> list[str]:
    """The titles in the playlist as it lies in the database."""
    playlist = desktop.library.playlists.get(playlist_id)
    return [
        entry.title if isinstance(entry, OutsideFile) else desktop.library.track(entry).title
        for entry in playlist.entries
    ]


def drop(desktop: Desktop, mime: QMimeData, row: int, *, below: bool = False) -> None:
    """Let something fall on a row of the table."""
    table = desktop.window.table
    y = table.rowViewportPosition(row) + (table.rowHeight(row) - 2 if below else 2)
    drop_on(table.viewport(), QPointF(80, y), mime)


def undo(qtbot: QtBot, desktop: Desktop) -> None:
    desktop.window.actions_.undo.trigger()
    settle(qtbot, desktop)


def test_a_new_playlist_is_named_in_place_filled_and_shown(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    sidebar = desktop.window.sidebar
    desktop.window.actions_.new_playlist.trigger()
    qtbot.waitUntil(lambda: sidebar.findChild(QLineEdit) is not None, timeout=WAIT_MS)
    editor = sidebar.findChild(QLineEdit)
    QTest.keyClicks(editor, "Night drive")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    settle(qtbot, desktop)
    (info,) = desktop.views.playlists.infos
    assert info.name == "Night drive"
    assert desktop.window.page is Page.NO_MATCH
    desktop.views.playlists.add(info.id, ids_of(desktop, 5, 1))
    settle(qtbot, desktop)
    assert desktop.window.heading == "Night drive"
    assert titles(desktop) == ["Song 5", "Song 1"]
    assert sidebar.count_of(key_of(info.id)) == 2
    assert not desktop.window.table.isColumnHidden(column_index("place"))
    assert desktop.window.table.songs.index(1, column_index("place")).data() == "2"


def test_a_new_playlist_opens_also_while_others_are_looked_for(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    # Whatever was written, the look for what other programs wrote comes right behind it.
    desktop.songs._written.connect(lambda *_: desktop.views.playlists.refresh())
    for number in range(3):
        made = make(qtbot, desktop, number, name=f"List {number}")
        assert desktop.views.playlists.shown == made
        assert titles(desktop) == [f"Song {number}"]


def test_songs_are_added_from_the_table_by_menu_and_by_dropping_on_the_sidebar(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    made = make(qtbot, desktop, 0)
    sidebar, table = desktop.window.sidebar, desktop.window.table
    sidebar.choose("all")
    settle(qtbot, desktop)
    table.select_ids(ids_of(desktop, 3))
    menu = desktop.window.actions_.add_to_playlist.menu()
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == "Road").trigger()
    settle(qtbot, desktop)
    table.select_ids(ids_of(desktop, 6, 7))
    mime = table.dragged()
    assert len(mime.urls()) == 2  # other programs can take them, too
    tree = sidebar._tree
    rect = tree.visualItemRect(sidebar._items[key_of(made)])
    drop_on(tree.viewport(), QPointF(rect.center()), mime)
    settle(qtbot, desktop)
    assert sorted(stored(desktop, made)) == ["Song 0", "Song 3", "Song 6", "Song 7"]
    undo(qtbot, desktop)
    undo(qtbot, desktop)
    assert stored(desktop, made) == ["Song 0"]


def test_dropping_songs_on_a_mood_corrects_them(qtbot: QtBot, start: Start, tagged: Path) -> None:
    desktop = start()
    (song,) = ids_of(desktop, 0)
    desktop.window.sidebar.songs_dropped.emit("LALV", [song])
    settle(qtbot, desktop)
    assert desktop.library.emotion(song).quadrant.value == "LALV"
    undo(qtbot, desktop)
    assert desktop.library.emotion(song).user is None


def test_arranging_by_mouse_and_keys_and_back_by_undo(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    made = make(qtbot, desktop, 0, 1, 2, 3)
    table = desktop.window.table
    table.selectRow(0)
    drop(desktop, table.dragged(), 2, below=True)
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 1", "Song 2", "Song 0", "Song 3"] == stored(desktop, made)
    assert table.selected_rows() == [2]
    QTest.keyClick(table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 1", "Song 0", "Song 2", "Song 3"]
    desktop.window.activateWindow()
    table.setFocus()
    qtbot.waitUntil(table.hasFocus, timeout=WAIT_MS)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 1", "Song 2", "Song 3"]
    assert table.currentIndex().row() == 1
    for expected in (
        ["Song 1", "Song 0", "Song 2", "Song 3"],
        ["Song 1", "Song 2", "Song 0", "Song 3"],
        ["Song 0", "Song 1", "Song 2", "Song 3"],
    ):
        undo(qtbot, desktop)
        assert titles(desktop) == expected
    desktop.window.actions_.redo.trigger()
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 1", "Song 2", "Song 0", "Song 3"]


def test_one_of_two_places_of_a_song_is_taken_out(qtbot: QtBot, start: Start, tagged: Path) -> None:
    desktop = start()
    made = make(qtbot, desktop, 2, 5, 2)
    desktop.window.table.select_rows([2])
    desktop.window.actions_.forget.trigger()
    settle(qtbot, desktop)
    assert stored(desktop, made) == ["Song 2", "Song 5"]


def test_a_playlist_is_searched_and_sorted_and_its_own_order_comes_back(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    make(qtbot, desktop, 4, 1, 3)
    table, header = desktop.window.table, desktop.window.table.horizontalHeader()
    assert header.sortIndicatorSection() == column_index("place")
    desktop.songs.set_text("artist:ana")
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 1", "Song 3"]
    assert table.songs.places.tolist() == [1, 2]
    desktop.songs.set_text("")
    table.sortByColumn(column_index("title"), Qt.SortOrder.AscendingOrder)
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 1", "Song 3", "Song 4"]
    desktop.window.sidebar.choose("all")
    settle(qtbot, desktop)
    assert header.sortIndicatorSection() == column_index("artist")
    assert table.kept_state().sort == "artist"


def test_out_as_m3u8_and_in_again_in_the_same_order(
    qtbot: QtBot, start: Start, tagged: Path, tmp_path: Path
) -> None:
    desktop = start()
    made = make(qtbot, desktop, 3, 0, 7, 3)
    file = tmp_path / "songs" / "Road.m3u8"
    desktop.views.playlists.export(made, file)
    settle(qtbot, desktop)
    assert [entry.path.name for entry in read_m3u(file).files] == [
        "3.mp3", "0.mp3", "7.mp3", "3.mp3",
    ]  # fmt: skip
    desktop.views.menus.take_files([file])
    qtbot.waitUntil(lambda: len(desktop.views.playlists.infos) == 2, timeout=WAIT_MS)
    settle(qtbot, desktop)
    again = desktop.views.playlists.infos[1]
    assert again.name == "Road 2"
    assert titles(desktop) == ["Song 3", "Song 0", "Song 7", "Song 3"]
    with Library.open(desktop.home.library_dir) as other:
        assert other.playlists.get(again.id).entries == other.playlists.get(made).entries


def test_files_from_outside_go_into_a_playlist_and_the_library(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new" / "9.mp3"
    new.parent.mkdir()
    new.write_bytes((songs / "1.mp3").read_bytes() + b"x")
    desktop = start()
    made = make(qtbot, desktop, 0, 1)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(new)), QUrl.fromLocalFile(str(songs / "5.mp3"))])
    drop(desktop, mime, 1)
    qtbot.waitUntil(lambda: desktop.library.by_path(new) is not None, timeout=WAIT_MS)
    settle(qtbot, desktop)
    found = desktop.library.playlists.resolved(desktop.library.playlists.get(made)).entries
    paths = [track.path.name for track in desktop.library.tracks(found)]
    assert paths == ["0.mp3", "9.mp3", "5.mp3", "1.mp3"]
    assert min(desktop.window.table.songs.ids) >= 0


def test_fifty_thousand_missing_files_open_with_a_message_that_helps(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path, tmp_path: Path
) -> None:
    lines = "\n".join(f"/gone/<b>album</b>/{number:05}.mp3" for number in range(50_000))
    (tmp_path / "big.m3u8").write_text(f"#EXTM3U\n{lines}\n")
    desktop = start()
    desktop.views.menus.take_files([tmp_path / "big.m3u8"])
    notice = desktop.window.notice
    qtbot.waitUntil(lambda: bool(notice.text), timeout=4 * WAIT_MS)
    settle(qtbot, desktop)
    assert len(desktop.window.table.songs.ids) == 50_000
    assert desktop.window.table.songs.song(0).missing
    assert "/gone/<b>album</b>/00000.mp3" in notice.text
    desktop.window.actions_.play.trigger()
    desktop.glue.play_from(17)
    assert desktop.player.queue_ids == []
    desktop.window.sidebar.choose("all")
    settle(qtbot, desktop)
    assert notice.text == ""


def test_lost_files_are_found_in_another_folder(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path, tmp_path: Path
) -> None:
    (tmp_path / "old.m3u8").write_text("/old disk/2.mp3\n/old disk/none.mp3\n")
    desktop = start()
    desktop.views.menus.take_files([tmp_path / "old.m3u8"])
    qtbot.waitUntil(lambda: bool(desktop.window.notice.text), timeout=WAIT_MS)
    settle(qtbot, desktop)
    (info,) = desktop.views.playlists.infos
    desktop.views.playlists.find_lost(info.id, songs)
    qtbot.waitUntil(lambda: "Song 2" in stored(desktop, info.id), timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert stored(desktop, info.id) == ["Song 2", "none"]
    undo(qtbot, desktop)
    assert stored(desktop, info.id) == ["2", "none"]


def test_a_file_deleted_while_in_a_playlist_stays_in_its_place(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path
) -> None:
    desktop = start()
    made = make(qtbot, desktop, 1, 4, 2)
    (songs / "4.mp3").unlink()
    desktop.work.scan()
    qtbot.waitUntil(lambda: desktop.window.sidebar.count_of("missing") == 1, timeout=WAIT_MS)
    settle(qtbot, desktop)
    desktop.songs.search()
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 1", "Song 4", "Song 2"]
    assert desktop.window.table.songs.song(1).missing
    assert "4.mp3" in desktop.window.notice.text
    assert len(stored(desktop, made)) == 3


def test_a_smart_playlist_keeps_the_search_and_its_number_lives(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    desktop.window.search.set_query("artist:ana mood:calm")
    settle(qtbot, desktop)
    desktop.window.actions_.save_search.trigger()
    qtbot.waitUntil(lambda: len(desktop.views.playlists.infos) == 1, timeout=WAIT_MS)
    desktop.window.search.set_query("")
    settle(qtbot, desktop)
    (info,) = desktop.views.playlists.infos
    key = key_of(info.id)
    assert (info.name, titles(desktop)) == ("artist:ana mood:calm", ["Song 5"])
    qtbot.waitUntil(lambda: desktop.window.sidebar.count_of(key) == 1, timeout=WAIT_MS)
    desktop.songs.correct(
        ids_of(desktop, 1), desktop.library.emotion(ids_of(desktop, 5)[0]).quadrant
    )
    qtbot.waitUntil(lambda: desktop.window.sidebar.count_of(key) == 2, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 1", "Song 5"]
    desktop.views.playlists.change_rule(info.id, Rule("title:5"))
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 5"]
    undo(qtbot, desktop)
    assert titles(desktop) == ["Song 1", "Song 5"]


def test_renaming_reordering_and_deleting_are_undone(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    one, two = make(qtbot, desktop, 1, name="One"), make(qtbot, desktop, 2, name="Two")
    names = lambda: [info.name for info in desktop.views.playlists.infos]  # noqa: E731
    sidebar = desktop.window.sidebar
    sidebar.rename_requested.emit(key_of(one), "Uno")
    settle(qtbot, desktop)
    sidebar.move_requested.emit(key_of(two), key_of(one))
    settle(qtbot, desktop)
    assert names() == ["Two", "Uno"]
    sidebar.remove_requested.emit(key_of(two))
    settle(qtbot, desktop)
    assert names() == ["Uno"]
    assert sidebar.current == "all"
    for expected in (["Two", "Uno"], ["Uno", "Two"], ["One", "Two"]):
        undo(qtbot, desktop)
        assert names() == expected
    assert stored(desktop, two) == ["Song 2"]


def test_another_process_changes_a_playlist_that_is_shown(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    made = make(qtbot, desktop, 1)
    with Library.open(desktop.home.library_dir) as other:
        other.playlists.put(Playlist("Road", tuple(ids_of(desktop, 1, 6)), id=made, place=1.0))
    desktop.songs.look_for_foreign_changes()
    qtbot.waitUntil(lambda: titles(desktop) == ["Song 1", "Song 6"], timeout=WAIT_MS)
    settle(qtbot, desktop)


def test_a_full_disk_loses_nothing_and_says_what_helps(
    qtbot: QtBot, start: Start, tagged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop = start()
    made = make(qtbot, desktop, 1, 2)
    steps = desktop.songs.undo_stack.count()
    pages = desktop.library.store.rows("PRAGMA page_count")[0][0]
    desktop.library.store.database._writer.execute(f"PRAGMA max_page_count={pages}")
    desktop.views.playlists.add(made, [OutsideFile(Path(f"/x/{n}" * 20)) for n in range(5000)])
    settle(qtbot, desktop)
    assert any("disk is full" in toast.text for toast in desktop.window.toasts.toasts)
    assert stored(desktop, made) == ["Song 1", "Song 2"]
    assert desktop.songs.undo_stack.count() == steps
    file = tmp_path / "Road.m3u8"
    file.write_text("what was there before")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("app.replacing.os.umask", full)
    desktop.views.playlists.export(made, file)
    settle(qtbot, desktop)
    assert any("Free some space" in toast.text for toast in desktop.window.toasts.toasts)
    assert file.read_text() == "what was there before"
    assert [path.name for path in tmp_path.glob(".undertone*")] == []


def test_a_lasso_becomes_a_playlist_and_a_smart_one(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    plane, sidebar = desktop.window.plane, desktop.window.sidebar
    sidebar.choose("plane")
    qtbot.waitUntil(lambda: len(plane.canvas.points) == 8, timeout=WAIT_MS)
    settle(qtbot, desktop)
    w, h = plane.canvas.width(), plane.canvas.height()
    corner = [QPointF(x * w, y * h) for x, y in ((0.5, 0.5), (1, 0.5), (1, 1), (0.5, 1))]
    plane.canvas.choose_within(corner)
    calm = ids_of(desktop, 4, 5)
    assert sorted(plane.chosen_ids()) == sorted(calm)
    menu = plane.add.menu()
    menu.aboutToShow.emit()
    menu.actions()[0].trigger()
    qtbot.waitUntil(lambda: len(desktop.views.playlists.infos) == 1, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert sorted(titles(desktop)) == ["Song 4", "Song 5"]
    sidebar.choose("plane")
    settle(qtbot, desktop)
    assert len(plane.canvas.region) == 4
    plane.keep.click()
    qtbot.waitUntil(lambda: len(desktop.views.playlists.infos) == 2, timeout=WAIT_MS)
    settle(qtbot, desktop)
    smart = desktop.views.playlists.infos[1]
    assert smart.smart
    assert sorted(titles(desktop)) == ["Song 4", "Song 5"]
    qtbot.waitUntil(lambda: sidebar.count_of(key_of(smart.id)) == 2, timeout=WAIT_MS)
    undo(qtbot, desktop)
    assert len(desktop.views.playlists.infos) == 1


def test_a_drawn_way_becomes_a_playlist_that_travels_it(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    plane = desktop.window.plane
    desktop.window.sidebar.choose("plane")
    qtbot.waitUntil(lambda: len(plane.canvas.points) == 8, timeout=WAIT_MS)
    settle(qtbot, desktop)
    w, h = plane.canvas.width(), plane.canvas.height()
    plane.canvas.set_tool(Tool.PATH)
    way = [QPoint(round(x * w), round(y * h)) for x, y in ((0.2, 0.25), (0.5, 0.5), (0.8, 0.75))]
    QTest.mousePress(plane.canvas, Qt.MouseButton.LeftButton, pos=way[0])
    for place in way[1:]:
        QTest.mouseMove(plane.canvas, place)
    QTest.mouseRelease(plane.canvas, Qt.MouseButton.LeftButton, pos=way[-1])
    along = plane.chosen_ids()
    assert along
    assert not plane.keep.isVisible()
    desktop.views.playlists.create(along)
    qtbot.waitUntil(lambda: len(desktop.views.playlists.infos) == 1, timeout=WAIT_MS)
    settle(qtbot, desktop)
    (info,) = desktop.views.playlists.infos
    assert list(desktop.library.playlists.get(info.id).entries) == along


def test_the_queue_takes_files_and_becomes_a_playlist(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.mp3"
    outside.write_bytes((songs / "1.mp3").read_bytes() + b"y")
    (tmp_path / "two.m3u").write_text(f"{songs}/5.mp3\n{outside}\n")
    desktop = start()
    desktop.player.enqueue(ids_of(desktop, 0, 2))
    desktop.window.set_queue_shown(True)
    view = desktop.window.queue.view
    rect = view.visualRect(view.model().index(1, 0))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "two.m3u"))])
    drop_on(view.viewport(), QPointF(rect.center().x(), rect.top() + 2), mime)
    qtbot.waitUntil(lambda: len(desktop.player.queue_entries) == 4, timeout=WAIT_MS)
    assert desktop.player.queue_ids == [*ids_of(desktop, 0, 5), None, *ids_of(desktop, 2)]
    dragged = view.model().mimeData([view.model().index(0, 0), view.model().index(2, 0)])
    assert ids_from_mime(dragged) == ids_of(desktop, 0)
    desktop.window.queue.save.click()
    qtbot.waitUntil(lambda: len(desktop.views.playlists.infos) == 1, timeout=WAIT_MS)
    settle(qtbot, desktop)
    (info,) = desktop.views.playlists.infos
    assert stored(desktop, info.id) == ["Song 0", "Song 5", "", "Song 2"]
    assert desktop.window.table.songs.song(2).title == "outside.mp3"
    assert not desktop.window.table.songs.song(2).missing
    undo(qtbot, desktop)
    assert desktop.views.playlists.infos == []
    undo(qtbot, desktop)
    assert desktop.player.queue_ids == ids_of(desktop, 0, 2)


def test_a_playlist_is_dragged_into_the_queue(qtbot: QtBot, start: Start, tagged: Path) -> None:
    desktop = start()
    made = make(qtbot, desktop, 4, 1)
    desktop.window.set_queue_shown(True)
    mime = QMimeData()
    mime.setData(ENTRY_MIME, key_of(made).encode())
    drop_on(desktop.window.queue.view.viewport(), QPointF(20, 20), mime)
    qtbot.waitUntil(lambda: len(desktop.player.queue_ids) == 2, timeout=WAIT_MS)
    assert desktop.player.queue_ids == ids_of(desktop, 4, 1)
    settle(qtbot, desktop)


def test_a_playlist_file_is_opened_and_played(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path, tmp_path: Path
) -> None:
    (tmp_path / "two.m3u8").write_text(f"{songs}/5.mp3\n{songs}/1.mp3\n")
    desktop = start()
    desktop.handle({"command": "open", "paths": [str(tmp_path / "two.m3u8")]})
    qtbot.waitUntil(lambda: desktop.player.state == "playing", timeout=WAIT_MS)
    assert desktop.player.queue_ids == ids_of(desktop, 5, 1)
