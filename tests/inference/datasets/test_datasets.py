"""Loaders read their layouts and name what is wrong with a folder."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from inference.datasets import DatasetError, load_music, load_sensor
from inference.datasets.deap import load_arrays
from inference.emotion import Quadrant
from tests.inference import tiny_data


def test_music4q_is_read_with_artists(tmp_path: Path) -> None:
    data = load_music("music4q", tiny_data.write_music4q(tmp_path / "m"))
    assert len(data.clips) == 16
    assert np.bincount(data.labels).tolist() == [4, 4, 4, 4]
    assert len(set(data.groups)) == 8
    assert data.clips[2].quadrant is Quadrant.LAHV
    assert data.clips[0].weight == 0.75
    assert all(p.is_file() for p in data.files)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("artist_group", "artist", "lacks the column 'artist_group'"),
        ("LAHV", "CALM", "'CALM' is no quadrant"),
        ("002,", "000,", "named twice"),
        ("002,", "../../etc/passwd,", "leads out of the folder"),
        ("002,", "777,", "no audio/777"),
        ("artist2", "", "no artist group"),
        ("0.75", "7.5", "tag_agreement '7.5'"),
    ],
)
def test_a_faulty_table_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    root = tiny_data.write_music4q(tmp_path / "m")
    table = root / "labels.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(DatasetError, match=said):
        load_music("music4q", root)


def test_a_missing_folder_says_what_it_must_hold(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"--root must hold: labels.csv"):
        load_music("music4q", tmp_path / "nothing")
    with pytest.raises(DatasetError, match=r"--root must hold: '1. physio"):
        load_sensor("hku956", tmp_path / "nothing")
    with pytest.raises(DatasetError, match="Choose one of"):
        load_music("gtzan", tmp_path)


def test_hku956_is_read_in_listening_order_with_units(tmp_path: Path) -> None:
    data = load_sensor("hku956", tiny_data.write_hku956(tmp_path / "h"))
    assert len(data.listenings) == 32
    first = data.listenings[0]
    assert (first.listener, first.order, first.song) == ("hku0000", 0, "1000")
    assert first.quadrant is Quadrant.HAHV
    assert (first.valence, first.arousal) == (0.5, 0.4)
    assert (first.gsr.fs_hz, first.gsr.unit) == (4.0, "uS")
    assert (first.ppg.fs_hz, first.ppg.unit) == (64.0, "a.u.")
    assert first.gsr.duration_s == first.ppg.duration_s == 15.0
    assert [x.order for x in data.listenings[:8]] == list(range(8))
    assert len(set(data.column("recording"))) == 32


def test_a_bad_listening_is_skipped_with_its_reason(tmp_path: Path) -> None:
    root = tiny_data.write_hku956(tmp_path / "h")
    folder = root / "1. physiological_signals" / "hku0001"
    (folder / "EDA" / "0_1000.csv").write_text("0.1\nnan\n" + "0.1\n" * 60)
    (folder / "BVP" / "1_1001.csv").unlink()
    (folder / "BVP" / "2_1002.csv").write_text("1.0\n" * 64)
    (folder / "BVP" / "3_1003.csv").write_bytes(b"\xff\xfe\x00")
    data = load_sensor("hku956", root)
    assert len(data.listenings) == 28
    assert len(data.skipped) == 4
    text = " ".join(data.skipped)
    assert "not finite" in text
    assert "No such file" in text
    assert "less than 10 s" in text


def test_a_recordings_folder_is_read(tmp_path: Path) -> None:
    root = tiny_data.write_recordings(tmp_path / "r")
    data = load_sensor("recordings", root)
    assert [x.order for x in data.listenings] == [0, 1, 2, 3] * 2
    (root / "0_0_gsr.csv").write_text("a\nb\n")
    assert "line 2" in load_sensor("recordings", root).skipped[0]
    manifest = root / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("0_1_gsr.csv", "/etc/hostname"))
    with pytest.raises(DatasetError, match="leads out"):
        load_sensor("recordings", root)


def deap_bytes(protocol: int = 2) -> bytes:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(3, 40, 640))
    labels = np.array([[9.0, 9, 5, 5], [5.0, 7, 5, 5], [2.0, 1, 5, 5]])
    return pickle.dumps({"data": data, "labels": labels}, protocol=protocol)


def test_deap_files_are_read_without_the_baseline(tmp_path: Path) -> None:
    (tmp_path / "s01.dat").write_bytes(deap_bytes())
    data = load_sensor("deap", tmp_path)
    assert [x.quadrant.value for x in data.listenings] == ["HAHV", "HALV", "LALV"]
    assert len(data.listenings[0].ppg.samples) == 640 - 3 * 128
    assert all((x.gsr.samples > 0).all() for x in data.listenings)


class Hostile:
    def __reduce__(self):
        return (print, ("this must not run",))


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({"data": Hostile(), "labels": 1}),
        pickle.dumps({"data": np.zeros((2, 3)), "labels": np.zeros((2, 4))}),
        pickle.dumps([1, 2]),
        b"no pickle at all",
        b"",
        deap_bytes()[:1000],
    ],
)
def test_a_pickle_that_is_not_deaps_is_refused(content: bytes, capsys) -> None:
    with pytest.raises(DatasetError, match="DEAP"):
        load_arrays(content)
    assert capsys.readouterr().out == ""


def test_emopia_prefers_rendered_audio(tmp_path: Path) -> None:
    (tmp_path / "midis").mkdir()
    (tmp_path / "audio").mkdir()
    (tmp_path / "labels.csv").write_text("clip,quadrant,song,split\na,HAHV,s,train\nb,LALV,s,val\n")
    for name in ("midis/a.mid", "midis/b.mid", "audio/b.flac"):
        (tmp_path / name).write_bytes(b"x")
    data = load_music("emopia", tmp_path)
    assert [c.path.suffix for c in data.clips] == [".mid", ".flac"]
    assert data.groups.tolist() == ["s", "s"]
    (tmp_path / "midis/a.mid").unlink()
    with pytest.raises(DatasetError, match=r"line 2.*midis/a.mid"):
        load_music("emopia", tmp_path)
