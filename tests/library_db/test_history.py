"""The listening history: durable, private, bounded, and gone from the bytes when deleted."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from inference.emotion import MoodPoint, Quadrant
from library_db.errors import LibraryTooNew
from library_db.history import KEPT_S, Play, PlayHistory

MARK = "hash-that-nobody-else-has"


def play(track_id: int = 1, began_s: float = 1e9, felt: Quadrant | None = None) -> Play:
    return Play(track_id, MARK, began_s, 180.5, Quadrant.LAHV, MoodPoint(0.5, -0.25), felt)


def test_plays_come_back_as_they_were(tmp_path: Path) -> None:
    early, late = play(1), play(2, 1e9 + 200, Quadrant.LALV)
    unknown = Play(3, "", 1e9 + 400, 30.0)
    with PlayHistory.open(tmp_path) as history:
        history.add(late, early)
        history.add(unknown)
    with PlayHistory.open(tmp_path) as history:
        assert history.between(0, 2e9) == [early, late, unknown]
        assert history.between(1e9 + 1, 1e9 + 400) == [late]
        assert history.recent(2) == [unknown, late]
        assert history.count() == 3
    assert stat.S_IMODE((tmp_path / "history.sqlite3").stat().st_mode) == 0o600


def test_an_answer_is_noted_on_the_play_that_it_was_about(tmp_path: Path) -> None:
    with PlayHistory.open(tmp_path) as history:
        history.add(play(1), play(1, 1e9 + 500), play(2, 1e9 + 900))
        history.set_felt(1, Quadrant.HALV, 1e9 + 700)
        assert [p.felt for p in history.between(0, 2e9)] == [None, Quadrant.HALV, None]


def test_what_is_deleted_is_in_no_file_any_more(tmp_path: Path) -> None:
    with PlayHistory.open(tmp_path) as history:
        history.add(*(play(n, 1e9 + n) for n in range(300)))
        (one, *_) = history.recent(1)
        assert history.remove([one.id]) == 1
        assert history.count() == 299
        assert any(MARK.encode() in f.read_bytes() for f in tmp_path.iterdir())
        assert history.delete() == 299
        assert not any(MARK.encode() in f.read_bytes() for f in tmp_path.iterdir())


def test_it_lets_go_of_what_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("library_db.history.MOST_KEPT", 5)
    with PlayHistory.open(tmp_path) as history:
        history.add(play(1, 1e9))
        history.add(play(2, 1e9 + KEPT_S + 1))
        assert [p.track_id for p in history.recent(9)] == [2]
        history.add(*(play(n, 2e9) for n in range(10)))
        assert history.count() == 5


def test_a_damaged_or_newer_file(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite3").write_bytes(b"no database" * 1000)
    with PlayHistory.open(tmp_path) as history:
        assert "set aside" in str(history.notices[0])
        history.delete()
        assert not list(tmp_path.glob("history-damaged-*"))
        history._file.database._writer.execute("PRAGMA user_version = 9")
    with pytest.raises(LibraryTooNew):
        PlayHistory.open(tmp_path)


def test_times_that_are_none_are_refused() -> None:
    for began_s, heard_s in ((float("nan"), 1.0), (1.0, float("inf")), (1.0, -1.0)):
        with pytest.raises(ValueError, match="times"):
            Play(1, "", began_s, heard_s)


def test_a_play_that_goes_on_is_written_anew_unless_it_was_deleted(tmp_path: Path) -> None:
    with PlayHistory.open(tmp_path) as history:
        history.add(play(1), play(2, 1e9 + 200))
        longer = Play(1, MARK, 1e9, 240.0, felt=Quadrant.HALV)
        history.extend(longer)
        first, second = history.between(0, 2e9)
        assert (first.heard_s, first.felt, first.quadrant) == (
            240.0, Quadrant.HALV, Quadrant.LAHV,
        )  # fmt: skip
        assert second == play(2, 1e9 + 200)
        history.remove([first.id])
        history.extend(longer)
        assert history.count() == 1
