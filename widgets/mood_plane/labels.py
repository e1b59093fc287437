"""What is written beside a song on the plane: name, cover, and the card of the one meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen

from inference.emotion import Quadrant
from widgets.rows import TrackRow
from widgets.text import mood_words, relative_words
from widgets.theme import Theme

__all__ = ["Named", "paint_card", "paint_named"]

_COVER = 40
_DOT = 4
_AIR = 12
_NAME_WIDTH = 160
_CARD_WIDTH = 360


class Named(NamedTuple):
    """A song to be named on the plane: what is known of it, its place, its cover, its mood."""

    row: TrackRow
    at: QPointF
    cover: QImage | None
    quadrant: Quadrant


def paint_named(painter: QPainter, theme: Theme, songs: Sequence[Named], within: QRectF) -> None:
    """Covers of songs, ringed in the colours of their moods, and their names where there is room.

    A name stands to the right of its song, else to the left or below; where it would lie over
    another name or cover, it is left out.
    """
    taken = [_paint_cover(painter, theme, song) for song in songs]
    painter.setFont(theme.font("caption"))
    painter.setPen(theme.tokens.colour("ink_soft"))
    metrics = painter.fontMetrics()
    for number, song in enumerate(songs):
        text = metrics.elidedText(song.row.title[:100], Qt.TextElideMode.ElideRight, _NAME_WIDTH)
        width, height = metrics.horizontalAdvance(text), metrics.height()
        own = taken[number]
        for left, top in (
            (own.right() + 8, song.at.y() - height / 2),
            (own.left() - 8 - width, song.at.y() - height / 2),
            (song.at.x() - width / 2, own.bottom() + 4),
        ):
            box = QRectF(left, top, width, height)
            air = box.adjusted(-_AIR, -2, _AIR, 2)  # or it would seem to belong to a neighbour
            others = (other for k, other in enumerate(taken) if k != number)
            if within.contains(box) and not any(air.intersects(other) for other in others):
                painter.drawText(QPointF(box.x(), box.y() + metrics.ascent()), text)
                taken.append(box)
                break


def _paint_cover(painter: QPainter, theme: Theme, song: Named) -> QRectF:
    """The cover, where there is one; returns the place that the song takes up."""
    at = song.at
    if song.cover is None:
        return QRectF(at.x() - _DOT, at.y() - _DOT, 2 * _DOT, 2 * _DOT)
    box = QRectF(at.x() - _COVER / 2, at.y() - _COVER / 2, _COVER, _COVER)
    shape = QPainterPath()
    shape.addRoundedRect(box, 6, 6)
    painter.save()
    painter.setClipPath(shape)
    painter.drawImage(box, song.cover)
    painter.restore()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.tokens.mood(song.quadrant), 2.5))
    painter.drawRoundedRect(box, 6, 6)
    return box


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
