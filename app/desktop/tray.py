"""The icon in the notification area: what plays, and the controls, without the window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.desktop.player_controller import PlayerController

__all__ = ["Tray"]

_TITLE_LIMIT = 60


class Tray(QObject):
    """Shows the player in the notification area, where the desktop has one.

    Parameters
    ----------
    player : PlayerController
    icon : QIcon
    title_of : callable
        Says what plays, as "Artist - Title", or "" where nothing does.

    Notes
    -----
    `available` is False on desktops without a notification area (GNOME
    without an extension): the window must then not hide itself there.
    """

    toggle_window_requested = Signal()
    quit_requested = Signal()

    def __init__(
        self,
        player: PlayerController,
        icon: QIcon,
        title_of: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._player = player
        self._title_of = title_of
        self._menu = QMenu()
        self._song = QAction(self._menu)
        self._song.setEnabled(False)
        self._menu.addAction(self._song)
        self._menu.addSeparator()
        self._play = self._add(self.tr("Play"), player.toggle)
        self._next = self._add(self.tr("Next"), player.next)
        self._previous = self._add(self.tr("Previous"), player.previous)
        self._menu.addSeparator()
        self._add(self.tr("Show or hide Undertone"), self.toggle_window_requested.emit)
        self._add(self.tr("Quit"), self.quit_requested.emit)
        self._icon = QSystemTrayIcon(icon, self)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._on_activated)
        for signal in (player.state_changed, player.track_changed, player.queue_changed):
            signal.connect(self.refresh)
        self.refresh()

    @property
    def available(self) -> bool:
        """Whether the desktop shows such icons."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    @property
    def menu(self) -> QMenu:
        return self._menu

    def show(self) -> bool:
        """Show the icon; False where the desktop has no place for it."""
        if self.available:
            self._icon.show()
        return self.available

    def hide(self) -> None:
        self._icon.hide()

    def shutdown(self) -> None:
        """Take the icon and its menu away."""
        self._icon.hide()
        self._icon.setContextMenu(None)
        self._menu.deleteLater()

    def _add(self, text: str, action: Callable[[], None]) -> QAction:
        entry = QAction(text, self._menu)
        entry.triggered.connect(lambda _checked=False: action())
        self._menu.addAction(entry)
        return entry

    @Slot()
    def refresh(self, *_: object) -> None:
        """Show what plays now; also to be called when its title became known."""
        title = self._title_of()
        shown = title if len(title) <= _TITLE_LIMIT else title[: _TITLE_LIMIT - 1] + "\u2026"
        # A single "&" would underline the letter behind it.
        self._song.setText(shown.replace("&", "&&") or self.tr("Nothing is playing"))
        sounding = self._player.state in ("playing", "loading")
        self._play.setText(self.tr("Pause") if sounding else self.tr("Play"))
        has_songs = self._player.entry is not None or bool(self._player.queue_entries)
        self._play.setEnabled(has_songs)
        self._previous.setEnabled(self._player.entry is not None)
        self._next.setEnabled(self._player.can_go_next)
        self._icon.setToolTip(shown or "Undertone")

    @Slot(QSystemTrayIcon.ActivationReason)
    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self.toggle_window_requested.emit()
        elif reason is QSystemTrayIcon.ActivationReason.MiddleClick:
            self._player.toggle()
