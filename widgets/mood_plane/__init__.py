"""The plane of valence and arousal: every song of the library at the place of its mood."""

from widgets.mood_plane.page import MoodPlanePage

__all__ = ["MoodPlanePage"]
