"""Screenshots of dialogs, of what is said where nothing is, and of small and large windows."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from screenshots import Stage

NARROW = (900, 600)
LARGE_TRACKS = 50_000


def settings(stage: Stage) -> Any:
    dialog = _opened(stage, stage.desktop.dialogs.show_settings)
    stage.until(lambda: bool(dialog.editors))  # all of its sections
    return dialog


def keyboard(stage: Stage) -> Any:
    return _opened(stage, stage.desktop.dialogs.show_keyboard)


def about(stage: Stage) -> Any:
    return _opened(stage, stage.desktop.dialogs.show_about)


def music_folders(stage: Stage) -> Any:
    return _opened(stage, stage.desktop.dialogs.show_folders)


def guide(stage: Stage) -> Any:
    return _opened(stage, stage.desktop.conveniences.first_run.show)  # type: ignore[union-attr]


def equaliser(stage: Stage) -> Any:
    return _opened(
        stage,
        stage.desktop.conveniences.playing.show_equaliser,  # type: ignore[union-attr]
    )


def mood_way(stage: Stage) -> Any:
    return _opened(
        stage,
        stage.desktop.conveniences.playing.ask_for_mood,  # type: ignore[union-attr]
    )


def long_work(stage: Stage) -> Any:
    return _opened(stage, stage.desktop.conveniences.long_work.show)  # type: ignore[union-attr]


def write_moods(stage: Stage) -> Any:
    """What would be written into files."""
    tag_files = stage.desktop.conveniences.tag_files  # type: ignore[union-attr]
    ids = [int(i) for i in stage.window.table.songs.ids][:8]
    return _opened(stage, lambda: tag_files.ask(ids))


def smart_playlist_rule(stage: Stage) -> Any:
    from app.desktop.library_controller import mistake_in
    from widgets.dialogs.smart_playlist import SmartPlaylistDialog

    dialog = SmartPlaylistDialog(
        stage.desktop.theme, "Surely calm", "mood:calm conf:>0.5", mistake_in, in_region=True,
        parent=stage.window,
    )  # fmt: skip
    return _shown(stage, dialog)


def delete_data(stage: Stage) -> Any:
    model = stage.desktop.your_model
    assert model is not None
    model._ask_what()
    from widgets.dialogs.delete_data import DeleteDataDialog

    stage.until(lambda: bool(stage.window.findChildren(DeleteDataDialog)))
    return stage.window.findChildren(DeleteDataDialog)[-1]


def problems(stage: Stage) -> Any:
    from widgets.dialogs.problems import Problem

    folder = stage.desktop.home.folder.parent / "music"
    stage.desktop.problems.add(
        [
            Problem(str(folder / "broken.mp3"), "no audio was found in the file"),
            Problem(str(folder / "Lake Hours" / "cut short.mp3"), "the file ends after 0.2 s"),
        ]
    )
    stage.desktop.problems.show()
    return stage.desktop.problems


def nothing_found(stage: Stage) -> None:
    stage.window.search.set_query("mood:calm year:1900-1910")


def missing_files(stage: Stage) -> None:
    """A playlist whose files are gone."""
    from app.desktop.playlist_controller import key_of
    from library_db.playlists import OutsideFile, Playlist

    views, library = stage.desktop.views, stage.desktop.library
    assert views is not None
    assert library is not None
    lost = [OutsideFile(Path(f"/media/disk/Live/{n:02}.mp3"), f"Live {n}") for n in range(1, 9)]
    found = next((i for i in views.playlists.infos if i.name == "From the old disk"), None)
    if found is None:
        library.playlists.put(Playlist("From the old disk", tuple(lost)))
        views.playlists.refresh()
        stage.until(lambda: any(i.name == "From the old disk" for i in views.playlists.infos))
        found = next(i for i in views.playlists.infos if i.name == "From the old disk")
    stage.choose(key_of(found.id))


def plane_near(stage: Stage) -> None:
    """Few songs in sight: covers and names."""
    stage.choose("plane")
    canvas = stage.window.plane.canvas
    canvas.go_to(_between(canvas))
    canvas.zoom(0.6)


def narrow(stage: Stage) -> None:
    """A small window, with songs in it."""
    stage.window.resize(*NARROW)
    stage.settle()


def narrow_plane(stage: Stage) -> None:
    """A small window, with a part of the plane chosen."""
    stage.window.resize(*NARROW)
    stage.choose("plane")
    stage.settle()
    stage.window.plane.canvas.choose_in_sight()


def welcome(stage: Stage) -> None:
    """The first start."""


def plane_far(stage: Stage) -> None:
    """Many songs: how densely they lie."""
    stage.choose("plane")
    stage.until(lambda: len(stage.window.plane.canvas.points) > 0)


SHOTS: dict[str, Callable[[Stage], Any]] = {
    "plane-near": plane_near,
    "nothing-found": nothing_found,
    "missing-files": missing_files,
    "narrow": narrow,
    "narrow-plane": narrow_plane,
    "settings": settings,
    "keyboard": keyboard,
    "guide": guide,
    "about": about,
    "music-folders": music_folders,
    "equaliser": equaliser,
    "mood-way": mood_way,
    "long-work": long_work,
    "write-moods": write_moods,
    "smart-playlist-rule": smart_playlist_rule,
    "delete-data": delete_data,
    "problems": problems,
}

EMPTY = {"welcome": welcome}
"""They need a home without songs."""

LARGE = {"mood-plane-far": plane_far}
"""They need a home of very many songs, none of which exists."""


def empty_home(home: Path) -> Path:
    """A home as it is before the first start."""
    empty = home.with_name(f"{home.name}-empty")
    shutil.rmtree(empty, ignore_errors=True)
    return empty


def large_home(home: Path) -> Path:
    """A home of made-up songs, whose moods lie as those of a real library do."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from benchmarks.library import make_library

    large = home.with_name(f"{home.name}-large")
    if not large.exists():
        make_library(large, LARGE_TRACKS)
    return large


def _opened(stage: Stage, show: Callable[[], object]) -> Any:
    """The dialog that `show` opens."""
    opened: list[Any] = []
    connection = stage.desktop.dialogs.opened.connect(opened.append)
    show()
    stage.until(lambda: bool(opened))
    stage.desktop.dialogs.opened.disconnect(connection)
    return opened[0]


def _shown(stage: Stage, dialog: Any) -> Any:
    dialog.show()
    stage.settle()
    return dialog


def _between(canvas: Any) -> int:
    """The song that lies nearest to the others."""
    import numpy as np

    points = canvas.points
    away = np.hypot(
        points.valence[:, None] - points.valence, points.arousal[:, None] - points.arousal
    )
    return int(points.ids[np.argmin(np.sort(away, axis=1)[:, : min(9, len(points))].sum(axis=1))])
