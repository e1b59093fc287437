"""Moods within the library beside the absolute ones: the switch, kept, and all that follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from widgets.mood_plane.points import PlanePoints

if TYPE_CHECKING:
    from app.desktop.desktop import Desktop
    from library_db.library import Library

__all__ = ["RelativeMoods", "plane_points"]

_SETTING = ("library", "relative_moods")


class RelativeMoods(QObject):
    """Ties the setting to the button on the plane, to the lists of moods, and to their numbers."""

    def __init__(self, desktop: Desktop, parent: QObject | None = None) -> None:
        super().__init__(parent)
        assert desktop.songs is not None
        self._songs, self._preferences = desktop.songs, desktop.preferences
        self._plane = desktop.window.plane
        self._plane.relative_requested.connect(lambda on: self._preferences.set(*_SETTING, on))
        self._preferences.changed.connect(self._on_setting)
        self._on_setting(*_SETTING)

    def _on_setting(self, section: str, name: str) -> None:
        if (section, name) == _SETTING:
            relative = self._preferences.settings.library.relative_moods
            self._plane.show_relative(relative)
            self._songs.set_relative(relative)


def plane_points(
    library: Library, among: NDArray[np.int64] | None, *, relative: bool
) -> PlanePoints:
    """The tagged songs, or those of them that are among some ids, on the plane."""
    columns = library.index.columns(relative=relative)
    keep = columns.quadrant >= 0
    if among is not None:
        keep &= np.isin(columns.ids, among)
    return PlanePoints(
        columns.ids[keep],
        columns.valence[keep],
        columns.arousal[keep],
        columns.confidence[keep],
        columns.quadrant[keep],
        relative,
    )
