"""The paper's steps 1 to 5: clusters and selection of targets; and the listener's own map."""

from inference.labelling.clusters import EmotionClusters, Match, kmeans
from inference.labelling.personal import Fit, Outcome, PersonalMap, fit_personal
from inference.labelling.selection import Decision, Reason, kept, select

__all__ = [
    "Decision",
    "EmotionClusters",
    "Fit",
    "Match",
    "Outcome",
    "PersonalMap",
    "Reason",
    "fit_personal",
    "kept",
    "kmeans",
    "select",
]
