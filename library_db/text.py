"""Text made comparable: without case and accents for searching, without articles for sorting."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["MAX_TEXT", "fold", "plain_text", "sort_key"]

# Letters that Unicode does not decompose, as people type them on a plain keyboard.
_PLAIN = {
    "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
    "\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-", "\u2013": "-",
}  # fmt: skip
_OTHER = re.compile(f"[{''.join(_PLAIN)}]")

# Accents of the Latin, Greek and Cyrillic scripts, points of Hebrew, vowel signs of Arabic. Marks
# that make another letter, as in Japanese and the Indic scripts, stay.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)

_ARTICLES = (
    "the ", "a ", "an ", "der ", "die ", "das ", "le ", "la ", "les ", "l'", "el ", "los ", "las ",
)  # fmt: skip


def fold(text: str) -> str:
    """`text` in lower case and without accents: "Sigur Rós" -> "sigur ros"."""
    if text.isascii():
        return text.lower()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return plain if plain.isascii() else _OTHER.sub(_plain_letter, plain)


def _plain_letter(found: re.Match[str]) -> str:
    return _PLAIN[found[0]]


def sort_key(folded: str) -> str:
    """The key by which a folded artist's name sorts: leading article and punctuation ignored."""
    for article in _ARTICLES:
        if folded.startswith(article) and len(folded) > len(article):
            return folded[len(article) :].strip() or folded
    return folded.lstrip("\"'([{.!?*-_ ") or folded


MAX_TEXT = 512
"""Longest text that is kept of a tag, in characters."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u200b\u2060\ufeff\ufffe\uffff\u00ad") | _BIDI


def plain_text(value: object, limit: int = MAX_TEXT) -> str:
    """`value` as one line of plain, bounded text, whatever a file put into it.

    Control characters and line breaks become single spaces, invisible and
    direction-changing characters go, lone surrogates become U+FFFD, and what
    is longer than `limit` characters ends in an ellipsis. UTF-8 that was read
    as Latin-1 is put right.
    """
    text = str(value)[: 4 * limit]
    text = _undo_mojibake(text)
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_plain_character, text))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "\u2026"


def _plain_character(c: str) -> str:
    if c in _INVISIBLE:
        return ""
    category = unicodedata.category(c)
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    return "\ufffd" if category == "Cs" else c


def _undo_mojibake(text: str) -> str:
    if text.isascii():
        return text
    try:
        # Genuine Latin-1 text is as good as never valid UTF-8.
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
