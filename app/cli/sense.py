"""`undertone sense`: live emotion from a wristband, a replay or a simulation."""

from __future__ import annotations

import argparse
import asyncio
import math
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.console import UsageError, clean, dump_json, message, out
from app.cli.interrupt import Interrupt
from inference.emotion import QUADRANTS, EmotionEstimate
from inference.errors import UndertoneError

if TYPE_CHECKING:
    from app.keeper import Keeper
    from app.sensing import Ended
    from app.session import Rater, Sensed
    from app.wristband.source import SignalSource, SourceStatus

__all__ = ["add_parser", "row", "run"]

_EPILOG = """\
examples:
  undertone sense --source simulated --seconds 60 --jsonl -
  undertone sense --source ble --virtual               a band without hardware
  undertone sense --source ble --device C0:FF:EE:00:00:01 --record ~/recordings
  undertone sense --source replay --file E4_export.zip --speed max --jsonl felt.jsonl
  undertone sense --source replay --file hku1915/EDA/0_77934.csv --speed max --jsonl -
  undertone sense --source lsl --song song.mp3

The first estimate comes once there are 10 s of unbroken signal, then one every 0.35 s; before,
and whenever the signals are too bad, `quadrant` is null and `reason` says why. `quadrant` is the
most probable one, however slightly: `confidence` says how sure that is, and `shown` stays null
until one is clear. Each listener's scale is learned from the first two minutes."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "sense",
        description="Live sensor mode without a window: one estimate every 0.35 s.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--source", choices=("simulated", "replay", "ble", "lsl"), required=True)
    parser.add_argument(
        "--device", metavar="ADDR", help="the band's address, or the stream's name with lsl"
    )
    parser.add_argument("--virtual", action="store_true", help="with ble: start a virtual band")
    parser.add_argument(
        "--file",
        metavar="F",
        type=Path,
        help="with replay: a recording of ours or its export, an Empatica E4 export, an HKU956 "
        "listening or listener, a CSV table (t_s, gsr_uS, ppg), an EDF+ or BDF+ file",
    )
    parser.add_argument("--song", metavar="F", type=Path, help="the song that plays: its own mood")
    parser.add_argument("--seconds", metavar="N", type=_positive, help="end after N s of signal")
    parser.add_argument("--record", metavar="DIR", type=Path, help="keep the raw signals in DIR")
    parser.add_argument("--jsonl", metavar="FILE", help="one JSON object an estimate; - for stdout")
    parser.add_argument(
        "--speed",
        metavar="X",
        type=_speed,
        default=1.0,
        help="of a replay or a simulation against real time; max: every hop, as fast as it goes",
    )
    parser.add_argument(
        "--preset",
        choices=("demo", "real"),
        default="demo",
        help="how strongly the simulated listener feels (default: demo)",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the simulation")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0.0):
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def _speed(text: str) -> float:
    return math.inf if text == "max" else _positive(text)


def run(args: argparse.Namespace) -> int:
    _check(args)
    rater = _rater(args.home.models_dir)
    prior = _prior(args.song, args.home.models_dir)
    with Interrupt() as interrupt:
        try:
            return asyncio.run(_sense(args, rater, prior, interrupt))
        finally:
            if interrupt.requested:
                message("undertone: interrupted")


def _check(args: argparse.Namespace) -> None:
    """Refuse what cannot be meant."""
    if args.source == "replay" and args.file is None:
        raise UsageError("a replay needs a file", "Name it with --file F.")
    if args.source != "replay" and args.file is not None:
        raise UsageError("--file goes with --source replay")
    if args.virtual and args.source != "ble":
        raise UsageError("--virtual goes with --source ble")
    if args.virtual and args.device is not None:
        raise UsageError("--virtual starts a band of its own: --device names another")
    if args.device is not None and args.source not in ("ble", "lsl"):
        raise UsageError(f"--device does not go with --source {args.source}")
    if args.speed != 1.0 and args.source not in ("replay", "simulated"):
        raise UsageError("only a replay or a simulation can run at another speed")
    if args.seed < 0:
        raise UsageError("--seed must not be below 0")
    if args.source == "simulated" and args.seconds is None and math.isinf(args.speed):
        raise UsageError("a simulation without --seconds never ends at --speed max")


def _rater(models_dir: Path) -> Rater | None:
    from app.personal_band import own_classifier
    from inference.catalog import CatalogError
    from inference.sensor_runtime import SENSOR_MODEL, SensorClassifier

    try:
        return own_classifier(SensorClassifier.load(models_dir=models_dir), models_dir)
    except CatalogError as error:
        message(f"no emotion: {clean(str(error))} (model {SENSOR_MODEL})")
        return None


def _prior(song: Path | None, models_dir: Path) -> EmotionEstimate | None:
    if song is None:
        return None
    from inference.runtime import MusicClassifier

    estimate = MusicClassifier.load(models_dir=models_dir).classify(song).estimate
    message(f"song: {estimate.quadrant.label} ({estimate.confidence:.0%} sure)")
    return estimate


async def _sense(
    args: argparse.Namespace,
    rater: Rater | None,
    prior: EmotionEstimate | None,
    interrupt: Interrupt,
) -> int:
    import time

    from app.keeper import Keeper
    from app.sensing import DemoListener, Watch, provenance_text, run_session

    keeper: Keeper | None = None
    if args.record is not None:
        keeper = Keeper(args.record.expanduser(), args.source, time.monotonic)
        keeper.check()
    listener = None
    if args.source == "simulated" or args.virtual:
        mood = prior.quadrant if prior is not None else None
        listener = DemoListener(args.preset, args.seed, mood)
    async with AsyncExitStack() as stack:
        source = await _source(args, listener, keeper, stack)
        if keeper is not None:
            keeper.meta.setdefault("name", source.name)
            keeper.meta["provenance"] = source.provenance.value
        message(f"listening to {clean(source.name)}: {provenance_text(source.provenance)}")
        printer = _Printer(args.jsonl, source, listener)
        with closing(printer):
            watch = Watch(printer.sensed, printer.status, lambda: interrupt.requested)
            ended = await run_session(
                source,
                rater,
                watch,
                prior=prior,
                keeper=keeper,
                seconds=args.seconds,
                speed=args.speed,
            )
    return _end(ended, source, keeper, printer, interrupt.requested)


async def _source(
    args: argparse.Namespace,
    listener: Any,
    keeper: Keeper | None,
    stack: AsyncExitStack,
) -> SignalSource:
    if args.source == "simulated":
        from app.wristband.simulated import SimulatedSource

        return SimulatedSource(listener, seconds=args.seconds, speed=args.speed)
    if args.source == "replay":
        from app.wristband.replay import ReplayError, ReplaySource

        if not args.file.expanduser().exists():
            raise ReplayError(f"there is no {args.file}", "Name a file or folder that exists.")
        return ReplaySource(args.file.expanduser(), speed=args.speed)
    if args.source == "lsl":
        from app.wristband.lsl import LslSource

        return LslSource(args.device or "")
    from app.sensing import SeveralDevices, band_source, choose_device, virtual_band
    from app.wristband.radio import OWN_RADIO

    radio = await stack.enter_async_context(virtual_band(listener)) if args.virtual else OWN_RADIO
    message("looking for a band ...")
    try:
        device = await choose_device(radio, args.device, scan_s=1.0 if args.virtual else 8.0)
    except SeveralDevices as error:
        raise UsageError(str(error)) from error
    return band_source(device, radio, keeper=keeper)


class _Printer:
    """States and reasons to stderr when they change, estimates to the JSON file or to people."""

    def __init__(self, jsonl: str | None, source: SignalSource, listener: Any) -> None:
        self._source = source
        self._listener = listener
        self._last = ""
        # A source that has not begun is stopped: nothing to tell.
        self._before = source.status
        self._write: Callable[[str], None] | None = None
        self._file: Any = None
        self.spoken = self.abstained = 0
        self._sum = [0.0] * len(QUADRANTS)
        if jsonl == "-":
            self._write = out
        elif jsonl is not None:
            try:
                self._file = Path(jsonl).expanduser().open("w", encoding="utf-8")
            except OSError as error:
                raise UndertoneError(
                    f"{jsonl} cannot be written ({error.strerror})", "Name another file."
                ) from error
            self._write = self._to_file

    def _to_file(self, line: str) -> None:
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            raise UndertoneError(
                f"the output cannot be written ({error.strerror})", "Is the disk full?"
            ) from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def status(self, status: SourceStatus) -> None:
        if status == self._before:
            return
        self._before = status
        text = status.state.value
        if status.reason is not None:
            text += f" ({status.reason.value})"
        message(clean(f"{text}: {status.text}" if status.text else text))

    def sensed(self, sensed: Sensed, latency_s: float) -> None:
        if sensed.quadrant is None:
            self.abstained += 1
        else:
            self.spoken += 1
            assert sensed.estimate is not None
            pairs = zip(self._sum, sensed.estimate.probabilities, strict=True)
            self._sum = [a + b for a, b in pairs]
        truth = self._listener.truth if self._listener is not None else None
        if self._write is not None:
            shown = row(sensed, latency_s, self._source.provenance.value)
            if truth is not None:
                shown["truth"] = truth.value
            self._write(dump_json(shown))
        self._tell(sensed)

    @property
    def average(self) -> str:
        """The mean of all estimates, for people; empty where there was none."""
        shares = zip(QUADRANTS, self._sum, strict=True)
        ranked = sorted(shares, key=lambda pair: -pair[1])
        if not self.spoken:
            return ""
        return ", ".join(f"{q.label} {100 * total / self.spoken:.0f} %" for q, total in ranked)

    def _tell(self, sensed: Sensed) -> None:
        """One line for people where something changed."""
        if sensed.reason is not None:
            # "collecting" counts up: once is enough.
            text = sensed.text if sensed.reason.value != "collecting" else "collecting signal"
            key = sensed.reason.value if sensed.reason.value == "no_signal" else text
            line = f"no estimate: {text}"
        else:
            key = line = sensed.shown.label if sensed.shown else "listening: nothing clear yet"
            if sensed.text:
                line += f" ({sensed.text})"
        if key != self._last:
            self._last = key
            message(f"{sensed.t_s:7.1f} s  {clean(line)}")


def row(sensed: Sensed, latency_s: float, provenance: str) -> dict[str, Any]:
    """One line of ``--jsonl``.

    Returns
    -------
    dict
        t_s; quadrant, null where it abstains, with reason and text;
        probabilities, valence, arousal, confidence, null where there are
        none; quality 0..1 and channels {gsr, ppg: {score, issues}}; shown
        (the steady quadrant); heart_rate_bpm; signals that spoke; model;
        lost samples a channel and dropped estimates so far; latency_ms;
        provenance.
    """
    estimate, mood = sensed.estimate, sensed.estimate.mood if sensed.estimate else None
    rate = sensed.heart_rate_bpm
    return {
        "t_s": round(sensed.t_s, 3),
        "quadrant": sensed.quadrant.value if sensed.quadrant else None,
        "reason": sensed.reason.value if sensed.reason else None,
        "text": sensed.text,
        "probabilities": None
        if estimate is None
        else {q.value: round(p, 6) for q, p in zip(QUADRANTS, estimate.probabilities, strict=True)},
        "valence": None if mood is None else round(mood.valence, 6),
        "arousal": None if mood is None else round(mood.arousal, 6),
        "confidence": None if estimate is None else round(estimate.confidence, 6),
        "shown": sensed.shown.value if sensed.shown else None,
        "quality": sensed.score,
        "channels": {
            channel.value: {"score": q.score, "issues": [issue.value for issue in q.issues]}
            for channel, q in sensed.quality.items()
        },
        "heart_rate_bpm": None if rate is None else round(rate, 1),
        "signals": sorted(channel.value for channel in sensed.signals),
        "model": None if estimate is None else estimate.model_id,
        "lost": sensed.lost,
        "dropped": sensed.dropped,
        "latency_ms": round(1000.0 * latency_s, 1),
        "provenance": provenance,
    }


def _end(
    ended: Ended, source: SignalSource, keeper: Keeper | None, printer: _Printer, stopped: bool
) -> int:
    from app.cli.dispatch import EXIT_FAILED, EXIT_INTERRUPTED
    from app.wristband.source import Reason

    c = ended.counters
    message(
        f"{printer.spoken} estimates, {printer.abstained} abstentions, {ended.dropped} dropped; "
        f"{c.samples} samples a channel, {c.lost} lost, {c.duplicate} duplicate, "
        f"{c.reordered} reordered, {c.corrupt} corrupt, {c.reconnects} reconnects"
    )
    if printer.average:
        message(f"on average: {printer.average}")
    failed = ended.status.reason not in (None, Reason.FINISHED)
    damage = getattr(source, "damage", "")
    if damage:
        message(f"the file is damaged: {clean(damage)}")
    if keeper is not None:
        if keeper.folder is not None:
            message(f"recording: {clean(keeper.folder)}")
        if keeper.fault is not None:
            message(f"undertone: {clean(str(keeper.fault))}")
            failed = True
    if stopped:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if failed or damage else 0
