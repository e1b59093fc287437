"""Training the default model on made-up clips: it learns, folds, exports and calibrates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from inference.errors import UndertoneError
from inference.job import run_to_end
from inference.runtime import open_network
from inference.training.music import Route, Targets
from inference.training.music_best import export_committee
from inference.training.music_best_detector import with_detector
from inference.training.music_best_far import FarSettings, fit_far_judge
from inference.training.music_best_folds import (
    BestRecipe,
    FittedHead,
    Material,
    cross_validated,
)
from inference.training.music_best_head import (
    Clips,
    HeadSettings,
    fit_reduction,
    reduced,
    train_committee,
)
from inference.training.music_best_hearing import read_wheel
from inference.training.music_best_sounds import no_music

pytestmark = pytest.mark.training

SMALL = HeadSettings(members=2, hidden=16, width=12, regress_epochs=2, epochs=8, rank=6, batch=16)
FAR = FarSettings(
    arousal_segments=(0, 10),
    arousal_song=(0, 9),
    valence_song=(0, 9),
    gate_c=1.0,
    least_share=0.0,  # made-up revoiced clips say nothing of plain ones
)
RECIPE = BestRecipe(head=SMALL, far=FAR, n_folds=3, seeds=(0,))


def made_up_clips(count: int = 96, seed: int = 0, signal: float = 1.5) -> Clips:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])[labels] * signal
    song = rng.normal(size=(count, 9))
    song[:, :2] += corners
    segments = rng.normal(size=(count, 5, 10))
    segments[:, :, :2] += corners[:, None]
    segments[:, :, 7] = 3.0  # never moves
    return Clips(segments.astype(np.float32), song.astype(np.float32), labels)


def targets() -> Targets:
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(4), 6)
    means = rng.normal(size=(4, SMALL.width))[labels]
    return Targets((means + 0.3 * rng.normal(size=means.shape)).astype(np.float32), labels)


@pytest.mark.parametrize("route", list(Route))
def test_every_route_learns(route: Route) -> None:
    clips = made_up_clips()
    reduction = fit_reduction(clips, SMALL.rank)
    longer = replace(SMALL, route=route, epochs=40, rate=5e-3)
    committee = train_committee(clips, reduction, longer, 0, targets())
    p = FittedHead(reduction, committee).said(made_up_clips(seed=1))
    assert (p.argmax(axis=1) == made_up_clips(seed=1).labels).mean() > 0.6
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-5)


def test_training_again_gives_the_same_committee() -> None:
    clips = made_up_clips()
    reduction = fit_reduction(clips, SMALL.rank)
    one, other = (
        FittedHead(reduction, train_committee(clips, reduction, SMALL, 3, targets())).said(clips)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)


def test_unusual_sounds_are_judged_by_what_carries_over() -> None:
    """Other instruments hide the moods behind an offset; only a part of the features tells."""
    plain, told = made_up_clips(), made_up_clips(seed=2, signal=2.5)
    revoiced = Clips(told.segments + 6.0, told.song + np.float32(6.0), plain.labels)
    fitted = FittedHead.of(Material(plain, (revoiced,)), RECIPE, 0, targets())
    other = made_up_clips(seed=3, signal=2.5)
    strange = Clips(other.segments + 6.0, other.song + np.float32(6.0), other.labels)
    alone = FittedHead.of(Material(plain), RECIPE, 0, targets())
    assert right(fitted, strange) > max(0.7, right(alone, strange) + 0.2)
    assert right(fitted, made_up_clips(seed=1)) > right(alone, made_up_clips(seed=1)) - 0.05


def test_the_judge_reads_what_is_the_same_by_whatever_instruments() -> None:
    """What other instruments change at random has no weight in its distances."""
    plain = made_up_clips()
    rng = np.random.default_rng(6)
    noise = rng.normal(size=plain.song.shape).astype(np.float32)
    song = np.concatenate([plain.song[:, :4], noise[:, 4:]], axis=1)
    far = fit_far_judge(
        plain,
        [Clips(plain.segments, song, plain.labels)],
        fit_reduction(plain, SMALL.rank),
        RECIPE.far,
    )
    scale = far.get_buffer("valence_scale").numpy()
    assert scale[:4].min() > 3.0 * scale[4:].max()
    assert np.square(scale).mean() == pytest.approx(1.0, abs=1e-4)


def test_versions_of_a_clip_are_learned_from_and_plain_ones_still_known() -> None:
    plain, other = made_up_clips(), made_up_clips()
    moved = Clips(other.segments[:, :, ::-1].copy(), other.song[:, ::-1].copy(), other.labels)
    longer = replace(RECIPE, head=replace(SMALL, epochs=60, rate=5e-3))
    both = FittedHead.of(Material(plain, varied=(moved,)), longer, 0, targets())
    alone = FittedHead.of(Material(plain), longer, 0, targets())
    assert right(both, plain) > 0.6
    assert right(both, moved) > right(alone, moved) + 0.2


def right(fitted: FittedHead, clips: Clips) -> float:
    return float((fitted.said(clips).argmax(axis=1) == clips.labels).mean())


def test_the_second_judge_has_its_least_share_in_usual_music() -> None:
    plain, told = made_up_clips(), made_up_clips(seed=2)
    revoiced = Clips(told.segments + 6.0, told.song + np.float32(6.0), plain.labels)
    recipe = replace(RECIPE, far=replace(FAR, least_share=0.3))
    fitted = FittedHead.of(Material(plain, (revoiced,)), recipe, 0, targets())
    assert fitted.committee.far is not None
    with torch.inference_mode():
        _, usual = fitted.committee.far(*reduced(plain, fitted.reduction))
        _, strange = fitted.committee.far(*reduced(revoiced, fitted.reduction))
    assert float(usual.median()) == pytest.approx(0.15, abs=1e-6)  # of valence, not of arousal
    assert float(strange.median()) == pytest.approx(1.0, abs=1e-6)


def test_what_is_like_nothing_is_judged_even() -> None:
    plain, told = made_up_clips(), made_up_clips(seed=2)
    revoiced = Clips(told.segments + 6.0, told.song + np.float32(6.0), plain.labels)
    far = FittedHead.of(Material(plain, (revoiced,)), RECIPE, 0, targets()).committee.far
    assert far is not None
    said, share = far(torch.full((1, 5, SMALL.rank), 300.0), torch.full((1, 9), 300.0))
    assert float(share) == 1.0
    assert float(said.exp().max()) < 0.6


def test_labels_without_a_pattern_are_not_learned_out_of_fold() -> None:
    clips = made_up_clips(signal=0.0)
    artists = [str(i // 4) for i in range(len(clips))]
    material = Material(clips, (made_up_clips(seed=4, signal=0.0),))
    p = run_to_end(cross_validated(material, artists, RECIPE, targets()))
    assert p.shape == (1, len(clips), 4)
    assert (p[0].argmax(axis=1) == clips.labels).mean() < 0.45


def test_finished_folds_are_kept_and_hold_for_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = made_up_clips()
    artists = [str(i // 4) for i in range(len(clips))]

    def folds(recipe: BestRecipe, labels: NDArray[np.int64] = clips.labels) -> NDArray[np.float64]:
        material = Material(clips).labelled(labels)
        return run_to_end(cross_validated(material, artists, recipe, targets(), tmp_path))

    first = folds(RECIPE)
    other = folds(replace(RECIPE, head=replace(SMALL, epochs=3)))
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, folds(RECIPE, clips.labels[::-1].copy()))
    monkeypatch.setattr(FittedHead, "of", None)  # nothing is fitted again
    np.testing.assert_array_equal(folds(RECIPE), first)


def test_the_exported_committee_says_the_same_at_any_length(tmp_path: Path) -> None:
    clips = made_up_clips()
    reduction = fit_reduction(clips, SMALL.rank)
    committee = train_committee(clips, reduction, SMALL, 0, targets())
    committee.far = fit_far_judge(clips, [made_up_clips(seed=2)], reduction, RECIPE.far)
    export_committee(committee, tmp_path / "head.onnx", SMALL.rank, clips.song.shape[1])
    network = open_network(tmp_path / "head.onnx")
    rows, song = reduced(clips, reduction)
    for length in (1, 3, 5):
        short = rows[:7, :length].contiguous()
        wanted = committee(short, song[:7]).detach().numpy()
        found = network({"segments": short.numpy(), "song": song[:7].numpy()})
        np.testing.assert_allclose(found["log_probabilities"], wanted, atol=1e-4)


def test_components_keep_what_training_showed() -> None:
    clips = made_up_clips()
    reduction = fit_reduction(clips, 9)
    rows, _ = reduced(clips, reduction)
    back = rows @ torch.from_numpy(reduction.components).T
    wanted = (clips.segments - reduction.segment_mean) / reduction.segment_scale
    np.testing.assert_allclose(back.numpy()[:, :, :7], wanted[:, :, :7], atol=5e-3)


def test_the_detector_knows_music_from_other_sounds() -> None:
    clips = made_up_clips()
    noise = np.random.default_rng(2).normal(size=(30, 9)).astype(np.float32)
    noise[:, 3:] += 5.0
    reduction = with_detector(fit_reduction(clips, SMALL.rank), clips.song, noise)
    music = [reduction.familiarity(song) for song in clips.song]
    other = [reduction.familiarity(song) for song in noise]
    assert np.mean(music) > np.mean(other) + 0.5


def test_made_up_sounds_are_sounds() -> None:
    def first(count: int) -> list[NDArray[np.float32]]:
        return list(no_music(count))

    sounds = first(12)
    for x in sounds:
        assert np.isfinite(x).all()
        assert np.abs(x).max() == pytest.approx(0.5, rel=1e-4)
    np.testing.assert_array_equal(sounds[0], first(1)[0])
    assert not np.array_equal(sounds[0], sounds[2])


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "musicnn-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"PK")
    with pytest.raises(UndertoneError, match="is not the wheel"):
        read_wheel(wheel, "MSD_musicnn")
    with pytest.raises(UndertoneError, match="pip download"):
        read_wheel(tmp_path / "none.whl", "MSD_musicnn")
