"""Everything can be reached by key, is named for screen readers, and can be translated."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QObject, Qt, QTranslator
from PySide6.QtGui import QAccessible, QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListWidget,
    QProgressBar,
    QScrollBar,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItemIterator,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.desktop.library_controller import mistake_in
from inference.emotion import QUADRANTS
from tests.gui.conftest import WAIT_MS, settle
from widgets.dialogs.delete_data import DeleteDataDialog
from widgets.dialogs.smart_playlist import SmartPlaylistDialog
from widgets.mood_plane.canvas import PlaneCanvas
from widgets.theme import DARK, LIGHT, Tokens

pytestmark = pytest.mark.gui

TRANSLATIONS = Path(__file__).resolve().parents[2] / "packaging" / "translations.py"

Start = Callable[..., Desktop]
CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QProgressBar,
    PlaneCanvas,
)


def controls(root: QWidget) -> Iterator[QWidget]:
    for widget in (root, *root.findChildren(QWidget)):
        inner = widget.objectName().startswith("qt_") or isinstance(widget, QScrollBar)
        if isinstance(widget, CONTROLS) and not inner and not _part_of_control(widget):
            yield widget


def _part_of_control(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, (QComboBox, QAbstractSpinBox, QLineEdit, QAbstractItemView)):
            return True
        parent = parent.parentWidget()
    return False


def dialogs(qtbot: QtBot, desktop: Desktop) -> Iterator[QDialog]:
    makers = desktop.dialogs
    for show in (
        makers.show_settings,
        makers.show_keyboard,
        makers.show_about,
        makers.show_folders,
        *more_dialogs(desktop),
    ):
        with qtbot.waitSignal(makers.opened, timeout=WAIT_MS) as caught:
            show()
        (dialog,) = caught.args
        yield dialog
        dialog.done(0)
    yield desktop.problems
    window = desktop.window
    yield SmartPlaylistDialog(
        desktop.theme, desktop.tr("Calm"), "mood:calm", mistake_in, in_region=True, parent=window
    )
    yield DeleteDataDialog(desktop.theme, [("a", desktop.tr("Answers"), "3")], window)


def more_dialogs(desktop: Desktop) -> list[Callable[[], None]]:
    conveniences = desktop.conveniences
    assert conveniences is not None
    return [
        conveniences.playing.show_equaliser,
        conveniences.playing.ask_for_mood,
        conveniences.tag_files.ask_for_run,
        conveniences.long_work.show,
        conveniences.first_run.show,
        lambda: conveniences.tag_files.ask([1, 2]),
    ]


def name_of(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return widget.accessibleName() or text


def test_every_control_has_a_name(qtbot: QtBot, start: Start, tagged: Path) -> None:
    desktop = start()
    desktop.window.toasts.show_toast("A note", "Undo")
    desktop.prompting.prompt.ask("Song", QUADRANTS[0])
    nameless = [
        f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        for root in itertools.chain([desktop.window], dialogs(qtbot, desktop))
        for widget in controls(root)
        if not name_of(widget)
    ]
    assert nameless == []


VIEWS = (
    "all", "plane", "albums", "artists", "genres", "moods", "folders", "sensors", "HAHV",
    "your_model", "history", "attention", "untagged",
)  # fmt: skip


def views(qtbot: QtBot, desktop: Desktop) -> Iterator[str]:
    """Go to one view after the other, with both panels open, and at last to a playlist."""
    assert desktop.sensing is not None
    assert desktop.views is not None
    window = desktop.window
    window.resize(1500, 900)
    window.activateWindow()
    window.set_queue_shown(True)
    desktop.player.enqueue([int(i) for i in window.table.songs.ids][:2])
    window.sensors.show()
    desktop.views.playlists.create([1, 2], "Two", rename=False)
    qtbot.waitUntil(lambda: len(desktop.views.playlists.infos) == 1, timeout=WAIT_MS)
    settle(qtbot, desktop)
    yield "playlist"
    for key in VIEWS:
        window.sidebar.choose(key)
        settle(qtbot, desktop)
        yield key


def in_sight(desktop: Desktop) -> set[QWidget]:
    """The controls that Tab should lead to."""
    return {
        widget
        for widget in controls(desktop.window)
        if widget.isVisible()
        and widget.isEnabled()
        and not isinstance(widget, (QProgressBar, QHeaderView))
        and not (isinstance(widget, QToolButton) and isinstance(widget.parent(), QLineEdit))
    }


def reached_by_tab(desktop: Desktop) -> set[QWidget]:
    """What the keys lead to: of buttons that exclude each other, arrows lead to the others."""
    desktop.window.sidebar.focus_list()
    reached: set[QWidget] = set()
    for _ in range(90):
        focus = QApplication.focusWidget()
        if focus is None or focus in reached:
            break
        reached.add(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    for widget in list(reached):
        group = widget.group() if isinstance(widget, QAbstractButton) else None
        if group is not None and group.exclusive():
            reached.update(group.buttons())
    return reached


def test_in_each_view_tab_reaches_every_control_and_names_differ(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    twice, unreached = [], []
    for key in views(qtbot, desktop):
        shown = in_sight(desktop)
        names = sorted(name_of(widget) for widget in shown)
        twice += [(key, a) for a, b in itertools.pairwise(names) if a == b]
        unreached += [(key, name_of(w)) for w in shown - reached_by_tab(desktop)]
    assert (twice, unreached) == ([], [])


def test_every_control_tells_what_it_is(qtbot: QtBot, start: Start, tagged: Path) -> None:
    desktop = start()
    mute = {QAccessible.Role.NoRole, QAccessible.Role.Client, QAccessible.Role.Whitespace}
    drawn = (PlaneCanvas,)  # pictures: their description says what keys do in them
    without = {
        f"{name_of(widget)} ({type(widget).__name__})"
        for root in itertools.chain([desktop.window], dialogs(qtbot, desktop))
        for widget in controls(root)
        if not isinstance(widget, drawn)
        and QAccessible.queryAccessibleInterface(widget).role() in mute
    }
    assert without == set()


def test_f6_goes_round_the_areas(start: Start, tagged: Path) -> None:
    window = start().window
    window.activateWindow()
    window.sidebar.focus_list()
    areas = []
    for _ in range(4):
        areas.append(QApplication.focusWidget())
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6)
    assert areas[1:] == [window.search.line, window.table, window.player_bar.play]
    assert QApplication.focusWidget() is areas[0]


def test_no_key_means_two_things(start: Start, tagged: Path) -> None:
    actions = start().window.findChildren(QAction)
    keys = [key.toString() for action in actions for key in action.shortcuts()]
    assert sorted(set(keys)) == sorted(keys)


def test_the_keyboard_map_tells_every_shortcut(start: Start, tagged: Path) -> None:
    desktop = start()
    told = " ".join(entry.keys for entry in desktop.window.actions_.keyboard_map())
    native = QKeySequence.SequenceFormat.NativeText
    for action in desktop.window.findChildren(QAction):
        for key in action.shortcuts():
            assert key.toString(native) in told, action.text()


class Marker(QTranslator):
    """Marks each text that passes the translator, and takes it down."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def translate(
        self, context: str, text: str, disambiguation: str | None = None, n: int = -1
    ) -> str:
        if not context.startswith("Q"):  # Qt's own texts, which it translates itself
            self.asked.add(text)
        return f"\u2039{text}\u203a"

    def isEmpty(self) -> bool:
        return False


