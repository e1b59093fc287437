"""TinyDB on SQLite: a Storage and a Table that read and write single documents as rows.

TinyDB's own Table copies all documents at each call, so a Storage alone would
not do. Here a document is one row: fields that the table's schema declares lie
in SQL columns of their own (indexable, and readable in bulk without parsing),
all others as JSON in the column `doc`. TinyDB's queries work unchanged; where
one compares a declared field, SQL narrows the candidates first and the query
itself decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tinydb import TinyDB
from tinydb.queries import QueryLike
from tinydb.storages import Storage
from tinydb.table import Document, Table

from library_db.database import Database
from library_db.schema import TableSchema, compile_query, fits, quoted

__all__ = ["Document", "DocumentDB", "SqliteStorage", "SqliteTable"]

_CHUNK = 500


class SqliteStorage(Storage):
    """TinyDB's storage over a `Database`: every table a SQL table, every document a row."""

    def __init__(self, database: Database, schemas: Sequence[TableSchema] = ()) -> None:
        super().__init__()
        self.database = database
        self.schemas = {schema.name: schema for schema in schemas}

    def schema(self, name: str) -> TableSchema:
        """The declared schema of table `name`, or one without columns."""
        return self.schemas.get(name) or TableSchema(name)

    def table_names(self) -> list[str]:
        """The names of the tables that exist."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT m.name FROM sqlite_master AS m WHERE type = 'table' "
                "AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND EXISTS "
                "(SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'doc') ORDER BY m.name"
            )
            return [name for (name,) in rows]

    def drop(self, name: str) -> None:
        """Remove a table and all its documents."""
        with self.database.transaction() as connection:
            connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")

    def read(self) -> dict[str, dict[str, Any]] | None:
        """Everything, as TinyDB's own storages give it: for export and tools, not for daily use."""
        tables = {
            name: {str(d.doc_id): dict(d) for d in SqliteTable(self, name)}
            for name in self.table_names()
        }
        return tables or None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace everything in one commit."""
        with self.database.transaction():
            for name in self.table_names():
                if name not in data:
                    self.drop(name)
            for name, documents in data.items():
                table = SqliteTable(self, name)
                table.truncate()
                table.insert_multiple(Document(d, int(i)) for i, d in documents.items())

    def close(self) -> None:
        self.database.close()


class SqliteTable(Table):
    """A TinyDB table whose every call touches only the rows that it concerns.

    Differences from TinyDB's: an id is never used twice, query results are not
    cached (another process may write), and `put_multiple` and `set_fields`
    write many documents at once.
    """

    def __init__(self, storage: Storage, name: str, **options: Any) -> None:
        if not isinstance(storage, SqliteStorage):
            raise TypeError("SqliteTable needs a SqliteStorage")
        self._database = storage.database
        self._schema = storage.schema(name)
        self._sql_name = quoted(name)
        self._exists_for_good = False
        columns = [quoted(c) for c in self._schema.names]
        self._select = f"SELECT {', '.join(['id', 'doc', *columns])} FROM {self._sql_name}"
        marks = ", ".join("?" * (2 + len(columns)))
        self._values = (
            f"INTO {self._sql_name} ({', '.join(['id', 'doc', *columns])}) VALUES ({marks})"
        )
        self._ensure()
        options.pop("persist_empty", None)
        options["cache_size"] = 0
        super().__init__(storage, name, **options)

    # rows and documents

    def _ensure(self) -> None:
        """Create the SQL table unless it is there; anew if its creation was rolled back."""
        if self._exists_for_good:
            return
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
                (self._schema.name,),
            ).fetchone()
        if found is None:
            with self._database.transaction() as connection:
                for statement in self._schema.create_statements():
                    connection.execute(statement)
        self._exists_for_good = not self._database.in_transaction

    def _split(self, document: Mapping[str, Any]) -> tuple[str | None, list[Any]]:
        rest = dict(document)
        values: list[Any] = []
        for column in self._schema.columns:
            value = rest.get(column.name)
            if value is not None and fits(value, column.sql_type):
                values.append(value)
                del rest[column.name]
            else:
                values.append(None)
        return (json.dumps(rest) if rest else None), values

    def _document(self, row: Sequence[Any]) -> Document:
        fields: dict[str, Any] = json.loads(row[1]) if row[1] else {}
        for name, value in zip(self._schema.names, row[2:], strict=True):
            if value is not None:
                fields[name] = value
        return Document(fields, row[0])

    def _candidates(self, cond: QueryLike | None) -> Iterator[Document]:
        """Documents that may match `cond`: those that its SQL part does not rule out."""
        where, values = "", []
        if cond is not None:
            compiled = compile_query(getattr(cond, "_hash", None), self._schema)
            if compiled is not None:
                where, values = f" WHERE {compiled[0]}", compiled[1]
        self._ensure()
        with self._database.reading() as connection:
            rows = connection.execute(f"{self._select}{where} ORDER BY id", values).fetchall()
        return map(self._document, rows)

    def _matching(self, cond: QueryLike) -> Iterator[Document]:
        return (document for document in self._candidates(cond) if cond(document))

    def _by_ids(self, doc_ids: Iterable[int]) -> list[Document]:
        """The documents with these ids that exist, in order of id."""
        wanted = sorted(set(doc_ids))
        found: list[Document] = []
        self._ensure()
        with self._database.reading() as connection:
            for start in range(0, len(wanted), _CHUNK):
                chunk = wanted[start : start + _CHUNK]
                marks = ", ".join("?" * len(chunk))
                rows = connection.execute(
                    f"{self._select} WHERE id IN ({marks}) ORDER BY id", chunk
                ).fetchall()
                found.extend(map(self._document, rows))
        return found

    # reading

    def all(self) -> list[Document]:
        return list(self)

    def __iter__(self) -> Iterator[Document]:
        return self._candidates(None)

    def __len__(self) -> int:
        self._ensure()
        with self._database.reading() as connection:
            count: int = connection.execute(f"SELECT count(*) FROM {self._sql_name}").fetchone()[0]
        return count

    def search(self, cond: QueryLike) -> list[Document]:
        return list(self._matching(cond))

    def get(  # type: ignore[override]
        self,
        cond: QueryLike | None = None,
        doc_id: int | None = None,
        doc_ids: list[int] | None = None,
    ) -> Document | list[Document] | None:
        if doc_id is not None:
            found = self._by_ids([doc_id])
            return found[0] if found else None
        if doc_ids is not None:
            return self._by_ids(doc_ids)
        if cond is not None:
            return next(self._matching(cond), None)
        raise RuntimeError("You have to pass either cond or doc_id or doc_ids")

    def document(self, doc_id: int) -> Document | None:
        """As `get(doc_id=...)`, with one type."""
        found = self._by_ids([doc_id])
        return found[0] if found else None

    def documents(self, doc_ids: Iterable[int]) -> dict[int, Document]:
        """As `get(doc_ids=...)`, by id."""
        return {document.doc_id: document for document in self._by_ids(doc_ids)}

    # writing

    def insert(self, document: Mapping[str, Any]) -> int:
        return self.insert_multiple([document])[0]

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> list[int]:
        return self._write("INSERT", documents)

    def put_multiple(self, documents: Iterable[Document]) -> list[int]:
        """Insert documents that carry their ids, replacing those that exist."""
        return self._write("INSERT OR REPLACE", documents)

    def _write(self, verb: str, documents: Iterable[Mapping[str, Any]]) -> list[int]:
        doc_ids: list[int] = []
        statement = f"{verb} {self._values}"
        self._ensure()
        with self._database.transaction() as connection:
            for document in documents:
                if not isinstance(document, Mapping):
                    raise ValueError("Document is not a Mapping")
                doc_id = document.doc_id if isinstance(document, Document) else None
                if doc_id is not None and verb == "INSERT" and self._exists(connection, doc_id):
                    raise ValueError(f"Document with ID {doc_id} already exists")
                doc, values = self._split(document)
                cursor = connection.execute(statement, (doc_id, doc, *values))
                doc_ids.append(doc_id if doc_id is not None else int(cursor.lastrowid or 0))
        return doc_ids

    def _exists(self, connection: Any, doc_id: int) -> bool:
        found = connection.execute(f"SELECT 1 FROM {self._sql_name} WHERE id = ?", (doc_id,))
        return found.fetchone() is not None

    def set_fields(self, updates: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Set declared fields of many documents without reading them; None clears a field.

        Raises
        ------
        ValueError
            If a field is not declared in the schema, or its value does not fit its column.
        """
        types = {c.name: c.sql_type for c in self._schema.columns}
        with self._database.transaction() as connection:
            for doc_id, fields in updates:
                for name, value in fields.items():
                    if name not in types or not (value is None or fits(value, types[name])):
                        raise ValueError(f"{name} = {value!r} does not fit table {self.name}")
                assignments = ", ".join(f"{quoted(name)} = ?" for name in fields)
                connection.execute(
                    f"UPDATE {self._sql_name} SET {assignments} WHERE id = ?",
                    (*fields.values(), doc_id),
                )

    def update(
        self,
        fields: Mapping[str, Any] | Callable[[Any], None],
        cond: QueryLike | None = None,
        doc_ids: Iterable[int] | None = None,
    ) -> list[int]:
        with self._database.transaction():
            if doc_ids is not None:
                requested = list(doc_ids)
                found = self.documents(requested)
                targets = [found[i] for i in requested if i in found]
            else:
                targets = list(self._candidates(None) if cond is None else self._matching(cond))
            for document in targets:
                _apply(fields, document)
            self.put_multiple(targets)
        return [document.doc_id for document in targets]

    def update_multiple(
        self,
        updates: Iterable[tuple[Mapping[str, Any] | Callable[[Any], None], QueryLike]],
    ) -> list[int]:
        pairs = list(updates)
        updated: list[int] = []
        with self._database.transaction():
            for document in list(self):
                hits = 0
                for fields, cond in pairs:
                    if cond(document):
                        _apply(fields, document)
                        hits += 1
                if hits:
                    updated.extend([document.doc_id] * hits)
                    self.put_multiple([document])
        return updated

    def upsert(self, document: Mapping[str, Any], cond: QueryLike | None = None) -> list[int]:
        with self._database.transaction():
            return super().upsert(document, cond)

    def remove(
        self, cond: QueryLike | None = None, doc_ids: Iterable[int] | None = None
    ) -> list[int]:
        with self._database.transaction() as connection:
            if doc_ids is not None:
                requested = list(doc_ids)
                found = self.documents(requested)
                removed = [i for i in requested if i in found]
            elif cond is not None:
                removed = [document.doc_id for document in self._matching(cond)]
            else:
                raise RuntimeError("Use truncate() to remove all documents")
            connection.executemany(
                f"DELETE FROM {self._sql_name} WHERE id = ?", ((i,) for i in removed)
            )
        return removed

    def truncate(self) -> None:
        self._ensure()
        with self._database.transaction() as connection:
            connection.execute(f"DELETE FROM {self._sql_name}")

    # what TinyDB's own code would use; complete, if slow

    def _read_table(self) -> dict[str, Mapping[str, Any]]:
        return {str(document.doc_id): dict(document) for document in self}

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> None:
        with self._database.transaction():
            table: dict[int, Mapping[str, Any]] = {d.doc_id: dict(d) for d in self}
            updater(table)
            self.truncate()
            self.insert_multiple(Document(d, i) for i, d in table.items())


def _apply(fields: Mapping[str, Any] | Callable[[Any], None], document: Document) -> None:
    if callable(fields):
        fields(document)
    else:
        document.update(fields)


class DocumentDB(TinyDB):
    """TinyDB whose tables are `SqliteTable`."""

    table_class: type[Table] = SqliteTable

    def __init__(self, database: Database, schemas: Sequence[TableSchema] = ()) -> None:
        super().__init__(database, schemas, storage=SqliteStorage)
        self.database = database

    def sqlite_table(self, name: str) -> SqliteTable:
        """As `table`, with its type."""
        table = self.table(name)
        assert isinstance(table, SqliteTable)
        return table

    def tables(self) -> set[str]:
        storage = self.storage
        assert isinstance(storage, SqliteStorage)
        return set(storage.table_names())

    def drop_table(self, name: str) -> None:
        storage = self.storage
        assert isinstance(storage, SqliteStorage)
        self._tables.pop(name, None)
        storage.drop(name)
