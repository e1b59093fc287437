"""What makes a listener's model more than its map: a space of songs, a head of one's own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.audio.features import SongFeatures
from inference.labelling.personal import PersonalMap, softmax
from inference.labelling.songs import SongReader, SongSpace
from inference.pipelines.head import Head

__all__ = ["OwnHead", "OwnParts"]

Array = NDArray[np.float64]

_LEAST_P = 1e-6


@dataclass(frozen=True, eq=False)
class OwnHead:
    """A head that was fine-tuned, beside the one that it started from.

    Parameters
    ----------
    start, tuned : Head
    share : float
        Of the change that is taken, in (0, 1].
    """

    start: Head
    tuned: Head
    share: float

    def change(self, features: SongFeatures, reader: SongReader) -> Array:
        """What it adds to the log-probabilities of a song, (4,)."""
        windows = reader.windows(features)
        if windows is None:
            return np.zeros(4)
        return self.share * (windows.scores(self.tuned) - windows.scores(self.start))


@dataclass(frozen=True, eq=False)
class OwnParts:
    """Parts of a personal model above the first rung.

    Parameters
    ----------
    front_end : str
        Of the stored features that they read.
    space : SongSpace or None
        In which the map's places lie.
    head : OwnHead or None
    """

    front_end: str
    space: SongSpace | None = None
    head: OwnHead | None = None

    def rate(
        self,
        map_: PersonalMap,
        probabilities: Array,
        features: Sequence[SongFeatures | None],
        reader: SongReader,
    ) -> Array:
        """The listener's probabilities, (n, 4).

        A song of which nothing is stored counts as in the middle of the library: the map of
        the plane alone moves it.
        """
        known = [f if f is not None and f.front_end == self.front_end else None for f in features]
        places = None
        if self.space is not None:
            places = np.zeros((len(known), self.space.dimensions))
            for i, one in enumerate(known):
                if one is not None:
                    places[i] = self.space.places(reader.musical(one)[None])[0]
        mine = map_.rate(probabilities, places)
        if self.head is None:
            return mine
        scores = np.log(np.maximum(mine, _LEAST_P))
        for i, one in enumerate(known):
            if one is not None:
                scores[i] += self.head.change(one, reader)
        return softmax(scores)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that it consists of, by name."""
        arrays: dict[str, NDArray[Any]] = {"front_end": np.array(self.front_end)}
        if self.space is not None:
            arrays |= {"space_mean": self.space.mean, "space_directions": self.space.directions}
        if self.head is not None:
            arrays["share"] = np.array(self.head.share)
            arrays |= self.head.start.arrays("start_") | self.head.tuned.arrays("tuned_")
        return arrays

    def is_same(self, other: OwnParts | None) -> bool:
        """Whether `other` consists of the same values."""
        if other is None:
            return False
        mine, theirs = self.arrays(), other.arrays()
        return mine.keys() == theirs.keys() and all(
            np.array_equal(mine[name], theirs[name]) for name in mine
        )

    def to_bytes(self) -> bytes:
        """An .npz file."""
        file = io.BytesIO()
        np.savez(file, **self.arrays())  # type: ignore[arg-type]
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> OwnParts:
        """Read what `to_bytes` gave.

        Raises
        ------
        ValueError
            If it is something else.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as found:
                arrays = dict(found)
            space = head = None
            if "space_mean" in arrays:
                space = SongSpace(arrays["space_mean"], arrays["space_directions"])
            if "share" in arrays:
                share = float(arrays["share"])
                if not 0.0 < share <= 1.0:
                    raise ValueError(f"share {share}")
                start, tuned = (Head.from_arrays(arrays, p) for p in ("start_", "tuned_"))
                head = OwnHead(start, tuned, share)
            return cls(str(arrays["front_end"]), space, head)
        except (OSError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise ValueError(f"not the parts of a personal model: {error}") from error
