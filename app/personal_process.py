"""Training one's own model in a process of its own: how to start it, what its lines mean.

The window starts `train_command`, reads lines from its stdout, and ends it with SIGTERM to
cancel; what is finished is kept, and the next training goes on from there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from app.paths import Home
from app.personal import PersonalReport
from inference.job import Progress

__all__ = [
    "Line",
    "TrainingFault",
    "fault_line",
    "progress_line",
    "read_line",
    "report_line",
    "train_command",
]


@dataclass(frozen=True)
class TrainingFault:
    """Why a training came to nothing, for people, with the remedy; nothing was lost."""

    text: str
    remedy: str


_NICENESS = 10  # as the workers that tag: playing goes first

Line = Progress | PersonalReport | TrainingFault


def train_command(home: Home, *, roll_back: bool = False, use: int | None = None) -> Sequence[str]:
    """The command that trains (or rolls back, or takes up version `use`; 0: the common model).

    It reports line by line on its stdout.
    """
    command = [sys.executable, "-m", "app", "train", "personal", "--jsonl"]
    command += ["--home", str(home.folder), "--niceness", str(_NICENESS)]
    if use is not None:
        return [*command, "--use", str(use)]
    return [*command, "--roll-back"] if roll_back else command


def progress_line(progress: Progress) -> dict[str, Any]:
    """A line of progress: step `done` of `total` (0 while unknown)."""
    return {
        "kind": "progress",
        "done": progress.done,
        "total": progress.total,
        "text": progress.text,
    }


def report_line(report: PersonalReport) -> dict[str, Any]:
    """The last line of a training."""
    return {"kind": "report", **report.to_json()}


def fault_line(fault: TrainingFault) -> dict[str, Any]:
    """The last line of a training that failed."""
    return {"kind": "fault", "text": fault.text, "remedy": fault.remedy}


def read_line(text: str) -> Line | None:
    """What a line says; None for one that says nothing (of a newer version, say)."""
    try:
        found = json.loads(text)
        kind = found.pop("kind")
        if kind == "progress":
            return Progress(int(found["done"]), int(found["total"]), str(found["text"]))
        if kind == "report":
            known = {f.name for f in fields(PersonalReport)}
            return PersonalReport(**{k: v for k, v in found.items() if k in known})
        if kind == "fault":
            return TrainingFault(str(found["text"]), str(found["remedy"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    return None
