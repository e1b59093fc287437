"""Live traces above each other on one time axis: pyqtgraph's door.

Thirty times a second, and only while it is seen, it asks its feed what there is to draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QFont, QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.theme import Theme

__all__ = ["Frame", "SignalPlot", "TraceStyle"]

Floats = NDArray[np.float64]

_FRAME_MS = 33
_CALM_MS = 500
_AXIS_WIDTH = 46
_MOST_TEXTS = 8
_ROOM = 0.05
"""Right of the newest sample, as a share of the axis: the zero of the axis fits below."""


@dataclass(frozen=True, slots=True)
class TraceStyle:
    """One trace: its key in a frame, its name, its unit, and the least height of its axis."""

    key: str
    name: str
    unit: str
    least_span: float


@dataclass(frozen=True)
class Frame:
    """What is drawn at one moment; times are seconds on one clock.

    Parameters
    ----------
    edge_s : float
        The right edge.
    begun_s : float
        Where the axis has its zero.
    traces : mapping of key to (times, values)
        float64, shape (n,); NaN values are gaps.
    marks : sequence of (time, text)
    """

    edge_s: float
    begun_s: float
    traces: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)
    marks: Sequence[tuple[float, str]] = ()


class SignalPlot(QWidget):
    """Traces that move from right to left.

    With less movement asked for, nothing slides: the trace is written from
    left to right into a standing page, twice a second, and a full page gives
    way to an empty one.

    Parameters
    ----------
    theme : Theme
    styles : sequence of TraceStyle
        From above.
    seconds : float
        Length of the time axis.
    """

    def __init__(
        self,
        theme: Theme,
        styles: Sequence[TraceStyle],
        *,
        seconds: float = 20.0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.seconds = seconds
        self.feed: Callable[[float], Frame | None] = lambda _: None
        self._calm = False
        self._live = False
        self.frames = 0
        """Frames that were drawn, for those who measure."""
        self._view = pg.GraphicsLayoutWidget(parent=self)
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.setFrameStyle(0)
        self._view.ci.setContentsMargins(0, 2, 4, 0)
        self._view.ci.setSpacing(2)
        self._lanes = [_Lane(self._view, row, style, seconds) for row, style in enumerate(styles)]
        self._lanes[-1].show_time(self.tr("s"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._view)
        self._timer = QTimer(self)
        self._timer.setObjectName("signal-plot")
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self.draw)
        self.setAccessibleName(self.tr("Live signals"))
        names = ", ".join(f"{style.name} ({style.unit})" for style in styles)
        self.setAccessibleDescription(names)
        self._tint()
        theme.changed.connect(self._tint)
        self.set_calm(theme.calm)
        theme.calm_changed.connect(self.set_calm)

    # what is shown

    def set_live(self, live: bool) -> None:
        """Whether something comes: only then, and while it is seen, it draws."""
        self._live = live
        self._wake()
        if not live:
            self.draw()

    def set_calm(self, calm: bool) -> None:
        """Less movement."""
        self._calm = calm
        self._timer.setInterval(_CALM_MS if calm else _FRAME_MS)
        self.draw()

    @property
    def drawing(self) -> bool:
        """Whether it asks for frames by itself now."""
        return self._timer.isActive()

    def draw(self) -> None:
        """Draw what the feed has now."""
        frame = self.feed(self.seconds)
        if frame is None:
            for lane in self._lanes:
                lane.clear()
            return
        self.frames += 1
        edge_s = frame.edge_s
        if self._calm:
            page = math.floor((edge_s - frame.begun_s) / self.seconds)
            edge_s = frame.begun_s + (page + 1) * self.seconds
        for place, lane in enumerate(self._lanes):
            texts = frame.marks if place == 0 else ()
            lane.draw(frame, edge_s, texts, self._view.width())

    def shown(self, key: str) -> tuple[Floats, Floats]:
        """The points that a trace shows now: seconds before the right edge, and values."""
        lane = next(lane for lane in self._lanes if lane.style.key == key)
        x, y = lane.curve.getData()
        return (np.zeros(0), np.zeros(0)) if x is None else (x, y)

    def range_of(self, key: str) -> tuple[float, float]:
        """Lower and upper end of a trace's axis."""
        return next(lane for lane in self._lanes if lane.style.key == key).range

    # Qt's interface

    def sizeHint(self) -> QSize:
        return QSize(360, 110 * len(self._lanes))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 64 * len(self._lanes))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._wake()
        self.draw()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    # inner workings

    def _wake(self) -> None:
        if self._live and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

    def _tint(self) -> None:
        tokens = self._theme.tokens
        self._view.setBackground(tokens.colour("surface"))
        for lane in self._lanes:
            lane.tint(self._theme)


