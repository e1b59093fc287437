"""Carries what was measured of the default model into its card and its README.

    undertone evaluate music-checks ... && undertone evaluate sounds ... && \
        python packaging/card_figures.py

Reads the tables of these two commands in results/; figures of the training stay as they are. Other
folders by --results and --model.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from inference.catalog import Metric, ModelCard
from inference.evaluation.results import read_results

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- checks: begin -->", "<!-- checks: end -->"
TABLES = {
    "music-checks-music4q-p2": "P2: artists held out; genres and other kinds of music, only tested",
    "music-sounds": "artists, or the kind of sound, held out",
}
MEASURES = {
    "routes": ("accuracy", "arousal_accuracy", "valence_accuracy"),
    "labels permuted": ("accuracy",),
    "calibration": ("calibration_error", "set_coverage", "set_size", "confident_half_accuracy",
                    "other_half_accuracy"),
    "genres held out": ("accuracy", "arousal_accuracy"),
    "robustness": ("same quadrant",),
    "libraries": ("gain by adaptation",),
    "another kind of music": ("accuracy", "arousal_accuracy"),
    "music or not": ("taken for music",),
}  # fmt: skip
Row = Mapping[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--model", type=Path, default=ROOT / "resources/models/undertone-music")
    args = parser.parse_args()
    path = args.model / "card.json"
    card = ModelCard.from_json(path.read_text(encoding="utf-8"))
    ours = {f"results/{name}.csv" for name in TABLES}
    trained = tuple(m for m in card.metrics if m.results not in ours)
    there = [name for name in TABLES if (args.results / f"{name}.csv").exists()]
    found = tuple(metric for name in there for metric in metrics(args.results, name))
    path.write_text(replace(card, metrics=trained + found).to_json(), encoding="utf-8")
    readme = args.model / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    table = "\n".join(line for name in there for line in lines(args.results, name))
    readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def metrics(results: Path, name: str) -> Iterator[Metric]:
    """The figures of a table that the card carries."""
    command = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))["command"]
    for row in rows(results, name):
        title = f"{row['check']}: {row['condition']}, {words(row['measure'])} ({row['data']})"
        value, low, high = (number(row[column]) for column in ("value", "low", "high"))
        if value is not None:
            path = f"results/{name}.csv"
            yield Metric(title, value, low, high, TABLES[name], path, command)


def lines(results: Path, name: str) -> Iterator[str]:
    """The same as a table in Markdown."""
    yield f"\n[{name}](../../../results/{name}.csv), {TABLES[name]}:\n"
    yield "| check | on | condition | measure | value (95 %) |\n|---|---|---|---|---|"
    for row in rows(results, name):
        value, low, high = (number(row[column]) for column in ("value", "low", "high"))
        interval = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
        cells = (row["check"], f"{row['data']}, {row['n']}", row["condition"])
        yield f"| {' | '.join(cells)} | {words(row['measure'])} | {value or 0.0:.3f}{interval} |"


def rows(results: Path, name: str) -> Iterator[Row]:
    for row in read_results(results / f"{name}.csv"):
        if row["measure"] in MEASURES.get(row["check"], ()):
            yield row


def words(measure: str) -> str:
    return measure.replace("_", " ")


def number(text: str) -> float | None:
    value = float(text or "nan")
    return round(value, 4) if math.isfinite(value) else None


if __name__ == "__main__":
    main()
