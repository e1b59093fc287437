"""Design tokens (colour, type, space) and the theme that makes a palette and a style sheet of them.

One rule shapes the palette: **colour means mood**. Everything that is not a
mood is ink on paper, so that the four mood colours are the only hues on the
screen; a glyph goes with each, so that colour is never the only sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from inference.emotion import Quadrant
from widgets.stylesheet import stylesheet

__all__ = ["DARK", "LIGHT", "SPACE", "Mode", "Theme", "Tokens", "TypeScale"]

SPACE = 8
"""The grid: margins and gaps are multiples of 8 px, or of 4 px inside a control."""


class Mode(str, Enum):
    """Which theme the listener asked for."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme, by what they are for, as `#rrggbb`.

    `happy`, `tense`, `calm` and `sad` have at least 3:1 against `paper` and
    `surface` (WCAG 2.2, graphics) and stay apart for protan, deutan and
    tritan eyes; `ink` and `ink_soft` have at least 4.5:1 (text).
    """

    dark: bool
    paper: str  # the window
    surface: str  # lists, fields
    raised: str  # menus, toasts, cards
    hover: str
    pressed: str
    selection: str
    line: str  # hairlines
    line_strong: str  # edges of controls
    ink: str  # text, primary buttons, focus
    ink_soft: str  # secondary text
    ink_faint: str  # disabled, decoration
    on_ink: str  # text upon ink
    happy: str
    tense: str
    calm: str
    sad: str

    def mood(self, quadrant: Quadrant) -> QColor:
        """The colour of a quadrant."""
        return QColor(getattr(self, _MOOD_FIELDS[quadrant]))

    def colour(self, name: str) -> QColor:
        """A colour by its field name."""
        return QColor(getattr(self, name))


_MOOD_FIELDS = {
    Quadrant.HAHV: "happy",
    Quadrant.HALV: "tense",
    Quadrant.LAHV: "calm",
    Quadrant.LALV: "sad",
}

LIGHT = Tokens(
    dark=False,
    paper="#f4f3ef",
    surface="#fdfcfa",
    raised="#ffffff",
    hover="#efede8",
    pressed="#e4e1da",
    selection="#e6e3dc",
    line="#e3e0d9",
    line_strong="#8d897f",
    ink="#22242a",
    ink_soft="#5d5f66",
    ink_faint="#a3a19b",
    on_ink="#ffffff",
    happy="#b97d00",
    tense="#c2353f",
    calm="#00877a",
    sad="#3f4fa8",
)

DARK = Tokens(
    dark=True,
    paper="#16181c",
    surface="#1b1e23",
    raised="#262a31",
    hover="#23272d",
    pressed="#30353d",
    selection="#2d323a",
    line="#2a2e35",
    line_strong="#71767f",
    ink="#eceae5",
    ink_soft="#a5a8ae",
    ink_faint="#63676f",
    on_ink="#16181c",
    happy="#f3c04b",
    tense="#f0705f",
    calm="#3fc7a8",
    sad="#7d8cf5",
)


@dataclass(frozen=True, slots=True)
class TypeScale:
    """Font sizes in points, a minor third apart, from the listener's own desktop font size."""

    caption: float
    body: float
    title: float
    display: float

    @classmethod
    def of(cls, base_pt: float) -> TypeScale:
        body = max(base_pt, 8.0)
        return cls(
            caption=round(body / 1.12, 1),
            body=body,
            title=round(body * 1.2, 1),
            display=round(body * 1.728, 1),
        )


class Theme(QObject):
    """The theme in force; applies itself to the application and says when it changes.

    Parameters
    ----------
    app : QApplication
        Gets the Fusion style, the palette and the style sheet.
    mode : Mode
        `Mode.SYSTEM` follows the desktop, also while the program runs.
    reduced_motion : bool
        Whether the listener asked for less movement.
    """

    changed = Signal()
    calm_changed = Signal(bool)

    def __init__(
        self, app: QApplication, mode: Mode = Mode.SYSTEM, *, reduced_motion: bool = False
    ) -> None:
        super().__init__(app)
        self._app = app
        self._mode = mode
        self._motion = {"listener": reduced_motion, "desktop": False}
        self.scale = TypeScale.of(app.font().pointSizeF())
        self._fonts: dict[tuple[str, bool], QFont] = {}
        self._tokens = self._choose()
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._on_desktop_changed)
        self._apply()

    @property
    def tokens(self) -> Tokens:
        return self._tokens

    @property
    def mode(self) -> Mode:
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Switch at once, the open windows included."""
        self._mode = mode
        self._update()

    @property
    def calm(self) -> bool:
        """Whether nothing is to move that need not: the listener or the desktop asks for that."""
        return any(self._motion.values())

    def set_calm(self, calm: bool, whose: str = "listener") -> None:
        """Take down what the "listener" or the "desktop" asks for."""
        before = self.calm
        self._motion[whose] = calm
        if self.calm is not before:
            self._apply()
            self.calm_changed.emit(self.calm)

    def font(self, role: str = "body", *, bold: bool = False) -> QFont:
        """The application's font at a size of the scale ("caption", "body", "title", "display").

        It is shared: copy it before changing it.
        """
        if (role, bold) not in self._fonts:
            font = QFont(self._app.font())
            font.setPointSizeF(getattr(self.scale, role))
            if bold:
                font.setWeight(QFont.Weight.DemiBold)
            self._fonts[role, bold] = font
        return self._fonts[role, bold]

    def _choose(self) -> Tokens:
        if self._mode is Mode.SYSTEM:
            scheme = QGuiApplication.styleHints().colorScheme()
            return DARK if scheme is Qt.ColorScheme.Dark else LIGHT
        return DARK if self._mode is Mode.DARK else LIGHT

    def _on_desktop_changed(self, _scheme: Qt.ColorScheme) -> None:
        if self._mode is Mode.SYSTEM:
            self._update()

    def _update(self) -> None:
        tokens = self._choose()
        if tokens is not self._tokens:
            self._tokens = tokens
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        # Without a sheet in between Qt polishes each widget again, which takes six times as long.
        self._app.setStyleSheet("")
        self._app.setPalette(_palette(self._tokens))
        self._app.setStyleSheet(stylesheet(self._tokens, self.scale, calm=self.calm))


def _palette(t: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for name, colour in (
        (role.Window, t.paper),
        (role.WindowText, t.ink),
        (role.Base, t.surface),
        (role.AlternateBase, t.hover),
        (role.ToolTipBase, t.raised),
        (role.ToolTipText, t.ink),
        (role.Text, t.ink),
        (role.PlaceholderText, t.ink_soft),
        (role.Button, t.raised),
        (role.ButtonText, t.ink),
        (role.BrightText, t.ink),
        (role.Highlight, t.selection),
        (role.HighlightedText, t.ink),
        (role.Link, t.ink),
        (role.Accent, t.ink),
        (role.Light, t.raised),
        (role.Midlight, t.hover),
        (role.Mid, t.line),
        (role.Dark, t.line_strong),
        (role.Shadow, t.ink_faint),
    ):
        palette.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(t.ink_faint))
    return palette
