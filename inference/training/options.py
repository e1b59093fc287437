"""What a training is asked to do: folders, data sets, sizes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from inference.physio.images import ImageSettings
from inference.physio.segments import HOP_SAMPLES, PAPER_HOP_SAMPLES
from inference.training.distil import Distillation
from inference.training.loops import Optimisation
from inference.training.music import HeadTraining
from inference.training.music_committee import CommitteeTraining
from inference.training.music_data import ALL_BLOCKS
from inference.training.music_model import MusicRecipe
from inference.training.music_systems import StudentFrontEnd
from inference.training.sensor import SensorTraining
from inference.training.sensor_model import SensorRecipe
from inference.training.targets import Selection

__all__ = ["Folders", "FrontEndName", "MusicOptions", "Say", "SensorOptions", "shortened"]

Say = Callable[[str], None]
FrontEndName = Literal["undertone", "student", "vgg19"]


@dataclass(frozen=True)
class Folders:
    """Where a training reads and writes.

    Parameters
    ----------
    work : Path
        Images, features, students, finished folds: what an interrupted
        training goes on from. Delete it to start anew.
    models : Path
        A folder for the finished model is made in it.
    results : Path
    """

    work: Path
    models: Path
    results: Path


@dataclass(frozen=True)
class MusicOptions:
    """A training of music models.

    Parameters
    ----------
    root : Path
    dataset : str
    weights : Path, optional
        Published weights that the front end starts from; VGG19's are needed
        only where its features are not kept yet.
    sensor_root : Path, optional
        Recordings to make the regressor's targets from (not for a student alone).
    sensor_dataset : str
    front_end : "undertone", "student" or "vgg19"
        "undertone" makes the default model; its `weights` are musicnn's wheel.
    folds, seeds : int
    selection : "quadrants" or "paper"
        Of the regressor's targets: clusters a quadrant, or the paper's n = 4.
    quick : bool
        One seed, two folds, an epoch or two: to see that it runs. What it
        writes is no model to use.
    """

    root: Path
    dataset: str = "music4q"
    weights: Path | None = None
    sensor_root: Path | None = None
    sensor_dataset: str = "hku956"
    front_end: FrontEndName = "undertone"
    folds: int = 5
    seeds: int = 3
    selection: Selection = "quadrants"
    quick: bool = False
    command: Sequence[str] = field(default=("undertone", "train", "music"))

    @property
    def hears(self) -> str:
        """Kind of the teacher's features that the training needs."""
        return ALL_BLOCKS if self.front_end == "vgg19" else "vgg19"

    def recipe(self, folder: Path, say: Say | None = None) -> MusicRecipe:
        """The recipe that these options make."""
        head = CommitteeTraining() if self.front_end == "vgg19" else HeadTraining()
        student = Distillation()
        if self.quick:
            head = replace(head, regress=shortened(head.regress), classify=shortened(head.classify))
            student = replace(student, optimisation=shortened(student.optimisation))
        return MusicRecipe(
            front_end="vgg19" if self.front_end == "vgg19" else "student",
            head=head,
            student=StudentFrontEnd(settings=student, folder=folder / "students", report=say),
            n_folds=2 if self.quick else self.folds,
            seeds=(0,) if self.quick else tuple(range(self.seeds)),
        )


@dataclass(frozen=True)
class SensorOptions:
    """A training of the sensor model.

    Parameters
    ----------
    root : Path
    dataset : str
    folds, seeds : int
    quick : bool
        As in `MusicOptions`.
    literal : collection of "scalogram" and "segments"
        Where to follow the paper's letter instead of our default.
    compare : collection of "features" and "windows"
        Variants of the network to measure beside it.
    """

    root: Path
    dataset: str = "hku956"
    folds: int = 5
    seeds: int = 3
    quick: bool = False
    literal: Collection[str] = ()
    compare: Collection[str] = ()
    command: Sequence[str] = field(default=("undertone", "train", "sensor"))

    def recipe(self) -> SensorRecipe:
        """The recipe that these options make."""
        training = SensorTraining()
        if self.quick:
            training = replace(training, optimisation=shortened(training.optimisation))
        return SensorRecipe(
            training=training,
            images=literal_images(self.literal),
            compare=self.compare,
            n_draws=40 if self.quick else 1000,
            n_folds=2 if self.quick else self.folds,
            seeds=(0,) if self.quick else tuple(range(self.seeds)),
        )


def literal_images(literal: Collection[str]) -> ImageSettings:
    """Image settings with the paper's letter where it is asked for: "scalogram", "segments"."""
    return ImageSettings(
        scalogram="segment" if "scalogram" in literal else "recording",
        hop=PAPER_HOP_SAMPLES if "segments" in literal else HOP_SAMPLES,
    )


def shortened(settings: Optimisation) -> Optimisation:
    """At most two epochs, to see that something runs."""
    return replace(settings, epochs=min(2, settings.epochs))