class _Lane:
    """One plot of the stack."""

    def __init__(
        self, view: pg.GraphicsLayoutWidget, row: int, style: TraceStyle, seconds: float
    ) -> None:
        self.style = style
        self._seconds = seconds
        self.range = (0.0, style.least_span)
        axes = {"left": _ValueAxis("left")}
        self.plot = view.addPlot(row=row, col=0, enableMenu=False, axisItems=axes)
        # pyqtgraph makes the menu all the same, a window of nobody: the collector would end it
        # whenever it runs, also while Qt goes through the widgets to give them a new style.
        menu = self.plot.ctrlMenu
        menu.setParent(view, menu.windowFlags())
        self.plot.hideButtons()
        self.plot.setMouseEnabled(False, False)
        self.plot.setXRange(-seconds, _ROOM * seconds, padding=0)
        self.plot.setYRange(*self.range, padding=0)
        self.plot.disableAutoRange()
        left = self.plot.getAxis("left")
        left.setWidth(_AXIS_WIDTH)
        left.enableAutoSIPrefix(False)
        left.setStyle(tickLength=-3, maxTickLevel=0)
        bottom = self.plot.getAxis("bottom")
        bottom.setStyle(tickLength=-3, showValues=False, maxTickLevel=0)
        bottom.setHeight(6)
        self.curve = pg.PlotCurveItem(connect="finite", antialias=False)
        self.marks = pg.PlotCurveItem(connect="pairs", antialias=False)
        self.plot.addItem(self.marks)
        self.plot.addItem(self.curve)
        self.title = pg.LabelItem(f"{style.name}, {style.unit}", justify="left")
        self.title.setParentItem(self.plot.vb)
        self.title.anchor(itemPos=(0, 0), parentPos=(0, 0), offset=(2, -3))
        self._texts: list[pg.TextItem] = []

    def show_time(self, unit: str) -> None:
        bottom = self.plot.getAxis("bottom")
        bottom.setStyle(showValues=True)
        bottom.setHeight(None)
        marks = [float(t) for t in range(0, -int(self._seconds) - 1, -5)]
        bottom.setTicks([[(t, f"{t:.0f} {unit}" if t == 0 else f"{t:.0f}".replace("-", "\u2212"))
                          for t in marks]])  # fmt: skip

    def clear(self) -> None:
        self.curve.setData([], [])
        self.marks.setData([], [])
        self._label(())

    def draw(
        self, frame: Frame, edge_s: float, texts: Sequence[tuple[float, str]], width: int
    ) -> None:
        times, values = frame.traces.get(self.style.key, (np.zeros(0), np.zeros(0)))
        first = int(np.searchsorted(times, edge_s - self._seconds))
        x, y = _thinned(times[first:] - edge_s, values[first:], width)
        self._fit(y)
        self.curve.setData(x, y, connect="finite")
        near = [(t - edge_s, text) for t, text in frame.marks if t > edge_s - self._seconds]
        at = np.repeat([t for t, _ in near], 2)
        low, high = self.range
        self.marks.setData(at, np.tile([low, high], len(near)), connect="pairs")
        self._label([(t - edge_s, text) for t, text in texts if t > edge_s - self._seconds])

    def tint(self, theme: Theme) -> None:
        tokens = theme.tokens
        small = QFont(theme.font("caption"))
        self.curve.setPen(pg.mkPen(tokens.colour("ink"), width=1))
        self.marks.setPen(pg.mkPen(tokens.colour("line_strong"), width=1, style=_DASH))
        soft = tokens.colour("ink_soft")
        self.title.setText(
            self.title.text, color=soft.name(), size=f"{theme.scale.caption}pt", bold=True
        )
        for name in ("left", "bottom"):
            axis = self.plot.getAxis(name)
            axis.setPen(pg.mkPen(tokens.colour("line")))
            axis.setTextPen(pg.mkPen(soft))
            axis.setTickFont(small)
        self._soft, self._small = soft, small
        for text in self._texts:
            text.setColor(soft)

    def _fit(self, y: Floats) -> None:
        """Move the axis only where the trace leaves it, or fills less than a third of it."""
        good = y[np.isfinite(y)]
        if not len(good):
            return
        low, high = float(good.min()), float(good.max())
        span = self.range[1] - self.range[0]
        least = self.style.least_span
        fits = low >= self.range[0] and high <= self.range[1]
        if fits and (high - low > span / 3 or span <= 1.5 * least):
            return
        wide = max(high - low, least)
        middle = (low + high) / 2
        # Room below for what falls and above for the name.
        self.range = (middle - 0.6 * wide, middle + 1.0 * wide)
        self.plot.setYRange(*self.range, padding=0)

    def _label(self, texts: Sequence[tuple[float, str]]) -> None:
        shown = [(t, text) for t, text in texts if text][-_MOST_TEXTS:]
        while len(self._texts) < len(shown):
            item = pg.TextItem("", color=self._soft, anchor=(0, 1))
            item.setFont(self._small)
            self.plot.addItem(item, ignoreBounds=True)
            self._texts.append(item)
        for place, item in enumerate(self._texts):
            if place < len(shown):
                t, text = shown[place]
                item.setPlainText(text)
                item.setPos(t, self.range[0])
                item.show()
            else:
                item.hide()


class _ValueAxis(pg.AxisItem):
    """Numbers as people write them: 5 M in place of 5e+06."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        step = spacing * scale
        for power, suffix in ((1e6, " M"), (1e3, " k")):
            if step >= power / 10:
                return [f"{v * scale / power:g}{suffix if v else ''}".replace("-", _MINUS)
                        for v in values]  # fmt: skip
        digits = max(0, math.ceil(-math.log10(step) - 1e-9)) if step > 0 else 0
        return [f"{v * scale:.{min(digits, 6)}f}".replace("-", _MINUS) for v in values]


_MINUS = "\u2212"
_DASH = Qt.PenStyle.DashLine


def _thinned(x: Floats, y: Floats, width: int) -> tuple[Floats, Floats]:
    """No more than about two points a pixel: the least and the greatest of each stretch."""
    step = len(x) // max(2 * width, 200)
    if step < 2:
        return x, y
    n = len(x) // step * step
    stretch = y[:n].reshape(-1, step)
    gaps = np.isnan(stretch).any(axis=1)
    low, high = stretch.min(axis=1), stretch.max(axis=1)
    thin_y = np.column_stack([low, high]).ravel()
    thin_y[np.repeat(gaps, 2)] = np.nan
    thin_x = np.column_stack([x[:n:step], x[step // 2 : n : step]]).ravel()
    return np.concatenate([thin_x, x[n:]]), np.concatenate([thin_y, y[n:]])
