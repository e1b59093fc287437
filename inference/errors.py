"""The one tree of expected errors: each has a text for the person and a remedy."""

from __future__ import annotations

__all__ = ["UndertoneError"]


class UndertoneError(Exception):
    """Something that can go wrong in use, as opposed to a bug.

    Parameters
    ----------
    message : str
        One sentence that says what is wrong, without a trailing full stop.
    remedy : str, optional
        What the person can do about it, as an imperative sentence.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}" if self.remedy else self.message

    def __reduce__(self) -> tuple[type[UndertoneError], tuple[str, str]]:
        # Errors cross process borders (spawned tagging workers); subclasses keep this signature.
        return (type(self), (self.message, self.remedy))
