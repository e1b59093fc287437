"""The folder watch on real folders: what comes, changes and goes is told, and nothing else."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from app.watching import FolderWatch, WatchNote, WatchTrouble

WAIT_S = 10.0


class Told:
    """What a watch says, waited for."""

    def __init__(self) -> None:
        self.changes: SimpleQueue[frozenset[Path]] = SimpleQueue()
        self.notes: SimpleQueue[WatchNote] = SimpleQueue()

    def wait_for(self, folder: Path) -> None:
        while folder not in self.changes.get(timeout=WAIT_S):
            pass


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def watch(told: Told, music: Path) -> Iterator[Callable[..., FolderWatch]]:
    begun: list[FolderWatch] = []

    def begin(*folders: Path, network: bool = False) -> FolderWatch:
        found = FolderWatch(
            folders or (music,),
            told.changes.put,
            told.notes.put,
            network=lambda _: network,
            poll_s=0.05,
            look_s=0.05,
        )
        begun.append(found)
        found.start()
        return found

    yield begin
    for one in begun:
        assert one.stop(5.0)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    (folder / "Album").mkdir(parents=True)
    (folder / "Album" / "1.mp3").write_bytes(b"one")
    return folder


def until_watched(told: Told, folder: Path) -> None:
    """Touch a song until the first word comes: the watch needs a moment to begin."""
    probe = folder / "probe.mp3"
    for number in range(200):
        probe.write_bytes(b"x" * number)
        try:
            told.changes.get(timeout=0.05)
        except Exception:
            continue
        break
    else:
        pytest.fail("the watch never began")
    probe.unlink()
    told.wait_for(folder)


@pytest.mark.parametrize("network", [False, True], ids=["watched", "looked through"])
def test_songs_that_come_change_and_go(
    told: Told, watch: Callable[..., FolderWatch], music: Path, network: bool
) -> None:
    watch(network=network)
    until_watched(told, music)
    album = music / "Album"
    (album / "2.flac").write_bytes(b"two")
    told.wait_for(album)
    if not network:  # looking through sees only where it has come to rest
        (album / "2.flac").write_bytes(b"another")
        told.wait_for(album)
        (album / "2.flac").unlink()
        told.wait_for(album)
    shutil.rmtree(album)
    told.wait_for(music)
    if network:
        assert told.notes.get(timeout=WAIT_S) == WatchNote(music, WatchTrouble.NETWORK)
    assert told.notes.empty()


def test_what_is_no_music_is_passed_over(
    told: Told, watch: Callable[..., FolderWatch], music: Path
) -> None:
    watch()
    until_watched(told, music)
    (music / ".undertone-tags-x.tmp").write_bytes(b"")
    (music / "cover.jpg").write_bytes(b"")
    (music / "Album" / "notes.txt").write_bytes(b"")
    (music / "zz.mp3").write_bytes(b"")
    assert told.changes.get(timeout=WAIT_S) == frozenset([music])


def test_a_folder_that_goes_away_and_comes_back(
    told: Told, watch: Callable[..., FolderWatch], music: Path, tmp_path: Path
) -> None:
    watch()
    until_watched(told, music)
    music.rename(tmp_path / "unplugged")
    told.wait_for(music)
    (tmp_path / "unplugged").rename(music)
    told.wait_for(music)
    until_watched(told, music)


def test_the_systems_limit_is_explained_and_the_folder_looked_through(
    told: Told, watch: Callable[..., FolderWatch], music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import watchfiles

    real = watchfiles.watch

    def limited(*folders: Path, **options: Any) -> Any:
        if not options["force_polling"]:
            raise OSError(errno.ENOSPC, "OS file watch limit reached.")
        return real(*folders, **options)

    monkeypatch.setattr(watchfiles, "watch", limited)
    watch()
    note = told.notes.get(timeout=WAIT_S)
    assert (note.folder, note.trouble) == (music, WatchTrouble.LIMIT)
    until_watched(told, music)


def test_stopping_before_the_start_is_no_fault(music: Path, told: Told) -> None:
    assert FolderWatch([music], told.changes.put).stop(0.1)
