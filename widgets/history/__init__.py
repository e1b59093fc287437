"""The page "History": moods by day, and what was played."""

from widgets.history.page import HistoryPage

__all__ = ["HistoryPage"]
