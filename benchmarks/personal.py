"""How long it takes to learn a listener's own model and to rate a library with it.

python -m benchmarks.personal --out results
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from app.personal import rate_library, train
from app.personal_models import PersonalModels
from inference.emotion import QUADRANTS, EmotionEstimate
from inference.evaluation.results import RunRecord, table_text, write_results
from inference.job import run_to_end
from library_db.answers import Answer, AnswerStore
from library_db.library import EstimateRow, Library
from library_db.scan import ScanBatch

SONGS = 10_000
ANSWERS = 20
MODEL = "common-model"


def fill(library: Library) -> list[int]:
    """Enter and rate songs that are rows only; returns their ids."""
    rows = [
        {"path": os.fsencode(f"/music/{n:06}.mp3"), "audio_hash": f"audio{n}", "title": f"{n}",
         "size_bytes": 1, "mtime_ns": 1, "added_s": 1.0}
        for n in range(SONGS)
    ]  # fmt: skip
    library.write_scan(ScanBatch(added=rows))
    ids = sorted(int(i) for i in library.search(""))
    common = np.random.default_rng(0).dirichlet(np.full(4, 0.8), size=SONGS)
    library.set_estimates(
        [
            EstimateRow(i, "common", EmotionEstimate.from_probabilities(p, float(p.max()), MODEL))
            for i, p in zip(ids, common, strict=True)
        ]
    )
    return ids


def answer(library: Library, track_id: int) -> Answer:
    """A listener for whom everything feels one mood further round the plane."""
    track, common = library.track(track_id), library.emotion(track_id).common
    assert track is not None
    assert common is not None
    further = {"HAHV": "HALV", "HALV": "LALV", "LALV": "LAHV", "LAHV": "HAHV"}
    felt = next(q for q in QUADRANTS if q.value == further[common.quadrant.value])
    return Answer(track_id, track.audio_hash, 1e9, 30.0, common.quadrant, common, felt)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write personal-speed.csv there")
    out = parser.parse_args().out
    began_s = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Library.open(folder) as library, AnswerStore.open(folder) as answers:
            models = PersonalModels(folder / "models")
            ids = fill(library)
            answers.add(*(answer(library, i) for i in ids[:ANSWERS]))
            start_s = time.perf_counter()
            run_to_end(train(library, answers, models, dry_run=True))
            learned_s = time.perf_counter() - start_s
            start_s = time.perf_counter()
            report = run_to_end(train(library, answers, models))
            whole_s = time.perf_counter() - start_s
            assert report.accepted
            start_s = time.perf_counter()
            run_to_end(rate_library(library, models.active()))
            again_s = time.perf_counter() - start_s
    rows = [
        {"what": f"learning from {ANSWERS} answers", "seconds": learned_s, "allowed": 60},
        {"what": f"learning and rating {SONGS} songs", "seconds": whole_s, "allowed": 20},
        {"what": f"finding {SONGS} songs up to date", "seconds": again_s, "allowed": 20},
    ]
    print(table_text(rows))
    if out is not None:
        record = RunRecord(
            ["python", "-m", "benchmarks.personal"], "rows without music", "none", "", [0],
            time.perf_counter() - began_s,
        )  # fmt: skip
        write_results(out, "personal-speed", rows, record)


if __name__ == "__main__":
    main()
