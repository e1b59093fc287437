"""The player bar: the current song, transport, seek bar, volume. It asks and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from inference.emotion import Quadrant
from inference.uncertainty import UNKNOWN, Uncertainty
from widgets.controls import ElidedLabel, IconButton
from widgets.icons import MOOD_ICON, paint_icon, pixmap
from widgets.mood_timeline import MoodCurve, SeekBar
from widgets.text import clock, mood_name, mood_words, open_words
from widgets.theme import SPACE, Theme

__all__ = ["Cover", "NowPlaying", "PlayerBar"]

_NARROW = 760


@dataclass(frozen=True, slots=True)
class NowPlaying:
    """What the bar shows of the current song."""

    id: int
    title: str
    artist: str = ""
    album: str = ""
    duration_s: float | None = None
    quadrant: Quadrant | None = None
    corrected: bool = False
    open: Uncertainty = UNKNOWN


class Cover(QWidget):
    """A square cover with rounded corners; without one, a quiet note on the mood's colour."""

    def __init__(self, theme: Theme, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image: QPixmap | None = None
        self._quadrant: Quadrant | None = None
        self.setFixedSize(side, side)
        self.setAccessibleName(self.tr("Cover"))
        theme.changed.connect(self.update)

    def show_image(self, image: QImage | None) -> None:
        """Show a cover; it was decoded and scaled off the GUI thread."""
        usable = image is not None and not image.isNull()
        self._image = QPixmap.fromImage(image) if usable and image is not None else None
        self.update()

    def show_mood(self, quadrant: Quadrant | None) -> None:
        self._quadrant = quadrant
        self.update()

    def sizeHint(self) -> QSize:
        return self.size()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        rect = QRectF(self.rect())
        shape = QPainterPath()
        shape.addRoundedRect(rect, 6, 6)
        painter.setClipPath(shape)
        tokens = self._theme.tokens
        if self._image is not None:
            side = min(self._image.width(), self._image.height())
            source = QRectF(
                (self._image.width() - side) / 2, (self._image.height() - side) / 2, side, side
            )
            painter.drawPixmap(rect, self._image, source)
        else:
            painter.fillRect(rect, tokens.colour("hover"))
            if self._quadrant is not None:
                wash = tokens.mood(self._quadrant)
                wash.setAlphaF(0.18)
                painter.fillRect(rect, wash)
            third = rect.width() / 3
            place = rect.adjusted(third, third, -third, -third)
            paint_icon(painter, "note", place, tokens.colour("ink_soft"))
        painter.end()


class PlayerBar(QFrame):
    """Bottom of the window. Signals say what the listener wants; setters say what is."""

    toggle_requested = Signal()
    next_requested = Signal()
    previous_requested = Signal()
    seek_requested = Signal(float)
    volume_requested = Signal(int)
    mute_requested = Signal(bool)
    shuffle_requested = Signal(bool)
    repeat_requested = Signal(str)
    queue_toggled = Signal(bool)
    reveal_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("player_bar")
        self.setAccessibleName(self.tr("Player"))
        self._theme = theme
        self._song: NowPlaying | None = None
        self._repeat = "off"
        self._build()
        self.show_song(None)
        theme.changed.connect(self._tint_mood)

    # what is shown

    def show_song(self, song: NowPlaying | None, curve: MoodCurve | None = None) -> None:
        """Show the current song; the cover follows by `cover.show_image`."""
        another = song is None or self._song is None or song.id != self._song.id
        self._song = song
        self.title.set_whole(song.title if song else self.tr("Nothing is playing"))
        self.artist.set_whole(song.artist if song else "")
        self.artist.setVisible(bool(song and song.artist))
        self.cover.show_mood(song.quadrant if song else None)
        if another:
            self.cover.show_image(None)
            self.seek_bar.set_song(song.duration_s if song else None, curve)
            self.show_position(0.0, song.duration_s if song else None)
        elif curve is not None:
            self.seek_bar.set_curve(curve)
        self._tint_mood()

    def show_state(self, state: str) -> None:
        """ "playing", "paused", "loading" or "stopped"."""
        going = state in ("playing", "loading")
        self.play.show_icon("pause" if going else "play")
        self.play.say(self.tr("Pause") if going else self.tr("Play"))

    def show_position(self, position_s: float, duration_s: float | None) -> None:
        if duration_s and int(1000 * duration_s) != self.seek_bar.maximum():
            self.seek_bar.setRange(0, int(1000 * duration_s))
            self.seek_bar.setEnabled(True)
        self.seek_bar.set_position(position_s)
        self.elapsed.setText(clock(position_s) if self._song else "")
        self.total.setText(clock(duration_s) if self._song else "")

    def show_volume(self, percent: int, *, muted: bool = False) -> None:
        self._volume.blockSignals(True)
        self._volume.setValue(percent)
        self._volume.blockSignals(False)
        self.mute.setChecked(muted)
        self.mute.say(self.tr("Unmute") if muted else self.tr("Mute"))
        silent = muted or percent == 0
        self.mute.show_icon("mute" if silent else "volume" if percent > 50 else "volume-low")

    def show_shuffle(self, on: bool) -> None:
        self.shuffle.setChecked(on)
        self.shuffle.say(self.tr("Shuffle is on") if on else self.tr("Shuffle is off"))

    def show_repeat(self, mode: str) -> None:
        """ "off", "all" or "one"."""
        self._repeat = mode
        self.repeat.setChecked(mode != "off")
        self.repeat.show_icon("repeat-one" if mode == "one" else "repeat")
        self.repeat.say(
            {
                "off": self.tr("Repeat is off"),
                "all": self.tr("Repeat the queue"),
                "one": self.tr("Repeat this song"),
            }[mode]
        )

    @property
    def song(self) -> NowPlaying | None:
        return self._song

    # Qt's interface

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        narrow = self.width() < _NARROW
        self._volume.setVisible(not narrow)
        for optional in (self.shuffle, self.repeat):
            optional.setVisible(self.width() >= 560)

    # inner workings

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, SPACE)
        row.setSpacing(2 * SPACE)
        row.addLayout(self._build_song(), 3)
        row.addLayout(self._build_centre(), 5)
        row.addLayout(self._build_right(), 3)

    def _build_song(self) -> QHBoxLayout:
        self.cover = Cover(self._theme, 56)
        self.title = ElidedLabel()
        font = self._theme.font("body", bold=True)
        self.title.setFont(font)
        self.artist = ElidedLabel(role="soft")
        self._glyph = QLabel()
        self._mood = QLabel()
        self._mood.setProperty("role", "caption")
        self._mood.setTextFormat(Qt.TextFormat.PlainText)
        mood = QHBoxLayout()
        mood.setSpacing(4)
        mood.addWidget(self._glyph)
        mood.addWidget(self._mood)
        mood.addStretch(1)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addStretch(1)
        words.addWidget(self.title)
        words.addWidget(self.artist)
        words.addLayout(mood)
        words.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(SPACE + 4)
        row.addWidget(self.cover)
        row.addLayout(words, 1)
        return row

    def _build_centre(self) -> QVBoxLayout:
        theme = self._theme
        self.shuffle = IconButton(theme, "shuffle", self.tr("Shuffle"))
        self.shuffle.setCheckable(True)
        self.shuffle.clicked.connect(lambda on: self.shuffle_requested.emit(on))
        self.previous = IconButton(theme, "previous", self.tr("Previous song"))
        self.previous.clicked.connect(lambda: self.previous_requested.emit())
        self.play = IconButton(theme, "play", self.tr("Play"), shortcut="Space", colour="on_ink")
        self.play.setProperty("role", "play")
        self.play.setFixedSize(44, 44)
        self.play.clicked.connect(lambda: self.toggle_requested.emit())
        self.next = IconButton(theme, "next", self.tr("Next song"))
        self.next.clicked.connect(lambda: self.next_requested.emit())
        self.repeat = IconButton(theme, "repeat", self.tr("Repeat"))
        self.repeat.setCheckable(True)
        self.repeat.clicked.connect(self.cycle_repeat)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        buttons.addStretch(1)
        for control in (self.shuffle, self.previous, self.play, self.next, self.repeat):
            buttons.addWidget(control)
        buttons.addStretch(1)
        self.seek_bar = SeekBar(theme)
        self.seek_bar.seek_requested.connect(self.seek_requested)
        self.elapsed, self.total = _time_label(theme), _time_label(theme)
        self.elapsed.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        self.total.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.elapsed)
        line.addWidget(self.seek_bar, 1)
        line.addWidget(self.total)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addLayout(buttons)
        column.addLayout(line)
        return column

    def _build_right(self) -> QHBoxLayout:
        self.mute = IconButton(self._theme, "volume", self.tr("Mute"))
        self.mute.setCheckable(True)
        self.mute.clicked.connect(lambda on: self.mute_requested.emit(on))
        self._volume = QSlider(Qt.Orientation.Horizontal)
        self._volume.setRange(0, 100)
        self._volume.setPageStep(10)
        self._volume.setSingleStep(5)
        self._volume.setFixedWidth(112)
        self._volume.setAccessibleName(self.tr("Volume"))
        self._volume.valueChanged.connect(self.volume_requested)
        self.queue = IconButton(self._theme, "queue", self.tr("Queue"), shortcut="Ctrl+U")
        self.queue.setCheckable(True)
        self.queue.clicked.connect(lambda on: self.queue_toggled.emit(on))
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addStretch(1)
        row.addWidget(self.mute)
        row.addWidget(self._volume)
        row.addSpacing(SPACE)
        row.addWidget(self.queue)
        return row

    def cycle_repeat(self) -> None:
        """Ask for the next of off, all, one."""
        following = {"off": "all", "all": "one", "one": "off"}[self._repeat]
        self.show_repeat(self._repeat)  # the player answers with what is
        self.repeat_requested.emit(following)

    def _tint_mood(self) -> None:
        song = self._song
        self._mood.setVisible(song is not None)
        self._glyph.setVisible(song is not None and song.quadrant is not None)
        if song is None or song.quadrant is None:
            self._mood.setText(mood_name(None) if song else "")
            return
        colour = self._theme.tokens.mood(song.quadrant)
        name = MOOD_ICON[song.quadrant]
        if song.open.possible and not song.open.tells:
            name, colour = "unsure", self._theme.tokens.colour("ink_soft")
        self._glyph.setPixmap(pixmap(name, colour, 14, self.devicePixelRatioF()))
        text = mood_words(song.quadrant, song.open)
        if song.corrected:
            text = self.tr("{mood}, your own word").format(mood=text)
        self._mood.setText(text)
        self._mood.setToolTip("" if song.corrected else open_words(song.quadrant, song.open))


def _time_label(theme: Theme) -> QLabel:
    label = QLabel()
    label.setProperty("role", "caption")
    label.setFont(theme.font("caption"))
    label.setMinimumWidth(label.fontMetrics().horizontalAdvance("00:00") + 4)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setContentsMargins(0, 0, 0, 2)
    return label
