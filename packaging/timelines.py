"""Draws the moods along songs: the picture in the README of a music model.

    python packaging/timelines.py SONG SONG ... -o timelines.png

Each song is a row: a strip in the colour of the likeliest quadrant, the more certain the stronger,
with arousal (solid) and valence (dashed) over it, both in [-1, 1]. Needs no display.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QApplication

from inference.emotion import QUADRANTS
from inference.runtime import MusicClassifier, MusicEstimate
from library_db.tags import read_tags
from widgets.text import clock
from widgets.theme import Mode, Theme

WIDTH, ROW, HEAD, MARGIN, NAMES = 960, 96, 40, 24, 232
RATIO = 2
_TICK_S = 60


@dataclass(frozen=True)
class Row:
    """One song as it is drawn."""

    title: str
    artist: str
    found: MusicEstimate


def classified(paths: list[Path], model: str) -> list[Row]:
    """What a model says of the songs, and what they are called."""
    classifier = MusicClassifier.load(model)
    rows = []
    for path in paths:
        tags = read_tags(path)
        rows.append(Row(tags.title or path.stem, tags.artist or "", classifier.classify(path)))
    return rows


def draw(rows: list[Row], theme: Theme) -> QImage:
    """All rows under one another, the longest song as wide as the picture."""
    height = HEAD + len(rows) * ROW + MARGIN
    image = QImage(WIDTH * RATIO, height * RATIO, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(RATIO)
    tokens = theme.tokens
    image.fill(tokens.colour("paper"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    longest_s = max(row.found.duration_s for row in rows)
    per_second = (WIDTH - NAMES - 3 * MARGIN) / longest_s
    _legend(painter, theme)
    for number, row in enumerate(rows):
        area = QRectF(
            MARGIN + NAMES, HEAD + number * ROW, row.found.duration_s * per_second, ROW - 32
        )
        _names(painter, theme, row, area)
        _strip(painter, theme, row.found, area, per_second)
    painter.end()
    return image


def _legend(painter: QPainter, theme: Theme) -> None:
    tokens = theme.tokens
    x = float(MARGIN + NAMES)
    painter.setFont(theme.font("caption"))
    for quadrant in QUADRANTS:
        painter.fillRect(QRectF(x, 16, 12, 12), tokens.mood(quadrant))
        painter.setPen(tokens.colour("ink"))
        painter.drawText(QPointF(x + 18, 26), quadrant.label)
        x += 72
    for name, style in (("arousal", Qt.PenStyle.SolidLine), ("valence", Qt.PenStyle.DashLine)):
        painter.setPen(QPen(tokens.colour("ink"), 1.6, style))
        painter.drawLine(QPointF(x, 22), QPointF(x + 28, 22))
        painter.drawText(QPointF(x + 34, 26), name)
        x += 96


def _names(painter: QPainter, theme: Theme, row: Row, area: QRectF) -> None:
    estimate = row.found.estimate
    said = f"{estimate.quadrant.label} {estimate.confidence:.2f}, {clock(row.found.duration_s)}"
    for line, (text, role) in enumerate(
        ((row.title, "ink"), (row.artist, "ink_soft"), (said, "ink_soft"))
    ):
        painter.setFont(theme.font("body" if line == 0 else "caption"))
        painter.setPen(theme.tokens.colour(role))
        shown = painter.fontMetrics().elidedText(
            text, Qt.TextElideMode.ElideRight, NAMES - 2 * MARGIN
        )
        painter.drawText(QPointF(MARGIN, area.top() + 16 + 19 * line), shown)


def _strip(
    painter: QPainter, theme: Theme, found: MusicEstimate, area: QRectF, per_second: float
) -> None:
    tokens, timeline = theme.tokens, found.timeline
    times = timeline.times_s
    edges = np.concatenate([[0.0], (times[1:] + times[:-1]) / 2, [found.duration_s]])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # no seams
    for k, p in enumerate(timeline.probabilities):
        colour = QColor(tokens.mood(QUADRANTS[int(p.argmax())]))
        colour.setAlphaF(float(np.clip((p.max() - 0.25) / 0.5, 0.15, 0.85)))
        left, right = (area.left() + edges[i] * per_second for i in (k, k + 1))
        painter.fillRect(QRectF(left, area.top(), right - left, area.height()), colour)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = area.center().y()
    painter.setPen(QPen(tokens.colour("ink_soft"), 0.6, Qt.PenStyle.DotLine))
    painter.drawLine(QPointF(area.left(), middle), QPointF(area.right(), middle))
    for values, style in (
        (timeline.arousal, Qt.PenStyle.SolidLine),
        (timeline.valence, Qt.PenStyle.DashLine),
    ):
        painter.setPen(QPen(tokens.colour("ink"), 1.6, style))
        points = [
            QPointF(area.left() + t * per_second, middle - float(v) * (area.height() / 2 - 3))
            for t, v in zip(times, values, strict=True)
        ]
        painter.drawPolyline(QPolygonF(points))
    painter.setFont(theme.font("caption"))
    painter.setPen(tokens.colour("ink_soft"))
    for t in range(0, int(found.duration_s) + 1, _TICK_S):
        x = area.left() + t * per_second
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 4))
        painter.drawText(QPointF(x + 3, area.bottom() + 13), clock(t))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("songs", nargs="+", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--model", default="undertone-music")
    args = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication(sys.argv[:1])
    image = draw(classified(args.songs, args.model), Theme(app, Mode.LIGHT))
    return 0 if image.save(str(args.out)) else 1


if __name__ == "__main__":
    sys.exit(main())
