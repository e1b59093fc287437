"""What a model leaves open is said where a mood is shown: in the table, the bar, the tool tip."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, Qt

from inference.emotion import EmotionEstimate, Leeway, Quadrant
from inference.uncertainty import Uncertainty, uncertainty
from library_db.emotion_layers import TrackEmotion, UserLabel
from widgets.rows import RowCache, TrackRow
from widgets.text import mood_words, open_words
from widgets.track_table.columns import column_index
from widgets.track_table.model import TrackTableModel

pytestmark = pytest.mark.gui

LEEWAY = Leeway(0.78, 0.95, 1.0)


def emotion(*p: float, leeway: Leeway | None = LEEWAY) -> TrackEmotion:
    return TrackEmotion(EmotionEstimate.from_probabilities(p, max(p), "m", leeway))


@pytest.mark.parametrize(
    ("p", "words"),
    [
        ((0.02, 0.03, 0.90, 0.05), "Calm"),
        ((0.02, 0.03, 0.50, 0.45), "Calm or Sad"),
        ((0.05, 0.02, 0.43, 0.50), "Sad or Calm"),
        ((0.20, 0.10, 0.40, 0.30), "Unsure"),
        ((0.25, 0.25, 0.25, 0.25), "Unsure"),
    ],
)
def test_a_mood_in_words(p: tuple[float, ...], words: str) -> None:
    one = emotion(*p)
    assert mood_words(one.quadrant, one.open) == words


def test_without_calibration_or_with_the_listeners_word_nothing_is_open() -> None:
    bare = emotion(0.02, 0.03, 0.5, 0.45, leeway=None)
    assert mood_words(bare.quadrant, bare.open) == "Calm"
    assert open_words(bare.quadrant, bare.open) == ""
    said = TrackEmotion(bare.common, None, UserLabel(Quadrant.LALV))
    assert said.open == Uncertainty((Quadrant.LALV,))
    assert mood_words(said.quadrant, said.open) == "Sad"
    assert mood_words(None, Uncertainty()) == "Untagged"


def test_even_scores_may_be_anything_and_the_widest_interval() -> None:
    open_ = uncertainty(EmotionEstimate.from_probabilities([1, 1, 1, 1], 0.25, "m", LEEWAY))
    assert len(open_.possible) == 4
    assert open_.valence == pytest.approx((-0.95, 0.95))
    sure = uncertainty(
        EmotionEstimate.from_probabilities([0.97, 0.01, 0.01, 0.01], 0.9, "m", LEEWAY)
    )
    assert sure.possible == (Quadrant.HAHV,)
    assert sure.valence is not None
    assert sure.valence[1] == 1.0
    assert sure.valence[0] > 0.3


def test_the_tool_tip_says_what_is_open() -> None:
    rows = RowCache()
    model = TrackTableModel(rows)
    one = emotion(0.02, 0.03, 0.50, 0.45)
    rows.fill([1], [TrackRow(1, "Song", quadrant=one.quadrant, open=one.open)])
    model.set_ids([1])
    index = model.index(0, column_index("mood"))
    assert index.data() == "Calm or Sad"
    tip = index.data(Qt.ItemDataRole.ToolTipRole)
    assert tip.startswith("Calm or Sad. Such answers hold the right mood for 90 of 100 songs.")
    assert "Valence between -0.9 and 1.0" in tip.replace("\u2212", "-")
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == tip
    QCoreApplication.processEvents()
