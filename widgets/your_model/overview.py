"""How the model stands, how often it was right, and what is kept of the listener."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import button, label
from widgets.text import songs
from widgets.theme import SPACE, Theme
from widgets.your_model.agreement import AgreementChart
from widgets.your_model.facts import AgreementPoint, Facts, Learning, Stored, VersionChoice

__all__ = ["OverviewPart"]

_WIDTH = 760
_LAST = 20


class OverviewPart(QScrollArea):
    """Three cards in a column of readable width."""

    train_requested = Signal()
    roll_back_requested = Signal()
    version_chosen = Signal(int)  # 0: the common model alone
    consent_changed = Signal(bool)
    recording_consent_changed = Signal(bool)
    history_switched = Signal(bool)
    export_requested = Signal()
    delete_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Overview"))
        self._busy = False
        self._learning = Learning()
        page = QWidget()
        page.setObjectName("page")
        column = QVBoxLayout()
        column.setSpacing(2 * SPACE)
        for card in (self._build_model(theme), self._build_agreement(theme), self._build_data()):
            column.addWidget(card)
        column.addStretch(1)
        middle = QHBoxLayout(page)
        middle.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        inner = QWidget()
        inner.setMaximumWidth(_WIDTH)
        inner.setLayout(column)
        column.setContentsMargins(0, 0, 0, 0)
        middle.addWidget(inner, 20)
        middle.addStretch(1)
        self.setWidget(page)

    def show_facts(self, facts: Facts) -> None:
        self._learning = facts.learning
        self._show_learning(facts.learning)
        self._show_versions(facts.versions, facts.learning.active)
        self._show_agreement(facts.agreement)
        self._show_stored(facts.stored)
        self._enable()

    def show_consent(self, *, asks: bool, state: str, records: bool, history: bool) -> None:
        """What the listener has agreed to; `state` says it of questions in words."""
        for box, on in ((self.ask, asks), (self.record, records), (self.history, history)):
            box.blockSignals(True)
            box.setChecked(on)
            box.blockSignals(False)
        self._consent.setText(state)

    def show_busy(self, busy: bool) -> None:
        """A training runs: nothing else may begin."""
        self._busy = busy
        self.train.setText(self.tr("Training …") if busy else self.tr("Train now"))
        self._enable()

    # the model

    def _build_model(self, theme: Theme) -> QWidget:
        self._title = label("", "title", wrap=True)
        self._test = label("", wrap=True)
        self._last = label("", "soft", wrap=True)
        self.meter = _Meter(theme)
        self._needed = label("", "soft", wrap=True)
        self.train = button(self.tr("Train now"), "primary")
        self.train.clicked.connect(lambda: self.train_requested.emit())
        self.roll_back = button(self.tr("Go back"))
        self.roll_back.clicked.connect(lambda: self.roll_back_requested.emit())
        self.versions = QComboBox()
        self.versions.setAccessibleName(self.tr("Moods come from"))
        self.versions.setMinimumWidth(120)
        self.versions.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.versions.activated.connect(self._on_version)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.train)
        row.addWidget(self.roll_back)
        row.addStretch(1)
        self._from = label(self.tr("Moods come from"), "soft")
        self._from.setBuddy(self.versions)
        row.addWidget(self._from)
        row.addWidget(self.versions, 2)
        card, column = _card()
        for part in (self._title, self._test, self.meter, self._needed, self._last):
            column.addWidget(part)
        column.addSpacing(SPACE // 2)
        column.addLayout(row)
        return card

    def _show_learning(self, learning: Learning) -> None:
        self._title.setText(learning.title)
        for part, text in (
            (self._test, learning.test),
            (self._needed, self._need(learning)),
            (self._last, learning.last),
        ):
            part.setText(text)
            part.setVisible(bool(text))
        self.meter.show_share(learning.songs, learning.needed)
        self.meter.setVisible(learning.songs < learning.needed)

    def _need(self, learning: Learning) -> str:
        lines = []
        if not learning.rated:
            lines.append(self.tr("No song has a mood yet: find the moods of your music first."))
        elif learning.songs < learning.needed:
            lines.append(
                self.tr(
                    "Undertone can learn how songs feel to you, where you differ from most people. "
                    "It begins with {needed} songs that you answered or corrected; so far there "
                    "are {songs}."
                ).format(needed=learning.needed, songs=learning.songs)
            )
        elif not learning.active:
            lines.append(
                self.tr(
                    "You have said how {songs} feel, enough to learn from. A model of your own is "
                    "taken up only if it is not worse than the common one on songs held out from "
                    "learning."
                ).format(songs=songs(learning.songs))
            )
        if not learning.extra:
            lines.append(
                self.tr(
                    "From 40 songs on it can also train networks of your own. That needs the "
                    "training extra, which is not installed (TRAINING=0): pip install "
                    "'undertone[train]'. All else works without it."
                )
            )
        return "\n".join(lines)

    def _show_versions(self, versions: Sequence[VersionChoice], active: int) -> None:
        self.versions.blockSignals(True)
        self.versions.clear()
        for version in versions:
            text = version.text if not version.fault else f"{version.text} – {version.fault}"
            self.versions.addItem(text, version.number)
            tip = version.tip.replace("&", "&amp;").replace("<", "&lt;")
            self.versions.setItemData(self.versions.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        place = self.versions.findData(active)
        self.versions.setCurrentIndex(max(place, 0))
        self.versions.blockSignals(False)
        some = len(versions) > 1
        for part in (self.versions, self._from, self.roll_back):
            part.setVisible(some)

    def _on_version(self, place: int) -> None:
        number = self.versions.itemData(place)
        if number != self._learning.active:
            self.version_chosen.emit(int(number))

    def _enable(self) -> None:
        self.train.setEnabled(not self._busy and self._learning.rated)
        self.roll_back.setEnabled(not self._busy and self._learning.active > 0)
        self.versions.setEnabled(not self._busy)
        for part in (self.export, self.delete):
            part.setEnabled(not self._busy)

    # agreement

    def _build_agreement(self, theme: Theme) -> QWidget:
        self.chart = AgreementChart(theme)
        self._agreed = label("", "soft", wrap=True)
        card, column = _card()
        column.addWidget(label(self.tr("How often you agreed"), "title"))
        column.addWidget(self._agreed)
        column.addWidget(self.chart)
        self._agreement_card = card
        return card

    def _show_agreement(self, points: Sequence[AgreementPoint]) -> None:
        self._agreement_card.setVisible(bool(points))
        self.chart.show_points(points)
        last = points[-_LAST:]
        if last:
            self._agreed.setText(
                self.tr(
                    "Of your last {n} answers {agreed} agreed with the mood that was shown. "
                    "Questions go to doubtful songs first, so this is lower than for all songs."
                ).format(n=len(last), agreed=sum(point.agreed for point in last))
            )

    # data

    def _build_data(self) -> QWidget:
        self.ask = QCheckBox(self.tr("Ask me now and then how a song felt"))
        self.ask.toggled.connect(self.consent_changed)
        self._consent = label("", "caption", wrap=True)
        self.record = QCheckBox(self.tr("Sessions with a band may be recorded"))
        self.record.toggled.connect(self.recording_consent_changed)
        self.history = QCheckBox(self.tr("Keep a listening history"))
        self.history.toggled.connect(self.history_switched)
        self._stored = label("", "soft", wrap=True)
        self.export = button(self.tr("Export my data …"))
        self.export.clicked.connect(lambda: self.export_requested.emit())
        self.delete = button(self.tr("Delete my data …"))
        self.delete.clicked.connect(lambda: self.delete_requested.emit())
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.export)
        row.addWidget(self.delete)
        row.addStretch(1)
        card, column = _card()
        column.addWidget(label(self.tr("What is kept of you"), "title"))
        for part in (self._stored, self.ask, self._consent, self.record, self.history):
            column.addWidget(part)
        column.addSpacing(SPACE // 2)
        column.addLayout(row)
        return card

    def _show_stored(self, stored: Stored) -> None:
        kinds = (
            (stored.answers, self.tr("1 answer"), self.tr("{n} answers")),
            (stored.corrections, self.tr("1 correction"), self.tr("{n} corrections")),
            (stored.versions, self.tr("1 model version"), self.tr("{n} model versions")),
            (stored.plays, self.tr("1 play in the history"), self.tr("{n} plays in the history")),
            (stored.recordings, self.tr("1 recorded session"), self.tr("{n} recorded sessions")),
        )  # fmt: skip
        parts = [one if n == 1 else many.format(n=n) for n, one, many in kinds if n]
        here = self.tr("All of it lies on this computer, in files that only you can read.")
        self._stored.setText(f"{', '.join(parts)}. {here}" if parts else self.tr("Nothing so far."))


class _Meter(QWidget):
    """So many of so many, as a row of dots."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._share = (0, 1)
        self.setFixedHeight(16)
        theme.changed.connect(self.update)

    def show_share(self, done: int, of: int) -> None:
        self._share = (done, max(of, 1))
        self.setAccessibleName(self.tr("{done} of {of} songs").format(done=done, of=of))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 16)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        done, of = self._share
        for place in range(of):
            full = place < done
            painter.setPen(QPen(tokens.colour("ink" if full else "line_strong"), 1.5))
            painter.setBrush(tokens.colour("ink") if full else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(6 + 18 * place, 8), 5, 5)
        painter.end()


def _card() -> tuple[QFrame, QVBoxLayout]:
    card = QFrame()
    card.setObjectName("card")
    column = QVBoxLayout(card)
    column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
    column.setSpacing(SPACE)
    return card, column
