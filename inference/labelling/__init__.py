"""The paper's steps 1 to 5: clusters and selection of targets; and the listener's own model."""

from inference.labelling.clusters import EmotionClusters, Match, kmeans
from inference.labelling.ladder import Fit, Rung, climb, fit_personal
from inference.labelling.personal import Outcome, PersonalMap
from inference.labelling.selection import Decision, Reason, kept, select, select_crosswise

__all__ = [
    "Decision",
    "EmotionClusters",
    "Fit",
    "Match",
    "Outcome",
    "PersonalMap",
    "Reason",
    "Rung",
    "climb",
    "fit_personal",
    "kept",
    "kmeans",
    "select",
    "select_crosswise",
]
