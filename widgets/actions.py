"""Everything the listener can do by a key or a menu, in one place: also what F1 shows."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from inference.emotion import QUADRANTS, Quadrant
from widgets.dialogs.keyboard import KeyEntry
from widgets.icons import MOOD_ICON, icon
from widgets.text import mood_name
from widgets.theme import Theme

__all__ = ["Actions"]

_WINDOW = Qt.ShortcutContext.WindowShortcut
_INSIDE = Qt.ShortcutContext.WidgetWithChildrenShortcut


def _tr(text: str) -> str:
    return QCoreApplication.translate("Actions", text)


class Actions(QObject):
    """The actions of the window.

    Parameters
    ----------
    window : QWidget
        Owns the actions that work everywhere.
    songs, plane : QWidget
        The actions upon chosen songs work while the focus is in one of these.
    """

    def __init__(self, theme: Theme, window: QWidget, songs: Sequence[QWidget]) -> None:
        super().__init__(window)
        self._theme = theme
        self._window = window
        self._songs = songs
        self._icons: dict[QAction, tuple[str, Quadrant | None]] = {}
        self._make_song_actions()
        self._make_player_actions()
        self._make_window_actions()
        self._tint()
        theme.changed.connect(self._tint)

    def keyboard_map(self) -> list[KeyEntry]:
        """All keys under their headings."""
        parts: tuple[tuple[str, Sequence[QAction], Sequence[tuple[str, str]]], ...] = (
            (_tr("Playing"), self.player, ((_tr("Play or pause"), "Space"),)),
            (_tr("Chosen songs"), self.song, ((_tr("Play from this song on"), "Return"),)),
            (_tr("Window"), self.general, ((_tr("Go to the next area"), "F6"),)),
            (
                _tr("Searching"),
                (),
                (
                    (_tr("Show what could follow"), "Ctrl+Space"),
                    (_tr("Take a suggestion"), "Tab"),
                    (_tr("Clear the search"), "Esc"),
                ),
            ),
            (
                _tr("Playlists"),
                (),
                (
                    (_tr("Rename this playlist (in the sidebar)"), "F2"),
                    (_tr("Delete this playlist (in the sidebar)"), "Del"),
                    (_tr("Move songs in the playlist, or playlists"), "Alt+Up / Alt+Down"),
                    (_tr("Fold and unfold a section of the sidebar"), "Left / Right"),
                ),
            ),
            (
                _tr("Queue"),
                (),
                (
                    (_tr("Play this song of the queue"), "Return"),
                    (_tr("Take songs out of the queue"), "Del"),
                    (_tr("Move songs in the queue"), "Alt+Up / Alt+Down"),
                ),
            ),
            (
                _tr("While you are asked how a song felt"),
                (),
                (
                    (_tr("Yes, it felt so"), "F2"),
                    (_tr("It felt like one of the other moods"), "F3 / F4 / F7"),
                    (_tr("Not now"), "F8"),
                    (_tr("Answer with a place on the mood plane"), "F9"),
                ),
            ),
        )
        entries: list[KeyEntry] = []
        for heading, actions, more in parts:
            entries.append(KeyEntry(heading))
            entries += [KeyEntry(text, keys) for text, keys in more]
            for action in actions:
                keys = " / ".join(k.toString(_NATIVE) for k in action.shortcuts())
                if keys:
                    entries.append(KeyEntry(action.text().replace("&", ""), keys))
        return entries

    # construction

    def _make_song_actions(self) -> None:
        make = self._make
        self.play = make(QT_TRANSLATE_NOOP("Actions", "Play"), "", "play", songs=True)
        self.play_next = make(
            QT_TRANSLATE_NOOP("Actions", "Play next"), "Ctrl+Return", "next", songs=True
        )
        self.enqueue = make(
            QT_TRANSLATE_NOOP("Actions", "Add to the queue"), "Shift+Return", "queue", songs=True
        )
        self.moods: dict[Quadrant | None, QAction] = {}
        for number, quadrant in enumerate(QUADRANTS, 1):
            action = self._make("", str(number), MOOD_ICON[quadrant], songs=True, mood=quadrant)
            action.setText(_tr("This is {mood}").format(mood=mood_name(quadrant)))
            self.moods[quadrant] = action
        self.moods[None] = make(
            QT_TRANSLATE_NOOP("Actions", "Let the model decide"), "0", "retry", songs=True
        )
        self.retag = make(
            QT_TRANSLATE_NOOP("Actions", "Find the mood again"), "Ctrl+G", "tag", songs=True
        )
        self.write_tags = make(
            QT_TRANSLATE_NOOP("Actions", "Write moods into files …"),
            "Ctrl+Shift+W",
            "tag",
            songs=True,
        )
        self.show_on_plane = make(
            QT_TRANSLATE_NOOP("Actions", "Show on the mood plane"), "", "plane", songs=True
        )
        self.similar = make(
            QT_TRANSLATE_NOOP("Actions", "Play more like this"), "Ctrl+J", "similar", songs=True
        )
        self.add_to_playlist = make(
            QT_TRANSLATE_NOOP("Actions", "Add to a playlist"),
            "Ctrl+Shift+A",
            "playlist",
            songs=True,
        )
        self.forget = make(
            QT_TRANSLATE_NOOP("Actions", "Take missing songs out"), "Del", "missing", songs=True
        )
        self.open_folder = make(
            QT_TRANSLATE_NOOP("Actions", "Open the folder"), "", "folder", songs=True
        )
        self.song = [
            self.play_next, self.enqueue, self.add_to_playlist, self.similar,
            *self.moods.values(), self.retag, self.write_tags, self.forget,
        ]  # fmt: skip

    def _make_player_actions(self) -> None:
        make = self._make
        self.next = make(QT_TRANSLATE_NOOP("Actions", "Next song"), "Ctrl+Right")
        self.previous = make(QT_TRANSLATE_NOOP("Actions", "Previous song"), "Ctrl+Left")
        self.forward = make(QT_TRANSLATE_NOOP("Actions", "10 s forward"), "Ctrl+Shift+Right")
        self.backward = make(QT_TRANSLATE_NOOP("Actions", "10 s back"), "Ctrl+Shift+Left")
        self.louder = make(QT_TRANSLATE_NOOP("Actions", "Louder"), "Ctrl+Up")
        self.softer = make(QT_TRANSLATE_NOOP("Actions", "Softer"), "Ctrl+Down")
        self.mute = make(QT_TRANSLATE_NOOP("Actions", "Mute"), "Ctrl+M")
        self.shuffle = make(QT_TRANSLATE_NOOP("Actions", "Shuffle"), "Ctrl+H")
        self.repeat = make(QT_TRANSLATE_NOOP("Actions", "Repeat"), "Ctrl+R")
        self.mood_way = make(QT_TRANSLATE_NOOP("Actions", "Play a mood …"), "Ctrl+Shift+M", "path")
        self.equaliser = make(
            QT_TRANSLATE_NOOP("Actions", "Equaliser …"), "Ctrl+Shift+E", "equaliser"
        )
        self.current_moods: dict[Quadrant | None, QAction] = {}
        for number, quadrant in enumerate(QUADRANTS, 1):
            action = self._make("", f"Ctrl+{number}")
            action.setText(_tr("The song that plays is {mood}").format(mood=mood_name(quadrant)))
            self.current_moods[quadrant] = action
        self.current_moods[None] = make(
            QT_TRANSLATE_NOOP("Actions", "Let the model decide on the song that plays"), "Ctrl+0"
        )
        self.player = [
            self.next, self.previous, self.forward, self.backward, self.louder, self.softer,
            self.mute, self.shuffle, self.repeat, self.mood_way, self.equaliser,
            *self.current_moods.values(),
        ]  # fmt: skip

    def _make_window_actions(self) -> None:
        make = self._make
        self.find = make(QT_TRANSLATE_NOOP("Actions", "Search"), "Ctrl+F", "search")
        self.locate = make(QT_TRANSLATE_NOOP("Actions", "Go to the song that plays"), "Ctrl+L")
        self.queue = make(QT_TRANSLATE_NOOP("Actions", "Show or hide the queue"), "Ctrl+U", "queue")
        self.plane = make(QT_TRANSLATE_NOOP("Actions", "Mood plane"), "Ctrl+P", "plane")
        self.sensors = make(QT_TRANSLATE_NOOP("Actions", "Sensors"), "Ctrl+B", "sensors")
        self.sensor_panel = make(
            QT_TRANSLATE_NOOP("Actions", "Show or hide the live sensors"), "Ctrl+Shift+B"
        )
        self.sensor_note = make(
            QT_TRANSLATE_NOOP("Actions", "Note on this moment of the sensors"), "Ctrl+Shift+N"
        )
        self.all_songs = make(QT_TRANSLATE_NOOP("Actions", "All songs"), "Ctrl+D", "library")
        self.your_model = make(QT_TRANSLATE_NOOP("Actions", "Your model"), "Ctrl+Y", "person")
        self.history = make(QT_TRANSLATE_NOOP("Actions", "History"), "Ctrl+Shift+H", "history")
        self.back = make(QT_TRANSLATE_NOOP("Actions", "Back"), "Alt+Left", "back")
        self.back.setEnabled(False)
        self.add_folder = make(
            QT_TRANSLATE_NOOP("Actions", "Add music folder …"), "Ctrl+O", "folder-plus"
        )
        self.folders = make(
            QT_TRANSLATE_NOOP("Actions", "Music folders …"), "Ctrl+Shift+F", "folder"
        )
        self.add_files = make(QT_TRANSLATE_NOOP("Actions", "Add files …"), "Ctrl+Shift+O", "note")
        self.scan = make(QT_TRANSLATE_NOOP("Actions", "Look for new songs"), "F5", "retry")
        self.tag = make(
            QT_TRANSLATE_NOOP("Actions", "Find the mood of untagged songs"), "Ctrl+T", "tag"
        )
        self.new_playlist = make(QT_TRANSLATE_NOOP("Actions", "New playlist"), "Ctrl+N", "playlist")
        self.save_search = make(
            QT_TRANSLATE_NOOP("Actions", "Save the search as a smart playlist"), "Ctrl+S", "smart"
        )
        self.import_playlists = make(
            QT_TRANSLATE_NOOP("Actions", "Import playlists …"), "Ctrl+I", "folder"
        )
        self.untag_files = make(
            QT_TRANSLATE_NOOP("Actions", "Take moods out of files …"), "", "undo"
        )
        self.jobs = make(QT_TRANSLATE_NOOP("Actions", "Long work …"), "Ctrl+Shift+J", "list")
        self.problems = make(QT_TRANSLATE_NOOP("Actions", "Problems …"), "Ctrl+E", "failed")
        self.settings = make(QT_TRANSLATE_NOOP("Actions", "Settings …"), "Ctrl+,", "settings")
        self.keyboard = make(QT_TRANSLATE_NOOP("Actions", "Keyboard"), "F1", "keyboard")
        self.guide = make(QT_TRANSLATE_NOOP("Actions", "Getting started"), "", "info")
        self.about = make(QT_TRANSLATE_NOOP("Actions", "About Undertone"), "", "info")
        self.menu = make(QT_TRANSLATE_NOOP("Actions", "Menu"), "F10", "menu")
        self.quit = make(QT_TRANSLATE_NOOP("Actions", "Quit"), "Ctrl+Q", "close")
        self.undo = make(QT_TRANSLATE_NOOP("Actions", "Undo"), "Ctrl+Z", "undo")
        self.redo = make(QT_TRANSLATE_NOOP("Actions", "Redo"), "Ctrl+Shift+Z")
        self.undo.setEnabled(False)
        self.redo.setEnabled(False)
        self.general = [
            self.find, self.locate, self.queue, self.plane, self.all_songs, self.your_model,
            self.history, self.back, self.add_folder, self.add_files, self.folders, self.scan,
            self.tag,
            self.new_playlist, self.save_search, self.import_playlists, self.undo, self.redo,
            self.jobs, self.problems, self.settings, self.keyboard, self.menu, self.quit,
            self.sensors, self.sensor_panel, self.sensor_note,
        ]  # fmt: skip

    def _make(
        self,
        text: str,
        keys: str = "",
        icon_name: str = "",
        *,
        songs: bool = False,
        mood: Quadrant | None = None,
    ) -> QAction:
        action = QAction(_tr(text) if text else "", self._window)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(_INSIDE if songs else _WINDOW)
        for widget in self._songs if songs else (self._window,):
            widget.addAction(action)
        if icon_name:
            self._icons[action] = (icon_name, mood)
        return action

    def _tint(self) -> None:
        tokens = self._theme.tokens
        for action, (name, mood) in self._icons.items():
            colour = tokens.mood(mood) if mood else tokens.colour("ink_soft")
            action.setIcon(icon(name, colour, tokens.colour("ink_faint")))


_NATIVE = QKeySequence.SequenceFormat.NativeText
