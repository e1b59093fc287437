"""Plots, plane and lights of the sensors: gaps, axes, movement, words for screen readers."""

from __future__ import annotations

import numpy as np
import pytest
import shiboken6
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.live_signals import LiveSignals, Ring, Trace
from inference.emotion import EmotionEstimate
from inference.physio.phasic import Phasic
from inference.physio.signals import Channel, SignalChunk
from widgets.sensors.lights import ChannelQuality, Check, Light, QualityLights
from widgets.sensors.plane import FeltNow, FeltPlane, spread
from widgets.signal_plot import Frame, SignalPlot, TraceStyle
from widgets.theme import Mode, Theme

pytestmark = pytest.mark.gui

STYLE = TraceStyle("level", "Skin conductance", "\u00b5S", 0.2)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def ramp(seconds: float, t0_s: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    t = t0_s + np.arange(round(128 * seconds)) / 128.0
    return t, np.sin(t)


@pytest.fixture
def plot(qtbot: QtBot, theme: Theme) -> SignalPlot:
    plot = SignalPlot(theme, [STYLE, TraceStyle("pulse", "Pulse", "a.u.", 1.0)], seconds=20.0)
    qtbot.addWidget(plot)
    plot.resize(400, 200)
    return plot


def test_it_leaves_no_widget_to_the_collector(qtbot: QtBot, theme: Theme):
    before = QApplication.allWidgets()
    plot = SignalPlot(theme, [STYLE])
    qtbot.addWidget(plot)
    new = [widget for widget in QApplication.allWidgets() if widget not in before]
    assert [widget for widget in new if shiboken6.ownedByPython(widget)] == [plot]


def show(plot: SignalPlot, frame: Frame | None) -> None:
    plot.feed = lambda _: frame
    plot.draw()


def test_the_axis_is_seconds_before_now(plot):
    t, x = ramp(30.0)
    show(plot, Frame(30.0, 0.0, {"level": (t, x)}))
    at, values = plot.shown("level")
    assert -20.0 <= at[0] < -19.9
    assert at[-1] == pytest.approx(-1 / 128, abs=0.05)
    assert values[-1] == pytest.approx(np.sin(30.0), abs=0.05)


def test_gaps_stay_gaps_also_where_it_is_thinned(plot):
    t, x = ramp(20.0)
    x[1000:1300] = np.nan
    show(plot, Frame(20.0, 0.0, {"level": (t, x)}))
    at, values = plot.shown("level")
    blank = at[np.isnan(values)]
    assert blank.min() == pytest.approx(1000 / 128 - 20.0, abs=0.1)
    assert blank.max() == pytest.approx(1300 / 128 - 20.0, abs=0.1)
    assert len(at) < 2000
    thin_top = np.nanmax(values)
    assert thin_top == pytest.approx(np.nanmax(x))  # no peak is lost


def test_the_axis_follows_the_signal_without_trembling(plot):
    t, x = ramp(20.0)
    show(plot, Frame(20.0, 0.0, {"level": (t, 2.0 + 0.1 * x)}))
    first = plot.range_of("level")
    assert first[0] < 1.9
    assert first[1] > 2.1
    show(plot, Frame(20.0, 0.0, {"level": (t, 2.0 + 0.08 * x)}))
    assert plot.range_of("level") == first
    show(plot, Frame(20.0, 0.0, {"level": (t, 9.0 + 0.1 * x)}))
    assert plot.range_of("level")[0] > 8.0


def test_it_sleeps_while_hidden_and_when_nothing_comes(plot):
    plot.set_live(True)
    assert not plot.drawing
    plot.show()
    assert plot.drawing
    plot.hide()
    assert not plot.drawing
    plot.show()
    plot.set_live(False)
    assert not plot.drawing


def test_with_less_movement_nothing_slides(plot):
    t, x = ramp(30.0)
    plot.set_calm(True)
    show(plot, Frame(28.0, 0.0, {"level": (t[t < 28.0], x[t < 28.0])}))
    before, _ = plot.shown("level")
    show(plot, Frame(29.0, 0.0, {"level": (t[t < 29.0], x[t < 29.0])}))
    after, _ = plot.shown("level")
    assert before[0] == after[0]  # the same sample stands at the same place
    assert after[-1] > before[-1]


def test_an_empty_feed_and_a_theme_change(plot, theme):
    show(plot, None)
    assert len(plot.shown("level")[0]) == 0
    t, x = ramp(5.0)
    show(plot, Frame(5.0, 0.0, {"level": (t, x)}, [(3.0, "a note")]))
    plot.show()
    light = plot.grab().toImage().pixelColor(200, 2).lightness()
    theme.set_mode(Mode.DARK)
    dark = plot.grab().toImage().pixelColor(200, 2).lightness()
    assert (light > 200, dark < 60) == (True, True)


def test_a_ring_keeps_the_newest(qapp: QApplication):
    ring = Ring(10)
    for k in range(7):
        ring.push(np.arange(3) + 3.0 * k, np.arange(3) + 3.0 * k)
    t, x = ring.since(-1.0)
    assert t.tolist() == list(range(11, 21))
    assert x.tolist() == t.tolist()
    ring.push(np.arange(100.0), np.arange(100.0))
    assert ring.since(-1.0)[0].tolist() == list(range(90, 100))
    assert ring.since(95.0)[0].tolist() == list(range(95, 100))


def test_live_signals_are_bounded_and_break_at_gaps():
    clock = Clock()
    live = LiveSignals(1.0, clock)
    for k in range(4 * 200):
        if k % 40 == 39:
            continue  # lost on the way: nobody says so
        live.take(SignalChunk.of(Channel.GSR, np.ones(32), 128.0, 100.0 + k / 4))
        clock.now_s = 100.25 + k / 4
    glimpse = live.look(1e9)
    t, x = glimpse.traces[Trace.LEVEL]
    assert len(t) <= 64 * 128
    assert np.isnan(x).sum() == pytest.approx(64 / 10, abs=2)
    assert glimpse.edge_s == pytest.approx(clock.now_s, abs=0.3)
    assert np.nanmax(np.abs(glimpse.traces[Trace.PHASIC][1])) < 1e-6


def test_a_stalled_source_leaves_a_growing_space():
    clock = Clock()
    live = LiveSignals(1.0, clock)
    live.take(SignalChunk.of(Channel.PPG, np.ones(32), 128.0, clock.now_s - 0.25))
    edge = live.look(10.0).edge_s
    clock.now_s += 3.0
    assert live.look(10.0).edge_s == pytest.approx(edge + 3.0, abs=1e-6)
    live.freeze()
    clock.now_s += 3.0
    assert live.look(10.0).edge_s == pytest.approx(edge + 3.0, abs=1e-6)


def test_the_time_axis_does_not_drift_over_an_hour():
    clock = Clock()
    live = LiveSignals(1.0, clock)
    begun = clock.now_s
    for k in range(14_400):  # a band whose clock is 50 ppm slow, placed by a fitted clock
        clock.now_s = begun + (k + 1) * 0.25 * 1.00005 + 0.01 * (k % 3)
        t0 = begun + k * 0.25 * 1.00005
        live.take(SignalChunk.of(Channel.GSR, np.ones(1), 4.0, t0))
    t, x = live.look(30.0).traces[Trace.LEVEL]
    assert t[-1] == pytest.approx(begun + 14_399 * 0.25 * 1.00005, abs=1e-6)
    assert not np.isnan(x).any()


@pytest.mark.parametrize("fs_hz", [4.0, 128.0])
def test_phasic_keeps_responses_and_drops_the_level(fs_hz):
    t = np.arange(round(120 * fs_hz)) / fs_hz
    level = 5.0 + 0.001 * t
    response = np.where(t > 60, 0.3 * np.exp(-(t - 60) / 3.0), 0.0)
    whole = Phasic(fs_hz).push((level + response).astype(np.float32))
    assert np.abs(whole[t < 59]).max() < 0.02
    assert whole[(t > 60) & (t < 61)].max() == pytest.approx(0.3, abs=0.05)
    cut = Phasic(fs_hz)
    parts = [cut.push(p) for p in np.array_split((level + response).astype(np.float32), 37)]
    assert np.allclose(np.concatenate(parts), whole, atol=1e-5)


def test_the_plane_says_what_it_shows_and_forgets_after_a_minute(qtbot, theme):
    plane = FeltPlane(theme)
    qtbot.addWidget(plane)
    plane.resize(200, 208)
    calm = EmotionEstimate((0.1, 0.1, 0.7, 0.1), 0.7, "m")
    for t_s in range(0, 120, 10):
        plane.show_felt(FeltNow(float(t_s), calm, calm, None))
    assert len(plane.trail) == 7
    assert "Calm, 70 %" in plane.accessibleDescription()
    plane.show_felt(FeltNow(121.0, None, None, calm, "No estimate: no signal."))
    assert plane.accessibleDescription() == "No estimate: no signal."
    assert not plane.grab().isNull()


def test_uncertainty_shrinks_with_certainty():
    even = EmotionEstimate((0.25,) * 4, 0.25, "m")
    sure = EmotionEstimate((0.97, 0.01, 0.01, 0.01), 0.97, "m")
    diagonal = EmotionEstimate((0.5, 0.0, 0.0, 0.5), 0.5, "m")
    assert spread(even) == pytest.approx((0.5, 0.5, 0.0))
    assert spread(sure)[0] < 0.15
    assert spread(diagonal)[2] == pytest.approx(0.99)


def test_lights_say_each_check_in_words(qtbot, theme):
    lights = QualityLights(theme)
    qtbot.addWidget(lights)
    lights.resize(240, 100)
    checks = (Check("contact", Light.BAD), Check("still", Light.UNKNOWN))
    lights.show_quality([ChannelQuality("GSR", checks, "no contact: put it on tighter")])
    assert "contact: bad" in lights.accessibleDescription()
    assert "still: not known" in lights.accessibleDescription()
    assert "tighter" in lights.accessibleDescription()
