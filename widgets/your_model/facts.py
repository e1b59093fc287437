"""What the page shows, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from inference.emotion import MoodPoint, Quadrant

__all__ = ["AgreementPoint", "Facts", "Learning", "Moved", "Stored", "VersionChoice", "Word"]


@dataclass(frozen=True, slots=True)
class Word:
    """One answer or correction.

    Parameters
    ----------
    key : int
        Tells it from the others on the page.
    at_s : float
        Seconds since the epoch.
    song : str
        Title and artist; empty where the song is gone.
    shown : Quadrant or None
        What the question named; None for a correction.
    by_sensors : bool
        What was shown came from a band.
    said : Quadrant
    verdict : str
        What became of it in learning, in a word or two; empty before the next training.
    why : str
        The reason, with the similarity where signals or music were compared.
    track_id : int or None
    """

    key: int
    at_s: float
    song: str
    shown: Quadrant | None
    said: Quadrant
    by_sensors: bool = False
    verdict: str = ""
    why: str = ""
    track_id: int | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A song whose mood is another one with the listener's model than without."""

    track_id: int
    song: str
    before: Quadrant
    after: Quadrant
    before_place: MoodPoint
    after_place: MoodPoint


@dataclass(frozen=True, slots=True)
class VersionChoice:
    """One version to choose; number 0 is the common model alone.

    `fault` says why it cannot be; `tip` tells its test, so that versions can be compared.
    """

    number: int
    text: str
    fault: str = ""
    tip: str = ""


@dataclass(frozen=True, slots=True)
class AgreementPoint:
    """After an answer: whether it agreed with what was shown, and the share of the last ones."""

    at_s: float
    agreed: bool
    share: float


@dataclass(frozen=True, slots=True)
class Learning:
    """How the model stands.

    Parameters
    ----------
    title : str
        Whose moods these are.
    test : str
        The test of the present version in plain words; empty without one.
    last : str
        What came of the last training here; empty before.
    songs, needed : int
        Songs with a word of the listener, and how many learning takes.
    active : int
        The present version; 0: the common model alone.
    rated : bool
        Whether the library has moods at all.
    extra : bool
        Whether the training extra (torch) is installed.
    """

    title: str = ""
    test: str = ""
    last: str = ""
    songs: int = 0
    needed: int = 8
    active: int = 0
    rated: bool = True
    extra: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept of the listener on this computer, in numbers."""

    answers: int = 0
    corrections: int = 0
    versions: int = 0
    plays: int = 0
    recordings: int = 0
    backups: int = 0

    @property
    def anything(self) -> bool:
        return any((self.answers, self.corrections, self.versions, self.plays, self.recordings))


@dataclass(frozen=True)
class Facts:
    """All of the page; words and versions with the newest first, agreement in order of time.

    Of very many moved songs only the first ones are in `moved`.
    """

    learning: Learning = field(default_factory=Learning)
    words: tuple[Word, ...] = ()
    moved: tuple[Moved, ...] = ()
    moved_in_all: int = 0
    versions: tuple[VersionChoice, ...] = ()
    agreement: tuple[AgreementPoint, ...] = ()
    stored: Stored = field(default_factory=Stored)
