"""What stands in the sidebar, as plain data, and the roles under which the tree keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from PySide6.QtCore import Qt

from inference.emotion import Quadrant

__all__ = ["Role", "Section", "SidebarEntry"]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with entries below it; without entries it is not shown unless it can be added to.

    Parameters
    ----------
    add : str
        What its plus sign does, in words ("New playlist"); empty: it has none.
    """

    key: str
    name: str
    add: str = ""


@dataclass(frozen=True, slots=True)
class SidebarEntry:
    """One view: its key (known to the controller), its name and its sign.

    Parameters
    ----------
    takes_songs : bool
        Songs and files may be dropped on it.
    own : bool
        The listener's own: may be renamed in place, moved within its section and removed.
    """

    key: str
    name: str
    icon: str
    quadrant: Quadrant | None = None
    takes_songs: bool = False
    own: bool = False


class Role(IntEnum):
    """Data of an item; a heading has no `KEY`."""

    KEY = Qt.ItemDataRole.UserRole + 1
    COUNT = Qt.ItemDataRole.UserRole + 2
    ICON = Qt.ItemDataRole.UserRole + 3
    MOOD = Qt.ItemDataRole.UserRole + 4
    ENTRY = Qt.ItemDataRole.UserRole + 5
    SECTION = Qt.ItemDataRole.UserRole + 6
