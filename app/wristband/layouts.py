"""Files of signals as even tracks: E4 exports, HKU956, tables with times, EDF+ and BDF+."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.wristband.lsl import LslError, lanes_of
from inference.errors import UndertoneError
from inference.physio.signals import Channel

__all__ = ["UNIT", "UNIT_REMEDY", "ReplayError", "Track", "read_pieces", "read_track"]

_EDA_FS_HZ, _BVP_FS_HZ = 4.0, 64.0
_LONGEST_S = 24 * 3600.0
_TABLES = ("gsr.csv", "ppg.csv")
_EDF = (".edf", ".bdf")
_REMEDY = (
    "Give a recording, an E4 export, a listening of HKU956 or its listener's folder, a CSV table "
    "with the columns t_s and gsr_uS or ppg, or an EDF+ or BDF+ file."
)

UNIT = "skin conductance is in a unit that cannot be read"
UNIT_REMEDY = "Microsiemens (uS), siemens and ohm can be read."


class ReplayError(UndertoneError):
    """A file or folder that cannot be replayed."""


@dataclass(frozen=True)
class Track:
    """One channel of a file, evenly sampled from `start_s` on; NaN where a value is missing.

    Parameters
    ----------
    values : ndarray, shape (n,), float32
    left_out : int
        Rows of a table that have no place in time.
    """

    channel: Channel
    fs_hz: float
    values: NDArray[np.float32]
    start_s: float = 0.0
    left_out: int = 0


def read_pieces(path: Path) -> list[list[Track]]:
    """What `path` holds: a list of listenings of one or two tracks each.

    Parameters
    ----------
    path : Path
        Also one signal's file or folder of a listening: the other signal is
        looked for beside it.

    Raises
    ------
    ReplayError
        If nothing there can be replayed; it says what would be.
    """
    try:
        found = _found(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise ReplayError(f"{path.name} cannot be read ({error})") from error
    if not found:
        raise ReplayError(f"{path.name} is nothing that can be replayed", _REMEDY)
    return found


def _found(path: Path) -> list[list[Track]]:
    suffix = path.suffix.lower()
    if suffix == ".zip" and path.is_file():
        return [_e4_zip(path)]
    if suffix in _EDF and path.is_file():
        return [_edf(path)]
    if path.is_dir():
        if (path / "EDA").is_dir() or (path / "BVP").is_dir():
            return _listener(path)
        if path.name in ("EDA", "BVP") and any(path.glob("*.csv")):
            return _listener(path.parent)
        if any((path / name).is_file() for name in _TABLES):
            return [_tables([path / name for name in _TABLES if (path / name).is_file()])]
        if any(path.glob("*/EDA/*.csv")) or any(path.glob("*/*/EDA/*.csv")):
            raise ReplayError(
                f"{path.name} holds several listeners", "Give the folder of one of them."
            )
        return [_e4_folder(path)]
    if not path.is_file():
        return []
    if path.parent.name in ("EDA", "BVP"):
        return [_listening(path.parent.parent, path.name)]
    if path.name in _TABLES:
        return [_tables([path.parent / n for n in _TABLES if (path.parent / n).is_file()])]
    if path.name not in ("EDA.csv", "BVP.csv") and _has_times(path):
        return [_tables([path])]
    return [_e4_folder(path.parent, path.name)]


def _listener(folder: Path) -> list[list[Track]]:
    names = {file.name for kind in ("EDA", "BVP") for file in (folder / kind).glob("*.csv")}

    def order(name: str) -> tuple[int, str]:
        head = name.split("_")[0]
        return (int(head) if head.isdigit() else 1 << 30, name)

    pieces = []
    for name in sorted(names, key=order):
        try:
            pieces.append(_listening(folder, name))
        except ReplayError:
            continue
    if not pieces:
        raise ReplayError(f"no listening in {folder.name} can be read")
    return pieces


def _listening(listener: Path, name: str) -> list[Track]:
    tracks = []
    for kind, channel, fs_hz in (
        ("EDA", Channel.GSR, _EDA_FS_HZ),
        ("BVP", Channel.PPG, _BVP_FS_HZ),
    ):
        file = listener / kind / name
        if file.is_file():
            values = _values(file.read_text("utf-8", "replace"))
            if np.isfinite(values).any():
                tracks.append(Track(channel, fs_hz, values))
    if not tracks:
        raise ReplayError(
            f"{name} holds no signal", "One number a line is expected, without a head."
        )
    return tracks


def _e4_zip(path: Path) -> list[Track]:
    with zipfile.ZipFile(path) as archive:
        texts: dict[str, str] = {}
        for name in ("EDA.csv", "BVP.csv"):
            if name in archive.namelist() and archive.getinfo(name).file_size < 200_000_000:
                texts[name] = archive.read(name).decode("utf-8", "replace")
    return _e4(texts, path.name)


def _e4_folder(folder: Path, only: str = "") -> list[Track]:
    texts: dict[str, str] = {}
    for name in ("EDA.csv", "BVP.csv"):
        if (folder / name).is_file() and only in ("", "EDA.csv", "BVP.csv"):
            texts[name] = (folder / name).read_text("utf-8", "replace")
    return _e4(texts, only or folder.name)


def _e4(texts: dict[str, str], where: str) -> list[Track]:
    """E4 Connect's CSV: start as Unix time, sampling rate, then one value a line."""
    tracks = []
    for name, channel in (("EDA.csv", Channel.GSR), ("BVP.csv", Channel.PPG)):
        if name in texts:
            track = read_track(texts[name], channel)
            if track is not None:
                tracks.append(track)
    if not tracks:
        raise ReplayError(f"{where} is nothing that can be replayed", _REMEDY)
    return _from_the_first(tracks, where)


