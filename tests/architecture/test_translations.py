"""Every text of the window can be translated: it is found, written for translators, and loaded."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import QLocale, QTranslator
from PySide6.QtWidgets import QApplication

ROOT = Path(__file__).resolve().parents[2]
SHOWING = {
    "IconButton", "QAction", "QCheckBox", "QLabel", "QMenu", "QPushButton", "QRadioButton",
    "addAction", "addItem", "addMenu", "addRow", "addTab", "button", "drawText", "explain", "label",
    "say", "setAccessibleDescription", "setAccessibleName", "setHeaderLabels", "setPlaceholderText",
    "setPrefix", "setStatusTip", "setSuffix", "setText", "setTitle", "setToolTip", "setWindowTitle",
    "set_whole", "show_state", "show_toast",
}  # fmt: skip
NO_TEXT = re.compile(r"Undertone|[a-z_-]+|<br>|(Ctrl\+|Shift\+|Alt\+)*(\w|Left|Home|Space|Del)")
"""The name, icons and roles of text, keys."""


@pytest.fixture(scope="module")
def translations() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "translations", ROOT / "packaging/translations.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from literals(value)
    elif isinstance(node, (ast.IfExp, ast.BoolOp, ast.BinOp)):
        for value in ast.iter_child_nodes(node):
            if isinstance(value, ast.expr) and not (
                isinstance(node, ast.IfExp) and value is node.test
            ):
                yield from literals(value)


def plain_texts(source: str) -> list[str]:
    """Texts in `source` that are shown as they stand."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            name = name or getattr(function, "id", "")
            if name in SHOWING:
                arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
                found += [text for argument in arguments for text in literals(argument)]
    return [t for t in found if re.search(r"[^\W\d_]{2}", t) and not NO_TEXT.fullmatch(t)]


def test_no_text_is_shown_past_the_translator() -> None:
    assert plain_texts('x.setText("Two songs")\nlabel(f"{n} songs" if n else "none", "soft")') == [
        "Two songs", " songs",
    ]  # fmt: skip
    for folder in ("widgets", "app/desktop"):
        for path in (ROOT / folder).rglob("*.py"):
            assert plain_texts(path.read_text("utf-8")) == [], path


def test_texts_are_found_in_each_way_of_writing_them(translations: ModuleType) -> None:
    source = """
_CONTEXT = "Text"
_MOODS = [QT_TRANSLATE_NOOP("Text", "Calm")]
def _tr(text): return QCoreApplication.translate(_CONTEXT, text)
class One(QWidget):
    def show(self, many): return self.tr("1 song" if many else "songs"), _tr("a " "b")
def name(dialog: One): return dialog.tr("Hz"), QCoreApplication.translate("Other", "c")
"""
    assert translations._Finder(ast.parse(source)).texts == {
        ("Text", "Calm"), ("Text", "a b"), ("One", "1 song"), ("One", "songs"), ("One", "Hz"),
        ("Other", "c"),
    }  # fmt: skip


def test_the_texts_of_settings_and_errors_are_among_them(translations: ModuleType) -> None:
    found = translations.texts()
    assert {
        ("Settings", "Less movement"),
        ("Settings", "Album"),
        ("Errors", "The file is no longer there"),
        ("Errors", "Scan the folder again."),
        ("Actions", "Settings \u2026"),
    } <= found
    # Braces are filled in afterwards: one that is not closed would be an error in the window.
    assert [text for _, text in found if text.count("{") != text.count("}")] == []


def test_a_language_is_begun_kept_compiled_and_loaded(
    translations: ModuleType, tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.desktop import main
    from widgets.text import mood_name

    (compiled,) = translations.write(tmp_path, "de")
    source = tmp_path / "undertone_de.ts"
    text = source.read_text("utf-8")
    assert "<source>Settings \u2026</source>" in text
    text, changes = re.subn(
        r"(<source>Untagged</source>\s*)<translation type=\"unfinished\"></translation>",
        r"\1<translation>Noch ohne</translation>",
        text,
    )
    assert changes >= 1
    source.write_text(text, "utf-8")
    assert translations.write(tmp_path) == [compiled]
    assert "Noch ohne" in source.read_text("utf-8")  # a second run keeps it
    installed: list[QTranslator] = []
    monkeypatch.setattr(qapp, "installTranslator", installed.append)
    before = QLocale()
    QLocale.setDefault(QLocale("de_DE"))
    try:
        main._install_translation(qapp, tmp_path)
    finally:
        QLocale.setDefault(before)
    own = installed[-1]
    assert Path(own.filePath()) == compiled
    assert own.translate("Text", "Untagged") == "Noch ohne"
    assert mood_name(None) == "Untagged"
