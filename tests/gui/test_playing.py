"""Playing from the window: the equaliser, moods in a row, shuffle's order, undo of the queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.desktop.queue_edits import QUEUE_LIMIT
from app.playback.backend import OutputMissing, OutputsFound
from app.playback.sound import AudioOutput, Equaliser, EqualiserPreset
from app.settings import Settings
from inference.emotion import QUADRANTS, Quadrant
from library_db.database import Durability
from library_db.library import Library
from tests.gui.conftest import WAIT_MS, settle
from widgets.dialogs.equaliser import EqualiserDialog
from widgets.dialogs.mood_way import MoodWayDialog
from widgets.track_table.model import TRACK_MIME

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Equaliser | None]:
    """What the back end was told of the equaliser; it brings two curves."""
    from app.playback.null_backend import NullBackend

    told: list[Equaliser | None] = []
    monkeypatch.setattr(NullBackend, "set_equaliser", lambda _self, curve: told.append(curve))
    presets = (
        EqualiserPreset("Flat", Equaliser()),
        EqualiserPreset("Bass", Equaliser((6.0, 6.0, 3.0, *(0.0,) * 7), -4.0)),
    )
    monkeypatch.setattr(NullBackend, "equaliser_presets", presets)
    return told


def open_equaliser(qtbot: QtBot, desktop: Desktop) -> EqualiserDialog:
    with qtbot.waitSignal(desktop.dialogs.opened, timeout=WAIT_MS) as opened:
        desktop.window.actions_.equaliser.trigger()
    (dialog,) = opened.args
    return dialog


def test_the_equaliser_is_heard_at_once_and_kept(
    qtbot: QtBot, start: Start, tagged: Path, heard: list[Equaliser | None]
) -> None:
    desktop = start()
    assert heard == [None]
    dialog = open_equaliser(qtbot, desktop)
    assert not dialog.bands[0].isEnabled()
    QTest.keyClick(dialog.switch, Qt.Key.Key_Space)
    assert heard[-1] == Equaliser()
    dialog.choice.setCurrentIndex(dialog.choice.findData("Bass"))
    dialog.choice.activated.emit(dialog.choice.currentIndex())
    assert heard[-1] == Equaliser((6.0, 6.0, 3.0, *(0.0,) * 7), -4.0)
    QTest.keyClick(dialog.bands[9].slider, Qt.Key.Key_Up)
    assert heard[-1] == Equaliser((6.0, 6.0, 3.0, *(0.0,) * 6, 0.5), -4.0)
    assert dialog.choice.currentData() == ""  # it is one's own now
    dialog.accept()
    desktop.close()
    kept = Settings.load(desktop.home.settings_file).playback
    assert kept.equaliser
    assert kept.equaliser_bands_db == (6.0, 6.0, 3.0, *(0.0,) * 6, 0.5)
    assert start().conveniences is not None
    assert heard[-1] == Equaliser((6.0, 6.0, 3.0, *(0.0,) * 6, 0.5), -4.0)


def test_a_mood_is_played_and_drifts_to_another(qtbot: QtBot, start: Start, tagged: Path) -> None:
    desktop = start()
    desktop.window.sidebar.choose(Quadrant.LALV.value)
    settle(qtbot, desktop)
    with qtbot.waitSignal(desktop.dialogs.opened, timeout=WAIT_MS) as opened:
        desktop.window.actions_.mood_way.trigger()
    (dialog,) = opened.args
    assert isinstance(dialog, MoodWayDialog)
    assert QUADRANTS[dialog.start.currentIndex()] is Quadrant.LALV  # the mood in sight
    dialog.goal.setCurrentIndex(QUADRANTS.index(Quadrant.HAHV))
    dialog.minutes.setValue(5)
    with qtbot.waitSignal(desktop.player.track_changed, timeout=WAIT_MS):
        QTest.mouseClick(dialog.play, Qt.MouseButton.LeftButton)
    assert len(desktop.player.queue_ids) == 8  # short songs: all of them, each once
    assert len(set(desktop.player.queue_ids)) == 8
    assert desktop.library is not None
    moods = [desktop.library.emotion(i).effective.quadrant for i in desktop.player.queue_ids if i]  # type: ignore[union-attr]
    assert moods[0] is Quadrant.LALV
    settle(qtbot, desktop)


def test_every_change_of_the_queue_is_undone_with_the_others(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    player, actions = desktop.player, desktop.window.actions_
    ids = [int(i) for i in desktop.window.table.songs.ids]
    player.enqueue(ids[:3])
    player.move(2, 0)
    player.remove([1])
    assert player.queue_ids == [ids[2], ids[1]]
    actions.undo.trigger()
    actions.undo.trigger()
    assert player.queue_ids == ids[:3]
    actions.redo.trigger()
    assert player.queue_ids == [ids[2], *ids[:2]]
    player.play_ids(ids[4:], 0)  # a double click on another song replaces the queue ...
    assert desktop.window.toasts.toasts[-1].action is not None
    desktop.window.toasts.toasts[-1].action.click()
    assert player.queue_ids == [ids[2], *ids[:2]]  # ... and what was put together is not lost
    assert player.track_id == ids[4]
    player.clear()
    actions.undo.trigger()
    assert player.queue_ids == [ids[2], *ids[:2]]
    settle(qtbot, desktop)


def test_of_very_many_songs_a_draw_is_queued_in_their_order(qtbot: QtBot, start: Start) -> None:
    desktop = start()
    said = desktop.player.enqueue(range(1, 20_001))
    queued = desktop.player.queue_ids
    assert len(queued) == len(set(queued)) == QUEUE_LIMIT
    assert queued == sorted(queued)
    assert queued[-1] > 19_000  # from all of them, not the first ones
    assert "20,000" in said or "20000" in said
    settle(qtbot, desktop)


def test_shuffle_by_album_and_mood_from_the_settings(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    desktop.preferences.set("playback", "shuffle_by", "mood")
    desktop.player.set_shuffle(True)
    desktop.player.play_ids([int(i) for i in desktop.window.table.songs.ids], 0)
    assert desktop.library is not None
    moods = []
    for _ in range(8):
        emotion = desktop.library.emotion(desktop.player.track_id or 0)
        moods.append(emotion.effective.quadrant if emotion.effective else None)
        desktop.player.next()
    assert moods[0::2] == moods[1::2]  # two songs of each
    assert desktop.library.index.albums_of([1, 2]) != {}
    settle(qtbot, desktop)


def test_replay_gain_from_the_tags_is_applied_and_set(
    qtbot: QtBot, start: Start, tagged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.playback.null_backend import NullBackend

    with Library.open(tagged) as library:
        ids = [int(i) for i in library.search("", sort="title")]
        with library.store.commit(Durability.BULK) as revision:
            both = {"gain_track_db": -6.0, "gain_album_db": 2.0, "peak_album": 0.5}
            library.store.write_tracks(revision, [(ids[0], both), (ids[1], {"gain_album_db": 1.0})])
    told: list[tuple[float, float]] = []
    monkeypatch.setattr(NullBackend, "set_gain", lambda _self, *gain: told.append(gain))
    desktop = start()
    desktop.player.play_ids(ids[:1])
    assert told[-1] == (-6.0, 1.0)
    desktop.preferences.set("playback", "replay_gain", "album")  # heard at once
    assert told[-1] == (2.0, 0.5)
    desktop.preferences.set("playback", "replay_gain_preamp_db", 3.0)
    assert told[-1] == (5.0, 0.5)
    desktop.preferences.set("playback", "replay_gain_untagged_db", -4.5)
    desktop.preferences.set("playback", "replay_gain", "track")
    desktop.player.play_ids(ids[1:])
    assert told[-1] == (4.0, 1.0)  # only the album's is there
    desktop.player.next()
    assert told[-1] == (-4.5, 1.0)
    desktop.preferences.set("playback", "replay_gain", "off")
    assert told[-1] == (0.0, 1.0)
    settle(qtbot, desktop)


def test_what_was_played_stands_beside_the_queue_and_plays_again(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path
) -> None:
    desktop = start()
    player, panel = desktop.player, desktop.window.queue
    desktop.window.set_queue_shown(True)
    ids = [int(i) for i in desktop.window.table.songs.ids]

    def played() -> list[str]:
        return [panel.played.songs.song(row).title for row in range(panel.played.songs.rowCount())]

    QTest.mouseClick(panel.tabs.button(1), Qt.MouseButton.LeftButton)
    assert panel.played.isVisible()
    assert not panel.view.isVisible()
    assert not panel.clear.isVisible()  # "empty the queue" would be misread here
    for wanted in ids[:3]:
        player.play_ids([wanted])
        qtbot.waitUntil(lambda: player.state == "playing", timeout=WAIT_MS)
    player.pause()
    player.play()
    settle(qtbot, desktop)
    names = [f"Song {n}" for n in range(8)]
    told = {i: desktop.library.track(i).title for i in ids}  # type: ignore[union-attr]
    assert set(told.values()) == set(names)
    assert played() == [told[i] for i in ids[2::-1]]
    player.play_ids(ids[5:7])
    qtbot.waitUntil(lambda: len(played()) >= 4, timeout=WAIT_MS)
    panel.played.setCurrentIndex(panel.played.songs.index(len(played()) - 1))
    QTest.keyClick(panel.played, Qt.Key.Key_Return)
    assert player.track_id == ids[0]  # the oldest, now
    assert ids[0] in player.queue_ids
    mime = panel.played.songs.mimeData([panel.played.songs.index(0)])
    assert mime.formats() == [TRACK_MIME]  # dragged elsewhere it is a song, no place of the queue
    QTest.mouseClick(panel.tabs.button(0), Qt.MouseButton.LeftButton)
    assert panel.view.isVisible()
    settle(qtbot, desktop)


def test_the_output_is_chosen_in_the_settings_and_missed_in_words(
    qtbot: QtBot, start: Start, tagged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.playback.null_backend import NullBackend

    outputs = (AudioOutput("", ""), AudioOutput("usb", "Headset"))
    monkeypatch.setattr(
        NullBackend, "find_outputs", lambda self: self._post_event(OutputsFound(outputs))
    )
    told: list[str] = []
    monkeypatch.setattr(NullBackend, "set_output", lambda _self, key: told.append(key))
    desktop = start()
    qtbot.waitUntil(lambda: desktop.dialogs.outputs == [("usb", "Headset")], timeout=WAIT_MS)
    with qtbot.waitSignal(desktop.dialogs.opened, timeout=WAIT_MS) as opened:
        desktop.window.actions_.settings.trigger()
    (dialog,) = opened.args
    box = dialog.editors["playback", "output_device"]
    assert [box.itemText(i) for i in range(box.count())] == ["The one of the system", "Headset"]
    box.setCurrentIndex(1)
    assert told == ["usb"]
    dialog.accept()
    desktop.player._post(OutputMissing("usb"))
    qtbot.waitUntil(lambda: bool(desktop.window.toasts.toasts), timeout=WAIT_MS)
    assert "Headset is not connected" in desktop.window.toasts.toasts[-1].text
    desktop.close()
    assert start().preferences.settings.playback.output_device == "usb"
    assert told == ["usb", "usb"]  # the next start plays on it again
