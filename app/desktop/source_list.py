"""The sources on the page of sensors: scan, choose, pair, forget; one band is the listener's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from app.desktop.error_texts import error_text
from app.desktop.preferences import Preferences
from app.desktop.sensor_controller import SensorController
from app.desktop.sensor_texts import reason_text, state_text
from app.live import Vitals
from app.live_sources import KnownBand, SourceChoice, SourceKind
from app.wristband.radio import FoundDevice
from app.wristband.source import SourceStatus
from inference.errors import UndertoneError
from widgets.sensors.page import SensorPage, SourceRow

__all__ = ["SourceList"]

_BAND = "band:"


class SourceList(QObject):
    """Shows what can be listened to and begins it.

    Parameters
    ----------
    listen_to : callable
        Begins a session with a choice.
    """

    def __init__(
        self,
        page: SensorPage,
        controller: SensorController,
        preferences: Preferences,
        listen_to: Callable[[SourceChoice], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._page = page
        self._controller = controller
        self._preferences = preferences
        self._listen_to = listen_to
        self._found: list[FoundDevice] = []
        page.scan_requested.connect(controller.scan)
        page.connect_requested.connect(self.choose)
        page.forget_requested.connect(lambda _: self._remember(None))
        controller.scanning_changed.connect(self._on_scanning)
        controller.bands_found.connect(self._on_found)
        controller.failed.connect(self._on_failed)
        controller.state_changed.connect(self._on_state)
        controller.session_stopped.connect(lambda _: self._show())
        controller.vitals_changed.connect(self._on_vitals)
        self._show()

    @property
    def known(self) -> KnownBand | None:
        """The listener's band."""
        return KnownBand.from_text(self._preferences.settings.listening.device or "")

    def choose(self, key: str, pair: bool = False) -> None:
        """Connect to a source of the list; ask first where a band would take another's place."""
        if key.startswith(_BAND):
            self._choose_band(key.removeprefix(_BAND), pair)
        elif key in ("file", "folder"):
            self._ask_for_replay(key)
        else:
            settings = self._preferences.settings.listening
            self._listen_to(
                SourceChoice(
                    SourceKind(key), stream=settings.stream.strip(), preset=settings.listener
                )
            )

    def replay(self, path: Path) -> None:
        """Replay a file or folder."""
        self._listen_to(SourceChoice(SourceKind.REPLAY, path=path))

    # inner workings

    def _choose_band(self, address: str, pair: bool) -> None:
        known = self.known
        found = next((d for d in self._found if d.address == address), None)
        if known is not None and known.address == address:
            self._listen_to(SourceChoice(SourceKind.BAND, known, pair))
        elif found is not None and known is None:
            self._connect_new(found, pair)
        elif found is not None and known is not None:
            self._page.ask(
                self.tr("Use {new} ({address}) in the place of {old}?").format(
                    new=found.name or self.tr("this band"),
                    address=found.address,
                    old=known.name or known.address,
                ),
                self.tr("Use it"),
                lambda: self._connect_new(found, pair),
            )

    def _connect_new(self, device: FoundDevice, pair: bool) -> None:
        band = KnownBand.of(device)
        self._remember(band)
        self._listen_to(SourceChoice(SourceKind.BAND, band, pair))

    def _remember(self, band: KnownBand | None) -> None:
        self._preferences.set("listening", "device", "" if band is None else band.to_text())
        self._show()

    def _on_vitals(self, vitals: Vitals) -> None:
        """A band that is connected for the first time tells its serial number: it is pinned."""
        choice, known = self._controller.choice, self.known
        ours = choice is not None and choice.band is not None and known is not None
        if ours and vitals.serial and not known.serial and known.address == choice.band.address:
            self._remember(replace(known, serial=vitals.serial))

    def _on_scanning(self, scanning: bool) -> None:
        self._page.show_scanning(scanning)
        if scanning:
            self._page.show_state(self.tr("Looking for bands near by …"))

    def _on_found(self, found: list[FoundDevice]) -> None:
        self._found = found
        self._show()
        if found:
            number = len(found)
            text = (
                self.tr("One band was found.")
                if number == 1
                else self.tr("{n} bands were found.").format(n=number)
            )
        else:
            text = self.tr(
                "No band was found. Switch it on and bring it near; some bands must be told to "
                "be visible. Without one, the simulated listener and a replay show how it works."
            )
        self._page.show_state(text)

    def _on_failed(self, error: UndertoneError) -> None:
        self._page.show_state(error_text(error))

    def _on_state(self, status: SourceStatus) -> None:
        reason = reason_text(status)
        state = state_text(status)
        self._page.show_state(f"{state}: {reason}" if reason else state)
        self._show()

    def _ask_for_replay(self, kind: str) -> None:
        dialog = QFileDialog(self._page.window(), self.tr("Replay"))
        if kind == "folder":
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.setNameFilter(self.tr("Recordings (*.utr *.zip *.csv)"))
        dialog.fileSelected.connect(lambda name: self.replay(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show(self) -> None:
        self._page.show_sources([*self._bands(), *self._others()])

    def _bands(self) -> list[SourceRow]:
        known = self.known
        rows = []
        seen = {device.address for device in self._found}
        if known is not None and known.address not in seen:
            rows.append(
                SourceRow(
                    _BAND + known.address,
                    known.name or self.tr("Wristband"),
                    self._details(known.address, known.serial, None),
                    "band",
                    self._note(_BAND + known.address) or self.tr("your band"),
                    is_band=True,
                    is_known=True,
                )
            )
        for device in self._found:
            ours = known is not None and device.address == known.address
            alike = known is not None and not ours and device.name and device.name == known.name
            note = self._note(_BAND + device.address)
            if not note and ours:
                note = self.tr("your band")
            elif not note and alike:
                note = self.tr("same name as your band, another address")
            serial = known.serial if ours and known is not None else ""
            rows.append(
                SourceRow(
                    _BAND + device.address,
                    device.name or self.tr("Wristband without a name"),
                    self._details(device.address, serial, device.rssi_dbm),
                    "band",
                    note,
                    is_band=True,
                    is_known=ours,
                )
            )
        return rows

    def _details(self, address: str, serial: str, rssi_dbm: int | None) -> str:
        words = [address]
        if serial:
            words.append(self.tr("serial {serial}").format(serial=serial))
        if rssi_dbm is not None:
            words.append(self.tr("{n} dBm").format(n=rssi_dbm))
        return "  ".join(words)

    def _note(self, key: str) -> str:
        """What is said of the source that is listened to."""
        choice = self._controller.choice
        if choice is None or not self._controller.active:
            return ""
        now = _BAND + choice.band.address if choice.band is not None else choice.kind.value
        return state_text(self._controller.status) if now == key else ""

    def _others(self) -> list[SourceRow]:
        rows = [
            (
                "simulated",
                self.tr("Simulated listener"),
                self.tr("Somebody made up, with a pulse and feelings; no hardware is needed"),
                "simulated",
            ),
            (
                "virtual",
                self.tr("Virtual band"),
                self.tr("A band without radio: the whole Bluetooth stack on a virtual link"),
                "band",
            ),
            (
                "lsl",
                self.tr("Lab Streaming Layer"),
                self.tr("GSR and PPG that another program sends on this network"),
                "stream",
            ),
            (
                "file",
                self.tr("Replay a file …"),
                self.tr(
                    "A recording, its export as CSV or EDF+, an E4 export, an HKU956 listening"
                ),
                "play",
            ),
            (
                "folder",
                self.tr("Replay a folder …"),
                self.tr("A recording, an E4 export, or all listenings of one person of HKU956"),
                "folder",
            ),
        ]
        return [SourceRow(key, *words, note=self._note(key)) for key, *words in rows]
