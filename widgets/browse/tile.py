"""Draws a group of songs: its covers, the mix of its moods, its name and how much it holds."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from inference.emotion import QUADRANTS
from library_db.browse import Group
from widgets.browse.model import GROUP_ROLE, Words
from widgets.covers import CoverCache
from widgets.icons import paint_icon
from widgets.theme import SPACE, Theme

__all__ = ["COVER_SIDE", "TileDelegate"]

COVER_SIDE = 148
"""Of a tile's picture, logical px."""

_PAD = 8
_BAR = 4
_RADIUS = 6.0

Index = QModelIndex | QPersistentModelIndex


class TileDelegate(QStyledItemDelegate):
    """A tile; `icon` stands where there is no cover."""

    def __init__(
        self, theme: Theme, covers: CoverCache, words: Words, icon: str, view: QListView
    ) -> None:
        super().__init__(view)
        self._theme = theme
        self._covers = covers
        self._words_of = words
        self._icon = icon
        self._view = view

    def tile_size(self) -> QSize:
        """The least size of a tile with the fonts of the theme."""
        lines = sum(QFontMetricsF(self._theme.font(role)).height() for role in ("body", "caption"))
        return QSize(
            COVER_SIDE + 2 * _PAD, round(COVER_SIDE + 2 * _PAD + SPACE + _BAR + SPACE + lines + 2)
        )

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self._view.gridSize()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        group: Group | None = index.data(GROUP_ROLE)
        if group is None:
            return
        tokens = self._theme.tokens
        cell = QRectF(option.rect)
        box = QRectF(
            cell.center().x() - COVER_SIDE / 2 - _PAD,
            cell.y(),
            COVER_SIDE + 2 * _PAD,
            cell.height(),
        ).adjusted(0, 2, 0, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.colour("selection" if selected else "hover"))
            painter.drawRoundedRect(box, 8, 8)
        if self._view.hasFocus() and index.row() == self._view.currentIndex().row():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(tokens.colour("ink"), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 7, 7)
        cover = QRectF(box.x() + _PAD, box.y() + _PAD, COVER_SIDE, COVER_SIDE)
        self._paint_cover(painter, cover, group)
        bar = QRectF(cover.x(), cover.bottom() + SPACE, COVER_SIDE, _BAR)
        self._paint_moods(painter, bar, group)
        self._paint_words(painter, bar, group)
        painter.restore()

    def _paint_cover(self, painter: QPainter, rect: QRectF, group: Group) -> None:
        tokens = self._theme.tokens
        found = [self._covers.cover(track_id) for track_id in group.covers]
        images = [image for image in found if image is not None]
        outline = QPainterPath()
        outline.addRoundedRect(rect, _RADIUS, _RADIUS)
        painter.save()
        painter.setClipPath(outline)
        painter.fillRect(rect, tokens.colour("line"))
        if images:
            for place, image in _places(rect, images):
                painter.drawImage(place, image)
        else:
            side = 44.0
            sign = QRectF(0, 0, side, side)
            sign.moveCenter(rect.center())
            icon, colour = self._words_of.sign(group, self._icon)
            tint = tokens.mood(colour) if colour is not None else tokens.colour("ink_faint")
            paint_icon(painter, icon, sign, tint)
        painter.restore()
        if images:
            self._paint_badge(painter, rect, group)

    def _paint_badge(self, painter: QPainter, rect: QRectF, group: Group) -> None:
        """The mood's sign upon its covers."""
        icon, quadrant = self._words_of.sign(group, "")
        if quadrant is None:
            return
        tokens = self._theme.tokens
        disc = QRectF(rect.right() - 40, rect.bottom() - 40, 32, 32)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.colour("surface"))
        painter.drawEllipse(disc)
        paint_icon(painter, icon, disc.adjusted(6, 6, -6, -6), tokens.mood(quadrant))

    def _paint_moods(self, painter: QPainter, rect: QRectF, group: Group) -> None:
        """How the songs are spread over the moods; the rest of the line is without one."""
        tokens = self._theme.tokens
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.colour("line"))
        outline = QPainterPath()
        outline.addRoundedRect(rect, 2, 2)
        painter.drawPath(outline)
        painter.save()
        painter.setClipPath(outline)
        x = rect.x()
        for quadrant, number in zip(QUADRANTS, group.moods, strict=True):
            width = rect.width() * number / max(group.songs, 1)
            if width:
                painter.fillRect(QRectF(x, rect.y(), width, rect.height()), tokens.mood(quadrant))
            x += width
        painter.restore()

    def _paint_words(self, painter: QPainter, bar: QRectF, group: Group) -> None:
        tokens = self._theme.tokens
        name, detail = self._words_of.name(group), self._words_of.detail(group)
        y = bar.bottom() + SPACE - 1
        for text, role, colour in ((name, "body", "ink"), (detail, "caption", "ink_soft")):
            painter.setFont(self._theme.font(role))
            painter.setPen(tokens.colour(colour))
            metrics = painter.fontMetrics()
            shown = metrics.elidedText(text[:512], Qt.TextElideMode.ElideRight, round(bar.width()))
            painter.drawText(QPointF(bar.x(), y + metrics.ascent()), shown)
            y += metrics.height() + 1


def _places(rect: QRectF, images: Sequence[QImage]) -> list[tuple[QRectF, QImage]]:
    """One picture fills the square; four fill its quarters; of two or three the first is shown."""
    if len(images) < 4:
        return [(rect, images[0])]
    half = rect.width() / 2
    return [
        (
            QRectF(rect.x() + column * half, rect.y() + row * half, half, half),
            images[2 * row + column],
        )
        for row in (0, 1)
        for column in (0, 1)
    ]
