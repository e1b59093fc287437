"""The settings dialog, made from descriptions of the settings; each change counts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import label
from widgets.theme import SPACE, Theme

__all__ = ["SettingField", "SettingsDialog"]

_NAME_WIDTH = 216

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
    """Sections of settings. There is no OK: what is changed holds."""

    changed = Signal(str, str, object)  # section, name, value

    def __init__(
        self,
        theme: Theme,
        sections: Sequence[tuple[str, Sequence[SettingField]]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.resize(560, 640)
        self.editors: dict[tuple[str, str], QWidget] = {}
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(3 * SPACE, 2 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        for title, fields in sections:
            head = label(title, "title")
            head.setContentsMargins(0, SPACE, 0, 4)
            column.addWidget(head)
            column.addLayout(self._form(fields))
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(page)
        area.setAccessibleName(self.tr("Settings"))
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, 2 * SPACE)
        buttons.rejected.connect(self.accept)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(area, 1)
        outer.addWidget(buttons)

    def _form(self, fields: Sequence[SettingField]) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(3 * SPACE)
        form.setVerticalSpacing(SPACE)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        for field in fields:
            editor = self._editor(field)
            editor.setAccessibleName(field.label)
            editor.setAccessibleDescription(field.help)
            self.editors[field.section, field.name] = editor
            if isinstance(editor, QCheckBox):
                form.addRow(editor)
            else:
                name = label(field.label)
                name.setMinimumWidth(_NAME_WIDTH)
                name.setBuddy(editor)
                form.addRow(name, editor)
            if field.help:
                words = label(field.help, "caption", wrap=True)
                form.addRow(words)
        return form

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
            whole = QSpinBox()
            whole.setRange(int(field.low or 0), int(field.high or 100))
            whole.setValue(field.value)
            whole.setMinimumWidth(96)
            whole.valueChanged.connect(tell)
            return whole
        if isinstance(field.value, float):
            real = QDoubleSpinBox()
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
