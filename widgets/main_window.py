"""The window: puts the widgets together and passes on what they ask for. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from widgets.actions import Actions
from widgets.controls import IconButton, button, label
from widgets.covers import CoverCache
from widgets.empty_state import NoMatch, Welcome
from widgets.job_strip import JobStrip
from widgets.mood_plane import MoodPlanePage
from widgets.notice import NoticeBar
from widgets.player_bar import PlayerBar
from widgets.queue_view import QueuePanel
from widgets.rows import RowCache
from widgets.search_field import SearchField
from widgets.sensors.panel import SensorPanel
from widgets.sidebar import Sidebar, SidebarEntry
from widgets.theme import SPACE, Theme
from widgets.toasts import ToastHost
from widgets.track_table.column_menu import column_menu, sort_menu
from widgets.track_table.model import TRACK_MIME
from widgets.track_table.view import TrackTable

__all__ = ["MainWindow", "Page"]


class Page(Enum):
    """What the centre shows."""

    SONGS = 0
    PLANE = 1
    WELCOME = 2
    NO_MATCH = 3
    OTHER = 4
    """A page that `MainWindow.add_view` brought."""


class MainWindow(QMainWindow):
    """All of it.

    Parameters
    ----------
    theme : Theme
    rows : RowCache
    covers : CoverCache
        Where the views get their songs and their pictures.
    """

    closing = Signal()
    view_action_requested = Signal()
    back_requested = Signal()
    dropped = Signal(list)  # local paths, as text
    toggle_requested = Signal()  # space: play or pause

    def __init__(self, theme: Theme, rows: RowCache, covers: CoverCache) -> None:
        super().__init__()
        self.setWindowTitle("Undertone")
        self.setMinimumSize(680, 440)
        self.setAcceptDrops(True)
        self.hides_on_close: Callable[[], bool] = lambda: False
        """Whether closing only hides the window: there is a notification area to come back by."""
        self._quitting = False
        self._theme = theme
        self.views: dict[str, QWidget] = {}
        self._searchable: set[str] = set()
        self.sidebar = Sidebar(theme)
        self.search = SearchField(theme)
        self.table = TrackTable(theme, rows)
        self.plane = MoodPlanePage(theme, rows, covers)
        self.welcome = Welcome(theme)
        self.no_match = NoMatch(theme)
        self.notice = NoticeBar(theme)
        self.queue = QueuePanel(theme, rows)
        self.sensors = SensorPanel(theme)
        self.player_bar = PlayerBar(theme)
        self.actions_ = Actions(theme, self, (self.table, self.plane))
        self._build()
        self.toasts = ToastHost(theme, self)
        self._veil = _DropVeil(theme, self)
        self._connect()
        self.set_queue_shown(False)
        self.sensors.hide()

    # what is shown

    def add_view(
        self, section: str, entry: SidebarEntry, page: QWidget, *, searchable: bool = False
    ) -> None:
        """Add a page of its own to the centre, and its entry to a section of the sidebar.

        The search field stays in sight where the page is `searchable`.
        """
        self.stack.addWidget(page)
        if searchable:
            self._searchable.add(entry.key)
        self.views[entry.key] = page
        self.sidebar.add_entry(section, entry)

    def show_view(self, key: str) -> None:
        """Show a page that was added, under its entry's name."""
        self.show_page(Page.OTHER)
        self.show_heading(self.sidebar.name_of(key), "")
        self.show_back(False)
        for widget in (self._figures, self.search):
            widget.setVisible(key in self._searchable)
        self.stack.setCurrentWidget(self.views[key])

    def show_back(self, shown: bool) -> None:
        """Offer the way back from songs to the page where they were chosen."""
        self.back.setVisible(shown)
        self.actions_.back.setEnabled(shown)

    def show_page(self, page: Page) -> None:
        if page is not Page.OTHER:
            self.stack.setCurrentIndex(page.value)
        searching = page not in (Page.WELCOME, Page.OTHER)
        self._title.setVisible(page is not Page.WELCOME)
        for widget in (self._figures, self.search):
            widget.setVisible(searching)

    def show_view_action(self, text: str) -> None:
        """Offer what can be done about all songs of the view; nothing for an empty text."""
        if text:
            self._view_action.setText(text)
            self._view_action.setAccessibleName(text)
        self._view_action.setVisible(bool(text))

    @property
    def page(self) -> Page:
        return Page(min(self.stack.currentIndex(), Page.OTHER.value))

    def show_heading(self, title: str, figures: str) -> None:
        """The name of the view and how much it holds."""
        self._title.setText(title)
        self._figures.setText(figures)

    @property
    def heading(self) -> str:
        """The name of the view that is shown."""
        return self._title.text()

    @property
    def figures(self) -> str:
        """How much the view holds, in words."""
        return self._figures.text()

    def show_counts(self, counts: Mapping[str, int]) -> None:
        self.sidebar.show_counts(counts)

    def add_job(self, strip: JobStrip) -> None:
        self._jobs.addWidget(strip)
        strip.show()
        self._place_toasts()

    def remove_job(self, strip: JobStrip) -> None:
        self._jobs.removeWidget(strip)
        strip.hide()
        strip.deleteLater()
        self._place_toasts()

    def set_queue_shown(self, shown: bool) -> None:
        self.queue.setVisible(shown)
        self.player_bar.queue.setChecked(shown)
        if shown:
            self.queue.reveal_current()

    def splitter_sizes(self) -> list[int]:
        return self._splitter.sizes()

    def set_splitter_sizes(self, sizes: Sequence[int]) -> None:
        if len(sizes) == self._splitter.count() and all(size >= 0 for size in sizes):
            self._splitter.setSizes(list(sizes))

    # Qt's interface

    def closeEvent(self, event: QCloseEvent) -> None:
        if (
            self.hides_on_close()
            and not self._quitting
            and not QApplication.instance().isSavingSession()
        ):
            event.ignore()
            self.hide()
            return
        event.accept()
        self.closing.emit()

    def quit(self) -> None:
        """End the program, also where closing the window only hides it."""
        self._quitting = True
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            self.toggle_requested.emit()
        elif event.key() == Qt.Key.Key_F6:
            backwards = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._next_area(-1 if backwards else 1)
        elif event.key() == Qt.Key.Key_MediaPlay:
            self.toggle_requested.emit()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        mime = event.mimeData()
        if not mime.hasFormat(TRACK_MIME) and any(url.isLocalFile() for url in mime.urls()):
            event.acceptProposedAction()
            self._veil.cover()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._veil.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._veil.hide()
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_toasts()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange:
            self._veil.hide()

    # inner workings

    def _build(self) -> None:
        self.stack = QStackedWidget()
        self.stack.setAccessibleName(self.tr("Centre"))
        for page in (self.table, self.plane, self.welcome, self.no_match):
            self.stack.addWidget(page)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._build_head())
        column.addWidget(self.search.error_panel)
        column.addWidget(self.notice)
        column.addWidget(self.stack, 1)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        for part in (self.sidebar, centre, self.sensors, self.queue):
            self._splitter.addWidget(part)
        self._splitter.setStretchFactor(0, 0)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setStretchFactor(2, 0)
        self._splitter.setStretchFactor(3, 0)
        self._splitter.setSizes([216, 760, 400, 304])
        self._jobs = QVBoxLayout()
        self._jobs.setSpacing(0)
        whole = QWidget()
        whole.setObjectName("page")
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._splitter, 1)
        outer.addLayout(self._jobs)
        outer.addWidget(self.player_bar)
        self.setCentralWidget(whole)

    def _build_head(self) -> QHBoxLayout:
        self._title = label("", "title")
        self._figures = label("", "soft")
        self.search.setMaximumWidth(480)
        self.search.setMinimumWidth(160)
        self._view_action = button(self.tr("Try again"))
        self._view_action.clicked.connect(lambda: self.view_action_requested.emit())
        self._view_action.hide()
        self.menu_button = IconButton(self._theme, "menu", self.tr("Menu"), shortcut="F10")
        self.menu_button.clicked.connect(self.show_menu)
        head = QHBoxLayout()
        head.setContentsMargins(2 * SPACE, SPACE + 4, SPACE, SPACE)
        head.setSpacing(SPACE)
        self.back = IconButton(self._theme, "back", self.tr("Back"), shortcut="Alt+Left")
        self.back.hide()
        self.back.clicked.connect(lambda: self.back_requested.emit())
        head.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)
        for words in (self._title, self._figures):
            words.setMinimumHeight(34)
            head.addWidget(words, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._view_action, 0, Qt.AlignmentFlag.AlignTop)
        head.addStretch(1)
        head.addWidget(self.search, 3)
        head.addWidget(self.menu_button, 0, Qt.AlignmentFlag.AlignTop)
        return head

    def show_menu(self) -> None:
        """The menu of everything that is not about a song."""
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Menu"))
        a = self.actions_
        groups = (
            (a.add_folder, a.add_files, a.folders, a.scan, a.tag, a.untag_files),
            (a.new_playlist, a.save_search, a.import_playlists),
            (a.mood_way, a.equaliser),
            (a.undo, a.redo),
            (a.jobs, a.problems, a.settings, a.keyboard, a.guide, a.about),
            (a.quit,),
        )
        for group in groups:
            for action in group:
                menu.addAction(action)
            menu.addSeparator()
            if group[0] is a.add_folder and self.page is Page.SONGS:
                menu.addMenu(column_menu(self.table, menu))
                menu.addMenu(sort_menu(self.table, menu))
                menu.addSeparator()
        menu.aboutToHide.connect(menu.deleteLater)
        corner = self.menu_button.rect().bottomRight()
        place = self.menu_button.mapToGlobal(corner)
        place.setX(place.x() - menu.sizeHint().width())
        menu.popup(place)

    def _connect(self) -> None:
        a = self.actions_
        self.search.left_downwards.connect(self._go_to_songs)
        self.table.typed.connect(self.search.add_text)
        self.no_match.clear_requested.connect(lambda: self.search.set_query(""))
        self.player_bar.queue_toggled.connect(self.set_queue_shown)
        a.find.triggered.connect(self._go_to_search)
        a.queue.triggered.connect(lambda: self.set_queue_shown(not self.queue.isVisible()))
        a.plane.triggered.connect(lambda: self.sidebar.choose("plane"))
        a.all_songs.triggered.connect(lambda: self.sidebar.choose("all"))
        a.menu.triggered.connect(self.show_menu)
        a.quit.triggered.connect(self.quit)
        a.back.triggered.connect(self.back_requested)
        first = [a.play, a.play_next, a.enqueue, a.add_to_playlist, a.similar, None]
        moods = [*a.moods.values(), None]
        self.table.set_actions(
            [*first, *moods, a.retag, a.write_tags, a.show_on_plane, a.open_folder, a.forget]
        )
        self.plane.carrier.set_actions([*first, *moods, a.retag, a.write_tags, a.open_folder])

    def _go_to_search(self) -> None:
        if self.search.isVisible():
            self.search.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.search.line.selectAll()

    def _go_to_songs(self) -> None:
        if self.page in (Page.SONGS, Page.PLANE):
            widget = self.table if self.page is Page.SONGS else self.plane.canvas
            widget.setFocus(Qt.FocusReason.TabFocusReason)

    def _place_toasts(self) -> None:
        # By its hint: before the window is laid out, a widget is as high as Qt makes any.
        bar, jobs = self.player_bar.sizeHint(), self._jobs.sizeHint()
        self.toasts.keep_clear(bar.height() + jobs.height())

    def _next_area(self, step: int) -> None:
        """F6: sidebar, search, songs, sensors, queue, player."""
        areas = [
            (self.sidebar, self.sidebar.focus_list),
            (self.search, self._go_to_search),
            (self.stack, self._go_to_centre),
            (self.sensors, self.sensors.focus_first),
            (self.queue, self.queue.view.setFocus),
            (self.player_bar, self.player_bar.play.setFocus),
        ]
        areas = [(area, go) for area, go in areas if area.isVisible()]
        focus = self.focusWidget()
        here = next(
            (
                i
                for i, (area, _) in enumerate(areas)
                if focus is not None and (area is focus or area.isAncestorOf(focus))
            ),
            -1 if step > 0 else 0,
        )
        areas[(here + step) % len(areas)][1]()

    def _go_to_centre(self) -> None:
        if self.page is Page.WELCOME:
            self.welcome.add_folder.setFocus()
        elif self.page is Page.OTHER:
            self.stack.currentWidget().setFocus(Qt.FocusReason.TabFocusReason)
        else:
            self._go_to_songs()


class _DropVeil(QWidget):
    """Says, while files hang over the window, what letting go would do."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(self.tr("Drop to add to the library"))
        self.hide()

    def cover(self) -> None:
        self.setGeometry(self.parentWidget().rect())
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        veil = tokens.colour("paper")
        veil.setAlphaF(0.9)
        painter.fillRect(self.rect(), veil)
        pen = QPen(tokens.colour("ink"), 2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(16, 16, -16, -16), 12, 12)
        painter.setFont(self._theme.font("display", bold=True))
        painter.drawText(
            self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.tr("Drop to add to the library")
        )
        painter.end()
