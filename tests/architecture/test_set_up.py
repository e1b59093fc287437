"""Set-up says exactly what is missing and does nothing twice; desktop files fit the program."""

from __future__ import annotations

import configparser
import hashlib
import os
import runpy
import shutil
import socket
import struct
import subprocess
import sys
import venv
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP_ID = "io.github.undertone.Undertone"


@pytest.fixture
def checkout(tmp_path):
    """A copy of what set-up reads, in a folder whose name has a space."""
    folder = tmp_path / "a check out"
    shutil.copytree(ROOT / "packaging", folder / "packaging")
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    return folder


@pytest.fixture
def bare_path(tmp_path):
    """A PATH on which no library is known, apt is there, and nobody may become root."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in (
        "bash",
        "cat",
        "cut",
        "dirname",
        "env",
        "flock",
        "grep",
        "head",
        "rm",
        "sha256sum",
    ):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    (tools / "python3").symlink_to(sys.executable)
    fakes = {"ldconfig": "true", "id": "echo 1000", "apt-get": 'touch "$0.was-called"'}
    for name, command in fakes.items():
        (tools / name).write_text(f"#!/bin/sh\n{command}\n", "utf-8")
        (tools / name).chmod(0o755)
    return tools


def bootstrap(checkout, path, mode):
    return subprocess.run(
        [path / "bash", checkout / "packaging" / "bootstrap.sh", mode],
        env={"PATH": str(path), "HOME": os.environ["HOME"], "PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_rights_the_tests_stop_with_the_line_to_type(checkout, bare_path):
    result = bootstrap(checkout, bare_path, "test")
    assert result.returncode == 1
    [line] = [line for line in result.stderr.splitlines() if "apt-get install" in line]
    assert line.startswith("undertone:     sudo apt-get install --no-install-recommends ")
    assert {"libegl1", "libvlc5", "libxcb-cursor0", "xvfb"} <= set(line.split())
    assert not (bare_path / "apt-get.was-called").exists()
    assert not (checkout / ".venv").exists()


def test_a_set_up_checkout_starts_at_once_and_names_what_is_missing(checkout, bare_path):
    venv.create(checkout / ".venv", symlinks=True, with_pip=True)
    write_stamp(checkout, parts=("base", "train"))
    result = bootstrap(checkout, bare_path, "run")
    assert result.returncode == 0, result.stderr
    assert "libvlc5" in result.stderr
    assert "going on without them" in result.stderr
    assert "installing" not in result.stderr


def write_stamp(checkout: Path, parts: tuple[str, ...]) -> None:
    files = (checkout / "pyproject.toml", checkout / "packaging" / "constraints.txt")
    content = b"".join(file.read_bytes() for file in files) + f"{checkout}\n".encode()
    key = hashlib.sha256(content).hexdigest()
    (checkout / ".venv" / "set-up.txt").write_text("".join(f"{part} {key}\n" for part in parts))


@pytest.mark.parametrize("script", sorted((ROOT / "packaging").glob("*.sh")), ids=lambda p: p.name)
def test_the_scripts_are_executable_and_parse(script):
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def test_every_requirement_is_locked():
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(text for extra in extras for text in extra)]
    locked = {}
    for line in (ROOT / "packaging" / "constraints.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, _, version = line.partition("==")
            locked[canonicalize_name(name)] = version
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not locked: make lock"
        assert requirement.specifier.contains(version), f"{requirement} against lock {version}"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"DISPLAY": ""}, False),
        ({"DISPLAY": ":987"}, False),
        ({"DISPLAY": "nonsense"}, False),
        ({"WAYLAND_DISPLAY": "wayland-9"}, False),
        ({"QT_QPA_PLATFORM": "offscreen"}, True),
    ],
)
def test_a_stale_display_counts_as_none(monkeypatch, environment, expected):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    start = runpy.run_path(str(ROOT / "packaging" / "start.py"), run_name="start")
    assert start["has_display"]() is expected


def test_a_display_that_answers_counts(monkeypatch, tmp_path):
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "w0")
    start = runpy.run_path(str(ROOT / "packaging" / "start.py"), run_name="start")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)
        server.bind("w0")
        server.listen()
        assert start["has_display"]()


def test_the_desktop_file_fits_the_program():
    desktop = configparser.ConfigParser(interpolation=None)
    desktop.optionxform = str
    desktop.read(ROOT / "packaging" / f"{APP_ID}.desktop", encoding="utf-8")
    entry = desktop["Desktop Entry"]
    assert entry["StartupWMClass"] == entry["Icon"] == APP_ID
    commands = [section["Exec"].split() for name, section in desktop.items() if "Exec" in section]
    assert {words[0] for words in commands} == {"undertone"}
    from app.cli.dispatch import COMMANDS

    assert {words[1] for words in commands} <= {command.name for command in COMMANDS}
    for action in entry["Actions"].rstrip(";").split(";"):
        assert f"Desktop Action {action}" in desktop


def test_the_metainfo_names_the_same_program_and_version():
    import app

    root = ElementTree.parse(ROOT / "packaging" / f"{APP_ID}.metainfo.xml").getroot()
    assert root.findtext("id") == APP_ID
    assert root.findtext("project_license") == "GPL-3.0-or-later"
    assert root.find("releases/release").get("version") == app.__version__


@pytest.mark.parametrize("size", [16, 22, 24, 32, 48, 64, 128, 256, 512])
def test_the_icon_comes_in_all_sizes(size):
    data = (ROOT / "resources" / "icons" / "app" / f"undertone-{size}.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert struct.unpack(">II", data[16:24]) == (size, size)
