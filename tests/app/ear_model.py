"""The tests' classifier, not loaded yet; importing this stays as light as the program itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.tagging import Model

if TYPE_CHECKING:
    from tests.app.ear import Ear

__all__ = ["EAR", "ear_model"]

EAR = "test-ear"


def ear_model() -> Model:
    """A model whose workers listen with `tests.app.ear.Ear`."""
    return Model(EAR, _load)


def _load() -> Ear:
    from tests.app.ear import Ear

    return Ear()
