"""The desktop's own checkers accept our files, as they are and as `make menu` writes them."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
APP_ID = "io.github.undertone.Undertone"


@pytest.fixture
def menu_entry() -> ModuleType:
    spec = importlib.util.spec_from_file_location("menu_entry", ROOT / "packaging/menu_entry.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(*command: str) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_metainfo_is_valid() -> None:
    check("appstreamcli", "validate", "--no-net", str(ROOT / f"packaging/{APP_ID}.metainfo.xml"))


def test_the_metainfo_shows_screenshots_that_are_there() -> None:
    root = ElementTree.parse(ROOT / f"packaging/{APP_ID}.metainfo.xml").getroot()
    images = root.findall("screenshots/screenshot/image")
    assert len(images) >= 3
    for image in images:
        address = image.text or ""
        assert address.startswith("https://")
        file = ROOT / "resources/screenshots" / address.rpartition("/")[2]
        header = file.read_bytes()[:24]
        assert header.startswith(b"\x89PNG")
        size = [int.from_bytes(header[at : at + 4], "big") for at in (16, 20)]
        assert size == [int(image.attrib["width"]), int(image.attrib["height"])]


def test_the_readme_shows_screenshots_that_are_there() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    named = re.findall(r"resources/screenshots/[\w-]+\.png", text)
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_desktop_file_is_valid() -> None:
    check("desktop-file-validate", str(ROOT / f"packaging/{APP_ID}.desktop"))


def test_the_menu_entry_is_written_and_taken_out(
    menu_entry: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert menu_entry.main([]) == 0
    written = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    desktop = tmp_path / f"data/applications/{APP_ID}.desktop"
    assert desktop.relative_to(tmp_path) in written
    assert Path(f"data/icons/hicolor/48x48/apps/{APP_ID}.png") in written
    check("desktop-file-validate", str(desktop))
    assert menu_entry.main(["--remove"]) == 0
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert left in ([], ["mimeinfo.cache"])


def test_the_program_of_the_entry_is_this_one(menu_entry: ModuleType, tmp_path: Path) -> None:
    program = tmp_path / 'a "folder" $x' / "undertone"
    text = menu_entry.desktop_text(ROOT / f"packaging/{APP_ID}.desktop", program)
    lines = [line for line in text.splitlines() if line.startswith("Exec=")]
    assert len(lines) == 5
    assert all('a \\\\"folder\\\\" \\\\$x/undertone" ' in line for line in lines)
    assert f"TryExec={program}" in text
