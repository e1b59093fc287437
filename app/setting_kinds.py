"""The kinds of values that a setting can take, each with bounds and a hint for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Integer", "Kind", "OneOf", "Real", "Reals", "Switch", "Text", "Texts"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What values a setting takes.

    `label` and `help` are for people, `hint` completes "write ...".
    """

    label: str = ""
    help: str = field(default="", kw_only=True)

    @property
    def hint(self) -> str:
        raise NotImplementedError

    def accepts(self, value: object) -> bool:
        raise NotImplementedError

    def read(self, value: object) -> object:
        """The value as the program keeps it, from the value that TOML holds."""
        return value

    def write(self, value: Any) -> object:
        """The value as TOML holds it."""
        return value


@dataclass(frozen=True, slots=True)
class Switch(Kind):
    """true or false."""

    @property
    def hint(self) -> str:
        return "true or false"

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Integer(Kind):
    """A whole number from `low` to `high`, both included, in `unit`."""

    low: int = 0
    high: int = 100
    unit: str = ""

    @property
    def hint(self) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        return f"a whole number from {self.low} to {self.high}{unit}"

    def accepts(self, value: object) -> bool:
        return (
            isinstance(value, int)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
        )


@dataclass(frozen=True, slots=True)
class Real(Kind):
    """A number from `low` to `high`, both included, in `unit`."""

    low: float = 0.0
    high: float = 1.0
    unit: str = ""

    @property
    def hint(self) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        return f"a number from {self.low:g} to {self.high:g}{unit}"

    def accepts(self, value: object) -> bool:
        # A NaN fails both comparisons.
        return (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and self.low <= value <= self.high
        )

    def read(self, value: object) -> object:
        return float(value) if isinstance(value, (int, float)) else value


@dataclass(frozen=True, slots=True)
class OneOf(Kind):
    """One of a few words."""

    choices: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        quoted = [f'"{choice}"' for choice in self.choices]
        return f"{', '.join(quoted[:-1])} or {quoted[-1]}"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and value in self.choices


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """A text of at most `longest` characters."""

    longest: int = 200

    @property
    def hint(self) -> str:
        return f"a text in quotes of at most {self.longest} characters"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and len(value) <= self.longest


@dataclass(frozen=True, slots=True)
class Texts(Kind):
    """A list of at most `most` texts."""

    most: int = 100

    @property
    def hint(self) -> str:
        return f"a list of at most {self.most} texts in quotes"

    def accepts(self, value: object) -> bool:
        return (
            isinstance(value, (list, tuple))
            and len(value) <= self.most
            and all(isinstance(item, str) and len(item) <= 1000 for item in value)
        )

    def read(self, value: object) -> object:
        return tuple(value) if isinstance(value, (list, tuple)) else value

    def write(self, value: Any) -> object:
        return list(value)


@dataclass(frozen=True, slots=True)
class Reals(Kind):
    """`count` numbers, each from `low` to `high`, both included, in `unit`."""

    count: int = 1
    low: float = 0.0
    high: float = 1.0
    unit: str = ""

    @property
    def hint(self) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        return f"a list of {self.count} numbers from {self.low:g} to {self.high:g}{unit}"

    def accepts(self, value: object) -> bool:
        one = Real("", self.low, self.high)
        return (
            isinstance(value, (list, tuple))
            and len(value) == self.count
            and all(map(one.accepts, value))
        )

    def read(self, value: object) -> object:
        return tuple(map(float, value)) if isinstance(value, (list, tuple)) else value

    def write(self, value: Any) -> object:
        return list(value)
