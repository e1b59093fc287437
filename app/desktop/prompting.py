"""Asks at the end of a song how it felt: watches the player, asks the policy, keeps the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.desktop.jobs import JobRunner
from app.desktop.library_controller import LibraryController
from app.desktop.player_controller import PlayerController
from app.desktop.preferences import Preferences
from app.prompts import Consent, Heard, PromptPolicy, SongEnd, Verdict
from inference.emotion import Quadrant
from library_db.answers import Answer, AnswerStore
from widgets.feedback_prompt import FeedbackPrompt
from widgets.main_window import MainWindow
from widgets.text import one_line
from widgets.theme import Theme

if TYPE_CHECKING:
    from library_db.emotion_layers import TrackEmotion
    from library_db.library import Library
    from library_db.recovery import Notice
    from library_db.track import Track

__all__ = ["Prompting"]

_LONGEST_STEP_S = 3.0  # between two positions that belong to uninterrupted listening


@dataclass
class _Listening:
    """The song that plays, and how much of it has sounded."""

    track_id: int
    heard_s: float = 0.0
    position_s: float = 0.0
    duration_s: float = 0.0

    def move(self, position_s: float, duration_s: float) -> None:
        step_s = position_s - self.position_s
        if 0.0 < step_s <= _LONGEST_STEP_S:
            self.heard_s += step_s
        self.position_s = position_s
        self.duration_s = duration_s or self.duration_s

    @property
    def heard(self) -> Heard:
        return Heard(self.heard_s, self.duration_s or None, self.position_s)


@dataclass(frozen=True)
class _Question:
    track: Track
    position_s: float
    verdict: Verdict


class Prompting(QObject):
    """Joins player, policy, prompt and the file of answers.

    Parameters
    ----------
    folder : Path
        Of the library; the answers lie there.
    now : callable
        Seconds since the epoch.
    """

    def __init__(
        self,
        player: PlayerController,
        songs: LibraryController,
        window: MainWindow,
        theme: Theme,
        preferences: Preferences,
        runner: JobRunner,
        folder: Path,
        parent: QObject | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(parent)
        self._player = player
        self._songs = songs
        self._window = window
        self._preferences = preferences
        self._runner = runner
        self._folder = folder
        self.now = now
        self.policy = PromptPolicy()
        self.prompt = FeedbackPrompt(theme, window, window.stack, window.toasts)
        self._listening: _Listening | None = None
        self._question: _Question | None = None
        player.position_changed.connect(self._on_position)
        player.track_changed.connect(self._on_track)
        self.prompt.chosen.connect(self._on_chosen)
        self.prompt.passed.connect(self.policy.let_pass)
        preferences.changed.connect(self._on_setting)
        self._on_track(player.track_id)
        runner.call(lambda: _earlier(folder), self.policy.remember, songs.failed.emit, pool="io")

    # inner workings

    def _on_position(self, position_s: float, duration_s: float) -> None:
        if self._listening is not None:
            self._listening.move(position_s, duration_s)

    def _on_track(self, track_id: int | None) -> None:
        ended = self._listening
        self._listening = None if track_id is None else _Listening(track_id)
        settings = self._preferences.settings.prompts
        if ended is None or not settings.enabled or not ended.heard.enough or self.prompt.is_open:
            return
        library = self._songs.library
        self._runner.call(
            lambda: _look_up(library, ended.track_id), lambda found: self._consider(ended, found)
        )

    def _consider(self, ended: _Listening, found: tuple[Track, TrackEmotion] | None) -> None:
        window = self._window
        if found is None or self.prompt.is_open or not window.isVisible() or window.isMinimized():
            return
        track, emotion = found
        now_s = self.now()
        verdict = self.policy.decide(
            SongEnd(track.id, ended.heard, emotion),
            self._preferences.settings.prompts,
            now_s=now_s,
            hour=time.localtime(now_s).tm_hour,
        )
        if verdict.shown is None:
            return
        self._question = _Question(track, ended.position_s, verdict)
        self.policy.asked(now_s)
        if verdict.asks_consent:
            self.prompt.ask_consent()
        else:
            self._ask()

    def _ask(self) -> None:
        question = self._question
        if question is not None and question.verdict.shown is not None:
            title = one_line(question.track.title) or one_line(question.track.path.name)
            self.prompt.ask(title, question.verdict.shown)

    def _on_chosen(self, choice: object) -> None:
        if isinstance(choice, Quadrant):
            self._keep(choice)
        elif choice:
            self._preferences.set("prompts", "consent", Consent.GIVEN.value)
            self._ask()
        else:
            self._preferences.set("prompts", "consent", Consent.REFUSED.value)

    def _keep(self, choice: Quadrant) -> None:
        question, self._question = self._question, None
        if question is None or question.verdict.shown is None:
            return
        track, verdict, now_s = question.track, question.verdict, self.now()
        assert verdict.shown is not None
        assert verdict.predicted is not None
        answer = Answer(
            track.id, track.audio_hash, now_s, question.position_s, verdict.shown,
            verdict.predicted, choice,
        )  # fmt: skip
        self.policy.answered(track.id, now_s)
        folder = self._folder
        self._songs.submit(lambda _: _write(folder, answer), self._tell)
        if choice is not verdict.shown:
            self._songs.correct([track.id], choice)  # the listener's word, which can be undone

    def _tell(self, notices: list[Notice]) -> None:
        for notice in notices:
            self._window.toasts.show_toast(str(notice))

    def _on_setting(self, section: str, _name: str) -> None:
        settings = self._preferences.settings.prompts
        if section == "prompts" and (not settings.enabled or settings.do_not_disturb):
            self.prompt.withdraw()


def _look_up(library: Library, track_id: int) -> tuple[Track, TrackEmotion] | None:
    track = library.track(track_id)
    return None if track is None else (track, library.emotion(track_id))


def _earlier(folder: Path) -> list[Answer]:
    if not AnswerStore.exists(folder):
        return []  # nothing is created before the first answer
    with AnswerStore.open(folder) as answers:
        return answers.all()


def _write(folder: Path, answer: Answer) -> list[Notice]:
    with AnswerStore.open(folder) as answers:
        answers.add(answer)
        return answers.notices
