"""The command line and the tagger start without the libraries of research and without Qt."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

RESEARCH = ["torch", "librosa", "numba", "matplotlib", "sklearn", "pandas", "neurokit2", "onnx"]
HEAVY = [*RESEARCH, "PySide6", "shiboken6", "pyqtgraph", "pytest"]
PROBE = """
import sys
from app.__main__ import main
sys.argv = ["undertone", *sys.argv[1:]]
code = main()
roots = sorted({name.partition(".")[0] for name in sys.modules})
sys.stderr.write("\\nLOADED " + __import__("json").dumps([code, roots]))
"""


def run(*arguments: str) -> tuple[int, set[str], str]:
    """Exit code, packages in sys.modules at the end, and stdout of one command."""
    result = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "LOADED " in result.stderr, result.stderr
    code, roots = json.loads(result.stderr.rpartition("LOADED ")[2])
    return code, set(roots), result.stdout


def test_list_starts_light():
    code, loaded, _ = run("list", "--json")
    assert code == 0
    assert loaded.isdisjoint(HEAVY)
    assert "onnxruntime" not in loaded


@pytest.mark.slow
def test_tag_classifies_without_research_libraries(tone_mp3):
    song = tone_mp3(12.0, kind="chord")
    code, loaded, stdout = run("tag", str(song), "--jsonl", "-")
    assert code == 0
    assert json.loads(stdout)["quadrant"] in ("HAHV", "HALV", "LAHV", "LALV")
    assert loaded.isdisjoint(HEAVY)


def test_help_starts_in_a_blink():
    code, loaded, stdout = run("--help")
    assert code == 0
    assert "tag" in stdout
    assert loaded.isdisjoint([*HEAVY, "numpy", "scipy", "onnxruntime", "av", "rich"])
