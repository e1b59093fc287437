"""The sensor network at work: segments of GSR and PPG to an emotion estimate, without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.catalog import CatalogError, ModelCard, find
from inference.emotion import QUADRANTS, EmotionEstimate
from inference.physio.signals import Channel
from inference.pipelines.base import Network
from inference.runtime import calibrated_confidence, open_network

__all__ = ["SENSOR_MODEL", "SensorClassifier", "fuse"]

SENSOR_MODEL = "ssia-cbgru"
_PIPELINE = "ssia-cbgru"
_ROLES: Mapping[frozenset[Channel], str] = {
    frozenset(Channel): "sensor",
    frozenset({Channel.GSR}): "gsr",
    frozenset({Channel.PPG}): "ppg",
}


class SensorClassifier:
    """Sensor classification: GSR and PPG, or one of them, to quadrant probabilities.

    Parameters
    ----------
    card : ModelCard
    networks : mapping of the signals to the network that reads them
    """

    def __init__(self, card: ModelCard, networks: Mapping[frozenset[Channel], Network]) -> None:
        self.card = card
        self._networks = dict(networks)
        live = card.config.get("live")
        self._live: Mapping[str, Any] = live if isinstance(live, Mapping) else {}

    @classmethod
    def load(
        cls,
        model_id: str = SENSOR_MODEL,
        *,
        models_dir: Path | None = None,
        threads: int = 1,
    ) -> SensorClassifier:
        """Verify and load a model.

        Raises
        ------
        CatalogError
            If it is not installed, its files are damaged, or it is no sensor model.
        """
        model = find(model_id, models_dir)
        if model.card.kind != "sensor" or model.card.pipeline != _PIPELINE:
            raise CatalogError(
                f"model {model.card.id} does not read GSR and PPG", "Choose a sensor model."
            )
        networks = {
            signals: open_network(model.files[role], threads=threads)
            for signals, role in _ROLES.items()
            if role in model.files
        }
        if not networks:
            raise CatalogError(f"model {model.card.id} lacks 'sensor'", "Install the model again.")
        if model.card.config.get("scalogram", "recording") != "recording":
            raise CatalogError(
                f"model {model.card.id} was trained on segments transformed one by one, which "
                "live listening does not make",
                "Train one without --literal scalogram.",
            )
        return cls(model.card, networks)

    @property
    def model_id(self) -> str:
        return self.card.id

    @property
    def song_weight(self) -> float:
        """How much the sensors' likelihood counts beside a song's own estimate; 0: not at all.

        Learned and measured in training; 0 where the card names none.
        """
        weight = self._live.get("fusion_weight", 0.0)
        usable = isinstance(weight, int | float) and 0.0 <= weight <= 10.0
        return float(weight) if usable else 0.0

    def reads(self, channels: Iterable[Channel]) -> bool:
        """Whether there is a network for exactly these signals."""
        return frozenset(channels) in self._networks

    def classify(self, segments: Mapping[Channel, NDArray[np.float32]]) -> EmotionEstimate:
        """What a sequence of segments says.

        Parameters
        ----------
        segments : mapping of Channel to ndarray, shape (L, rows, 64), float32
            As `inference.physio.stream.SensorStream` makes them, L >= 1.

        Raises
        ------
        CatalogError
            If the model has no network for these signals.
        """
        return self.read(segments)[0]

    def read(
        self, segments: Mapping[Channel, NDArray[np.float32]]
    ) -> tuple[EmotionEstimate, NDArray[np.float64]]:
        """As `classify`, with r of equation 13 beside it: what a listening is remembered by."""
        signals = frozenset(segments)
        if signals not in self._networks:
            names = " and ".join(sorted(c.value.upper() for c in signals)) or "nothing"
            raise CatalogError(f"model {self.model_id} cannot read {names} alone")
        inputs = {c.value: np.ascontiguousarray(x[None]) for c, x in segments.items()}
        found = self._networks[signals](inputs)
        said = found["log_probabilities"][0].astype(np.float64)
        scores = said / self._temperature(_ROLES[signals])
        p = np.exp(scores - scores.max())
        p /= p.sum()
        confidence = float(p.max())
        if _ROLES[signals] == "sensor":
            confidence = calibrated_confidence(confidence, self.card.calibration)
        estimate = EmotionEstimate.from_probabilities(
            [float(x) for x in p], confidence, self.model_id
        )
        return estimate, found["attended"][0].astype(np.float64)

    def _temperature(self, role: str) -> float:
        own = self._live.get(f"temperature_{role}")
        if isinstance(own, int | float) and 0.01 <= own <= 100.0:
            return float(own)
        return self.card.calibration.temperature


def fuse(
    prior: Sequence[float], likelihood: Sequence[float], weight: float
) -> tuple[float, float, float, float]:
    """A song's estimate, updated by what the sensors say: prior x likelihood^weight, normalised.

    Parameters
    ----------
    prior, likelihood : sequence of 4 float
        Probabilities in the order of `QUADRANTS`. The network is trained with
        balanced classes, so that its probabilities are likelihoods but for a factor.
    weight : float
        Learned, >= 0; 0 leaves the prior as it is.
    """
    a = np.log(np.maximum(np.asarray(prior, np.float64), 1e-9))
    b = np.log(np.maximum(np.asarray(likelihood, np.float64), 1e-9))
    scores = a + weight * b
    p = np.exp(scores - scores.max())
    p /= p.sum()
    assert len(p) == len(QUADRANTS)
    hahv, halv, lahv, lalv = (float(x) for x in p)
    return hahv, halv, lahv, lalv
