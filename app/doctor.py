"""What is missing on this machine, and the remedy: the checks behind `undertone doctor`."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.paths import Home
from inference.errors import UndertoneError

__all__ = ["Check", "Status", "examine"]

Status = Literal["ok", "note", "missing"]
"""`note`: something optional is not there; `missing`: a part of the program will not work."""

_LOW_DISK_BYTES = 500_000_000
_QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
_XCB_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
}
_BLUETOOTH = Path("/sys/class/bluetooth")
_RFKILL = Path("/sys/class/rfkill")
_SYSTEM_BUS = Path("/run/dbus/system_bus_socket")


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    Parameters
    ----------
    name : str
        One of a fixed set, for scripts.
    detail : str
        What there is, or what is wrong, for people.
    remedy : str
        What to do; empty where nothing needs to be done.
    """

    name: str
    status: Status
    detail: str
    remedy: str = ""


def examine(home: Home) -> Iterator[Check]:
    """Run every check; one that itself fails is reported as such."""
    checks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("home", lambda: _home(home)),
        ("settings", lambda: _settings(home)),
        ("disk", lambda: _disk(home)),
        ("library", lambda: _library(home)),
        ("models", lambda: _models(home)),
        ("adaptation", lambda: _adaptation(home)),
        ("own model", lambda: _own_model(home)),
        ("decoder", _decoder),
        ("playback", _playback),
        ("display", _display),
        ("bluetooth", _bluetooth),
        ("training", _training),
    )
    for name, check in checks:
        try:
            yield check()
        except UndertoneError as error:
            yield Check(name, "missing", error.message, error.remedy)
        except Exception as error:
            yield Check(name, "missing", f"the check failed ({type(error).__name__}: {error})")


def _home(home: Home) -> Check:
    home.prepare()
    return Check("home", "ok", f"settings, library and models are kept in {home.folder}")


def _settings(home: Home) -> Check:
    from app.settings import Settings

    if not home.settings_file.exists():
        return Check("settings", "ok", "the defaults")
    Settings.load(home.settings_file)
    return Check("settings", "ok", str(home.settings_file))


def _disk(home: Home) -> Check:
    free = shutil.disk_usage(home.folder).free
    text = f"{free / 1e9:.1f} GB free for the library"
    if free < _LOW_DISK_BYTES:
        return Check("disk", "missing", text, "Free some space, or move the home with --home DIR")
    return Check("disk", "ok", text)


def _library(home: Home) -> Check:
    file = home.library_dir / "library.sqlite3"
    if not file.exists():
        return Check("library", "ok", "none yet; `undertone tag ~/Music` makes one")
    from library_db.library import Library

    library = Library.open(home.library_dir)
    try:
        songs = len(library.search(""))
        return Check("library", "ok", f"{songs} songs, {file.stat().st_size / 1e6:.1f} MB, intact")
    finally:
        library.close()


def _models(home: Home) -> Check:
    from inference.catalog import faults, installed

    broken = [str(fault) for fault in faults(home.models_dir)]
    names = [card.id for card in installed(home.models_dir)]
    if broken:
        return Check(
            "models",
            "missing",
            "; ".join(broken),
            "Install Undertone again, or delete the folder of a model of your own",
        )
    if not names:
        return Check(
            "models",
            "missing",
            "no model is installed: songs play, but their mood is not found out",
            "Install Undertone with its model files",
        )
    return Check("models", "ok", ", ".join(names))


def _adaptation(home: Home) -> Check:
    from app.adaptation_state import adaptation_state
    from app.settings import Settings
    from app.song_model import music_model
    from library_db.library import Library

    if not (home.library_dir / "library.sqlite3").exists():
        return Check("adaptation", "ok", "nothing learned of the library yet")
    settings = Settings.load_usable(home.settings_file)[0].tagging
    with Library.open(home.library_dir) as library:
        model = music_model(settings.model or None, home.models_dir)
        state = adaptation_state(library, model, on=settings.adapt)
    return Check("adaptation", "ok", f"{state.model_id}: {state.words}")


