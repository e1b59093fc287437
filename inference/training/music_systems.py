"""Whole music systems, front end and head, that are fitted inside a training fold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from inference.datasets import MusicSet
from inference.evaluation.crossval import Predictor, Samples
from inference.job import run_to_end
from inference.models.student import Student
from inference.training.distil import Distillation, distil
from inference.training.music import HeadSystem
from inference.training.music_committee import CommitteeSystem
from inference.training.music_data import WorkFolder, extract

__all__ = [
    "ClipInput",
    "FrontEnd",
    "FrozenFrontEnd",
    "MusicSystem",
    "StudentFrontEnd",
    "clip_samples",
]

Sequences = list[NDArray[np.float32]]


@dataclass(frozen=True)
class ClipInput:
    """A clip whose image and teacher's features lie in a work folder."""

    clip_id: str
    work: WorkFolder = field(repr=False)

    def image(self) -> NDArray[np.float16]:
        """MS-SG image, shape (3, 64, t)."""
        return self.work.load("ms-sg", self.clip_id).astype(np.float16)

    def features(self, kind: str) -> NDArray[np.float32]:
        """Kept features, shape (L, d)."""
        return self.work.load(kind, self.clip_id).astype(np.float32)


def clip_samples(data: MusicSet, work: WorkFolder) -> Samples[ClipInput]:
    """The data set as samples whose groups are its artists or songs."""
    return Samples([ClipInput(c.clip_id, work) for c in data.clips], data.labels, data.groups)


Describe = Callable[[Sequence[ClipInput]], Sequences]
"""Fitted front end: clips -> features, one (L, d) a clip."""


class FrontEnd(Protocol):
    """Fitted on training clips, describes any clip."""

    def fit(self, clips: Sequence[ClipInput]) -> Describe: ...


@dataclass(frozen=True)
class FrozenFrontEnd:
    """A network that learns nothing here: features kept under `kind`."""

    kind: str

    def fit(self, clips: Sequence[ClipInput]) -> Describe:
        return lambda some: [c.features(self.kind) for c in some]


@dataclass(frozen=True)
class StudentFrontEnd:
    """A student distilled from the teacher on the training clips alone.

    Parameters
    ----------
    settings : Distillation
    teacher : str
        Kind of the kept features that it imitates.
    seed : int
        Of the distillation; the same for all heads on these clips.
    folder : Path, optional
        Students by the clips that they saw: a student that is there is not
        trained again, an interrupted one goes on.
    report : callable, optional
        Told of each epoch.
    """

    settings: Distillation = field(default_factory=Distillation)
    teacher: str = "vgg19"
    seed: int = 0
    folder: Path | None = None
    report: Callable[[str], None] | None = None

    def name(self, clips: Sequence[ClipInput]) -> str:
        """Name of the student of these clips: same clips and settings, same name."""
        text = repr((sorted(c.clip_id for c in clips), self.settings, self.teacher, self.seed))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def student(self, clips: Sequence[ClipInput]) -> Student:
        """The student of these clips, trained or read."""
        path = None if self.folder is None else self.folder / f"{self.name(clips)}.pt"
        if path is not None and path.exists():
            student = Student(self.settings.network)
            student.load_state_dict(torch.load(path, weights_only=True))
            student.eval()
            return student
        job = distil(
            [c.image() for c in clips],
            [c.features(self.teacher) for c in clips],
            self.settings,
            self.seed,
            checkpoint=None if path is None else path.with_suffix(".ck"),
        )
        student = Student(self.settings.network)
        while True:
            try:
                progress = next(job)
            except StopIteration as stop:
                student.load_state_dict(stop.value.state_dict())
                student.eval()
                break
            if self.report is not None:
                self.report(f"student: epoch {progress.done}/{progress.total}, {progress.item:.3f}")
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            torch.save(student.state_dict(), part)
            part.replace(path)
            path.with_suffix(".ck").unlink(missing_ok=True)
        return student

    def fit(self, clips: Sequence[ClipInput]) -> Describe:
        student = self.student(clips)
        kind = f"student-{self.name(clips)}"

        def describe(some: Sequence[ClipInput]) -> Sequences:
            found: Sequences = []
            for clip in some:
                if not clip.work.path(kind, clip.clip_id).exists():
                    features = run_to_end(extract(student, [clip.image()]))[0]
                    clip.work.save(kind, clip.clip_id, features.astype(np.float16))
                found.append(clip.features(kind))
            return found

        return describe


@dataclass(frozen=True)
class MusicSystem:
    """Front end and head, both fitted on the training part, as a system for `cross_validate`."""

    front_end: FrontEnd
    head: HeadSystem | CommitteeSystem

    def __call__(self, samples: Samples[ClipInput], seed: int) -> MusicPredictor:
        describe = self.front_end.fit(samples.inputs)
        inside = Samples(describe(samples.inputs), samples.labels, samples.groups)
        return MusicPredictor(describe, self.head(inside, seed))


@dataclass(frozen=True)
class MusicPredictor:
    """A fitted system as predictor."""

    describe: Describe
    head: Predictor[NDArray[np.float32]]

    def __call__(self, inputs: Sequence[ClipInput]) -> NDArray[np.float64]:
        return self.head(self.describe(inputs))
