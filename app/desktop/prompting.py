"""Asks how a song felt, at its end or when a band shows another state; keeps the answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.desktop.jobs import JobRunner
from app.desktop.library_controller import LibraryController
from app.desktop.listening import ListeningWatch
from app.desktop.preferences import Preferences
from app.listening import Felt, Heard, Listening
from app.prompts import Consent, Moment, PromptPolicy, Verdict
from inference.emotion import MoodPoint, Quadrant
from library_db.answers import Answer, AnswerStore, Occasion
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


@dataclass(frozen=True)
class _Question:
    track: Track
    position_s: float
    verdict: Verdict
    occasion: Occasion
    place: MoodPoint | None
    session: str


class Prompting(QObject):
    """Joins the hearing of songs, policy, prompt and the file of answers.

    Parameters
    ----------
    watch : ListeningWatch
        Its clock is also this one's.
    folder : Path
        Of the library; the answers lie there.
    """

    answered = Signal(object)
    """An Answer, when it is on the disk."""

    def __init__(
        self,
        watch: ListeningWatch,
        songs: LibraryController,
        window: MainWindow,
        theme: Theme,
        preferences: Preferences,
        runner: JobRunner,
        folder: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._watch = watch
        self._songs = songs
        self._window = window
        self._preferences = preferences
        self._runner = runner
        self._folder = folder
        self.policy = PromptPolicy()
        self.prompt = FeedbackPrompt(theme, window, window.stack, window.toasts)
        self._question: _Question | None = None
        watch.ended.connect(self._on_ended)
        watch.state_changed.connect(self._on_changed)
        self.prompt.chosen.connect(self._on_chosen)
        self.prompt.passed.connect(self.policy.let_pass)
        preferences.changed.connect(self._on_setting)
        runner.call(lambda: _earlier(folder), self.policy.remember, songs.failed.emit, pool="io")

    # inner workings

    def _on_ended(self, ended: Listening) -> None:
        if ended.heard.enough:
            self._look(ended, Occasion.SONG_END)

    def _on_changed(self, current: Listening) -> None:
        if current.heard.begun:
            self._look(current, Occasion.CHANGE)

    def _look(self, listening: Listening, occasion: Occasion) -> None:
        if not self._preferences.settings.prompts.enabled or self.prompt.is_open:
            return
        library, track_id = self._songs.library, listening.track_id
        # As it is now: the song plays on while the library is asked.
        heard, felt = listening.heard, listening.felt
        self._runner.call(
            lambda: _look_up(library, track_id),
            lambda found: self._consider(heard, felt, occasion, found),
        )

    def _consider(
        self,
        heard: Heard,
        felt: Felt | None,
        occasion: Occasion,
        found: tuple[Track, TrackEmotion] | None,
    ) -> None:
        window = self._window
        if found is None or self.prompt.is_open or not window.isVisible() or window.isMinimized():
            return
        track, emotion = found
        now_s = self._watch.now()
        verdict = self.policy.decide(
            Moment(track.id, heard, emotion, felt, occasion),
            self._preferences.settings.prompts,
            now_s=now_s,
            hour=time.localtime(now_s).tm_hour,
        )
        if verdict.shown is None:
            return
        place = emotion.mood if felt is None else felt.estimate.mood
        session = felt.session if felt is not None else ""
        self._question = _Question(track, heard.position_s, verdict, occasion, place, session)
        self.policy.asked(now_s)
        if verdict.asks_consent:
            self.prompt.ask_consent()
        else:
            self._ask()

    def _ask(self) -> None:
        question = self._question
        if question is not None and question.verdict.shown is not None:
            title = one_line(question.track.title) or one_line(question.track.path.name)
            self.prompt.ask(title, question.verdict.shown, question.place)

    def _on_chosen(self, choice: object) -> None:
        if isinstance(choice, (Quadrant, MoodPoint)):
            self._keep(choice)
        elif choice:
            self._preferences.set("prompts", "consent", Consent.GIVEN.value)
            self._ask()
        else:
            self._preferences.set("prompts", "consent", Consent.REFUSED.value)

    def _keep(self, choice: Quadrant | MoodPoint) -> None:
        question, self._question = self._question, None
        if question is None:
            return
        track, now_s = question.track, self._watch.now()
        answer = _answer(question, choice, now_s)
        self.policy.answered(track.id, now_s)
        folder = self._folder

        def kept(notices: list[Notice]) -> None:
            self._tell(notices)
            self.answered.emit(answer)

        self._songs.submit(lambda _: _write(folder, answer), kept)
        # At the end of a song a "no" is the listener's word on it, which can be undone. What was
        # felt in its midst is a word on that moment alone.
        said_no = answer.place is not None or not answer.agreed
        if said_no and question.occasion is Occasion.SONG_END:
            self._songs.correct([track.id], choice)

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


def _answer(question: _Question, choice: Quadrant | MoodPoint, now_s: float) -> Answer:
    verdict = question.verdict
    assert verdict.shown is not None
    assert verdict.predicted is not None
    place = choice if isinstance(choice, MoodPoint) else None
    return Answer(
        track_id=question.track.id,
        audio_hash=question.track.audio_hash,
        at_s=now_s,
        position_s=question.position_s,
        shown=verdict.shown,
        predicted=verdict.predicted,
        answer=Quadrant.of(choice) if isinstance(choice, MoodPoint) else choice,
        place=place,
        shown_by=verdict.shown_by,
        occasion=question.occasion,
        session=question.session,
    )


def _earlier(folder: Path) -> list[Answer]:
    if not AnswerStore.exists(folder):
        return []  # nothing is created before the first answer
    with AnswerStore.open(folder) as answers:
        return answers.all()


def _write(folder: Path, answer: Answer) -> list[Notice]:
    with AnswerStore.open(folder) as answers:
        answers.add(answer)
        return answers.notices