def _own_model(home: Home) -> Check:
    from app.personal_models import PersonalModels
    from app.your_model import versions
    from library_db.library import Library

    models = PersonalModels(home.models_dir)
    if models.active_number is None or not (home.library_dir / "library.sqlite3").exists():
        return Check("own model", "ok", "none in use: moods come from the common model")
    with Library.open(home.library_dir) as library:
        active = next((v for v in versions(library, models) if v.active), None)
    if active is None:
        text = f"version {models.active_number} is gone: moods come from the common model"
        return Check("own model", "note", text, "undertone train personal")
    if active.note:
        text = f"version {active.number}: {active.note}"
        return Check("own model", "note", text, "undertone train personal")
    return Check("own model", "ok", f"version {active.number} is in use")


def _decoder() -> Check:
    import inference.audio.decode

    del inference
    return Check("decoder", "ok", "MP3, FLAC, Ogg, Opus, M4A, WAV and more")


def _playback() -> Check:
    names = {"darwin": "libvlc.dylib", "win32": "libvlc.dll"}
    if _loads(names.get(sys.platform, "libvlc.so.5")):
        return Check("playback", "ok", "libVLC is there")
    return Check(
        "playback",
        "missing",
        "libVLC is not there: songs cannot be played",
        "sudo apt install libvlc5 vlc-plugin-base"
        if sys.platform == "linux"
        else "Install VLC from videolan.org",
    )


def _display() -> Check:
    if importlib.util.find_spec("PySide6") is None:
        return Check(
            "display", "missing", "the Python package PySide6-Essentials", "pip install undertone"
        )
    if sys.platform != "linux":
        return Check("display", "ok", "the system's")
    on_wayland = bool(os.environ.get("WAYLAND_DISPLAY"))
    wanted = _QT_LIBRARIES if on_wayland else _QT_LIBRARIES | _XCB_LIBRARIES
    absent = [package for name, package in wanted.items() if not _loads(name)]
    if absent:
        return Check(
            "display",
            "missing",
            f"libraries that the window needs: {', '.join(absent)}",
            f"sudo apt install {' '.join(absent)}",
        )
    if not (on_wayland or os.environ.get("DISPLAY")):
        return Check(
            "display",
            "note",
            "no display here; the command line works without one",
            "Start the player from a desktop session",
        )
    return Check("display", "ok", "Wayland" if on_wayland else f"X11 at {os.environ['DISPLAY']}")


def _bluetooth() -> Check:
    if sys.platform != "linux":
        return Check("bluetooth", "ok", "the system's; only a wristband needs it")
    adapters = sorted(p.name for p in _BLUETOOTH.glob("hci*") if ":" not in p.name)
    if not adapters:
        return Check(
            "bluetooth",
            "note",
            "no adapter; only a wristband needs one",
            "Plug in a Bluetooth adapter, or try `undertone sense --source simulated`",
        )
    if not _SYSTEM_BUS.exists():
        return Check(
            "bluetooth",
            "note",
            f"{', '.join(adapters)}, but the system's message bus is not running",
            "sudo apt install bluez && sudo systemctl enable --now dbus bluetooth",
        )
    blocked = [kind.parent for kind in _RFKILL.glob("*/type") if _is_blocked(kind)]
    if blocked:
        return Check("bluetooth", "note", "switched off (rfkill)", "rfkill unblock bluetooth")
    return Check("bluetooth", "ok", ", ".join(adapters))


def _training() -> Check:
    if importlib.util.find_spec("torch") is not None:
        return Check("training", "ok", "PyTorch is there: models of your own can be trained")
    return Check(
        "training",
        "note",
        "PyTorch is not there; only training needs it",
        "pip install 'undertone[train]'",
    )


def _is_blocked(kind: Path) -> bool:
    try:
        return kind.read_text().strip() == "bluetooth" and (
            "1" in ((kind.parent / "soft").read_text() + (kind.parent / "hard").read_text())
        )
    except OSError:
        return False


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
