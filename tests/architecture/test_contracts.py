"""The floors and the doors hold, and the contracts that say so would notice a breach."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "widgets", "library_db", "inference", "resources")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
    "contracts"
]


def lint(folder: Path) -> str:
    """The output of import-linter on the packages in `folder`."""
    code = "from importlinter.cli import lint_imports_command as command; command()"
    result = subprocess.run(
        [sys.executable, "-c", code, "--no-logo", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return result.stdout + result.stderr


def broken(output: str) -> set[str]:
    return set(re.findall(r"^(.+?) BROKEN", output, re.MULTILINE))


def test_every_contract_is_kept():
    output = lint(ROOT)
    assert f"{len(CONTRACTS)} kept, 0 broken" in output, output


BREACHES = {
    "app/breach.py": "import PySide6.QtCore, vlc, mutagen",
    "app/cli/breach.py": "import app.desktop\nfrom inference.training import breach",
    "app/desktop/allowed.py": "import PySide6.QtWidgets\nimport widgets",
    "widgets/breach.py": "import app.breach\nimport inference.audio.breach",
    "library_db/breach.py": "import inference.catalog.breach, onnxruntime, scipy, bleak, dbus_fast",
    "inference/audio/breach.py": "import torch, librosa, tinydb, pytest",
    "inference/catalog/breach.py": "import av, pyqtgraph, bumble, pylsl, pyedflib, watchfiles",
    "inference/training/breach.py": "import torch, librosa, sklearn",
}


def test_each_contract_notices_a_breach(tmp_path):
    for package in PACKAGES:
        # Sources only: models and pictures are of no interest here.
        for path in (ROOT / package).rglob("*.py"):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    for name, source in BREACHES.items():
        (tmp_path / name).write_text(source, "utf-8")
    output = lint(tmp_path)
    assert broken(output) == {contract["name"] for contract in CONTRACTS}, output
    assert "app.desktop.allowed" not in output


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def doors() -> list[str]:
    """The exceptions of all contracts that name one package and one module: `a.b -> vlc`."""
    return sorted(
        {
            line
            for contract in CONTRACTS
            for line in contract.get("ignore_imports", [])
            if "*" not in line
        }
    )


@pytest.mark.parametrize("door", doors())
def test_no_door_stands_unused(graph, door):
    importer, imported = door.split(" -> ")
    assert importer in graph.modules, f"{importer} does not exist: remove its door"
    targets = graph.find_modules_directly_imported_by(importer)
    used = any(f"{target}.".startswith(f"{imported}.") for target in targets)
    assert used, f"{importer} no longer imports {imported}: remove the door"


@pytest.mark.parametrize(
    "package", ["torch", "sklearn", "onnxruntime", "PySide6", "mutagen", "vlc"]
)
def test_the_guarded_packages_are_in_use(graph, package):
    """A contract about a package that nobody imports would be empty."""
    assert graph.find_modules_that_directly_import(package)
