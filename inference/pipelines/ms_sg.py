"""The paper's route: MS-SG segments -> convolutional network -> regressor and SIA-BGRU.

Windows of 84 segments (30 s), one every 14 segments (5 s), are classified as the segments
arrive, so that memory does not grow with the length of a song.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.audio.errors import AudioError, Cancelled
from inference.audio.features import MAX_BYTES, SongFeatures
from inference.audio.frontend import AUDIBLE, MsSg
from inference.audio.segments import (
    FS_HZ,
    SEGMENT_HOP_S,
    SEGMENT_S,
    WINDOW_HOP_SEGMENTS,
    WINDOW_SEGMENTS,
)
from inference.catalog import CatalogError, ModelCard
from inference.pipelines.base import Analysis, Network, Networks, WindowScores

__all__ = ["MsSgPipeline", "build"]

Array = NDArray[np.float32]

_WINDOW_BATCH = 8


def build(card: ModelCard, files: Mapping[str, Path], networks: Networks) -> MsSgPipeline:
    """Pipeline of a card with the files ``front_end``, ``head`` and, if any, ``classifier``."""
    classifier = None
    if "classifier" in files:
        try:
            with np.load(files["classifier"], allow_pickle=False) as arrays:
                classifier = (
                    np.asarray(arrays["weight"], np.float32),
                    np.asarray(arrays["bias"], np.float32),
                )
        except (OSError, ValueError) as error:
            raise CatalogError(
                f"{files['classifier'].name} of model {card.id} is not readable",
                "Install the model again.",
            ) from error
    return MsSgPipeline(
        card.front_end,
        networks(files["front_end"]),
        networks(files["head"]),
        classifier,
    )


class MsSgPipeline:
    """See the module.

    Parameters
    ----------
    front_end : str
        Identity of the stored features.
    encoder : Network
        ``images`` (n, 3, 64, 46) -> ``features`` (n, d).
    head : Network
        ``features`` (b, L, d) -> ``log_probabilities`` (b, 4) and, if it can be re-rated,
        ``attended`` (b, k): the recording-level vector r of eq. (13).
    classifier : tuple of ndarray, optional
        Weight (k, 4) and bias (4,) of eq. (14), the head's last layer.

    Notes
    -----
    Stored are `attended` (without a classifier: the log-probabilities) of the windows, and as
    last column the share of the window that is sound. Where that would pass 16 KB, every
    second (third, ...) window is left out; `song` is (window length, start of the last window).
    """

    def __init__(
        self,
        front_end: str,
        encoder: Network,
        head: Network,
        classifier: tuple[Array, Array] | None,
    ) -> None:
        self._front_end = front_end
        self._images = MsSg()
        self._encoder = encoder
        self._head = head
        self._classifier = classifier if "attended" in head.outputs else None

    @property
    def front_end(self) -> str:
        return self._front_end

    def analyse(
        self,
        blocks: Iterable[NDArray[np.float32]],
        cancelled: Callable[[], bool] | None = None,
    ) -> Analysis:
        """See `inference.pipelines.base.Pipeline.analyse`."""
        counter = _Counter(blocks)
        starts: list[int] = []
        vectors: list[Array] = []
        log_probabilities: list[Array] = []
        sound: list[Array] = []
        length = WINDOW_SEGMENTS
        for start, features, audible in _windows(self._encoded(counter, cancelled)):
            outputs = self._head({"features": features})
            log_probabilities.append(_log_softmax(outputs["log_probabilities"]))
            if self._classifier is not None:
                vectors.append(outputs["attended"].astype(np.float32))
            sound.append(audible)
            starts += start
            length = features.shape[1]
        duration_s = counter.samples / FS_HZ
        if not starts:
            raise AudioError(
                f"only {duration_s:.2f} s of sound can be decoded; a mood needs {SEGMENT_S} s",
                "Leave the file out, or check that it is complete.",
            )
        scores = WindowScores(
            np.array(starts) * SEGMENT_HOP_S,
            (length - 1) * SEGMENT_HOP_S + SEGMENT_S,
            np.concatenate(log_probabilities),
            np.concatenate(sound),
        )
        kept = np.concatenate(vectors) if vectors else scores.log_probabilities
        return Analysis(self._features(kept, scores, duration_s), scores)

    def rate(self, features: SongFeatures) -> WindowScores:
        """See `inference.pipelines.base.Pipeline.rate`."""
        rows = features.segments.astype(np.float32)
        kept, sound = rows[:, :-1], rows[:, -1]
        if self._classifier is not None:
            weight, bias = self._classifier
            kept = kept @ weight + bias
        length_s, last_s = (float(v) for v in features.song)
        start_s = features.hop_s * np.arange(len(rows), dtype=np.float64)
        start_s[-1] = last_s
        return WindowScores(start_s, length_s, _log_softmax(kept), sound)

    def _encoded(
        self,
        blocks: Iterable[NDArray[np.float32]],
        cancelled: Callable[[], bool] | None,
    ) -> Iterator[tuple[Array, Array]]:
        """Features (n, d) and share of sound (n,) of consecutive segments."""
        for segments in self._images.segments(blocks):
            if cancelled is not None and cancelled():
                raise Cancelled()
            images = np.ascontiguousarray(segments)
            features = self._encoder({"images": images})["features"]
            yield features, (images[:, 0, 0] > AUDIBLE).mean(axis=1, dtype=np.float32)

    def _features(self, kept: Array, scores: WindowScores, duration_s: float) -> SongFeatures:
        rows = np.concatenate([kept, scores.weight[:, None]], axis=1)
        stride = -(-len(rows) // ((MAX_BYTES - 256) // (2 * rows.shape[1])))
        last = (len(rows) - 1) // stride * stride
        largest = np.finfo(np.float16).max
        return SongFeatures(
            front_end=self._front_end,
            duration_s=duration_s,
            hop_s=stride * WINDOW_HOP_SEGMENTS * SEGMENT_HOP_S,
            segments=np.clip(rows[::stride], -largest, largest).astype(np.float16),
            song=np.array([scores.length_s, scores.start_s[last]], np.float32),
        )


class _Counter(Iterable[NDArray[np.float32]]):
    def __init__(self, blocks: Iterable[NDArray[np.float32]]) -> None:
        self._blocks = blocks
        self.samples = 0

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        for block in self._blocks:
            self.samples += block.size
            yield block


def _windows(
    encoded: Iterable[tuple[Array, Array]],
) -> Iterator[tuple[list[int], Array, Array]]:
    """Batches of windows as segments arrive: `segments.window_starts` for a stream.

    Yields (first segments, features (b, L, d), share of sound (b,)).
    """
    length, hop = WINDOW_SEGMENTS, WINDOW_HOP_SEGMENTS
    features: Array | None = None
    sound = np.empty(0, np.float32)
    first = start = 0  # segment at the front of the buffers; start of the next window

    def batch(starts: list[int], size: int) -> tuple[list[int], Array, Array]:
        assert features is not None
        places = [s - first for s in starts]
        return (
            starts,
            np.stack([features[p : p + size] for p in places]),
            np.array([sound[p : p + size].mean() for p in places], np.float32),
        )

    for more, more_sound in encoded:
        features = more if features is None else np.concatenate([features, more])
        sound = np.concatenate([sound, more_sound])
        ready = (first + len(features) - start - length) // hop + 1
        if ready >= _WINDOW_BATCH:
            yield batch([start + i * hop for i in range(ready)], length)
            start += ready * hop
            # A last window may reach back by its whole length from the end.
            drop = max(0, min(start - first, len(features) - length))
            features, sound, first = features[drop:], sound[drop:], first + drop
    if features is None:
        return
    total = first + len(features)
    if total <= length:
        yield batch([0], total)
        return
    starts = list(range(start, total - length + 1, hop))
    covered = (starts[-1] if starts else start - hop) + length
    if covered < total:
        starts.append(total - length)
    if starts:
        yield batch(starts, length)


def _log_softmax(scores: NDArray[np.floating]) -> Array:
    scores = np.nan_to_num(scores.astype(np.float32), nan=0.0, posinf=80.0, neginf=-80.0)
    scores = scores - scores.max(axis=1, keepdims=True)
    result: Array = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return result
