"""The default way from audio to mood: musicnn's two networks and our descriptors, every 6 s.

A song is brought to one loudness and cut into excerpts of 30 s. MSD_musicnn hears all of them.
The middle of up to four, spread over the song, is described by rhythm, harmony and timbre, and
MTT_musicnn hears five patches of 3 s. What is kept of a song are principal components of
MSD_musicnn's answers every 6 s, and the mean of everything else; heads read nothing but these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.audio.descriptors import describe
from inference.audio.errors import AudioError, Cancelled
from inference.audio.excerpts import CELL_SAMPLES, EXCERPT_CELLS, Listener
from inference.audio.features import SongFeatures
from inference.audio.spectra import CELL_FRAMES, CELL_S, FINE_HOP, FineSpectra, Spectra, filled
from inference.catalog import CatalogError, ModelCard
from inference.pipelines.adaptation import Familiar, LibraryStatistics, Usual
from inference.pipelines.base import Analysis, Network, Networks, WindowScores

__all__ = [
    "DESCRIBED_CELLS",
    "TAGGED_CELLS",
    "Extractor",
    "Heard",
    "Reduction",
    "UndertonePipeline",
    "build",
]

Array = NDArray[np.float32]

SEGMENT_CELLS = 2
SEGMENT_S = SEGMENT_CELLS * CELL_S
WINDOW_SEGMENTS = 5
_MOST_SEGMENTS = 42  # 160 components and the share of sound in half precision: 13.5 KB
DESCRIBED_CELLS = {1: 10, 2: 10, 3: 8, 4: 6}
"""Cells in the middle of an excerpt that are described, by how many excerpts are."""
TAGGED_CELLS = 5
"""Cells of a song that MTT_musicnn hears."""
_AUDIBLE = 1e-6  # mean square, -60 dB full scale
_SHORTEST_S = 0.5
_RATED_WINDOWS = 8  # each hears five segments, so that none of a song of 4 min is left out
_LEAST_SAY = 0.1
_SURE_OF_NOISE_OR_MUSIC = (-0.85, 0.4)  # logits: probabilities of music of 0.3 and 0.6


@dataclass(frozen=True, eq=False)
class Heard:
    """What the networks and descriptors say of a song.

    Parameters
    ----------
    segments : ndarray, shape (n, d), float32
        MSD_musicnn's channels, penultimate layer and tags, a mean every 6 s.
    song : ndarray, shape (k,), float32
        Means over the song: descriptors, then MTT_musicnn's penultimate layer and tags.
    sound : ndarray, shape (n,), float32
        Share of each segment above -60 dB full scale.
    start_s : ndarray, shape (n,), float64
    duration_s : float
    """

    segments: Array
    song: Array
    sound: Array
    start_s: NDArray[np.float64]
    duration_s: float


class Extractor:
    """From audio to what is heard in it; training and tagging share it.

    Parameters
    ----------
    msd : Network
        ``mel`` (1870, 96) -> ``pooled``, ``penultimate``, ``tags`` of its 10 cells.
    mtt : Network
        ``mel`` (187, 96) -> ``penultimate``, ``tags``.
    described, tagged
        See `DESCRIBED_CELLS` and `TAGGED_CELLS`.
    """

    def __init__(
        self,
        msd: Network,
        mtt: Network,
        described: Mapping[int, int] = DESCRIBED_CELLS,
        tagged: int = TAGGED_CELLS,
    ) -> None:
        self._msd = msd
        self._mtt = mtt
        self._described = described
        self._cells_tagged = tagged

    def __call__(
        self, blocks: Iterable[Array], cancelled: Callable[[], bool] | None = None
    ) -> Heard:
        """Hear one song, 16 kHz mono.

        Raises
        ------
        AudioError
            If it is shorter than half a second.
        Cancelled
        """
        listener = Listener()
        for block in blocks:
            _check(cancelled)
            listener.hear(block)
        if listener.duration_s < _SHORTEST_S:
            raise AudioError(
                f"only {listener.duration_s:.2f} s of sound can be decoded; "
                f"a mood needs {_SHORTEST_S} s",
                "Leave the file out, or check that it is complete.",
            )
        excerpts = listener.excerpts()
        chosen = _spread(len(excerpts), max(self._described))
        segments, sound, starts, mels, described = [], [], [], [], []
        for number, excerpt in enumerate(excerpts):
            _check(cancelled)
            x = excerpt.samples * np.float32(listener.gain)
            fine = FineSpectra.of(x)
            mels.append(fine.mel[: fine.cells * CELL_FRAMES])
            segments.append(_pairs(self._channels(fine.mel)[: fine.cells]))
            sound.append(_pairs(_sound(excerpt.samples, fine.cells)))
            count = len(segments[-1])
            starts.append(np.arange(count, dtype=np.float64) * SEGMENT_S + excerpt.start_s)
            if number in chosen:
                spectra = _middle(x, fine, self._described[len(chosen)])
                described.append((spectra.cells, describe(spectra)))
        weights, vectors = zip(*described, strict=True)
        mean = np.average(vectors, axis=0, weights=weights)
        return Heard(
            np.concatenate(segments),
            np.concatenate([mean, *self._tagged(mels)]).astype(np.float32),
            np.concatenate(sound),
            np.concatenate(starts),
            listener.duration_s,
        )

    def _channels(self, mel: Array) -> Array:
        """MSD_musicnn of each cell of an excerpt, (10, d)."""
        said = self._msd({"mel": filled(mel, EXCERPT_CELLS * CELL_FRAMES)})
        return np.concatenate([said["pooled"], said["penultimate"], said["tags"]], axis=1)

    def _tagged(self, mels: Sequence[Array]) -> list[Array]:
        """Means of MTT_musicnn's penultimate layer and tags over some cells of a song."""
        heard = []
        cells = [len(mel) // CELL_FRAMES for mel in mels]
        for number, cell in _patches(cells, self._cells_tagged):
            heard.append(self._mtt({"mel": mels[number][cell * CELL_FRAMES :][:CELL_FRAMES]}))
        return [np.mean([h[name] for h in heard], axis=(0, 1)) for name in ("penultimate", "tags")]


def _spread(total: int, few: int) -> set[int]:
    """Which of `total` things to take, `few` at most, evenly."""
    count = min(total, few)
    return {int((i + 0.5) * total / count) for i in range(count)}


def _patches(cells: Sequence[int], few: int) -> list[tuple[int, int]]:
    """Excerpt and cell, evenly over a song whose excerpts have so many `cells`, `few` of them."""
    if len(cells) == 1:  # as in training, whatever its length
        return [(0, cell) for cell in range(0, EXCERPT_CELLS, 2) if cell < cells[0]]
    places = [(number, cell) for number, count in enumerate(cells) for cell in range(count)]
    step = max(1.0, len(places) / few)
    return [places[int(max(0.0, (i + 0.5) * step - 1.0))] for i in range(min(few, len(places)))]


def _middle(x: Array, fine: FineSpectra, most: int) -> Spectra:
    """The spectra of an excerpt, or of its `most` middle cells where it has more."""
    if fine.cells <= most:
        return Spectra.of(x, fine)
    first = (fine.cells - most) // 2
    frames = slice(first * CELL_FRAMES, (first + most) * CELL_FRAMES)
    samples = x[first * CELL_SAMPLES : (first + most) * CELL_SAMPLES]
    return Spectra.of(samples, FineSpectra(fine.fine[frames], fine.mel[frames]))


def _sound(samples: Array, cells: int) -> Array:
    """Share of each cell above -60 dB full scale, (cells,)."""
    # a last frame may be half outside
    hops = filled(samples, cells * CELL_SAMPLES).reshape(cells, CELL_FRAMES, FINE_HOP)
    power = np.einsum("ijk,ijk->ij", hops, hops) / FINE_HOP
    share: Array = (power > _AUDIBLE).mean(axis=1, dtype=np.float32)
    return share


def _check(cancelled: Callable[[], bool] | None) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled


def _pairs(cells: Array) -> Array:
    """Means of two cells each; an odd last one stands alone."""
    begin = np.arange(0, len(cells), SEGMENT_CELLS)
    sizes = np.diff([*begin, len(cells)]).reshape(-1, *[1] * (cells.ndim - 1))
    means: Array = (np.add.reduceat(cells, begin, axis=0) / sizes).astype(np.float32)
    return means


@dataclass(frozen=True, eq=False)
class Reduction:
    """Standardisation, and principal components of the segments.

    Parameters
    ----------
    segment_mean, segment_scale : ndarray, shape (d,)
    components : ndarray, shape (d, r)
        Orthonormal columns.
    song_mean, song_scale : ndarray, shape (k,)
    row_mean, row_scale : ndarray, shape (r,)
        Of reduced segments averaged a song, over the training songs.
    music_weight : ndarray, shape (k,)
    music_bias : ndarray, shape ()
        Of a logistic regression on the standardised song vector: music, or noise and speech.
    far_row_mean, far_row_scale : ndarray, shape (r,)
    far_song_mean, far_song_scale : ndarray, shape (k,)
        As those above, of the same songs played by other instruments.
    moods : ndarray, shape (r + k, 3)
        See `Familiar`.
    """

    segment_mean: Array
    segment_scale: Array
    components: Array
    song_mean: Array
    song_scale: Array
    row_mean: Array
    row_scale: Array
    music_weight: Array
    music_bias: Array
    far_row_mean: Array
    far_row_scale: Array
    far_song_mean: Array
    far_song_scale: Array
    moods: Array

    _FAR = 5.0  # standard deviations; what lies beyond is no better known

    def segments(self, segments: Array) -> Array:
        """Shape (n, d) to (n, r)."""
        z = np.clip((segments - self.segment_mean) / self.segment_scale, -self._FAR, self._FAR)
        reduced: Array = z @ self.components
        return reduced

    def song(self, song: Array) -> Array:
        """Shape (..., k), standardised."""
        z: Array = np.clip((song - self.song_mean) / self.song_scale, -self._FAR, self._FAR)
        return z

    def familiarity(self, song: Array) -> float:
        """1 for music, 0 for speech, noise and other sounds, in between where that is in doubt."""
        logit = float(self.song(song) @ self.music_weight + self.music_bias)
        return float(np.interp(logit, _SURE_OF_NOISE_OR_MUSIC, (0.0, 1.0)))

    @property
    def familiar(self) -> Familiar:
        """What is usual in the training songs, as they are and by other instruments."""
        return Familiar(
            Usual(self.row_mean, self.row_scale, self.song_mean, self.song_scale),
            Usual(self.far_row_mean, self.far_row_scale, self.far_song_mean, self.far_song_scale),
            self.moods,
        )

    @classmethod
    def load(cls, path: Path) -> Reduction:
        """Read what the training wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{f.name: np.asarray(arrays[f.name], np.float32) for f in fields(cls)})


def build(card: ModelCard, files: Mapping[str, Path], networks: Networks) -> UndertonePipeline:
    """Pipeline of a card with the files ``msd``, ``mtt``, ``reduction`` and ``head``."""
    try:
        reduction = Reduction.load(files["reduction"])
    except (OSError, ValueError) as error:
        raise CatalogError(
            f"{files['reduction'].name} of model {card.id} is not readable",
            "Install the model again.",
        ) from error
    extractor = Extractor(networks(files["msd"]), networks(files["mtt"]))
    return UndertonePipeline(card.front_end, extractor, reduction, networks(files["head"]))


class UndertonePipeline:
    """See the module.

    Parameters
    ----------
    front_end : str
        Identity of the stored features.
    extractor : Extractor
    reduction : Reduction
    head : Network
        ``segments`` (b, L, r), ``song`` (b, k) -> ``log_probabilities`` (b, 4).
    library : LibraryStatistics, optional
        What is usual in the listener's library: where that is another kind of music, `rate` then
        takes it for usual.

    Notes
    -----
    Stored are the reduced segments with their share of sound as last column, and the song's
    means. Of songs over 4 min neighbouring segments are averaged.
    """

    def __init__(
        self,
        front_end: str,
        extractor: Extractor,
        reduction: Reduction,
        head: Network,
        library: LibraryStatistics | None = None,
    ) -> None:
        if library is not None and library.front_end != front_end:
            raise ValueError(f"the library's statistics are of {library.front_end!r}")
        self._move = None if library is None else library.towards(reduction.familiar)
        self._front_end = front_end
        self._extractor = extractor
        self._reduction = reduction
        self._head = head

    @property
    def front_end(self) -> str:
        return self._front_end

    def adapted(self, library: LibraryStatistics | None) -> UndertonePipeline:
        """The same pipeline, used to `library`."""
        return UndertonePipeline(
            self._front_end, self._extractor, self._reduction, self._head, library
        )

    def analyse(
        self,
        blocks: Iterable[NDArray[np.float32]],
        cancelled: Callable[[], bool] | None = None,
    ) -> Analysis:
        """See `inference.pipelines.base.Pipeline.analyse`."""
        features = self.features(self._extractor(blocks, cancelled))
        return Analysis(features, self._scores(features, hop=1))

    def features(self, heard: Heard) -> SongFeatures:
        """What is kept of a song."""
        rows = np.column_stack([self._reduction.segments(heard.segments), heard.sound])
        many = -(-len(rows) // _MOST_SEGMENTS)
        begin = np.arange(0, len(rows), many)
        sizes = np.diff([*begin, len(rows)])[:, None]
        rows = np.add.reduceat(rows, begin, axis=0) / sizes
        kept_s = float(heard.start_s[-1]) + SEGMENT_S
        return SongFeatures(
            self._front_end,
            heard.duration_s,
            kept_s / len(heard.segments) * many,
            rows.astype(np.float16),
            heard.song,
        )

    def rate(self, features: SongFeatures) -> WindowScores:
        """See `inference.pipelines.base.Pipeline.rate`; eight windows say as much as all."""
        windows = max(1, len(features.segments) - WINDOW_SEGMENTS + 1)
        return self._scores(features, hop=-(-windows // _RATED_WINDOWS))

    def _scores(self, features: SongFeatures, hop: int) -> WindowScores:
        rows, sound = np.split(features.segments.astype(np.float32), [-1], axis=1)
        length = min(WINDOW_SEGMENTS, len(rows))
        start = np.arange(0, len(rows) - length + 1, hop)
        at = start[:, None] + np.arange(length)

        def judge(rows: Array, vector: Array) -> Array:
            song = np.repeat(self._reduction.song(vector)[None], len(at), axis=0)
            said = self._head({"segments": np.ascontiguousarray(rows[at]), "song": song})
            return said["log_probabilities"]

        move, song = self._move, features.song
        said = judge(rows, song) if move is None else move.blended(judge, rows, song)
        # Speech and noise have no mood: their scores are drawn together, but not so far that music
        # which was taken for noise would lose its order.
        say = max(_LEAST_SAY, self._reduction.familiarity(features.song))
        scores = said * say
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return WindowScores(
            features.hop_s * start.astype(np.float64),
            length * features.hop_s,
            scores.astype(np.float32),
            sound[at, 0].mean(axis=1),
        )
