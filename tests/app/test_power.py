"""Battery or mains, by files as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.power import on_battery

MAINS_ON = {"AC": {"type": "Mains", "online": "1"}}
MAINS_OFF = {"AC": {"type": "Mains", "online": "0"}}
DISCHARGING = {"BAT0": {"type": "Battery", "status": "Discharging"}}
FULL = {"BAT0": {"type": "Battery", "status": "Full"}}
MOUSE = {"hid": {"type": "Battery", "status": "Discharging", "scope": "Device"}}


@pytest.mark.parametrize(
    ("supplies", "expected"),
    [
        ({**MAINS_ON, **DISCHARGING}, False),
        ({**MAINS_OFF, **DISCHARGING}, True),
        ({**MAINS_OFF, **FULL}, False),
        (MOUSE, False),
        ({}, False),
        ({"AC": {}}, False),
    ],
)
def test_supplies(tmp_path: Path, supplies: dict[str, dict[str, str]], expected: bool) -> None:
    for name, files in supplies.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(f"{text}\n")
    assert on_battery(tmp_path) is expected


def test_a_system_that_does_not_say(tmp_path: Path) -> None:
    assert on_battery(tmp_path / "none") is None
