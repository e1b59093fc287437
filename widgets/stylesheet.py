"""The style sheet, built from tokens: one place for the look of every standard control."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from widgets.theme import Tokens, TypeScale

__all__ = ["stylesheet"]

_SHEET = Template("""
QWidget { color: $ink; }
QMainWindow, QDialog, #page { background: $paper; }
QToolTip { background: $raised; color: $ink; border: 1px solid $line; padding: 4px 8px; }

QLabel { background: transparent; }
QLabel[role="soft"], QLabel[role="caption"] { color: $ink_soft; }
QLabel[role="caption"], QLabel[role="section"] { font-size: ${caption}pt; }
QLabel[role="section"] { color: $ink_soft; font-weight: 600; }
QLabel[role="title"] { font-size: ${title}pt; font-weight: 600; }
QLabel[role="display"] { font-size: ${display}pt; font-weight: 600; }

QPushButton {
    background: transparent; color: $ink; border: 1px solid $line_strong; border-radius: 6px;
    padding: 7px 16px; min-height: 18px;
}
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $pressed; }
QPushButton:focus { border: 2px solid $ink; padding: 6px 15px; }
QPushButton:disabled { color: $ink_faint; border-color: $line; }
QPushButton[role="primary"] { background: $ink; color: $on_ink; border: 1px solid $ink; }
QPushButton[role="primary"]:hover { background: $ink_soft; border-color: $ink_soft; }
QPushButton[role="primary"]:focus {
    border: 2px solid $paper; outline: 2px solid $ink; padding: 6px 15px;
}
QPushButton[role="primary"]:disabled { background: $line; color: $ink_faint; border-color: $line; }
QPushButton::menu-indicator { image: url("$chevron"); width: 10px; height: 10px;
    subcontrol-position: center right; subcontrol-origin: padding; right: 8px; }
QPushButton[role="quiet"] { border-color: transparent; padding: 7px 8px; text-align: left; }
QPushButton[role="quiet"]:focus { border: 2px solid $ink; padding: 6px 7px; }

QPushButton[role="tab"] { border-color: transparent; color: $ink_soft; padding: 5px 12px; }
QPushButton[role="tab"]:checked { background: $selection; color: $ink; }
QPushButton[role="tab"]:focus { border: 2px solid $ink; padding: 4px 11px; }

QToolButton {
    background: transparent; border: 2px solid transparent; border-radius: 6px; padding: 4px;
}
QToolButton:hover { background: $hover; }
QToolButton:pressed { background: $pressed; }
QToolButton:checked { background: $selection; }
QToolButton:focus { border-color: $ink; }
QToolButton::menu-indicator { image: none; }
QToolButton[role="play"] { background: $ink; border-radius: 22px; }
QToolButton[role="play"]:hover { background: $ink_soft; }
QToolButton[role="play"]:focus { border-color: $line_strong; }

QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {
    background: $surface; border: 1px solid $line; border-radius: 6px; padding: 6px 8px;
    selection-background-color: $ink; selection-color: $on_ink; min-height: 18px;
}
QLineEdit:hover, QComboBox:hover, QSpinBox:hover, QDoubleSpinBox:hover {
    border-color: $line_strong;
}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus {
    border: 2px solid $ink; padding: 5px 7px;
}
QLineEdit[role="in_place"] { padding: 0 4px; min-height: 0; }
QLineEdit[role="in_place"]:focus { padding: 0 3px; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url("$chevron"); width: 12px; height: 12px; }
QComboBox QAbstractItemView {
    background: $raised; border: 1px solid $line; selection-background-color: $selection;
    selection-color: $ink; padding: 4px; outline: none;
}
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button,
QDoubleSpinBox::down-button {
    subcontrol-origin: border; border: none; background: transparent; width: 24px; margin: 3px;
}
QSpinBox::up-button, QDoubleSpinBox::up-button { subcontrol-position: top right; }
QSpinBox::down-button, QDoubleSpinBox::down-button { subcontrol-position: bottom right; }
QSpinBox::up-button:hover, QDoubleSpinBox::up-button:hover, QSpinBox::down-button:hover,
QDoubleSpinBox::down-button:hover { background: $hover; border-radius: 3px; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url("$up"); width: 9px; height: 9px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url("$down"); width: 9px; height: 9px; }
QDialog QListWidget { padding: 4px; }
QDialog QListWidget::item { padding: 5px 8px; border-radius: 4px; }
QDialog QListWidget::item:selected { background: $selection; color: $ink; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QTableWidget::item, #plain_table::item { padding: 0 6px; }
QCheckBox {
    outline: none; spacing: 8px; padding: 4px 2px; border: 2px solid transparent;
    border-radius: 4px;
}
QCheckBox:focus { border-color: $ink; }
QCheckBox::indicator {
    width: 16px; height: 16px; border: 1px solid $line_strong; border-radius: 4px;
    background: $surface;
}
QCheckBox::indicator:checked { background: $ink; border-color: $ink; image: url("$tick"); }

QAbstractItemView {
    background: $surface; border: none; outline: none;
    selection-background-color: $selection; selection-color: $ink;
}
QHeaderView { background: $surface; border: none; }
QHeaderView::section {
    background: $surface; color: $ink_soft; border: none; border-bottom: 1px solid $line;
    padding: 0 8px; font-size: ${caption}pt; font-weight: 600;
}
QHeaderView::section:hover { color: $ink; }
QHeaderView::down-arrow { image: url("$down"); width: 9px; height: 9px;
    subcontrol-position: top center; top: 1px; }
QHeaderView::up-arrow { image: url("$up"); width: 9px; height: 9px;
    subcontrol-position: top center; top: 1px; }
QTableCornerButton::section { background: $surface; border: none; }

#sidebar { background: $paper; border: none; }
#page QTreeView::item { padding: 5px 4px; }
#sidebar QTreeWidget { background: $paper; }
#player_bar { background: $raised; border-top: 1px solid $line; }
#side_panel { background: $paper; }
#side_panel QListView { background: $paper; }
#job_strip { background: $raised; border-top: 1px solid $line; }
#toast { background: $ink; border-radius: 8px; }
#toast QLabel { color: $on_ink; }
#toast QPushButton { color: $on_ink; border-color: $line_strong; padding: 4px 12px; }
#toast QPushButton:hover { background: $ink_soft; }
#toast QPushButton:focus { border: 2px solid $on_ink; padding: 3px 11px; }
#prompt { background: $raised; border: 1px solid $line_strong; border-radius: 8px; }
#prompt #question { font-weight: 600; }
#prompt QPushButton { padding: 5px 10px; }
#prompt QPushButton:focus { padding: 4px 9px; }
#card { background: $surface; border-radius: 8px; }
#hairline { background: $line; border: none; }
#suggestions { background: $raised; border: 1px solid $line_strong; border-radius: 6px;
    padding: 4px; }
#query_error { color: $ink; background: $hover; border-radius: 6px; padding: 4px 8px; }

QMenu { background: $raised; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 8px; border-radius: 4px; }
QMenu::item:selected { background: $selection; }
QMenu::item:disabled { color: $ink_faint; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QMenu::icon { padding-left: 8px; }

QSlider { border: 2px solid transparent; border-radius: 6px; }
QSlider:focus { border-color: $ink; }
QSlider::groove:horizontal { height: 4px; background: $line_strong; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $ink; border-radius: 2px; }
QSlider::add-page:horizontal { background: $ink_faint; border-radius: 2px; }
QSlider::handle:horizontal {
    width: 12px; height: 12px; margin: -4px 0; border-radius: 6px; background: $ink;
}
QSlider::groove:vertical { width: 4px; background: $line_strong; border-radius: 2px; }
QSlider::sub-page:vertical { background: $ink_faint; border-radius: 2px; }
QSlider::add-page:vertical { background: $ink; border-radius: 2px; }
QSlider::handle:vertical {
    width: 12px; height: 12px; margin: 0 -4px; border-radius: 6px; background: $ink;
}
QSlider::handle:disabled { background: $ink_faint; }
QSlider::add-page:vertical:disabled { background: $line; }
QProgressBar { background: $line; border: none; border-radius: 2px; max-height: 4px;
    min-height: 4px; }
QProgressBar::chunk { background: $ink; border-radius: 2px; }

QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $ink_faint; border-radius: 3px; margin: 3px; }
QScrollBar::handle:vertical { min-height: 40px; }
QScrollBar::handle:horizontal { min-width: 40px; }
QScrollBar::handle:hover { background: $ink_soft; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: $line; }
QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget { background: transparent; }
""")


_STILL = "* { widget-animation-duration: 0; }\n"
"""Ends the style's own animations: busy bars, and scroll bars and check boxes on some desktops."""


def stylesheet(tokens: Tokens, scale: TypeScale, *, calm: bool = False) -> str:
    """The application's style sheet in the colours of `tokens` and the sizes of `scale`.

    With `calm`, nothing in it moves by itself.
    """
    from widgets.icons import icon_file

    side = "dark" if tokens.dark else "light"
    values = {name: getattr(tokens, name) for name in tokens.__dataclass_fields__}
    return (_STILL if calm else "") + _SHEET.substitute(
        values,
        caption=scale.caption,
        body=scale.body,
        title=scale.title,
        display=scale.display,
        tick=icon_file(f"tick-{side}"),
        chevron=icon_file(f"chevron-{side}"),
        up=icon_file(f"up-{side}"),
        down=icon_file(f"down-{side}"),
    )
