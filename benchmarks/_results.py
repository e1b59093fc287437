"""Figures of the benchmarks: one type, one printed line, one CSV and JSON writer."""

from __future__ import annotations

import csv
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Result", "processor_name", "report", "write"]

_DIGITS = 4


@dataclass(frozen=True)
class Result:
    """One figure and what is allowed of it.

    Parameters
    ----------
    name : str
    value : float
    unit : str
    target : float
        The most that is allowed; with `at_least`, the least.
    detail : str
        How it was measured.
    at_least : bool
        For rates and the like, where more is better.
    """

    name: str
    value: float
    unit: str
    target: float
    detail: str = ""
    at_least: bool = field(default=False, kw_only=True)

    @property
    def passed(self) -> bool:
        return bool(self.value >= self.target if self.at_least else self.value <= self.target)

    @property
    def line(self) -> str:
        """For people."""
        bound = ">=" if self.at_least else "<="
        return (
            f"{'ok  ' if self.passed else 'MISS'} {self.name:40} {self.value:10.3f} {self.unit:10}"
            f" ({bound} {self.target:g})  {self.detail}"
        ).rstrip()

    def row(self) -> dict[str, Any]:
        """For the CSV file."""
        return {
            "name": self.name,
            "value": round(float(self.value), _DIGITS),
            "unit": self.unit,
            "bound": "at least" if self.at_least else "at most",
            "target": self.target,
            "passed": self.passed,
            "detail": self.detail,
        }


def report(
    name: str,
    results: Iterable[Result],
    out: Path | None,
    *,
    about: Mapping[str, Any] | None = None,
) -> int:
    """Print each figure as it comes, keep all of them as ``name.csv`` and ``name.json``.

    Parameters
    ----------
    name : str
        Of the benchmark: ``python -m benchmarks.NAME`` made it.
    results : iterable of Result
    out : Path or None
        The folder; None only prints.
    about : mapping, optional
        What else is worth knowing of the run, as plain JSON.

    Returns
    -------
    int
        Exit code: 1 if a figure missed its target.
    """
    load = os.getloadavg()[0]
    kept = []
    for result in results:
        print(result.line, flush=True)
        kept.append(result)
    if out is not None and kept:
        write(out, name, [result.row() for result in kept], load=load, about=about)
    return 0 if all(result.passed for result in kept) else 1


def write(
    folder: Path,
    name: str,
    rows: list[dict[str, Any]],
    *,
    module: str = "",
    load: float | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write rows as ``name.csv``, and beside it ``name.json``, which says how they came about.

    Parameters
    ----------
    rows : list of dict
        Of the same keys; plain values.
    module : str
        That made them, where its name is another one.
    load : float, optional
        Of the machine before the run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    run = {
        "command": " ".join(["python", "-m", f"benchmarks.{module or name}", *sys.argv[1:]]),
        "when": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0] if load is None else load, 2),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        **(about or {}),
        "results": rows,
    }
    (folder / f"{name}.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")


def processor_name() -> str:
    """As the system names it, "" where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")
