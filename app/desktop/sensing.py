"""Puts live sensor mode into the window: controller, the song beside it, page and panel."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.desktop.jobs import JobRunner
from app.desktop.library_controller import LibraryController
from app.desktop.listening import ListeningWatch
from app.desktop.player_controller import PlayerController
from app.desktop.sensor_controller import SensorController
from app.desktop.shutdown import Stage
from app.desktop.song_feed import SongFeed
from app.listening import Felt
from app.live import Reading
from app.paths import Home
from inference.errors import UndertoneError
from library_db.answers import ShownBy

if TYPE_CHECKING:
    from app.session import Rater

__all__ = ["Sensing"]

_log = logging.getLogger(__name__)


class Sensing(QObject):
    """Joins the live sensors with player, library and window."""

    def __init__(
        self,
        player: PlayerController,
        songs: LibraryController,
        listening: ListeningWatch,
        runner: JobRunner,
        home: Home,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._listening = listening
        self.controller = SensorController(
            home.recordings_dir, lambda: _load_rater(home.models_dir), self
        )
        self.feed = SongFeed(player, songs, self.controller, runner, self)
        self.controller.estimate_changed.connect(self._on_reading)
        self.controller.session_stopped.connect(lambda _: listening.feel(None))

    @property
    def stage(self) -> Stage:
        """How it ends."""
        return Stage("sensors", self.controller.shutdown, 1.0)

    def _on_reading(self, reading: Reading) -> None:
        self._listening.feel(_felt(reading, self.controller.info))


def _felt(reading: Reading, info: object) -> Felt | None:
    """What the questions may ask about; None where nothing is clear."""
    if reading.shown is None or reading.estimate is None:
        return None
    weight = getattr(info, "song_weight", None)
    by = ShownBy.SENSORS
    if reading.sensed.song is not None:
        by = ShownBy.FUSED if weight else ShownBy.MUSIC
    return Felt(reading.shown, reading.estimate, by, reading.recording)


def _load_rater(models_dir: Path) -> Rater | None:
    from app.personal_band import own_classifier
    from inference.catalog import CatalogError
    from inference.sensor_runtime import SensorClassifier

    try:
        return own_classifier(SensorClassifier.load(models_dir=models_dir), models_dir)
    except (CatalogError, UndertoneError) as error:
        _log.warning("no sensor model: %s", error)
        return None
