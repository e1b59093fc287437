"""The library by albums, artists, genres and moods with their covers, and by folders."""

from widgets.browse.folders import FolderPage
from widgets.browse.page import BrowsePage, Order

__all__ = ["BrowsePage", "FolderPage", "Order"]
