"""Makes every screenshot of the README and of the AppStream metainfo, from the demo library.

    python packaging/screenshots.py                          # those of resources/screenshots
    python packaging/screenshots.py --all --out /tmp/shots   # each view, both themes and ratios
    python packaging/screenshots.py --all --only albums --out /tmp/shots --music ~/Music

Each view is drawn light and dark, at one and at two device pixels a pixel, without a display. A
new view is one entry of `SHOTS`: a function that brings the window into the state to be shown, and
returns the dialog where it is one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import screenshot_dialogs
import screenshot_listener

ROOT = Path(__file__).resolve().parents[1]
SIZE = (1280, 800)
THEMES = ("light", "dark")
RATIOS = (1, 2)
LIMIT_S = 60.0
LISTENER = 21
"""A simulated listener whose skin answers: there is something to see."""


class Stage:
    """The player on a library, and what the shots do with it."""

    def __init__(self, home_folder: Path, theme: str, *, filled: bool = True) -> None:
        from PySide6.QtWidgets import QApplication

        from app.desktop.desktop import Desktop
        from app.paths import home
        from app.playback.null_backend import NullBackend

        (home_folder / "window.json").unlink(missing_ok=True)
        self.app: Any = QApplication.instance() or QApplication(sys.argv[:1])
        self.desktop = Desktop(self.app, home(home_folder).prepare(), NullBackend)
        self.desktop.preferences.set("appearance", "theme", theme)
        self.desktop.preferences.set("library", "scan_at_start", False)
        self.window = self.desktop.window
        self.window.resize(*SIZE)
        self.desktop.start([])
        self.until(lambda: self.desktop.songs is not None)
        if filled:
            self.until(lambda: len(self.window.table.songs.ids) > 0)
        self.settle()

    def until(self, done: Callable[[], bool]) -> None:
        """Let the program go on until something is so."""
        ends_s = time.monotonic() + LIMIT_S
        while not done():
            self.app.processEvents()
            time.sleep(0.002)
            if time.monotonic() > ends_s:
                raise TimeoutError("the window did not come to rest")

    def settle(self) -> None:
        """Let the program go on until nothing is under way."""
        quiet_since_s = time.monotonic()
        while time.monotonic() - quiet_since_s < 0.25:
            self.window.repaint()
            self.app.processEvents()
            time.sleep(0.005)
            songs, views = self.desktop.songs, self.desktop.views
            busy = songs is None or songs.restless or views is None or views.restless
            if busy or not self.desktop.runner.idle:
                quiet_since_s = time.monotonic()

    def choose(self, key: str) -> None:
        """Go to a view by its key in the sidebar."""
        self.window.sidebar.choose(key)
        self.settle()

    def calm_down(self) -> None:
        """As it was at the beginning: no toast, no dialog, no search, the queue away."""
        from PySide6.QtWidgets import QDialog

        for dialog in self.window.findChildren(QDialog):
            dialog.close()
        self.desktop.preferences.set("library", "unsure_below", 0.5)
        self.desktop.preferences.set("library", "relative_moods", False)
        self.window.resize(*SIZE)
        self.window.toasts.clear()
        self.window.plane.canvas.clear_selection()
        self.window.plane.canvas.fit()
        self.window.search.set_query("")
        self.window.set_queue_shown(False)
        self.window.table.clearSelection()
        if self.desktop.prompting is not None:
            self.desktop.prompting.prompt.withdraw()
        self.desktop.player.stop()
        if self.desktop.sensing is not None:
            self.desktop.sensing.controller.stop()
            self.window.sensors.hide()
        self.choose("all")

    def let_go(self) -> None:
        """Without the ring of the focus, which would be elsewhere for each reader."""
        focus = self.window.focusWidget()
        if focus is not None:
            focus.clearFocus()

    def close(self) -> None:
        self.desktop.close()
        self.window.close()


def songs(stage: Stage) -> None:
    """The library, with the queue, while a song plays."""
    desktop = stage.desktop
    assert desktop.glue is not None
    desktop.glue.play_from(_most_varied(stage))
    stage.settle()
    stage.desktop.player.pause()
    stage.desktop.player.seek(0.4 * (stage.window.player_bar.seek_bar.maximum() / 1000.0))
    stage.settle()
    stage.window.set_queue_shown(True)


def _most_varied(stage: Stage) -> int:
    """The row of the song whose mood changes most often."""
    import numpy as np

    from inference.timeline import Timeline

    library = stage.desktop.library
    assert library is not None

    def changes(track_id: int) -> tuple[int, float]:
        packed = library.timeline(track_id)
        if packed is None:
            return -1, 0.0
        likely = Timeline.from_bytes(packed).probabilities
        turns = int(np.count_nonzero(np.diff(np.argmax(likely, axis=1))))
        return turns, float(np.std(likely[:, 0] + likely[:, 1]))

    found = [changes(int(i)) for i in stage.window.table.songs.ids]
    return found.index(max(found))


def plane(stage: Stage) -> None:
    stage.choose("plane")


def plane_relative(stage: Stage) -> None:
    """Places within the library: its medians are the axes."""
    stage.desktop.preferences.set("library", "relative_moods", True)
    stage.choose("plane")
    canvas = stage.window.plane.canvas
    stage.until(lambda: canvas.points.relative)
    canvas.go_to(int(canvas.points.ids[0]))
    canvas.fit()


def plane_chosen(stage: Stage) -> None:
    """A part of the plane, chosen with the lasso."""
    from PySide6.QtCore import QPointF

    stage.choose("plane")
    canvas = stage.window.plane.canvas
    w, h = canvas.width(), canvas.height()
    shape = ((0.55, 0.6), (0.9, 0.56), (0.985, 0.75), (0.98, 0.98), (0.5, 0.98), (0.46, 0.8))
    canvas.choose_within([QPointF(x * w, y * h) for x, y in shape])


def albums(stage: Stage) -> None:
    stage.choose("albums")


def album(stage: Stage) -> None:
    """The songs of one album."""
    stage.choose("albums")
    page = stage.desktop.views.browse.pages["albums"]  # type: ignore[union-attr]
    page.opened.emit(page.model.groups[0].key)


def artists(stage: Stage) -> None:
    stage.choose("artists")


def genres(stage: Stage) -> None:
    stage.choose("genres")


def moods(stage: Stage) -> None:
    stage.choose("moods")


def folders(stage: Stage) -> None:
    stage.choose("folders")


def playlist(stage: Stage) -> None:
    stage.choose(_playlist_key(stage, smart=False))


def smart_playlist(stage: Stage) -> None:
    stage.choose(_playlist_key(stage, smart=True))


def attention(stage: Stage) -> None:
    """What needs attention, with reasons; of the demo pieces more than usual is called unsure."""
    stage.desktop.preferences.set("library", "unsure_below", 0.8)
    stage.choose("attention")


def completion(stage: Stage) -> None:
    """Names offered while a query is typed, and a mistake pointed at."""
    search = stage.window.search
    search.set_query("year:199x artist:")
    index = stage.desktop.library.index  # type: ignore[union-attr]
    from library_db.completion import suggest

    search.popup.offer(suggest(index, search.query(), len(search.query())))


def sensors(stage: Stage) -> None:
    """The live panel beside the library, while a recording is replayed with its song."""
    _replay(stage)
    stage.choose("all")


def sensors_page(stage: Stage) -> None:
    """Sources and recordings, with the panel beside."""
    _replay(stage)
    stage.choose("sensors")


def _replay(stage: Stage) -> None:
    """Replay a recorded session of the simulated listener until it has an estimate."""
    from app.recordings import list_recordings

    desktop = stage.desktop
    if not list_recordings(desktop.home.recordings_dir):
        _record(stage)
    assert desktop.sensing is not None
    controller = desktop.sensing.controller
    if controller.active:
        return
    session = list_recordings(desktop.home.recordings_dir)[0]
    desktop.sensing.replaying.begin(session, start_s=16.0)
    stage.until(lambda: controller.active)
    stage.until(lambda: controller.reading is not None and controller.reading.sensed.t_s > 21.0)


def _record(stage: Stage) -> None:
    """A minute and a half of a simulated listener and two songs, without waiting for it."""
    from app.live import SongNow, song_values
    from app.sensing import DemoListener
    from app.wristband.recorder import Recorder
    from inference.physio.signals import FS_HZ, Channel, SignalChunk

    desktop = stage.desktop
    library = desktop.library
    assert library is not None
    listener = DemoListener("demo", LISTENER)
    meta = {"source": "simulated", "provenance": "simulated", "name": "Simulated listener"}
    recorder = Recorder(desktop.home.recordings_dir, {**meta, "begun_at": 1.78e9}, 0.0)
    ids = [int(i) for i in library.search("mood:happy", sort="title")][:2]
    for second in range(90):
        if second in (4, 46):
            track = library.track(ids[second > 4])
            assert track is not None
            song = SongNow(
                track.id, track.audio_hash, track.title, track.artist, str(track.path),
                track.duration_s, library.emotion(track.id).estimate,
            )  # fmt: skip
            recorder.annotate(
                float(second), "song", song.title, **song_values(song, 0.0, playing=True)
            )
        if second in (12, 33, 60):
            shown = {12: "HAHV", 33: "LAHV", 60: "HAHV"}[second]
            quality = {"gsr": 0.9, "ppg": 0.8}
            recorder.annotate(float(second), "felt", "", shown=shown, quality=quality)
        if second == 30:
            recorder.annotate(30.0, "note", "a chill")
        samples = listener.next(round(FS_HZ))
        for channel, values in zip((Channel.GSR, Channel.PPG), samples, strict=True):
            for part in range(8):
                piece = values[16 * part : 16 * part + 16]
                recorder.chunk(SignalChunk.of(channel, piece, FS_HZ, second + part / 8))
    recorder.close()


def _playlist_key(stage: Stage, *, smart: bool) -> str:
    from app.desktop.playlist_controller import key_of

    infos = stage.desktop.views.playlists.infos  # type: ignore[union-attr]
    return key_of(next(info.id for info in infos if info.smart is smart))


SHOTS: dict[str, Callable[[Stage], None]] = {
    "window": songs,
    "mood-plane": plane,
    "mood-plane-lasso": plane_chosen,
    "mood-plane-relative": plane_relative,
    "albums": albums,
    "album": album,
    "artists": artists,
    "genres": genres,
    "moods": moods,
    "folders": folders,
    "playlist": playlist,
    "smart-playlist": smart_playlist,
    "attention": attention,
    "completion": completion,
    "sensors": sensors,
    "sensors-page": sensors_page,
    **screenshot_listener.SHOTS,
    **screenshot_dialogs.SHOTS,
    **screenshot_dialogs.EMPTY,
    **screenshot_dialogs.LARGE,
}

MAIN = ("window", "mood-plane")
"""Kept light and dark, at one and at two device pixels a pixel."""

BOTH = (
    "mood-plane-lasso", "albums", "playlist", "attention", "sensors", "sensors-page", "question",
    "your-model", "history",
)  # fmt: skip
"""Kept light and dark."""

ONCE = (
    "mood-plane-far", "mood-plane-relative", "plane-near", "folders", "smart-playlist",
    "completion", "missing-files", "question-place", "your-model-answers", "your-model-moved",
    "narrow", "welcome", "settings", "write-moods", "keyboard",
)  # fmt: skip
"""Kept light; all of all views, which `--all` takes, would be ten megabytes."""

HOMES = {
    "-listened": screenshot_listener.listened,
    "-empty": screenshot_dialogs.empty_home,
    "-large": screenshot_dialogs.large_home,
}

COVERS = ("album", "artists", "genres", "moods", "plane-near")
"""Views of pictures, whose colours run into each other."""

KEEP_FOCUS = ("question-place",)
"""Shots in which the focus is part of what is shown."""


def prepare(folder: Path, music: list[Path]) -> Path:
    """A home whose library knows the demo pieces (and more music), tagged, with playlists."""
    from app.demo import make_demo_library

    demo = folder / "music"
    make_demo_library(demo)
    broken = demo / "Lake Hours" / "Slow Water" / "03 Half a Download.mp3"
    broken.write_bytes(b"<html>404 Not Found</html>" * 40)
    home = folder / "home"
    places = [str(path) for path in (demo, *music)]
    command = [sys.executable, "-m", "app", "--home", str(home), "tag", "--jobs", "1", *places]
    subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
    _add_playlists(home, places)
    return home


def _add_playlists(home: Path, places: list[str]) -> None:
    from library_db.library import Library
    from library_db.playlists import Playlist, Rule

    with Library.open(home) as library:
        for place in places:
            library.add_root(Path(place))
        if library.playlists.infos():
            return
        ids = [int(i) for i in library.search("", sort="title")]
        library.playlists.put(Playlist("Night drive", tuple(ids[::2][:9])))
        library.playlists.put(Playlist("Sunday morning", tuple(ids[1::3][:7])))
        library.playlists.put(Playlist("Surely calm", rule=Rule("mood:calm conf:>0.5")))
        corner = ((0.1, 1.0), (1.0, 1.0), (1.0, 0.2), (0.4, 0.1))
        library.playlists.put(Playlist("Bright corner", rule=Rule("", corner)))


def is_kept(name: str, theme: str, ratio: int) -> bool:
    """Whether a picture is one of those in resources/screenshots."""
    if ratio == 2:
        return name in MAIN
    return name in (*MAIN, *BOTH) or (name in ONCE and theme == "light")


def homes_of(home: Path, names: list[str]) -> list[tuple[Path, list[str]]]:
    """Which shots are taken on which home."""
    homes = []
    rest = list(names)
    for ending, shots in (
        ("-listened", screenshot_listener.SHOTS),
        ("-empty", screenshot_dialogs.EMPTY),
        ("-large", screenshot_dialogs.LARGE),
    ):
        homes.append((home.with_name(home.name + ending), [n for n in rest if n in shots]))
        rest = [n for n in rest if n not in shots]
    return [(place, some) for place, some in [(home, rest), *homes] if some]


def take(
    names: list[str], home: Path, out: Path, ratio: int, wanted: Callable[[str, str, int], bool]
) -> None:
    """Take the shots at one ratio; runs in a process of its own, since Qt reads it once."""
    out.mkdir(parents=True, exist_ok=True)
    for theme, (place, some) in (
        (theme, pair)
        for theme in THEMES
        for pair in homes_of(home, [name for name in names if wanted(name, theme, ratio)])
    ):
        stage = Stage(place, theme, filled=some[0] not in screenshot_dialogs.EMPTY)
        for name in some:
            stage.calm_down()
            widget = SHOTS[name](stage) or stage.window
            stage.settle()
            stage.window.toasts.clear()
            if name not in KEEP_FOCUS:
                stage.let_go()
            stage.settle()
            ending = f"-{theme}" + ("-2x" if ratio == 2 else "")
            save(widget.grab(), out / f"{name}{ending}.png", theme == "dark")
            print(f"{name}{ending}.png", flush=True)
        stage.close()


def save(picture: Any, path: Path, dark: bool) -> None:
    """In 256 colours where Pillow is there, those of the theme first; else as Qt writes it."""
    picture.save(str(path))
    try:
        from PIL import Image
    except ImportError:
        return
    with Image.open(path) as image:
        whole = image.convert("RGB")
    palette = _palette(whole, dark)
    if path.name.startswith(COVERS):
        colours = Image.new("P", (1, 1))
        colours.putpalette([value for colour in palette for value in colour])
        few = whole.quantize(palette=colours, dither=Image.Dither.FLOYDSTEINBERG)
    else:
        few = _nearest(whole, palette)
    few.save(path, optimize=True)


def _nearest(whole: Any, palette: list[tuple[int, ...]]) -> Any:
    """Each pixel in the nearest colour: those of the palette stay exactly as they are."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(whole, np.int32)
    packed = pixels @ np.array([65536, 256, 1], np.int32)
    seen, where = np.unique(packed, return_inverse=True)
    colours = np.stack([seen >> 16, seen >> 8 & 255, seen & 255], axis=1)
    away = np.square(colours[:, None] - np.array(palette)[None]).sum(axis=2)
    few = Image.fromarray(np.argmin(away, axis=1).astype(np.uint8)[where].reshape(packed.shape))
    few.putpalette([value for colour in palette for value in colour])
    return few


