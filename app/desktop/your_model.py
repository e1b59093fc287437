"""Between the page "Your model" and what it shows: reads, trains, goes back, exports, deletes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog

from app.desktop.jobs import JobRunner, Latest, Task
from app.desktop.library_controller import LibraryController
from app.desktop.model_texts import ModelTexts
from app.desktop.player_glue import PlayerGlue
from app.desktop.preferences import Preferences
from app.desktop.training_job import training
from app.desktop.work_controller import WorkController
from app.my_data import Deleted, Kept, Part, delete_data, export_data, kept
from app.paths import Home
from app.personal import PersonalReport, collect
from app.personal_models import PersonalModels
from app.personal_process import train_command
from app.prompts import Consent, PromptPolicy
from app.your_model import Overview, Said, moves, overview, said, versions
from inference.emotion import Quadrant
from inference.labelling.personal import LEAST_ANSWERS
from library_db.answers import Answer, AnswerStore
from library_db.personal_layer import common_model, moved_ids
from widgets.dialogs.delete_data import DeleteDataDialog
from widgets.main_window import MainWindow
from widgets.sidebar import SidebarEntry
from widgets.theme import Theme
from widgets.your_model import YourModelPage

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = ["YourModel"]

KEY = "your_model"
_SETTLE_MS = 300


@dataclass(frozen=True)
class _Read:
    """What was read for the page, on a worker."""

    overview: Overview
    answers: tuple[Answer, ...]
    kept: Kept
    songs: int
    extra: bool


class YourModel(QObject):
    """Shows the page anew whenever it is looked at and something has changed.

    Parameters
    ----------
    glue : PlayerGlue
        Plays the songs that are asked for.
    policy : PromptPolicy
        Forgets with the rest what was answered.
    """

    shown = Signal()
    """The page shows what was read last."""
    data_deleted = Signal()

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        songs: LibraryController,
        work: WorkController,
        glue: PlayerGlue,
        preferences: Preferences,
        runner: JobRunner,
        policy: PromptPolicy,
        home: Home,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._theme = theme
        self._songs = songs
        self._work = work
        self._glue = glue
        self._preferences = preferences
        self._runner = runner
        self._policy = policy
        self._home = home
        self._reader = Latest(runner, pool="io")
        self._task: Task | None = None
        self._last = ""
        self._said: dict[int, Said] = {}
        self._texts = ModelTexts()
        self._stale = True
        self.page = YourModelPage(theme)
        window.add_view("you", SidebarEntry(KEY, self.tr("Your model"), "person"), self.page)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._read)
        self._connect()
        self._show_consent()

    @property
    def busy(self) -> bool:
        """Whether a training, or a change of the version, runs."""
        return self._task is not None

    @property
    def restless(self) -> bool:
        """Whether the page is about to show something else."""
        return self.busy or self._settle.isActive()

    def refresh(self, *_: object) -> None:
        """Something has changed: read again, now or when the page is next looked at."""
        self._stale = True
        if self.page.isVisible():
            self._settle.start()

    def train(self) -> None:
        """Train in the background."""
        self._run(self.tr("Learning from your answers"), train_command(self._home))

    # inner workings

    def _connect(self) -> None:
        overview, words, moves = self.page.overview, self.page.words, self.page.moves
        overview.train_requested.connect(self.train)
        overview.roll_back_requested.connect(self._roll_back)
        overview.version_chosen.connect(self._use)
        overview.consent_changed.connect(self._on_consent)
        overview.recording_consent_changed.connect(self._on_recording_consent)
        overview.history_switched.connect(
            lambda on: self._preferences.set("playback", "keep_history", on)
        )
        overview.export_requested.connect(self._ask_where)
        overview.delete_requested.connect(self._ask_what)
        words.play_requested.connect(lambda ids: self._glue.play_among(ids, 0))
        words.change_requested.connect(self._change)
        words.delete_requested.connect(self._delete_words)
        moves.play_requested.connect(self._glue.play_among)
        self._songs.changed.connect(lambda _: self.refresh())
        self._preferences.changed.connect(lambda *_: self._show_consent())
        self._window.sidebar.chosen.connect(self._on_view)
        self._window.actions_.your_model.triggered.connect(lambda: self._window.sidebar.choose(KEY))

    def _on_view(self, key: str) -> None:
        if key == KEY and self._stale:
            self._read()

    # reading

    def _read(self) -> None:
        self._settle.stop()
        library, home = self._songs.library, self._home
        self._stale = False
        self._reader.call(lambda: _read(library, home), self._show, self._songs.failed.emit)

    def _show(self, read: _Read) -> None:
        self._said = dict(enumerate(read.overview.said))
        facts = self._texts.facts(
            read.overview, read.answers, read.kept, songs=read.songs, needed=LEAST_ANSWERS,
            extra=read.extra, last=self._last,
        )  # fmt: skip
        self.page.show_facts(facts)
        self._show_consent()
        self.shown.emit()

    def _show_consent(self) -> None:
        settings = self._preferences.settings
        prompts = settings.prompts
        given = prompts.consent == Consent.GIVEN.value and prompts.enabled
        self.page.overview.show_consent(
            asks=given,
            state=self._texts.consent(prompts),
            records=settings.listening.consent == Consent.GIVEN.value,
            history=settings.playback.keep_history,
        )

    def _on_consent(self, on: bool) -> None:
        """A tick is consent, given or taken back."""
        if on:
            self._preferences.set("prompts", "enabled", True)
        word = Consent.GIVEN if on else Consent.REFUSED
        self._preferences.set("prompts", "consent", word.value)

    def _on_recording_consent(self, on: bool) -> None:
        word = Consent.GIVEN if on else Consent.REFUSED
        self._preferences.set("listening", "consent", word.value)
        if not on:
            self._preferences.set("listening", "record", False)

    # training, versions

    def _roll_back(self) -> None:
        self._run(self.tr("Going back"), train_command(self._home, roll_back=True))

    def _use(self, number: int) -> None:
        self._run(self.tr("Changing the model"), train_command(self._home, use=number))

    def _run(self, name: str, command: Sequence[str]) -> None:
        if self.busy:
            return
        task = self._work.run(name, lambda _: training(command))
        self._task = task
        self.page.overview.show_busy(True)
        task.finished.connect(self._on_trained)
        task.ended.connect(self._on_ended)

    def _on_trained(self, report: PersonalReport) -> None:
        self._last = self._texts.report(report)
        self._window.toasts.show_toast(self._last)

    def _on_ended(self) -> None:
        self._task = None
        self.page.overview.show_busy(False)
        self._songs.look_for_foreign_changes()
        self.refresh()

    # words

    def _change(self, keys: Sequence[int], quadrant: Quadrant) -> None:
        """An answer is changed in its file, a correction as in the library, with undo."""
        chosen = [self._said[key] for key in keys if key in self._said]
        answers = [one.answer_id for one in chosen if one.answer_id is not None]
        songs = [one.track_id for one in chosen if one.answer_id is None]
        self._songs.correct([i for i in songs if i is not None], quadrant)
        if answers:
            folder = self._home.library_dir
            self._songs.submit(
                lambda _: _change(folder, answers, quadrant), lambda _: self.refresh()
            )

    def _delete_words(self, keys: Sequence[int]) -> None:
        chosen = [self._said[key] for key in keys if key in self._said]
        answers = [one.answer_id for one in chosen if one.answer_id is not None]
        songs = [one.track_id for one in chosen if one.answer_id is None]
        self._songs.correct([i for i in songs if i is not None], None)
        if not answers:
            return
        folder = self._home.library_dir

        def deleted(gone: list[Answer]) -> None:
            text = self._texts.answers_deleted(len(gone))
            self._window.toasts.show_toast(text, self.tr("Undo"), lambda: self._bring_back(gone))
            self.refresh()

        self._songs.submit(lambda _: _remove(folder, answers), deleted)

    def _bring_back(self, gone: Sequence[Answer]) -> None:
        folder = self._home.library_dir
        self._songs.submit(lambda _: _add(folder, gone), lambda _: self.refresh())

    # data

    def _ask_where(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Export my data into a folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
        dialog.filesSelected.connect(lambda names: self.export_to(Path(names[0])))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def export_to(self, target: Path) -> None:
        """Write everything that is kept of the listener into a new folder within `target`."""
        library, home = self._songs.library, self._home
        task = self._work.run(
            self.tr("Exporting your data"), lambda _: export_data(library, home, target)
        )
        told = self.tr("Your data was written to {folder}")
        task.finished.connect(
            lambda folder: self._window.toasts.show_toast(told.format(folder=folder))
        )

    def _ask_what(self) -> None:
        """Count what there is, then ask what of it is to go."""
        library, home = self._songs.library, self._home

        def ask(found: Kept) -> None:
            dialog = DeleteDataDialog(self._theme, self._texts.parts(found), self._window)
            dialog.agreed.connect(self._delete_data)
            dialog.finished.connect(dialog.deleteLater)
            dialog.open()

        self._runner.call(lambda: kept(library, home), ask, self._songs.failed.emit, pool="io")

    def _delete_data(self, keys: Sequence[str]) -> None:
        parts, home = frozenset(Part(key) for key in keys), self._home

        def deleted(done: Deleted) -> None:
            if Part.ANSWERS in parts:
                self._policy.forget()
            if parts & {Part.ANSWERS, Part.CORRECTIONS}:
                self._songs.undo_stack.clear()  # it holds what was said
            self._last = ""
            self._window.toasts.show_toast(self._texts.data_deleted(done.what))
            self._songs.note_changes(done.touched)
            self.data_deleted.emit()
            self.refresh()

        self._songs.submit(lambda library: delete_data(library, home, parts), deleted)


def _read(library: Library, home: Home) -> _Read:
    models = PersonalModels(home.models_dir)
    answers: list[Answer] = []
    if AnswerStore.exists(home.library_dir):
        with AnswerStore.open(home.library_dir) as store:
            found, answers = overview(library, store, models), store.all()
    else:  # looking makes no file
        found = Overview(
            said=said(library, (), ()),
            versions=versions(library, models),
            agreement=(),
            moves=moves(library),
            moved=len(moved_ids(library)),
            active=models.active_number,
            base_model=common_model(library),
        )
    words = 0
    if found.base_model is not None:
        words = len(collect(library, answers, found.base_model).words)
    extra = find_spec("torch") is not None
    return _Read(found, tuple(answers), kept(library, home), words, extra)


def _change(folder: Path, ids: Sequence[int], quadrant: Quadrant) -> None:
    with AnswerStore.open(folder) as answers:
        for answer_id in ids:
            answers.change(answer_id, quadrant)


def _remove(folder: Path, ids: Sequence[int]) -> list[Answer]:
    with AnswerStore.open(folder) as answers:
        gone = [answer for answer in answers.all() if answer.id in set(ids)]
        answers.remove(ids)
    return gone


def _add(folder: Path, gone: Sequence[Answer]) -> None:
    with AnswerStore.open(folder) as answers:
        answers.add(*gone)
