"""The README's accuracy table says what the committed results files say."""

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_README = (ROOT / "README.md").read_text(encoding="utf-8")
_TABLE = _README.split("<!-- accuracy: begin -->")[1].split("<!-- accuracy: end -->")[0]
_ROWS = [line for line in _TABLE.splitlines() if line.startswith("| `")]
_HALF_A_DIGIT = 0.5001e-3


def _figures(cell: str) -> list[float]:
    return [float(text) for text in re.findall(r"\d\.\d+", cell)]


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.split("`")[1])
def test_each_row_of_the_accuracy_table_is_in_its_results_file(row: str) -> None:
    model, *cells, source = (cell.strip() for cell in row.strip("|\n ").split("|"))
    file = re.search(r"\((results/[\w.-]+\.csv)\)", source)
    assert file is not None, f"{model} names no results file"
    with (ROOT / file.group(1)).open(encoding="utf-8", newline="") as lines:
        measured = {line["system"]: line for line in csv.DictReader(lines)}
    line = measured[model.split("`")[1]]
    said = [figure for cell in cells for figure in _figures(cell)]
    names = [
        f"{name}{end}"
        for name in ("accuracy", "arousal_accuracy", "valence_accuracy")
        for end in ("", "_low", "_high")
    ]
    expected = [float(line[name]) for name in (*names, "calibration_error")]
    assert len(said) == len(expected)
    for figure, name, value in zip(said, (*names, "calibration_error"), expected, strict=True):
        assert abs(figure - value) <= _HALF_A_DIGIT, f"{model}: {name} is {value}, not {figure}"


def test_every_music_model_that_is_shipped_is_in_the_table() -> None:
    shipped = {folder.parent.name for folder in (ROOT / "resources/models").glob("*/head.onnx")}
    assert shipped <= {row.split("`")[1] for row in _ROWS}
