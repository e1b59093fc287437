"""The sidebar as the window uses it: sections, entries, their numbers, and what is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QTreeWidgetItem, QVBoxLayout, QWidget

from inference.emotion import QUADRANTS
from widgets.controls import button
from widgets.icons import MOOD_ICON, icon
from widgets.sidebar.entries import Role, Section, SidebarEntry
from widgets.sidebar.tree import SidebarTree
from widgets.text import mood_name, songs
from widgets.theme import SPACE, Theme

__all__ = ["Sidebar"]


class Sidebar(QFrame):
    """Chooses what the centre shows. Keys: "all", a quadrant's value, "untagged", "unsure", ...

    A view of one's own is one line: `sidebar.add_entry("you", SidebarEntry(key, name, icon))`;
    sections are "library", "moods", "playlists", "you" and "attention".
    """

    chosen = Signal(str)
    add_folder_requested = Signal()
    rename_requested = Signal(str, str)  # key, name
    remove_requested = Signal(str)
    menu_requested = Signal(str, QPoint)  # key of an entry or a section, place on the screen
    add_requested = Signal(str)  # the plus sign of a section
    songs_dropped = Signal(str, list)  # key of an entry or a section, track ids
    files_dropped = Signal(str, list)  # key or "", local paths
    move_requested = Signal(str, str)  # key, before which key ("": to the end)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("sidebar")
        self.setMinimumWidth(176)
        self._tree = SidebarTree(theme, self)
        self._tree.setAccessibleName(self.tr("Views"))
        self._sections: dict[str, QTreeWidgetItem] = {}
        self._items: dict[str, QTreeWidgetItem] = {}
        self._last = ""
        self._quiet = False
        self._fill()
        self.add_folder = button(self.tr("Add music folder"), "quiet")
        self.add_folder.clicked.connect(lambda: self.add_folder_requested.emit())
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self._tree, 1)
        column.addWidget(self.add_folder)
        self._connect()
        self.choose("all")
        self._tint()
        theme.changed.connect(self._tint)

    # entries

    def add_section(self, section: Section) -> None:
        """Add a heading at the end; it shows once it has entries."""
        item = QTreeWidgetItem(self._tree, [section.name])
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        item.setData(0, Role.SECTION, section)
        item.setExpanded(True)
        item.setHidden(not section.add)
        self._sections[section.key] = item
        self._say_section(item)

    def add_entry(self, section: str, entry: SidebarEntry) -> None:
        """Add an entry at the end of a section."""
        head = self._sections[section]
        item = QTreeWidgetItem(head)
        self._items[entry.key] = item
        self._put(item, entry)
        head.setHidden(False)

    def set_entries(self, section: str, entries: Sequence[SidebarEntry]) -> None:
        """Show exactly these entries in a section; numbers and the chosen one stay."""
        head = self._sections[section]
        keys = [entry.key for entry in entries]
        present = [head.child(i).data(0, Role.KEY) for i in range(head.childCount())]
        if keys == present:
            for key, entry in zip(keys, entries, strict=True):
                self._put(self._items[key], entry)
            return
        counts = {key: self.count_of(key) for key in keys if key in self._items}
        current = self._last
        self._quiet = True
        for key in present:
            del self._items[key]
        head.takeChildren()
        for entry in entries:
            self.add_entry(section, entry)
        head.setHidden(not entries and not head.data(0, Role.SECTION).add)
        self._quiet = False
        self.show_counts(counts)
        if current in keys:
            self.choose(current)
        elif current in present:
            self.choose("all")

    def has(self, key: str) -> bool:
        return key in self._items

    def name_of(self, key: str) -> str:
        """What an entry is called; empty for one that is not there."""
        return self._items[key].text(0) if key in self._items else ""

    def edit_name(self, key: str) -> None:
        """Let the listener rename one of their own entries in its place."""
        item = self._items[key]
        item.parent().setExpanded(True)
        self._tree.setCurrentItem(item)
        self._tree.editItem(item)

    def collapsed(self) -> tuple[str, ...]:
        """The sections that the listener has folded up."""
        return tuple(key for key, item in self._sections.items() if not item.isExpanded())

    def set_collapsed(self, keys: Iterable[str]) -> None:
        folded = set(keys)
        for key, item in self._sections.items():
            item.setExpanded(key not in folded)

    # what is chosen

    def choose(self, key: str) -> None:
        """Show a view as chosen; says so by `chosen` where it was another."""
        if key in self._items:
            self._items[key].parent().setExpanded(True)
            self._tree.setCurrentItem(self._items[key])

    def choose_nothing(self) -> None:
        """Show none of the views as chosen: the centre shows something else."""
        self._last = ""
        self._tree.clearSelection()
        self._tree.setCurrentItem(None)  # type: ignore[call-overload]

    @property
    def current(self) -> str:
        return self._last or "all"

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """Set the number beside each view; keys that are not shown are passed over."""
        for key, number in counts.items():
            if key in self._items:
                item = self._items[key]
                item.setData(0, Role.COUNT, int(number))
                spoken = f"{item.text(0)}, {songs(number)}"
                item.setData(0, Qt.ItemDataRole.AccessibleTextRole, spoken)

    def count_of(self, key: str) -> int:
        return int(self._items[key].data(0, Role.COUNT) or 0)

    def focus_list(self) -> None:
        self._tree.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def sizeHint(self) -> QSize:
        return QSize(216, 480)

    # inner workings

    def _fill(self) -> None:
        for section in (
            Section("library", self.tr("Library")),
            Section("moods", self.tr("Moods")),
            Section("playlists", self.tr("Playlists"), add=self.tr("New playlist")),
            Section("you", self.tr("You")),
            Section("attention", self.tr("Needs attention")),
        ):
            self.add_section(section)
        self.add_entry("library", SidebarEntry("all", self.tr("All songs"), "library"))
        self.add_entry("library", SidebarEntry("plane", self.tr("Mood plane"), "plane"))
        for quadrant in QUADRANTS:
            entry = SidebarEntry(
                quadrant.value, mood_name(quadrant), MOOD_ICON[quadrant], quadrant, takes_songs=True
            )
            self.add_entry("moods", entry)
        for key, name in (
            ("attention", self.tr("All of it")),
            ("untagged", self.tr("Untagged")),
            ("unsure", self.tr("Unsure")),
            ("missing", self.tr("Missing")),
            ("failed", self.tr("Failed")),
            ("stale", self.tr("Changed")),
        ):
            sign = "retry" if key == "stale" else key
            self.add_entry("attention", SidebarEntry(key, name, sign))

    def _connect(self) -> None:
        tree = self._tree
        tree.itemSelectionChanged.connect(self._on_selection)
        tree.itemClicked.connect(self._on_clicked)
        tree.itemExpanded.connect(self._say_section)
        tree.itemCollapsed.connect(self._say_section)
        tree.customContextMenuRequested.connect(self._on_menu)
        tree.renamed.connect(self.rename_requested)
        tree.removed.connect(self.remove_requested)
        tree.plus_clicked.connect(self.add_requested)
        tree.songs_dropped.connect(self.songs_dropped)
        tree.files_dropped.connect(self.files_dropped)
        tree.moved.connect(self.move_requested)

    def _put(self, item: QTreeWidgetItem, entry: SidebarEntry) -> None:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if entry.own:
            flags |= Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsDragEnabled
        item.setFlags(flags)
        item.setText(0, entry.name)
        item.setData(0, Role.KEY, entry.key)
        item.setData(0, Role.ICON, entry.icon)
        item.setData(0, Role.MOOD, entry.quadrant.value if entry.quadrant else "")
        item.setData(0, Role.ENTRY, entry)
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, entry.name)

    def _say_section(self, item: QTreeWidgetItem) -> None:
        if not item.data(0, Role.KEY):
            state = self.tr("expanded") if item.isExpanded() else self.tr("collapsed")
            item.setData(0, Qt.ItemDataRole.AccessibleTextRole, f"{item.text(0)}, {state}")

    def _on_selection(self) -> None:
        items = self._tree.selectedItems()
        key = str(items[0].data(0, Role.KEY)) if items else ""
        if key and key != self._last and not self._quiet:
            self._last = key
            self.chosen.emit(key)

    def _on_clicked(self, item: QTreeWidgetItem) -> None:
        """A click on the chosen view goes back to it from what was opened there."""
        key = item.data(0, Role.KEY)
        if key and key == self._last == self._tree.before_press:
            self.chosen.emit(self._last)

    def _on_menu(self, place: QPoint) -> None:
        item = self._tree.itemAt(place)
        if item is not None:
            section: Section | None = item.data(0, Role.SECTION)
            key = section.key if section is not None else str(item.data(0, Role.KEY))
            self.menu_requested.emit(key, self._tree.viewport().mapToGlobal(place))

    def _tint(self) -> None:
        tokens = self._theme.tokens
        self.add_folder.setIcon(icon("folder-plus", tokens.colour("ink")))
        self._tree.viewport().update()
