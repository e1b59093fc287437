"""Albums, artists, genres, moods and folders: looking round, opening, going back, dragging out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from inference.job import run_to_end
from library_db.library import Library
from library_db.scan import scan
from tests.audio_files import tiny_png, write_audio
from tests.gui.conftest import WAIT_MS, drop_on, settle, titles
from widgets.browse import BrowsePage, Order
from widgets.main_window import Page
from widgets.track_table.model import ids_from_mime

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


@pytest.fixture
def shelf(home: Path, tmp_path: Path) -> Path:
    """A library of three albums by two artists in two genres; one cover is corrupt."""
    folder = tmp_path / "shelf"
    for number, (artist, album, genre, year, cover) in enumerate(
        (
            ("Ana", "Zebra", "Rock", 1999, tiny_png()),
            ("Ana", "Zebra", "Rock", 1999, None),
            ("Ana", "Apple", "Rock; Folk", 2010, b"\x89PNG this is no picture"),
            ("<b>Bo</b>", "Night", "Folk", 2020, None),
        )
    ):
        write_audio(
            folder / artist.strip("<>/b") / album / f"{number}.mp3",
            duration_s=0.3,
            frequency_hz=200.0 + 90 * number,
            title=f"Song {number}",
            artist=artist,
            album=album,
            genre=genre,
            year=year,
            track_no=number + 1,
            cover=cover,
        )
    home.mkdir(parents=True, exist_ok=True)
    with Library.open(home) as library:
        library.add_root(folder)
        run_to_end(scan(library, [folder]))
    return folder


def page_of(qtbot: QtBot, desktop: Desktop, key: str) -> BrowsePage:
    desktop.window.sidebar.choose(key)
    settle(qtbot, desktop)
    page: BrowsePage = desktop.views.browse.pages[key]
    assert desktop.window.page is Page.OTHER
    assert desktop.window.stack.currentWidget() is page
    return page


def names(page: BrowsePage) -> list[str]:
    return [page.model.index(row).data() for row in range(page.model.rowCount())]


def spoken(page: BrowsePage) -> list[str]:
    role = Qt.ItemDataRole.AccessibleTextRole
    return [page.model.index(row).data(role) for row in range(page.model.rowCount())]


@pytest.mark.usefixtures("shelf")
def test_pages_fill_also_where_one_leaves_before_they_have(qtbot: QtBot, start: Start) -> None:
    desktop = start()
    for key in ("albums", "artists", "genres"):
        desktop.window.sidebar.choose(key)
    settle(qtbot, desktop)
    assert names(page_of(qtbot, desktop, "albums")) == ["Apple", "Night", "Zebra"]
    assert names(page_of(qtbot, desktop, "artists")) == ["<b>Bo</b>", "Ana"]
    assert desktop.window.heading == "Artists"


@pytest.mark.usefixtures("shelf")
def test_another_list_begins_at_its_top_also_where_it_is_asked_for_twice(
    qtbot: QtBot, start: Start
) -> None:
    desktop = start()
    kept = []
    desktop.songs.found.connect(lambda _, same: kept.append(same))
    desktop.songs.set_view("untagged")
    desktop.songs.search()
    settle(qtbot, desktop)
    assert kept[0] is False
    desktop.songs.search()
    settle(qtbot, desktop)
    assert kept[-1] is True


@pytest.mark.usefixtures("shelf")
def test_albums_are_opened_by_key_and_left_again(qtbot: QtBot, start: Start) -> None:
    desktop = start()
    page = page_of(qtbot, desktop, "albums")
    assert names(page) == ["Apple", "Night", "Zebra"]
    assert spoken(page)[2] == "Zebra, Ana, 1999, 2 songs"
    page.view.setFocus()
    page.reveal(page.model.groups[2].key)
    QTest.keyClick(page.view, Qt.Key.Key_Return)
    settle(qtbot, desktop)
    assert desktop.window.page is Page.SONGS
    assert (desktop.window.heading, titles(desktop)) == ("Zebra", ["Song 0", "Song 1"])
    assert desktop.window.back.isVisible()
    desktop.window.actions_.back.trigger()
    settle(qtbot, desktop)
    assert desktop.window.stack.currentWidget() is page
    assert page.chosen_keys() == [page.model.groups[2].key]
    assert not desktop.window.back.isVisible()


@pytest.mark.usefixtures("shelf")
def test_a_click_on_the_chosen_view_goes_back_to_it(qtbot: QtBot, start: Start) -> None:
    desktop = start()
    page = page_of(qtbot, desktop, "artists")
    page.opened.emit(page.model.groups[0].key)
    settle(qtbot, desktop)
    assert desktop.window.page is Page.SONGS
    tree = desktop.window.sidebar._tree
    rect = tree.visualItemRect(desktop.window.sidebar._items["artists"])
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    settle(qtbot, desktop)
    assert desktop.window.page is Page.OTHER


@pytest.mark.usefixtures("shelf")
def test_artists_genres_and_their_songs(qtbot: QtBot, start: Start) -> None:
    desktop = start()
    page = page_of(qtbot, desktop, "artists")
    assert names(page) == ["<b>Bo</b>", "Ana"]
    page = page_of(qtbot, desktop, "genres")
    assert spoken(page) == ["Folk, 2 songs", "Rock, 3 songs"]
    page.opened.emit("folk")
    settle(qtbot, desktop)
    assert sorted(titles(desktop)) == ["Song 2", "Song 3"]


def test_moods_hold_their_songs(qtbot: QtBot, start: Start, tagged: Path) -> None:
    desktop = start()
    page = page_of(qtbot, desktop, "moods")
    assert names(page) == ["Happy", "Tense", "Calm", "Sad"]
    page.opened.emit("LALV")
    settle(qtbot, desktop)
    assert sorted(titles(desktop)) == ["Song 6", "Song 7"]


@pytest.mark.usefixtures("shelf")
def test_the_search_narrows_the_page_and_what_is_opened_from_it(qtbot: QtBot, start: Start) -> None:
    desktop = start()
    page = page_of(qtbot, desktop, "albums")
    assert desktop.window.search.isVisible()
    desktop.window.search.set_query("title:1")
    settle(qtbot, desktop)
    assert names(page) == ["Zebra"]
    page.opened.emit(page.model.groups[0].key)
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 1"]
    desktop.window.search.set_query("nothing at all")
    settle(qtbot, desktop)
    assert desktop.window.page is Page.NO_MATCH
    desktop.window.actions_.back.trigger()
    settle(qtbot, desktop)
    assert page.view.isHidden()
    desktop.window.search.set_query("")
    settle(qtbot, desktop)
    assert len(names(page)) == 3


@pytest.mark.usefixtures("shelf")
def test_the_order_of_the_tiles(qtbot: QtBot, start: Start) -> None:
    desktop = start()
    page = page_of(qtbot, desktop, "albums")
    for order, expected in (
        (Order.ARTIST, ["Night", "Zebra", "Apple"]),
        (Order.YEAR, ["Night", "Apple", "Zebra"]),
        (Order.SONGS, ["Zebra", "Apple", "Night"]),
        (Order.NAME, ["Apple", "Night", "Zebra"]),
    ):
        row = page.order.findData(order)
        page.order.setCurrentIndex(row)
        page.order.activated.emit(row)
        assert names(page) == expected


@pytest.mark.usefixtures("shelf")
def test_covers_appear_and_a_corrupt_one_does_no_harm(qtbot: QtBot, start: Start) -> None:
    desktop = start()
    page = page_of(qtbot, desktop, "albums")
    covers = desktop.views.browse.covers
    asked = [group.covers for group in page.model.groups]
    assert [len(ids) for ids in asked] == [1, 0, 1]
    page.grab()
    qtbot.waitUntil(lambda: covers.cover(asked[2][0]) is not None, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert covers.cover(asked[0][0]) is None
    page.grab()


@pytest.mark.usefixtures("shelf")
def test_an_album_is_dragged_into_a_playlist(qtbot: QtBot, start: Start) -> None:
    desktop = start()
    desktop.views.playlists.create((), "Road", rename=False)
    settle(qtbot, desktop)
    (info,) = desktop.views.playlists.infos
    page = page_of(qtbot, desktop, "albums")
    mime = page.model.mimeData([page.model.index(2), page.model.index(0)])
    assert len(ids_from_mime(mime)) == 3
    sidebar = desktop.window.sidebar
    rect = sidebar._tree.visualItemRect(sidebar._items[f"playlist:{info.id}"])
    drop_on(sidebar._tree.viewport(), QPointF(rect.center()), mime)
    settle(qtbot, desktop)
    assert len(desktop.library.playlists.get(info.id).entries) == 3


def test_folders_unfold_and_open_with_what_lies_below(
    qtbot: QtBot, start: Start, shelf: Path
) -> None:
    desktop = start()
    desktop.window.sidebar.choose("folders")
    settle(qtbot, desktop)
    page = desktop.views.browse.folders
    view, model = page.view, page.model
    top = model.index(0, 0)
    assert (top.data(), model.index(0, 1).data()) == (str(shelf), "4")
    assert view.isExpanded(top)
    names = [model.index(row, 0, top).data() for row in range(model.rowCount(top))]
    assert names == ["Ana", "Bo"]
    view.setFocus()
    view.setCurrentIndex(model.index(0, 0, top))
    QTest.keyClick(view, Qt.Key.Key_Return)
    settle(qtbot, desktop)
    assert (desktop.window.heading, sorted(titles(desktop))) == (
        "Ana",
        ["Song 0", "Song 1", "Song 2"],
    )
    desktop.window.back.click()
    settle(qtbot, desktop)
    assert page.current == str(shelf / "Ana")
    view.setExpanded(model.index(0, 0, top), True)
    desktop.window.search.set_query("artist:ana")
    settle(qtbot, desktop)
    assert view.isExpanded(model.index_of(str(shelf / "Ana")))
    desktop.window.search.set_query("")
    settle(qtbot, desktop)


def test_folders_are_chosen_together_and_dragged_as_their_songs(
    qtbot: QtBot, start: Start, shelf: Path
) -> None:
    desktop = start()
    desktop.window.sidebar.choose("folders")
    settle(qtbot, desktop)
    page = desktop.views.browse.folders
    top = page.model.index(0, 0)
    page.view.setFocus()
    page.view.setCurrentIndex(page.model.index(0, 0, top))
    QTest.keyClick(page.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert page.chosen_paths() == [str(shelf / "Ana"), str(shelf / "Bo")]
    mime = page.model.mimeData(page.view.selectionModel().selectedRows())
    assert len(ids_from_mime(mime)) == 4
    QTest.keyClick(page.view, Qt.Key.Key_Return)
    settle(qtbot, desktop)
    assert desktop.window.heading == "2 chosen"
    assert len(titles(desktop)) == 4
