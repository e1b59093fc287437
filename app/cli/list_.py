"""`undertone list`: search the library."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from app.cli.console import UsageError, clean, dump_json, message, out
from app.cli.opening import open_library
from app.rows import track_to_json
from inference.emotion import QUADRANTS

if TYPE_CHECKING:
    from library_db.emotion_layers import TrackEmotion
    from library_db.library import Library
    from library_db.relative import RelativeMood
    from library_db.track import Track

__all__ = ["QUERY_HELP", "add_parser", "find", "run", "songs"]

QUERY_HELP = """\
a query is words and fields, all of which must fit:
  miles davis                     words in title, artist, album
  mood:calm                       happy, tense, calm or sad
  artist:"nina simone"            album: title: genre: path: format: likewise
  valence:>0.3  arousal:<0        from -1 to 1
  valence%:>80  arousal%:<20      above or below how many per cent of the library's songs
  mood%:calm                      moods about the medians of the library
  conf:<0.5                       how sure the mood is, from 0 to 1
  year:1990-1999
  is:untagged  is:failed  is:missing  is:unsure
  -genre:pop                      not this"""

_READ_AT_ONCE = 500
_SORTS = ("artist", "title", "album", "mood", "valence", "arousal", "confidence", "year", "path")


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "list",
        description="List the songs of the library that fit QUERY, all without one.",
        epilog=QUERY_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("query", metavar="QUERY", nargs="*", help="see below")
    parser.add_argument("--json", action="store_true", help="print a JSON array on stdout")
    parser.add_argument(
        "--sort", choices=_SORTS, default="artist", help="order by this (default: artist)"
    )
    parser.add_argument(
        "--relative",
        action="store_true",
        help="moods, valence and arousal within the library: percentiles, and the quadrants "
        "about the medians (JSON has them always)",
    )
    parser.add_argument("--reverse", action="store_true", help="the other way round")
    return parser


def run(args: argparse.Namespace) -> int:
    with open_library(args.home) as library:
        ids = find(library, args.query, sort=args.sort, descending=args.reverse)
        if args.json:
            _print_json(library, ids)
        else:
            _print_table(library, ids, relative=args.relative)
    if not ids and not args.json:
        message("no songs" + (" fit the query" if args.query else " yet: undertone tag ~/Music"))
    return 0


def find(
    library: Library, words: Sequence[str], *, sort: str = "artist", descending: bool = False
) -> list[int]:
    """The ids of the songs that fit the query `words`.

    Raises
    ------
    UsageError
        If the query cannot be read; the text points at the mistake.
    """
    from library_db.query import QueryError

    query = " ".join(words)
    try:
        return [int(i) for i in library.search(query, sort=sort, descending=descending)]
    except QueryError as error:
        pointer = " " * error.start + "^" * max(1, error.end - error.start)
        remedy = f"\n{error.remedy}" if error.remedy else ""
        raise UsageError(f"{error.message}\n  {query}\n  {pointer}{remedy}") from error


def songs(
    library: Library, ids: Sequence[int]
) -> Iterator[tuple[Track, TrackEmotion, RelativeMood | None]]:
    """The songs of `ids` with their moods, absolute and within the library.

    Read in parts so that memory stays bounded.
    """
    for start in range(0, len(ids), _READ_AT_ONCE):
        tracks = library.tracks(ids[start : start + _READ_AT_ONCE])
        known = [track.id for track in tracks]
        within = library.index.relative_of(known)
        yield from zip(tracks, library.emotions(known), map(within.get, known), strict=True)


def _print_json(library: Library, ids: Sequence[int]) -> None:
    before = "["
    for song in songs(library, ids):
        out(before + dump_json(track_to_json(*song)), end="")
        before = ",\n "
    out("]" if before != "[" else "[]")


def _print_table(library: Library, ids: Sequence[int], *, relative: bool) -> None:
    wide = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else None
    moods = dict.fromkeys(QUADRANTS, 0)
    if ids and sys.stdout.isatty():
        out(f"{'mood':14} {'val.':>5} {'aro.':>5} sure  song")
    for track, emotion, within in songs(library, ids):
        place = within if relative else None
        quadrant = place.quadrant if place is not None else emotion.quadrant
        if quadrant is not None:
            moods[quadrant] += 1
        line = _line(track, emotion, place)
        out(line if wide is None or len(line) <= wide else line[: wide - 1] + "…")
    if ids:
        told = "  ".join(f"{quadrant.label} {count}" for quadrant, count in moods.items())
        message(f"{len(ids)} songs: {told}")


def _mood(emotion: TrackEmotion) -> str:
    """ "Calm", "Calm or Sad" where that is what the model can say, "Unsure" where even less."""
    open_ = emotion.open
    if emotion.quadrant is None or not open_.possible:
        return "-" if emotion.quadrant is None else emotion.quadrant.label
    return " or ".join(q.label for q in open_.possible) if open_.tells else "Unsure"


def _line(track: Track, emotion: TrackEmotion, relative: RelativeMood | None) -> str:
    chosen = emotion.effective
    if chosen is None:
        mood = f"{'failed' if track.error else '-':14} {'':5} {'':5} {'':4}"
    elif relative is not None:
        mood = (
            f"{relative.quadrant.label:14} {relative.valence:4.0f}% {relative.arousal:4.0f}% "
            f"{chosen.confidence:4.2f}"
        )
    else:
        point = chosen.mood
        mood = (
            f"{_mood(emotion):14} {point.valence:+5.2f} {point.arousal:+5.2f} "
            f"{chosen.confidence:4.2f}"
        )
    artist = f"{track.artist} - " if track.artist else ""
    album = f"  [{track.album}]" if track.album else ""
    return f"{mood}  {clean(artist + track.title + album)}"
