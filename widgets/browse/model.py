"""Groups of songs as a list model, and how each kind of them reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from inference.emotion import QUADRANTS, Quadrant
from library_db.browse import Group, Kind
from widgets.icons import MOOD_ICON
from widgets.text import mood_name, one_line, songs
from widgets.track_table.model import TRACK_MIME, mime_of_ids

__all__ = ["GROUP_ROLE", "GroupModel", "Words"]

GROUP_ROLE = Qt.ItemDataRole.UserRole + 1

Index = QModelIndex | QPersistentModelIndex


def _tr(text: str) -> str:
    return QCoreApplication.translate("Browse", text)


class Words:
    """What is said of a group of one kind."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def name(self, group: Group) -> str:
        if self._kind is Kind.MOODS:
            return mood_name(Quadrant(group.key))
        unknown = _tr("Without a genre") if self._kind is Kind.GENRES else _tr("Unknown artist")
        return one_line(group.name) or unknown

    def detail(self, group: Group) -> str:
        """The artist of an album and its year; else how many songs."""
        if self._kind is not Kind.ALBUMS:
            return songs(group.songs)
        artist = one_line(group.artist) or _tr("Various artists")
        return f"{artist}, {group.year}" if group.year else artist

    def spoken(self, group: Group) -> str:
        """All of it in one line, the commonest mood included."""
        most = max(QUADRANTS, key=lambda quadrant: group.moods[quadrant.position])
        parts = [self.name(group), self.detail(group)]
        if self._kind is Kind.ALBUMS:
            parts.append(songs(group.songs))
        if self._kind is not Kind.MOODS and group.moods[most.position]:
            parts.append(_tr("most {mood}").format(mood=mood_name(most)))
        return ", ".join(parts)

    def sign(self, group: Group, icon: str) -> tuple[str, Quadrant | None]:
        """The icon that stands for a group, and the mood in whose colour."""
        if self._kind is Kind.MOODS:
            quadrant = Quadrant(group.key)
            return MOOD_ICON[quadrant], quadrant
        return icon, None


class GroupModel(QAbstractListModel):
    """Groups in the order given; dragged as the songs that `songs_of` finds in them."""

    def __init__(self, words: Words, parent: QObject) -> None:
        super().__init__(parent)
        self._words = words
        self.groups: Sequence[Group] = ()
        self.songs_of: Callable[[list[str]], list[int]] = lambda _: []

    def show(self, groups: Sequence[Group]) -> None:
        """Show these groups instead."""
        if len(groups) == len(self.groups) and groups:
            self.groups = groups
            self.dataChanged.emit(self.index(0), self.index(len(groups) - 1))
            return
        self.beginResetModel()
        self.groups = groups
        self.endResetModel()

    def row_of(self, key: str) -> int:
        """Where a group stands; -1 where it is not shown."""
        return next((row for row, group in enumerate(self.groups) if group.key == key), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.groups)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.groups):
            return None
        group = self.groups[index.row()]
        if role == GROUP_ROLE:
            return group
        if role == Qt.ItemDataRole.DisplayRole:
            return self._words.name(group)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._words.spoken(group)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return _FLAGS if index.isValid() else Qt.ItemFlag.NoItemFlags

    def mimeTypes(self) -> list[str]:
        return [TRACK_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        keys = [self.groups[index.row()].key for index in sorted(indexes, key=lambda i: i.row())]
        return mime_of_ids(self.songs_of(keys))


_FLAGS = (
    Qt.ItemFlag.ItemIsEnabled
    | Qt.ItemFlag.ItemIsSelectable
    | Qt.ItemFlag.ItemIsDragEnabled
    | Qt.ItemFlag.ItemNeverHasChildren
)
