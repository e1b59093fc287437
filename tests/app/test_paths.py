"""Where things are kept follows --home, then UNDERTONE_HOME, then the platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.paths import home
from inference.errors import UndertoneError


def test_home_moves_everything(tmp_path: Path) -> None:
    found = home(tmp_path / "here")
    for place in (
        found.folder,
        found.settings_file,
        found.library_dir,
        found.models_dir,
        found.recordings_dir,
        found.log_dir,
    ):
        assert place.is_relative_to(tmp_path / "here")
    assert not found.folder.exists(), "looking must not create anything"


def test_the_variable_counts_where_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERTONE_HOME", str(tmp_path / "env"))
    assert home().folder == tmp_path / "env"
    assert home(tmp_path / "arg").folder == tmp_path / "arg"


def test_the_platform_decides_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNDERTONE_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    found = home()
    assert found.folder == tmp_path / "data" / "undertone"
    assert found.settings_file == tmp_path / "config" / "undertone" / "settings.toml"


def test_prepare_makes_private_folders(tmp_path: Path) -> None:
    found = home(tmp_path / "a" / "b").prepare()
    assert found.folder.stat().st_mode & 0o077 == 0


def test_a_file_is_no_home(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UndertoneError, match="not a folder"):
        home(file)
    with pytest.raises(UndertoneError, match="cannot create"):
        home(file / "below").prepare()
