"""Planted leaks are caught: by the type of the fold, and by permuted labels."""

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from inference.errors import UndertoneError
from inference.evaluation import (
    Fold,
    Groups,
    LeakError,
    Protocol,
    Samples,
    cross_validate,
    leak_verdict,
    majority_probabilities,
    make_folds,
    paper_style_folds,
    permute_labels,
    refuse_leak,
    result_row,
)
from inference.evaluation.crossval import Predictor
from inference.job import run_to_end


def segments_of_songs(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """40 songs x 12 segments: each song has a sound, and a label that the sound says nothing of."""
    rng = np.random.default_rng(seed)
    song = np.repeat(np.arange(40), 12)
    x = rng.normal(size=(40, 6))[song] + 0.1 * rng.normal(size=(480, 6))
    return x, rng.permutation(np.arange(40) % 4)[song], song


def nearest_neighbour(samples: Samples[np.ndarray], seed: int) -> Predictor[np.ndarray]:
    model = KNeighborsClassifier(1).fit(np.stack(list(samples.inputs)), samples.labels)

    def predict(inputs: Sequence[np.ndarray]) -> np.ndarray:
        p = np.zeros((len(inputs), 4))
        p[:, model.classes_] = model.predict_proba(np.stack(list(inputs)))
        return p

    return predict


def test_permuted_labels_catch_folds_that_share_songs() -> None:
    x, y, song = segments_of_songs()
    fake = permute_labels(y, song, seed=1)
    samples = Samples(list(x), fake, song.astype(str))
    leaky = run_to_end(
        cross_validate(
            nearest_neighbour, samples, paper_style_folds(480, n_folds=5, seed=0), seeds=[0]
        )
    )
    verdict = leak_verdict(fake, leaky.probabilities[0], song, n_draws=300)
    assert verdict.permuted.value > 0.9
    assert verdict.leaks
    with pytest.raises(LeakError, match="permuted labels"):
        refuse_leak(verdict)


def test_permuted_labels_pass_folds_that_hold_songs_out() -> None:
    x, y, song = segments_of_songs()
    fake = permute_labels(y, song, seed=1)
    samples = Samples(list(x), fake, song.astype(str))
    folds = make_folds(Protocol.P2, fake, Groups({"song": song.astype(str)}), n_folds=5, seed=0)
    honest = run_to_end(cross_validate(nearest_neighbour, samples, folds, seeds=[0]))
    verdict = leak_verdict(fake, honest.probabilities[0], song, n_draws=300)
    assert not verdict.leaks
    refuse_leak(verdict)


def test_a_leak_inside_the_system_is_caught_too() -> None:
    """A system that remembers every label it ever saw, over folds: state that outlives the fold."""
    x, y, song = segments_of_songs()
    fake = permute_labels(y, song, seed=1)
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def remembers(samples: Samples[np.ndarray], seed: int) -> Predictor[np.ndarray]:
        seen.append((np.stack(list(samples.inputs)), samples.labels))
        everything = Samples(
            list(np.concatenate([a for a, _ in seen])),
            np.concatenate([b for _, b in seen]),
            np.zeros(sum(len(b) for _, b in seen), dtype=str),
        )
        return nearest_neighbour(everything, seed)

    groups = Groups({"song": song.astype(str)})
    folds = make_folds(Protocol.P2, fake, groups, n_folds=5, seed=0)
    samples = Samples(list(x), fake, song.astype(str))
    result = run_to_end(cross_validate(remembers, samples, folds, seeds=[0]))
    assert leak_verdict(fake, result.probabilities[0], song, n_draws=300).leaks


def test_a_hand_made_split_over_segments_cannot_be_built() -> None:
    _, _, song = segments_of_songs()
    with pytest.raises(LeakError, match="40 song group"):
        Fold(np.arange(0, 480, 2), np.arange(1, 480, 2), Groups({"song": song.astype(str)}))


def test_a_system_is_handed_its_training_part_only() -> None:
    x, y, song = segments_of_songs()
    groups = Groups({"song": song.astype(str)})
    folds = make_folds(Protocol.P2, y, groups, n_folds=4, seed=0)
    handed: list[set[str]] = []

    def spy(samples: Samples[np.ndarray], seed: int) -> Predictor[np.ndarray]:
        handed.append(set(samples.groups))
        return lambda inputs: majority_probabilities(samples.labels, len(inputs))

    samples = Samples(list(x), y, song.astype(str))
    result = run_to_end(cross_validate(spy, samples, folds, seeds=[0]))
    for songs, fold in zip(handed, folds, strict=True):
        assert not songs & set(song[fold.test].astype(str))
    row = result_row("majority", samples, result, n_draws=50)
    assert row["balanced_accuracy"] == pytest.approx(0.25, abs=0.06)


def test_permuting_keeps_songs_whole_and_counts_the_same() -> None:
    _, y, song = segments_of_songs()
    fake = permute_labels(y, song, seed=5)
    assert np.array_equal(np.bincount(fake), np.bincount(y))
    assert not np.array_equal(fake, y)
    assert all(len(np.unique(fake[song == s])) == 1 for s in range(40))
    with pytest.raises(ValueError, match="two labels"):
        permute_labels([0, 1], ["s", "s"], seed=0)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path) -> None:
    x, y, song = segments_of_songs()
    samples = Samples(list(x), y, song.astype(str))
    groups = Groups({"song": song.astype(str)})
    folds = make_folds(Protocol.P2, y, groups, n_folds=4, seed=0)
    fits: list[int] = []

    def counted(samples: Samples[np.ndarray], seed: int) -> Predictor[np.ndarray]:
        fits.append(seed)
        return nearest_neighbour(samples, seed)

    file = tmp_path / "run.npz"
    first = cross_validate(counted, samples, folds, seeds=[0, 1], checkpoint=file)
    for _ in range(3):
        next(first)
    first.close()
    resumed = run_to_end(cross_validate(counted, samples, folds, seeds=[0, 1], checkpoint=file))
    whole = run_to_end(cross_validate(nearest_neighbour, samples, folds, seeds=[0, 1]))
    assert len(fits) == 8
    assert np.array_equal(resumed.probabilities, whole.probabilities)
    other = make_folds(Protocol.P2, y, groups, n_folds=4, seed=9)
    with pytest.raises(UndertoneError, match="other folds"):
        run_to_end(cross_validate(counted, samples, other, seeds=[0, 1], checkpoint=file))
