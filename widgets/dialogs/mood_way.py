"""Asks for a mood to play for a while, or for two to drift between."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from inference.emotion import QUADRANTS, Quadrant
from widgets.controls import button, label, number_field
from widgets.dialogs.words_dialog import WordsDialog
from widgets.icons import MOOD_ICON, icon
from widgets.text import mood_name
from widgets.theme import SPACE, Theme

__all__ = ["MoodWayDialog"]


class MoodWayDialog(WordsDialog):
    """From one mood to another (or the same), in so many minutes."""

    way_chosen = Signal(object, object, int)  # Quadrant, Quadrant, minutes

    def __init__(
        self, theme: Theme, start: Quadrant = Quadrant.LAHV, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Play a mood"))
        self.setMinimumWidth(420)
        self.start = self._choice(theme, self.tr("Begin with"))
        self.goal = self._choice(theme, self.tr("Drift to"))
        self.start.setCurrentIndex(QUADRANTS.index(start))
        self.goal.setCurrentIndex(QUADRANTS.index(start))
        self.minutes = number_field(QSpinBox())
        self.minutes.setRange(5, 600)
        self.minutes.setSingleStep(5)
        self.minutes.setValue(60)
        self.minutes.setSuffix(" " + self.tr("min"))
        self.minutes.setMinimumWidth(112)
        self.minutes.setAccessibleName(self.tr("How long, in minutes"))
        self._words = label("", "soft", wrap=True)
        self.play = button(self.tr("Play"), "primary")
        self.play.setDefault(True)
        self.play.clicked.connect(self._choose)
        close = button(self.tr("Cancel"))
        close.clicked.connect(self.reject)
        form = QFormLayout()
        form.setHorizontalSpacing(3 * SPACE)
        form.setVerticalSpacing(SPACE)
        for name, field in (
            (self.tr("Begin with"), self.start),
            (self.tr("Drift to"), self.goal),
            (self.tr("For"), self.minutes),
        ):
            words = label(name)
            words.setBuddy(field)
            words.setMinimumHeight(field.sizeHint().height())  # the form aligns at the top
            form.addRow(words, field)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addStretch(1)
        row.addWidget(close)
        row.addWidget(self.play)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addWidget(label(self.tr("Play a mood"), "title"))
        column.addLayout(form)
        column.addWidget(self._words)
        column.addLayout(row)
        self.start.currentIndexChanged.connect(lambda _: self._explain())
        self.goal.currentIndexChanged.connect(lambda _: self._explain())
        self._explain()

    def _choice(self, theme: Theme, name: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setMinimumWidth(200)
        box.setIconSize(QSize(18, 18))
        for quadrant in QUADRANTS:
            sign = icon(MOOD_ICON[quadrant], theme.tokens.mood(quadrant))
            box.addItem(sign, mood_name(quadrant), quadrant.value)
        return box

    def _way(self) -> tuple[Quadrant, Quadrant]:
        return QUADRANTS[self.start.currentIndex()], QUADRANTS[self.goal.currentIndex()]

    def _explain(self) -> None:
        start, goal = self._way()
        if start is goal:
            words = self.tr(
                "{mood} songs near the heart of the mood, sure ones rather than guesses."
            ).format(mood=mood_name(start))
        else:
            words = self.tr(
                "Song by song along the mood plane, from {start} to {goal}, each near the last."
            ).format(start=mood_name(start), goal=mood_name(goal))
        self._words.setText(words)

    def _choose(self) -> None:
        self.way_chosen.emit(*self._way(), self.minutes.value())
        self.accept()
