"""The measurements on songs with stored features: targets, and the ladder's three rungs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inference.catalog import find
from inference.emotion import QUADRANTS
from inference.evaluation import personal_ladder, personal_songs, personal_targets
from inference.evaluation.personal_songs import PlayerSongs, estimate_songs
from inference.evaluation.results import read_results
from inference.job import run_to_end
from inference.labelling.songs import SongSpace, Windows, read_songs
from tests.inference.tiny_data import write_music4q

N = 200


@pytest.fixture(scope="module")
def songs() -> PlayerSongs:
    """Two hundred songs whose features tell the mood a little."""
    rng = np.random.default_rng(0)
    reader = read_songs(personal_songs.MODEL, None)
    head = reader.heads[0]
    p = rng.dirichlet(np.full(4, 0.6), size=N)
    width, song_width = head.hidden.shape[0], 8
    segments = rng.normal(size=(N, 5, width - song_width)).astype(np.float32)
    segments[:, :, :4] += 3.0 * p[:, None, :].astype(np.float32)
    windows = tuple(Windows(s, rng.normal(size=song_width).astype(np.float32)) for s in segments)
    musical = segments.mean(axis=1).astype(np.float64)
    physiological = np.stack([head.codes(w.segments, w.song).mean(axis=0) for w in windows])
    started = np.stack([song.scores(head) for song in windows])
    places = SongSpace.fit(musical).places(musical)
    return PlayerSongs(p, windows, physiological.astype(np.float64), places, head, started)


@pytest.fixture
def estimates(tmp_path: Path, songs: PlayerSongs) -> Path:
    path = tmp_path / "estimates.csv"
    lines = ["p_hahv,p_halv,p_lahv,p_lalv", *(",".join(f"{v:.5f}" for v in r) for r in songs.p)]
    path.write_text("\n".join(lines))
    return path


def given(songs: PlayerSongs):
    def job(*_: object):
        yield from ()
        return songs

    return job


def test_the_ladder_is_measured_on_both_kinds_of_listeners(
    songs: PlayerSongs, estimates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_ladder, "player_songs", given(songs))
    monkeypatch.setattr(personal_ladder, "NOISES", (0.0,))
    monkeypatch.setattr(personal_ladder, "COUNTS", (4, 40))

    def run() -> list[dict[str, object]]:
        return run_to_end(
            personal_ladder.evaluate_ladder(
                estimates, tmp_path, tmp_path / "out", work=tmp_path / "work", listeners=2,
                seeds=1, quick=True, resume=True,
            )
        )  # fmt: skip

    rows = run()
    assert [(r["listeners_of"], r["answers"]) for r in rows] == [
        ("plane", 4), ("plane", 40), ("taste", 4), ("taste", 40),
    ]  # fmt: skip
    assert all(r["gain"] == 0.0 == r["taken_up"] for r in rows if r["answers"] == 4)
    for row in rows:
        taken = row["taken_map"] + row["taken_features"] + row["taken_network"]
        assert taken == pytest.approx(row["taken_up"])
        assert 0.0 <= row["worst_run"] + 1.0 <= row["gain"] + 1.0
    own = [personal_ladder._felt(songs, "taste", n, np.random.default_rng(0)) for n in (0, 1)]
    assert (own[0] != own[1]).mean() > 0.2, "a taste is one's own"
    monkeypatch.setattr(personal_ladder, "_one", lambda *_: pytest.fail("measured again"))
    assert run() == rows, "what is finished is kept"
    record = json.loads((tmp_path / "out" / "personal-ladder-quick.json").read_text())
    assert record["notes"]["revision"] == find(personal_songs.MODEL).card.revision


def test_selection_is_measured_against_all_words(
    songs: PlayerSongs, estimates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.evaluation.personal_worlds import Heard

    def hear(_net: object, _preset: str, who: int, seed: int, felt: list[int]) -> Heard:
        rng = np.random.default_rng([who, seed])
        shown = np.eye(4)[felt] * 2.0 + 0.5 * rng.normal(size=(len(felt), 4))
        p = np.exp(shown)
        return Heard(p / p.sum(axis=1, keepdims=True), shown, True)

    monkeypatch.setattr(personal_targets, "player_songs", given(songs))
    monkeypatch.setattr(personal_targets, "hear", hear)
    monkeypatch.setattr(personal_targets, "NOISES", (0.2,))
    monkeypatch.setattr(personal_targets, "band_network", lambda *_, **__: given(None)())
    (row,) = run_to_end(
        personal_targets.evaluate_targets(
            estimates, tmp_path, tmp_path / "out", work=tmp_path / "work", listeners=2, seeds=1,
            quick=True,
        )
    )  # fmt: skip
    assert row["purity_kept"] > row["purity"] + 0.05
    assert row["purity_gain_low"] > 0.0


def test_estimates_hold_each_clips_artist_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_music4q(tmp_path / "music", clips=40, artists=20, duration_s=0.1)

    class Reader:
        def musical(self, number: int) -> np.ndarray:
            rng = np.random.default_rng(number)
            return np.eye(4)[number % 4] + 0.3 * rng.normal(size=4)

    def stored(clips: object, *_: object):
        yield from ()
        return [clip.quadrant.position + 4 * i for i, clip in enumerate(clips)]

    monkeypatch.setattr(personal_songs, "read_songs", lambda *_: Reader())
    monkeypatch.setattr(personal_songs, "_stored", stored)
    rows = run_to_end(estimate_songs(root, tmp_path / "out", work=tmp_path / "work"))
    table = read_results(tmp_path / "out" / "common-estimates.csv")
    assert len(table) == len(rows)
    p = np.array([[float(row[f"p_{q.value.lower()}"]) for q in QUADRANTS] for row in table])
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=5e-4)
    right = np.mean(
        [QUADRANTS[k].value == r["quadrant"] for k, r in zip(p.argmax(1), table, strict=True)]
    )
    assert right > 0.8
    record = json.loads((tmp_path / "out" / "common-estimates.json").read_text())
    assert record["notes"]["accuracy"] == pytest.approx(right, abs=1e-3)
