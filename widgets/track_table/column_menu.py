"""The menus of columns: which are shown, and by which the songs are sorted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from widgets.track_table.columns import COLUMNS, column_index, header_text

if TYPE_CHECKING:
    from widgets.track_table.view import TrackTable

__all__ = ["column_menu", "sort_menu"]


def column_menu(table: TrackTable, parent: QWidget) -> QMenu:
    """A menu in which columns are ticked."""
    menu = _menu(QT_TRANSLATE_NOOP("TrackTable", "Columns"), parent)
    for column in COLUMNS:
        if column.choosable:
            action = menu.addAction(header_text(column))
            action.setCheckable(True)
            action.setChecked(table.shows(column.key))
            action.toggled.connect(lambda on, key=column.key: table.show_column(key, on))
    return menu


def sort_menu(table: TrackTable, parent: QWidget) -> QMenu:
    """A menu that sorts by a column that is in sight; the one in use again turns it round."""
    menu = _menu(QT_TRANSLATE_NOOP("TrackTable", "Sort by"), parent)
    header = table.horizontalHeader()
    group = QActionGroup(menu)
    for column in COLUMNS:
        place = column_index(column.key)
        if not column.sortable or table.isColumnHidden(place):
            continue
        action = group.addAction(menu.addAction(header_text(column)))
        action.setCheckable(True)
        action.setChecked(header.sortIndicatorSection() == place)
        action.triggered.connect(lambda _=False, place=place: _sort(table, place))
    return menu


def _sort(table: TrackTable, place: int) -> None:
    header = table.horizontalHeader()
    up, down = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
    again = header.sortIndicatorSection() == place and header.sortIndicatorOrder() is up
    header.setSortIndicator(place, down if again else up)


def _menu(name: str, parent: QWidget) -> QMenu:
    title = QCoreApplication.translate("TrackTable", name)
    menu = QMenu(title, parent)
    menu.setAccessibleName(title)
    return menu
