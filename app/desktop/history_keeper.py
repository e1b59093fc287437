"""Keeps what was played: one line a song that was really heard, unless it is switched off.

A hearing is written as soon as it counts and then every half minute, so that a player that is
killed loses half a minute of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.desktop.library_controller import LibraryController
from app.desktop.listening import ListeningWatch
from app.desktop.preferences import Preferences
from app.listening import Listening
from inference.emotion import Quadrant
from library_db.answers import Occasion
from library_db.history import Play, PlayHistory

if TYPE_CHECKING:
    from library_db.answers import Answer
    from library_db.library import Library
    from library_db.recovery import Notice

__all__ = ["HistoryKeeper"]


class HistoryKeeper(QObject):
    """Writes each hearing on the writer thread.

    Parameters
    ----------
    folder : Path
        Of the library; the history lies there.
    """

    kept = Signal()
    told = Signal(str)  # a notice of the history's file

    def __init__(
        self,
        watch: ListeningWatch,
        songs: LibraryController,
        preferences: Preferences,
        folder: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._songs = songs
        self._preferences = preferences
        self._folder = folder
        self._written: Listening | None = None
        watch.heard.connect(self._keep)
        watch.ended.connect(self._on_ended)

    def note_answer(self, answer: Answer) -> None:
        """The listener said how a song felt that has just ended."""
        folder = self._folder
        if answer.occasion is Occasion.SONG_END and PlayHistory.exists(folder):
            self._songs.submit(lambda _: _note(folder, answer), lambda _: self.kept.emit())

    def _on_ended(self, listening: Listening) -> None:
        if listening.heard.begun:
            self._keep(listening)
        self._written = None

    def _keep(self, listening: Listening) -> None:
        if not self._preferences.settings.playback.keep_history:
            return
        folder, known = self._folder, listening is self._written
        self._written = listening
        # As it is now: the song plays on while this waits for the writer.
        heard_s, felt = round(listening.heard_s, 1), listening.mostly_felt
        self._songs.submit(
            lambda library: _keep(folder, library, listening, heard_s, felt, known=known),
            self._on_kept,
        )

    def _on_kept(self, notices: list[Notice]) -> None:
        for notice in notices:
            self.told.emit(str(notice))
        self.kept.emit()


def _keep(
    folder: Path,
    library: Library,
    listening: Listening,
    heard_s: float,
    felt: Quadrant | None,
    *,
    known: bool,
) -> list[Notice]:
    track = library.track(listening.track_id)
    if track is None:
        return []
    emotion = library.emotion(track.id)
    play = Play(
        track.id, track.audio_hash, listening.began_s, heard_s, emotion.quadrant, emotion.mood,
        felt,
    )  # fmt: skip
    with PlayHistory.open(folder) as history:
        if known:
            history.extend(play)
        else:
            history.add(play)
        return history.notices


def _note(folder: Path, answer: Answer) -> None:
    with PlayHistory.open(folder) as history:
        history.set_felt(answer.track_id, answer.answer, answer.at_s)
