"""The checks of the default model, on made-up clips: every row is there and says what is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.datasets import MusicSet
from inference.datasets.base import DatasetInfo, MusicClip
from inference.emotion import QUADRANTS
from inference.errors import UndertoneError
from inference.evaluation import music_checks as checks
from inference.evaluation.music_checks import ChecksSetup, checks_cost, music_checks
from inference.evaluation.music_libraries import libraries
from inference.job import Job, Progress, run_to_end
from inference.training.costs import Cost
from inference.training.music import Targets
from inference.training.music_best_far import FarSettings
from inference.training.music_best_folds import BestRecipe, Material
from inference.training.music_best_head import Clips, HeadSettings
from inference.training.music_best_hearing import Variation

pytestmark = pytest.mark.training

INFO = DatasetInfo("made-up", "Made up", "nobody", "none", "nothing")
N, R, D, K = 160, 6, 8, 9
HEAD = HeadSettings(
    members=1, hidden=12, width=8, regress_epochs=1, epochs=10, rank=R, batch=16, rate=5e-3
)
INSTRUMENTS = Variation("other instruments", lambda x, _: x)
FAR = FarSettings(arousal_segments=(0, D), arousal_song=(0, K), valence_song=(0, K), gate_c=1.0)


def made_up(name: str, shift: float) -> MusicSet:
    clips = tuple(
        MusicClip(f"{i:03d}", Path(name), QUADRANTS[i % 4], f"{name}{i // 4}", 0.8, "Jazz")
        for i in range(N)
    )
    halves = tuple(
        MusicClip(c.clip_id, c.path, c.quadrant, c.group, c.weight, "Rap") if i % 8 < 4 else c
        for i, c in enumerate(clips)
    )
    return MusicSet(INFO, Path(f"{name}@{shift}"), halves)


def hear(data: MusicSet, networks: object, work: Path, variation: Variation | None = None) -> Job:
    """Moods are the first two numbers; other instruments and other kinds of music are off by 3."""
    shift = 3.0 if variation is INSTRUMENTS else float(data.root.name.split("@")[1])
    noise = 2.0 if variation is not None and "mp3" in variation.name else 0.0
    numbers = [int(c.clip_id) for c in data.clips]
    rng = np.random.default_rng(len(data.root.name))
    x = rng.normal(size=(N, D + K))
    x[:, [0, 1, D, D + 1]] += np.tile([[1, 1], [1, -1], [-1, 1], [-1, -1]], (N // 4, 2)) * 1.5
    x += shift + noise * np.random.default_rng(1).normal(size=x.shape)
    x = x[numbers].astype(np.float32)
    yield Progress(1, 1)
    return Clips(np.repeat(x[:, None, :D], 5, axis=1), x[:, D:], data.labels)


def hear_all(data: MusicSet, networks: object, work: Path) -> Job:
    plain = yield from hear(data, networks, work)
    other = yield from hear(data, networks, work, INSTRUMENTS)
    return Material(plain, (other,))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    codes = np.random.default_rng(0).normal(size=(8, HEAD.width)).astype(np.float32)
    setup = ChecksSetup(
        data=made_up("plain", 0.0),
        networks={},
        work=tmp_path_factory.mktemp("work"),
        targets=Targets(codes, np.arange(8) % 4),
        recipe=BestRecipe(head=HEAD, far=FAR, n_folds=2, seeds=(0,)),
        others=[made_up("piano", 3.2)],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "hear_clips", hear)
        patch.setattr(checks, "hear_material", hear_all)
        return run_to_end(music_checks(setup))


def value(rows: list[dict[str, object]], **wanted: str) -> float:
    found = [r for r in rows if all(str(r[k]).startswith(v) for k, v in wanted.items())]
    assert found, f"no row {wanted}"
    return float(str(found[0]["value"]))


def test_rows_have_one_shape_and_intervals_hold_their_value(rows: list[dict[str, object]]) -> None:
    columns = ["check", "data", "n", "condition", "measure", "value", "low", "high"]
    assert all(list(r) == columns for r in rows)
    for r in rows:
        low, middle, high = (float(str(r[k])) for k in ("low", "value", "high"))
        assert np.isnan(low) or low - 1e-9 <= middle <= high + 1e-9


def test_routes_are_compared_on_the_same_clips(rows: list[dict[str, object]]) -> None:
    gain = value(rows, check="routes", condition="physiological less direct", measure="accuracy")
    parts = [
        value(rows, check="routes", condition=route, measure="accuracy")
        for route in ("physiological", "direct")
    ]
    assert gain == pytest.approx(parts[0] - parts[1], abs=1e-6)
    assert min(parts) > 0.6
    assert value(rows, check="labels permuted", measure="accuracy") < 0.45


def test_genres_are_held_out_as_groups(rows: list[dict[str, object]]) -> None:
    for name in ("jazz, blues, vocal", "rap, soul, reggae"):
        condition = f"{name}, without adaptation"
        assert value(rows, check="genres held out", condition=condition) > 0.5


def test_what_changes_the_sound_costs_robustness(rows: list[dict[str, object]]) -> None:
    assert value(rows, check="robustness", condition="6 dB softer") == 1.0
    assert value(rows, check="robustness", condition="mp3") < 0.95


def test_another_kind_of_music_is_judged_and_adapted_to(rows: list[dict[str, object]]) -> None:
    check = "another kind of music"
    assert value(rows, check=check, condition="without", measure="accuracy") > 0.4
    assert value(rows, check=check, condition="adapted to all", measure="accuracy") > 0.5
    assert value(rows, check="libraries", data="piano", condition="calm songs only") > 0.2


def test_without_a_shift_libraries_change_nothing(rows: list[dict[str, object]]) -> None:
    gain = [
        float(str(r["value"]))
        for r in rows
        if r["data"] == "made-up" and r["measure"] == "gain by adaptation"
    ]
    assert gain
    assert max(map(abs, gain)) < 0.03


def test_calibration_is_measured(rows: list[dict[str, object]]) -> None:
    assert 0.0 <= value(rows, check="calibration", measure="calibration_error") < 0.4
    assert 0.75 < value(rows, check="calibration", measure="set_coverage") <= 1.0


def test_libraries_are_as_they_are_named() -> None:
    labels = np.arange(200) % 4
    found = dict(libraries(labels, np.random.default_rng(0)))
    assert set(labels[found["calm songs only"]]) == {2, 3}
    assert set(labels[found["tense songs only"]]) == {1}
    uneven = np.sort(np.bincount(labels[found["10, 20, 30 and 40 % of the quadrants"]]))
    np.testing.assert_allclose(uneven / uneven.sum(), [0.1, 0.2, 0.3, 0.4], atol=0.02)
    few = [name for name, _ in libraries(np.arange(40) % 4, np.random.default_rng(0))]
    assert few == []


def test_a_part_that_is_none_is_refused() -> None:
    setup = ChecksSetup(made_up("plain", 0.0), {}, Path("x"), None, BestRecipe())  # type: ignore[arg-type]
    with pytest.raises(UndertoneError, match="no part 'rows'"):
        run_to_end(music_checks(setup, ["rows"]))


def test_the_cost_grows_with_routes_and_seeds() -> None:
    steps = [Cost("hear", 10.0), Cost("heads", 16.0)]
    one, three = (sum(c.seconds for c in checks_cost(steps, 5, s)) for s in (1, 3))
    assert three != one
