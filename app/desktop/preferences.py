"""The settings as the window holds them: changed at once, written off the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from app.desktop.jobs import JobRunner, Latest
from app.settings import OneOf, Settings, SettingsError, Value, describe
from widgets.dialogs.settings import SettingField

__all__ = ["Preferences"]

_log = logging.getLogger(__name__)

_SAVE_AFTER_MS = 1000
_SHOWN = ("appearance", "library", "playback", "tagging", "prompts", "listening")
_HIDDEN = {
    *(("playback", name) for name in ("volume", "muted", "shuffle", "repeat")),  # in the player bar
    ("listening", "device"),  # on the page of sensors
    *(  # they have a dialog of their own
        ("playback", f"equaliser{part}") for part in ("", "_preset", "_preamp_db", "_bands_db")
    ),
}
"""Not in the dialog: shown elsewhere."""

_SYMBOLS = ("dB",)
"""Units that are written behind the number; the others are clear from the label."""


class Preferences(QObject):
    """The one place in the window where settings are read and changed.

    Parameters
    ----------
    path : Path
        The settings file.
    """

    changed = Signal(str, str)  # section, name
    fault = Signal(object)  # SettingsError

    def __init__(self, path: Path, runner: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self.settings, self.faults = Settings.load_usable(path)
        self._saved = self.settings
        self._saver = Latest(runner, pool="io")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SAVE_AFTER_MS)
        self._timer.timeout.connect(self._save_soon)

    def set(self, section: str, name: str, value: Value) -> None:
        """Change one setting; a value out of bounds is reported and changes nothing."""
        if getattr(getattr(self.settings, section), name) == value:
            return
        try:
            self.settings = self.settings.changed(section, **{name: value})
        except SettingsError as error:
            self.fault.emit(error)
            return
        self._timer.start()
        self.changed.emit(section, name)

    def save_now(self) -> None:
        """Write what is not written yet; for the end of the program."""
        self._timer.stop()
        if self.settings == self._saved:
            return
        try:
            self.settings.save(self._path)
            self._saved = self.settings
        except SettingsError as error:
            _log.error("%s", error)

    def fields(
        self, models: Sequence[tuple[str, str]], outputs: Sequence[tuple[str, str]]
    ) -> list[tuple[str, list[SettingField]]]:
        """What the dialog shows. `models` and `outputs` are (key, text) pairs to choose from."""
        names = {
            ("tagging", "model"): (self.tr("Model"), self.tr("The best that is installed"), models),
            ("playback", "output_device"): (
                self.tr("Output device"), self.tr("The one of the system"), outputs,
            ),
        }  # fmt: skip
        titles = {
            "appearance": self.tr("Appearance"),
            "library": self.tr("Library"),
            "playback": self.tr("Playing"),
            "tagging": self.tr("Moods"),
            "prompts": self.tr("Questions"),
            "listening": self.tr("Sensors"),
        }
        sections: dict[str, list[SettingField]] = {name: [] for name in _SHOWN}
        for section, name, kind, _default in describe():
            if section not in sections or (section, name) in _HIDDEN:
                continue
            choices: tuple[tuple[str, str], ...] = ()
            label, help_ = _tr(kind.label), _tr(kind.help) if kind.help else ""
            if isinstance(kind, OneOf):
                choices = tuple((choice, _choice_text(choice)) for choice in kind.choices)
            elif (section, name) in names:
                label, default, more = names[section, name]
                now = str(getattr(getattr(self.settings, section), name))
                gone = now and now not in dict(more)
                choices = (("", default), *more, *(((now, now),) if gone else ()))
                help_ = ""
            sections[section].append(
                SettingField(
                    section,
                    name,
                    label,
                    getattr(getattr(self.settings, section), name),
                    help=help_,
                    choices=choices,
                    low=getattr(kind, "low", None),
                    high=getattr(kind, "high", None),
                    unit=unit if (unit := getattr(kind, "unit", "")) in _SYMBOLS else "",
                )
            )
        return [(titles[name], fields) for name, fields in sections.items()]

    def _save_soon(self) -> None:
        settings = self.settings

        def saved(_: object) -> None:
            self._saved = settings

        self._saver.call(lambda: settings.save(self._path), saved, self.fault.emit)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Settings", text)


def _choice_text(choice: str) -> str:
    return _tr(choice.capitalize())
