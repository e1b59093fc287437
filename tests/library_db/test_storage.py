"""TinyDB over SQLite: the same answers as TinyDB's own tables, row by row and in one commit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tinydb import Query, TinyDB, where
from tinydb.operations import delete, increment
from tinydb.storages import MemoryStorage

from library_db.database import Database
from library_db.schema import Column, TableSchema
from library_db.storage import Document, DocumentDB, SqliteTable

SCHEMA = TableSchema(
    "things",
    (
        Column("name", "TEXT", index=True),
        Column("year", "INTEGER"),
        Column("score", "REAL"),
        Column("raw", "BLOB"),
    ),
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[DocumentDB]:
    with DocumentDB(Database(tmp_path / "x.sqlite3"), [SCHEMA]) as opened:
        yield opened


def _value(rng: random.Random) -> Any:
    return rng.choice(
        [None, True, False, 0, 1, -3, 2**70, 1.0, 0.5, float("inf"), "", "a", "b", "Ä\0b", "\ud800",
         [1, "x"], {"deep": {"er": 1}}]
    )  # fmt: skip


def _document(rng: random.Random) -> dict[str, Any]:
    names = ["name", "year", "score", "other", "id", "doc"]
    return {name: _value(rng) for name in rng.sample(names, rng.randrange(len(names) + 1))}


def _condition(rng: random.Random, depth: int = 0) -> Any:
    if depth < 3 and rng.random() < 0.4:
        one, other = _condition(rng, depth + 1), _condition(rng, depth + 1)
        return rng.choice([one & other, one | other, ~one])
    field = Query()[rng.choice(["name", "year", "score", "other", "id"])]
    simple = rng.choice([True, 0, 1, 1.0, 0.5, "a", "", "Ä\0b", 2**70, "\ud800"])
    return rng.choice(
        [field == simple, field != simple, field.exists(), field.one_of([1, "a"]),
         field.test(lambda value: bool(value))]
    )  # fmt: skip


def _plain(documents: list[Any]) -> list[tuple[int, dict[str, Any]]]:
    return sorted((d.doc_id, dict(d)) for d in documents)


@pytest.mark.parametrize("seed", range(12))
def test_random_use_gives_what_tinydb_gives(db: DocumentDB, seed: int) -> None:
    rng = random.Random(seed)
    ours, theirs = db.table("things"), TinyDB(storage=MemoryStorage).table("things")
    for _ in range(60):
        action = rng.randrange(8)
        if action < 3:
            documents = [_document(rng) for _ in range(rng.randrange(1, 4))]
            assert ours.insert_multiple(documents) == theirs.insert_multiple(documents)
        elif action == 3:
            condition, fields = _condition(rng), _document(rng)
            assert ours.update(fields, condition) == theirs.update(fields, condition)
        elif action == 4:
            ids = rng.sample(range(1, 30), 3)
            fields = _document(rng)
            assert ours.update(fields, doc_ids=ids) == theirs.update(fields, doc_ids=ids)
        elif action == 5:
            condition, document = _condition(rng), _document(rng)
            assert ours.upsert(document, condition) == theirs.upsert(document, condition)
        elif action == 6 and len(theirs) > 1:
            # Never the last one: ours does not give its id again, TinyDB does.
            last = max(d.doc_id for d in theirs)
            ids = [i for i in rng.sample(range(1, 30), 2) if i != last]
            assert ours.remove(doc_ids=ids) == theirs.remove(doc_ids=ids)
        condition = _condition(rng)
        assert _plain(ours.search(condition)) == _plain(theirs.search(condition))
        assert ours.count(condition) == theirs.count(condition)
        assert ours.contains(condition) == theirs.contains(condition)
    assert _plain(ours.all()) == _plain(theirs.all())
    assert len(ours) == len(theirs)
    assert ours.get(doc_id=3) == theirs.get(doc_id=3)
    assert _plain(ours.get(doc_ids=[1, 5, 99])) == _plain(theirs.get(doc_ids=[1, 5, 99]))  # type: ignore[arg-type]


def test_ordering_comparisons(db: DocumentDB) -> None:
    table = db.table("things")
    table.insert_multiple({"year": year, "score": year / 2} for year in range(1990, 2000))
    assert table.count(where("year") > 1995) == 4
    assert table.count((where("year") >= 1995) & (where("score") < 999.0)) == 3
    assert table.count((where("year") < 1991) | (where("year") == 1999)) == 2


def test_bytes_have_a_column_and_stay_bytes(db: DocumentDB) -> None:
    table = db.table("things")
    table.insert({"raw": b"\xff/\xe9"})
    assert table.get(where("raw") == b"\xff/\xe9") == {"raw": b"\xff/\xe9"}
    with pytest.raises(TypeError):
        table.insert({"other": b"no column"})
    assert len(table) == 1


def test_operations_of_tinydb(db: DocumentDB) -> None:
    table = db.table("things")
    (one, two) = table.insert_multiple([{"year": 1, "name": "a"}, {"year": 5}])
    table.update(increment("year"), doc_ids=[one])
    table.update(delete("name"), where("name") == "a")
    assert table.get(doc_id=one) == {"year": 2}
    table.update_multiple([({"score": 1.0}, where("year") == 5), ({"n": 1}, where("year") == 2)])
    assert table.get(doc_id=two) == {"year": 5, "score": 1.0}


def test_an_id_is_never_given_twice(db: DocumentDB) -> None:
    table = db.table("things")
    last = table.insert_multiple([{}, {}, {}])[-1]
    table.remove(doc_ids=[last])
    assert table.insert({}) == last + 1
    table.truncate()
    assert table.insert({}) == last + 2


def test_a_failing_call_changes_nothing(db: DocumentDB) -> None:
    table = db.table("things")
    table.insert_multiple([{"year": 1}, {"year": 2}])

    def explode(document: dict[str, Any]) -> None:
        if document["year"] == 2:
            raise RuntimeError("no")
        document["year"] = 100

    with pytest.raises(RuntimeError):
        table.update(explode)
    with pytest.raises(ValueError, match="already exists"):
        table.insert_multiple([{"year": 3}, Document({"year": 4}, 1)])
    with pytest.raises(ValueError, match="Mapping"):
        table.insert(["no document"])  # type: ignore[arg-type]
    assert [d["year"] for d in table] == [1, 2]


def test_several_calls_join_one_commit(db: DocumentDB) -> None:
    table = db.table("things")

    def two_inserts(*, then_fail: bool) -> None:
        with db.database.transaction():
            table.insert({"year": 1})
            db.table("others").insert({"n": 1})
            assert len(table) == 1
            if then_fail:
                raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        two_inserts(then_fail=True)
    assert (len(table), len(db.table("others"))) == (0, 0)
    two_inserts(then_fail=False)
    assert (len(table), len(db.table("others"))) == (1, 1)


def test_tables_are_listed_dropped_and_kept(tmp_path: Path) -> None:
    with DocumentDB(Database(tmp_path / "x.sqlite3"), [SCHEMA]) as db:
        db.insert({"n": 1})
        db.table("strange \"name'").insert({"n": 2})
        db.table("things").insert({"name": "a"})
    with DocumentDB(Database(tmp_path / "x.sqlite3"), [SCHEMA]) as db:
        assert db.tables() == {"_default", "strange \"name'", "things"}
        assert db.storage.read() == {
            "_default": {"1": {"n": 1}}, "strange \"name'": {"1": {"n": 2}},
            "things": {"1": {"name": "a"}},
        }  # fmt: skip
        db.drop_table("strange \"name'")
        assert db.tables() == {"_default", "things"}
        db.storage.write({"things": {"7": {"name": "z"}}})
        assert db.tables() == {"things"}
        assert db.table("things").get(doc_id=7) == {"name": "z"}
        db.drop_tables()
        assert db.tables() == set()


def test_one_row_is_read_without_the_others(
    db: DocumentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = db.table("things")
    assert isinstance(table, SqliteTable)
    ids = table.insert_multiple({"name": f"n{i}", "x": i} for i in range(2000))
    parsed = []
    real = SqliteTable._document
    monkeypatch.setattr(
        SqliteTable, "_document", lambda self, row: parsed.append(row[0]) or real(self, row)
    )
    table.get(doc_id=ids[700])
    table.search(where("name") == "n5")
    table.update({"x": 0}, doc_ids=[ids[3]])
    assert len(parsed) == 3


def test_fields_are_set_in_bulk_and_only_declared_ones(db: DocumentDB) -> None:
    table = db.sqlite_table("things")
    (one,) = table.insert_multiple([{"name": "a", "year": 1, "x": "kept"}])
    table.set_fields([(one, {"year": 2, "name": None}), (999, {"year": 3})])
    assert table.document(one) == {"year": 2, "x": "kept"}
    for fields in ({"x": 1}, {"year": "text"}, {"score": 1}):
        with pytest.raises(ValueError, match="does not fit"):
            table.set_fields([(one, fields)])
