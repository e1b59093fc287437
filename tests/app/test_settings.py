"""Settings survive a round trip, refuse what is out of bounds and say what to write instead."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.settings import Settings, SettingsError, describe


def test_a_missing_file_means_defaults(tmp_path: Path) -> None:
    assert Settings.load(tmp_path / "none.toml") == Settings()


def test_a_round_trip_keeps_every_value(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "settings.toml"
    settings = Settings().changed("playback", volume=31, repeat="one").changed("tagging", jobs=3)
    settings.save(file)
    assert Settings.load(file) == settings


def test_keys_of_another_version_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('flavour = "mint"\n[playback]\nvolume = 10\nreverb = 3\n[future]\nx = [1, 2]\n')
    Settings.load(file).changed("playback", volume=20).save(file)
    again = Settings.load(file)
    assert again.playback.volume == 20
    assert again.unknown == {"flavour": "mint", "future": {"x": [1, 2]}, "playback": {"reverb": 3}}


@pytest.mark.parametrize(
    ("text", "where", "instead"),
    [
        ("[playback]\nvolume = 140", "playback.volume is 140", "a whole number from 0 to 100"),
        ("[playback]\nvolume = true", "playback.volume is True", "a whole number"),
        ("[playback]\nvolume = 10.5", "playback.volume", "a whole number"),
        ('[appearance]\ntheme = "pink"', "'pink'", '"system", "light" or "dark"'),
        ('[playback]\nshuffle = "yes"', "playback.shuffle", "true or false"),
        ("[library]\nunsure_below = nan", "library.unsure_below", "a number from 0 to 1"),
        ("playback = 3", "playback is not a section", "[playback]"),
        ("[playback", "not valid TOML", "delete"),
    ],
)
def test_a_fault_says_what_to_write_instead(
    tmp_path: Path, text: str, where: str, instead: str
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        Settings.load(file)
    assert where in caught.value.message
    assert instead in caught.value.remedy


def test_all_faults_are_named_at_once_and_the_rest_is_used(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[playback]\nvolume = -1\nshuffle = 3\nmuted = true\n[tagging]\njobs = 0\n")
    settings, faults = Settings.load_usable(file)
    assert len(faults) == 3
    assert settings.playback.muted
    assert settings.playback.volume == Settings().playback.volume


def test_binary_rubbish_is_a_fault_and_is_kept_beside_the_new_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xff\xfe\x00rubbish")
    settings, faults = Settings.load_usable(file)
    assert len(faults) == 1
    settings.save(file)
    assert Settings.load(file) == Settings()
    assert file.with_name("settings.toml.broken").read_bytes() == b"\xff\xfe\x00rubbish"


def test_changing_refuses_what_loading_would_refuse() -> None:
    with pytest.raises(SettingsError, match="whole number from 0 to 100"):
        Settings().changed("playback", volume=101)
    with pytest.raises(SettingsError, match=r"playback\.loudness"):
        Settings().changed("playback", loudness=3)
    with pytest.raises(SettingsError, match="unknown"):
        Settings().changed("unknown", x=3)


def test_a_save_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    Settings().save(file)
    before = file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SettingsError, match="No space left"):
        Settings().changed("playback", volume=1).save(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_only_the_owner_can_read_it_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    Settings().save(real)
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    link = tmp_path / "settings.toml"
    link.symlink_to(real)
    Settings().changed("playback", volume=5).save(link)
    assert link.is_symlink()
    assert Settings.load(real).playback.volume == 5


def test_every_setting_has_a_label_and_an_acceptable_default() -> None:
    for section, name, kind, default in describe():
        assert kind.label, f"{section}.{name}"
        assert kind.hint
        assert kind.accepts(default), f"{section}.{name}"
