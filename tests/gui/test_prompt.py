"""The question at the end of a song: asked, answered by a key, kept, never in the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from inference.emotion import QUADRANTS, Quadrant
from library_db.answers import Answer, AnswerStore
from library_db.library import Library
from tests.gui.conftest import WAIT_MS, settle

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
    desktop.prompting.now = lambda: NOON_S
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
        prompt._timer.setInterval(1)
        prompt._timer.start()
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
    asking.prompting.now = lambda: NOON_S + 1e6
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
    again.prompting.now = lambda: NOON_S + 86_400.0
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
    assert all(key in spoken for key in ("F2", "F3", "F4", "F7", "F8", "Calm", "Not now"))
    names = {b.accessibleName() for b in prompt.findChildren(QPushButton)}
    assert names == {"Yes, Happy", *(q.label for q in QUADRANTS[1:])}
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
