"""The sidebar: the whole library, the four moods, and what needs attention, each with its count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from inference.emotion import QUADRANTS, Quadrant
from widgets.controls import button
from widgets.icons import MOOD_ICON, icon, paint_icon
from widgets.text import count, mood_name, songs
from widgets.theme import SPACE, Theme

__all__ = ["Sidebar", "SidebarEntry"]

_KEY = Qt.ItemDataRole.UserRole + 1
_COUNT = Qt.ItemDataRole.UserRole + 2
_ICON = Qt.ItemDataRole.UserRole + 3
_MOOD = Qt.ItemDataRole.UserRole + 4
_ROW = 34
_HEAD = 40


@dataclass(frozen=True, slots=True)
class SidebarEntry:
    """One view: its key (known to the controller), its name and its sign."""

    key: str
    name: str
    icon: str
    quadrant: Quadrant | None = None


class Sidebar(QFrame):
    """Chooses what the centre shows. Keys: "all", a quadrant's value, "untagged", "unsure", ..."""

    chosen = Signal(str)
    add_folder_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("sidebar")
        self.setMinimumWidth(176)
        self._list = _List(self)
        self._list.setAccessibleName(self.tr("Views"))
        self._list.setItemDelegate(_Delegate(theme, self._list))
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self._list.setMouseTracking(True)
        self._items: dict[str, QListWidgetItem] = {}
        self._fill()
        self.add_folder = button(self.tr("Add music folder"), "quiet")
        self.add_folder.clicked.connect(lambda: self.add_folder_requested.emit())
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self._list, 1)
        column.addWidget(self.add_folder)
        self._list.currentItemChanged.connect(self._on_current)
        self.choose("all")
        self._tint()
        theme.changed.connect(self._tint)

    def choose(self, key: str) -> None:
        """Show a view as chosen; says so by `chosen` where it was another."""
        if key in self._items:
            self._list.setCurrentItem(self._items[key])

    def choose_nothing(self) -> None:
        """Show none of the views as chosen: the centre shows something else."""
        self._list.setCurrentItem(None)

    @property
    def current(self) -> str:
        item = self._list.currentItem()
        return str(item.data(_KEY)) if item else "all"

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """Set the number beside each view; keys that are not shown are passed over."""
        for key, number in counts.items():
            if key in self._items:
                item = self._items[key]
                item.setData(_COUNT, int(number))
                spoken = f"{item.text()}, {songs(number)}"
                item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)

    def count_of(self, key: str) -> int:
        return int(self._items[key].data(_COUNT) or 0)

    def focus_list(self) -> None:
        self._list.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def sizeHint(self) -> QSize:
        return QSize(216, 480)

    def _fill(self) -> None:
        self._head(self.tr("Library"))
        self._add(SidebarEntry("all", self.tr("All songs"), "library"))
        self._add(SidebarEntry("plane", self.tr("Mood plane"), "plane"))
        self._head(self.tr("Moods"))
        for quadrant in QUADRANTS:
            name = mood_name(quadrant)
            self._add(SidebarEntry(quadrant.value, name, MOOD_ICON[quadrant], quadrant))
        self._head(self.tr("Needs attention"))
        self._add(SidebarEntry("untagged", self.tr("Untagged"), "untagged"))
        self._add(SidebarEntry("unsure", self.tr("Unsure"), "unsure"))
        self._add(SidebarEntry("missing", self.tr("Missing"), "missing"))
        self._add(SidebarEntry("failed", self.tr("Failed"), "failed"))

    def _head(self, name: str) -> None:
        item = QListWidgetItem(name, self._list)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setSizeHint(QSize(0, _HEAD))

    def _add(self, entry: SidebarEntry) -> None:
        item = QListWidgetItem(entry.name, self._list)
        item.setData(_KEY, entry.key)
        item.setData(_ICON, entry.icon)
        item.setData(_MOOD, entry.quadrant.value if entry.quadrant else "")
        item.setSizeHint(QSize(0, _ROW))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, entry.name)
        self._items[entry.key] = item

    def _on_current(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(_KEY):
            self.chosen.emit(str(item.data(_KEY)))

    def _tint(self) -> None:
        tokens = self._theme.tokens
        self.add_folder.setIcon(icon("folder-plus", tokens.colour("ink")))
        self._list.viewport().update()


class _List(QListWidget):
    """A list whose headings cannot be landed on by the mouse or the keys."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            event.ignore()
        elif event.key() == Qt.Key.Key_Home:
            self._land(1)
        elif event.key() == Qt.Key.Key_End:
            self._land(self.count() - 1)
        else:
            super().keyPressEvent(event)

    def _land(self, row: int) -> None:
        self.setCurrentRow(row)


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, view: QListWidget) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        hint: QSize = index.data(Qt.ItemDataRole.SizeHintRole)
        return hint

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        tokens = self._theme.tokens
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = str(index.data(Qt.ItemDataRole.DisplayRole))
        if not index.data(_KEY):
            painter.setFont(self._theme.font("caption", bold=True))
            painter.setPen(tokens.colour("ink_soft"))
            painter.drawText(
                rect.adjusted(8, 0, -8, -6),
                int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom),
                text,
            )
            painter.restore()
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.colour("selection" if chosen else "hover"))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 6, 6)
        if chosen and self._view.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            pen = painter.pen()
            pen.setStyle(Qt.PenStyle.SolidLine)
            pen.setColor(tokens.colour("ink"))
            pen.setWidthF(2)
            painter.setPen(pen)
            painter.drawRoundedRect(rect.adjusted(1, 2, -1, -2), 5, 5)
        mood = index.data(_MOOD)
        colour = tokens.mood(Quadrant(mood)) if mood else tokens.colour("ink_soft")
        glyph = QRectF(rect.x() + 8, rect.center().y() - 9, 18, 18)
        paint_icon(painter, str(index.data(_ICON)), glyph, colour)
        self._words(painter, rect, text, index.data(_COUNT), chosen=chosen)
        painter.restore()

    def _words(
        self, painter: QPainter, rect: QRectF, text: str, number: int | None, *, chosen: bool
    ) -> None:
        tokens = self._theme.tokens
        right = rect.right() - 8
        if number:
            painter.setFont(self._theme.font("caption"))
            painter.setPen(tokens.colour("ink_soft"))
            shown = count(number)
            width = painter.fontMetrics().horizontalAdvance(shown)
            y = _baseline(painter, rect)
            painter.drawText(QPointF(right - width, y), shown)
            right -= width + 8
        painter.setFont(self._theme.font("body", bold=chosen))
        painter.setPen(tokens.colour("ink"))
        left = rect.x() + 36
        elided = painter.fontMetrics().elidedText(
            text, Qt.TextElideMode.ElideRight, int(right - left)
        )
        painter.drawText(QPointF(left, _baseline(painter, rect)), elided)


def _baseline(painter: QPainter, rect: QRectF) -> float:
    metrics = painter.fontMetrics()
    return rect.center().y() + (metrics.ascent() - metrics.descent()) / 2
