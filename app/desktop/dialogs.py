"""Opens the dialogs: files to add, settings, keyboard, about. None of them blocks the window."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QFileDialog

from app.desktop.jobs import JobRunner
from app.desktop.preferences import Preferences
from app.paths import Home
from inference.errors import UndertoneError
from widgets.dialogs.about import AboutDialog
from widgets.dialogs.folders import FoldersDialog
from widgets.dialogs.keyboard import KeyboardDialog
from widgets.dialogs.settings import SettingsDialog
from widgets.main_window import MainWindow
from widgets.text import count, day, songs
from widgets.theme import Theme

if TYPE_CHECKING:
    from app.adaptation_state import AdaptationState

__all__ = ["Dialogs"]


class Dialogs(QObject):
    """Makes each dialog when it is asked for.

    Parameters
    ----------
    sound : callable
        The name of the playback back end.
    """

    paths_chosen = Signal(list)  # Path
    folder_removed = Signal(object)  # Path
    folders_read = Signal(list)  # the music folders, as text
    opened = Signal(object)  # the dialog

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        preferences: Preferences,
        runner: JobRunner,
        home: Home,
        sound: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._theme = theme
        self._preferences = preferences
        self._runner = runner
        self._home = home
        self._sound = sound
        self.folders: Callable[[], list[str]] = list
        self.adaptation: Callable[[], AdaptationState | None] = lambda: None
        """How the model is used to the library; may read files."""
        """Looks up the music folders; called on a worker."""
        self.outputs: list[tuple[str, str]] = []
        """Sound outputs to choose from, as (key, name)."""
        actions = window.actions_
        actions.folders.triggered.connect(self.show_folders)
        actions.settings.triggered.connect(self.show_settings)
        actions.keyboard.triggered.connect(self.show_keyboard)
        actions.about.triggered.connect(self.show_about)

    def ask_for_folder(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Add music folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
        self._ask(dialog)

    def ask_for_files(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Add files"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        self._ask(dialog)

    def show_folders(self) -> None:
        """Look up the music folders, then show them."""

        def show(folders: list[str]) -> None:
            dialog = FoldersDialog(self._theme, folders, self._window)
            dialog.add_requested.connect(dialog.accept)
            dialog.add_requested.connect(self.ask_for_folder)
            dialog.remove_requested.connect(lambda folder: self.folder_removed.emit(Path(folder)))
            self.folders_read.connect(dialog.show_folders)  # for as long as it is there
            self.show(dialog)

        self._runner.call(self.folders, show)

    def renew_folders(self) -> None:
        """Read the music folders again where they are shown."""
        self._runner.call(self.folders, self.folders_read.emit)

    def show_settings(self) -> None:
        """Look up the installed models, then show the settings."""
        models_dir = self._home.models_dir

        def show(models: list[tuple[str, str]]) -> None:
            fields = self._preferences.fields(models, self.outputs)
            dialog = SettingsDialog(self._theme, fields, self._window)
            dialog.changed.connect(self._preferences.set)
            self.show(dialog)

        self._runner.call(lambda: _music_models(models_dir), show, lambda _: show([]))

    def show_keyboard(self) -> None:
        entries = self._window.actions_.keyboard_map()
        self.show(KeyboardDialog(self._theme, entries, self._window))

    def show_about(self) -> None:
        """Look up what the model has learned of the library, then show what this is."""
        self._runner.call(self.adaptation, self._show_about, lambda _: self._show_about(None))

    def _show_about(self, state: AdaptationState | None) -> None:
        sound = self._sound()
        facts = [
            (self.tr("Version"), _version()),
            (
                self.tr("Sound"),
                self.tr("none: libVLC is missing") if sound == "silent" else sound,
            ),
            (self.tr("Stored in"), str(self._home.folder)),
        ]
        if state is not None:
            facts[1:1] = [
                (self.tr("Model"), state.model_id),
                (self.tr("Your library"), self._library_words(state)),
            ]
        self.show(AboutDialog(self._theme, facts, self._window))

    def _library_words(self, state: AdaptationState) -> str:
        """How the model is used to the library."""
        if not state.can:
            return self.tr("The model judges every library alike.")
        if state.version is None:
            said = self.tr(
                "What is usual in it is learned from {n} songs on; {heard} are heard."
            ).format(n=count(state.needed), heard=count(state.heard))
        else:
            said = self.tr(
                "Version {version} of what is usual in it, learned from {songs}."
            ).format(version=state.version, songs=songs(state.songs))
            if state.learned_s is not None:
                said += " " + self.tr("Since {day}.").format(day=day(state.learned_s))
            said += " " + self.tr("{songs} judged by it.").format(songs=songs(state.rated))
        off = self.tr("Switched off in Settings, Moods.")
        return said if state.on else f"{off} {said}"

    def show(self, dialog: QDialog, *, modal: bool = True) -> None:
        """Show a dialog that lives until it is closed."""
        dialog.finished.connect(dialog.deleteLater)
        if modal:
            dialog.open()
        else:
            dialog.show()
        self.opened.emit(dialog)

    def _ask(self, dialog: QFileDialog) -> None:
        last = self._preferences.settings.window.last_folder
        if last:
            dialog.setDirectory(last)
        dialog.filesSelected.connect(self._on_chosen)
        self.show(dialog)

    def _on_chosen(self, names: list[str]) -> None:
        if names:
            self._preferences.set("window", "last_folder", names[0])
            self.paths_chosen.emit([Path(name) for name in names])


def _music_models(models_dir: Path) -> list[tuple[str, str]]:
    """Ids of the installed music models, each with its text."""
    from inference.catalog import installed

    try:
        return [(card.id, card.id) for card in installed(models_dir) if card.kind == "music"]
    except UndertoneError:
        return []


def _version() -> str:
    try:
        return version("undertone")
    except PackageNotFoundError:  # run from a bare checkout
        return ""
