"""A classifier that is not loaded yet, as tagging hands it to its workers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.song_task import Classifier

__all__ = ["Model", "music_model"]


@dataclass(frozen=True, slots=True)
class Model:
    """A classifier that is not loaded yet.

    Parameters
    ----------
    model_id : str
        As in the catalogue.
    load : callable
        Returns the classifier; picklable, since each worker process loads its own.
    revision : str
        Of the model; songs that another revision classified are stale.
    front_end : str
        Whose stored features it can rate without the song; "" if it cannot.
    load_adapted : callable, optional
        Given what was learned of a library (`LibraryStatistics.to_bytes`), returns the
        classifier that is used to it; picklable, too.
    """

    model_id: str
    load: Callable[[], Classifier]
    revision: str = ""
    front_end: str = ""
    load_adapted: Callable[[bytes], Classifier] | None = None

    @property
    def adapts(self) -> bool:
        """Whether it can get used to a library."""
        return self.load_adapted is not None and bool(self.front_end)


def music_model(model_id: str | None, models_dir: Path | None = None) -> Model:
    """The model of that id, else the catalogue's best, ready to be loaded in a worker.

    Raises
    ------
    CatalogError
        If it is not installed.
    """
    from inference.catalog import resolve

    card = resolve(model_id, models_dir)
    load = functools.partial(_load_music_classifier, card.id, models_dir)
    load_adapted = None
    if card.adapts:
        load_adapted = functools.partial(_load_adapted, card.id, models_dir)
    return Model(card.id, load, card.revision, card.front_end, load_adapted)


def _load_music_classifier(model_id: str, models_dir: Path | None) -> Classifier:
    from inference.runtime import MusicClassifier

    return MusicClassifier.load(model_id, models_dir=models_dir, threads=1)


def _load_adapted(model_id: str, models_dir: Path | None, statistics: bytes) -> Classifier:
    from inference.pipelines.adaptation import LibraryStatistics
    from inference.runtime import MusicClassifier

    classifier = MusicClassifier.load(model_id, models_dir=models_dir, threads=1)
    return classifier.adapted(LibraryStatistics.from_bytes(statistics))
