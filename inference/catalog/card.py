"""Model cards: what a model is, what it learned from, how good it is, and which files it has."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import PurePosixPath
from typing import Any

from inference.emotion import Leeway
from inference.errors import UndertoneError

__all__ = [
    "CARD_NAME",
    "CARD_SCHEMA",
    "FRONT_ENDS",
    "Calibration",
    "CatalogError",
    "DataSource",
    "Metric",
    "ModelCard",
    "ModelFile",
]

CARD_NAME = "card.json"
CARD_SCHEMA = 1
_KINDS = ("music", "sensor")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
FRONT_ENDS = {
    "ms-sg": ("ms-sg-1", ("classifier",)),
    "undertone": ("undertone-descriptors-1", ("head",)),
}
"""Pipeline -> name of its features, raised when the code makes others, and the roles of the
files that only rate them."""

_ADAPTING = ("undertone",)
"""Pipelines that can get used to a library: see `inference.pipelines.adaptation`."""

_SUFFIXES = (".onnx", ".npz", ".json", ".txt", ".md")


class CatalogError(UndertoneError):
    """A model that is not installed, or whose files are damaged, foreign or too new."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model.

    Parameters
    ----------
    name : str
        Inside the model's own folder, no sub-folders.
    sha256 : str
    size_bytes : int
    """

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DataSource:
    """What a model learned from."""

    name: str
    licence: str
    use: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured figure, with a 95 % interval where there is one.

    Parameters
    ----------
    name : str
        As ``"quadrant accuracy"``.
    value, low, high : float
    protocol : str
        As ``"P2, artist-grouped 5-fold"``.
    results : str
        The committed results file, from the root of the project.
    command : str
        What made it.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    protocol: str
    results: str
    command: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """From a song's averaged log-probabilities to honest figures.

    Parameters
    ----------
    temperature : float
        Averaged log-probabilities are divided by it before the softmax.
    confidence : tuple of (p, right)
        Piecewise linear map from the largest probability to the probability that the quadrant
        is right, by rising p; empty: the largest probability itself.
    set_mass : float, optional
        Quadrants enter a song's set by falling probability while what is in it sums to no more
        than this; such sets hold the right one with probability `coverage`. None: not known.
    valence_width, arousal_width : float, optional
        Half widths of intervals round an estimate of 0, that is of the widest; see
        `inference.uncertainty`. None: not known.
    coverage : float
        Of sets and intervals, out of fold.
    """

    temperature: float = 1.0
    confidence: tuple[tuple[float, float], ...] = ()
    set_mass: float | None = None
    valence_width: float | None = None
    arousal_width: float | None = None
    coverage: float = 0.9

    def __post_init__(self) -> None:
        if not 0.01 <= self.temperature <= 100.0:
            raise ValueError(f"temperature must lie in 0.01..100, not {self.temperature!r}")
        for p, right in self.confidence:
            if not (0.0 <= p <= 1.0 and 0.0 <= right <= 1.0):
                raise ValueError(f"confidence map must stay in 0..1: {(p, right)}")
        if any(b[0] <= a[0] for a, b in zip(self.confidence, self.confidence[1:], strict=False)):
            raise ValueError("confidence map must have rising p")
        if self.set_mass is not None and not 0.0 <= self.set_mass <= 1.0:
            raise ValueError(f"set_mass must lie in 0..1, not {self.set_mass!r}")
        for width in (self.valence_width, self.arousal_width):
            if width is not None and not 0.0 <= width <= 2.0:
                raise ValueError(f"widths of intervals must lie in 0..2, not {width!r}")
        if not 0.0 < self.coverage < 1.0:
            raise ValueError(f"coverage must lie between 0 and 1, not {self.coverage!r}")

    @property
    def leeway(self) -> Leeway | None:
        """What estimates carry of it; None where nothing is known."""
        widths = (self.set_mass, self.valence_width, self.arousal_width)
        return None if widths == (None, None, None) else Leeway(*widths, self.coverage)

    @property
    def rating(self) -> dict[str, Any]:
        """What an estimate depends on; sets and intervals are read off it afterwards."""
        return {"temperature": self.temperature, "confidence": self.confidence}


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's card, stored as ``card.json`` beside its files.

    Parameters
    ----------
    id, version : str
        ``ms-sg-student``, ``1.0.0``. Folder and id are the same name.
    kind : {"music", "sensor"}
    title, summary, limits, credits : str
        For people.
    licence : str
    data : tuple of DataSource
    pipeline : str
        Name in `inference.pipelines` (music) of the code that runs the files.
    files : mapping of role to ModelFile
        Roles are the pipeline's: ``front_end``, ``head``, ``classifier``, ...
    config : mapping
        Settings of the paper's specification and of the pipeline; plain JSON.
    calibration : Calibration
    metrics : tuple of Metric
    schema : int
        Version of the card's own layout.
    """

    id: str
    version: str
    kind: str
    title: str
    licence: str
    pipeline: str
    summary: str = ""
    limits: str = ""
    credits: str = ""
    data: tuple[DataSource, ...] = ()
    files: Mapping[str, ModelFile] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration = Calibration()
    metrics: tuple[Metric, ...] = ()
    schema: int = CARD_SCHEMA

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"id must be lower-case letters, digits and .-_, not {self.id!r}")
        if self.kind not in _KINDS:
            raise ValueError(f"kind must be one of {', '.join(_KINDS)}, not {self.kind!r}")
        if not re.fullmatch(r"\d+(\.\d+){0,3}", self.version):
            raise ValueError(f"version must be numbers with dots, not {self.version!r}")
        for file in self.files.values():
            path = PurePosixPath(file.name)
            if path.name != file.name or file.name.startswith(".") or "\\" in file.name:
                raise ValueError(f"file name must be plain, not {file.name!r}")
            if path.suffix not in _SUFFIXES or file.name == CARD_NAME:
                raise ValueError(f"file {file.name!r} is of a kind that models do not have")
            if not re.fullmatch(r"[0-9a-f]{64}", file.sha256) or file.size_bytes < 0:
                raise ValueError(f"file {file.name!r} needs a sha256 and a size")

    @property
    def front_end(self) -> str:
        """Identity of the features that the model keeps of a song, "" of a sensor's model.

        The same as long as the pipeline and the files that make features are: what was kept
        can then be rated by another version of the model, without the song.
        """
        if self.kind != "music":
            return ""
        name, rating = FRONT_ENDS.get(self.pipeline, (self.pipeline, ()))
        makers = {role: f.sha256 for role, f in self.files.items() if role not in rating}
        return f"{name}/{_digest(makers)}"

    @property
    def adapts(self) -> bool:
        """Whether the model can get used to a listener's library."""
        return self.kind == "music" and self.pipeline in _ADAPTING

    @property
    def revision(self) -> str:
        """Identity of what the model says: another one may rate the same song differently.

        From the version, the pipeline, the files and what of the calibration an estimate depends
        on; texts and figures for people have no part in it.
        """
        files = {role: file.sha256 for role, file in self.files.items()}
        digest = _digest([self.front_end, files, self.calibration.rating])
        return f"{self.version}+{digest}"

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files.values())

    @property
    def order(self) -> tuple[int, ...]:
        """The version as numbers, to compare."""
        return tuple(int(part) for part in self.version.split("."))

    def to_json(self) -> str:
        """The text of ``card.json``."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read a card.

        Raises
        ------
        CatalogError
            If the text is not a card, or a newer kind of card than this program knows.
        """
        try:
            data = json.loads(text)
            schema = data["schema"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise CatalogError("the model's card is not readable", _REINSTALL) from error
        if not isinstance(schema, int) or schema > CARD_SCHEMA:
            raise CatalogError("the model is made for a newer Undertone", "Update Undertone.")
        try:
            return _card(data)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CatalogError(f"the model's card is wrong: {error}", _REINSTALL) from error


_REINSTALL = "Install the model again."


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _card(data: dict[str, Any]) -> ModelCard:
    known = {f.name for f in fields(ModelCard)}
    plain = {key: value for key, value in data.items() if key in known}
    for key in ("id", "version", "kind", "title", "licence", "pipeline"):
        if not isinstance(plain.get(key), str):
            raise ValueError(f"{key} is missing or not text")
    calibration = plain.get("calibration", {})
    plain["calibration"] = Calibration(
        temperature=float(calibration.get("temperature", 1.0)),
        confidence=tuple(
            (float(p), float(right)) for p, right in calibration.get("confidence", ())
        ),
        set_mass=_number(calibration.get("set_mass")),
        valence_width=_number(calibration.get("valence_width")),
        arousal_width=_number(calibration.get("arousal_width")),
        coverage=float(calibration.get("coverage", 0.9)),
    )
    plain["data"] = tuple(DataSource(**source) for source in plain.get("data", ()))
    plain["metrics"] = tuple(Metric(**metric) for metric in plain.get("metrics", ()))
    plain["files"] = {
        str(role): ModelFile(str(file["name"]), str(file["sha256"]), int(file["size_bytes"]))
        for role, file in plain.get("files", {}).items()
    }
    plain["config"] = dict(plain.get("config", {}))
    return ModelCard(**plain)
