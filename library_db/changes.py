"""What a commit changed, so that views update only what they show."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ChangeSet"]


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The tracks that a commit touched, by id; each id stands in one of the three."""

    added: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def touched(self) -> tuple[int, ...]:
        """All ids, added first, then changed, then removed."""
        return self.added + self.changed + self.removed
