"""The page "History": the days above, what was played below, each with a way to play it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from inference.emotion import QUADRANTS
from widgets.controls import ElidedLabel, IconButton, button, hairline
from widgets.history.chart import HistoryChart, day_name
from widgets.history.facts import Day, PlayRow
from widgets.icons import MOOD_ICON, paint_icon
from widgets.plain_table import Cell, PlainTable
from widgets.text import clock, length, moment, mood_name, songs, time_of
from widgets.theme import SPACE, Theme
from widgets.your_model.nothing_yet import NothingYet

__all__ = ["HistoryPage"]


class HistoryPage(QWidget):
    """Shows days and plays; asks for what a chosen day holds."""

    day_chosen = Signal(object)  # date or None
    play_requested = Signal(list, int)  # track ids, which of them first
    delete_requested = Signal(list)  # keys of plays
    switch_requested = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAccessibleName(self.tr("History"))
        self._plays: dict[int, PlayRow] = {}
        self.chart = HistoryChart(theme, self)
        self.table = PlainTable(
            theme,
            self.tr("What was played"),
            (
                self.tr("When"), self.tr("Song"), self.tr("Mood then"), self.tr("Felt"),
                self.tr("Heard"),
            ),
            (136, 0, 112, 112, 80),
            give_way=(4, 0, 3),
        )  # fmt: skip
        self._nothing = NothingYet(
            self.tr("Nothing was played yet"),
            self.tr(
                "What you listen to is kept here by day, with the mood it had and how it felt to "
                "you. It stays on this computer, and can be deleted song by song or as a whole."
            ),
        )
        self._off = NothingYet(
            self.tr("No history is kept"),
            self.tr("It is switched off. What is switched on later begins with that day."),
        )
        self.switch_on = button(self.tr("Keep a listening history"))
        self.switch_on.clicked.connect(lambda: self.switch_requested.emit(True))
        self._words = ElidedLabel(role="soft")
        self._part = QWidget()
        column = QVBoxLayout(self._part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._build_legend(theme))
        column.addWidget(self.chart)
        column.addLayout(self._build_bar(theme))
        column.addWidget(hairline())
        self.table.setMinimumHeight(64)
        column.addWidget(self.table, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        for part in (self._part, self._nothing, self._off):
            outer.addWidget(part, 1)
        self._switch_row = QWidget()
        row = QHBoxLayout(self._switch_row)
        row.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, 2 * SPACE)
        row.addWidget(self.switch_on, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addWidget(self._switch_row)
        self._connect()
        self.setFocusProxy(self.table)
        self.show_history((), (), date.today(), kept=True)

    def show_history(
        self, days: Sequence[Day], plays: Sequence[PlayRow], today: date, *, kept: bool
    ) -> None:
        """Show the days, and the plays of the chosen day or the last ones, the newest first.

        Parameters
        ----------
        kept : bool
            Whether a history is kept at all.
        """
        self.chart.show_days(days, today)
        self._plays = {play.key: play for play in plays}
        self.table.show_rows([play.key for play in plays], [self._cells(play) for play in plays])
        some = bool(days) or bool(plays)
        self._part.setVisible(some)
        self._nothing.setVisible(kept and not some)
        self._off.setVisible(not kept and not some)
        self._switch_row.setVisible(not kept)
        self._say(plays)

    # inner workings

    def _connect(self) -> None:
        self.chart.day_chosen.connect(self.day_chosen)
        self.table.activated_key.connect(self._play_from)
        self.table.delete_requested.connect(self.delete_requested)
        self.table.selection_changed.connect(self._enable)
        for one, following in pairwise((self.chart, self.all, self.play, self.delete, self.table)):
            QWidget.setTabOrder(one, following)

    def _build_legend(self, theme: Theme) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(2 * SPACE, 0, 2 * SPACE, 0)
        row.addWidget(_Legend(theme))
        row.addStretch(1)
        return row

    def _build_bar(self, theme: Theme) -> QHBoxLayout:
        self.all = button(self.tr("All days"), "quiet")
        self.all.clicked.connect(lambda: self.chart.choose(None))
        self.play = IconButton(theme, "play", self.tr("Play the chosen songs"), size=18)
        self.play.clicked.connect(self._play)
        self.delete = IconButton(
            theme, "delete", self.tr("Delete from the history"), shortcut="Del", size=18
        )
        self.delete.clicked.connect(lambda: self.delete_requested.emit(self.table.selected_keys()))
        row = QHBoxLayout()
        row.setContentsMargins(2 * SPACE, 4, SPACE, 4)
        row.setSpacing(4)
        self._words.setMinimumHeight(34)
        row.addWidget(self._words, 1)
        for control in (self.all, self.play, self.delete):
            row.addWidget(control)
        return row

    def _cells(self, play: PlayRow) -> tuple[Cell, ...]:
        gone = self.tr("A song that is no longer in the library")
        when = time_of(play.at_s) if self.chart.chosen else moment(play.at_s)
        nothing = Cell("–", soft=True)
        return (
            Cell(when, soft=True),
            Cell(play.song or gone, soft=not play.song),
            Cell(mood_name(play.quadrant), play.quadrant, soft=play.quadrant is None),
            Cell(mood_name(play.felt), play.felt) if play.felt else nothing,
            Cell(clock(play.heard_s), soft=True),
        )

    def _say(self, plays: Sequence[PlayRow]) -> None:
        chosen = self.chart.chosen
        if chosen is None:
            text = self.tr("Played last")
        elif not plays:
            text = self.tr("{day}: nothing was played").format(day=day_name(chosen))
        else:
            heard = length(sum(play.heard_s for play in plays))
            text = f"{day_name(chosen)}: {songs(len(plays))}, {heard}"
        self._words.set_whole(text)
        self.all.setVisible(chosen is not None)
        self._enable()

    def _enable(self) -> None:
        some = bool(self.table.selected_keys())
        self.play.setEnabled(some)
        self.delete.setEnabled(some)

    def _play_from(self, key: int) -> None:
        """The list from this song on."""
        there = [play for play in self._plays.values() if play.track_id is not None]
        keys = [play.key for play in there]
        if key in keys:
            ids = [play.track_id for play in there]
            self.play_requested.emit(ids, keys.index(key))

    def _play(self) -> None:
        ids = [self._plays[key].track_id for key in self.table.selected_keys()]
        there = [track_id for track_id in ids if track_id is not None]
        if there:
            self.play_requested.emit(there, 0)


class _Legend(QWidget):
    """The four moods with their glyphs."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedHeight(20)
        self.setMinimumWidth(320)
        self.setAccessibleName(", ".join(mood_name(quadrant) for quadrant in QUADRANTS))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(360, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font("caption"))
        tokens = self._theme.tokens
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        x = 0.0
        for quadrant in QUADRANTS:
            name = mood_name(quadrant)
            paint_icon(painter, MOOD_ICON[quadrant], QRectF(x, 3, 14, 14), tokens.mood(quadrant))
            painter.setPen(tokens.colour("ink_soft"))
            painter.drawText(QRectF(x + 20, 0, 120, 20), flags, name)
            x += 20 + painter.fontMetrics().horizontalAdvance(name) + 20
        painter.end()
