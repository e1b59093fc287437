"""What the user can set: typed, bounded, kept as TOML; errors say what to write instead."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from app.setting_kinds import Integer, Kind, OneOf, Real, Reals, Switch, Text, Texts
from inference.errors import UndertoneError

__all__ = [
    "Appearance",
    "Collection",
    "Integer",
    "Kind",
    "Listening",
    "OneOf",
    "Playback",
    "Prompts",
    "Real",
    "Reals",
    "Settings",
    "SettingsError",
    "Switch",
    "Tagging",
    "Text",
    "Texts",
    "Value",
    "Window",
    "describe",
]

Value = str | int | float | bool | tuple[str, ...] | tuple[float, ...]
"""What a setting holds."""


class SettingsError(UndertoneError):
    """A settings file, or one value in it, that cannot be used."""


def _setting(default: Value, kind: Kind) -> Any:
    return field(default=default, metadata={"kind": kind})


@dataclass(frozen=True, slots=True)
class Appearance:
    """[appearance]"""

    theme: str = _setting("system", OneOf("Theme", ("system", "light", "dark")))
    reduced_motion: bool = _setting(False, Switch("Less movement"))
    close_to_tray: bool = _setting(
        False,
        Switch(
            "Play on when the window is closed",
            help="In the notification area, where the desktop has one; else closing quits.",
        ),
    )
    notifications: bool = _setting(True, Switch("Notify when the song changes"))


@dataclass(frozen=True, slots=True)
class Collection:
    """[library]"""

    scan_at_start: bool = _setting(True, Switch("Look for new songs at start"))
    watch: bool = _setting(
        True,
        Switch(
            "Watch the music folders",
            help="Songs that come, change or go are noticed while the player runs.",
        ),
    )
    relative_moods: bool = _setting(
        False,
        Switch(
            "Moods relative to my library",
            help="On the plane and in the lists of moods; the half of your songs that is "
            "more energetic counts as energetic, whatever the model calls it.",
        ),
    )
    unsure_below: float = _setting(
        0.5,
        Real(
            "Call a mood unsure below",
            0.0,
            1.0,
            "confidence",
            help="Songs whose mood is less certain than this are shown as unsure.",
        ),
    )


@dataclass(frozen=True, slots=True)
class Playback:
    """[playback]"""

    volume: int = _setting(80, Integer("Volume", 0, 100, "percent"))
    muted: bool = _setting(False, Switch("Muted"))
    shuffle: bool = _setting(False, Switch("Shuffle"))
    repeat: str = _setting("off", OneOf("Repeat", ("off", "all", "one")))
    shuffle_by: str = _setting(
        "song",
        OneOf(
            "Shuffle by",
            ("song", "album", "mood"),
            help="Albums are played whole; moods one after another, their songs shuffled.",
        ),
    )
    replay_gain: str = _setting(
        "track",
        OneOf(
            "ReplayGain",
            ("off", "track", "album"),
            help="Songs equally loud, or albums with their quiet songs quiet. Nothing is clipped.",
        ),
    )
    replay_gain_preamp_db: float = _setting(
        0.0, Real("Preamplification of ReplayGain", -15.0, 15.0, "dB")
    )
    replay_gain_untagged_db: float = _setting(
        0.0, Real("Songs without ReplayGain tags", -15.0, 15.0, "dB")
    )
    resume: bool = _setting(True, Switch("Resume the queue at start"))
    output_device: str = _setting("", Text("Output device (empty: the system's)"))
    equaliser: bool = _setting(False, Switch("Equaliser"))
    equaliser_preset: str = _setting("", Text("Curve of the equaliser (empty: an own one)"))
    equaliser_preamp_db: float = _setting(0.0, Real("Preamplification", -20.0, 8.0, "dB"))
    equaliser_bands_db: tuple[float, ...] = _setting(
        (0.0,) * 10, Reals("Bands of the equaliser", 10, -20.0, 20.0, "dB")
    )
    keep_history: bool = _setting(
        True,
        Switch(
            "Keep a listening history",
            help="What was played when, and its mood; on this computer alone.",
        ),
    )


@dataclass(frozen=True, slots=True)
class Tagging:
    """[tagging]"""

    model: str = _setting(
        "",
        Text("Model", 64, help="The id of an installed model; empty takes the best one."),
    )
    jobs: int = _setting(
        1,
        Integer("Songs at a time", 1, 64, help="Each takes one processor core while it works."),
    )
    adapt: bool = _setting(
        True,
        Switch(
            "Judge moods by what is usual in my library",
            help="From 30 songs on. Changing it rates all songs anew, without hearing them again.",
        ),
    )
    only_when_idle: bool = _setting(
        False,
        Switch(
            "Only while nobody is at the computer",
            help="After two minutes without keyboard and mouse, where the desktop tells of it.",
        ),
    )
    not_on_battery: bool = _setting(False, Switch("Not on the battery"))
    after_scan: bool = _setting(
        True, Switch("Find the mood of new songs by itself", help="In the background.")
    )


@dataclass(frozen=True, slots=True)
class Listening:
    """[listening]: the sensor band."""

    device: str = _setting("", Text("The band that was chosen, as JSON", 2000))
    record: bool = _setting(
        False,
        Switch(
            "Record every session",
            help="Skin conductance, pulse and the songs that played; in private files.",
        ),
    )
    consent: str = _setting(
        "unasked", OneOf("Consent to recordings", ("unasked", "given", "refused"))
    )
    stream: str = _setting(
        "",
        Text(
            "Lab Streaming Layer: name of the stream",
            help="Empty takes the first one with GSR or PPG.",
        ),
    )
    listener: str = _setting(
        "demo",
        OneOf(
            "Simulated listener",
            ("demo", "real"),
            help="How strongly it feels: demo is clear, real is as faint as in people.",
        ),
    )


@dataclass(frozen=True, slots=True)
class Prompts:
    """[prompts]"""

    enabled: bool = _setting(
        True,
        Switch(
            "Ask now and then how a song felt",
            help="At the end of a song. Your answers stay on this computer.",
        ),
    )
    consent: str = _setting(
        "unasked", OneOf("Consent to being asked", ("unasked", "given", "refused"))
    )
    do_not_disturb: bool = _setting(False, Switch("Do not disturb"))
    at_most_per_hour: int = _setting(4, Integer("Questions an hour at most", 0, 60))
    quiet_from: int = _setting(
        22, Integer("Quiet from", 0, 23, "o'clock", help="The same hour twice: no quiet hours.")
    )
    quiet_until: int = _setting(8, Integer("Quiet until", 0, 23, "o'clock"))
    unsure_below: float = _setting(
        0.65, Real("Ask where the mood is less certain than", 0.0, 1.0, "confidence")
    )


@dataclass(frozen=True, slots=True)
class Window:
    """[window]: how the player window was left."""

    geometry: str = _setting("", Text("Position and size, base64", 4000))
    columns: str = _setting("", Text("State of the table's header, base64", 8000))
    splitter: str = _setting("", Text("State of the splitter, base64", 4000))
    sort: str = _setting("artist", Text("Sorted by", 40))
    descending: bool = _setting(False, Switch("Sorted downwards"))
    last_folder: str = _setting("", Text("Folder that was added last", 5000))
    told_of_watching: tuple[str, ...] = _setting(
        (), Texts("Network folders whose slower watch was explained")
    )
    seen_welcome: bool = _setting(False, Switch("First-run guide was shown"))


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, by section.

    Parameters
    ----------
    unknown : mapping
        Keys of the file that this version does not know; `save` writes them back.

    Examples
    --------
    >>> quieter = Settings().changed("playback", volume=30)
    >>> quieter.playback.volume
    30
    """

    appearance: Appearance = field(default_factory=Appearance)
    library: Collection = field(default_factory=Collection)
    playback: Playback = field(default_factory=Playback)
    tagging: Tagging = field(default_factory=Tagging)
    listening: Listening = field(default_factory=Listening)
    prompts: Prompts = field(default_factory=Prompts)
    window: Window = field(default_factory=Window)
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=True)

    def changed(self, section: str, /, **values: Value) -> Settings:
        """A copy with some values of one section changed.

        Raises
        ------
        SettingsError
            If a value is out of its bounds or the setting is not known.
        """
        current = getattr(self, section, None)
        if section not in _SECTIONS or current is None:
            raise SettingsError(f"there are no settings named {section!r}")
        kinds = _kinds(section)
        for name, value in values.items():
            if name not in kinds:
                raise SettingsError(f"there is no setting {section}.{name}")
            if not kinds[name].accepts(value):
                raise _bad_value(section, name, value, kinds[name])
        return replace(self, **{section: replace(current, **values)})

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Read `path`; a file that is not there means defaults.

        Raises
        ------
        SettingsError
            With every fault of the file, and what to write instead.
        """
        settings, faults = cls.load_usable(path)
        if faults:
            raise SettingsError(
                f"{path}: " + "; ".join(fault.message for fault in faults),
                " ".join(fault.remedy for fault in faults),
            )
        return settings

    @classmethod
    def load_usable(cls, path: Path) -> tuple[Settings, list[SettingsError]]:
        """Like `load`, with the default in place of each value that cannot be used.

        For the window, which opens all the same and shows the faults.
        """
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(), []
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            remedy = f"Mend it, or delete {path} to start from the defaults"
            return cls(), [SettingsError(f"the settings are not valid TOML ({error})", remedy)]
        except OSError as error:
            remedy = f"Make {path} readable"
            return cls(), [SettingsError(f"the settings cannot be read ({error.strerror})", remedy)]
        return _from_toml(raw)

    def save(self, path: Path) -> None:
        """Write to `path` at once or not at all, readable by the owner alone.

        A file that is there and is not valid TOML is kept beside it as ``*.broken``.

        Raises
        ------
        SettingsError
            If it cannot be written; the old file is then as it was.
        """
        import tomli_w

        text = tomli_w.dumps(self._to_toml())
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _keep_broken(path)
            _write_atomically(path, text)
        except OSError as error:
            raise SettingsError(
                f"the settings cannot be saved to {path} ({error.strerror})",
                "Free some space or make the folder writable",
            ) from error

    def _to_toml(self) -> dict[str, Any]:
        table: dict[str, Any] = {
            key: dict(value) if isinstance(value, Mapping) else value
            for key, value in self.unknown.items()
        }
        for section in _SECTIONS:
            values = getattr(self, section)
            known = {n: k.write(getattr(values, n)) for n, k in _kinds(section).items()}
            rest = table.get(section)
            table[section] = {**known, **(rest if isinstance(rest, dict) else {})}
        return table


_SECTIONS: dict[str, type] = {
    "appearance": Appearance,
    "library": Collection,
    "playback": Playback,
    "tagging": Tagging,
    "listening": Listening,
    "prompts": Prompts,
    "window": Window,
}


def describe() -> list[tuple[str, str, Kind, Value]]:
    """Every setting as (section, name, kind, default): what a preferences page is made from."""
    defaults = Settings()
    return [
        (section, name, kind, getattr(getattr(defaults, section), name))
        for section in _SECTIONS
        for name, kind in _kinds(section).items()
    ]


def _kinds(section: str) -> dict[str, Kind]:
    return {f.name: f.metadata["kind"] for f in fields(_SECTIONS[section])}


def _bad_value(section: str, name: str, value: object, kind: Kind) -> SettingsError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return SettingsError(f"{section}.{name} is {shown}", f"For {section}.{name} write {kind.hint}")


def _from_toml(raw: dict[str, Any]) -> tuple[Settings, list[SettingsError]]:
    faults: list[SettingsError] = []
    unknown: dict[str, Any] = {}
    sections: dict[str, Any] = {}
    for section, value in raw.items():
        if section not in _SECTIONS:
            unknown[section] = value
        elif not isinstance(value, dict):
            faults.append(
                SettingsError(f"{section} is not a section", f"Write [{section}] on a line")
            )
        else:
            sections[section], rest = _read_section(section, value, faults)
            if rest:
                unknown[section] = rest
    return Settings(**sections, unknown=unknown), faults


def _read_section(
    section: str, table: dict[str, Any], faults: list[SettingsError]
) -> tuple[Any, dict[str, Any]]:
    kinds = _kinds(section)
    known: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in table.items():
        kind = kinds.get(name)
        if kind is None:
            rest[name] = value
        elif kind.accepts(value):
            known[name] = kind.read(value)
        else:
            faults.append(_bad_value(section, name, value, kind))
    return _SECTIONS[section](**known), rest


def _keep_broken(path: Path) -> None:
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        path.replace(path.with_name(path.name + ".broken"))


def _write_atomically(path: Path, text: str) -> None:
    target = path.resolve()  # a settings file may be a link into somebody's dotfiles
    handle, temporary = tempfile.mkstemp(prefix=".settings-", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
