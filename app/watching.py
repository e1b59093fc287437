"""Notices changes in the music folders while the player runs. The door of `watchfiles`; no Qt.

Local folders are watched by the system (inotify on Linux); folders on network drives, for which it
cannot speak, and folders that it refuses to watch are looked through now and then instead.
"""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from library_db.database import on_network
from library_db.formats import AUDIO_SUFFIXES

__all__ = ["FolderWatch", "WatchNote", "WatchTrouble"]

log = logging.getLogger(__name__)

_POLL_S = 60.0
_LOOK_S = 30.0
"""How often a folder that went away is looked for, and one that is there is asked whether it is."""
_DEBOUNCE_MS = 1600


class WatchTrouble(Enum):
    """Why a folder is not watched by the system."""

    NETWORK = "network"
    """It lies on a network drive: looked through every minute."""
    LIMIT = "limit"
    """The system watches no more folders (fs.inotify.max_user_watches): looked through as well."""
    FAILED = "failed"
    """It cannot be watched at all."""


@dataclass(frozen=True, slots=True)
class WatchNote:
    """What is to be told of a folder."""

    folder: Path
    trouble: WatchTrouble
    detail: str = ""


class FolderWatch:
    """Watches folders, with all below them, until it is stopped.

    Parameters
    ----------
    folders : sequence of Path
        Those that are not there are taken up when they come.
    changed : callable
        Given the folders in which something changed; called on one of the
        watch's threads.
    noted : callable
        Given a `WatchNote`, likewise.
    network : callable
        Whether a folder lies on a network drive.
    poll_s, look_s : float
        How often folders are looked through that the system does not watch,
        and whether the folders are there.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        changed: Callable[[frozenset[Path]], None],
        noted: Callable[[WatchNote], None] = lambda _: None,
        *,
        network: Callable[[Path], bool] = on_network,
        poll_s: float = _POLL_S,
        look_s: float = _LOOK_S,
    ) -> None:
        self._changed = changed
        self._noted = noted
        self._network = network
        self._poll_ms = max(1, round(1000 * poll_s))
        self._look_ms = max(1, round(1000 * look_s))
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(folder,), name="folder-watch", daemon=True)
            for folder in dict.fromkeys(folders)
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the watch; whether its threads ended in time."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    # -- the threads: one a folder, so that a drive that hangs keeps no other folder waiting ----

    def _run(self, folder: Path) -> None:
        poll = self._network(folder)
        if poll:
            self._noted(WatchNote(folder, WatchTrouble.NETWORK))
        was_there = True
        while not self._stop.is_set():
            if not _is_there(folder):
                if was_there:
                    was_there = False
                    self._changed(frozenset([folder]))
                self._stop.wait(self._look_ms / 1000.0)
                continue
            if not was_there:
                was_there = True
                self._changed(frozenset([folder]))
            try:
                self._watch(folder, poll=poll)
            except Exception as error:  # of the library in Rust: it knows more than OSError
                poll = self._on_error(folder, error, polling=poll)

    def _watch(self, folder: Path, *, poll: bool) -> None:
        """Tell changes until the folder goes away or the watch is stopped."""
        from watchfiles import watch

        changes = watch(
            folder,
            watch_filter=lambda _kind, path: _matters(path),
            debounce=_DEBOUNCE_MS,
            stop_event=self._stop,
            rust_timeout=self._look_ms,
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=poll,
            poll_delay_ms=self._poll_ms,
            ignore_permission_denied=True,
        )
        for found in changes:
            if not _is_there(folder):
                return
            if found:
                self._changed(_folders_of((path for _, path in found), folder))

    def _on_error(self, folder: Path, error: Exception, *, polling: bool) -> bool:
        """Note what is wrong, and whether to look through the folder from now on."""
        if not _is_there(folder):
            return polling
        limit = getattr(error, "errno", None) == errno.ENOSPC or "limit" in str(error).lower()
        if not polling:
            trouble = WatchTrouble.LIMIT if limit else WatchTrouble.FAILED
            self._noted(WatchNote(folder, trouble, str(error)))
            return True
        log.warning("the folder %s cannot be watched: %r", folder, error)
        self._stop.wait(self._look_ms / 1000.0)
        return True


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return False


def _matters(path: str) -> bool:
    """A song, or what may be a folder (a name without a suffix that is not hidden)."""
    name = path.rpartition("/")[2]
    suffix = name.rpartition(".")[1:] if "." in name[1:] else ("", "")
    if name.startswith("."):
        return False
    return not suffix[1] or f".{suffix[1].lower()}" in AUDIO_SUFFIXES or Path(path).is_dir()


def _folders_of(paths: Iterable[str], root: Path) -> frozenset[Path]:
    """The folders to look into again: those that hold the paths, as far as they are still there."""
    found: set[Path] = set()
    for text in paths:
        path = Path(text)
        folder = path if _is_there(path) else path.parent
        while folder != root and root in folder.parents and not _is_there(folder):
            folder = folder.parent
        found.add(folder if folder == root or root in folder.parents else root)
    return frozenset(f for f in found if not any(other in f.parents for other in found))
