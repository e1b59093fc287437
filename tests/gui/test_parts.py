"""The smaller parts: table, cache, seek bar, search field, state, settings, single instance."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QDialogButtonBox, QWidget
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.desktop.instance import InstanceServer
from app.desktop.state import WindowState
from app.remote import address, decode, encode, send
from inference.emotion import Quadrant
from widgets.dialogs.problems import Problem, ProblemsDialog
from widgets.dialogs.settings import SettingField, SettingsDialog
from widgets.mood_timeline import MoodCurve, SeekBar
from widgets.player_bar import NowPlaying, PlayerBar
from widgets.rows import RowCache, TrackRow
from widgets.search_field import SearchField
from widgets.text import clock, one_line, songs
from widgets.theme import Theme
from widgets.toasts import ToastHost
from widgets.track_table.columns import column_index
from widgets.track_table.model import TrackTableModel
from widgets.track_table.view import TrackTable

pytestmark = pytest.mark.gui

HOSTILE = "<b>Bold</b>\n\x00\x1b[31m" + "../" * 5 + "x" * 2_000_000


def filled(ids: range | list[int], **fields: object) -> RowCache:
    rows = RowCache()
    known = {i: TrackRow(i, f"Song {i}", **fields) for i in ids}  # type: ignore[arg-type]
    rows.wanted.connect(lambda ids: rows.fill(ids, [known[i] for i in ids if i in known]))
    return rows


@pytest.fixture
def table(qtbot: QtBot, theme: Theme) -> TrackTable:
    table = TrackTable(theme, filled(range(1, 1001)))
    qtbot.addWidget(table)
    table.resize(700, 400)
    table.show_ids(np.arange(1, 1001))
    table.show()
    return table


def test_only_rows_in_sight_are_fetched(qtbot: QtBot, theme: Theme) -> None:
    asked: list[int] = []
    rows = RowCache()
    rows.wanted.connect(asked.extend)
    table = TrackTable(theme, rows)
    qtbot.addWidget(table)
    table.resize(700, 400)
    table.show_ids(np.arange(1, 100_001))
    table.show()
    qtbot.waitUntil(lambda: len(asked) > 0)
    assert len(asked) < 100
    assert asked == sorted(set(asked))


def test_the_list_changes_under_a_selection_that_stays(qtbot: QtBot, table: TrackTable) -> None:
    table.select_ids([500, 501, 503])
    index = table.songs.index(500, 1)
    table.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
    table.verticalScrollBar().setValue(490 * table.verticalHeader().defaultSectionSize() + 7)
    place = table.rowViewportPosition(491)  # of 492, the first in sight that stays
    without = np.array([i for i in range(1, 1201) if i % 10 != 1])  # 491 and 501 leave
    table.show_ids(without, keep_place=True)
    assert table.selected_ids() == [500, 503]
    assert table.rowViewportPosition(int(table.songs.rows_of([492])[0])) == place


def test_a_selection_of_everything_costs_no_look_at_every_row(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = TrackTable(theme, filled(range(1, 200)))
    qtbot.addWidget(table)
    table.resize(700, 400)
    table.show_ids(np.arange(1, 100_001))
    table.show()
    asked: list[int] = []
    original = TrackTableModel.flags

    def flags(model: TrackTableModel, index: QModelIndex) -> Qt.ItemFlag:
        asked.append(index.row())
        return original(model, index)

    monkeypatch.setattr(TrackTableModel, "flags", flags)
    table.selectAll()
    table.show_ids(np.roll(np.arange(1, 100_001), 1), keep_place=True)
    table.grab()
    assert len(table.selected_ids()) == 100_000
    assert len(asked) < 5000


def test_another_question_starts_at_the_top(table: TrackTable) -> None:
    table.select_ids([700])
    table.verticalScrollBar().setValue(9000)
    table.show_ids(np.arange(1, 500))
    assert table.verticalScrollBar().value() == 0
    assert table.selected_ids() == []


def test_columns_fill_the_width_and_the_least_important_go_first(table: TrackTable) -> None:
    def shown() -> set[str]:
        from widgets.track_table.columns import COLUMNS

        return {c.key for i, c in enumerate(COLUMNS) if not table.isColumnHidden(i)}

    for width in (1200, 700, 420, 300):
        table.resize(width, 400)
        total = sum(table.columnWidth(i) for i in range(table.songs.columnCount()))
        assert total <= table.viewport().width() or width == 300
        assert "title" in shown()
    assert "album" not in shown()
    table.resize(1200, 400)
    assert {"album", "artist", "confidence"} <= shown()


def test_typing_letters_over_the_songs_goes_to_the_search(qtbot: QtBot, table: TrackTable) -> None:
    with qtbot.waitSignal(table.typed) as caught:
        QTest.keyClick(table, "r")
    assert caught.args == ["r"]


def test_hostile_tags_are_shown_as_short_plain_text(qtbot: QtBot, theme: Theme) -> None:
    rows = RowCache()
    row = TrackRow(1, one_line(HOSTILE), artist=HOSTILE, path="/\udcff.mp3")
    rows.wanted.connect(lambda ids: rows.fill(ids, [row]))
    table = TrackTable(theme, rows)
    qtbot.addWidget(table)
    table.show_ids(np.array([1]))
    table.show_column("path", True)
    table.resize(900, 200)
    table.show()
    qtbot.waitUntil(lambda: table.songs.song(0) is not None)
    assert table.grab().width() > 0
    tip = table.songs.data(table.songs.index(0, column_index("title")), Qt.ItemDataRole.ToolTipRole)
    assert "<b>" not in tip
    assert len(tip) < 2000
    bar = PlayerBar(theme)
    qtbot.addWidget(bar)
    bar.show_song(NowPlaying(1, HOSTILE, HOSTILE))
    assert bar.title.textFormat() is Qt.TextFormat.PlainText
    assert bar.grab().width() > 0


def test_a_row_that_changed_is_asked_for_again_and_shown_meanwhile(qtbot: QtBot) -> None:
    rows, asked = RowCache(), []
    rows.wanted.connect(asked.append)
    rows.row(1)
    qtbot.waitUntil(lambda: asked == [[1]])
    rows.fill([1], [TrackRow(1, "old")])
    rows.invalidate([1])
    assert rows.row(1).title == "old"
    qtbot.waitUntil(lambda: asked == [[1], [1]])
    rows.fill([1], [TrackRow(1, "new")])
    assert rows.row(1).title == "new"
    rows.fill([1], [])
    assert rows.peek(1) is None


def test_the_seek_bar_names_the_mood_at_a_moment(qtbot: QtBot, theme: Theme) -> None:
    bar = SeekBar(theme)
    qtbot.addWidget(bar)
    curve = MoodCurve(0.0, 10.0, np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]], np.float32))
    bar.set_song(20.0, curve)
    bar.resize(400, 36)
    assert list(curve.quadrants) == [0, 3]
    assert curve.arousal[0] == pytest.approx(0.6)
    assert bar.told(20) == "0:00  Happy"
    assert bar.told(390).endswith("Sad")
    assert bar.grab().width() > 0
    bar.set_song(None, None)
    assert not bar.isEnabled()


def test_the_search_waits_for_a_pause_in_typing(qtbot: QtBot, theme: Theme) -> None:
    field = SearchField(theme)
    qtbot.addWidget(field)
    asked: list[str] = []
    field.query_changed.connect(asked.append)
    QTest.keyClicks(field.line, "rain")
    assert asked == []
    qtbot.waitUntil(lambda: asked == ["rain"])
    field.line.clear()
    assert asked == ["rain", ""]


def test_an_error_message_shows_what_was_typed_as_text(qtbot: QtBot, theme: Theme) -> None:
    field = SearchField(theme)
    qtbot.addWidget(field)
    field.set_query("a <img src=x> b")
    field.show_error("what is <this>?", 2, 13)
    assert field.error == "what is <this>?"
    assert field.marked == (2, 13)
    field.clear_error()
    assert field.error == ""
    assert field.marked == (0, 0)


def test_toasts_stand_above_the_bar_each_at_its_height(qtbot: QtBot, theme: Theme) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(600, 400)
    parent.show()
    host = ToastHost(theme, parent)
    host.keep_clear(100)
    heights = []
    for text in ("one", "two " * 60, "three"):
        host.show_toast(text)
        heights.append(host.toasts[-1].height())
        assert host.geometry().bottom() < 300
        for toast in host.toasts:
            assert toast.height() >= toast.heightForWidth(toast.width())
    assert heights[1] > heights[0] == heights[2]
    host.clear()


def test_toasts_do_not_pile_up(qtbot: QtBot, theme: Theme) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(600, 400)
    host = ToastHost(theme, parent)
    done: list[str] = []
    for text in ("one", "two", "two", "three", "four"):
        host.show_toast(text, "Undo", lambda t=text: done.append(t))
    assert [toast.text for toast in host.toasts] == ["two", "three", "four"]
    host.toasts[0].action.click()
    assert done == ["two"]
    assert [toast.text for toast in host.toasts] == ["three", "four"]
    host.clear()


def test_hundreds_of_messages_come_and_go(qtbot: QtBot, theme: Theme) -> None:
    # A wrapper that outlived its layout item once crashed the program here.
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(600, 400)
    parent.show()
    host = ToastHost(theme, parent)
    dialog = ProblemsDialog(theme, parent)
    for number in range(300):
        dialog.add([Problem(f"/{number}", "gone")])
        host.show_toast(f"note {number}", "Show", dialog.show)
        if number % 5 == 0:
            QApplication.processEvents()
    assert [toast.text for toast in host.toasts] == ["note 297", "note 298", "note 299"]
    assert len(dialog.problems) == 300
    host.clear()
    assert host.toasts == []


def test_the_problem_list_keeps_the_last_word_and_retries_what_is_chosen(
    qtbot: QtBot, theme: Theme
) -> None:
    dialog = ProblemsDialog(theme)
    qtbot.addWidget(dialog)
    dialog.add([Problem("/a", "empty"), Problem("/b", "empty"), Problem("/a", "gone")])
    assert dialog.problems == [Problem("/b", "empty"), Problem("/a", "gone")]
    dialog.table.selectRow(0)
    with qtbot.waitSignal(dialog.retry_requested) as caught:
        dialog.retry.click()
    assert caught.args == [["/a"]]
    dialog.copy.click()
    assert "/b\tempty" in QApplication.clipboard().text()
    dialog.settle(["/a", "/b"])
    assert dialog.problems == []
    assert not dialog.retry.isEnabled()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"queue": "x", "widths": [[1]], "position_s": "NaN", "splitter": 3}']
)
def test_a_damaged_window_state_is_passed_over(tmp_path: Path, text: str) -> None:
    path = tmp_path / "window.json"
    path.write_text(text)
    assert WindowState.load(path) == WindowState()


def test_the_window_state_comes_back_as_it_was(tmp_path: Path) -> None:
    state = WindowState(
        splitter=(200, 600, 300),
        columns=("title", "mood"),
        widths=(("title", 300),),
        sort="year",
        descending=True,
        queue=(3, "/music/outside \udcff.mp3", 2),  # any name that a file may have
        queue_index=1,
        position_s=12.5,
    ).with_geometry(b"\x01\x02")
    state.save(tmp_path / "deep" / "window.json")
    assert WindowState.load(tmp_path / "deep" / "window.json") == state
    assert state.geometry_bytes == b"\x01\x02"


def test_settings_change_at_once_and_are_saved(
    qtbot: QtBot, start: Callable[..., Desktop], home: Path
) -> None:
    desktop = start()
    with qtbot.waitSignal(desktop.dialogs.opened, timeout=5000) as caught:
        desktop.dialogs.show_settings()
    (dialog,) = caught.args
    themes = dialog.editors["appearance", "theme"]
    assert isinstance(themes, QComboBox)
    themes.setCurrentIndex(themes.findData("dark"))
    assert desktop.theme.tokens.dark
    after_scan = dialog.editors["tagging", "after_scan"]
    assert isinstance(after_scan, QCheckBox)
    after_scan.setChecked(False)
    dialog.done(0)
    desktop.close()
    saved = (home / "settings.toml").read_text()
    assert 'theme = "dark"' in saved
    assert "after_scan = false" in saved


def test_the_settings_come_in_parts_and_tab_goes_through_them(qtbot: QtBot, theme: Theme) -> None:
    def field(name: str, value: object) -> SettingField:
        return SettingField(name[0], name, f"Setting {name}", value)  # type: ignore[arg-type]

    parts = [("A", [field("a1", True), field("a2", 3)]), ("B", [field("b1", 0.5)])]
    dialog = SettingsDialog(theme, parts)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.focusWidget() is dialog._editors["a", "a1"]
    assert ("b", "b1") not in dialog._editors  # a turn later each: all at once is a dropped frame
    last = "b", "b1"
    qtbot.waitUntil(lambda: last in dialog._editors and dialog._editors[last].isVisible())
    order = [dialog.editors["a", "a1"]]
    for _ in range(3):
        QTest.keyClick(order[-1], Qt.Key.Key_Tab)
        order.append(dialog.focusWidget())
    assert order[1:3] == [dialog.editors["a", "a2"], dialog.editors["b", "b1"]]
    assert order[3] is dialog.findChild(QDialogButtonBox).buttons()[0]
    dialog.accept()


def test_wrong_settings_open_the_window_and_are_told(
    qtbot: QtBot, start: Callable[..., Desktop], home: Path
) -> None:
    home.mkdir(parents=True)
    (home / "settings.toml").write_text('[appearance]\ntheme = "pink"\n')
    desktop = start()
    assert any("theme" in toast.text for toast in desktop.window.toasts.toasts)


def test_a_library_that_cannot_be_opened_is_explained(
    qtbot: QtBot, qapp: QApplication, home: Path
) -> None:
    from app.paths import home as home_at
    from app.playback.null_backend import NullBackend

    (home / "library.sqlite3").mkdir(parents=True)
    desktop = Desktop(qapp, home_at(home).prepare(), NullBackend)
    desktop.start()
    qtbot.waitUntil(lambda: bool(desktop.window.toasts.toasts))
    assert desktop.window.no_match.isVisible()
    desktop.window.close()
    assert desktop.stuck == []


def test_one_player_a_home_and_the_second_start_is_answered(qtbot: QtBot, tmp_path: Path) -> None:
    heard: list[dict[str, object]] = []

    def answer(message: dict[str, object]) -> dict[str, object]:
        heard.append(message)
        return {"ok": True}

    first = InstanceServer(tmp_path, answer)
    second = InstanceServer(tmp_path, answer)
    assert first.listen()
    assert not second.listen()
    replies: list[object] = []
    message = {"command": "open", "paths": ["/a/\udcff.mp3"]}
    thread = threading.Thread(target=lambda: replies.append(send(tmp_path, message)))
    thread.start()
    qtbot.waitUntil(lambda: bool(replies))
    thread.join()
    assert replies == [{"ok": True}]
    assert heard == [message]
    first.close()
    assert send(tmp_path, message) is None
    assert second.listen()
    second.close()


def test_the_address_is_short_whatever_the_home_is_called(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 200) / ("y" * 200)
    assert len(address(deep).encode()) < 100
    assert address(deep) != address(tmp_path)


def test_messages_survive_the_wire_and_rubbish_is_no_message() -> None:
    message = {"paths": ["/\udc80\n"], "n": 1}
    line = encode(message)
    assert line.count(b"\n") == 1
    assert decode(line) == message
    assert decode(b"[1]\n") is None
    assert decode(b"\xff\n") is None
    assert json.loads(line)["n"] == 1


def test_values_read_as_people_write_them() -> None:
    assert clock(187) == "3:07"
    assert clock(3765) == "1:02:45"
    assert clock(None) == clock(float("nan")) == "–"
    assert songs(1) == "1 song"
    assert one_line("a\x00b\n c" * 1000).startswith("a b c")
    assert len(one_line("x" * 10_000_000)) <= 401
    assert Quadrant.HAHV