def _palette(whole: Any, dark: bool) -> list[tuple[int, ...]]:
    """The theme's colours and the steps between them, the most frequent ones, and of the rest."""
    from PIL import Image

    from inference.emotion import QUADRANTS
    from widgets.theme import DARK, LIGHT

    tokens = DARK if dark else LIGHT
    grounds = [tokens.colour(name) for name in ("surface", "paper", "raised")]
    chosen = [tokens.colour(name).getRgb()[:3] for name in ("ink", "ink_soft", "ink_faint")]
    for mood in (tokens.mood(quadrant).getRgb()[:3] for quadrant in QUADRANTS):
        for ground in (ground.getRgb()[:3] for ground in grounds):
            for share in (1.0, 0.75, 0.5, 0.25):
                pairs = zip(mood, ground, strict=True)
                chosen.append(tuple(round(share * m + (1 - share) * g) for m, g in pairs))
    counted = sorted(whole.getcolors(whole.width * whole.height), reverse=True)
    chosen += [colour for _, colour in counted[:120]]
    chosen = list(dict.fromkeys(chosen))[:176]
    known = set(chosen)
    rest = [colour for _, colour in counted if colour not in known]
    if rest:
        strip = Image.new("RGB", (len(rest), 1))
        strip.putdata(rest)
        few = strip.quantize(256 - len(chosen), Image.Quantize.MEDIANCUT)
        values = (few.getpalette() or [])[: 3 * (256 - len(chosen))]
        chosen += list(zip(values[::3], values[1::3], values[2::3], strict=False))
    return chosen[:256]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "resources" / "screenshots")
    parser.add_argument("--only", nargs="+", choices=list(SHOTS), default=list(SHOTS))
    parser.add_argument("--all", action="store_true", help="not only those that are kept here")
    parser.add_argument("--music", nargs="+", type=Path, default=[], help="more than the demo")
    parser.add_argument("--work", type=Path, default=Path(gettempdir()) / "undertone-screenshots")
    parser.add_argument("--ratio", type=int, choices=RATIOS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.ratio:
        wanted = (lambda *_: True) if args.all else is_kept
        take(args.only, args.work / "home", args.out, args.ratio, wanted)
        return 0
    home = prepare(args.work, args.music)
    for place, some in homes_of(home, args.only):
        make = HOMES.get(place.name.removeprefix(home.name))
        if make is not None and some:
            make(home)
    for ratio in RATIOS:
        environment = {
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "QT_SCALE_FACTOR": str(ratio),
            "QT_ACCESSIBILITY": "0",
        }
        command = [
            *(sys.executable, __file__, "--ratio", str(ratio), "--out", str(args.out)),
            *("--work", str(home.parent), "--only", *args.only),
            *(["--all"] if args.all else []),
        ]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
