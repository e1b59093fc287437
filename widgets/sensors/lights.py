"""Quality lights: for each channel, what is checked and how it is, in signs and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from widgets.controls import label
from widgets.theme import Theme

__all__ = ["ChannelQuality", "Check", "Light", "QualityLights"]

_LINE = 20


class Light(Enum):
    """How a check stands. Colour means mood, so it is told by the sign."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    """Not looked at yet, or hidden by something worse."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at, and how it stands."""

    name: str
    light: Light


@dataclass(frozen=True, slots=True)
class ChannelQuality:
    """One channel: its name, its checks, and a text with the remedy where something is wrong."""

    name: str
    checks: tuple[Check, ...]
    text: str = ""


class QualityLights(QWidget):
    """The channels under each other."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: list[tuple[_Row, QWidget]] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self.setAccessibleName(self.tr("Quality of the signals"))

    def show_quality(self, channels: Sequence[ChannelQuality]) -> None:
        while len(self._rows) < len(channels):
            row, words = _Row(self._theme), label("", "caption", wrap=True)
            self._column.addWidget(row)
            self._column.addWidget(words)
            self._rows.append((row, words))
        for place, (row, words) in enumerate(self._rows):
            seen = place < len(channels)
            row.setVisible(seen)
            text = channels[place].text if seen else ""
            words.setVisible(bool(text))
            if seen:
                row.show_channel(channels[place])
                words.setText(text)
        self.setAccessibleDescription(". ".join(row.told for row, _ in self._rows[: len(channels)]))


class _Row(QWidget):
    """Name and lights of one channel, in one line that wraps where it is narrow."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._channel = ChannelQuality("", ())
        self.told = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_channel(self, channel: ChannelQuality) -> None:
        if channel == self._channel:
            return
        self._channel = channel
        words = {
            Light.GOOD: self.tr("good"),
            Light.BAD: self.tr("bad"),
            Light.UNKNOWN: self.tr("not known"),
        }
        checks = ", ".join(f"{check.name}: {words[check.light]}" for check in channel.checks)
        self.told = f"{channel.name}: {checks}"
        if channel.text:
            self.told += f"; {channel.text}"
        self.setAccessibleName(self.told)
        self.setToolTip(self.told)
        self._fit()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, _LINE * len(self._lines(320)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        height = _LINE * len(self._lines(self.width()))
        if height != self.minimumHeight():
            self.setFixedHeight(height)

    def _lines(self, width: int) -> list[list[tuple[float, Check]]]:
        """Where each check stands, line by line."""
        metrics = QFontMetricsF(self._theme.font("caption"))
        bold = QFontMetricsF(self._theme.font("caption", bold=True))
        indent = max(bold.horizontalAdvance(self._channel.name) + 10.0, 40.0)
        lines: list[list[tuple[float, Check]]] = [[]]
        x = indent
        for check in self._channel.checks:
            needs = 13.0 + metrics.horizontalAdvance(check.name)
            if x + needs > width and lines[-1]:
                lines.append([])
                x = indent
            lines[-1].append((x, check))
            x += needs + 10.0
        return lines

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        painter.setFont(self._theme.font("caption", bold=True))
        painter.setPen(tokens.colour("ink"))
        metrics = painter.fontMetrics()
        base = (_LINE + metrics.ascent() - metrics.descent()) / 2
        painter.drawText(QPointF(0, base), self._channel.name)
        painter.setFont(self._theme.font("caption"))
        for number, line in enumerate(self._lines(self.width())):
            for x, check in line:
                top = number * _LINE
                self._paint_light(painter, QRectF(x, top + _LINE / 2 - 4, 8, 8), check.light)
                bad = check.light is Light.BAD
                painter.setPen(tokens.colour("ink" if bad else "ink_soft"))
                painter.drawText(QPointF(x + 13, top + base), check.name)
        painter.end()

    def _paint_light(self, painter: QPainter, box: QRectF, light: Light) -> None:
        tokens = self._theme.tokens
        if light is Light.GOOD:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.colour("ink"))
            painter.drawEllipse(box)
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(tokens.colour("line_strong" if light is Light.UNKNOWN else "ink"), 1.8))
        if light is Light.UNKNOWN:
            painter.drawEllipse(box.adjusted(0.5, 0.5, -0.5, -0.5))
        else:
            painter.drawLine(box.topLeft(), box.bottomRight())
            painter.drawLine(box.bottomLeft(), box.topRight())
