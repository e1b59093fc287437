"""Which fields of a document have SQL columns, and how a query narrows by them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Column", "TableSchema", "compile_query", "fits", "quoted"]

_INT64 = range(-(2**63), 2**63)
_COMPARISONS = {"==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True, slots=True)
class Column:
    """A document field that gets an SQL column; `sql_type` is INTEGER, REAL, TEXT or BLOB."""

    name: str
    sql_type: str
    index: bool = False
    unique: bool = False


@dataclass(frozen=True)
class TableSchema:
    """The declared fields of one table; all other fields of a document go into its JSON."""

    name: str
    columns: tuple[Column, ...] = ()
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(c.name for c in self.columns))

    def create_statements(self) -> list[str]:
        """SQL that creates the table and its indexes."""
        table = quoted(self.name)
        columns = "".join(f", {quoted(c.name)} {c.sql_type}" for c in self.columns)
        statements = [
            # AUTOINCREMENT: an id is never given to a second document.
            f"CREATE TABLE IF NOT EXISTS {table} "
            f"(id INTEGER PRIMARY KEY AUTOINCREMENT{columns}, doc TEXT)"
        ]
        for column in self.columns:
            if column.index or column.unique:
                unique = "UNIQUE " if column.unique else ""
                name = quoted(f"{self.name}_{column.name}")
                statements.append(
                    f"CREATE {unique}INDEX IF NOT EXISTS {name} ON {table} ({quoted(column.name)})"
                )
        return statements


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def fits(value: object, sql_type: str) -> bool:
    """Whether `value` comes back from a column of this type as the same Python value."""
    kind = type(value)
    if sql_type == "TEXT":
        return kind is str and _encodable(value)  # type: ignore[arg-type]
    if sql_type == "INTEGER":
        return kind is int and value in _INT64
    if sql_type == "REAL":
        return kind is float and not math.isnan(value)  # type: ignore[arg-type]
    return kind is bytes


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # lone surrogates: JSON can escape them, SQLite cannot hold them
        return False
    return True


def compile_query(query: object, schema: TableSchema) -> tuple[str, list[Any]] | None:
    """SQL that holds for every document that `query` (a TinyDB query's hash) accepts.

    It may hold for others too, since the query is asked again; None where SQL
    cannot narrow it. A field that did not fit its column is NULL there.
    """
    if not isinstance(query, tuple) or not query:
        return None
    operator = query[0]
    if operator in ("and", "or") and isinstance(query[1], frozenset):
        parts = [compile_query(part, schema) for part in query[1]]
        known = [part for part in parts if part is not None]
        if not known or (operator == "or" and len(known) < len(parts)):
            return None
        sql = f" {operator.upper()} ".join(f"({part[0]})" for part in known)
        return sql, [value for part in known for value in part[1]]
    if operator not in _COMPARISONS or len(query) != 3:
        return None
    path, value = query[1], query[2]
    if not (isinstance(path, tuple) and len(path) == 1 and path[0] in schema.names):
        return None
    if not any(fits(value, kind) for kind in ("TEXT", "INTEGER", "REAL", "BLOB")):
        return None
    column = quoted(path[0])
    return f"{column} {_COMPARISONS[operator]} ? OR {column} IS NULL", [value]
