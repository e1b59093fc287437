"""How much of a song has to be described, and how often tagged: what estimates differ from all.

    python -m benchmarks.described --folder ~/Music     # about 5 s a song; results/described.csv

Reference is every cell of every excerpt, described and heard by MTT_musicnn. Songs of two minutes
and more, each also without its first 5, 11 and 17 s, so that the cells fall elsewhere. Needs music:
without `--folder` nothing is measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._results import write
from inference.audio.decode import decode_blocks
from inference.audio.excerpts import EXCERPT_CELLS
from inference.audio.spectra import CELL_FRAMES, FS_HZ
from inference.catalog import find
from inference.pipelines.base import Network
from inference.pipelines.undertone import (
    DESCRIBED_CELLS,
    TAGGED_CELLS,
    Extractor,
    Heard,
    _spread,
    build,
)
from inference.runtime import MusicClassifier, open_network

MODEL = "undertone-music"
_SKIPPED_S = (0.0, 5.0, 11.0, 17.0)
_SHORTEST_S = 120.0
_ALL = 160
Design = tuple[Mapping[int, int], int]


def _of(excerpts: int, cells: int) -> dict[int, int]:
    """So many cells in so many excerpts at most."""
    return dict.fromkeys(range(1, excerpts + 1), cells)


_FORMER = "3 x 10, 2 tagged of each"


class _Former(Extractor):
    """Before, cells 2 and 7 of the three described excerpts were tagged."""

    def _tagged(self, mels: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        length = CELL_FRAMES * EXCERPT_CELLS
        whole = [i for i in sorted(_spread(len(mels), 3)) if len(mels[i]) == length]
        two = [mels[i][c * CELL_FRAMES :][:CELL_FRAMES] for i in whole for c in (2, 7)]
        heard = [self._mtt({"mel": mel}) for mel in two]
        return [np.mean([h[name] for h in heard], axis=(0, 1)) for name in ("penultimate", "tags")]


DESIGNS: dict[str, Design] = {
    "all": (_of(16, EXCERPT_CELLS), _ALL),
    _FORMER: (_of(3, 10), 6),
    "4 x 6, 5 tagged": (DESCRIBED_CELLS, TAGGED_CELLS),
    "4 x 6, 6 tagged": (_of(4, 6), 6),
    "4 x 6, 4 tagged": (_of(4, 6), 4),
    "6 x 4, 5 tagged": (_of(6, 4), 5),
    "3 x 10, 6 tagged": (_of(3, 10), 6),
    "2 x 10, 5 tagged": (_of(2, 10), 5),
    "2 x 10, 4 tagged": (_of(2, 10), 4),
}


class _Remembering:
    """A network that answers the same question from memory; one song's questions are kept."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._known: dict[bytes, dict[str, NDArray[Any]]] = {}

    @property
    def outputs(self) -> tuple[str, ...]:
        return self._network.outputs

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        key = inputs["mel"].tobytes()
        if key not in self._known:
            self._known[key] = self._network(inputs)
        return self._known[key]

    def forget(self) -> None:
        self._known.clear()


def probabilities(songs: list[Path]) -> Iterator[dict[str, NDArray[np.float64]]]:
    """What each design says of each song, and of the song without its beginning."""
    model = find(MODEL)
    msd, mtt = (_Remembering(open_network(model.files[role])) for role in ("msd", "mtt"))
    extractors = {
        name: (_Former if name == _FORMER else Extractor)(msd, mtt, *design)
        for name, design in DESIGNS.items()
    }
    pipeline = build(model.card, model.files, open_network)
    classifier = MusicClassifier.load(MODEL)

    def say(heard: Heard) -> NDArray[np.float64]:
        features = replace(pipeline.features(heard), front_end=classifier.front_end)
        return np.array(classifier.rate(features).estimate.probabilities)

    for path in songs:
        samples = np.concatenate(list(decode_blocks(path)))
        if len(samples) < _SHORTEST_S * FS_HZ:
            continue
        for skipped_s in _SKIPPED_S:
            blocks = [samples[round(skipped_s * FS_HZ) :]]
            msd.forget()
            mtt.forget()
            yield {name: say(extractor(blocks)) for name, extractor in extractors.items()}


def rows(said: list[dict[str, NDArray[np.float64]]]) -> list[dict[str, Any]]:
    found = []
    for name in DESIGNS:
        off = np.array([np.abs(one[name] - one["all"]) for one in said])
        same = np.mean([one[name].argmax() == one["all"].argmax() for one in said])
        found.append(
            {
                "design": name,
                "songs": len(said) // len(_SKIPPED_S),
                "mean_dp": round(float(off.mean()), 4),
                "p95_largest_dp": round(float(np.percentile(off.max(axis=1), 95)), 3),
                "same_quadrant": round(float(same), 3),
            }
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="music, searched through")
    parser.add_argument("--out", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    if arguments.folder is None:
        print("no --folder of music: nothing measured")
        return
    found = rows(list(probabilities(sorted(arguments.folder.rglob("*.mp3")))))
    for row in found:
        print("  ".join(f"{key}={value}" for key, value in row.items()))
    write(arguments.out, "described", found)


if __name__ == "__main__":
    main()
