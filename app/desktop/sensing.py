"""Puts live sensor mode into the window: controller, the song beside it, page and panel."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.desktop.error_texts import error_text
from app.desktop.jobs import JobRunner
from app.desktop.library_controller import LibraryController
from app.desktop.listening import ListeningWatch
from app.desktop.player_controller import PlayerController
from app.desktop.preferences import Preferences
from app.desktop.recording_list import RecordingList
from app.desktop.replaying import Replaying
from app.desktop.sensor_controller import SensorController
from app.desktop.sensor_view import SensorView
from app.desktop.shutdown import Stage
from app.desktop.song_feed import SongFeed
from app.desktop.source_list import SourceList
from app.listening import Felt
from app.live import Reading
from app.paths import Home
from app.recordings import RecordedSession
from app.wristband.source import Provenance
from inference.errors import UndertoneError
from library_db.answers import ShownBy
from widgets.main_window import MainWindow
from widgets.sensors.page import SensorPage
from widgets.sensors.session_bar import BarMoment, BarSong
from widgets.sidebar import SidebarEntry
from widgets.theme import Theme

if TYPE_CHECKING:
    from app.session import Rater

__all__ = ["Sensing"]

_log = logging.getLogger(__name__)


class Sensing(QObject):
    """Joins the live sensors with player, library and window."""

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        player: PlayerController,
        songs: LibraryController,
        listening: ListeningWatch,
        preferences: Preferences,
        runner: JobRunner,
        home: Home,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._listening = listening
        self.controller = controller = SensorController(
            home.recordings_dir, lambda: _load_rater(home.models_dir), self
        )
        self.feed = SongFeed(player, songs, controller, runner, self)
        self.page = SensorPage(theme)
        entry = SidebarEntry("sensors", self.tr("Sensors"), "sensors")
        window.add_view("library", entry, self.page)
        self.view = SensorView(controller, window, theme, preferences, runner, self)
        self.sources = SourceList(self.page, controller, preferences, self.view.listen_to, self)
        self.recordings = RecordingList(self.page, home.recordings_dir, controller, runner, self)
        self.replaying = Replaying(controller, player, songs, runner, self)
        self._connect()

    @property
    def stage(self) -> Stage:
        """How it ends."""
        return Stage("sensors", self.controller.shutdown, 1.0)

    def _connect(self) -> None:
        window, controller, replaying = self._window, self.controller, self.replaying
        controller.estimate_changed.connect(self._on_reading)
        controller.session_stopped.connect(lambda _: self._listening.feel(None))
        for told in (controller.failed, self.recordings.failed):
            told.connect(lambda error: window.toasts.show_toast(error_text(error)))
        for said in (self.recordings.said, replaying.said):
            said.connect(lambda text: window.toasts.show_toast(text))
        window.actions_.sensors.triggered.connect(lambda: window.sidebar.choose("sensors"))
        window.sensors.sources_requested.connect(lambda: window.sidebar.choose("sensors"))
        self.recordings.replay_requested.connect(lambda session: replaying.begin(session))
        bar = window.sensors.bar
        bar.seek_requested.connect(replaying.seek)
        replaying.moved.connect(bar.set_position)
        replaying.began.connect(self._on_replay)
        replaying.ended.connect(self._on_replay_ended)

    def _on_replay(self, session: RecordedSession) -> None:
        self.view.replayed = session.provenance
        self._window.sensors.bar.show_session(
            session.duration_s,
            [BarSong(span.start_s, span.end_s, span.title) for span in session.songs],
            [BarMoment(m.t_s, m.text, m.shown, m.is_note) for m in session.moments],
        )
        self._window.sensors.bar.show()

    def _on_replay_ended(self) -> None:
        self.view.replayed = None
        self._window.sensors.bar.hide()

    def _on_reading(self, reading: Reading) -> None:
        # What a recording shows was felt at another time: nothing is asked about it.
        if reading.provenance is not Provenance.REPLAY:
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
