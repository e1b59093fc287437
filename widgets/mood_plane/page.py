"""The page of the mood plane: the canvas, its tools, and what can be done with what is chosen."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from widgets.controls import ElidedLabel, IconButton, button
from widgets.covers import CoverCache
from widgets.mood_plane.canvas import PlaneCanvas, Tool
from widgets.mood_plane.carrying import Carrier
from widgets.mood_plane.points import PlanePoints
from widgets.rows import RowCache
from widgets.text import songs
from widgets.theme import SPACE, Theme

__all__ = ["MoodPlanePage"]

_WIDE = 1040


class MoodPlanePage(QWidget):
    """The plane with its tool bar."""

    play_requested = Signal(list)
    enqueue_requested = Signal(list)
    filter_requested = Signal(list)
    region_requested = Signal(object)  # corners as (valence, arousal): to be a smart playlist
    relative_requested = Signal(bool)  # places within the library instead of absolute ones

    def __init__(
        self, theme: Theme, rows: RowCache, covers: CoverCache, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAccessibleName(self.tr("Mood plane"))
        self.canvas = PlaneCanvas(theme, rows, covers)
        self.carrier = Carrier(self.canvas)
        self._tools: dict[Tool, IconButton] = {}
        self._group = QButtonGroup(self)
        self._words = ElidedLabel(role="soft")
        self.play = button(self.tr("Play"), "primary")
        self.enqueue = button(self.tr("Add to the queue"))
        self.filter = button(self.tr("Show as a list"))
        self.add = button(self.tr("Add to a playlist"))
        self.keep = button(self.tr("Keep as a smart playlist"))
        self.more = IconButton(theme, "more", self.tr("More for the chosen songs"))
        self.more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(self._more_menu())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._build_bar(theme))
        column.addWidget(self.canvas, 1)
        self.play.clicked.connect(lambda: self.play_requested.emit(self._ids()))
        self.enqueue.clicked.connect(lambda: self.enqueue_requested.emit(self._ids()))
        self.filter.clicked.connect(lambda: self.filter_requested.emit(self._ids()))
        self.keep.clicked.connect(lambda: self.region_requested.emit(self.canvas.region))
        self.canvas.play_requested.connect(self.play_requested)
        self.canvas.selection_changed.connect(lambda _: self._show_selection())
        self.canvas.tool_changed.connect(lambda tool: self._tools[tool].setChecked(True))
        self._show_selection()

    def show_points(self, points: PlanePoints) -> None:
        self.canvas.show_points(points)

    def show_relative(self, relative: bool) -> None:
        """Show whether places are those within the library; the songs come by `show_points`."""
        self.relative.setChecked(relative)
        self._show_selection()

    def chosen_ids(self) -> list[int]:
        """The songs chosen; else the one that is pointed at."""
        chosen = self._ids()
        pointed = self.canvas.hovered_id
        return chosen or ([pointed] if pointed is not None else [])

    def minimumSizeHint(self) -> QSize:
        return QSize(360, 240)  # what has no room goes into a menu

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_selection()

    def _more_menu(self) -> QMenu:
        """What the buttons offer for which there is no room."""
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("More for the chosen songs"))

        def fill() -> None:
            menu.clear()
            adding = self.add.menu()
            if adding is not None:
                menu.addMenu(adding)
            menu.addAction(self.filter.text()).triggered.connect(self.filter.click)
            if self.canvas.region:
                menu.addAction(self.keep.text()).triggered.connect(self.keep.click)

        menu.aboutToShow.connect(fill)
        return menu

    def _ids(self) -> list[int]:
        ids: list[int] = self.canvas.chosen_ids().tolist()
        return ids

    def _build_bar(self, theme: Theme) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * SPACE, 0, 2 * SPACE, SPACE)
        bar.setSpacing(4)
        for tool, icon, text in (
            (Tool.MOVE, "move", self.tr("Move the plane")),
            (Tool.RECTANGLE, "rectangle", self.tr("Choose with a rectangle (Shift and drag)")),
            (Tool.LASSO, "lasso", self.tr("Choose with a lasso (Alt and drag)")),
            (Tool.PATH, "path", self.tr("Draw a way: songs that travel along it")),
        ):
            control = IconButton(theme, icon, text)
            control.setCheckable(True)
            control.clicked.connect(lambda _=False, t=tool: self.canvas.set_tool(t))
            self._group.addButton(control)
            self._tools[tool] = control
            bar.addWidget(control)
        self._tools[Tool.MOVE].setChecked(True)
        fit = IconButton(theme, "fit", self.tr("Show the whole plane"), shortcut="Home")
        fit.clicked.connect(lambda: self.canvas.fit())
        bar.addWidget(fit)
        self.relative = IconButton(theme, "relative", self.tr("Relative to my library"))
        self.relative.setCheckable(True)
        self.relative.clicked.connect(self.relative_requested)
        bar.addWidget(self.relative)
        bar.addSpacing(SPACE)
        bar.addWidget(self._words, 1)
        bar.setSpacing(SPACE)
        for offer in (self.play, self.enqueue, self.add, self.filter, self.keep, self.more):
            bar.addWidget(offer)
        return bar

    def _show_selection(self) -> None:
        number = len(self.canvas.chosen_ids())
        wide = self.width() >= _WIDE
        for control in (self.play, self.enqueue):
            control.setVisible(number > 0)
        for control in (self.add, self.filter):
            control.setVisible(number > 0 and wide)
        self.keep.setVisible(bool(self.canvas.region) and wide)
        self.more.setVisible(number > 0 and not wide)
        if number:
            self._words.set_whole(self.tr("{songs} chosen").format(songs=songs(number)))
        elif self.relative.isChecked():
            self._words.set_whole(
                self.tr("Relative to your library: half of your songs lie on each side of an axis.")
            )
        else:
            self._words.set_whole(
                self.tr("Click plays a song and goes on with its neighbours. Scroll to zoom.")
            )
