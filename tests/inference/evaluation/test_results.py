"""Results files say where their figures come from."""

import json
from pathlib import Path

import pytest

from inference.errors import UndertoneError
from inference.evaluation import RunRecord, digest_files, read_results, table_text, write_results


def record() -> RunRecord:
    return RunRecord(["undertone", "evaluate", "table-3"], "music4q", "P2", "abc", [0, 1], 12.34)


def test_a_table_and_its_record_are_written_together(tmp_path: Path) -> None:
    rows = [{"system": 'a "b", c', "accuracy": 0.61249}, {"system": "d", "accuracy": 0.5}]
    path = write_results(tmp_path / "new", "table-3", rows, record())
    assert [r["accuracy"] for r in read_results(path)] == ["0.6125", "0.5000"]
    assert read_results(path)[0]["system"] == 'a "b", c'
    run = json.loads(path.with_suffix(".json").read_text())
    assert run["command"] == "undertone evaluate table-3"
    assert run["seeds"] == [0, 1]
    assert run["data_digest"] == "abc"
    assert "numpy" in run["versions"]
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".csv", ".json"]


def test_ragged_rows_and_odd_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="columns"):
        write_results(tmp_path, "t", [{"a": 1}, {"b": 2}], record())
    with pytest.raises(ValueError, match="plain file name"):
        write_results(tmp_path, "../t", [{"a": 1}], record())


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UndertoneError, match="--out"):
        write_results(tmp_path / "file" / "x", "t", [{"a": 1}], record())


def test_the_digest_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    files = [tmp_path / "a", tmp_path / "b"]
    first = digest_files(files, tmp_path)
    assert digest_files(reversed(files), tmp_path) == first
    (tmp_path / "a").write_text("3")
    assert digest_files(files, tmp_path) != first


def test_the_table_on_the_terminal_is_aligned() -> None:
    text = table_text([{"system": "long name", "accuracy": 0.5}, {"system": "x", "accuracy": 0.25}])
    header, first, second = text.splitlines()
    assert header.index("accuracy") == first.index("0.5000") == second.index("0.2500")
