"""Texts for translators: `make translations [LANGUAGE=de]` writes the .ts files and compiles them.

Qt's own lupdate sees `tr("...")` and no more. Here every text of the window is found: `tr`, the
modules' `_tr`, `QT_TRANSLATE_NOOP`, the labels of the settings, and the fixed texts of errors.
lupdate then brings the .ts files up to date (what is translated stays), lrelease compiles them.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import PySide6

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "resources" / "translations"
TOOLS = Path(PySide6.__file__).parent
WINDOW = ("widgets", "app/desktop")
FLOORS = ("inference", "library_db", "app")

Text = tuple[str, str]
"""Context and text, as Qt's translator is asked for it."""


def texts() -> set[Text]:
    """Every text that the window can show, with its context."""
    found: set[Text] = set()
    for path in _modules(WINDOW):
        found.update(_Finder(ast.parse(path.read_text("utf-8"))).texts)
    for path in _modules(FLOORS):
        found.update(("Errors", text) for text in _error_texts(ast.parse(path.read_text("utf-8"))))
    found.update(("Settings", text) for text in _setting_texts())
    return found


def write(folder: Path, language: str = "") -> list[Path]:
    """Bring the .ts files of `folder` up to date, and compile each to a .qm beside it.

    Parameters
    ----------
    language : str
        Of a file to begin, such as "de" or "pt_BR"; none if empty.

    Returns
    -------
    list of Path
        The .qm files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = {*folder.glob("undertone_*.ts")}
    if language:
        sources.add(folder / f"undertone_{language}.ts")
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch) / "texts.py"
        lines = [f"translate({_quoted(context)}, {_quoted(text)})" for context, text in texts()]
        listing.write_text("\n".join(sorted(lines)) + "\n", "utf-8")
        for source in sorted(sources):
            _run("lupdate", str(listing), "-no-obsolete", "-locations", "none", "-ts", str(source))
    compiled = []
    for source in sorted(sources):
        target = source.with_suffix(".qm")
        _run("lrelease", "-removeidentical", str(source), "-qm", str(target))
        compiled.append(target)
    return compiled


class _Finder(ast.NodeVisitor):
    """Collects the texts of one module."""

    def __init__(self, tree: ast.Module) -> None:
        self.texts: set[Text] = set()
        self._classes: list[str] = []
        self._arguments: list[dict[str, str]] = []
        self._constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value.value, str)
        }
        self._module_context = ""
        self.visit(tree)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._classes.append(node.name)
        self.generic_visit(node)
        self._classes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        self._arguments.append({a.arg: _class_name(a.annotation) for a in arguments})
        if node.name == "_tr":
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and _called(call) == "translate":
                    self._module_context = self._context(call.args[0])
        self.generic_visit(node)
        self._arguments.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node)
        if name in ("translate", "QT_TRANSLATE_NOOP") and len(node.args) >= 2:
            self._take(self._context(node.args[0]), node.args[1])
        elif name == "_tr" and node.args:
            self._take(self._module_context, node.args[0])
        elif name == "tr" and node.args:
            self._take(self._owner(node.func), node.args[0])
        self.generic_visit(node)

    def _take(self, context: str, node: ast.expr) -> None:
        if context:
            self.texts.update((context, text) for text in _strings(node))

    def _context(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self._constants.get(node.id, "")
        return next(iter(_strings(node)), "")

    def _owner(self, function: ast.expr) -> str:
        owner = function.value if isinstance(function, ast.Attribute) else None
        if isinstance(owner, ast.Name) and owner.id != "self":
            return next((a[owner.id] for a in self._arguments[::-1] if owner.id in a), "")
        return self._classes[-1] if self._classes else ""


def _modules(folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def _strings(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _strings(node.body)
        yield from _strings(node.orelse)


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _class_name(annotation: ast.expr | None) -> str:
    return annotation.id if isinstance(annotation, ast.Name) else ""


def _error_texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node).endswith("Error"):
            for argument in node.args[:2]:
                yield from (text for text in _strings(argument) if text)


def _setting_texts() -> Iterator[str]:
    from app.settings import OneOf, describe

    for _section, _name, kind, _default in describe():
        yield kind.label
        if kind.help:
            yield kind.help
        if isinstance(kind, OneOf):
            yield from (choice.capitalize() for choice in kind.choices)


def _quoted(text: str) -> str:
    for sign, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(sign, escaped)
    return f'"{text}"'


def _run(tool: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(TOOLS / tool), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{tool}: {done.stdout}{done.stderr}")


def main(arguments: list[str]) -> int:
    """Write the files and say how far each language is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("language", nargs="?", default="", help="begin this one: de, pt_BR, ...")
    language = parser.parse_args(arguments).language
    compiled = write(FOLDER, language)
    for target in compiled:
        print(target.relative_to(ROOT))
    if not compiled:
        print("No language yet. Begin one: make translations LANGUAGE=de")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
