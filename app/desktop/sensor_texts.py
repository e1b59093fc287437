"""What live sensors are called on the screen: states, origins, quality, counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app.live import Mark, SessionInfo, Vitals
from app.live_sources import SourceKind
from app.recordings import RecordedSession
from app.wristband.source import AnnotationKind, Provenance, Reason, SourceState, SourceStatus
from inference.physio.signals import Channel
from widgets.sensors.lights import ChannelQuality, Check, Light
from widgets.sensors.page import RecordingRow
from widgets.text import clock, count

if TYPE_CHECKING:
    from app.session import Sensed
    from inference.physio.quality import Quality

__all__ = [
    "counters_text",
    "link_text",
    "mark_text",
    "origin_text",
    "quality_rows",
    "reason_text",
    "recording_row",
    "state_text",
    "weight_explained",
    "weight_text",
    "why_text",
]

_CONTEXT = "Sensors"
_STATES = {
    SourceState.SCANNING: QT_TRANSLATE_NOOP("Sensors", "Looking for the device …"),
    SourceState.CONNECTING: QT_TRANSLATE_NOOP("Sensors", "Connecting …"),
    SourceState.STREAMING: QT_TRANSLATE_NOOP("Sensors", "Receiving signals"),
    SourceState.RECONNECTING: QT_TRANSLATE_NOOP("Sensors", "Connecting again …"),
    SourceState.STOPPED: QT_TRANSLATE_NOOP("Sensors", "Not connected"),
}
_REASONS = {
    Reason.NO_RADIO: QT_TRANSLATE_NOOP("Sensors", "There is no Bluetooth adapter"),
    Reason.POWERED_OFF: QT_TRANSLATE_NOOP("Sensors", "Bluetooth is switched off"),
    Reason.DENIED: QT_TRANSLATE_NOOP("Sensors", "Undertone may not use Bluetooth"),
    Reason.NOT_FOUND: QT_TRANSLATE_NOOP("Sensors", "The device was not found"),
    Reason.LOST: QT_TRANSLATE_NOOP("Sensors", "The link broke"),
    Reason.PROTOCOL: QT_TRANSLATE_NOOP("Sensors", "The device does not speak as it should"),
    Reason.FINISHED: QT_TRANSLATE_NOOP("Sensors", "It came to its end."),
}
_MARKS = {
    AnnotationKind.GAP.value: QT_TRANSLATE_NOOP("Sensors", "gap"),
    AnnotationKind.CONTACT_LOST.value: QT_TRANSLATE_NOOP("Sensors", "contact lost"),
    AnnotationKind.CONTACT_BACK.value: QT_TRANSLATE_NOOP("Sensors", "contact"),
    AnnotationKind.CLIPPING.value: QT_TRANSLATE_NOOP("Sensors", "clipping"),
    AnnotationKind.CLOCK_RESET.value: QT_TRANSLATE_NOOP("Sensors", "the band's clock began anew"),
    AnnotationKind.RECONNECTED.value: QT_TRANSLATE_NOOP("Sensors", "connected again"),
    AnnotationKind.OVERRUN.value: QT_TRANSLATE_NOOP("Sensors", "overrun"),
}
_CHECKS = (
    ("no_contact", QT_TRANSLATE_NOOP("Sensors", "contact")),
    ("flat", QT_TRANSLATE_NOOP("Sensors", "not flat")),
    ("clipping", QT_TRANSLATE_NOOP("Sensors", "not clipped")),
    ("motion", QT_TRANSLATE_NOOP("Sensors", "still")),
    ("no_pulse", QT_TRANSLATE_NOOP("Sensors", "pulse shape")),
    ("missing", QT_TRANSLATE_NOOP("Sensors", "complete")),
)
"""Issue -> what is checked, in the order in which it is."""


def _tr(text: str) -> str:
    return QCoreApplication.translate(_CONTEXT, text)


def state_text(status: SourceStatus) -> str:
    """What the source is doing."""
    if status.reason is Reason.FINISHED:
        return _tr("Finished")
    return _tr(_STATES[status.state])


def reason_text(status: SourceStatus) -> str:
    """Why it does not stream, and what helps; empty where all is well."""
    if status.text:
        return status.text
    return _tr(_REASONS[status.reason]) if status.reason is not None else ""


def origin_text(provenance: Provenance, replayed: Provenance | None = None) -> str:
    """Real, replay or simulated; `replayed` says what a replay is of."""
    if provenance is Provenance.REPLAY:
        if replayed is Provenance.SIMULATED:
            return _tr("REPLAY of simulated signals")
        return _tr("REPLAY")
    return _tr("SIMULATED") if provenance is Provenance.SIMULATED else _tr("Real signals")


def link_text(info: SessionInfo | None, vitals: Vitals) -> str:
    """Whether a band's link is paired; empty for what is no band."""
    if vitals.link_verified is None or info is None:
        return ""
    if info.choice.kind not in (SourceKind.BAND, SourceKind.VIRTUAL):
        return ""
    return _tr("paired link") if vitals.link_verified else _tr("unverified link")


