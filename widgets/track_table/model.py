"""The table model: an array of ids, nothing else. Sorting and filtering are the library's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractTableModel,
    QByteArray,
    QCoreApplication,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QUrl,
    Signal,
)

from widgets.rows import RowCache, TrackRow
from widgets.text import mood_name, open_words
from widgets.track_table.columns import COLUMNS, cell_text, header_text

__all__ = [
    "ROWS_MIME",
    "ROW_ROLE",
    "TRACK_MIME",
    "TrackTableModel",
    "ids_from_mime",
    "mime_of_ids",
    "rows_from_mime",
]

ROW_ROLE = Qt.ItemDataRole.UserRole + 1
TRACK_MIME = "application/x-undertone-tracks"
ROWS_MIME = "application/x-undertone-rows"

Index = QModelIndex | QPersistentModelIndex


class TrackTableModel(QAbstractTableModel):
    """Songs in the order that the library gave them.

    Parameters
    ----------
    rows : RowCache
        Answers what a song looks like, at once or later.
    """

    sort_requested = Signal(str, bool)  # column key, descending

    def __init__(self, rows: RowCache, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows = rows
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._places: NDArray[np.intp] | None = None
        self._playing: int | None = None
        rows.filled.connect(self._on_filled)

    @property
    def ids(self) -> NDArray[np.int64]:
        """The ids shown, shape (n,), in order."""
        return self._ids

    @property
    def playing(self) -> int | None:
        return self._playing

    def set_ids(
        self, ids: NDArray[np.int64] | Sequence[int], places: NDArray[np.intp] | None = None
    ) -> None:
        """Show these songs instead; `places` says where each stands in a list of its own."""
        self.beginResetModel()
        self._ids = np.asarray(ids, np.int64)
        self._places = places
        self.endResetModel()

    @property
    def places(self) -> NDArray[np.intp] | None:
        """Where the songs stand in their list, shape (n,); None where it has no order."""
        return self._places

    def place_text(self, row: int) -> str:
        return "" if self._places is None else str(int(self._places[row]) + 1)

    def set_playing(self, track_id: int | None) -> None:
        """Mark the song that is playing."""
        before, self._playing = self._playing, track_id
        for changed in (before, track_id):
            if changed is not None:
                self._touch(self.rows_of([changed]))

    def id_at(self, row: int) -> int:
        return int(self._ids[row])

    def rows_of(self, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.intp]:
        """The row numbers at which any of `ids` stand, ascending."""
        if len(ids) == 1:
            return np.flatnonzero(self._ids == ids[0])
        return np.flatnonzero(np.isin(self._ids, np.asarray(ids, np.int64)))

    def song(self, row: int) -> TrackRow | None:
        """What is known of the song in `row`, without asking for more."""
        return self._rows.peek(self.id_at(row))

    # Qt's interface

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return header_text(COLUMNS[section])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = (
                Qt.AlignmentFlag.AlignRight
                if COLUMNS[section].right
                else (Qt.AlignmentFlag.AlignLeft)
            )
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._ids):
            return None
        if role not in _ANSWERED:
            return None
        row = self._rows.row(self.id_at(index.row()))
        if role == ROW_ROLE:
            return row
        if row is None:
            return None
        key = COLUMNS[index.column()].key
        if key == "place":
            return None if role == Qt.ItemDataRole.ToolTipRole else self.place_text(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(row, key)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row, key)
        return self._tip(row, key)

    def flags(self, index: Index) -> Qt.ItemFlag:
        return _FLAGS if index.isValid() else Qt.ItemFlag.NoItemFlags

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if 0 <= column < len(COLUMNS) and COLUMNS[column].sortable:
            descending = order is Qt.SortOrder.DescendingOrder
            self.sort_requested.emit(COLUMNS[column].key, descending)

    def mimeTypes(self) -> list[str]:
        return [TRACK_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        rows = sorted({index.row() for index in indexes})
        return mime_of_ids([self.id_at(row) for row in rows])

    def _on_filled(self, ids: frozenset[int]) -> None:
        if not ids:
            if len(self._ids):
                self._touch(np.array([0, len(self._ids) - 1]))
            return
        self._touch(self.rows_of(list(ids)))

    def _touch(self, rows: NDArray[np.intp]) -> None:
        if len(rows):
            self.dataChanged.emit(
                self.index(int(rows[0]), 0), self.index(int(rows[-1]), len(COLUMNS) - 1)
            )

    def _spoken(self, row: TrackRow, key: str) -> str:
        if key == "mood" and row.corrected:
            return QCoreApplication.translate("TrackTable", "{mood}, your own word").format(
                mood=mood_name(row.quadrant)
            )
        if key == "mood":
            return open_words(row.quadrant, row.open) or cell_text(row, key)
        return cell_text(row, key)

    def _tip(self, row: TrackRow, key: str) -> str | None:
        def tr(text: str) -> str:
            return QCoreApplication.translate("TrackTable", text)

        if row.error and key in ("mood", "title"):
            return _plain(tr("Could not be tagged: {reason}").format(reason=row.error))
        if row.missing and key in ("mood", "title"):
            return _plain(tr("The file is not there: {path}").format(path=row.path))
        if key == "mood" and row.corrected:
            return tr("Your own word. Press 0 to give it back to the model.")
        if key in ("mood", "valence", "arousal", "confidence"):
            return _plain(open_words(row.quadrant, row.open)) or None
        if key in ("title", "artist", "album", "path"):
            text = cell_text(row, key)
            return _plain(text) if text else None
        return None


_FLAGS = (
    Qt.ItemFlag.ItemIsEnabled
    | Qt.ItemFlag.ItemIsSelectable
    | Qt.ItemFlag.ItemIsDragEnabled
    | Qt.ItemFlag.ItemNeverHasChildren
)
_ANSWERED = frozenset(
    (
        int(ROW_ROLE),
        int(Qt.ItemDataRole.DisplayRole),
        int(Qt.ItemDataRole.AccessibleTextRole),
        int(Qt.ItemDataRole.ToolTipRole),
    )
)


def _plain(text: str) -> str:
    """`text` for a tool tip, which would otherwise take a tag that looks like HTML at its word."""
    return text.replace("&", "&amp;").replace("<", "&lt;")[:1000]


def mime_of_ids(
    ids: Sequence[int], rows: Sequence[int] = (), paths: Sequence[str] = ()
) -> QMimeData:
    """What is dragged: song ids, as text; the rows they come from; their files for others."""
    mime = QMimeData()
    mime.setData(TRACK_MIME, _packed(ids))
    if len(rows):
        mime.setData(ROWS_MIME, _packed(rows))
    if len(paths):
        mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return mime


def ids_from_mime(mime: QMimeData) -> list[int]:
    """The song ids of a drag; empty where it holds something else."""
    return _unpacked(mime, TRACK_MIME)


def rows_from_mime(mime: QMimeData) -> list[int]:
    """The rows of the table that a drag began in; empty where it began elsewhere."""
    return _unpacked(mime, ROWS_MIME)


def _packed(numbers: Sequence[int]) -> QByteArray:
    return QByteArray(" ".join(map(str, numbers)).encode())


def _unpacked(mime: QMimeData, kind: str) -> list[int]:
    try:
        return [int(part) for part in bytes(mime.data(kind).data()).split()]
    except ValueError:
        return []
