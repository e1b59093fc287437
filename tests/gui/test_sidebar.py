"""The sidebar: sections that fold, entries that come and go, dropping, renaming in place."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from widgets.sidebar import Section, Sidebar, SidebarEntry
from widgets.sidebar.tree import ENTRY_MIME
from widgets.theme import Theme
from widgets.track_table.model import mime_of_ids

pytestmark = pytest.mark.gui


def own(key: str, name: str = "") -> SidebarEntry:
    return SidebarEntry(key, name or key, "playlist", takes_songs=True, own=True)


@pytest.fixture
def sidebar(qtbot: QtBot, theme: Theme) -> Sidebar:
    sidebar = Sidebar(theme)
    qtbot.addWidget(sidebar)
    sidebar.add_section(Section("mine", "Mine", add="New one"))
    sidebar.set_entries("mine", [own("a"), own("b"), own("c")])
    sidebar.resize(220, 800)
    sidebar.show()
    return sidebar


def drop(sidebar: Sidebar, key: str, mime: QMimeData, *, below: bool = False) -> None:
    tree = sidebar._tree
    rect = tree.visualItemRect(sidebar._items[key])
    y = rect.bottom() - 2 if below else rect.top() + 2
    event = QDropEvent(
        QPointF(rect.center().x(), y),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    tree.dropEvent(event)


def test_arrows_pass_over_open_headings_and_reach_folded_ones(sidebar: Sidebar) -> None:
    tree = sidebar._tree
    tree.setFocus()
    sidebar.choose("plane")
    QTest.keyClick(tree, Qt.Key.Key_Down)
    assert sidebar.current == "HAHV"
    QTest.keyClick(tree, Qt.Key.Key_Left)  # its heading
    QTest.keyClick(tree, Qt.Key.Key_Left)  # folded
    assert sidebar.collapsed() == ("moods",)
    assert sidebar.current == "HAHV"
    QTest.keyClick(tree, Qt.Key.Key_Down)
    assert sidebar.current == "attention"
    QTest.keyClick(tree, Qt.Key.Key_Up)
    QTest.keyClick(tree, Qt.Key.Key_Return)
    assert sidebar.collapsed() == ()


def test_home_and_end_go_to_the_first_and_last_entry(sidebar: Sidebar) -> None:
    QTest.keyClick(sidebar._tree, Qt.Key.Key_End)
    assert sidebar.current == "c"
    QTest.keyClick(sidebar._tree, Qt.Key.Key_Home)
    assert sidebar.current == "all"


def test_new_entries_keep_the_chosen_one_and_the_numbers(qtbot: QtBot, sidebar: Sidebar) -> None:
    sidebar.choose("b")
    sidebar.show_counts({"b": 7})
    with qtbot.assertNotEmitted(sidebar.chosen):
        sidebar.set_entries("mine", [own("d"), own("b", "Renamed")])
    assert (sidebar.current, sidebar.count_of("b"), sidebar.name_of("b")) == ("b", 7, "Renamed")
    sidebar.set_entries("mine", [])
    assert sidebar.current == "all"


def test_a_section_hides_while_it_is_empty_unless_it_can_be_added_to(sidebar: Sidebar) -> None:
    assert sidebar._sections["you"].isHidden()
    sidebar.add_entry("you", SidebarEntry("history", "History", "info"))
    assert not sidebar._sections["you"].isHidden()
    sidebar.set_entries("mine", [])
    assert not sidebar._sections["mine"].isHidden()


def test_songs_and_files_fall_where_they_are_taken(qtbot: QtBot, sidebar: Sidebar) -> None:
    with qtbot.waitSignal(sidebar.songs_dropped) as caught:
        drop(sidebar, "b", mime_of_ids([3, 1]))
    assert caught.args == ["b", [3, 1]]
    with qtbot.assertNotEmitted(sidebar.songs_dropped):
        drop(sidebar, "plane", mime_of_ids([3]))
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile("/music/x.mp3")])
    for key, told in (("c", "c"), ("plane", "")):
        with qtbot.waitSignal(sidebar.files_dropped) as caught:
            drop(sidebar, key, files)
        assert caught.args == [told, ["/music/x.mp3"]]


@pytest.mark.parametrize(
    ("target", "below", "before"), [("a", False, "a"), ("b", True, "c"), ("c", True, "")]
)
def test_own_entries_are_moved_by_dragging(
    qtbot: QtBot, sidebar: Sidebar, target: str, below: bool, before: str
) -> None:
    mime = QMimeData()
    mime.setData(ENTRY_MIME, b"b")
    with qtbot.waitSignal(sidebar.move_requested) as caught:
        drop(sidebar, target, mime, below=below)
    assert caught.args == ["b", before]


def test_own_entries_are_moved_and_removed_by_keys(qtbot: QtBot, sidebar: Sidebar) -> None:
    sidebar.choose("b")
    alt = Qt.KeyboardModifier.AltModifier
    for key, before in ((Qt.Key.Key_Up, "a"), (Qt.Key.Key_Down, "")):
        with qtbot.waitSignal(sidebar.move_requested) as caught:
            QTest.keyClick(sidebar._tree, key, alt)
        assert caught.args == ["b", before]
    with qtbot.waitSignal(sidebar.remove_requested) as removed:
        QTest.keyClick(sidebar._tree, Qt.Key.Key_Delete)
    assert removed.args == ["b"]
    sidebar.choose("plane")
    with qtbot.assertNotEmitted(sidebar.remove_requested):
        QTest.keyClick(sidebar._tree, Qt.Key.Key_Delete)


def test_a_name_is_edited_in_its_place(qtbot: QtBot, sidebar: Sidebar) -> None:
    sidebar.edit_name("a")
    editor = sidebar._tree.findChild(QLineEdit)
    assert editor is not None
    editor.setText("  Night   drive ")
    with qtbot.waitSignal(sidebar.rename_requested) as caught:
        QTest.keyClick(editor, Qt.Key.Key_Return)
    assert caught.args == ["a", "Night drive"]
    QApplication.processEvents()


def test_the_plus_sign_is_clicked_and_the_heading_folds(qtbot: QtBot, sidebar: Sidebar) -> None:
    tree = sidebar._tree
    rect = tree.visualItemRect(sidebar._sections["mine"])
    place = rect.bottomRight()
    with qtbot.waitSignal(sidebar.add_requested) as caught:
        QTest.mouseClick(
            tree.viewport(),
            Qt.MouseButton.LeftButton,
            pos=place - type(place)(16, 14),
        )
    assert caught.args == ["mine"]
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert sidebar.collapsed() == ("mine",)