def mark_text(mark: Mark) -> str:
    """What stands in the plot at a mark; a note says it in its own words."""
    return mark.text if mark.kind == "note" else _tr(_MARKS.get(mark.kind, mark.kind))


def quality_rows(vitals: Vitals, sensed: Sensed | None) -> list[ChannelQuality]:
    """The lights of each channel that the source has."""
    rows = []
    for channel in Channel:
        if channel in vitals.channels:
            name = "GSR" if channel is Channel.GSR else "PPG"
            judged = sensed.quality.get(channel) if sensed is not None else None
            rows.append(_row(name, channel, judged))
    return rows


def _row(name: str, channel: Channel, judged: Quality | None) -> ChannelQuality:
    wanted = [c for c in _CHECKS if c[0] != "no_pulse" or channel is Channel.PPG]
    if judged is None:
        checks = [Check(_tr(text), Light.UNKNOWN) for _, text in wanted]
        return ChannelQuality(name, tuple(checks))
    issues = [issue.value for issue in judged.issues]
    checks, hidden = [], False
    for key, text in wanted:
        if key in issues:
            light, hidden = Light.BAD, hidden or key != "missing"
        else:
            # What comes after a fault was not looked at.
            light = Light.UNKNOWN if hidden and key != "missing" else Light.GOOD
        checks.append(Check(_tr(text), light))
    return ChannelQuality(name, tuple(checks), "; ".join(i.text for i in judged.issues))


def counters_text(vitals: Vitals, late: int) -> str:
    """All that was counted; `late` estimates were dropped."""
    c = vitals.counters
    words = [
        (_tr("{n} samples a channel"), c.samples),
        (_tr("{n} lost"), c.lost),
        (_tr("{n} duplicate"), c.duplicate),
        (_tr("{n} reordered"), c.reordered),
        (_tr("{n} corrupt"), c.corrupt),
        (_tr("{n} dropped in the device"), c.dropped_in_device),
        (_tr("{n} dropped, not taken in time"), c.dropped),
        (_tr("{n} estimates dropped as late"), late),
        (_tr("{n} reconnections"), c.reconnects),
    ]
    return ", ".join(text.format(n=count(n)) for text, n in words)


def weight_text(info: SessionInfo | None, *, beside_song: bool) -> str:
    """What the sensors count beside the song, in plain words."""
    if info is None or info.song_weight is None:
        return _tr("The sensor model is not installed: signals and their quality only.")
    if not beside_song:
        return _tr("No song with a known mood plays: together is what the sensors say.")
    if info.song_weight == 0.0:
        return _tr("Learned weight of the sensors beside a song: 0. Together is the song's mood.")
    return _tr("Learned weight of the sensors beside a song: {weight}.").format(
        weight=f"{info.song_weight:.2f}"
    )


def weight_explained(info: SessionInfo | None, *, beside_song: bool) -> str:
    """Why the weight is what it is, where it needs a word."""
    if info is None or info.song_weight != 0.0 or not beside_song:
        return ""
    return _tr(
        "For people whom the model has not met, the sensors added nothing to the song's own mood "
        "that could be measured. Alone they do hardly better than chance (25 %)."
    )


def why_text(sensed: Sensed) -> str:
    """Why nothing is told, or not all."""
    if sensed.reason is not None:
        return _tr("No estimate: {why}.").format(why=sensed.text.rstrip("."))
    if sensed.text:
        return sensed.text
    return _tr("Not clear enough to be shown as a mood.") if sensed.shown is None else ""


def recording_row(session: RecordedSession, *, being_made: bool = False) -> RecordingRow:
    """A recording for the list."""
    songs = ", ".join(dict.fromkeys(span.title for span in session.songs if span.title))
    simulated = session.provenance is Provenance.SIMULATED
    source = session.device or "–"
    if simulated:
        source = _tr("{device} (simulated)").format(device=source)
    return RecordingRow(
        session.name,
        session.begun.strftime("%Y-%m-%d %H:%M"),
        clock(session.duration_s),
        source,
        songs or _tr("none"),
        "–" if session.quality is None else f"{session.quality:.0%}",
        _tr("being recorded") if being_made else _tr("cut off") if session.damage else "",
    )
