"""Getting started: the few things that are special here, each with its key."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import label
from widgets.dialogs.words_dialog import WordsDialog
from widgets.icons import pixmap
from widgets.theme import SPACE, Theme

__all__ = ["GuideDialog"]


class GuideDialog(WordsDialog):
    """Six lines; F1 has the rest."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Getting started"))
        self.setMinimumWidth(520)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * SPACE)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (sign, title, words) in enumerate(self._lines()):
            glyph = QLabel()
            ratio = self.devicePixelRatioF()
            glyph.setPixmap(pixmap(sign, theme.tokens.colour("ink"), 24, ratio))
            glyph.setAccessibleName(title)
            grid.addWidget(glyph, 3 * row, 0, 2, 1)
            head = label(title)
            head.setFont(theme.font("body", bold=True))
            grid.addWidget(head, 3 * row, 1)
            grid.addWidget(label(words, "soft", wrap=True), 3 * row + 1, 1)
            grid.setRowMinimumHeight(3 * row + 2, SPACE)
        grid.setRowStretch(3 * len(self._lines()), 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addWidget(label(self.tr("Getting started"), "title"))
        column.addLayout(grid, 1)
        column.addWidget(buttons)

    def _lines(self) -> tuple[tuple[str, str, str], ...]:
        return (
            (
                "library",
                self.tr("Four moods"),
                self.tr(
                    "Happy, tense, calm and sad are in the sidebar; songs come as they are heard."
                ),
            ),
            (
                "plane",
                self.tr("The mood plane, Ctrl+P"),
                self.tr("All songs by how they feel. Click to play, or draw round some of them."),
            ),
            (
                "path",
                self.tr("Play a mood, Ctrl+Shift+M"),
                self.tr("An hour of calm, or a way from tense to happy."),
            ),
            (
                "mood-happy",
                self.tr("You know better: 1, 2, 3, 4"),
                self.tr("One key sets the mood of the chosen songs. No model overwrites it."),
            ),
            (
                "search",
                self.tr("Search, Ctrl+F"),
                self.tr("Words, or mood:calm conf:>0.7 year:1990-1999."),
            ),
            (
                "keyboard",
                self.tr("Every key, F1"),
                self.tr("The whole program can be used without a mouse."),
            ),
        )
