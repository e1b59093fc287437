"""The page "Your model": what was said, what was learned from it, and deleting it for good."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.desktop.training_job import training
from app.personal import train
from app.personal_models import PersonalModels
from inference.emotion import QUADRANTS, Quadrant
from inference.errors import UndertoneError
from inference.job import run_to_end
from library_db.answers import Answer, AnswerStore
from library_db.decisions import Decided
from library_db.history import Play, PlayHistory
from library_db.library import Library
from library_db.personal_layer import personal_ids
from tests.app.personal_library import BASE, answer_on, fill, folder_text, heard_by_listener
from tests.gui.conftest import WAIT_MS, settle
from widgets.dialogs.delete_data import DeleteDataDialog

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]
TRAINING_MS = 240_000  # at a low priority beside other tests; only waited for on failure


def tell(home: Path, count: int, word: Quadrant | None = None) -> list[int]:
    """A rated library, and a listener who has answered on some of its songs; returns all ids."""
    home.mkdir(parents=True, exist_ok=True)
    with Library.open(home) as library:
        ids = fill(library)
        if count:
            with AnswerStore.open(home) as answers:
                answers.add(
                    *(
                        answer_on(library, i, word or heard_by_listener(library, i), 1e9 + 3600 * n)
                        for n, i in enumerate(ids[:count])
                    )
                )
    return ids


def look(qtbot: QtBot, desktop: Desktop) -> Desktop:
    """Go to the page and wait until it shows what there is."""
    with qtbot.waitSignal(desktop.your_model.shown, timeout=WAIT_MS):
        desktop.window.sidebar.choose("your_model")
    settle(qtbot, desktop)
    return desktop


def wait_for_end(qtbot: QtBot, desktop: Desktop) -> None:
    qtbot.waitUntil(lambda: not desktop.your_model.restless, timeout=TRAINING_MS)
    settle(qtbot, desktop)


def read_again(qtbot: QtBot, desktop: Desktop, act: Callable[[], object]) -> None:
    with qtbot.waitSignal(desktop.your_model.shown, timeout=WAIT_MS):
        act()
    wait_for_end(qtbot, desktop)


def answers_of(home: Path) -> list[Answer]:
    with AnswerStore.open(home) as answers:
        return answers.all()


def shown_text(desktop: Desktop) -> str:
    overview = desktop.your_model.page.overview
    parts = (overview._title, overview._test, overview._needed, overview._last)
    return "\n".join(part.text() for part in parts if not part.isHidden())


def last_toast(desktop: Desktop) -> str:
    return desktop.window.toasts.toasts[-1].text


# Empty states


def test_without_answers_it_says_what_it_is_for(qtbot: QtBot, start: Start, home: Path) -> None:
    tell(home, 0)
    desktop = look(qtbot, start())
    assert "begins with 8 songs" in shown_text(desktop)
    assert "so far there are 0" in shown_text(desktop)
    assert desktop.your_model.page.overview.meter.accessibleName() == "0 of 8 songs"
    assert not desktop.your_model.page.words.table.isVisibleTo(desktop.your_model.page.words)
    assert not desktop.your_model.page.overview._agreement_card.isVisible()
    assert not (home / "answers.sqlite3").exists(), "looking makes no file"


def test_an_unrated_library_cannot_be_learned_from(qtbot: QtBot, start: Start, home: Path) -> None:
    desktop = look(qtbot, start())
    assert "find the moods of your music first" in shown_text(desktop)
    assert not desktop.your_model.page.overview.train.isEnabled()


def test_three_answers_are_too_few_and_nothing_changes(
    qtbot: QtBot, start: Start, home: Path
) -> None:
    tell(home, 3)
    desktop = look(qtbot, start())
    page = desktop.your_model.page
    assert page.overview.meter.accessibleName() == "3 of 8 songs"
    assert page.tabs.tab(1).text() == "Answers  3"
    QTest.mouseClick(page.overview.train, Qt.MouseButton.LeftButton)
    assert desktop.your_model.busy
    assert not page.overview.train.isEnabled()
    wait_for_end(qtbot, desktop)
    assert "too few" in shown_text(desktop)
    assert "too few" in last_toast(desktop)
    assert personal_ids(desktop.library) == []
    assert page.overview.train.isEnabled()


def test_answers_of_one_mood_alone_are_explained(qtbot: QtBot, start: Start, home: Path) -> None:
    tell(home, 30, Quadrant.LAHV)
    desktop = look(qtbot, start())
    desktop.your_model.train()
    wait_for_end(qtbot, desktop)
    assert "same mood" in shown_text(desktop)


# Training, versions


def test_train_songs_move_go_back_and_choose_again(qtbot: QtBot, start: Start, home: Path) -> None:
    ids = tell(home, 40)
    desktop = look(qtbot, start())
    page, library = desktop.your_model.page, desktop.library
    common = library.emotions(ids)
    desktop.your_model.train()
    wait_for_end(qtbot, desktop)
    qtbot.waitUntil(lambda: bool(page.moves.table.keys), timeout=WAIT_MS)
    assert "version 1" in page.overview._title.text()
    assert "not worse than the common model by its test" in shown_text(desktop)
    moved = {i for i, e in zip(ids, library.emotions(ids), strict=True) if e.personal}
    assert moved == set(ids)
    assert len(page.moves.table.keys) > 10
    assert page.tabs.tab(2).text() == f"Moved songs  {len(page.moves.table.keys)}"
    assert page.overview.versions.currentData() == 1
    verdicts = {page.words.table.text(row, 4).partition(":")[0] for row in range(40)}
    assert verdicts <= {"Kept", "Label only", "Left out", "At the next training"}

    QTest.mouseClick(page.overview.roll_back, Qt.MouseButton.LeftButton)
    wait_for_end(qtbot, desktop)
    qtbot.waitUntil(lambda: not page.moves.table.keys, timeout=WAIT_MS)
    assert "common model" in page.overview._title.text()
    assert [e.effective for e in library.emotions(ids)] == [e.effective for e in common]

    page.overview.versions.setCurrentIndex(page.overview.versions.findData(1))
    page.overview.versions.activated.emit(page.overview.versions.currentIndex())
    wait_for_end(qtbot, desktop)
    qtbot.waitUntil(lambda: bool(page.moves.table.keys), timeout=WAIT_MS)
    assert "version 1" in page.overview._title.text()


def test_moved_songs_are_played_by_key(qtbot: QtBot, start: Start, home: Path) -> None:
    tell(home, 40)
    with Library.open(home) as library, AnswerStore.open(home) as answers:
        run_to_end(train(library, answers, PersonalModels(home / "models")))
    desktop = look(qtbot, start())
    moves, played = desktop.your_model.page.moves, []
    desktop.glue.play_among = lambda ids, first: played.append((ids, first))
    moves.play_requested.disconnect()
    moves.play_requested.connect(desktop.glue.play_among)
    desktop.your_model.page.tabs.show_part(2)
    moves.table.selectRow(2)
    assert moves.plane._chosen == {moves.table.keys[2]}
    QTest.keyClick(moves.table, Qt.Key.Key_Return)
    moves.table.clearSelection()
    QTest.mouseClick(moves.play, Qt.MouseButton.LeftButton)
    assert played == [(moves.table.keys, 2), (moves.table.keys, 0)]


def test_a_version_that_cannot_be_read_is_said_in_plain_words(
    qtbot: QtBot, start: Start, home: Path
) -> None:
    tell(home, 40)
    with Library.open(home) as library, AnswerStore.open(home) as answers:
        run_to_end(train(library, answers, PersonalModels(home / "models")))
    (home / "models" / "personal" / "1" / "model.json").write_text("{}")
    desktop = look(qtbot, start())
    assert "cannot be read" in shown_text(desktop)
    assert "damaged" in shown_text(desktop)
    assert "cannot be read" in desktop.your_model.page.overview.versions.itemText(0)
    desktop.your_model.train()
    wait_for_end(qtbot, desktop)
    qtbot.waitUntil(lambda: "version 2" in shown_text(desktop), timeout=WAIT_MS)


def test_a_training_that_is_cancelled_or_fails_leaves_everything(
    qtbot: QtBot, start: Start, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(home, 40)
    desktop = look(qtbot, start())
    script = 'import time; print(\'{"kind": "progress", "done": 1, "total": 3, "text": "x"}\', flush=True); time.sleep(99)'  # noqa: E501
    monkeypatch.setattr("app.desktop.your_model.train_command", lambda *_, **__: python(script))
    desktop.your_model.train()
    (task,) = desktop.runner.tasks
    qtbot.waitUntil(lambda: task.progress.total == 3, timeout=WAIT_MS)
    task.cancel()
    wait_for_end(qtbot, desktop)
    full = json.dumps({"kind": "fault", "text": "the disk is full", "remedy": "Free some space"})
    for fault, said in (
        (f"print({full!r})", "the disk is full"),
        ("import os; os.kill(os.getpid(), 9)", "your model stays as it was"),
    ):
        monkeypatch.setattr(
            "app.desktop.your_model.train_command", lambda *_, f=fault, **__: python(f)
        )
        desktop.your_model.train()
        wait_for_end(qtbot, desktop)
        assert said in last_toast(desktop)
    assert personal_ids(desktop.library) == []


def python(script: str) -> Sequence[str]:
    return [sys.executable, "-c", script]


def test_the_process_is_ended_with_its_job() -> None:
    job = training(python("import time; print('nonsense', flush=True); time.sleep(99)"))
    assert next(job).total == 0
    job.close()  # the fixture that watches processes says whether one is left
    with pytest.raises(UndertoneError, match="without a result"):
        run_to_end(training(python("import sys; sys.exit(3)")))


# Words


def test_an_answer_is_changed_and_deleted_by_a_key(qtbot: QtBot, start: Start, home: Path) -> None:
    tell(home, 12)
    before = answers_of(home)
    desktop = look(qtbot, start())
    words = desktop.your_model.page.words
    desktop.your_model.page.tabs.show_part(1)
    assert [words.table.text(row, 2) for row in range(2)] == [
        a.shown.label for a in before[:-3:-1]
    ], "the newest first"
    words.table.selectRow(0)
    other = QUADRANTS[3 - before[-1].answer.position]
    key = getattr(Qt.Key, f"Key_{other.position + 1}")
    read_again(qtbot, desktop, lambda: QTest.keyClick(words.table, key))
    assert answers_of(home)[-1].answer is other
    assert words.table.text(0, 3) == other.label
    assert words.table.selected_keys() == [0], "it stays chosen"

    read_again(qtbot, desktop, lambda: QTest.keyClick(words.table, Qt.Key.Key_Delete))
    assert len(answers_of(home)) == 11
    undo = desktop.window.toasts.toasts[-1].action
    read_again(qtbot, desktop, undo.click)
    assert len(answers_of(home)) == 12
    assert answers_of(home)[-1].answer is other


def test_a_correction_is_listed_and_taken_back(qtbot: QtBot, start: Start, home: Path) -> None:
    ids = tell(home, 0)
    with Library.open(home) as library:
        library.correct(ids[3], Quadrant.HALV)
    desktop = look(qtbot, start())
    words = desktop.your_model.page.words
    assert [words.table.text(0, column) for column in (1, 2, 3)] == ["Song 3", "Not asked", "Tense"]
    desktop.your_model.page.tabs.show_part(1)
    words.table.selectRow(0)
    read_again(qtbot, desktop, lambda: QTest.keyClick(words.table, Qt.Key.Key_Delete))
    assert desktop.library.emotion(ids[3]).user is None
    assert words.table.keys == []
    desktop.songs.undo_stack.undo()
    qtbot.waitUntil(lambda: words.table.keys == [0], timeout=WAIT_MS)


def test_every_decision_is_explained_and_a_song_that_is_gone_is_named_so(
    qtbot: QtBot, start: Start, home: Path
) -> None:
    ids = tell(home, 9)
    with AnswerStore.open(home) as answers:
        given = answers.all()
        answers.decide([
            Decided("answer", given[-1].id, ids[8], "audio8", given[-1].at_s, given[-1].answer,
                    True, True, "prediction and nearest cluster agree",
                    "signals", similarity=0.823),
            Decided("answer", given[-2].id, ids[7], "audio7", given[-2].at_s, given[-2].answer,
                    True, False, "the signals lie nearer to another mood's cluster"),
            Decided("answer", given[-3].id, ids[6], "audio6", given[-3].at_s, given[-3].answer,
                    False, False, "a newer word replaces it"),
        ])  # fmt: skip
    with Library.open(home) as library:
        library.forget([ids[5]])
    words = look(qtbot, start()).your_model.page.words
    texts = [words.table.text(row, 4) for row in range(4)]
    assert texts[0].startswith("Kept: prediction and nearest cluster agree")
    assert texts[0].endswith("(similarity 0.82)")
    assert texts[1].startswith("Label only: the signals lie nearer")
    assert texts[2] == "Left out: a newer word replaces it"
    assert texts[3] == "At the next training"
    assert words.table.text(3, 1) == "A song that is no longer in the library"


# Consent and data


def test_consent_is_given_and_taken_back_here(qtbot: QtBot, start: Start, home: Path) -> None:
    tell(home, 0)
    desktop = look(qtbot, start())
    overview = desktop.your_model.page.overview
    assert not overview.ask.isChecked()
    assert "not been asked yet" in overview._consent.text()
    overview.ask.click()
    assert desktop.preferences.settings.prompts.consent == "given"
    assert "At most 4 times an hour" in overview._consent.text()
    overview.ask.click()
    assert desktop.preferences.settings.prompts.consent == "refused"
    assert "do not want to be asked" in overview._consent.text()
    listening = desktop.preferences.settings.listening
    assert (overview.record.isChecked(), listening.consent) == (False, "unasked")
    overview.record.click()
    assert desktop.preferences.settings.listening.consent == "given"
    desktop.preferences.set("listening", "record", True)
    overview.record.click()
    listening = desktop.preferences.settings.listening
    assert (listening.consent, listening.record) == ("refused", False)
    overview.history.click()
    assert not desktop.preferences.settings.playback.keep_history


def test_export_writes_everything(qtbot: QtBot, start: Start, home: Path, tmp_path: Path) -> None:
    ids = tell(home, 40)
    with Library.open(home) as library, AnswerStore.open(home) as answers:
        run_to_end(train(library, answers, PersonalModels(home / "models")))
        library.correct(ids[50], Quadrant.HALV)
    with PlayHistory.open(home) as history:
        history.add(Play(ids[0], "audio0", 1e9, 60.0, Quadrant.LAHV, felt=Quadrant.LALV))
    recording = home / "recordings" / "2026-11-25-0800"
    recording.mkdir(parents=True)
    (recording / "meta.json").write_text("{}")
    desktop = look(qtbot, start())
    desktop.your_model.export_to(tmp_path)
    settle(qtbot, desktop)
    (folder,) = tmp_path.glob("undertone-my-data-*")
    rows = json.loads((folder / "answers.json").read_text())
    assert len(rows) == 40
    assert rows[0]["shown_by"] == "music"
    assert json.loads((folder / "corrections.json").read_text())["labels"][0]["quadrant"] == "HALV"
    assert (
        "2001-09-09T01:46:40Z,60.0,Song 0,,/music/0000.mp3,Calm,,,Sad"
        in (folder / "history.csv").read_text()
    )
    assert (folder / "models" / "personal" / "1" / "model.json").exists()
    assert (folder / "recordings" / recording.name / "meta.json").exists()
    assert str(folder) in last_toast(desktop)
    desktop.your_model.export_to(tmp_path / "answers.json" / "no folder")
    settle(qtbot, desktop)


def open_dialog(qtbot: QtBot, desktop: Desktop) -> DeleteDataDialog:
    desktop.your_model.page.overview.delete.click()
    found: list[DeleteDataDialog] = []

    def opened() -> bool:
        found[:] = [w for w in desktop.window.findChildren(DeleteDataDialog) if w.isVisible()]
        return bool(found)

    qtbot.waitUntil(opened, timeout=WAIT_MS)
    return found[0]


def test_delete_asks_says_what_goes_and_leaves_no_byte(
    qtbot: QtBot, start: Start, home: Path
) -> None:
    ids = tell(home, 40)
    mark = "session-that-nobody-else-has"
    with Library.open(home) as library, AnswerStore.open(home) as answers:
        run_to_end(train(library, answers, PersonalModels(home / "models")))
        library.correct(ids[50], Quadrant.HALV)
        common = library.emotion(ids[60]).common
        answers.add(
            Answer(ids[60], mark, 1e9, 1.0, QUADRANTS[0], common, QUADRANTS[1], session=mark)
        )
    with PlayHistory.open(home) as history:
        history.add(Play(ids[0], mark, 1e9, 60.0))
    (home / "recordings" / mark).mkdir(parents=True)
    (home / "recordings" / mark / "gsr.csv").write_text(mark)
    desktop = look(qtbot, start())
    desktop.songs.correct([ids[51]], Quadrant.LALV)
    settle(qtbot, desktop)
    dialog = open_dialog(qtbot, desktop)
    texts = " ".join(box.text() for box in dialog.boxes.values())
    for words in ("41 answers and 1 version", "2 corrections", "1 play in", "1 recorded"):
        assert words in texts
    assert QApplication.focusWidget() is dialog.cancel
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert len(answers_of(home)) == 41
    assert b"personal-1" in folder_text(home)

    dialog = open_dialog(qtbot, desktop)
    with qtbot.waitSignal(desktop.your_model.data_deleted, timeout=WAIT_MS):
        QTest.mouseClick(dialog.delete, Qt.MouseButton.LeftButton)
    left = folder_text(home)
    assert mark.encode() not in left
    assert b"personal-1" not in left
    assert "Deleted for good: 41 answers" in last_toast(desktop)
    assert personal_ids(desktop.library) == []
    assert {e.user for e in desktop.library.emotions(ids)} == {None}
    assert not desktop.songs.undo_stack.canUndo()
    settle(qtbot, desktop)
    qtbot.waitUntil(lambda: "so far there are 0" in shown_text(desktop), timeout=WAIT_MS)
    assert "Nothing so far" in desktop.your_model.page.overview._stored.text()
    assert desktop.close() == []
    left = folder_text(home)
    assert mark.encode() not in left
    assert b"personal-1" not in left


def test_some_kinds_may_stay(qtbot: QtBot, start: Start, home: Path) -> None:
    ids = tell(home, 3)
    with PlayHistory.open(home) as history:
        history.add(Play(ids[0], "audio0", 1e9, 60.0))
    desktop = look(qtbot, start())
    dialog = open_dialog(qtbot, desktop)
    assert set(dialog.boxes) >= {"answers", "history"}
    for key, box in dialog.boxes.items():
        box.setChecked(key == "history")
    with qtbot.waitSignal(desktop.your_model.data_deleted, timeout=WAIT_MS):
        dialog.delete.click()
    assert len(answers_of(home)) == 3
    with PlayHistory.open(home) as history:
        assert history.count() == 0
    settle(qtbot, desktop)


# By key, for every eye


def test_the_whole_page_by_key(qtbot: QtBot, start: Start, home: Path) -> None:
    tell(home, 12)
    desktop = look(qtbot, start())
    page = desktop.your_model.page
    desktop.window.activateWindow()
    page.setFocus(Qt.FocusReason.TabFocusReason)
    assert QApplication.focusWidget() is page.tabs.tab(0)
    QTest.keyClick(page.tabs.tab(0), Qt.Key.Key_Right)
    assert page.tabs.shown == 1
    QTest.keyClick(page.tabs.tab(1), Qt.Key.Key_Left)
    reached = set()
    for _ in range(20):
        focus = QApplication.focusWidget()
        reached.add(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    controls = [w for w in page.overview.findChildren(QPushButton) if w.isVisible()]
    assert {w for w in controls if w.isEnabled()} <= reached
    assert page.overview.ask in reached
    names = [w.accessibleName() or w.text() for w in page.findChildren(QPushButton)]
    assert all(names)
    assert BASE
