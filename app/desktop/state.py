"""How the window was left: geometry, columns, panels, queue. Written at once or not at all."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from widgets.track_table.view import TableState

__all__ = ["WindowState"]

_log = logging.getLogger(__name__)

_MOST_QUEUED = 5000


@dataclass(frozen=True, slots=True)
class WindowState:
    """What is restored at the next start; every field may be missing or wrong in the file.

    Parameters
    ----------
    geometry : str
        Of `QWidget.saveGeometry`, base64.
    splitter : tuple of int
        Widths of sidebar, centre and queue, px.
    queue : tuple of int or str
        Track ids, and paths of files from outside the library.
    position_s : float
        In the song at `queue_index`.
    """

    geometry: str = ""
    splitter: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    widths: tuple[tuple[str, int], ...] = ()
    sort: str = "artist"
    descending: bool = False
    queue_shown: bool = False
    view: str = "all"
    queue: tuple[int | str, ...] = ()
    queue_index: int | None = None
    position_s: float = 0.0

    @property
    def geometry_bytes(self) -> bytes:
        try:
            return base64.b64decode(self.geometry, validate=True)
        except (binascii.Error, ValueError):
            return b""

    @property
    def table(self) -> TableState:
        return TableState(self.columns, self.widths, self.sort, self.descending)

    @classmethod
    def load(cls, path: Path) -> WindowState:
        """What `path` holds; defaults for what it does not hold or holds wrongly."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            _log.warning("the state of the window could not be read: %s", error)
            return cls()
        return cls._from_json(raw) if isinstance(raw, dict) else cls()

    @classmethod
    def _from_json(cls, raw: dict[str, Any]) -> WindowState:
        def text(name: str, default: str) -> str:
            value = raw.get(name)
            return value if isinstance(value, str) and len(value) < 10_000 else default

        def numbers(name: str, most: int) -> tuple[int, ...]:
            value = raw.get(name)
            if not isinstance(value, list):
                return ()
            return tuple(v for v in value[:most] if type(v) is int and 0 <= v < 2**62)

        def songs(name: str) -> tuple[int | str, ...]:
            value = raw.get(name)
            if not isinstance(value, list):
                return ()
            return tuple(
                song
                for song in value[:_MOST_QUEUED]
                if (type(song) is int and 0 <= song < 2**62)
                or (isinstance(song, str) and song.startswith("/") and len(song) < 10_000)
            )

        index, position = raw.get("queue_index"), raw.get("position_s")
        columns, widths = raw.get("columns"), raw.get("widths")
        return cls(
            geometry=text("geometry", ""),
            splitter=numbers("splitter", 3),
            columns=tuple(c for c in columns if isinstance(c, str))
            if isinstance(columns, list)
            else (),
            widths=tuple(
                (pair[0], pair[1])
                for pair in (widths if isinstance(widths, list) else ())
                if isinstance(pair, list)
                and len(pair) == 2
                and isinstance(pair[0], str)
                and type(pair[1]) is int
            ),
            sort=text("sort", "artist"),
            descending=raw.get("descending") is True,
            queue_shown=raw.get("queue_shown") is True,
            view=text("view", "all"),
            queue=songs("queue"),
            queue_index=index if type(index) is int else None,
            position_s=float(position)
            if isinstance(position, (int, float)) and 0 <= position < 1e6
            else 0.0,
        )

    def with_geometry(self, geometry: bytes) -> WindowState:
        return replace(self, geometry=base64.b64encode(geometry).decode("ascii"))

    def save(self, path: Path) -> str:
        """Write to `path` at once or not at all; says why not, or nothing. The old file stays."""
        temporary = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".window-", dir=path.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(self), file)
            Path(temporary).replace(path)
        except OSError as error:
            _log.warning("the state of the window could not be saved: %s", error)
            if temporary:
                Path(temporary).unlink(missing_ok=True)
            return error.strerror or str(error)
        return ""
