"""Individual against common models on simulated listeners: are answers worth giving?

No person is measured here. A simulated listener hears a song where the common
model's out-of-fold estimate puts it on the valence-arousal plane, after a turn,
a shift and a deviation of its own for each song, which no model can learn. One
listener in four hears as the common model does, apart from the deviation. What
is felt moves skin conductance and pulse by the coupling of a preset; the bodies
of some listeners show nothing.
"""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.emotion import QUADRANTS
from inference.evaluation.personal_worlds import (
    DEVIATION_SD,
    SHIFT_SD,
    TURN_SD,
    WORLD,
    Heard,
    Listener,
    Preset,
    band_network,
    hear,
    moods_of,
    read_estimates,
)
from inference.evaluation.results import RunRecord, digest_files, write_results
from inference.job import Job, Progress
from inference.labelling.ladder import LEAST_SESSIONS, Fit, climb, fit_personal
from inference.labelling.pairing import Pairing
from inference.labelling.personal import MARGIN
from inference.labelling.songs import SongSpace

__all__ = ["ANSWERS", "NOISES", "PRESET_NAMES", "evaluate_personal", "interval", "stored_rows"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

ANSWERS = (0, 5, 10, 20, 40, 80)
"""How many songs a listener has answered on."""

NOISES = (0.0, 0.1, 0.2)
"""Shares of answers that name a mood at random in place of the one felt."""

PRESET_NAMES: tuple[Preset, ...] = ("demo", "real")

_TESTED_WITH_BAND = 32
_DRAWS = 2000


Band = Callable[[int, int, Sequence[int]], Heard]
"""A listener's number, a seed and what is felt at each song, to what the band's network says."""

Bands = Callable[[Preset, Path, bool], Job[Band]]


def _trained_band(preset: Preset, folder: Path, quick: bool) -> Job[Band]:
    net = yield from band_network(preset, folder / f"{preset}.pt", epochs=1 if quick else 12)
    return functools.partial(hear, net, preset)


@dataclass(frozen=True)
class _Measured:
    """One listener, one draw of songs, one noise, one number of answers."""

    noise: float
    answers: int
    music_common: float
    music: float
    music_unguarded: float
    music_accepted: bool
    band_common: float
    band: float
    band_accepted: bool
    band_all: float
    band_kept: float
    band_majority: float
    purity: float
    purity_kept: float
    kept: float


def evaluate_personal(
    estimates: Path,
    results: Path,
    *,
    work: Path,
    presets: Sequence[Preset] = PRESET_NAMES,
    listeners: int = 12,
    seeds: int = 3,
    quick: bool = False,
    resume: bool = False,
    command: Sequence[str] = (),
    bands: Bands | None = None,
) -> Job[list[dict[str, object]]]:
    """Measure, and write ``personal-simulated.csv`` and ``.json`` into `results`.

    A listener answers on songs drawn at random; the test is on other songs,
    against what the listener feels, free of answer noise. Intervals are 95 %
    by bootstrap over listeners, of means over the seeds.

    Parameters
    ----------
    work : Path
        Networks of the presets, and each listener's figures as they are finished.
    quick : bool
        A network of the band that has hardly been trained: only to see that it runs.
    resume : bool
        Take over what an interrupted run of the same settings had finished.
    bands : callable, optional
        In place of simulated signals and a network that is trained on others.

    Returns
    -------
    list of dict
        A row for each preset, noise and number of answers. `music_individual` and
        `band_individual` are what the player would use: the listener's own model where it was
        accepted, else the common one. `band_all` and `band_kept` are last layers that learned
        from all words (as the player's do) and from the kept ones, without that guard;
        `band_majority` names the mood that was answered most often.
    """
    began_s = time.monotonic()
    bands = bands or _trained_band
    p = read_estimates(estimates)
    data_digest = digest_files([estimates], estimates.parent)
    folder = work / "personal" / _digest(data_digest, quick)
    found: dict[Preset, list[list[Sequence[_Measured]]]] = {}
    silent: dict[Preset, int] = {}
    done, total = 0, len(presets) * listeners * seeds
    for preset in presets:
        band = yield from bands(preset, folder, quick)
        for number in range(listeners):
            runs: list[Sequence[_Measured]] = []
            responds = True
            for seed in range(seeds):
                file = folder / f"{preset}-{number}-{seed}.json"
                measured = _stored(file) if resume else None
                if measured is None:
                    measured = _one(p, band, number, seed)
                    _store(file, [measured[0], [asdict(m) for m in measured[1]]])
                responds = measured[0]
                runs.append(measured[1])
                done += 1
                yield Progress(done, total, f"simulated listeners ({preset})")
            silent[preset] = silent.get(preset, 0) + (not responds)
            found.setdefault(preset, []).append(runs)
    rows = [
        {"preset": preset, **_summary(table, i, silent[preset])}
        for preset, table in found.items()
        for i in range(len(table[0][0]))
    ]
    record = RunRecord(
        command=list(command),
        dataset="simulated listeners upon the common model's out-of-fold estimates",
        protocol="songs held out from the answers",
        data_digest=data_digest,
        seeds=list(range(seeds)),
        seconds=time.monotonic() - began_s,
        notes={
            "listeners": listeners,
            "turn_sd_rad": TURN_SD,
            "shift_sd": SHIFT_SD,
            "deviation_sd": DEVIATION_SD,
            "typical_listeners": "one in four",
            "margin": MARGIN,
            "presets": list(presets),
            "resumed": resume,
            "quick": quick,
        },
    )
    write_results(
        results, "personal-simulated-quick" if quick else "personal-simulated", rows, record
    )
    return rows


def _one(p: Array, band: Band, number: int, seed: int) -> tuple[bool, list[_Measured]]:
    """One listener with one draw of songs: every number of answers at every noise."""
    rng = np.random.default_rng([number, seed, 1])
    listener = Listener.draw(np.random.default_rng([number, 0]), typical=number % 4 == 0)
    felt = listener.feel(moods_of(p), rng)
    order = rng.permutation(len(p))
    asked, test = order[: max(ANSWERS)], order[max(ANSWERS) :]
    worn = np.concatenate([asked, test[:_TESTED_WITH_BAND]])
    heard = band(number, seed, felt[worn].tolist())
    slips, words = rng.random(len(asked)), rng.integers(0, len(QUADRANTS), len(asked))
    case = _Case(p, felt, asked, test, heard)
    measured = []
    for noise in NOISES:
        said = np.where(slips < noise, words, felt[asked])
        measured += [case.measure(noise, count, said[:count]) for count in ANSWERS]
    return heard.responds, measured


@dataclass(frozen=True, eq=False)
class _Case:
    """A listener's songs: the first `asked` were answered on, the band was worn on a few more."""

    p: Array
    felt: Ints
    asked: Ints
    test: Ints
    heard: Heard

    def measure(self, noise: float, count: int, said: Ints) -> _Measured:
        music = fit_personal(self.p[self.asked[:count]].reshape(-1, 4), said)
        common = self._music(None)
        own = self._music(music)
        n = len(self.asked)
        band_p, attended = self.heard.probabilities, self.heard.attended
        kept = _selected(attended[:count], band_p[:count], said)
        fits = [_band(band_p[:count], attended[:count], said, k) for k in (None, kept)]
        truth = self.felt[self.test[: len(band_p) - n]]
        scores = [_right(fit, space, band_p[n:], attended[n:], truth) for fit, space in fits]
        band_common = float((band_p[n:].argmax(axis=1) == truth).mean())
        right = said == self.felt[self.asked[:count]]
        return _Measured(
            noise, count, common, own if music.accepted else common, own, music.accepted,
            band_common, scores[0] if fits[0][0].accepted else band_common, fits[0][0].accepted,
            scores[0], scores[1],
            _majority(said, truth) if count else band_common,
            float(right.mean()) if count else 1.0,
            float(right[kept].mean()) if kept.any() else 1.0,
            float(kept.mean()) if count else 1.0,
        )  # fmt: skip

    def _music(self, fit: Fit | None) -> float:
        p = self.p[self.test]
        mine = p if fit is None or fit.map is None else fit.map.rate(p)
        return float((mine.argmax(axis=1) == self.felt[self.test]).mean())


def _majority(said: Ints, truth: Ints) -> float:
    """Accuracy of always naming the mood that was answered most often."""
    return float((truth == np.bincount(said, minlength=len(QUADRANTS)).argmax()).mean())


def _selected(attended: Array, p: Array, said: Ints) -> NDArray[np.bool_]:
    """The words that the strict rule keeps; all where nothing could be compared."""
    everything = np.ones(len(said), bool)
    if not len(said):
        return everything
    nothing = np.full((len(said), 1), np.nan)
    paired = Pairing(said, p.argmax(axis=1), nothing, attended).of(everything)
    if not paired.by_signals.any():
        return everything
    return np.array([d is not None and d.kept for d in paired.decisions], bool)


def _band(
    p: Array, attended: Array, said: Ints, trusted: NDArray[np.bool_] | None
) -> tuple[Fit, SongSpace | None]:
    """The listener's last layer upon the common sensor network."""
    space = SongSpace.fit(attended) if len(said) >= 8 else None
    places = space.places(attended) if space is not None else None
    job = climb(p.reshape(-1, 4), said, places, trusted=trusted, least_for=LEAST_SESSIONS)
    try:
        while True:
            next(job)
    except StopIteration as stop:
        fit: Fit = stop.value
    return fit, space if fit.map is not None and fit.map.dimensions else None


def _right(fit: Fit, space: SongSpace | None, p: Array, attended: Array, truth: Ints) -> float:
    if fit.map is not None:
        p = fit.map.rate(p, space.places(attended) if space is not None else None)
    return float((p.argmax(axis=1) == truth).mean())


def _summary(table: list[list[Sequence[_Measured]]], cell: int, silent: int) -> dict[str, object]:
    def values(name: str) -> Array:
        return np.array([[getattr(r[cell], name) for r in runs] for runs in table], np.float64)

    first = table[0][0][cell]
    row: dict[str, object] = {
        "answer_noise": first.noise,
        "answers": first.answers,
        "listeners": len(table),
        "non_responders": silent,
    }
    for name in ("music", "band"):
        common, mine = values(f"{name}_common"), values(name)
        gain = (mine - common).mean(axis=1)
        low, high = interval(gain)
        row |= {
            f"{name}_common": float(common.mean()),
            f"{name}_individual": float(mine.mean()),
            f"{name}_gain": float(gain.mean()),
            f"{name}_gain_low": low,
            f"{name}_gain_high": high,
            f"{name}_worst_listener": float(gain.min()),
            f"{name}_worst_run": float((mine - common).min()),
            f"{name}_taken_up": float(values(f"{name}_accepted").mean()),
        }
    unguarded = values("music_unguarded") - values("music_common")
    row["music_unguarded_gain"] = float(unguarded.mean())
    low, high = interval((values("band_kept") - values("band_all")).mean(axis=1))
    row |= {name: float(values(name).mean()) for name in ("band_all", "band_kept", "band_majority")}
    row |= {"kept_minus_all_low": low, "kept_minus_all_high": high}
    row |= {name: float(values(name).mean()) for name in ("purity", "purity_kept", "kept")}
    return row


def interval(values: Array) -> tuple[float, float]:
    """95 % by bootstrap over listeners."""
    rng = np.random.default_rng(0)
    draws = values[rng.integers(0, len(values), (_DRAWS, len(values)))].mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


# -- what is finished is kept ------------------------------------------------------


def _digest(data: str, quick: bool) -> str:
    settings = repr(
        (data, quick, ANSWERS, NOISES, WORLD, _TESTED_WITH_BAND, MARGIN, LEAST_SESSIONS)
    )
    return hashlib.sha256(settings.encode()).hexdigest()[:12]


def _store(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(value))
    part.replace(file)


def _stored(file: Path) -> tuple[bool, list[_Measured]] | None:
    try:
        responds, rows = json.loads(file.read_text())
        return bool(responds), [_Measured(**row) for row in rows]
    except (OSError, ValueError, TypeError):
        return None


def stored_rows(
    file: Path, measure: Callable[[], list[dict[str, Any]]], *, resume: bool
) -> list[dict[str, Any]]:
    """What `measure` gives; with `resume` from `file`, where an earlier run kept it."""
    if resume and file.exists():
        found: list[dict[str, Any]] = json.loads(file.read_text())
        return found
    found = measure()
    _store(file, found)
    return found
