"""The settings dialog, made from descriptions of the settings; each change counts at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import hairline, label, number_field
from widgets.theme import SPACE, Theme

__all__ = ["SettingField", "SettingsDialog"]

_LEAST_WIDTH = 512
_NAME_WIDTH = 216
_TICK_WIDTH = 30
"""From the edge of a check box to its text, px."""

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting as the dialog shows it.

    `choices` are (value, text) pairs; `low` and `high` bound a number, `unit` follows it.
    """

    section: str
    name: str
    label: str
    value: Value
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str = ""


class SettingsDialog(QDialog):
    """Sections of settings. There is no OK: what is changed holds.

    The first section is there at once, the others a turn of the event loop later each: to make
    them all takes longer than a frame.
    """

    changed = Signal(str, str, object)  # section, name, value

    def __init__(
        self,
        theme: Theme,
        sections: Sequence[tuple[str, Sequence[SettingField]]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.setMinimumWidth(_LEAST_WIDTH)
        self.resize(560, 640)
        self._editors: dict[tuple[str, str], QWidget] = {}
        self._waiting = list(sections)
        page = QWidget()
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(3 * SPACE, 2 * SPACE, 3 * SPACE, 2 * SPACE)
        self._column.setSpacing(SPACE)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(page)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName(self.tr("Settings"))
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, 2 * SPACE)
        buttons.rejected.connect(self.accept)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(area, 1)
        outer.addWidget(hairline())
        outer.addWidget(buttons)
        self._timer = QTimer(self)
        self._timer.setObjectName("settings-sections")
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._build)
        self._last: QWidget = area
        self._close = buttons.button(QDialogButtonBox.StandardButton.Close)
        self._build()
        next(iter(self._editors.values()), self._close).setFocus()
        self._timer.start()
        self.finished.connect(self._timer.stop)

    @property
    def editors(self) -> dict[tuple[str, str], QWidget]:
        """What edits each setting, by section and name."""
        while self._waiting:
            self._build()
        return self._editors

    def _build(self) -> None:
        if not self._waiting:
            self._timer.stop()
            return
        title, fields = self._waiting.pop(0)
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, SPACE, 0, SPACE)
        column.setSpacing(SPACE)
        column.addWidget(label(title, "title"))
        for field in fields:
            column.addLayout(self._row(field))
        self._column.insertWidget(self._column.count() - 1, part)
        order = [self._last, *(self._editors[f.section, f.name] for f in fields), self._close]
        for one, next_one in itertools.pairwise(order):  # Close was there before, and comes last
            self.setTabOrder(one, next_one)
        self._last = order[-2]

    def _row(self, field: SettingField) -> QVBoxLayout:
        editor = self._editor(field)
        editor.setAccessibleName(field.label)
        editor.setAccessibleDescription(field.help)
        self._editors[field.section, field.name] = editor
        line = QHBoxLayout()
        line.setSpacing(3 * SPACE)
        ticked = isinstance(editor, QCheckBox)
        if not ticked:
            name = label(field.label, wrap=True)
            name.setFixedWidth(_NAME_WIDTH)
            name.setBuddy(editor)
            line.addWidget(name)
        line.addWidget(editor)
        line.addStretch(1)
        row = QVBoxLayout()
        row.setSpacing(2)
        row.addLayout(line)
        if field.help:
            words = label(field.help, "caption", wrap=True)
            words.setContentsMargins(_TICK_WIDTH if ticked else 0, 0, 0, 4)
            row.addWidget(words)
        return row

    def _editor(self, field: SettingField) -> QWidget:
        def tell(value: object) -> None:
            self.changed.emit(field.section, field.name, value)

        if isinstance(field.value, bool):
            check = QCheckBox(field.label)
            check.setChecked(field.value)
            check.toggled.connect(tell)
            return check
        if field.choices:
            return _choice(field, tell)
        if isinstance(field.value, int):
            whole = number_field(QSpinBox())
            whole.setRange(int(field.low or 0), int(field.high or 100))
            whole.setValue(field.value)
            whole.setMinimumWidth(96)
            whole.valueChanged.connect(tell)
            return whole
        if isinstance(field.value, float):
            real = number_field(QDoubleSpinBox())
            real.setRange(field.low or 0.0, field.high if field.high is not None else 1.0)
            wide = real.maximum() - real.minimum() > 2.0
            real.setDecimals(1 if wide else 2)
            real.setSingleStep(0.5 if wide else 0.05)
            real.setSuffix(f" {field.unit}" if field.unit else "")
            real.setValue(field.value)
            real.setMinimumWidth(96)
            real.valueChanged.connect(tell)
            return real
        line = QLineEdit(field.value)
        line.setMinimumWidth(240)
        line.editingFinished.connect(lambda: tell(line.text()))
        return line


def _choice(field: SettingField, tell: object) -> QComboBox:
    box = QComboBox()
    box.setMinimumWidth(200)
    for value, text in field.choices:
        box.addItem(text, value)
    box.setCurrentIndex(max(box.findData(field.value), 0))
    box.currentIndexChanged.connect(lambda _: tell(box.currentData()))  # type: ignore[operator]
    return box
