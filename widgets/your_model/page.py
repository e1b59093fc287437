"""The page "Your model": three parts under their names."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.theme import Theme
from widgets.your_model.facts import Facts
from widgets.your_model.moves import MovesPart
from widgets.your_model.overview import OverviewPart
from widgets.your_model.tabs import Tabs
from widgets.your_model.words import WordsPart

__all__ = ["YourModelPage"]


class YourModelPage(QWidget):
    """Shows `Facts`; what the listener asks for is passed on by the parts' own signals."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAccessibleName(self.tr("Your model"))
        # Before the parts, so that the keys come to the names first.
        self.tabs = Tabs(
            self.tr("Parts of your model"),
            (self.tr("Overview"), self.tr("Answers"), self.tr("Moved songs")),
            self,
        )
        self.overview = OverviewPart(theme)
        self.words = WordsPart(theme)
        self.moves = MovesPart(theme)
        for part in (self.overview, self.words, self.moves):
            self.tabs.add(part)
        self.setFocusProxy(self.tabs)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.tabs)

    def show_facts(self, facts: Facts) -> None:
        """Show everything anew; what was chosen stays chosen."""
        self.overview.show_facts(facts)
        self.words.show_words(facts.words)
        self.moves.show_moves(facts.moved, facts.moved_in_all)
        self.tabs.show_count(1, len(facts.words))
        self.tabs.show_count(2, facts.moved_in_all)
