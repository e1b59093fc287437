"""A listener's own head: starts where the common one stands, learns, and never strays far."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from inference.labelling.pairing import Pairing
from inference.labelling.songs import Windows
from inference.pipelines.head import Head
from inference.training.personal import HeadTuner, TunerSettings, head_of, music_head

WIDTH, CODES, SIZE = 12, 6, 4


def start(seed: int = 0) -> Head:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return (0.5 * rng.normal(size=shape)).astype(np.float32)

    return Head(
        draw(WIDTH, 8), draw(8), draw(8, CODES), draw(CODES),
        draw(2, 3 * SIZE, CODES), draw(2, 3 * SIZE, SIZE), draw(2, 6 * SIZE),
        draw(2 * SIZE, 2 * SIZE), draw(2 * SIZE, 2 * SIZE), draw(2 * SIZE),
        draw(4, 2 * SIZE), draw(4),
    )  # fmt: skip


def songs(count: int, seed: int = 1) -> list[Windows]:
    rng = np.random.default_rng(seed)
    return [
        Windows(
            rng.normal(size=(int(rng.integers(3, 9)), 7)).astype(np.float32),
            rng.normal(size=5).astype(np.float32),
        )
        for _ in range(count)
    ]


def case(count: int = 48) -> tuple[Head, list[Windows], np.ndarray, Pairing]:
    head, heard = start(), songs(count)
    offset = np.stack([song.scores(head) for song in heard])
    answers = (offset.argmax(axis=1) + 1) % 4  # all is felt one mood further on
    music = np.stack([head.codes(s.segments, s.song).mean(axis=0) for s in heard]).astype(float)
    return head, heard, offset, Pairing(answers, offset.argmax(axis=1), music)


def test_a_head_goes_to_torch_and_back_unchanged() -> None:
    head, song = start(), songs(1)[0]
    again = head_of(music_head(head))
    assert all(np.array_equal(v, again.arrays("")[k]) for k, v in head.arrays("").items())
    x = np.column_stack([song.segments[:3], np.tile(song.song, (3, 1))])[None]
    said = music_head(head).eval()(torch.from_numpy(x)).log_probabilities.detach().numpy()
    codes = head.codes(song.segments[:3], song.song)[None]
    np.testing.assert_allclose(said, head.think(codes).log_probabilities, atol=1e-5)


def test_what_is_learned_holds_for_other_songs_and_is_the_same_each_time() -> None:
    head, heard, offset, pairing = case(72)
    use = np.arange(72) < 48
    tuner = HeadTuner(
        head, heard, pairing, TunerSettings(steps=40, rate=2e-2, pull=1e-3, dropout=0.1)
    )
    change = tuner(use, offset)
    assert np.array_equal(change, tuner(use, offset))
    before = (offset.argmax(axis=1) == pairing.answers)[~use].mean()
    after = ((offset + change).argmax(axis=1) == pairing.answers)[~use].mean()
    assert after > before + 0.2


def test_a_strong_pull_keeps_the_common_head() -> None:
    head, heard, offset, pairing = case()
    use = np.ones(48, bool)
    held = np.abs(HeadTuner(head, heard, pairing, TunerSettings(pull=100.0))(use, offset)).mean()
    free = np.abs(HeadTuner(head, heard, pairing, TunerSettings(pull=0.0))(use, offset)).mean()
    assert held < free / 2


def test_songs_of_which_nothing_is_stored_change_nothing() -> None:
    head, heard, offset, pairing = case()
    some = [None if i % 2 else song for i, song in enumerate(heard)]
    change = HeadTuner(head, some, pairing)(np.ones(48, bool), offset)
    assert (change[1::2] == 0).all()
    assert (change[::2] != 0).any()
    nothing = HeadTuner(head, [None] * 48, pairing)(np.ones(48, bool), offset)
    assert (nothing == 0).all()