def _from_the_first(tracks: Sequence[Track], where: str) -> list[Track]:
    """The same on a clock that begins with the first sample."""
    starts = [t.start_s for t in tracks]
    if max(starts) - min(starts) > _LONGEST_S:
        raise ReplayError(f"the signals of {where} are from different days")
    return [replace(t, start_s=t.start_s - min(starts)) for t in tracks]


def read_track(text: str, channel: Channel) -> Track | None:
    """One channel of an E4 export; None where its two head lines make no sense."""
    head = io.StringIO(text)
    start_s, fs_hz = (_number(head.readline().split(",")[0]) for _ in range(2))
    if not (math.isfinite(start_s) and 0.5 <= fs_hz <= 2000.0):
        return None
    values = _values(head.read())
    return Track(channel, fs_hz, values, start_s) if np.isfinite(values).any() else None


def _values(text: str) -> NDArray[np.float32]:
    """One value a line; NaN where a line is none."""
    return np.fromiter((_number(line) for line in text.splitlines()), np.float32)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if abs(value) < 1e12 else math.nan


# -- tables with times ----------------------------------------------------------------


def _has_times(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        return "t_s" in _cells(file.readline(4096))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line.lstrip("\ufeff")]), [])]


def _tables(files: Sequence[Path]) -> list[Track]:
    """Tables whose head names t_s (seconds) and gsr or eda, with its unit, or ppg or bvp."""
    tracks: dict[Channel, Track] = {}
    for file in files:
        for track in _table(file):
            tracks.setdefault(track.channel, track)
    if not tracks:
        raise ReplayError(f"{files[0].name} holds no signal", _REMEDY)
    return _from_the_first(list(tracks.values()), files[0].name)


def _table(file: Path) -> list[Track]:
    head, _, text = file.read_text("utf-8", "replace").partition("\n")
    names = _cells(head)
    if "t_s" not in names:
        raise ReplayError(f"{file.name} has no column t_s (seconds)", _REMEDY)
    units = [_unit(name) for name in names]
    try:
        lanes = lanes_of("", names, units, len(names))
    except LslError as error:
        raise ReplayError(f"{file.name}: {UNIT}", UNIT_REMEDY) from error
    if not lanes:
        raise ReplayError(
            f"{file.name} has no column of skin conductance or pulse", "Name it gsr_uS or ppg."
        )
    cells = _numbers(text, len(names))
    times = cells[:, names.index("t_s")]
    # What does not go forward in time has no place: left out.
    newest = np.fmax.accumulate(np.concatenate([[-np.inf], times]))[:-1]
    forward = np.isfinite(times) & (times > newest)
    cells, times = cells[forward], times[forward]
    if len(times) < 2:
        return []
    fs_hz, at = _places(times, file.name)
    tracks: list[Track] = []
    for lane in lanes:
        values = np.full(at[-1] + 1, np.nan, np.float32)
        values[at] = lane.convert(cells[:, lane.column])
        if np.isfinite(values).any():
            left_out = 0 if tracks else int(np.count_nonzero(~forward))
            tracks.append(Track(lane.channel, fs_hz, values, float(times[0]), left_out))
    return tracks


def _unit(name: str) -> str:
    """What stands behind the name of a column: "uS" of "gsr_uS" and of "EDA (uS)"."""
    found = re.fullmatch(r".*[_ (\[]([^_ ()\[\]]+)[)\]]?", name)
    return found[1] if found is not None else ""


def _numbers(text: str, count: int) -> NDArray[np.float64]:
    """Rows of `count` numbers; NaN where a cell is none."""
    with contextlib.suppress(ValueError):
        if text.strip():
            table = np.loadtxt(io.StringIO(text), delimiter=",", comments=None, ndmin=2)
            if table.shape[1] == count:
                return table
    cells = (
        _number(cell)
        for row in csv.reader(io.StringIO(text))
        for cell in (*row[:count], *[""] * (count - len(row)))
    )
    return np.fromiter(cells, np.float64).reshape(-1, count)


def _places(times: NDArray[np.float64], where: str) -> tuple[float, NDArray[np.int64]]:
    """Rate (Hz) and the number of each sample; numbers are left out where time leaps."""
    steps = np.diff(times)
    usual = float(np.median(steps))
    even = steps[steps < 1.5 * usual]
    fs_hz = 1.0 / float(even.mean())
    # Times are written with few digits: 127.998 Hz is 128.
    fs_hz = float(round(fs_hz)) if abs(fs_hz - round(fs_hz)) < 0.002 * fs_hz else fs_hz
    if not 0.5 <= fs_hz <= 2000.0:
        raise ReplayError(f"{where} has a rate of {fs_hz:.3g} Hz", "0.5 to 2000 Hz can be read.")
    if times[-1] - times[0] > _LONGEST_S:
        raise ReplayError(f"{where} is longer than a day", "Cut it into parts.")
    apart = np.where(steps < 1.5 * usual, 1, np.maximum(np.round(steps * fs_hz), 1))
    return fs_hz, np.concatenate([[0], np.cumsum(apart)]).astype(np.int64)


def _edf(path: Path) -> list[Track]:
    from app.wristband.edf_tracks import read_edf

    tracks = [Track(*found) for found in read_edf(path)]
    if not tracks:
        raise ReplayError(
            f"{path.name} holds no signal of skin conductance or pulse",
            "Its label must say GSR or EDA, or PPG or BVP.",
        )
    return tracks
