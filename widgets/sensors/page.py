"""The page of sensors: what can be listened to, and the recordings of earlier sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import button, label
from widgets.icons import paint_icon
from widgets.theme import SPACE, Theme

__all__ = ["RecordingRow", "SensorPage", "SourceRow"]

_ROW = Qt.ItemDataRole.UserRole + 1
_ROW_HEIGHT = 48


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Something that can be listened to.

    Parameters
    ----------
    key : str
        Known to the controller.
    name, detail : str
        Plain text; a band's name is what it says of itself.
    note : str
        At the right: "your band", "connected".
    is_band, is_known : bool
        Whether pairing and forgetting make sense.
    """

    key: str
    name: str
    detail: str
    icon: str
    note: str = ""
    is_band: bool = False
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recorded session, in words."""

    key: str
    when: str
    length: str
    source: str
    songs: str
    quality: str
    note: str = ""


class SensorPage(QWidget):
    """Asks by signals; whatever is asked of the listener is asked within the page."""

    connect_requested = Signal(str, bool)  # key of a source; whether to pair
    scan_requested = Signal()
    forget_requested = Signal(str)
    replay_requested = Signal(str)  # key of a recording
    export_requested = Signal(str, str)  # key, "csv" or "edf"
    delete_requested = Signal(str)
    seen = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAccessibleName(self.tr("Sensors"))
        self._theme = theme
        self._answer: Callable[[], None] = lambda: None
        self.sources = self._build_sources(theme)
        self.recordings = self._build_recordings()
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, SPACE)
        column.setSpacing(SPACE)
        column.addWidget(label(self.tr("Listen to"), "section"))
        column.addWidget(self.sources, 3)
        column.addLayout(self._build_source_row())
        self.state = label("", "soft", wrap=True)
        column.addWidget(self.state)
        column.addWidget(self._build_question())
        column.addSpacing(SPACE)
        column.addWidget(label(self.tr("Recordings"), "section"))
        column.addWidget(self.recordings, 2)
        self.none_yet = label(
            self.tr(
                "No session has been recorded yet. Connect a source and choose Record in the "
                "panel beside."
            ),
            "soft",
            wrap=True,
        )
        column.addWidget(self.none_yet)
        column.addLayout(self._build_recording_row())
        self.setFocusProxy(self.sources)
        self.show_recordings([])
        self._on_source()

    # what is shown

    def show_sources(self, rows: Sequence[SourceRow]) -> None:
        chosen = self.chosen_source
        self.sources.clear()
        for row in rows:
            item = QListWidgetItem(row.name, self.sources)
            item.setData(_ROW, row)
            item.setSizeHint(QSize(0, _ROW_HEIGHT))
            spoken = ", ".join(word for word in (row.name, row.detail, row.note) if word)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
            if chosen is not None and row.key == chosen.key:
                self.sources.setCurrentItem(item)
        if self.sources.currentItem() is None and rows:
            self.sources.setCurrentRow(0)

    def show_state(self, text: str) -> None:
        """What is being done, or why it could not be, in a line below the sources."""
        self.state.setText(text)

    def show_scanning(self, scanning: bool) -> None:
        self.look.setEnabled(not scanning)
        self.look.setText(self.tr("Looking …") if scanning else self.tr("Look for bands"))

    def show_recordings(self, rows: Sequence[RecordingRow]) -> None:
        chosen = self.chosen_recording
        table = self.recordings
        table.setRowCount(len(rows))
        for place, row in enumerate(rows):
            cells = (row.when, row.length, row.source, row.songs, row.quality, row.note)
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                item.setData(_ROW, row.key)
                table.setItem(place, column, item)
        keys = [row.key for row in rows]
        if chosen in keys:
            table.selectRow(keys.index(chosen))
        elif rows:
            table.selectRow(0)
        table.setVisible(bool(rows))
        self.none_yet.setVisible(not rows)
        for control in (self.replay, self.export, self.delete):
            control.setVisible(bool(rows))

    def ask(self, text: str, yes: str, then: Callable[[], None]) -> None:
        """Ask before something is done that cannot be taken back."""
        self._answer = then
        self._question.setText(text)
        self._yes.setText(yes)
        self._yes.setAccessibleName(yes)
        self.question.show()
        self._no.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def chosen_source(self) -> SourceRow | None:
        item = self.sources.currentItem()
        return None if item is None else item.data(_ROW)

    @property
    def chosen_recording(self) -> str | None:
        """The key of the chosen recording."""
        items = self.recordings.selectedItems()
        return str(items[0].data(_ROW)) if items else None

    def choose_source(self, key: str) -> None:
        for place in range(self.sources.count()):
            item = self.sources.item(place)
            if item.data(_ROW).key == key:
                self.sources.setCurrentItem(item)

    # Qt's interface

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show:
            self.seen.emit()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        in_recordings = self.recordings.hasFocus()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and in_recordings:
            self._ask_replay()
        elif event.key() == Qt.Key.Key_Delete and in_recordings:
            self._ask_delete()
        elif event.key() == Qt.Key.Key_Escape and self.question.isVisible():
            self.question.hide()
        else:
            super().keyPressEvent(event)

    # inner workings

    def _build_sources(self, theme: Theme) -> QListWidget:
        sources = QListWidget()
        sources.setObjectName("sources")
        sources.setAccessibleName(self.tr("Sources"))
        sources.setItemDelegate(_SourceDelegate(theme, sources))
        sources.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        sources.setMinimumHeight(3 * _ROW_HEIGHT)
        sources.currentItemChanged.connect(lambda *_: self._on_source())
        sources.itemActivated.connect(lambda _: self._ask_connect())
        return sources

    def _build_source_row(self) -> QHBoxLayout:
        self.connect_ = button(self.tr("Connect"), "primary")
        self.pair = button(self.tr("Pair and connect"))
        self.forget = button(self.tr("Forget"))
        self.look = button(self.tr("Look for bands"))
        self.connect_.clicked.connect(lambda: self._ask_connect())
        self.pair.clicked.connect(lambda: self._ask_connect(pair=True))
        self.forget.clicked.connect(lambda: self._ask_forget())
        self.look.clicked.connect(lambda: self.scan_requested.emit())
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        for control in (self.connect_, self.pair, self.forget):
            row.addWidget(control)
        row.addStretch(1)
        row.addWidget(self.look)
        return row

    def _build_question(self) -> QWidget:
        self.question = card = QFrame()
        card.setObjectName("card")
        self._question = label("", "", wrap=True)
        self._yes, self._no = button(self.tr("Yes")), button(self.tr("No"))
        self._yes.clicked.connect(lambda: self._answered(True))
        self._no.clicked.connect(lambda: self._answered(False))
        row = QHBoxLayout(card)
        row.addWidget(self._question, 1)
        row.addWidget(self._yes)
        row.addWidget(self._no)
        card.hide()
        return card

    def _build_recordings(self) -> QTableWidget:
        heads = [
            self.tr("When"), self.tr("Length"), self.tr("Source"), self.tr("Songs"),
            self.tr("Quality"), self.tr("Remark"),
        ]  # fmt: skip
        table = QTableWidget(0, len(heads))
        table.setHorizontalHeaderLabels(heads)
        table.setAccessibleName(self.tr("Recordings"))
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        head = table.horizontalHeader()
        head.setHighlightSections(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in (0, 1, 2, 4, 5):
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        table.itemDoubleClicked.connect(lambda _: self._ask_replay())
        return table

    def _build_recording_row(self) -> QHBoxLayout:
        self.replay = button(self.tr("Replay beside its songs"))
        self.export = button(self.tr("Export …"))
        self.delete = button(self.tr("Delete"))
        self.replay.clicked.connect(lambda: self._ask_replay())
        self.export.clicked.connect(lambda: self._choose_export())
        self.delete.clicked.connect(lambda: self._ask_delete())
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        for control in (self.replay, self.export, self.delete):
            row.addWidget(control)
        row.addStretch(1)
        return row

    def _on_source(self) -> None:
        row = self.chosen_source
        self.connect_.setEnabled(row is not None)
        self.pair.setVisible(row is not None and row.is_band)
        self.forget.setVisible(row is not None and row.is_known)

    def _ask_connect(self, *, pair: bool = False) -> None:
        row = self.chosen_source
        if row is not None:
            self.connect_requested.emit(row.key, pair)

    def _ask_forget(self) -> None:
        row = self.chosen_source
        if row is not None:
            self.ask(
                self.tr("Forget {name}? Any other band may then take its place.").format(
                    name=row.name
                ),
                self.tr("Forget it"),
                lambda: self.forget_requested.emit(row.key),
            )

    def _ask_replay(self) -> None:
        if self.chosen_recording is not None:
            self.replay_requested.emit(self.chosen_recording)

    def _choose_export(self) -> None:
        key = self.chosen_recording
        if key is None:
            return
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Export"))
        for kind, text in self.export_kinds:
            menu.addAction(text, lambda k=kind: self.export_requested.emit(key, k))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.export.mapToGlobal(self.export.rect().bottomLeft()))

    @property
    def export_kinds(self) -> list[tuple[str, str]]:
        return [
            ("csv", self.tr("Tables (CSV), one a signal")),
            ("edf", self.tr("EDF+, 16 bits, for programs that read biosignals")),
            ("bdf", self.tr("BDF+, 24 bits, as exact as the band")),
        ]

    def _ask_delete(self) -> None:
        key = self.chosen_recording
        if key is None:
            return
        when = self.recordings.selectedItems()[0].text()
        self.ask(
            self.tr("Delete the recording of {when} for good?").format(when=when),
            self.tr("Delete it"),
            lambda: self.delete_requested.emit(key),
        )

    def _answered(self, yes: bool) -> None:
        self.question.hide()
        answer, self._answer = self._answer, lambda: None
        if yes:
            answer()


class _SourceDelegate(QStyledItemDelegate):
    """Sign, name and details of a source."""

    def __init__(self, theme: Theme, view: QListWidget) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: object) -> None:
        row: SourceRow = index.data(_ROW)  # type: ignore[attr-defined]
        tokens = self._theme.tokens
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.colour("selection" if chosen else "hover"))
            painter.drawRoundedRect(rect.adjusted(2, 1, -2, -1), 6, 6)
        if chosen and self._view.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(tokens.colour("ink"))
            painter.drawRoundedRect(rect.adjusted(3, 2, -3, -2), 5, 5)
        glyph = QRectF(rect.x() + 14, rect.center().y() - 10, 20, 20)
        paint_icon(painter, row.icon, glyph, tokens.colour("ink_soft"))
        right = rect.right() - 14
        painter.setFont(self._theme.font("caption"))
        painter.setPen(tokens.colour("ink_soft"))
        if row.note:
            width = painter.fontMetrics().horizontalAdvance(row.note)
            box = QRectF(right - width, rect.y(), width, rect.height())
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), row.note)
            right -= width + 12
        words = rect.adjusted(48, 6, 0, -6)
        words.setRight(right)
        lower = painter.fontMetrics().elidedText(
            row.detail, Qt.TextElideMode.ElideRight, int(words.width())
        )
        painter.drawText(words, int(Qt.AlignmentFlag.AlignBottom), lower)
        painter.setFont(self._theme.font("body"))
        painter.setPen(tokens.colour("ink"))
        upper = painter.fontMetrics().elidedText(
            row.name, Qt.TextElideMode.ElideRight, int(words.width())
        )
        painter.drawText(words, int(Qt.AlignmentFlag.AlignTop), upper)
        painter.restore()
