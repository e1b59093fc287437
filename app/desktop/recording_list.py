"""The recordings on the page of sensors: listed, replayed beside their songs, exported, deleted."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from app.desktop.jobs import JobRunner, Latest
from app.desktop.sensor_controller import SensorController
from app.desktop.sensor_texts import recording_row
from app.recordings import RecordedSession, delete_recording, list_recordings
from inference.errors import UndertoneError
from widgets.sensors.page import SensorPage

__all__ = ["RecordingList"]


class RecordingList(QObject):
    """Reads the folder of recordings whenever it is looked at or changes."""

    replay_requested = Signal(object)  # RecordedSession
    said = Signal(str)
    failed = Signal(object)

    def __init__(
        self,
        page: SensorPage,
        folder: Path,
        controller: SensorController,
        runner: JobRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._page = page
        self._folder = folder
        self._controller = controller
        self._runner = runner
        self._reader = Latest(runner, pool="io")
        self.sessions: dict[str, RecordedSession] = {}
        page.seen.connect(self.read)
        page.replay_requested.connect(self._on_replay)
        page.export_requested.connect(self._on_export)
        page.delete_requested.connect(self._on_delete)
        controller.session_stopped.connect(lambda _: self.read())
        controller.recording_changed.connect(lambda _: self.read())

    def read(self) -> None:
        """Look what is there."""
        if not self._page.isVisible():
            return
        folder = self._folder
        self._reader.call(lambda: list_recordings(folder), self._show, self.failed.emit)

    def export_to(self, key: str, kind: str, folder: Path) -> None:
        """Write a recording's tables or its EDF+ file into `folder`."""
        session = self.sessions.get(key)
        if session is None:
            return
        self._runner.call(
            lambda: _export(kind, session.path, folder),
            lambda paths: self.said.emit(
                self.tr("Written to {folder}: {files}").format(
                    folder=folder, files=", ".join(path.name for path in paths) or "–"
                )
            ),
            self.failed.emit,
            pool="io",
        )

    # inner workings

    def _show(self, sessions: list[RecordedSession]) -> None:
        self.sessions = {session.name: session for session in sessions}
        now = self._controller.recording
        rows = [recording_row(session, being_made=session.path == now) for session in sessions]
        self._page.show_recordings(rows)

    def _on_replay(self, key: str) -> None:
        session = self.sessions.get(key)
        if session is not None and not self._is_being_made(session):
            self.replay_requested.emit(session)

    def _on_export(self, key: str, kind: str) -> None:
        dialog = QFileDialog(self._page.window(), self.tr("Export the recording to"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self.export_to(key, kind, Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _on_delete(self, key: str) -> None:
        session = self.sessions.get(key)
        if session is None or self._is_being_made(session):
            return
        path = session.path
        self._runner.call(
            lambda: delete_recording(path),
            lambda _: self._deleted(),
            self.failed.emit,
            pool="io",
        )

    def _deleted(self) -> None:
        self.said.emit(self.tr("The recording was deleted for good"))
        self.read()

    def _is_being_made(self, session: RecordedSession) -> bool:
        busy = self._controller.recording == session.path
        if busy:
            words = self.tr("This recording is still being made")
            self.failed.emit(UndertoneError(words, self.tr("Stop recording first.")))
        return busy


def _export(kind: str, recording: Path, folder: Path) -> list[Path]:
    if kind == "csv":
        from app.wristband.export import export_csv

        return export_csv(recording, folder / recording.name)
    from app.wristband.export_edf import export_edf

    file = folder / f"{recording.name}.{kind}"
    return [export_edf(recording, file, "bdf" if kind == "bdf" else "edf")]
