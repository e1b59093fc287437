"""Draws the cells of the library table: mood with its glyph, sureness as a bar, quiet rows."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from widgets.icons import MOOD_ICON, paint_icon
from widgets.rows import TrackRow
from widgets.text import mood_name, mood_words
from widgets.theme import Theme
from widgets.track_table.columns import COLUMNS, cell_text
from widgets.track_table.model import ROW_ROLE, TrackTableModel

__all__ = ["TrackDelegate", "paint_sureness"]

_PAD = 8
_GLYPH = 16


class TrackDelegate(QStyledItemDelegate):
    """Paints one row of songs; the view sets `hovered_row`, and before which row a drop falls."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.hovered_row = -1
        self.current_row = -1
        self.drop_row = -1

    def sizeHint(self, option: QStyleOptionViewItem, index: object) -> QSize:
        return QSize(0, 0)  # rows have one height, columns are laid out by the view

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        tokens = self._theme.tokens
        rect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, tokens.colour("selection"))
        elif index.row() == self.hovered_row:
            painter.fillRect(rect, tokens.colour("hover"))
        if index.row() == self.current_row:
            ink = tokens.colour("ink")
            painter.fillRect(rect.x(), rect.y(), rect.width(), 1, ink)
            painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, ink)
        self._drop_line(painter, rect, index)
        row: TrackRow | None = index.data(ROW_ROLE)
        if row is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(option.font)
            inner = QRectF(rect).adjusted(_PAD, 0, -_PAD, 0)
            self._cell(painter, inner, row, index)
        painter.restore()

    def _drop_line(
        self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        ink = self._theme.tokens.colour("ink")
        if index.row() == self.drop_row:
            painter.fillRect(rect.x(), rect.y(), rect.width(), 2, ink)
        elif index.row() + 1 == self.drop_row == index.model().rowCount():
            painter.fillRect(rect.x(), rect.bottom() - 1, rect.width(), 2, ink)

    def _cell(
        self,
        painter: QPainter,
        inner: QRectF,
        row: TrackRow,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        tokens = self._theme.tokens
        column = COLUMNS[index.column()]
        faint = row.missing
        ink = tokens.colour("ink_faint" if faint else "ink")
        if column.key == "mood":
            self._mood(painter, inner, row, ink)
            return
        if column.key == "confidence":
            paint_sureness(painter, inner, row, self._theme)
            return
        model = index.model()
        if column.key == "place":
            painter.setPen(tokens.colour("ink_faint" if faint else "ink_soft"))
            _text(painter, inner, str(index.data() or ""), right=True)
            return
        if column.key == "title":
            if isinstance(model, TrackTableModel) and model.playing == row.id:
                font = painter.font()
                font.setWeight(font.Weight.DemiBold)
                painter.setFont(font)
                glyph = QRectF(inner.x(), inner.center().y() - 6, 12, 12)
                paint_icon(painter, "play", glyph, ink)
                inner.setLeft(inner.left() + 18)
        elif not faint:
            ink = tokens.colour("ink_soft")
        painter.setPen(ink)
        _text(painter, inner, cell_text(row, column.key), right=column.right)

    def _mood(self, painter: QPainter, inner: QRectF, row: TrackRow, ink: QColor) -> None:
        tokens = self._theme.tokens
        soft = tokens.colour("ink_faint" if row.missing else "ink_soft")
        glyph = QRectF(inner.x(), inner.center().y() - _GLYPH / 2, _GLYPH, _GLYPH)
        inner.setLeft(inner.left() + _GLYPH + _PAD)
        if row.missing:
            paint_icon(painter, "missing", glyph, soft)
            painter.setPen(soft)
            _text(painter, inner, self.tr("Missing"))
        elif row.quadrant is not None:
            unsure = bool(row.open.possible) and not row.open.tells
            name, colour = MOOD_ICON[row.quadrant], tokens.mood(row.quadrant)
            if unsure:
                name, colour = "unsure", soft
            paint_icon(painter, name, glyph, colour)
            painter.setPen(soft if unsure else ink)
            text = mood_words(row.quadrant, row.open)
            _text(painter, inner, text)
            if row.corrected:
                x = inner.x() + painter.fontMetrics().horizontalAdvance(text) + 5
                tick = QRectF(x, inner.center().y() - 6, 12, 12)
                if tick.right() <= inner.right() + _PAD:
                    paint_icon(painter, "check", tick, soft)
        elif row.error:
            paint_icon(painter, "failed", glyph, soft)
            painter.setPen(soft)
            _text(painter, inner, self.tr("Failed"))
        else:
            paint_icon(painter, "untagged", glyph, tokens.colour("ink_faint"))
            painter.setPen(soft)
            _text(painter, inner, mood_name(None))


def paint_sureness(painter: QPainter, inner: QRectF, row: TrackRow, theme: Theme) -> None:
    """A confidence in [0, 1] as a bar in the mood's colour, and in per cent."""
    if row.confidence is None or row.quadrant is None:
        return
    tokens = theme.tokens
    bar = QRectF(inner.x(), inner.center().y() - 2, min(36.0, inner.width() - 40), 4)
    if bar.width() > 8:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.colour("line"))
        painter.drawRoundedRect(bar, 2, 2)
        filled = QRectF(bar)
        filled.setWidth(max(4.0, bar.width() * row.confidence))
        painter.setBrush(tokens.mood(row.quadrant))
        painter.drawRoundedRect(filled, 2, 2)
        inner.setLeft(bar.right() + 8)
    painter.setPen(tokens.colour("ink_soft"))
    _text(painter, inner, f"{round(100 * row.confidence)} %")


def _text(painter: QPainter, rect: QRectF, text: str, *, right: bool = False) -> None:
    """One elided line, cut before it is measured: hostile tags run to megabytes."""
    metrics = painter.fontMetrics()
    shown = metrics.elidedText(text[:512], Qt.TextElideMode.ElideRight, int(rect.width()))
    x = rect.right() - metrics.horizontalAdvance(shown) if right else rect.x()
    y = rect.center().y() + (metrics.ascent() - metrics.descent()) / 2
    painter.drawText(QPointF(x, y), shown)
