"""The listener's own last layer of the sensor network: learned from sessions with a word."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.personal_model import PersonalModel
from app.personal_models import FOLDER, PersonalModelError, PersonalModels
from inference.emotion import EmotionEstimate
from inference.job import Job
from inference.physio.signals import Channel

if TYPE_CHECKING:
    from app.material import Material
    from inference.labelling.ladder import Fit
    from inference.sensor_runtime import SensorClassifier

__all__ = ["OwnSensorClassifier", "band_models", "own_classifier", "train_band"]

_FOLDER = "band"
_BOTH = frozenset(Channel)


class OwnSensorClassifier:
    """The common sensor network, its last layer moved by what the listener has answered.

    See `app.session.Rater`. A band with one signal is read by the common network alone.
    """

    def __init__(self, base: SensorClassifier, own: PersonalModel) -> None:
        self.base = base
        self.own = own

    @property
    def model_id(self) -> str:
        return f"{self.base.model_id}+{self.own.model_id}"

    @property
    def song_weight(self) -> float:
        return self.base.song_weight

    def reads(self, channels: Iterable[Channel]) -> bool:
        """As the common network."""
        return self.base.reads(channels)

    def classify(self, segments: Mapping[Channel, NDArray[np.float32]]) -> EmotionEstimate:
        """What a sequence of segments says of this listener."""
        estimate, attended = self.base.read(segments)
        if frozenset(segments) != _BOTH:
            return estimate
        space = self.own.parts.space if self.own.parts is not None else None
        places = space.places(attended[None]) if space is not None else None
        p = self.own.map.rate([estimate.probabilities], places)[0]
        return EmotionEstimate.from_probabilities(p.tolist(), float(p.max()), self.model_id)


def band_models(models: PersonalModels) -> PersonalModels:
    """The versions of the band's layer; they lie, and are deleted, with those of the music's."""
    return PersonalModels(models.folder, _FOLDER)


def own_classifier(
    base: SensorClassifier, models_dir: Path | None
) -> SensorClassifier | OwnSensorClassifier:
    """The listener's own where one is active for this network, else `base` itself."""
    if models_dir is None:
        return base
    try:
        own = PersonalModels(models_dir / FOLDER, _FOLDER).active()
    except PersonalModelError:
        return base
    if own is None or own.base_model != _name(base):
        return base
    return OwnSensorClassifier(base, own)


def _name(base: SensorClassifier) -> str:
    """The network in its revision: another one attends to something else."""
    return f"{base.model_id}@{base.card.revision}"


def train_band(
    material: Material, models: PersonalModels, base: SensorClassifier, *, dry_run: bool
) -> Job[str]:
    """Learn the layer from the sessions with a word, and take it up if it passes the same test.

    Every word is a label here; what the selection keeps are the targets of the regression.
    Learning from the kept words alone was measured, and lost accuracy (results/README.md).

    Returns
    -------
    str
        What came of it, in a sentence.
    """
    from inference.labelling.ladder import LEAST_SESSIONS, climb
    from inference.labelling.own import OwnParts
    from inference.labelling.songs import SongSpace

    worn = [
        (i, session)
        for i, session in sorted(material.sessions.items())
        if session.features is not None and session.estimate is not None
    ]
    at = np.array([i for i, _ in worn], np.int64)
    y = material.pairing.answers[at]
    p = np.array([s.estimate.probabilities for _, s in worn if s.estimate is not None])
    features = np.array([s.features for _, s in worn if s.features is not None])
    space = SongSpace.fit(features) if len(at) > 1 else None
    places = space.places(features) if space is not None else None
    fit = yield from climb(p.reshape(-1, 4), y, places, least_for=LEAST_SESSIONS)
    own = band_models(models)
    if fit.accepted and not dry_run:
        assert fit.map is not None
        assert fit.test is not None
        parts = OwnParts(_name(base), space) if fit.map.dimensions else None
        model = PersonalModel(
            own.next_number(), _name(base), fit.map, fit.n, fit.strength or 0.0, fit.test.common,
            fit.test.personal, fit.test.lower, time.time(), parts,
        )  # fmt: skip
        before = own.usable()
        if before is None or not before.is_same(model):
            own.save(model)
            own.activate(model.number)
    return _explained(fit, len(material.sessions) - len(worn), own, _name(base))


def _explained(fit: Fit, bad: int, own: PersonalModels, base: str) -> str:
    text = f"band: {fit.n} sessions with a word"
    if bad:
        text += f" ({bad} more had bad signals)"
    from inference.labelling.ladder import LEAST_SESSIONS, Rung
    from inference.labelling.personal import Outcome

    if fit.outcome is Outcome.TOO_FEW:
        text += f", of the {LEAST_SESSIONS[Rung.MAP]} that a layer of your own takes"
    else:
        text += f"; {fit.outcome.value}"
    if fit.test is not None:
        text += (
            f": {fit.test.personal:.0%} against {fit.test.common:.0%} of them, lower bound "
            f"{100 * fit.test.lower:+.0f} points"
        )
    number, active = own.active_number, own.usable()
    if number is None:
        return text
    if active is None or active.base_model != base:
        return f"{text}; version {number} is of another network, so the common one reads the band"
    return f"{text}; version {number} is active"
