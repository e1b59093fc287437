"""The measurement with simulated listeners: what it reports follows from how they were made."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from inference.errors import UndertoneError
from inference.evaluation.personal import (
    ANSWERS,
    NOISES,
    Listener,
    evaluate_personal,
    read_estimates,
)
from inference.job import run_to_end


@pytest.fixture
def estimates(tmp_path: Path) -> Path:
    path = tmp_path / "estimates.csv"
    rows = np.random.default_rng(0).dirichlet(np.full(4, 0.6), size=300)
    lines = ["p_hahv,p_halv,p_lahv,p_lalv", *(",".join(f"{v:.5f}" for v in row) for row in rows)]
    path.write_text("\n".join(lines))
    return path


def test_answers_help_and_the_guard_holds(estimates: Path, tmp_path: Path) -> None:
    rows = run_to_end(evaluate_personal(estimates, tmp_path / "out", listeners=6, seeds=1))
    by_cell = {(row["answer_noise"], row["answers"]): row for row in rows}
    assert set(by_cell) == {(noise, count) for noise in NOISES for count in ANSWERS}
    assert all(by_cell[noise, 0]["gain"] == 0.0 for noise in NOISES)
    assert by_cell[0.0, 80]["gain"] > 0.05
    assert by_cell[0.0, 80]["gain"] > by_cell[0.0, 10]["gain"]
    assert all(row["gain_worst_run"] >= row["unguarded_worst_run"] - 1e-12 for row in rows)
    with (tmp_path / "out" / "personal-simulated.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    record = json.loads((tmp_path / "out" / "personal-simulated.json").read_text())
    assert "simulated" in record["dataset"]


def test_a_turned_listener_feels_the_turned_mood() -> None:
    quarter = Listener(np.pi / 2, (0.0, 0.0))
    felt = quarter.feel(np.tile([0.9, 0.9], (200, 1)), np.random.default_rng(0))
    # Happy (high, high) turned by a quarter: low valence, high arousal.
    assert (felt == 1).mean() > 0.9


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "p_hahv,p_halv,p_lahv,p_lalv\n1,0,0,0\n"])
def test_what_is_no_table_of_estimates_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(UndertoneError, match="p_hahv"):
        read_estimates(path)
    with pytest.raises(UndertoneError, match="cannot be read"):
        read_estimates(tmp_path / "none.csv")
