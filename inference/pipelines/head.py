"""A head of undertone-music in NumPy: regressor, SIA-BGRU, with the codes in between to look at.

ONNX Runtime gives a head's probabilities and nothing else. The clusters of prompted labelling
compare regressed features, and a listener's own head is a few arrays: both are read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.errors import UndertoneError
from inference.pipelines.weights import Graph

__all__ = ["Head", "Thought", "heads_of"]

Array = NDArray[np.float32]


class Thought(NamedTuple):
    """What a head makes of windows.

    Parameters
    ----------
    log_probabilities : ndarray, shape (b, 4)
    attended : ndarray, shape (b, 128)
        r of equation 13.
    """

    log_probabilities: Array
    attended: Array


@dataclass(frozen=True, eq=False)
class Head:
    """One member of the committee; see `inference.models.regressor.MusicHead` for the equations.

    Parameters
    ----------
    hidden, hidden_bias : ndarray, shapes (r + k, h), (h,)
        First layer of the regressor; its inputs' mean and scale are worked in.
    output, output_bias : ndarray, shapes (h, c), (c,)
        Second layer; the scale of the codes is worked in.
    gru_input, gru_state, gru_bias : ndarray, shapes (2, 3 g, c), (2, 3 g, g), (2, 6 g)
        Both directions, gates in ONNX's order: update, reset, new.
    own, mean, context : ndarray, shapes (2 g, 2 g), (2 g, 2 g), (2 g,)
        Inner attention: o = tanh(h own + R_mean mean), weights softmax(o . context).
    classes, classes_bias : ndarray, shapes (4, 2 g), (4,)
        The temperature is worked in.
    """

    hidden: Array
    hidden_bias: Array
    output: Array
    output_bias: Array
    gru_input: Array
    gru_state: Array
    gru_bias: Array
    own: Array
    mean: Array
    context: Array
    classes: Array
    classes_bias: Array

    def codes(self, segments: Array, song: Array) -> Array:
        """Regressed physiological features.

        Parameters
        ----------
        segments : ndarray, shape (n, r)
            Reduced segments.
        song : ndarray, shape (k,) or (n, k)
            Standardised means of the song.

        Returns
        -------
        ndarray, shape (n, c)
        """
        width = segments.shape[1]
        x = segments @ self.hidden[:width] + song @ self.hidden[width:] + self.hidden_bias
        codes: Array = np.maximum(x, 0.0) @ self.output + self.output_bias
        return codes

    def think(self, codes: Array) -> Thought:
        """SIA-BGRU over windows of codes, (b, L, c)."""
        h = np.concatenate([self._gru(codes, 0), self._gru(codes[:, ::-1], 1)[:, ::-1]], axis=2)
        o = np.tanh(h @ self.own + h.mean(axis=1, keepdims=True) @ self.mean)
        weight = _softmax(o @ self.context)
        attended = (weight[:, :, None] * h).sum(axis=1)
        scores = attended @ self.classes.T + self.classes_bias
        return Thought(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)), attended)

    def _gru(self, x: Array, direction: int) -> Array:
        size = self.gru_state.shape[2]
        bias = self.gru_bias[direction]
        inputs = x @ self.gru_input[direction].T + bias[: 3 * size]
        state_weights, state_bias = self.gru_state[direction].T, bias[3 * size :]
        h = np.zeros((len(x), size), np.float32)
        states = np.empty((*x.shape[:2], size), np.float32)
        for t in range(x.shape[1]):
            now, before = inputs[:, t], h @ state_weights + state_bias
            update, reset = (
                _sigmoid(now[:, : 2 * size] + before[:, : 2 * size])
                .reshape(len(x), 2, size)
                .transpose(1, 0, 2)
            )
            new = np.tanh(now[:, 2 * size :] + reset * before[:, 2 * size :])
            h = (1.0 - update) * new + update * h
            states[:, t] = h
        return states

    def arrays(self, prefix: str) -> dict[str, Array]:
        """All weights by name, for an .npz file."""
        return {prefix + f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], prefix: str) -> Head:
        """What `arrays` gave.

        Raises
        ------
        ValueError
            If one is missing, not finite, or does not fit the others.
        """
        lacking = [f.name for f in fields(cls) if prefix + f.name not in arrays]
        if lacking:
            raise ValueError(f"weights are missing: {lacking[0]}")
        head = cls(**{f.name: np.asarray(arrays[prefix + f.name]) for f in fields(cls)})
        if not all(np.isfinite(getattr(head, f.name)).all() for f in fields(cls)):
            raise ValueError("weights are not finite")
        try:
            codes = head.codes(np.zeros((2, len(head.hidden)), np.float32), np.zeros(0, np.float32))
            fits = head.think(codes[None]).log_probabilities.shape == (1, 4)
        except (ValueError, IndexError):
            fits = False
        if not fits:
            raise ValueError("weights do not fit each other")
        return head


def heads_of(graph: Graph) -> list[Head]:
    """The members of a committee that `inference.training.music_best` exported.

    Raises
    ------
    UndertoneError
        If the network is built in another way.
    """
    heads: list[Head] = []
    try:
        while f"members.{len(heads)}.regressor.hidden.bias" in graph.weights:
            heads.append(_head(graph, f"members.{len(heads)}"))
    except (KeyError, ValueError) as error:
        raise UndertoneError(
            "the model's head is built in another way than this program knows", "Update Undertone"
        ) from error
    if not heads:
        raise UndertoneError("the model's head has no members", "Update Undertone")
    return heads


def _head(graph: Graph, name: str) -> Head:
    def weight(*parts: str) -> Array:
        return graph.weights[".".join([name, *parts])]

    def used(place: str) -> tuple[Array, ...]:
        return graph.of(f"/{name}/{place}")

    (hidden,) = used("regressor/hidden/MatMul_output_0")
    (output,) = used("regressor/output/MatMul_output_0")
    gru_input, gru_state, gru_bias = used("classifier/gru/GRU_output_0")
    (own,) = used("classifier/attention/own/MatMul_output_0")
    (mean,) = used("classifier/attention/mean/MatMul_output_0")
    scale = weight("regressor", "feature_scale")
    shift = weight("regressor", "feature_mean") / scale
    code_scale = weight("regressor", "code_scale")
    temperature = weight("temperature")
    return Head(
        hidden=hidden / scale[:, None],
        hidden_bias=(weight("regressor", "hidden", "bias") - shift @ hidden).astype(np.float32),
        output=output * code_scale,
        output_bias=weight("regressor", "output", "bias") * code_scale
        + weight("regressor", "code_mean"),
        gru_input=gru_input,
        gru_state=gru_state,
        gru_bias=gru_bias,
        own=own,
        mean=mean,
        context=weight("classifier", "attention", "context"),
        classes=weight("classifier", "output", "weight") / temperature,
        classes_bias=weight("classifier", "output", "bias") / temperature,
    )


def _sigmoid(x: Array) -> Array:
    result: Array = np.float32(1.0) / (np.float32(1.0) + np.exp(-x))
    return result


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    result: Array = e / e.sum(axis=-1, keepdims=True)
    return result
