"""The measurement with simulated listeners: what it reports follows from how they were made."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from inference.errors import UndertoneError
from inference.evaluation.personal import evaluate_personal
from inference.evaluation.personal_real import evaluate_real_listeners
from inference.evaluation.personal_worlds import Heard, Listener, band_network, hear, read_estimates
from inference.job import run_to_end
from tests.inference.tiny_data import write_hku956

KINDS = ("music", "band")


@pytest.fixture
def estimates(tmp_path: Path) -> Path:
    path = tmp_path / "estimates.csv"
    rows = np.random.default_rng(0).dirichlet(np.full(4, 0.6), size=300)
    lines = ["p_hahv,p_halv,p_lahv,p_lalv", *(",".join(f"{v:.5f}" for v in row) for row in rows)]
    path.write_text("\n".join(lines))
    return path


def clear_band(preset: str, folder: Path, quick: bool):
    """A body that shows what is felt to anybody who has learned to read it."""
    yield from ()

    def hear(who: int, seed: int, felt: list[int]) -> Heard:
        rng = np.random.default_rng([who, seed])
        shown = np.eye(4)[felt] * 1.5 + rng.normal(size=(len(felt), 4))
        p = np.exp(0.5 * shown + np.array([0.0, 1.0, 0.0, -1.0]))
        attended = np.hstack([shown, rng.normal(size=(len(felt), 4))])
        return Heard(p / p.sum(axis=1, keepdims=True), attended, who != 1)

    return hear


def run(estimates: Path, folder: Path, **more: object) -> list[dict[str, object]]:
    return run_to_end(
        evaluate_personal(
            estimates, folder / "out", work=folder / "work", presets=("demo",), listeners=2,
            seeds=1, bands=clear_band, **more,
        )
    )  # fmt: skip


def test_answers_help_the_guard_holds_and_selection_makes_purer(
    estimates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.evaluation.personal.NOISES", (0.0, 0.2))
    monkeypatch.setattr("inference.evaluation.personal.ANSWERS", (0, 20, 80))
    rows = run(estimates, tmp_path)
    by_cell = {(row["answer_noise"], row["answers"]): row for row in rows}
    assert set(by_cell) == {(noise, count) for noise in (0.0, 0.2) for count in (0, 20, 80)}
    assert all(by_cell[noise, 0][f"{kind}_gain"] == 0.0 for noise in (0.0, 0.2) for kind in KINDS)
    assert by_cell[0.0, 80]["music_gain"] > 0.01
    assert by_cell[0.0, 80]["band_gain"] > 0.01
    assert by_cell[0.2, 80]["purity_kept"] > by_cell[0.2, 80]["purity"] + 0.05
    assert by_cell[0.0, 80]["purity"] == 1.0
    assert {row["non_responders"] for row in rows} == {1}
    with (tmp_path / "out" / "personal-simulated.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    record = json.loads((tmp_path / "out" / "personal-simulated.json").read_text())
    assert "simulated" in record["dataset"]

    def never(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr("inference.evaluation.personal._one", never)
    assert run(estimates, tmp_path, resume=True) == rows, "what is finished is kept"


def test_real_listeners_are_tested_on_their_last_songs(tmp_path: Path) -> None:
    root = write_hku956(tmp_path / "hku", listeners=4, songs=12, duration_s=12.0)
    rows = run_to_end(
        evaluate_real_listeners(
            "hku956", root, tmp_path / "out", work=tmp_path / "work", folds=2, quick=True
        )
    )
    by_system = {row["system"]: row for row in rows}
    assert by_system["song consensus"]["gain"] == 0.0
    assert {row["songs"] for row in rows} == {4 * 4}, "12 songs: 8 answers, 4 tested"
    assert "individual band, kept words, by the test" in by_system
    assert all(0.0 <= row["accuracy_low"] <= row["accuracy_high"] <= 1.0 for row in rows)
    assert (tmp_path / "out" / "personal-hku956-quick.csv").exists()


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


def test_a_preset_that_feels_strongly_is_read_by_the_network_of_others(tmp_path: Path) -> None:
    few = {"epochs": 1, "listeners": 2, "songs": 4}
    net = run_to_end(band_network("demo", tmp_path / "net.pt", **few))
    heard = hear(net, "demo", 0, 0, [0, 1, 2, 3])
    assert heard.probabilities.shape == (4, 4)
    np.testing.assert_allclose(heard.probabilities.sum(axis=1), 1.0, atol=1e-6)
    assert heard.attended.shape[0] == 4
    again = run_to_end(band_network("demo", tmp_path / "net.pt"))
    same = hear(again, "demo", 0, 0, [0, 1, 2, 3])
    np.testing.assert_array_equal(same.attended, heard.attended)
    other = hear(again, "demo", 0, 1, [0, 1, 2, 3])
    assert not np.array_equal(other.attended, heard.attended)
