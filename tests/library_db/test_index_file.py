"""The index kept beside the library: gives what the database gives, or nothing at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.emotion import Quadrant
from library_db import library as library_module
from library_db.columns import Columns
from library_db.index_file import INDEX_FILE, read_index
from library_db.library import Library
from tests.library_db.helpers import make_tracks, rate


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A closed library of 30 tracks, some rated, one corrected, one taken out; index kept."""
    monkeypatch.setattr(library_module, "_KEEP_AFTER", 1)
    with Library.open(tmp_path / "library") as library:
        ids = make_tracks(library, 30)
        rate(library, *ids[:20])
        library.correct(ids[3], Quadrant.HAHV)
        library.forget([ids[7]])
    assert (tmp_path / "library" / INDEX_FILE).exists()
    return tmp_path / "library"


def columns_of(library: Library) -> Columns:
    return library.index._columns


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(
            one, other, equal_nan=one.dtype.kind == "f"
        )
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if hasattr(one, "codes"):  # codes may be numbered otherwise
        texts = [[column.folded[code] for code in column.codes] for column in (one, other)]
        return texts[0] == texts[1]
    return bool(one == other)


def was_read(library: Library) -> bool:
    from library_db.index import LibraryIndex

    return read_index(library.store, LibraryIndex()) > 0


def assert_as_from_the_database(folder: Path, *, kept: bool) -> None:
    with Library.open(folder) as library:
        assert was_read(library) is kept
        found, found_ids = columns_of(library), library.search("").tolist()
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(INDEX_FILE))
    with Library.open(copy) as plain:
        # All that columns hold, so that a new field cannot be forgotten.
        for name, value in vars(columns_of(plain)).items():
            assert same(vars(found)[name], value), name
        assert plain.search("").tolist() == found_ids
    shutil.rmtree(copy)


def test_a_kept_index_is_what_the_database_says(folder: Path) -> None:
    assert_as_from_the_database(folder, kept=True)


def test_later_commits_are_added_to_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_module, "_KEEP_AFTER", 10**9)
    with Library.open(folder) as library:
        first, second, third = library.search("")[:3].tolist()
        library.forget([first])
        library.correct(second, Quadrant.LALV)
        library.restore([8])
        library.store.write_tracks(
            10_000, [(third, {"title": "Renamed", "artist": "Another, new artist"})]
        )
        library.refresh()
    assert_as_from_the_database(folder, kept=True)


def test_search_and_order_need_no_database(folder: Path) -> None:
    with Library.open(folder) as library:
        assert len(library.search('artist:"A 3"')) == 4
        assert library.search("mood:happy").tolist() == [4]
        assert [t.title for t in library.tracks(library.search("", sort="title")[:2])] == [
            "Song 0",
            "Song 1",
        ]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize(
    "harm",
    [cut, flip, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"\0" * 5000)],
    ids=["cut", "flipped bit", "emptied", "zeros"],
)
def test_a_damaged_file_is_passed_over(folder: Path, harm: Callable[[Path], None]) -> None:
    harm(folder / INDEX_FILE)
    assert_as_from_the_database(folder, kept=False)


def test_another_database_in_its_place_does_not_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = folder.with_name("earlier.sqlite3")
    shutil.copy(folder / "library.sqlite3", earlier)
    with Library.open(folder) as library:  # keeps the index anew, with another token
        library.forget(library.search("")[:3].tolist())
    shutil.copy(earlier, folder / "library.sqlite3")
    monkeypatch.setattr(library_module, "_KEEP_AFTER", 10**9)
    with Library.open(folder) as library:
        library.correct(int(library.search("")[5]), Quadrant.HALV)
    assert_as_from_the_database(folder, kept=False)


def test_other_rules_of_text_build_it_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("library_db.index_file.fold", lambda text: text.upper())
    with Library.open(folder) as library:
        assert not was_read(library)


def test_a_small_library_keeps_none(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        make_tracks(library, 5)
    assert not (tmp_path / INDEX_FILE).exists()


def test_a_disk_that_is_full_costs_only_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = (folder / INDEX_FILE).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("library_db.index_file.tempfile.mkstemp", full)
    with Library.open(folder) as library:
        library.forget([1])
    assert (folder / INDEX_FILE).read_bytes() == kept
    assert [path.name for path in folder.glob(".index-*")] == []
    assert_as_from_the_database(folder, kept=True)
