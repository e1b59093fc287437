"""The paper's steps 1 to 5: emotion clusters and the selection of regression targets."""

from inference.labelling.clusters import EmotionClusters, Match, kmeans
from inference.labelling.selection import Decision, Reason, kept, select

__all__ = ["Decision", "EmotionClusters", "Match", "Reason", "kept", "kmeans", "select"]
