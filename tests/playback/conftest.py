"""A player under test with its events: in real time (libVLC) or virtual time (the silent one)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from app.playback.backend import PlaybackBackend, PlaybackEvent, PlaybackState, Post, StateChanged
from app.playback.clock import VirtualClock
from app.playback.null_backend import NullBackend

LIMIT_S = 15.0
STEP_S = 0.05


class Player:
    """A back end, the events that came so far, and waiting for one: no sleeping."""

    def __init__(
        self, build: Callable[[Post], PlaybackBackend], clock: VirtualClock | None = None
    ) -> None:
        self._inbox: SimpleQueue[PlaybackEvent] = SimpleQueue()
        self._clock = clock
        self.events: list[PlaybackEvent] = []
        self.backend = build(self._inbox.put)

    def wait(
        self, wanted: Callable[[PlaybackEvent], bool], limit_s: float = LIMIT_S
    ) -> PlaybackEvent:
        """The next event that is `wanted`; those before it are kept in `events`."""
        deadline = time.monotonic() + limit_s
        virtual_left_s = 3600.0
        while True:
            try:
                if self._clock is None:
                    event = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
                else:
                    event = self._inbox.get_nowait()
            except Empty:
                if self._clock is not None and virtual_left_s > 0.0:
                    self._clock.advance(STEP_S)
                    virtual_left_s -= STEP_S
                    continue
                raise AssertionError(f"not posted in time; so far: {self.events}") from None
            self.events.append(event)
            if wanted(event):
                return event

    def wait_state(self, state: PlaybackState, load_id: int | None = None) -> StateChanged:
        event = self.wait(
            lambda e: (
                isinstance(e, StateChanged) and e.state is state and load_id in (None, e.load_id)
            )
        )
        assert isinstance(event, StateChanged)
        return event

    def wait_position(self, at_least_s: float) -> float:
        """Let time pass until the position is `at_least_s`; fail if it goes backwards."""
        deadline = time.monotonic() + LIMIT_S
        last_s = self.backend.position_s
        while last_s < at_least_s:
            assert time.monotonic() < deadline, f"the position stays at {last_s}"
            self.pass_time(STEP_S / 2)
            position_s = self.backend.position_s
            assert position_s >= last_s
            last_s = position_s
        return last_s

    def pass_time(self, seconds: float) -> None:
        """Let time pass, by the clock or for real, collecting what is posted meanwhile."""
        if self._clock is not None:
            self._clock.advance(seconds)
        deadline = time.monotonic() + (0.0 if self._clock is not None else seconds)
        while True:
            try:
                self.events.append(self._inbox.get(timeout=max(1e-6, deadline - time.monotonic())))
            except Empty:
                return

    def states(self, load_id: int) -> list[PlaybackState]:
        return [
            e.state for e in self.events if isinstance(e, StateChanged) and e.load_id == load_id
        ]


def build_vlc(post: Post) -> PlaybackBackend:
    from app.playback.vlc_backend import VlcBackend

    return VlcBackend(post, options=["--aout=dummy"])


@pytest.fixture
def vlc_player() -> Iterator[Player]:
    player = Player(build_vlc)
    yield player
    assert player.backend.close(timeout_s=5.0)


@pytest.fixture
def null_player() -> Iterator[Player]:
    clock = VirtualClock()
    player = Player(lambda post: NullBackend(post, clock, duration_of=probe_with_soundfile), clock)
    yield player
    assert player.backend.close()


@pytest.fixture(params=["vlc", "null"])
def player(request: pytest.FixtureRequest) -> Player:
    found: Player = request.getfixturevalue(f"{request.param}_player")
    return found


def probe_with_soundfile(path: Path) -> float:
    import soundfile

    from inference.errors import UndertoneError

    try:
        with path.open("rb") as file:
            return float(soundfile.info(file).duration)
    except soundfile.LibsndfileError as error:
        raise UndertoneError("There is no sound in it") from error
