"""The question at the end of a song: asked, answered by a key, kept, never in the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.listening import HOLD_S, Felt
from inference.emotion import QUADRANTS, EmotionEstimate, Quadrant
from library_db.answers import Answer, AnswerStore, Occasion, ShownBy
from library_db.history import PlayHistory
from library_db.library import Library
from tests.gui.conftest import WAIT_MS, settle
from widgets.feedback_prompt import SHOWN_S

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]
NOON_S = 1_700_000_000.0


@pytest.fixture
def asking(start: Start, tagged: Path) -> Desktop:
    """The program with consent given, at a quiet moment of the day that is no quiet hour."""
    desktop = start()
    desktop.preferences.set("prompts", "consent", "given")
    desktop.preferences.set("prompts", "quiet_from", 0)
    desktop.preferences.set("prompts", "quiet_until", 0)
    desktop.preferences.set("prompts", "unsure_below", 1.0)
    desktop.listening.now = lambda: NOON_S
    return desktop


def hear(qtbot: QtBot, desktop: Desktop, track_id: int, seconds: int = 100) -> None:
    """The player says that a song of 100 s began, sounded for `seconds`, and ended."""
    player = desktop.player
    player.track_changed.emit(track_id)
    for second in range(seconds + 1):
        player.position_changed.emit(float(second), 100.0)
    player.track_changed.emit(None)
    settle(qtbot, desktop)


def first_song(desktop: Desktop) -> int:
    return int(desktop.library.search("", sort="title")[0])


def stored(desktop: Desktop, qtbot: QtBot) -> list[Answer]:
    qtbot.waitUntil(lambda: not desktop.songs.restless, timeout=WAIT_MS)
    settle(qtbot, desktop)
    if not (desktop.home.library_dir / "answers.sqlite3").exists():
        return []
    with AnswerStore.open(desktop.home.library_dir) as answers:
        return answers.all()


def test_a_yes_by_one_key_is_kept_with_what_was_shown(qtbot: QtBot, asking: Desktop) -> None:
    song = first_song(asking)
    asking.window.table.setFocus()
    focus = QApplication.focusWidget()
    hear(qtbot, asking, song)
    prompt = asking.prompting.prompt
    assert prompt.isVisible()
    assert prompt.question == "This felt Happy to you?"
    assert QApplication.focusWidget() is focus
    QTest.keyClick(asking.window.table, Qt.Key.Key_F2)
    assert not prompt.isVisible()
    (answer,) = stored(asking, qtbot)
    assert (answer.track_id, answer.shown, answer.answer) == (song, Quadrant.HAHV, Quadrant.HAHV)
    assert (answer.at_s, answer.position_s) == (NOON_S, 100.0)
    assert answer.predicted == asking.library.emotion(song).common
    assert asking.library.emotion(song).user is None


def test_another_mood_is_also_the_listeners_word_on_the_song(qtbot: QtBot, asking: Desktop) -> None:
    song = first_song(asking)
    hear(qtbot, asking, song)
    QTest.keyClick(asking.window, Qt.Key.Key_F7)
    (answer,) = stored(asking, qtbot)
    assert (answer.shown, answer.answer) == (Quadrant.HAHV, Quadrant.LALV)
    qtbot.waitUntil(lambda: asking.library.emotion(song).quadrant is Quadrant.LALV, timeout=WAIT_MS)


def test_a_click_answers_and_leaves_the_focus_where_it_was(qtbot: QtBot, asking: Desktop) -> None:
    asking.window.table.setFocus()
    hear(qtbot, asking, first_song(asking))
    prompt = asking.prompting.prompt
    focus = QApplication.focusWidget()
    calm = next(b for b in prompt.findChildren(QPushButton) if b.accessibleName() == "Calm")
    QTest.mouseClick(calm, Qt.MouseButton.LeftButton)
    assert QApplication.focusWidget() is focus
    assert [a.answer for a in stored(asking, qtbot)] == [Quadrant.LAHV]


@pytest.mark.parametrize("way", ["key", "time"])
def test_letting_it_pass_keeps_nothing(qtbot: QtBot, asking: Desktop, way: str) -> None:
    hear(qtbot, asking, first_song(asking))
    prompt = asking.prompting.prompt
    if way == "key":
        QTest.keyClick(asking.window, Qt.Key.Key_F8)
    else:
        assert prompt._timer.isActive()
        assert prompt._timer.interval() == 1000
        for _ in range(SHOWN_S):
            assert prompt.isVisible()
            prompt.tick()
    qtbot.waitUntil(lambda: not prompt.isVisible(), timeout=WAIT_MS)
    assert not prompt._timer.isActive()
    assert stored(asking, qtbot) == []
    QTest.keyClick(asking.window, Qt.Key.Key_F2)
    assert stored(asking, qtbot) == [], "its keys are dead while it is away"


def test_before_the_first_question_it_asks_for_consent(qtbot: QtBot, asking: Desktop) -> None:
    asking.preferences.set("prompts", "consent", "unasked")
    hear(qtbot, asking, first_song(asking))
    prompt = asking.prompting.prompt
    assert "May Undertone ask" in prompt.question
    assert not (asking.home.library_dir / "answers.sqlite3").exists()
    QTest.keyClick(asking.window, Qt.Key.Key_F2)
    assert asking.preferences.settings.prompts.consent == "given"
    assert prompt.question == "This felt Happy to you?"
    QTest.keyClick(asking.window, Qt.Key.Key_F2)
    assert len(stored(asking, qtbot)) == 1


def test_who_refuses_is_not_asked_again(qtbot: QtBot, asking: Desktop) -> None:
    asking.preferences.set("prompts", "consent", "unasked")
    hear(qtbot, asking, first_song(asking))
    QTest.keyClick(asking.window, Qt.Key.Key_F3)
    assert asking.preferences.settings.prompts.consent == "refused"
    asking.listening.now = lambda: NOON_S + 1e6
    hear(qtbot, asking, first_song(asking))
    assert not asking.prompting.prompt.isVisible()


def test_skipped_songs_and_the_off_switch(qtbot: QtBot, asking: Desktop) -> None:
    hear(qtbot, asking, first_song(asking), seconds=30)
    assert not asking.prompting.prompt.isVisible()
    hear(qtbot, asking, first_song(asking))
    assert asking.prompting.prompt.isVisible()
    asking.preferences.set("prompts", "enabled", False)
    assert not asking.prompting.prompt.isVisible()


def test_a_song_that_was_answered_is_not_asked_about_after_a_restart(
    qtbot: QtBot, asking: Desktop, start: Start
) -> None:
    song = first_song(asking)
    hear(qtbot, asking, song)
    QTest.keyClick(asking.window, Qt.Key.Key_F2)
    assert len(stored(asking, qtbot)) == 1
    assert asking.close() == []
    again = start()
    again.listening.now = lambda: NOON_S + 86_400.0
    hear(qtbot, again, song)
    assert not again.prompting.prompt.isVisible()


def test_it_speaks_to_screen_readers_and_stays_inside_the_window(
    qtbot: QtBot, asking: Desktop
) -> None:
    hear(qtbot, asking, first_song(asking))
    prompt = asking.prompting.prompt
    interface = QAccessible.queryAccessibleInterface(prompt)
    assert interface.text(QAccessible.Text.Name) == "This felt Happy to you?"
    spoken = interface.text(QAccessible.Text.Description)
    assert all(key in spoken for key in ("F2", "F3", "F4", "F7", "F8", "F9", "Calm", "Not now"))
    names = {b.accessibleName() for b in prompt.findChildren(QPushButton)}
    plane = "Answer with a place on the mood plane"
    assert names == {"Yes, Happy", *(q.label for q in QUADRANTS[1:]), plane}
    for width, height in ((680, 440), (1400, 900)):
        asking.window.resize(width, height)
        QApplication.processEvents()
        assert asking.window.rect().contains(prompt.geometry())
        assert not prompt.geometry().intersects(asking.window.player_bar.geometry())
    asking.window.toasts.show_toast("A note " * 20)
    QApplication.processEvents()
    assert not prompt.geometry().intersects(asking.window.toasts.geometry())


def test_answers_survive_a_library_opened_meanwhile(qtbot: QtBot, asking: Desktop) -> None:
    with Library.open(asking.home.library_dir), AnswerStore.open(asking.home.library_dir):
        hear(qtbot, asking, first_song(asking))
        QTest.keyClick(asking.window, Qt.Key.Key_F2)
        assert len(stored(asking, qtbot)) == 1


# A place on the plane


def test_a_place_by_the_arrow_keys_and_the_focus_comes_back(qtbot: QtBot, asking: Desktop) -> None:
    song = first_song(asking)
    asking.window.table.setFocus()
    hear(qtbot, asking, song)
    prompt = asking.prompting.prompt
    assert not prompt.picker.isVisible()
    QTest.keyClick(asking.window.table, Qt.Key.Key_F9)
    assert QApplication.focusWidget() is prompt.picker
    assert prompt.picker.place == asking.library.emotion(song).mood
    QTest.keyClick(prompt.picker, Qt.Key.Key_Escape)
    assert not prompt.picker.isVisible()
    assert QApplication.focusWidget() is asking.window.table
    QTest.keyClick(asking.window.table, Qt.Key.Key_F9)
    for _ in range(30):
        QTest.keyClick(prompt.picker, Qt.Key.Key_Left)
    QTest.keyClick(prompt.picker, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    place = prompt.picker.place
    assert place.valence == -1.0
    assert "Tense" in prompt.picker.accessibleDescription()
    QTest.keyClick(prompt.picker, Qt.Key.Key_Return)
    assert not prompt.isVisible()
    assert QApplication.focusWidget() is asking.window.table
    (answer,) = stored(asking, qtbot)
    assert (answer.answer, answer.place) == (Quadrant.HALV, place)
    qtbot.waitUntil(lambda: asking.library.emotion(song).user is not None, timeout=WAIT_MS)
    assert asking.library.emotion(song).user.mood == place


def test_a_place_by_the_mouse(qtbot: QtBot, asking: Desktop) -> None:
    hear(qtbot, asking, first_song(asking))
    prompt = asking.prompting.prompt
    plane = next(b for b in prompt.findChildren(QPushButton) if "plane" in b.accessibleName())
    QTest.mouseClick(plane, Qt.MouseButton.LeftButton)
    picker = prompt.picker
    qtbot.waitUntil(picker.isVisible, timeout=WAIT_MS)
    assert asking.window.rect().contains(prompt.geometry())
    corner = QPoint(picker.width() - 12, picker.height() - 12)
    QTest.mousePress(picker, Qt.MouseButton.LeftButton, pos=corner)
    assert prompt.isVisible(), "it may still be moved"
    QTest.mouseRelease(picker, Qt.MouseButton.LeftButton, pos=corner)
    (answer,) = stored(asking, qtbot)
    assert answer.answer is Quadrant.LAHV
    assert answer.place.valence > 0.9
    assert answer.place.arousal < -0.9


def test_whoever_is_choosing_a_place_has_time_but_not_for_ever(
    qtbot: QtBot, asking: Desktop
) -> None:
    hear(qtbot, asking, first_song(asking))
    prompt = asking.prompting.prompt
    for _ in range(SHOWN_S - 1):
        prompt.tick()
    QTest.keyClick(asking.window, Qt.Key.Key_F9)
    assert prompt.seconds_left == SHOWN_S
    for _ in range(SHOWN_S):
        prompt.tick()
    assert not prompt.isVisible()
    assert not prompt.picker.isVisible()


# With a band


def feel(desktop: Desktop, quadrant: Quadrant, seconds: float, begin_s: float) -> None:
    """A band shows a mood for so long, three times a second; the clock goes along."""
    weights = [0.05] * 4
    weights[quadrant.position] = 0.85
    estimate = EmotionEstimate.from_probabilities(weights, 0.55, "ssia-cbgru")
    felt = Felt(quadrant, estimate, ShownBy.FUSED, "session-1")
    for step in range(int(3 * seconds)):
        desktop.listening.now = lambda at_s=begin_s + step / 3: at_s
        desktop.listening.feel(felt)


@pytest.fixture
def worn(qtbot: QtBot, asking: Desktop) -> Desktop:
    """40 s of a song that plays, and a band that has shown Happy so far."""
    asking.player.track_changed.emit(first_song(asking))
    for second in range(41):
        asking.player.position_changed.emit(float(second), 100.0)
    feel(asking, Quadrant.HAHV, 40, NOON_S)
    settle(qtbot, asking)
    assert not asking.prompting.prompt.isVisible()
    return asking


def test_a_change_of_the_shown_state_is_asked_about(qtbot: QtBot, worn: Desktop) -> None:
    song, prompt = first_song(worn), worn.prompting.prompt
    feel(worn, Quadrant.LALV, HOLD_S - 2, NOON_S + 40)
    feel(worn, Quadrant.HAHV, 10, NOON_S + 50)
    settle(qtbot, worn)
    assert not prompt.isVisible(), "a flicker is no change"
    feel(worn, Quadrant.LALV, HOLD_S + 2, NOON_S + 60)
    qtbot.waitUntil(prompt.isVisible, timeout=WAIT_MS)
    assert prompt.question == "This felt Sad to you?"
    QTest.keyClick(worn.window, Qt.Key.Key_F4)
    (answer,) = stored(worn, qtbot)
    assert (answer.shown, answer.answer) == (Quadrant.LALV, Quadrant.HALV)
    assert (answer.shown_by, answer.occasion) == (ShownBy.FUSED, Occasion.CHANGE)
    assert (answer.session, answer.position_s) == ("session-1", 40.0)
    assert answer.predicted.model_id == "ssia-cbgru"
    assert worn.library.emotion(song).user is None, "a moment is not the song"


def test_no_change_is_asked_about_in_peace_or_without_a_song(qtbot: QtBot, worn: Desktop) -> None:
    prompt = worn.prompting.prompt
    worn.preferences.set("prompts", "do_not_disturb", True)
    feel(worn, Quadrant.LALV, 20, NOON_S + 40)
    settle(qtbot, worn)
    assert not prompt.isVisible()
    worn.preferences.set("prompts", "do_not_disturb", False)
    worn.player.track_changed.emit(None)
    settle(qtbot, worn)
    prompt.let_pass()
    feel(worn, Quadrant.HALV, 20, NOON_S + 9000)
    settle(qtbot, worn)
    assert not prompt.isVisible()


def test_quiet_hours_hold_in_the_window_too(qtbot: QtBot, asking: Desktop) -> None:
    hour = time.localtime(NOON_S).tm_hour
    asking.preferences.set("prompts", "quiet_from", hour)
    asking.preferences.set("prompts", "quiet_until", (hour + 1) % 24)
    hear(qtbot, asking, first_song(asking))
    assert not asking.prompting.prompt.isVisible()
    asking.listening.now = lambda: NOON_S + 3600.0
    hear(qtbot, asking, first_song(asking))
    assert asking.prompting.prompt.isVisible()


# The listening history


def played(desktop: Desktop, qtbot: QtBot) -> list[tuple[int, float, str | None]]:
    settle(qtbot, desktop)
    if not PlayHistory.exists(desktop.home.library_dir):
        return []
    with PlayHistory.open(desktop.home.library_dir) as history:
        plays = history.recent(9)
    return [(p.track_id, p.heard_s, p.felt.label if p.felt else None) for p in plays]


def test_what_was_heard_is_kept_with_what_was_answered(qtbot: QtBot, asking: Desktop) -> None:
    song = first_song(asking)
    hear(qtbot, asking, song, seconds=10)
    assert played(asking, qtbot) == [], "skipped"
    hear(qtbot, asking, song)
    assert played(asking, qtbot) == [(song, 100.0, None)]
    QTest.keyClick(asking.window, Qt.Key.Key_F4)
    assert len(stored(asking, qtbot)) == 1
    assert played(asking, qtbot) == [(song, 100.0, "Calm")]


def test_no_history_where_it_is_switched_off(qtbot: QtBot, asking: Desktop) -> None:
    asking.preferences.set("playback", "keep_history", False)
    hear(qtbot, asking, first_song(asking))
    assert played(asking, qtbot) == []


def test_the_song_that_plays_at_the_end_is_kept(qtbot: QtBot, worn: Desktop) -> None:
    assert worn.close() == []
    with PlayHistory.open(worn.home.library_dir) as history:
        (play,) = history.recent(9)
    assert (play.heard_s, play.felt) == (40.0, Quadrant.HAHV)
    assert play.mood is not None
