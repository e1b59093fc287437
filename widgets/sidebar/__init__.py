"""The sidebar: sections of views, playlists and whatever else the centre can show."""

from widgets.sidebar.entries import Section, SidebarEntry
from widgets.sidebar.sidebar import Sidebar

__all__ = ["Section", "Sidebar", "SidebarEntry"]
