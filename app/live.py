"""What a live session tells the rest of the program: plain values, one moment each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.live_sources import SourceChoice
from app.wristband.source import Counters, Provenance, SourceStatus
from inference.emotion import EmotionEstimate, Quadrant
from inference.physio.signals import Channel

if TYPE_CHECKING:
    from app.session import Sensed  # which draws in scipy

__all__ = [
    "Mark",
    "Place",
    "Reading",
    "SessionEnd",
    "SessionInfo",
    "SongNow",
    "Vitals",
    "felt_values",
    "song_values",
]


@dataclass(frozen=True, slots=True)
class SongNow:
    """The song that plays while the sensors are listened to.

    Parameters
    ----------
    track_id : int or None
        None for a file from outside the library.
    audio_hash : str
        Finds the song again under another id or path.
    estimate : EmotionEstimate or None
        What a model says of the song alone, whatever the listener corrected.
    """

    track_id: int | None
    audio_hash: str = ""
    title: str = ""
    artist: str = ""
    path: str = ""
    duration_s: float | None = None
    estimate: EmotionEstimate | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the player is: the song, and its position at `at_s` of the session's clock."""

    song: SongNow | None = None
    position_s: float = 0.0
    at_s: float = 0.0
    playing: bool = False

    def position(self, now_s: float) -> float:
        """The position at `now_s`, in seconds."""
        return self.position_s + (max(now_s - self.at_s, 0.0) if self.playing else 0.0)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at `t_s` of the session's clock."""

    t_s: float
    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session that has begun.

    Parameters
    ----------
    name : str
        Of the source: plain text, from an untrusted device.
    song_weight : float or None
        How much the sensors count beside a song; None without a model.
    """

    choice: SourceChoice
    name: str
    provenance: Provenance
    song_weight: float | None = None
    model_id: str = ""


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the link and the recording are.

    Parameters
    ----------
    battery_percent : int or None
        None where the source has none.
    link_verified : bool or None
        Whether the link is paired; None where there is no link.
    serial : str
        As the device says.
    recording : Path or None
        The recording that is being made.
    fault : str
        Why nothing is recorded any more, with the remedy.
    """

    name: str = ""
    counters: Counters = field(default_factory=Counters)
    channels: frozenset[Channel] = frozenset()
    battery_percent: int | None = None
    link_verified: bool | None = None
    serial: str = ""
    recording: Path | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was shown at one moment: the estimate of one hop, with the song that played.

    Parameters
    ----------
    sensed : Sensed
        `estimate` is what was shown; `felt` the sensors alone, `song` the song alone.
    shown : Quadrant or None
        The steady quadrant for the eye.
    song : SongNow or None
    position_s : float or None
        In the song.
    recording : str
        Name of the recording that was being made; empty: none was.
    """

    sensed: Sensed
    latency_s: float
    provenance: Provenance
    song: SongNow | None = None
    position_s: float | None = None
    recording: str = ""

    @property
    def shown(self) -> Quadrant | None:
        return self.sensed.shown

    @property
    def estimate(self) -> EmotionEstimate | None:
        return self.sensed.estimate


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a session ended.

    Parameters
    ----------
    recording : Path or None
        What was kept of it.
    fault : str
        Why the recording is not whole; empty where it is.
    """

    status: SourceStatus
    counters: Counters = field(default_factory=Counters)
    dropped: int = 0
    seconds: float = 0.0
    recording: Path | None = None
    fault: str = ""
    asked: bool = False


def song_values(song: SongNow, position_s: float, *, playing: bool) -> Mapping[str, Any]:
    """What a recording keeps of the song: its identity, its own estimate, the position."""
    estimate = song.estimate
    return {
        "track_id": song.track_id,
        "audio_hash": song.audio_hash,
        "artist": song.artist,
        "path": song.path,
        "duration_s": song.duration_s,
        "probabilities": None if estimate is None else list(estimate.probabilities),
        "model": "" if estimate is None else estimate.model_id,
        "position_s": round(position_s, 3),
        "playing": playing,
    }


def felt_values(sensed: Sensed) -> Mapping[str, Any]:
    """What a recording keeps of an estimate: what was shown, and who said what."""

    def weights(estimate: EmotionEstimate | None) -> list[float] | None:
        return None if estimate is None else [round(p, 4) for p in estimate.probabilities]

    return {
        "shown": sensed.shown.value if sensed.shown else None,
        "reason": sensed.reason.value if sensed.reason else None,
        "estimate": weights(sensed.estimate),
        "sensors": weights(sensed.felt),
        "song": weights(sensed.song),
        "confidence": None if sensed.estimate is None else round(sensed.estimate.confidence, 4),
        "model": "" if sensed.estimate is None else sensed.estimate.model_id,
        "heart_rate_bpm": sensed.heart_rate_bpm,
        "quality": {channel.value: q.score for channel, q in sensed.quality.items()},
    }
