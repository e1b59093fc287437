"""A data set of simulated listeners, in memory: truth known, coupling set by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inference.datasets.base import DatasetInfo, Listening, SensorSet
from inference.emotion import QUADRANTS
from inference.physio.signals import FS_HZ, Channel, SignalChunk
from inference.physio.simulate import SimulatedListener

__all__ = ["INFO", "make"]

INFO = DatasetInfo(
    name="simulated",
    title="simulated listeners",
    citation="none: made by the program",
    licence="none needed",
    layout="nothing",
)


def make(
    coupling: float, *, listeners: int = 8, songs: int = 16, duration_s: float = 40.0, seed: int = 0
) -> SensorSet:
    """Listeners who hear as many songs of each quadrant, in an order of their own.

    Parameters
    ----------
    coupling : float
        k: 1 as in people, 6 for demonstrations, 0 for none.
    """
    rng = np.random.default_rng(seed)
    n = round(duration_s * FS_HZ)
    listenings = []
    for who in range(listeners):
        person = SimulatedListener(coupling, seed=1000 * seed + who)
        for order, song in enumerate(rng.permutation(songs)):
            quadrant = QUADRANTS[int(song) % len(QUADRANTS)]
            person.song(quadrant, seed=int(rng.integers(1 << 30)))
            gsr, ppg = person.next(n)
            listenings.append(
                Listening(
                    listener=f"simulated{who:02d}",
                    song=f"song{song:03d}",
                    order=order,
                    quadrant=quadrant,
                    gsr=SignalChunk.of(Channel.GSR, gsr, FS_HZ),
                    ppg=SignalChunk.of(Channel.PPG, ppg, FS_HZ),
                )
            )
    return SensorSet(INFO, Path(), tuple(listenings), ())
