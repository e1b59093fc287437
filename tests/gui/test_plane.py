"""The mood plane: geometry, drawing, and what pointing, choosing and keys do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolButton
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from inference.emotion import Quadrant
from library_db.relative import RelativeMood
from tests.gui.conftest import WAIT_MS, mood_counts, settle
from widgets.covers import CoverCache
from widgets.main_window import Page
from widgets.mood_plane.canvas import PlaneCanvas, Tool
from widgets.mood_plane.carrying import Carrier
from widgets.mood_plane.points import PlanePoints
from widgets.mood_plane.raster import density, discs
from widgets.mood_plane.viewport import Viewport
from widgets.rows import RowCache, TrackRow
from widgets.text import relative_words
from widgets.theme import Theme
from widgets.track_table.columns import column_index
from widgets.track_table.model import ids_from_mime

pytestmark = pytest.mark.gui

COLOURS = np.eye(4, 3, dtype=np.float32)  # blue, green, red, black


def points(*places: tuple[float, float], confidence: float = 0.9) -> PlanePoints:
    """Songs 1, 2, ... at these places of valence and arousal."""
    n = len(places)
    valence, arousal = np.array(places, np.float32).reshape(n, 2).T
    quadrant = np.where(arousal >= 0, np.where(valence >= 0, 0, 1), np.where(valence >= 0, 2, 3))
    sure = np.full(n, confidence, np.float32)
    return PlanePoints(np.arange(1, n + 1), valence, arousal, sure, quadrant.astype(np.int8))


@pytest.fixture
def canvas(qtbot: QtBot, theme: Theme) -> Iterator[PlaneCanvas]:
    """A canvas of 400 x 400 with a song in the middle of each quadrant: 1 Happy ... 4 Sad."""
    rows, covers = RowCache(), CoverCache()
    rows.wanted.connect(lambda ids: rows.fill(ids, [TrackRow(i, f"Song {i}") for i in ids]))
    canvas = PlaneCanvas(theme, rows, covers)
    qtbot.addWidget(canvas)
    canvas.resize(400, 400)
    canvas.show()
    canvas.show_points(points((0.5, 0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)))
    yield canvas
    qtbot.waitUntil(lambda: True)


def place_of(canvas: PlaneCanvas, track_id: int) -> QPoint:
    place = canvas.points.place_of(track_id)
    x = canvas.viewport.x_of(canvas.points.valence[place : place + 1])[0]
    y = canvas.viewport.y_of(canvas.points.arousal[place : place + 1])[0]
    return QPoint(round(float(x)), round(float(y)))


def drag(canvas: PlaneCanvas, *path: QPoint) -> None:
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=path[0])
    for place in path[1:]:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=path[-1])


def test_the_view_maps_there_and_back_and_zooms_about_the_pointer() -> None:
    view = Viewport(640, 480).zoomed(4, 100, 50).panned(13, -7)
    valence, arousal = view.at(200, 300)
    x = view.x_of(np.array([valence], np.float32))[0]
    y = view.y_of(np.array([arousal], np.float32))[0]
    assert (x, y) == pytest.approx((200, 300), abs=1e-2)
    before = view.at(222, 111)
    assert view.zoomed(1.7, 222, 111).at(222, 111) == pytest.approx(before, abs=1e-6)
    assert Viewport(640, 480).zoomed(0.1, 5, 5) == Viewport(640, 480)


def test_pleasant_is_right_and_energetic_is_up() -> None:
    view = Viewport(400, 400)
    assert view.x_of(np.float32([0.5]))[0] > 200 > view.x_of(np.float32([-0.5]))[0]
    assert view.y_of(np.float32([0.5]))[0] < 200 < view.y_of(np.float32([-0.5]))[0]


@pytest.mark.parametrize("draw", ["density", "discs"])
def test_a_song_is_drawn_at_its_place_in_its_colour(draw: str) -> None:
    x, y = np.array([30.0, -5.0], np.float32), np.array([12.0, 400.0], np.float32)
    kind, weight = np.array([2, 0], np.int8), np.ones(2, np.float32)
    args = (x, y, kind, weight, COLOURS, (64, 32))
    pixels = density(*args) if draw == "density" else discs(*args, radius=3.0)
    assert pixels.shape == (32, 64, 4)
    blue, green, red, alpha = (int(v) for v in pixels[12, 30])
    assert red > 0
    assert (blue, green) == (0, 0)
    assert alpha >= red
    assert pixels[25, 5, 3] == 0


def test_a_less_certain_song_is_fainter() -> None:
    x = y = np.array([10.0], np.float32)
    kind = np.array([1], np.int8)
    alphas = [
        discs(x, y, kind, points((0, 0), confidence=c).opacity, COLOURS, (20, 20), 3.0)[10, 10, 3]
        for c in (0.2, 0.6, 1.0)
    ]
    assert alphas == sorted(alphas)
    assert 0 < alphas[0] < alphas[2]


def test_neighbours_come_in_the_order_of_distance() -> None:
    some = points((0, 0), (0.5, 0), (0.1, 0), (-0.3, 0))
    assert list(some.nearest(0, 3)) == [1, 3, 4]
    assert list(some.nearest(0, 99)) == [1, 3, 4, 2]


def test_a_path_visits_each_song_once_in_the_order_of_the_way() -> None:
    some = points((-0.9, 0), (0.0, 0.05), (0.9, 0), (0.0, 0.9))
    way = np.array([[-1.0, 0.0], [1.0, 0.0]], np.float32)
    assert list(some.along(way, reach=0.2, count=10)) == [1, 2, 3]


def test_hovering_finds_the_song_and_clicking_plays_it_first(
    qtbot: QtBot, canvas: PlaneCanvas
) -> None:
    QTest.mouseMove(canvas, place_of(canvas, 3))
    assert canvas.hovered_id == 3
    with qtbot.waitSignal(canvas.play_requested) as caught:
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place_of(canvas, 3))
    assert caught.args[0][0] == 3
    assert sorted(caught.args[0]) == [1, 2, 3, 4]
    QTest.mouseMove(canvas, QPoint(200, 200))
    assert canvas.hovered_id is None


def test_a_rectangle_and_a_lasso_choose_what_they_surround(canvas: PlaneCanvas) -> None:
    canvas.set_tool(Tool.RECTANGLE)
    drag(canvas, QPoint(210, 10), QPoint(300, 200), QPoint(390, 390))
    assert sorted(canvas.chosen_ids()) == [1, 3]
    canvas.set_tool(Tool.LASSO)
    centre = place_of(canvas, 2)
    ring = [
        centre + QPoint(round(40 * np.cos(t)), round(40 * np.sin(t)))
        for t in np.linspace(0, 6.2, 20)
    ]
    drag(canvas, *ring)
    assert list(canvas.chosen_ids()) == [2]
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert len(canvas.chosen_ids()) == 0


def test_a_key_chooses_every_song_in_sight(canvas: PlaneCanvas) -> None:
    QTest.keyClick(canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert sorted(canvas.chosen_ids()) == [1, 2, 3, 4]
    canvas.go_to(2)
    canvas.zoom(4)
    QTest.keyClick(canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert list(canvas.chosen_ids()) == [2]


def test_chosen_songs_are_dragged_away_and_the_plane_stays(
    canvas: PlaneCanvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier, carried = Carrier(canvas), []
    monkeypatch.setattr(carrier, "_drag", lambda: carried.append(ids_from_mime(carrier.dragged())))
    drag(canvas, place_of(canvas, 1), QPoint(200, 300), QPoint(150, 310))
    assert carried == []
    canvas.fit()
    canvas.choose_within([QPointF(210, 10), QPointF(390, 10), QPointF(390, 390), QPointF(210, 390)])
    before = canvas.viewport
    drag(canvas, place_of(canvas, 1), QPoint(200, 300), QPoint(150, 310))
    assert [sorted(ids) for ids in carried] == [[1, 3]]
    assert canvas.viewport == before
    assert sorted(canvas.chosen_ids()) == [1, 3]


def test_dragging_moves_the_plane_and_plays_nothing(qtbot: QtBot, canvas: PlaneCanvas) -> None:
    canvas.zoom(4)
    before = canvas.viewport
    with qtbot.assertNotEmitted(canvas.play_requested):
        drag(canvas, QPoint(200, 200), QPoint(230, 200), QPoint(260, 180))
    assert canvas.viewport.valence < before.valence
    assert canvas.viewport.arousal < before.arousal


def test_the_keys_go_from_song_to_song_and_play(qtbot: QtBot, canvas: PlaneCanvas) -> None:
    canvas.go_to(4)
    canvas.fit()
    for key, expected in ((Qt.Key.Key_Right, 3), (Qt.Key.Key_Up, 1), (Qt.Key.Key_Left, 2)):
        QTest.keyClick(canvas, key)
        assert canvas.hovered_id == expected
    with qtbot.waitSignal(canvas.play_requested) as caught:
        QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert caught.args[0][0] == 2


def test_new_points_keep_what_was_chosen(canvas: PlaneCanvas) -> None:
    canvas.set_tool(Tool.RECTANGLE)
    drag(canvas, QPoint(10, 10), QPoint(100, 100), QPoint(390, 190))
    assert sorted(canvas.chosen_ids()) == [1, 2]
    canvas.show_points(points((0.5, 0.5), (0.9, -0.9)))
    assert sorted(canvas.chosen_ids()) == [1, 2]
    canvas.show_points(points((0.5, 0.5)))
    assert list(canvas.chosen_ids()) == [1]


def test_an_empty_plane_is_drawn_and_pointed_at(canvas: PlaneCanvas) -> None:
    canvas.show_points(PlanePoints.none())
    QTest.mouseMove(canvas, QPoint(100, 100))
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert canvas.grab().width() > 0
    assert canvas.hovered_id is None


# In the program


@pytest.fixture
def on_plane(qtbot: QtBot, start: Callable[..., Desktop], tagged: Path) -> Desktop:
    desktop = start()
    desktop.window.sidebar.choose("plane")
    qtbot.waitUntil(lambda: len(desktop.window.plane.canvas.points) == 8, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert desktop.window.page is Page.PLANE
    return desktop


def test_a_lasso_becomes_the_queue(qtbot: QtBot, on_plane: Desktop) -> None:
    canvas = on_plane.window.plane.canvas
    canvas.set_tool(Tool.RECTANGLE)
    middle, corner = canvas.rect().center(), canvas.rect().topRight()
    drag(canvas, middle, (middle + corner) / 2, corner)
    chosen = sorted(int(i) for i in canvas.chosen_ids())
    assert len(chosen) == 2
    QTest.mouseClick(on_plane.window.plane.enqueue, Qt.MouseButton.LeftButton)
    assert sorted(on_plane.player.queue_ids) == chosen
    QTest.mouseClick(on_plane.window.plane.filter, Qt.MouseButton.LeftButton)
    settle(qtbot, on_plane)
    assert on_plane.window.page is Page.SONGS
    assert sorted(int(i) for i in on_plane.window.table.songs.ids) == chosen


def test_a_right_click_offers_what_can_be_done_with_a_song(qtbot: QtBot, on_plane: Desktop) -> None:
    canvas = on_plane.window.plane.canvas
    canvas.choose_in_sight()
    canvas.clear_selection()
    song = int(canvas.points.ids[2])
    place = canvas.place_of(song)
    assert place is not None
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, canvas.mapToGlobal(place))
    QApplication.sendEvent(canvas, event)
    menu = next(menu for menu in canvas.findChildren(QMenu) if menu.isVisible())
    actions = on_plane.window.actions_
    assert {actions.play_next, actions.similar, actions.enqueue} <= set(menu.actions())
    actions.enqueue.trigger()
    menu.close()
    assert on_plane.pages.chosen() == on_plane.player.queue_ids
    assert len(on_plane.player.queue_ids) == 1


def test_the_tools_are_chosen_by_key(on_plane: Desktop) -> None:
    plane = on_plane.window.plane
    on_plane.window.activateWindow()
    tools = plane.findChildren(QToolButton)[:4]
    tools[0].setFocus()
    for tool in tools[1:]:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Right)
        assert QApplication.focusWidget() is tool
        QTest.keyClick(tool, Qt.Key.Key_Space)
        assert tool.isChecked()
    assert not plane.canvas.moves


def test_the_search_narrows_the_plane(qtbot: QtBot, on_plane: Desktop) -> None:
    on_plane.window.search.set_query("artist:ana")
    qtbot.waitUntil(lambda: len(on_plane.window.plane.canvas.points) == 4, timeout=WAIT_MS)


def test_a_correction_by_key_moves_the_song_on_the_plane(qtbot: QtBot, on_plane: Desktop) -> None:
    canvas = on_plane.window.plane.canvas
    song = int(canvas.points.ids[0])
    canvas.setFocus()
    canvas.go_to(song)
    QTest.keyClick(canvas, "4")
    qtbot.waitUntil(
        lambda: canvas.points.quadrant[canvas.points.place_of(song)] == 3, timeout=WAIT_MS
    )
    assert canvas.points.valence[canvas.points.place_of(song)] < 0


def test_places_within_the_library_spread_out_and_are_kept(qtbot: QtBot, on_plane: Desktop) -> None:
    desktop, plane = on_plane, on_plane.window.plane
    assert float(np.ptp(plane.canvas.points.valence)) < 1.5
    QTest.mouseClick(plane.relative, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: plane.canvas.points.relative, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert desktop.preferences.settings.library.relative_moods
    order = np.argsort(plane.canvas.points.valence, kind="stable")
    absolute = desktop.library.index.columns()
    assert np.all(np.diff(absolute.valence[order]) >= 0)
    assert mood_counts(desktop) == list(desktop.library.counts(relative=True).values())[1:]
    desktop.window.sidebar.choose(Quadrant.LAHV.value)
    settle(qtbot, desktop)
    assert desktop.window.heading.endswith("within your library")
    expected = desktop.library.search("mood%:calm")
    assert desktop.window.table.songs.ids.tolist() == expected.tolist()
    shown = [
        key
        for key in ("valence%", "arousal%")
        if not desktop.window.table.isColumnHidden(column_index(key))
    ]
    assert shown == ["valence%", "arousal%"]
    desktop.preferences.set("library", "relative_moods", False)
    settle(qtbot, desktop)
    assert not plane.relative.isChecked()
    assert desktop.window.table.songs.ids.tolist() == desktop.library.search("mood:calm").tolist()


def test_the_card_says_where_a_song_lies_within_the_library() -> None:
    words = relative_words(RelativeMood(Quadrant.LAHV, 80.2, 12.0))
    assert "Calm" in words
    assert "80 %" in words
    assert "12 %" in words
    assert relative_words(None) == ""
