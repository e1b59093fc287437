"""The views of the library beside the list of songs, put together: playlists, and what follows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.desktop.attention import Attention
from app.desktop.browse_controller import BrowseController
from app.desktop.completing import Completing
from app.desktop.playlist_controller import PlaylistController, id_of
from app.desktop.playlist_menus import PlaylistMenus
from app.desktop.queue_playlists import QueuePlaylists
from app.desktop.relative_moods import RelativeMoods

if TYPE_CHECKING:
    from app.adaptation_state import AdaptationState
    from app.desktop.desktop import Desktop

__all__ = ["LibraryViews"]


class LibraryViews(QObject):
    """Made once the library is open and its controllers are there."""

    def __init__(self, desktop: Desktop) -> None:
        super().__init__(desktop)
        songs, work, glue, pages = desktop.songs, desktop.work, desktop.glue, desktop.pages
        assert songs is not None
        assert work is not None
        assert glue is not None
        assert pages is not None
        window = desktop.window
        self._pages = pages
        self.playlists = PlaylistController(songs, desktop.runner, window.sidebar, self)
        self.menus = PlaylistMenus(
            window,
            desktop.theme,
            self.playlists,
            songs,
            work,
            glue,
            desktop.player,
            pages.chosen,
            lambda field: Completing(field, songs, desktop.runner, field),
            self,
        )
        self.browse = BrowseController(
            window,
            desktop.theme,
            songs,
            desktop.runner,
            play=lambda ids: glue.play_among(ids, 0),
            play_next=desktop.player.play_next,
            enqueue=pages.enqueue,
            playlist_menu=self.menus.menu_for,
            parent=self,
        )
        self.queue = QueuePlaylists(
            window.queue, desktop.player, self.playlists, songs, desktop.runner, self
        )
        self.attention = Attention(window, songs, work, self)
        self.completing = Completing(window.search, songs, desktop.runner, self)
        self.relative = RelativeMoods(desktop, self)
        desktop.dialogs.adaptation = lambda: self._adaptation(desktop)
        pages.remove_rows = self.menus.remove_rows
        window.dropped.connect(lambda paths: self.menus.take_files([Path(p) for p in paths]))

    @staticmethod
    def _adaptation(desktop: Desktop) -> AdaptationState | None:
        """How the model in use is used to the library; reads files."""
        from app.adaptation_state import adaptation_state
        from app.song_model import music_model

        tagging = desktop.preferences.settings.tagging
        if desktop.library is None:
            return None
        model = music_model(tagging.model or None, desktop.home.models_dir)
        return adaptation_state(desktop.library, model, on=tagging.adapt)

    def begin(self, view: str) -> None:
        """Show the view of last time; one of the playlists as soon as they are read."""
        if id_of(view) is None:
            self._pages.start(view)
            self.playlists.begin(lambda: None)
        else:
            self.playlists.begin(lambda: self._pages.start(view))

    @property
    def restless(self) -> bool:
        """Whether a question is still to be asked."""
        return self.playlists.restless or self.browse.restless

    def stop(self) -> None:
        self.playlists.stop()
        self.browse.stop()
