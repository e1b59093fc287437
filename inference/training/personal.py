"""A listener's own head: regressor and SIA-BGRU fine-tuned from the common model's weights.

The paper's steps 5 and 6 for one listener: the regressor is drawn to the codes of the words that
the selection kept, classifier and regressor to all the listener's words, both held to where they
started (L2-SP: Li, Grandvalet, Davoine, ICML 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from inference.labelling.pairing import Pairing
from inference.labelling.songs import Windows
from inference.models.classifier import ClassifierConfig
from inference.models.regressor import MusicHead, RegressorConfig
from inference.pipelines.head import Head

__all__ = ["HeadTuner", "TunerSettings", "head_of", "music_head", "on_one_core"]

Array = NDArray[np.float64]
Use = NDArray[np.bool_]


def on_one_core() -> None:
    """Let torch use one thread, for the whole process: whoever plays music has the others."""
    torch.set_num_threads(1)


@dataclass(frozen=True)
class TunerSettings:
    """How a head is fine-tuned.

    Parameters
    ----------
    steps : int
        Each on one random window of every song.
    rate : float
        Of Adam, peak of the one-cycle schedule.
    pull : float
        Of the squared distance from the start.
    code_weight : float
        Of the codes' squared error beside the cross-entropy.
    dropout : float
        Of the musical features and the hidden layer.
    seed : int
    """

    steps: int = 30
    rate: float = 1e-3
    pull: float = 0.02
    code_weight: float = 1.0
    dropout: float = 0.3
    seed: int = 0


@dataclass(frozen=True, eq=False)
class HeadTuner:
    """See `inference.labelling.ladder.Tuner`.

    Parameters
    ----------
    start : Head
        One member of the common model's committee.
    songs : sequence of Windows or None
        None where nothing is stored of a song: it takes no part, and nothing changes for it.
    pairing : Pairing
        Answers, and what the regression imitates.
    settings : TunerSettings
    """

    start: Head
    songs: Sequence[Windows | None]
    pairing: Pairing
    settings: TunerSettings = TunerSettings()

    def __call__(self, use: Use, offset: Array) -> Array:
        """See `Tuner`."""
        tuned = self.network(use, offset)
        change = np.zeros_like(offset)
        for i, song in enumerate(self.songs):
            if song is not None:
                change[i] = song.scores(tuned) - song.scores(self.start)
        return change

    def network(self, use: Use, offset: Array) -> Head:
        """The head that `use` gives; the same for the same input."""
        at = np.array([i for i, s in enumerate(self.songs) if use[i] and s is not None], np.int64)
        if not len(at):
            return self.start
        torch.manual_seed(self.settings.seed)
        rng = np.random.default_rng(self.settings.seed)
        net = music_head(self.start, self.settings.dropout).train()
        before = [p.detach().clone() for p in net.parameters()]
        paired = self.pairing.of(use)
        kept = torch.from_numpy(paired.kept[at])
        targets = torch.from_numpy(paired.targets[at].astype(np.float32))
        labels = torch.from_numpy(self.pairing.answers[at])
        base = torch.from_numpy(offset[at].astype(np.float32))
        first = self._first(at)
        optimiser = torch.optim.Adam(net.parameters(), lr=self.settings.rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.settings.rate, total_steps=self.settings.steps
        )
        for _ in range(self.settings.steps):
            x = self._windows(at, rng)
            dropped = nn.functional.dropout(x, self.settings.dropout)
            codes = net.regressor(dropped)
            said = net.classifier(codes).log_probabilities
            loss = cross_entropy(base + said - first, labels)
            if bool(kept.any()):
                loss = loss + self.settings.code_weight * mse_loss(
                    codes.mean(dim=1)[kept], targets[kept]
                )
            away = sum(
                (p - b).square().sum() for p, b in zip(net.parameters(), before, strict=True)
            )
            loss = loss + self.settings.pull * away
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        return head_of(net.eval())

    def _first(self, at: NDArray[np.int64]) -> Tensor:
        """What the start says of the songs `at`, (n, 4)."""
        said = [song.scores(self.start) for i in at if (song := self.songs[int(i)]) is not None]
        return torch.from_numpy(np.stack(said).astype(np.float32))

    def _windows(self, at: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """A random window of each song, all as long as the shortest allows: (n, L, r + k)."""
        songs = [song for i in at if (song := self.songs[int(i)]) is not None]
        length = min(song.starts()[1] for song in songs)
        rows = []
        for song in songs:
            start = int(rng.integers(0, len(song.segments) - length + 1))
            segments = song.segments[start : start + length]
            rows.append(np.column_stack([segments, np.tile(song.song, (length, 1))]))
        return torch.from_numpy(np.stack(rows).astype(np.float32))


def music_head(head: Head, dropout: float = 0.0) -> MusicHead:
    """The torch module of a head that is kept as arrays."""
    size = head.gru_state.shape[2]
    width_in, hidden = head.hidden.shape
    width = head.output.shape[1]
    net = MusicHead(
        RegressorConfig(width_in, hidden, width, dropout), ClassifierConfig(width, size)
    )
    state = {
        "regressor.hidden.weight": head.hidden.T,
        "regressor.hidden.bias": head.hidden_bias,
        "regressor.output.weight": head.output.T,
        "regressor.output.bias": head.output_bias,
        "classifier.attention.own.weight": head.own.T,
        "classifier.attention.mean.weight": head.mean.T,
        "classifier.attention.context": head.context,
        "classifier.output.weight": head.classes,
        "classifier.output.bias": head.classes_bias,
    }
    for direction, suffix in enumerate(("", "_reverse")):
        bias = head.gru_bias[direction]
        state |= {
            f"classifier.gru.weight_ih_l0{suffix}": _swapped(head.gru_input[direction]),
            f"classifier.gru.weight_hh_l0{suffix}": _swapped(head.gru_state[direction]),
            f"classifier.gru.bias_ih_l0{suffix}": _swapped(bias[: 3 * size]),
            f"classifier.gru.bias_hh_l0{suffix}": _swapped(bias[3 * size :]),
        }
    whole = net.state_dict()
    whole |= {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in state.items()}
    net.load_state_dict(whole)
    return net


def head_of(net: MusicHead) -> Head:
    """The arrays of a torch module whose scales are 1; the way back of `music_head`."""
    state = {k: v.detach().numpy().copy() for k, v in net.state_dict().items()}

    def gru(name: str) -> NDArray[np.float32]:
        return np.stack(
            [_swapped(state[f"classifier.gru.{name}_l0{suffix}"]) for suffix in ("", "_reverse")]
        )

    return Head(
        hidden=np.ascontiguousarray(state["regressor.hidden.weight"].T),
        hidden_bias=state["regressor.hidden.bias"],
        output=np.ascontiguousarray(state["regressor.output.weight"].T),
        output_bias=state["regressor.output.bias"],
        gru_input=gru("weight_ih"),
        gru_state=gru("weight_hh"),
        gru_bias=np.concatenate([gru("bias_ih"), gru("bias_hh")], axis=1),
        own=np.ascontiguousarray(state["classifier.attention.own.weight"].T),
        mean=np.ascontiguousarray(state["classifier.attention.mean.weight"].T),
        context=state["classifier.attention.context"],
        classes=state["classifier.output.weight"],
        classes_bias=state["classifier.output.bias"],
    )


def _swapped(gates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Update and reset change places: ONNX names them in the other order than torch."""
    first, second, new = np.split(gates, 3)
    return np.concatenate([second, first, new])