@pytest.fixture
def marked(qapp: QApplication) -> Iterator[Marker]:
    translator = Marker()
    QCoreApplication.installTranslator(translator)
    yield translator
    QCoreApplication.removeTranslator(translator)


def texts_of(widget: QObject) -> Iterator[str]:
    if isinstance(widget, (QLabel, QAbstractButton)):
        yield widget.text()
    if isinstance(widget, QAction):
        yield widget.text()
    if isinstance(widget, QWidget):
        yield widget.accessibleName()
        yield widget.toolTip()
        yield widget.windowTitle()
    if isinstance(widget, QLineEdit):
        yield widget.placeholderText()
    if isinstance(widget, QListWidget):
        for row in range(widget.count()):
            yield widget.item(row).text()
    if isinstance(widget, QTreeWidget):
        for found in QTreeWidgetItemIterator(widget):
            yield found.value().text(0)
    if isinstance(widget, QHeaderView) and widget.model() is not None:
        for section in range(widget.count()):
            yield str(widget.model().headerData(section, widget.orientation()) or "")


def test_every_text_passes_the_translator(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path, marked: Marker
) -> None:
    desktop = start()
    own_names = {
        "Undertone",
        "undertone-music",
        *(f"Song {n}" for n in range(8)),
        "Ana",
        "Bo",
        "First",
        str(desktop.home.folder),
        str(songs),
    }
    roots = itertools.chain([desktop.window], dialogs(qtbot, desktop))
    plain = {
        text
        for root in roots
        for widget in (root, *root.findChildren(QObject))
        if not widget.objectName().startswith("qt_")
        for text in texts_of(widget)
        if any(c.isalpha() for c in text) and "\u2039" not in text and text not in own_names
    }
    assert plain == set()
    spec = importlib.util.spec_from_file_location("translations", TRANSLATIONS)
    assert spec is not None
    assert spec.loader is not None
    translations = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(translations)
    assert marked.asked - {text for _, text in translations.texts()} == set()  # none is missed


# The eye


def _linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    light = sorted(float(_linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_signs_stand_out(tokens: Tokens) -> None:
    for ground in (tokens.paper, tokens.surface, tokens.raised, tokens.selection, tokens.hover):
        assert contrast(tokens.ink, ground) >= 7
        assert contrast(tokens.ink_soft, ground) >= 4.5
    for ground in (tokens.paper, tokens.surface, tokens.raised):
        for quadrant in QUADRANTS:
            assert contrast(tokens.mood(quadrant).name(), ground) >= 3
        assert contrast(tokens.line_strong, ground) >= 3


# Machado, Oliveira & Fernandes (2009), severity 1.0.
_SEEN = {
    "normal": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                        [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                        [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                        [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
    xyz = to_xyz @ np.clip(linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", list(_SEEN))
@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_mood_colours_stay_apart_for_every_eye(tokens: Tokens, eye: str) -> None:
    seen = [_lab(_SEEN[eye] @ _linear(tokens.mood(quadrant).name())) for quadrant in QUADRANTS]
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(one - other) >= 18  # CIE76; about 2 is just noticeable


def test_the_theme_switches_live(qtbot: QtBot, start: Start, tagged: Path) -> None:
    desktop = start()
    light = desktop.window.table.grab().toImage().pixelColor(2, 100).lightness()
    desktop.preferences.set("appearance", "theme", "dark")
    dark = desktop.window.table.grab().toImage().pixelColor(2, 100).lightness()
    assert light > 200
    assert dark < 60
    settle(qtbot, desktop)
    assert WAIT_MS
