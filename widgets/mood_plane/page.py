"""The page of the mood plane."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.rows import RowCache
from widgets.theme import Theme

__all__ = ["MoodPlanePage"]


class MoodPlanePage(QWidget):
    def __init__(self, theme: Theme, rows: RowCache, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = QWidget()
        QVBoxLayout(self).addWidget(self.canvas)
