"""The equaliser: on or off, a named curve or an own one, ten bands and the level of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import hairline, label
from widgets.theme import SPACE, Theme

__all__ = ["EqualiserCurve", "EqualiserDialog"]

_STEPS = 2  # of the sliders, a dB


@dataclass(frozen=True, slots=True)
class EqualiserCurve:
    """A curve: its name (empty for one's own), the level of all bands and of each, in dB."""

    name: str
    preamp_db: float
    bands_db: tuple[float, ...]


class EqualiserDialog(QDialog):
    """Not modal; each change is heard at once.

    Parameters
    ----------
    bands_hz : sequence of float
        Centres of the bands.
    presets : sequence of EqualiserCurve
    curve : EqualiserCurve
        The one in use; its name says which of the presets it is.
    limits_db : (float, float)
        How far a band may be lowered and raised.
    most_preamp_db : float
        How far all may be raised.
    """

    switched = Signal(bool)
    curve_changed = Signal(object)  # EqualiserCurve

    def __init__(
        self,
        theme: Theme,
        bands_hz: Sequence[float],
        presets: Sequence[EqualiserCurve],
        curve: EqualiserCurve,
        *,
        on: bool,
        limits_db: tuple[float, float] = (-20.0, 20.0),
        most_preamp_db: float = 8.0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Equaliser"))
        self._theme = theme
        self._presets = {preset.name: preset for preset in presets}
        self.switch = QCheckBox(self.tr("Use the equaliser"))
        self.switch.setChecked(on)
        self.switch.toggled.connect(self._switch)
        self.choice = QComboBox()
        self.choice.setAccessibleName(self.tr("Curve"))
        self.choice.setMinimumWidth(200)
        self.choice.addItem(self.tr("Own curve"), "")
        for name in self._presets:
            self.choice.addItem(name, name)
        self.choice.activated.connect(self._choose)
        low, high = limits_db
        self.preamp = _Fader(theme, self.tr("All"), self.tr("All bands"), low, most_preamp_db)
        self.bands = [
            _Fader(theme, _short(self, hz), _spoken(self, hz), low, high) for hz in bands_hz
        ]
        self._faders = [self.preamp, *self.bands]
        for fader in self._faders:
            fader.moved.connect(self._tell_own)
        self._build()
        self._show(curve)
        self._enable(on)

    @property
    def curve(self) -> EqualiserCurve:
        """What the sliders say."""
        levels = tuple(fader.level_db for fader in self.bands)
        return EqualiserCurve(str(self.choice.currentData()), self.preamp.level_db, levels)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(2 * SPACE)
        head.addWidget(self.switch)
        head.addStretch(1)
        head.addWidget(self.choice)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.preamp)
        row.addSpacing(SPACE)
        row.addWidget(hairline(vertical=True))
        row.addSpacing(SPACE)
        for band in self.bands:
            row.addWidget(band)
        words = label(
            self.tr("Raising bands can drive loud songs into clipping: lower all of them then."),
            "caption",
            wrap=True,
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addLayout(head)
        column.addLayout(row, 1)
        column.addWidget(words)
        column.addWidget(buttons)

    def _show(self, curve: EqualiserCurve) -> None:
        for fader, level in zip(self._faders, (curve.preamp_db, *curve.bands_db), strict=True):
            fader.show_level(level)
        known = self._presets.get(curve.name)
        same = known is not None and known.bands_db == curve.bands_db
        place = self.choice.findData(curve.name) if same else 0
        self.choice.setCurrentIndex(max(place, 0))

    def _switch(self, on: bool) -> None:
        self._enable(on)
        self.switched.emit(on)

    def _enable(self, on: bool) -> None:
        for control in (self.choice, *self._faders):
            control.setEnabled(on)

    def _choose(self, _place: int) -> None:
        preset = self._presets.get(str(self.choice.currentData()))
        if preset is not None:
            self._show(preset)
        self.curve_changed.emit(preset or self.curve)

    def _tell_own(self) -> None:
        self.choice.setCurrentIndex(0)
        self.curve_changed.emit(self.curve)


class _Fader(QWidget):
    """A vertical slider in dB with its level above and its name below."""

    moved = Signal()

    def __init__(self, theme: Theme, name: str, spoken: str, low: float, high: float) -> None:
        super().__init__()
        self._spoken = spoken
        self._figure = label("", "caption")
        self.slider = QSlider(Qt.Orientation.Vertical)
        self.slider.setRange(round(low * _STEPS), round(high * _STEPS))
        self.slider.setPageStep(3 * _STEPS)
        self.slider.setMinimumHeight(160)
        self.slider.valueChanged.connect(self._on_value)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        middle = Qt.AlignmentFlag.AlignHCenter
        column.addWidget(self._figure, 0, middle)
        column.addWidget(self.slider, 1, middle)
        column.addWidget(label(name, "caption"), 0, middle)
        self.setMinimumWidth(44)
        self._say()

    @property
    def level_db(self) -> float:
        return self.slider.value() / _STEPS

    def show_level(self, level_db: float) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(level_db * _STEPS))
        self._say()

    def _on_value(self, _value: int) -> None:
        self._say()
        self.moved.emit()

    def _say(self) -> None:
        level = self.level_db
        self._figure.setText("0" if level == 0 else f"{level:+g}".replace("-", "−"))
        self.slider.setAccessibleName(self.tr("{band}, dB").format(band=self._spoken))
        self.slider.setAccessibleDescription(self.tr("{level} dB").format(level=f"{level:+g}"))


def _short(dialog: QDialog, hz: float) -> str:
    return dialog.tr("{khz}k").format(khz=f"{hz / 1000:g}") if hz >= 1000 else f"{hz:.0f}"


def _spoken(dialog: QDialog, hz: float) -> str:
    if hz >= 1000:
        return dialog.tr("{hz} kHz").format(hz=f"{hz / 1000:g}")
    return dialog.tr("{hz} Hz").format(hz=f"{hz:.0f}")
