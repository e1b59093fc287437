"""Results that can be traced: a CSV table beside a JSON file that says how it was made."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import json
import platform
import shlex
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inference.errors import UndertoneError

__all__ = [
    "RunRecord",
    "digest_files",
    "read_results",
    "running_command",
    "table_text",
    "write_results",
]

_PACKAGES = ("undertone", "numpy", "scipy", "torch", "scikit-learn", "onnxruntime", "onnx")
Row = Mapping[str, object]


@dataclass(frozen=True)
class RunRecord:
    """How a results table came about.

    Parameters
    ----------
    command : sequence of str
        The command as it can be typed again, without the root folder's path.
    dataset, protocol : str
    data_digest : str
        `digest_files` of what was read.
    seeds : sequence of int
    seconds : float
        Wall time of the run.
    notes : mapping
        Settings that are no part of the command.
    """

    command: Sequence[str]
    dataset: str
    protocol: str
    data_digest: str
    seeds: Sequence[int]
    seconds: float
    notes: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The record with the versions of everything that can move a figure."""
        return {
            "command": shlex.join(self.command),
            "dataset": self.dataset,
            "protocol": self.protocol,
            "data_digest": self.data_digest,
            "seeds": list(self.seeds),
            "seconds": round(self.seconds, 1),
            "notes": dict(self.notes),
            "versions": _versions(),
            "machine": platform.machine(),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def digest_files(paths: Iterable[Path], root: Path) -> str:
    """sha256 over the names (relative to `root`) and the contents of files, order-independent."""
    whole = hashlib.sha256()
    for path in sorted(Path(p) for p in paths):
        whole.update(path.relative_to(root).as_posix().encode() + b"\0")
        with path.open("rb") as handle:
            whole.update(hashlib.file_digest(handle, "sha256").digest())
    return whole.hexdigest()


def _write_text(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8", newline="")
    temporary.replace(path)


def _cell(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def write_results(folder: Path, name: str, rows: Sequence[Row], record: RunRecord) -> Path:
    """Write ``<name>.csv`` and ``<name>.json`` into `folder`, each in one step.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    name : str
        A plain file name without a suffix.
    rows : sequence of mapping
        Rows with the same columns; numbers get four decimals.

    Returns
    -------
    Path
        The CSV file.

    Raises
    ------
    ValueError
        If there is no row, rows differ in columns, or `name` is no plain name.
    UndertoneError
        If the folder cannot be written.
    """
    if not rows or any(list(r) != list(rows[0]) for r in rows):
        raise ValueError("a results table needs rows with the same columns")
    if Path(name).name != name:
        raise ValueError(f"not a plain file name: {name!r}")
    lines = [list(rows[0])] + [[_cell(v) for v in r.values()] for r in rows]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        table = folder / f"{name}.csv"
        text = "".join(_csv_line(line) for line in lines)
        _write_text(table, text)
        _write_text(
            folder / f"{name}.json", json.dumps(record.as_json(), indent=2, sort_keys=True) + "\n"
        )
    except OSError as error:
        raise UndertoneError(
            f"cannot write results to {folder}: {error.strerror}", "Choose another --out folder."
        ) from error
    return table


def _csv_line(cells: Sequence[str]) -> str:
    def quoted(cell: str) -> str:
        if any(c in cell for c in ',"\n\r'):
            return '"' + cell.replace('"', '""') + '"'
        return cell

    return ",".join(quoted(c) for c in cells) + "\n"


def read_results(path: Path) -> list[dict[str, str]]:
    """Rows of a results CSV."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def table_text(rows: Sequence[Row]) -> str:
    """The rows as aligned plain text for a terminal."""
    if not rows:
        return "(no rows)"
    lines = [list(rows[0])] + [[_cell(v) for v in r.values()] for r in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def running_command() -> list[str]:
    """The command line that is running, with the program's own name in front."""
    return ["undertone", *sys.argv[1:]]
