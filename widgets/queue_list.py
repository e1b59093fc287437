"""How a list of songs to be played, or that were, is kept and painted: a model and its delegate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from widgets.icons import MOOD_ICON, paint_icon
from widgets.rows import RowCache, TrackRow
from widgets.sidebar.tree import ENTRY_MIME
from widgets.text import clock, mood_name
from widgets.theme import SPACE, Theme
from widgets.track_table.model import TRACK_MIME, mime_of_ids

__all__ = ["FILES_MIME", "PLACE_MIME", "QueueDelegate", "QueueItem", "QueueModel"]

PLACE_MIME = "application/x-undertone-queue-places"
FILES_MIME = "text/uri-list"

_ITEM_ROLE = Qt.ItemDataRole.UserRole + 1
_HEIGHT = 48
_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A place in the queue: a song of the library, or a file from outside with its name."""

    track_id: int | None
    name: str = ""


class QueueModel(QAbstractListModel):
    """The places of a queue; what their songs are called comes from the row cache."""

    def __init__(self, rows: RowCache, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows = rows
        self.items: Sequence[QueueItem] = ()
        self.current: int | None = None
        rows.filled.connect(self._on_filled)

    def show(self, items: Sequence[QueueItem], current: int | None) -> None:
        """Show these, `current` being the row that plays."""
        if items is self.items or items == self.items:
            if current != self.current:
                self.current = current
                self._on_filled(frozenset())
            return
        self.beginResetModel()
        self.items, self.current = items, current
        self.endResetModel()

    def song(self, row: int) -> TrackRow:
        """What is known of the song at `row`."""
        item = self.items[row]
        known = None if item.track_id is None else self._rows.row(item.track_id)
        return known or TrackRow(item.track_id or -1, item.name)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.items):
            return None
        if role == _ITEM_ROLE:
            return self.song(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            song = self.song(index.row())
            words = [song.title, song.artist]
            if song.quadrant is not None:
                words.append(mood_name(song.quadrant))
            if index.row() == self.current:
                words.append(self.tr("current"))
            return ", ".join(word for word in words if word)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return _FLAGS if index.isValid() else Qt.ItemFlag.ItemIsDropEnabled

    def mimeTypes(self) -> list[str]:
        return [PLACE_MIME, TRACK_MIME, ENTRY_MIME, FILES_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        places = sorted({index.row() for index in indexes})
        ids = [self.items[place].track_id for place in places]
        mime = mime_of_ids([i for i in ids if i is not None])
        mime.setData(PLACE_MIME, " ".join(map(str, places)).encode())
        return mime

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction | Qt.DropAction.CopyAction

    def _on_filled(self, _ids: object) -> None:
        if self.items:
            self.dataChanged.emit(self.index(0), self.index(len(self.items) - 1))


class QueueDelegate(QStyledItemDelegate):
    """Paints a place: mood, title over artist, length; a play sign where it plays."""

    def __init__(self, theme: Theme, view: QListView, model: QueueModel) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, max(_HEIGHT, 2 * option.fontMetrics.height() + 8))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = self._theme.tokens
        song: TrackRow = index.data(_ITEM_ROLE)
        rect = QRectF(option.rect)
        current = index.row() == self._model.current
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = rect.adjusted(SPACE, 1, -SPACE, -1)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.colour("selection" if selected else "hover"))
            painter.drawRoundedRect(box, 6, 6)
        if self._view.hasFocus() and index.row() == self._view.currentIndex().row():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(tokens.colour("ink"), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 5, 5)
        glyph = QRectF(box.x() + SPACE, rect.center().y() - 8, 16, 16)
        if current:
            paint_icon(painter, "play", glyph, tokens.colour("ink"))
        elif song.quadrant is not None:
            paint_icon(painter, MOOD_ICON[song.quadrant], glyph, tokens.mood(song.quadrant))
        else:
            paint_icon(painter, "untagged", glyph, tokens.colour("ink_faint"))
        self._words(painter, box, song, current=current)
        painter.restore()

    def _words(self, painter: QPainter, box: QRectF, song: TrackRow, *, current: bool) -> None:
        tokens = self._theme.tokens
        left, right = box.x() + 36, box.right() - SPACE
        painter.setFont(self._theme.font("caption"))
        small = painter.fontMetrics()
        length = clock(song.duration_s)
        painter.setPen(tokens.colour("ink_soft"))
        middle = box.center().y()
        x = right - small.horizontalAdvance(length)
        painter.drawText(QPointF(x, middle + (small.ascent() - small.descent()) / 2), length)
        room = int(x - SPACE - left)
        artist = small.elidedText(song.artist[:256], Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(left, middle + small.ascent() + 1), artist)
        painter.setFont(self._theme.font("body", bold=current))
        painter.setPen(tokens.colour("ink_faint" if song.missing else "ink"))
        large = painter.fontMetrics()
        title = large.elidedText(song.title[:256], Qt.TextElideMode.ElideRight, room)
        y = middle - large.descent() + 1
        if not artist:
            y = middle + (large.ascent() - large.descent()) / 2
        painter.drawText(QPointF(left, y), title)
