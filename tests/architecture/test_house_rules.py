"""Rules of the house that no linter knows: layout, sizes, docstrings, and a README that is true."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "widgets", "library_db", "inference")
MAX_LINES = 500
MAX_RESOURCE_BYTES = 25 * 2**20
# Scores of the demo library: data, written as Python.
LONG_BY_NATURE = {"app/demo/pieces.py"}
# Every command offers these two, described once in app/cli/README.md.
COMMAND_NAMES = {"add_parser", "run"}

MODULES = sorted(
    str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")
)


def sources():
    return [(name, ast.parse((ROOT / name).read_text("utf-8"))) for name in MODULES]


def test_no_module_grows_past_reading():
    too_long = {
        name: lines
        for name in MODULES
        if (lines := len((ROOT / name).read_text("utf-8").splitlines())) > MAX_LINES
        and name not in LONG_BY_NATURE
    }
    assert not too_long


def test_every_module_says_what_it_does():
    silent = [
        name
        for name, tree in sources()
        if ast.get_docstring(tree) is None and (tree.body or not name.endswith("__init__.py"))
    ]
    assert not silent


def test_what_a_module_offers_is_documented():
    """Names in `__all__` that are functions or classes have a docstring."""
    silent = []
    for name, tree in sources():
        offered = {
            element.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
            and isinstance(node.value, ast.List | ast.Tuple)
            for element in node.value.elts
            if isinstance(element, ast.Constant)
        }
        silent += [
            f"{name}: {node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and node.name in offered - COMMAND_NAMES
            and ast.get_docstring(node) is None
        ]
    assert not silent


def test_the_packaging_folder_shadows_nothing():
    # With an __init__.py it would hide the `packaging` library that pip and pytest need.
    assert (ROOT / "packaging" / "bootstrap.sh").exists()
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_the_top_level_is_the_agreed_one():
    for name in ("app", "widgets", "inference", "library_db", "resources", "tests", "packaging"):
        assert (ROOT / name / "README.md").exists(), f"{name}/README.md is missing"


@pytest.mark.parametrize("folder", sorted(p.name for p in (ROOT / "resources").iterdir()))
def test_resources_stay_small(folder):
    top = ROOT / "resources" / folder
    files = [top] if top.is_file() else [path for path in top.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MAX_RESOURCE_BYTES


def test_the_package_names_no_machine():
    """No text of the project speaks of a place that only one machine has."""
    names = [
        name
        for name in tracked_texts()
        if re.search(r"(/root/|/work/|/home/(?!you|user|me)\w+/)", (ROOT / name).read_text("utf-8"))
    ]
    assert names in ([], ["tests/architecture/test_house_rules.py"])


def test_the_readme_shows_the_two_commands_and_files_that_exist():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "make run" in readme
    assert "make test" in readme
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", readme) + re.findall(r'src="([^"]+)"', readme)
    missing = [link for link in links if not (ROOT / link).exists()]
    assert links
    assert not missing


def test_the_make_targets_of_the_readme_exist():
    readme = (ROOT / "README.md").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"\bmake ([a-z]+)", readme))
    assert {"run", "test"} <= named
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


def tracked_texts() -> list[str]:
    """Source and text files of the project, with or without git at hand."""
    suffixes = {".py", ".md", ".sh", ".toml", ".txt", ".xml", ".desktop", ".json", ".csv"}
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        listed = MODULES
    return [name for name in listed if Path(name).suffix in suffixes and (ROOT / name).is_file()]
