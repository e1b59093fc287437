"""About: what this is, its version, its licences."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QFormLayout, QVBoxLayout, QWidget

from widgets.controls import label
from widgets.dialogs.words_dialog import WordsDialog
from widgets.theme import SPACE, Theme

__all__ = ["AboutDialog"]


class AboutDialog(WordsDialog):
    """A few lines; `facts` are (name, value) pairs such as the version and the model."""

    def __init__(
        self, theme: Theme, facts: list[tuple[str, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About Undertone"))
        self.setMinimumWidth(440)
        words = label(
            self.tr(
                "A music player that knows how songs feel. Moods are found on this computer; "
                "nothing leaves it, and your music files are never changed unless you ask for it."
            ),
            wrap=True,
        )
        licence = label(
            self.tr(
                "Free software under the GNU General Public License, version 3 or later. The mood "
                "models have a licence of their own, since they were learned from research data: "
                "their cards say which."
            ),
            "soft",
            wrap=True,
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE + 4)
        column.addWidget(label("Undertone", "display"))
        column.addWidget(words)
        table = QFormLayout()
        table.setHorizontalSpacing(2 * SPACE)
        table.setVerticalSpacing(SPACE // 2)
        for name, value in facts:
            said = label(value, wrap=True)
            said.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            table.addRow(label(name, "soft"), said)
        column.addLayout(table)
        column.addWidget(licence)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.accept)
        column.addSpacing(SPACE)
        column.addWidget(buttons)
