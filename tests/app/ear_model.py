"""The tests' classifier, not loaded yet; importing this stays as light as the program itself."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from app.tagging import Model

if TYPE_CHECKING:
    from tests.app.ear import Ear

__all__ = ["EAR", "FRONT_END", "ear_model"]

EAR = "test-ear"
FRONT_END = "test-bands"


def ear_model(revision: str = "", front_end: str = "", *, adapts: bool = False) -> Model:
    """A model whose workers listen with `tests.app.ear.Ear`."""
    load = functools.partial(_load, revision)
    return Model(EAR, load, revision, front_end, load if adapts else None)


def _load(revision: str, statistics: bytes | None = None) -> Ear:
    from tests.app.ear import Ear

    return Ear(revision, statistics)
