"""`undertone tag --write-tags` as people use it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest

from tests.integration.conftest import Ran

Undertone = Callable[..., Ran]


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_tag_write_undo(undertone: Undertone, music_folder: Path) -> None:
    before = contents(music_folder)
    dry = undertone("tag", music_folder, "--write-tags", "--dry-run")
    assert dry.code == 0
    assert contents(music_folder) == before

    plain = undertone("tag", music_folder, "--jsonl", "-")
    assert contents(music_folder) == before, "without --write-tags files are only read"
    dry = undertone("tag", music_folder, "--write-tags", "--dry-run")
    assert "MOOD: (none) -> " in dry.err
    assert "5 would be written, 1 left alone" in dry.err
    assert contents(music_folder) == before

    ran = undertone("tag", music_folder, "--write-tags", "--jsonl", "-")
    assert ran.code == 0
    assert "6 up to date" in ran.err
    assert "tags in files: 5 written, 1 left alone" in ran.err
    labels = {"HAHV": "Happy", "HALV": "Tense", "LAHV": "Calm", "LALV": "Sad"}
    for line in plain.out.splitlines():
        row = json.loads(line)
        if row["path"].endswith(".wav"):
            continue
        tags = mutagen.File(row["path"]).tags
        said = [str(value) for key, value in dict(tags).items() if "MOO" in key.upper()]
        assert any(labels[row["quadrant"]] in text for text in said), row["path"]
    found = re.search(r"undertone tag --undo-tags (\S+)", ran.err)
    assert found is not None

    again = undertone("scan", "--json", music_folder)
    assert json.loads(again.out)["unchanged"] == 6

    undone = undertone("tag", "--undo-tags", found[1])
    assert undone.code == 0
    assert "5 restored" in undone.err
    assert undertone("tag", "--undo-tags", found[1]).code == 0
    for path in before:
        assert "Undertone" not in str(mutagen.File(path).tags)
        assert "undertone:" not in str(mutagen.File(path).tags)


def test_what_cannot_be_written_makes_the_exit_code(
    undertone: Undertone, music_folder: Path
) -> None:
    bad = next(path for path in music_folder.rglob("*.mp3"))
    undertone("tag", music_folder)
    bad.chmod(0o444)
    ran = undertone("tag", music_folder, "--write-tags")
    assert ran.code == 1
    assert re.search(rf"failed: .*{re.escape(bad.name)}.*read-only", ran.err)
    assert "4 written, 1 left alone, 1 failed" in ran.err


@pytest.mark.parametrize("file", ["/no/such/file", __file__])
def test_a_wrong_undo_file_is_named(undertone: Undertone, file: str) -> None:
    ran = undertone("tag", "--undo-tags", file)
    assert ran.code == 1
    assert Path(file).name in ran.err
    assert "Traceback" not in ran.err
