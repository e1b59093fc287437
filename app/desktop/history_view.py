"""Between the page "History" and the file of plays: reads by day, plays again, deletes."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.desktop.history_keeper import HistoryKeeper
from app.desktop.jobs import JobRunner, Latest
from app.desktop.library_controller import LibraryController
from app.desktop.player_glue import PlayerGlue
from app.desktop.preferences import Preferences
from inference.emotion import Quadrant
from library_db.history import Play, PlayHistory
from widgets.history import HistoryPage
from widgets.history.facts import Day, PlayRow
from widgets.main_window import MainWindow
from widgets.sidebar import SidebarEntry
from widgets.text import one_line
from widgets.theme import Theme

if TYPE_CHECKING:
    from library_db.library import Library
    from library_db.track import Track

__all__ = ["HistoryView", "by_day"]

KEY = "history"
_DAYS = 84
_RECENT = 500


class HistoryView(QObject):
    """Shows the page anew whenever it is looked at and something has changed.

    Parameters
    ----------
    folder : Path
        Of the library.
    now : callable
        Seconds since the epoch.
    """

    shown = Signal()

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        songs: LibraryController,
        glue: PlayerGlue,
        keeper: HistoryKeeper,
        preferences: Preferences,
        runner: JobRunner,
        folder: Path,
        parent: QObject | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(parent)
        self.now = now
        self._window = window
        self._songs = songs
        self._preferences = preferences
        self._folder = folder
        self._reader = Latest(runner, pool="io")
        self._stale = True
        self.page = HistoryPage(theme)
        window.add_view("you", SidebarEntry(KEY, self.tr("History"), "history"), self.page)
        self.page.day_chosen.connect(lambda _: self._read())
        self.page.play_requested.connect(glue.play_among)
        self.page.delete_requested.connect(self._delete)
        self.page.switch_requested.connect(
            lambda on: preferences.set("playback", "keep_history", on)
        )
        keeper.kept.connect(self.refresh)
        songs.changed.connect(self.refresh)
        preferences.changed.connect(self._on_setting)
        window.sidebar.chosen.connect(self._on_view)
        window.actions_.history.triggered.connect(lambda: self._window.sidebar.choose(KEY))

    def refresh(self, *_: object) -> None:
        """Something has changed: read again, now or when the page is next looked at."""
        self._stale = True
        if self.page.isVisible():
            self._read()

    # inner workings

    def _on_view(self, key: str) -> None:
        if key == KEY and self._stale:
            self._read()

    def _on_setting(self, section: str, name: str) -> None:
        if (section, name) == ("playback", "keep_history"):
            self.refresh()

    def _read(self) -> None:
        self._stale = False
        library, folder, now_s = self._songs.library, self._folder, self.now()
        chosen = self.page.chart.chosen

        def show(found: tuple[list[Day], list[PlayRow]]) -> None:
            if chosen != self.page.chart.chosen:
                return  # the answer to another question is on its way
            today = date.fromtimestamp(now_s)
            kept = self._preferences.settings.playback.keep_history
            self.page.show_history(*found, today, kept=kept)
            self.shown.emit()

        self._reader.call(
            lambda: _look(library, folder, now_s, chosen), show, self._songs.failed.emit
        )

    def _delete(self, keys: Sequence[int]) -> None:
        folder = self._folder

        def deleted(gone: list[Play]) -> None:
            number = len(gone)
            text = (
                self.tr("1 play deleted")
                if number == 1
                else self.tr("{n} plays deleted").format(n=number)
            )
            self._window.toasts.show_toast(text, self.tr("Undo"), lambda: self._bring_back(gone))
            self.refresh()

        self._songs.submit(lambda _: _remove(folder, keys), deleted)

    def _bring_back(self, gone: Sequence[Play]) -> None:
        folder = self._folder
        self._songs.submit(lambda _: _add(folder, gone), self.refresh)


def by_day(plays: Sequence[Play]) -> list[Day]:
    """Plays summed by the listener's calendar day, the oldest first."""
    played: dict[date, Counter[Quadrant | None]] = defaultdict(Counter)
    felt: dict[date, Counter[Quadrant]] = defaultdict(Counter)
    for play in plays:
        day = date.fromtimestamp(play.began_s)
        played[day][play.quadrant] += play.heard_s  # type: ignore[assignment]
        if play.felt is not None:
            felt[day][play.felt] += 1
    return [Day(day, dict(played[day]), dict(felt[day])) for day in sorted(played)]


def _look(
    library: Library, folder: Path, now_s: float, chosen: date | None
) -> tuple[list[Day], list[PlayRow]]:
    if not PlayHistory.exists(folder):
        return [], []
    with PlayHistory.open(folder) as history:
        days = by_day(history.between(now_s - _DAYS * 86_400.0, now_s + 86_400.0))
        if chosen is None:
            plays = history.recent(_RECENT)
        else:
            plays = history.between(_midnight(chosen), _midnight(chosen + timedelta(days=1)))[::-1]
    tracks = {track.id: track for track in library.tracks({play.track_id for play in plays})}
    return days, [_row(play, _same(library, tracks.get(play.track_id), play)) for play in plays]


def _same(library: Library, track: Track | None, play: Play) -> Track | None:
    """The song that was played, also under another id: the audio decides."""
    if track is not None and track.audio_hash == play.audio_hash:
        return track
    if play.audio_hash:
        for file in library.files_with(play.audio_hash):
            if file.hidden is None:
                return library.track(file.id)
    return None


def _row(play: Play, track: Track | None) -> PlayRow:
    song = ""
    if track is not None:
        song = f"{track.title} – {track.artist}" if track.artist else track.title
    return PlayRow(
        play.id or 0, play.began_s, one_line(song, 200), play.heard_s, play.quadrant, play.felt,
        track.id if track is not None else None,
    )  # fmt: skip


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day).timestamp()


def _remove(folder: Path, ids: Sequence[int]) -> list[Play]:
    with PlayHistory.open(folder) as history:
        wanted = set(ids)
        gone = [play for play in history.between(-1e12, 1e12) if play.id in wanted]
        history.remove(ids)
    return gone


def _add(folder: Path, gone: Sequence[Play]) -> None:
    with PlayHistory.open(folder) as history:
        history.add(*gone)
