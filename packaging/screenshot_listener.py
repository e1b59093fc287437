"""Screenshots of what the player learns of its listener: a made-up one, who has answered for weeks.

The answers are simulated, the model is really trained on them. The songs and their moods are those
of the library in the home folder, of which this uses a copy.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from screenshots import Stage

    from library_db.library import Library

ANSWERS = 40
_DAYS = 24
_DAY_S = 86_400.0
_TURN_RAD, _SHIFT = 0.6, (0.15, 0.0)
"""Of the made-up listener's plane, which is far enough from the common one to be learned."""


def question(stage: Stage) -> None:
    """A question about the song before, while the next one plays."""
    _ask(stage)


def question_place(stage: Stage) -> None:
    """The same, answered with a place on the plane."""
    _ask(stage)
    prompt = stage.desktop.prompting.prompt  # type: ignore[union-attr]
    prompt._unfold()


def question_consent(stage: Stage) -> None:
    """The first question of all."""
    _ask(stage)
    stage.desktop.prompting.prompt.ask_consent()  # type: ignore[union-attr]


def your_model(stage: Stage) -> None:
    _look(stage, 0)


def your_model_answers(stage: Stage) -> None:
    _look(stage, 1)


def your_model_moved(stage: Stage) -> None:
    _look(stage, 2)


def history(stage: Stage) -> None:
    """Eight weeks of plays by day."""
    stage.choose("history")


SHOTS = {
    "question": question,
    "question-place": question_place,
    "question-consent": question_consent,
    "your-model": your_model,
    "your-model-answers": your_model_answers,
    "your-model-moved": your_model_moved,
    "history": history,
}
"""They need `listened`, not the plain home."""


def listened(home: Path) -> Path:
    """A copy of a home whose library is rated, with answers, plays and a model that was trained."""
    from app.paths import home as home_of
    from app.personal import train
    from app.personal_models import PersonalModels
    from inference.job import run_to_end
    from inference.training.personal import HeadTuner
    from library_db.answers import AnswerStore
    from library_db.history import PlayHistory
    from library_db.library import Library

    told = home.with_name(f"{home.name}-listened")
    shutil.rmtree(told, ignore_errors=True)
    shutil.copytree(home, told)
    places = home_of(told).prepare()
    folder = places.library_dir
    with Library.open(folder) as library, AnswerStore.open(folder) as answers:
        answers.add(*_answers(library))
        with PlayHistory.open(folder) as history_:
            history_.add(*_plays(library))
        models = PersonalModels(places.models_dir)
        run_to_end(train(library, answers, models, tune=lambda: HeadTuner))
    return told


def _answers(library: Library) -> list[object]:
    """What a listener with a turned plane says of songs, one by one over the last weeks."""
    import numpy as np

    from inference.emotion import MoodPoint, Quadrant
    from library_db.answers import Answer

    rng = np.random.default_rng(3)
    ids = rng.permutation([int(i) for i in library.search("")])[:ANSWERS]
    c, s = np.cos(_TURN_RAD), np.sin(_TURN_RAD)
    turn = np.array([[c, s], [-s, c]])
    found: list[object] = []
    for number, track_id in enumerate(ids):
        track, emotion = library.track(int(track_id)), library.emotion(int(track_id))
        common = emotion.common
        if track is None or common is None:
            continue
        felt = np.array([common.mood.valence, common.mood.arousal]) @ turn + _SHIFT
        felt = np.clip(felt + rng.normal(0.0, 0.1, 2), -1.0, 1.0)
        word = Quadrant.of(MoodPoint(float(felt[0]), float(felt[1])))
        at_s = time.time() - _DAY_S * _DAYS * (1.0 - number / ANSWERS) - 3600.0
        found.append(
            Answer(
                track.id, track.audio_hash, at_s, track.duration_s or 60.0, common.quadrant,
                common, word,
            )
        )  # fmt: skip
    return found


def _plays(library: Library) -> list[object]:
    """A few songs on most evenings of eight weeks."""
    import numpy as np

    from library_db.history import Play

    rng = np.random.default_rng(4)
    ids = [int(i) for i in library.search("")]
    today_s = time.time() // _DAY_S * _DAY_S
    found: list[object] = []
    for day in range(56):
        began_s = today_s - _DAY_S * (day + 1) + 3600.0 * (17 + 3 * rng.random())
        for track_id in rng.permutation(ids)[: int(rng.integers(0, 7))]:
            track, emotion = library.track(int(track_id)), library.emotion(int(track_id))
            if track is None:
                continue
            heard_s = track.duration_s or 60.0
            felt = emotion.quadrant if rng.random() < 0.15 else None
            found.append(
                Play(
                    track.id, track.audio_hash, began_s, heard_s, emotion.quadrant, emotion.mood,
                    felt,
                )
            )  # fmt: skip
            began_s += heard_s
    return found


def _ask(stage: Stage) -> None:
    desktop, window = stage.desktop, stage.window
    library = desktop.library
    assert library is not None
    assert desktop.glue is not None
    assert desktop.prompting is not None
    shown = [int(i) for i in window.table.songs.ids]
    before = next(i for i in shown if library.emotion(i).common is not None)
    desktop.glue.play_from(shown.index(before) + 1)
    stage.settle()
    track, emotion = library.track(before), library.emotion(before)
    assert track is not None
    assert emotion.quadrant is not None
    desktop.prompting.prompt.ask(track.title, emotion.quadrant, emotion.mood)


def _look(stage: Stage, part: int) -> None:
    """The page, with one of its parts to the front."""
    model = stage.desktop.your_model
    assert model is not None
    stage.desktop.preferences.set("prompts", "consent", "given")
    model.refresh()
    stage.choose("your_model")
    stage.until(lambda: not model.restless)
    model.page.tabs.show_part(part)
    stage.settle()
    if part == 2 and model.page.moves.table.keys:
        moves = model.page.moves
        moves.table.choose(moves.table.keys[len(moves.table.keys) // 2])
