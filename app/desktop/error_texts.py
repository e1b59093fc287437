"""Errors as the listener reads them: fixed texts of the lower floors pass the translator."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from inference.errors import UndertoneError

__all__ = ["error_text"]


def error_text(error: BaseException) -> str:
    """What went wrong and what helps; texts with names or numbers in them stay as they are."""
    if not isinstance(error, UndertoneError):
        return str(error) or type(error).__name__
    message, remedy = _tr(error.message), _tr(error.remedy) if error.remedy else ""
    return f"{message}. {remedy}" if remedy else message


def _tr(text: str) -> str:
    return QCoreApplication.translate("Errors", text)
