"""The words of the page "Your model": tests, versions, consent and counts in plain language."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from app.my_data import Kept, Part
from app.personal import PersonalReport
from app.prompts import Consent
from app.settings import Prompts
from app.your_model import Move, Overview, Said, Version
from inference.labelling.personal import MARGIN
from library_db.answers import Answer, ShownBy
from library_db.decisions import Decided
from widgets.text import count, day, one_line, songs
from widgets.your_model.facts import (
    AgreementPoint,
    Facts,
    Learning,
    Moved,
    Stored,
    VersionChoice,
    Word,
)

__all__ = ["ModelTexts"]


def _tr(text: str) -> str:
    return QCoreApplication.translate("YourModel", text)


class ModelTexts:
    """Makes what the page shows of what was read."""

    def facts(
        self,
        overview: Overview,
        answers: Sequence[Answer],
        kept: Kept,
        *,
        songs: int,
        needed: int,
        extra: bool,
        last: str,
    ) -> Facts:
        """Everything on the page.

        Parameters
        ----------
        songs, needed : int
            Songs with a word of the listener that counts, and how many learning takes.
        extra : bool
            Whether the training extra is installed.
        last : str
            What came of the last training.
        """
        active = next((v for v in overview.versions if v.active), None)
        in_order = sorted(answers, key=lambda answer: answer.at_s)
        by_id = {answer.id: answer for answer in answers}
        return Facts(
            learning=Learning(
                title=self._title(active),
                test=self._test(active),
                last=last,
                songs=songs,
                needed=needed,
                active=overview.active or 0,
                rated=overview.base_model is not None,
                extra=extra,
            ),
            words=tuple(
                _word(key, said, by_id.get(said.answer_id))
                for key, said in enumerate(overview.said)
            ),
            moved=tuple(_moved(move) for move in overview.moves),
            moved_in_all=overview.moved,
            versions=(
                *(self._version(version) for version in overview.versions),
                VersionChoice(0, _tr("The common model alone")),
            ),
            agreement=tuple(
                AgreementPoint(point.at_s, answer.agreed, point.share)
                for point, answer in zip(overview.agreement, in_order, strict=True)
            ),
            stored=Stored(
                kept.answers, kept.corrections, kept.versions, kept.plays, kept.recordings,
                kept.backups,
            ),
        )  # fmt: skip

    def consent(self, prompts: Prompts) -> str:
        """What the listener has agreed to."""
        if prompts.consent == Consent.UNASKED.value:
            return _tr("You have not been asked yet: the first question will ask whether it may.")
        if prompts.consent == Consent.REFUSED.value:
            return _tr("You do not want to be asked. Corrections with 1 to 4 still teach it.")
        if not prompts.enabled:
            return _tr("You agreed to be asked; questions are switched off in the settings.")
        if prompts.do_not_disturb:
            return _tr("You agreed to be asked. Do not disturb is on, so nothing is asked now.")
        if prompts.quiet_from == prompts.quiet_until:
            text = _tr("At most {n} times an hour; see Settings, Questions.")
        else:
            text = _tr(
                "At most {n} times an hour, and not from {begin} to {end} o'clock; "
                "see Settings, Questions."
            )
        return text.format(
            n=prompts.at_most_per_hour, begin=prompts.quiet_from, end=prompts.quiet_until
        )

    def report(self, report: PersonalReport) -> str:
        """What came of a training, in a sentence or two."""
        if report.accepted:
            return _tr("Version {n} of your model is in use: {songs} moved").format(
                n=report.active, songs=songs(report.moved)
            )
        text = report.explanation
        return text[:1].upper() + text[1:] + "."

    def answers_deleted(self, number: int) -> str:
        return _some(number, _tr("1 answer deleted"), _tr("{n} answers deleted"))

    def parts(self, found: Kept) -> list[tuple[str, str, str]]:
        """The kinds of data that there are, as (key, text, help)."""
        answers = _some(found.answers, _tr("1 answer"), _tr("{n} answers"))
        versions = _some(
            found.versions, _tr("1 version of your model"), _tr("{n} versions of your model")
        )
        back = _tr("{songs} count as the common model says again.")
        kinds = (
            (
                Part.ANSWERS,
                _tr("{a} and {b}").format(a=answers, b=versions)
                if answers and versions
                else answers or versions,
                back.format(songs=songs(found.songs)) if found.songs else "",
            ),
            (
                Part.CORRECTIONS,
                _some(
                    found.corrections,
                    _tr("1 correction of a mood"),
                    _tr("{n} corrections of moods"),
                ),
                _tr("Your own word on songs, also where you were not asked."),
            ),
            (
                Part.HISTORY,
                _some(
                    found.plays,
                    _tr("1 play in the listening history"),
                    _tr("{n} plays in the listening history"),
                ),
                "",
            ),
            (
                Part.RECORDINGS,
                _some(found.recordings, _tr("1 recorded session"), _tr("{n} recorded sessions")),
                _tr("Skin conductance and pulse as a band delivered them."),
            ),
            (
                Part.BACKUPS,
                _some(
                    found.backups,
                    _tr("1 daily backup of the library"),
                    _tr("{n} daily backups of the library"),
                ),
                _tr("They may hold corrections and moods of your own model."),
            ),
        )
        return [(part.value, text, help_) for part, text, help_ in kinds if text]

    def data_deleted(self, gone: Kept) -> str:
        pieces = [text for _, text, _ in self.parts(gone)]
        return _tr("Deleted for good: {what}").format(what=", ".join(pieces) or _tr("nothing"))

    # inner workings

    def _title(self, active: Version | None) -> str:
        if active is None:
            return _tr("Moods come from the common model")
        if active.fault:
            return _tr("Version {n} of your model cannot be read").format(n=active.number)
        return _tr("Moods come from your model, version {n}").format(n=active.number)

    def _test(self, active: Version | None) -> str:
        """The test of the present version in plain words."""
        if active is None:
            return ""
        if active.fault:
            return _tr("{fault}. Until then moods come from the common model.").format(
                fault=active.fault.rstrip(".")
            )
        if not active.usable:
            return _tr(
                "It was learned upon another model than the one that rates your library now, so "
                "the common model speaks. Train again to learn upon the present one."
            )
        if not active.whole:
            return _tr(
                "It was learned upon another version of the common model, whose features of "
                "songs are no longer made: its map of valence and arousal speaks alone. Train "
                "again to learn upon the present version; your answers are all kept."
            )
        if active.earlier:
            return _tr(
                "It was learned upon another version of the common model, and goes on speaking. "
                "Train again to have it tested upon the present one; your answers are all kept."
            )
        if active.personal is None or active.common is None or active.lower is None:
            return ""
        bound = 100 * active.lower
        sure = (
            _tr("with 95 % certainty it is at least {n} points better")
            if bound >= 0
            else _tr("with 95 % certainty it is at most {n} points worse")
        ).format(n=f"{abs(bound):.1f}")
        return _tr(
            "It is not worse than the common model by its test: of {songs} that you had a word "
            "on, each held out from learning in turn, it named your mood for {mine}, the common "
            "model for {common}; {sure} (allowed: {margin} worse). Your own in it: {kind}."
        ).format(
            kind=_kind(active.kind),
            songs=songs(active.songs or 0),
            mine=_share(active.personal),
            common=_share(active.common),
            sure=sure,
            margin=f"{100 * MARGIN:.0f}",
        )

    def _version(self, version: Version) -> VersionChoice:
        text = _tr("Your model, version {n}").format(n=version.number)
        if version.fault:
            return VersionChoice(version.number, text, _tr("cannot be read"))
        if not version.usable:
            return VersionChoice(version.number, text, _tr("of another common model"))
        if version.made_s is None or version.personal is None or version.common is None:
            return VersionChoice(version.number, text)
        shares = {"mine": _share(version.personal), "common": _share(version.common)}
        text = _tr("Version {n}: {day}, {mine} against {common}").format(
            n=version.number, day=day(version.made_s), **shares
        )
        tip = _tr(
            "Of {songs}, each held out from learning in turn, it named your mood for {mine}, the "
            "common model for {common}. Your own in it: {kind}."
        ).format(songs=songs(version.songs or 0), kind=_kind(version.kind), **shares)
        return VersionChoice(version.number, text, tip=tip)


def _some(number: int, one: str, many: str) -> str:
    """A number of things in words; empty for none."""
    if not number:
        return ""
    return one if number == 1 else many.format(n=count(number))


def _share(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _kind(kind: str | None) -> str:
    """How much of a version is the listener's own."""
    return {
        "map": _tr("your map of valence and arousal"),
        "features": _tr("your map, with features of the songs"),
        "network": _tr("your map, with networks of your own"),
    }.get(kind or "", _tr("your map"))


def _word(key: int, said: Said, answer: Answer | None) -> Word:
    verdict, why = _verdict(said.decision)
    return Word(
        key=key,
        at_s=said.at_s,
        song=_song(said.title, said.artist) if said.track_id is not None else "",
        shown=said.shown,
        said=said.word,
        by_sensors=answer is not None and answer.shown_by is not ShownBy.MUSIC,
        verdict=verdict,
        why=why,
        track_id=said.track_id,
    )


def _verdict(decision: Decided | None) -> tuple[str, str]:
    if decision is None:
        return "", ""
    why = decision.reason
    if decision.similarity is not None:
        why = _tr("{why} (similarity {s})").format(why=why, s=f"{decision.similarity:.2f}")
    if decision.kept:
        return _tr("Kept"), why
    return (_tr("Label only") if decision.label else _tr("Left out")), why


def _moved(move: Move) -> Moved:
    return Moved(
        move.track_id,
        _song(move.title, move.artist),
        move.before.quadrant,
        move.after.quadrant,
        move.before.mood,
        move.after.mood,
    )


def _song(title: str, artist: str) -> str:
    return one_line(f"{title} – {artist}" if artist else title, 200)
