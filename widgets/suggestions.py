"""The list under the search field: ways to go on with what is typed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QT_TRANSLATE_NOOP,
    QCoreApplication,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from library_db.completion import Suggestion
from widgets.text import one_line, songs
from widgets.theme import SPACE, Theme

__all__ = ["SuggestionList"]

_SUGGESTION = Qt.ItemDataRole.UserRole + 1
_ROW = 32
_WIDTH = 420

Index = QModelIndex | QPersistentModelIndex


class SuggestionList(QListWidget):
    """Never has the focus: the line keeps it and hands the keys over to `key`.

    Down and Up choose, Enter takes what is chosen, Tab the first or the chosen one, Escape closes.
    """

    taken = Signal(object)  # Suggestion

    def __init__(self, theme: Theme, line: QLineEdit) -> None:
        super().__init__(line)
        self.hide()
        self._line = line
        self.setObjectName("suggestions")
        self.setAccessibleName(self.tr("Suggestions"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(_Delegate(theme, self))
        self.itemClicked.connect(self._take)

    def offer(self, suggestions: Sequence[Suggestion]) -> None:
        """Show these, none of them chosen; nothing hides the list."""
        self.clear()
        for suggestion in suggestions:
            item = QListWidgetItem(one_line(suggestion.shown, 200), self)
            item.setData(_SUGGESTION, suggestion)
            item.setSizeHint(QSize(0, _ROW))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, _spoken(suggestion))
        if not suggestions:
            self.hide()
            return
        window = self._line.window()
        if self.parent() is not window:
            self.setParent(window)
        place = self._line.mapTo(window, QPoint(0, self._line.height() + 4))
        width = min(max(self._line.width(), 240), _WIDTH)
        self.setGeometry(place.x(), place.y(), width, _ROW * len(suggestions) + 10)
        self.show()
        self.raise_()

    @property
    def suggestions(self) -> list[Suggestion]:
        """What is offered now; nothing while the list is hidden."""
        if self.isHidden():
            return []
        return [self.item(row).data(_SUGGESTION) for row in range(self.count())]

    def key(self, event: QKeyEvent) -> bool:
        """Use a key that was pressed in the line; False where it is the line's."""
        if self.isHidden() or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        row, count = self.currentRow(), self.count()
        if event.key() == Qt.Key.Key_Down:
            self._choose((row + 1) % count)
        elif event.key() == Qt.Key.Key_Up and row >= 0:
            self._choose(row - 1)
        elif event.key() == Qt.Key.Key_Tab:
            self._take(self.item(max(row, 0)))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row >= 0:
            self._take(self.item(row))
        elif event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.hide()
            return False
        return True

    def _choose(self, row: int) -> None:
        self.setCurrentRow(row)
        if row < 0:
            self.clearSelection()
        # The focus stays in the line, so that is where a screen reader hears of it.
        said = self.item(row).data(Qt.ItemDataRole.AccessibleTextRole) if row >= 0 else ""
        self._line.setAccessibleDescription(said)
        QAccessible.updateAccessibility(
            QAccessibleEvent(self._line, QAccessible.Event.DescriptionChanged)
        )

    def _take(self, item: QListWidgetItem) -> None:
        suggestion: Suggestion = item.data(_SUGGESTION)
        self.hide()
        self._line.setAccessibleDescription("")
        self.taken.emit(suggestion)


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, view: QListWidget) -> None:
        super().__init__(view)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = self._theme.tokens
        rect = QRectF(option.rect)
        suggestion: Suggestion = index.data(_SUGGESTION)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.colour("selection" if chosen else "hover"))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 5, 5)
        inner = rect.adjusted(SPACE + 2, 0, -SPACE - 2, 0)
        painter.setFont(self._theme.font("caption"))
        painter.setPen(tokens.colour("ink_soft"))
        small = painter.fontMetrics()
        detail = _detail(suggestion)
        x = inner.right() - small.horizontalAdvance(detail)
        y = rect.center().y()
        painter.drawText(QPointF(x, y + (small.ascent() - small.descent()) / 2), detail)
        painter.setFont(self._theme.font("body", bold=suggestion.kind == "field"))
        painter.setPen(tokens.colour("ink"))
        metrics = painter.fontMetrics()
        room = round(x - SPACE - inner.x())
        text = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(inner.x(), y + (metrics.ascent() - metrics.descent()) / 2), text)
        painter.restore()


def _detail(suggestion: Suggestion) -> str:
    """What a suggestion is, and how many songs it finds where that is known."""
    kind = _kind(suggestion.kind)
    if suggestion.songs is None:
        return kind
    return f"{kind}, {songs(suggestion.songs)}" if kind else songs(suggestion.songs)


def _spoken(suggestion: Suggestion) -> str:
    return ", ".join(part for part in (one_line(suggestion.shown), _detail(suggestion)) if part)


def _kind(kind: str) -> str:
    names = {
        "field": QT_TRANSLATE_NOOP("Suggestions", "what to look in"),
        "mood": QT_TRANSLATE_NOOP("Suggestions", "mood"),
        "state": QT_TRANSLATE_NOOP("Suggestions", "state"),
        "artist": QT_TRANSLATE_NOOP("Suggestions", "artist"),
        "album": QT_TRANSLATE_NOOP("Suggestions", "album"),
        "albumartist": QT_TRANSLATE_NOOP("Suggestions", "album artist"),
        "genre": QT_TRANSLATE_NOOP("Suggestions", "genre"),
        "format": QT_TRANSLATE_NOOP("Suggestions", "format"),
        "folder": QT_TRANSLATE_NOOP("Suggestions", "folder"),
        "value": QT_TRANSLATE_NOOP("Suggestions", "for example"),
    }
    return QCoreApplication.translate("Suggestions", names[kind]) if kind in names else ""
