"""What the window offers around playing: equaliser, playing a mood, undo of the queue's changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.desktop.played import PlayedSongs
from app.desktop.queue_edits import QueueCommand, QueueEdit
from app.desktop.sound import SoundController
from inference.emotion import Quadrant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.desktop.desktop import Desktop
    from app.playback.sound import AudioOutput

__all__ = ["Playing"]


class Playing(QObject):
    """Made once the library is open."""

    def __init__(self, desktop: Desktop) -> None:
        super().__init__(desktop)
        self._desktop = desktop
        player, actions = desktop.player, desktop.window.actions_
        self.sound = SoundController(player, desktop.preferences, self)
        self.sound.apply()
        self.played = PlayedSongs(player, desktop.window.queue, self)
        player.outputs_found.connect(self._on_outputs)
        player.output_missing.connect(self._on_output_missing)
        player.sound.find_outputs()
        player.edits.edited.connect(self._on_edited)
        actions.equaliser.triggered.connect(self.show_equaliser)
        actions.mood_way.triggered.connect(lambda: self.ask_for_mood())

    def show_equaliser(self) -> None:
        desktop = self._desktop
        desktop.dialogs.show(self.sound.make_dialog(desktop.theme, desktop.window), modal=False)

    def ask_for_mood(self) -> None:
        """Ask which mood to play, or between which two to drift."""
        from widgets.dialogs.mood_way import MoodWayDialog

        desktop = self._desktop
        current = desktop.window.sidebar.current
        known = {quadrant.value: quadrant for quadrant in Quadrant}
        dialog = MoodWayDialog(
            desktop.theme, known.get(current, Quadrant.LAHV), parent=desktop.window
        )
        dialog.way_chosen.connect(self.play_way)
        desktop.dialogs.show(dialog)

    def play_way(self, start: Quadrant, goal: Quadrant, minutes: int) -> None:
        """Replace the queue by songs that lead from one mood to the other."""
        library, desktop = self._desktop.library, self._desktop
        relative = desktop.preferences.settings.library.relative_moods

        def look() -> list[int]:
            from app.drift import drift

            assert library is not None
            return drift(library.index.columns(relative=relative), start, goal, 60.0 * minutes)

        def play(ids: list[int]) -> None:
            if ids:
                desktop.player.set_shuffle(False)  # the order is the point
                desktop.player.play_ids(ids)
                desktop.window.set_queue_shown(True)
            else:
                desktop.window.toasts.show_toast(self.tr("No song has a mood yet"))

        desktop.runner.call(look, play, desktop.tell_error)

    def _on_outputs(self, outputs: Sequence[AudioOutput]) -> None:
        self._desktop.dialogs.outputs = [
            (output.key, output.name) for output in outputs if output.key
        ]

    def _on_output_missing(self, key: str) -> None:
        known = dict(self._desktop.dialogs.outputs)
        said = self.tr("{output} is not connected: playing on the output of the system")
        self._desktop.window.toasts.show_toast(said.format(output=known.get(key, key)))

    def _on_edited(self, edit: QueueEdit) -> None:
        songs = self._desktop.songs
        if songs is None:
            return
        songs.undo_stack.push(QueueCommand(self._desktop.player.edits, edit))
        if edit.replaced or not edit.after.entries:
            self._desktop.window.toasts.show_toast(
                edit.text, self.tr("Undo"), songs.undo_stack.undo
            )
