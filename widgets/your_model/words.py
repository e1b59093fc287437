"""What the listener has said: each answer and correction, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from inference.emotion import QUADRANTS, Quadrant
from widgets.controls import ElidedLabel, IconButton
from widgets.icons import MOOD_ICON
from widgets.plain_table import Cell, PlainTable
from widgets.text import moment, mood_name
from widgets.theme import SPACE, Theme
from widgets.your_model.facts import Word
from widgets.your_model.nothing_yet import NothingYet

__all__ = ["WordsPart"]


class WordsPart(QWidget):
    """The table of words, and what can be done with the chosen ones."""

    play_requested = Signal(list)  # track ids
    change_requested = Signal(list, object)  # keys, Quadrant
    delete_requested = Signal(list)  # keys

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words: dict[int, Word] = {}
        self.table = PlainTable(
            theme,
            self.tr("Your answers"),
            (
                self.tr("When"), self.tr("Song"), self.tr("Shown"), self.tr("You said"),
                self.tr("In learning"),
            ),
            (136, 0, 104, 104, 232),
            give_way=(0, 4),
            grows=4,
        )  # fmt: skip
        self._nothing = NothingYet(
            self.tr("No answers yet"),
            self.tr(
                "At the end of a song Undertone asks now and then how it felt. You can also press "
                "1 to 4 on any song of the library. Both are listed here, and can be changed."
            ),
        )
        self._hint = ElidedLabel(role="soft")
        self._controls: list[IconButton] = []
        row = QHBoxLayout()
        row.setContentsMargins(2 * SPACE, SPACE, SPACE, SPACE)
        row.setSpacing(4)
        row.addWidget(self._hint, 1)
        for number, quadrant in enumerate(QUADRANTS, 1):
            text = self.tr("It felt {mood}").format(mood=mood_name(quadrant))
            control = _MoodButton(theme, quadrant, text, str(number))
            control.clicked.connect(lambda _=False, q=quadrant: self._change(q))
            row.addWidget(control)
            self._controls.append(control)
        play = IconButton(theme, "play", self.tr("Play the songs of these answers"), size=18)
        play.clicked.connect(lambda: self._play(self.table.selected_keys()))
        delete = IconButton(
            theme, "delete", self.tr("Delete these answers for good"), shortcut="Del", size=18
        )
        delete.clicked.connect(lambda: self.delete_requested.emit(self.table.selected_keys()))
        for control in (play, delete):
            row.addWidget(control)
            self._controls.append(control)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.table, 1)
        column.addWidget(self._nothing, 1)
        column.addLayout(row)
        self.table.activated_key.connect(lambda key: self._play([key]))
        self.table.delete_requested.connect(self.delete_requested)
        self.table.mood_requested.connect(self.change_requested)
        self.table.selection_changed.connect(self._on_selection)
        self.setFocusProxy(self.table)
        self.show_words(())

    def show_words(self, words: Sequence[Word]) -> None:
        """The newest first."""
        self._words = {word.key: word for word in words}
        self.table.show_rows([word.key for word in words], [self._cells(word) for word in words])
        self.table.setVisible(bool(words))
        self._nothing.setVisible(not words)
        self._on_selection()

    def _cells(self, word: Word) -> tuple[Cell, ...]:
        gone = self.tr("A song that is no longer in the library")
        if word.shown is None:
            shown = Cell(self.tr("Not asked"), soft=True, tip=self.tr("You corrected it unasked"))
        elif word.by_sensors:
            tip = self.tr("{mood}, by the band").format(mood=mood_name(word.shown))
            shown = Cell(mood_name(word.shown), word.shown, tip=tip)
        else:
            shown = Cell(mood_name(word.shown), word.shown)
        if word.verdict:
            text = f"{word.verdict}: {word.why}" if word.why else word.verdict
            learned = Cell(text, soft=True)
        else:
            learned = Cell(self.tr("At the next training"), soft=True)
        return (
            Cell(moment(word.at_s), soft=True),
            Cell(word.song or gone, soft=not word.song),
            shown,
            Cell(mood_name(word.said), word.said),
            learned,
        )

    def _play(self, keys: Sequence[int]) -> None:
        ids = [self._words[key].track_id for key in keys]
        there = [track_id for track_id in ids if track_id is not None]
        if there:
            self.play_requested.emit(there)

    def _change(self, quadrant: Quadrant) -> None:
        self.change_requested.emit(self.table.selected_keys(), quadrant)

    def _on_selection(self) -> None:
        chosen = self.table.selected_keys()
        number = len(chosen)
        for control in self._controls:
            control.setEnabled(number > 0)
            control.setVisible(bool(self._words))
        if not self._words:
            self._hint.set_whole("")
        elif number == 1 and self._words[chosen[0]].verdict:
            word = self._words[chosen[0]]
            self._hint.set_whole(f"{word.verdict}: {word.why}" if word.why else word.verdict)
        elif number:
            self._hint.set_whole(self.tr("{n} chosen").format(n=number))
        else:
            self._hint.set_whole(
                self.tr("Choose an answer: 1 to 4 change it, Del deletes it, Enter plays the song")
            )


class _MoodButton(IconButton):
    """A button with the glyph of a mood in its colour."""

    def __init__(self, theme: Theme, quadrant: Quadrant, text: str, shortcut: str) -> None:
        self._quadrant = quadrant
        super().__init__(theme, MOOD_ICON[quadrant], text, shortcut=shortcut, size=18)

    def _tint(self) -> None:
        self._colour = {"HAHV": "happy", "HALV": "tense", "LAHV": "calm", "LALV": "sad"}[
            self._quadrant.value
        ]
        super()._tint()
