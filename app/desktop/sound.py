"""The sound as the listener set it: equaliser, ReplayGain, output, what shuffle keeps together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.desktop.player_controller import PlayerController
from app.desktop.preferences import Preferences
from app.playback.sound import BANDS_HZ, LIMIT_DB, Equaliser
from inference.emotion import QUADRANTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.playback.queue import QueueEntry
    from library_db.library import Library
    from widgets.dialogs.equaliser import EqualiserCurve, EqualiserDialog
    from widgets.theme import Theme

__all__ = ["SoundController", "groups_in"]

_CURVE = ("equaliser_preset", "equaliser_preamp_db", "equaliser_bands_db")


class SoundController(QObject):
    """Applies the settings of the sound to the player, and opens the equaliser."""

    def __init__(
        self, player: PlayerController, preferences: Preferences, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._player = player
        self._preferences = preferences
        preferences.changed.connect(self._on_setting)

    def apply(self) -> None:
        """Make everything as the settings have it."""
        playback = self._preferences.settings.playback
        self._player.set_shuffle_by(playback.shuffle_by)
        self._apply_equaliser()
        if playback.output_device:
            self._player.sound.set_output(playback.output_device)

    def make_dialog(self, theme: Theme, parent: object) -> EqualiserDialog:
        """The equaliser, whose changes are heard and kept."""
        from widgets.dialogs.equaliser import EqualiserCurve, EqualiserDialog

        playback = self._preferences.settings.playback
        presets = [
            EqualiserCurve(preset.name, preset.equaliser.preamp_db, preset.equaliser.bands_db)
            for preset in self._player.sound.equaliser_presets
        ]
        curve = EqualiserCurve(
            playback.equaliser_preset, playback.equaliser_preamp_db, playback.equaliser_bands_db
        )
        dialog = EqualiserDialog(
            theme,
            BANDS_HZ,
            presets,
            curve,
            on=playback.equaliser,
            limits_db=(-LIMIT_DB, LIMIT_DB),
            parent=parent,
        )
        dialog.switched.connect(lambda on: self._preferences.set("playback", "equaliser", on))
        dialog.curve_changed.connect(self._keep)
        return dialog

    def _keep(self, curve: EqualiserCurve) -> None:
        preamp = min(max(curve.preamp_db, -LIMIT_DB), 8.0)
        for name, value in zip(_CURVE, (curve.name, preamp, curve.bands_db), strict=True):
            self._preferences.set("playback", name, value)

    def _on_setting(self, section: str, name: str) -> None:
        playback = self._preferences.settings.playback
        if section != "playback":
            return
        if name == "output_device":
            self._player.sound.set_output(playback.output_device)
        elif name.startswith("replay_gain"):
            self._player.refresh_gain()
        elif name == "shuffle_by":
            self._player.set_shuffle_by(playback.shuffle_by)
        elif name == "equaliser" or (name in _CURVE and playback.equaliser):
            self._apply_equaliser()

    def _apply_equaliser(self) -> None:
        playback = self._preferences.settings.playback
        curve = Equaliser(playback.equaliser_bands_db, playback.equaliser_preamp_db)
        self._player.sound.set_equaliser(curve if playback.equaliser else None)


def groups_in(library_of: Callable[[], Library | None]) -> Callable[..., Sequence[Hashable]]:
    """Album or mood of the queue's entries, from the index in memory; see `PlayModes`."""

    def groups_of(kind: str, entries: Sequence[QueueEntry]) -> list[Hashable]:
        library = library_of()
        if library is None:
            return [None] * len(entries)
        ids = [entry.track_id for entry in entries if entry.track_id is not None]
        if kind == "album":
            found: dict[int, Hashable] = dict(library.index.albums_of(ids))
        else:
            found = {
                track_id: QUADRANTS[place] if place >= 0 else None
                for track_id, place in library.index.quadrants_of(ids).items()
            }
        return [found.get(e.track_id) if e.track_id is not None else None for e in entries]

    return groups_of
