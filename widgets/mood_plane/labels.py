"""What is written beside a song on the plane: name, cover, and the card of the one meant."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen

from inference.emotion import Quadrant
from widgets.rows import TrackRow
from widgets.text import mood_words, relative_words
from widgets.theme import Theme

__all__ = ["paint_card", "paint_named_point"]

_COVER = 40
_NAME_WIDTH = 160
_CARD_WIDTH = 360


def paint_named_point(
    painter: QPainter,
    theme: Theme,
    row: TrackRow,
    at: QPointF,
    cover: QImage | None,
    quadrant: Quadrant,
) -> None:
    """The name of a song beside its point, and its cover, ringed in the colour of the mood."""
    tokens = theme.tokens
    reach = 10.0
    if cover is not None:
        reach = _COVER / 2 + 8
        box = QRectF(at.x() - _COVER / 2, at.y() - _COVER / 2, _COVER, _COVER)
        shape = QPainterPath()
        shape.addRoundedRect(box, 6, 6)
        painter.save()
        painter.setClipPath(shape)
        painter.drawImage(box, cover)
        painter.restore()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(tokens.mood(quadrant), 2.5))
        painter.drawRoundedRect(box, 6, 6)
    painter.setFont(theme.font("caption"))
    painter.setPen(tokens.colour("ink_soft"))
    metrics = painter.fontMetrics()
    text = metrics.elidedText(row.title[:100], Qt.TextElideMode.ElideRight, _NAME_WIDTH)
    painter.drawText(QPointF(at.x() + reach, at.y() + metrics.ascent() / 2 - 1), text)


def paint_card(
    painter: QPainter,
    theme: Theme,
    row: TrackRow,
    at: QPointF,
    within: QRectF,
    *,
    relative: bool = False,
) -> None:
    """Title, artist, mood and sureness of a song on a card beside its point.

    `relative`: and where it lies within the library.
    """
    tokens = theme.tokens
    sure = "" if row.confidence is None else f"  {round(100 * row.confidence)} %"
    small = theme.font("caption")
    lines = [
        (theme.font("body", bold=True), row.title[:80], "ink"),
        (small, row.artist[:80], "ink_soft"),
        (small, f"{mood_words(row.quadrant, row.open)}{sure}", "ink_soft"),
    ]
    if relative:
        lines.append((small, relative_words(row.relative), "ink_soft"))
    lines = [line for line in lines if line[1]]
    width, height = 0, 16
    for font, text, _ in lines:
        painter.setFont(font)
        width = max(width, painter.fontMetrics().horizontalAdvance(text))
        height += painter.fontMetrics().height()
    width = min(width + 4, _CARD_WIDTH) + 24
    box = QRectF(at.x() + 14, at.y() - height - 8, width, height)
    if box.right() > within.right() - 8:
        box.moveRight(at.x() - 14)
    if box.top() < within.top() + 8:
        box.moveTop(at.y() + 14)
    painter.setPen(QPen(tokens.colour("line"), 1))
    painter.setBrush(tokens.colour("raised"))
    painter.drawRoundedRect(box, 6, 6)
    y = box.top() + 8
    for font, text, colour in lines:
        painter.setFont(font)
        painter.setPen(tokens.colour(colour))
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width - 24)
        painter.drawText(QPointF(box.x() + 12, y + metrics.ascent()), shown)
        y += metrics.height()
