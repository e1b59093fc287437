"""Whether the computer runs on its battery: from sysfs, without any service. No Qt."""

from __future__ import annotations

from pathlib import Path

__all__ = ["on_battery"]

_SUPPLIES = Path("/sys/class/power_supply")


def on_battery(supplies: Path = _SUPPLIES) -> bool | None:
    """Whether no mains is connected and a battery of the computer is being used.

    Returns
    -------
    bool or None
        False where the computer has no battery; None where the system does not say.
    """
    try:
        folders = list(supplies.iterdir())
    except OSError:
        return None
    found = False
    for folder in folders:
        kind, scope = _text(folder / "type"), _text(folder / "scope")
        if kind in ("Mains", "USB") and _text(folder / "online") == "1":
            return False
        if kind == "Battery" and scope != "Device":  # not that of a mouse or a headset
            found = found or _text(folder / "status") == "Discharging"
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace").strip()
    except OSError:
        return ""
