"""Draws headings and entries of the sidebar, and edits a name in its place."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from inference.emotion import Quadrant
from widgets.icons import paint_icon
from widgets.sidebar.entries import Role, Section
from widgets.text import count
from widgets.theme import Theme

__all__ = ["SidebarDelegate", "plus_rect"]

_ROW = 34
_HEAD = 40
_MOST_NAME = 200

Index = QModelIndex | QPersistentModelIndex


def plus_rect(rect: QRect) -> QRectF:
    """Where the plus sign of a heading in `rect` is drawn and clicked."""
    return QRectF(rect.right() - 29, rect.bottom() - 26, 24, 24)


class SidebarDelegate(QStyledItemDelegate):
    """`drop_key` and `drop_line` say where what is dragged would fall; the tree sets them."""

    def __init__(self, theme: Theme, view: QTreeView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self.drop_key = ""
        self.drop_line: tuple[str, bool] | None = None  # key, below it

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, _ROW if index.data(Role.KEY) else _HEAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.data(Role.KEY):
            self._entry(painter, option, index)
        else:
            self._head(painter, option, index)
        painter.restore()

    # editing a name

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> QLineEdit:
        editor = QLineEdit(parent)
        editor.setMaxLength(_MOST_NAME)
        editor.setProperty("role", "in_place")
        editor.setAccessibleName(self.tr("Name"))
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            editor.setText(str(index.data(Qt.ItemDataRole.DisplayRole)))
            editor.selectAll()

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        editor.setGeometry(option.rect.adjusted(30, 2, -2, -2))

    # drawing

    def _head(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = self._theme.tokens
        rect = QRectF(option.rect)
        soft = tokens.colour("ink_soft")
        name = str(index.data(Qt.ItemDataRole.DisplayRole))
        painter.setFont(self._theme.font("caption", bold=True))
        painter.setPen(soft)
        line = rect.adjusted(8, 0, -8, -6)
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        painter.drawText(line, flags, name)
        section: Section = index.data(Role.SECTION)
        focused = self._view.hasFocus() and index == self._view.currentIndex()
        over = bool(option.state & QStyle.StateFlag.State_MouseOver) or focused
        width = painter.fontMetrics().horizontalAdvance(name)
        middle = line.bottom() - painter.fontMetrics().height() / 2
        if over or not self._view.isExpanded(QModelIndex(index)):
            chevron = QRectF(line.x() + width + 4, middle - 6, 12, 12)
            turned = "expanded" if self._view.isExpanded(QModelIndex(index)) else "collapsed"
            paint_icon(painter, turned, chevron, soft)
        if section.add:
            plus = plus_rect(option.rect)
            paint_icon(painter, "plus", plus.adjusted(4, 4, -4, -4), soft)
        if focused:
            self._ring(painter, rect.adjusted(0, rect.height() - 28, 0, 0))

    def _entry(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = self._theme.tokens
        rect = QRectF(option.rect)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        key = str(index.data(Role.KEY))
        taking = key == self.drop_key
        if chosen or taking or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.colour("selection" if chosen or taking else "hover"))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 6, 6)
        if taking or (self._view.hasFocus() and index == self._view.currentIndex()):
            self._ring(painter, rect)
        mood = index.data(Role.MOOD)
        colour = tokens.mood(Quadrant(mood)) if mood else tokens.colour("ink_soft")
        glyph = QRectF(rect.x() + 8, rect.center().y() - 9, 18, 18)
        paint_icon(painter, str(index.data(Role.ICON)), glyph, colour)
        text = str(index.data(Qt.ItemDataRole.DisplayRole))
        self._words(painter, rect, text, index.data(Role.COUNT), chosen=chosen)
        if self.drop_line is not None and self.drop_line[0] == key:
            y = rect.bottom() if self.drop_line[1] else rect.top()
            painter.setPen(QPen(tokens.colour("ink"), 2))
            painter.drawLine(QPointF(rect.x() + 4, y), QPointF(rect.right() - 4, y))

    def _ring(self, painter: QPainter, rect: QRectF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._theme.tokens.colour("ink"), 2))
        painter.drawRoundedRect(rect.adjusted(1, 2, -1, -2), 5, 5)

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
            painter.drawText(QPointF(right - width, _baseline(painter, rect)), shown)
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
