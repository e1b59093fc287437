"""A PulseAudio server of a benchmark's own, with one sink that leads nowhere: `null`."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["pulse", "wait"]


@contextmanager
def pulse(folder: Path) -> Iterator[dict[str, str]]:
    """A sound server of our own with one sink that leads nowhere."""
    folder.mkdir(mode=0o700)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "PULSE_RUNTIME_PATH": str(folder),
                   "HOME": str(folder)}  # fmt: skip
    environment.pop("PULSE_SERVER", None)
    server = subprocess.Popen(
        ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
         "--load=module-native-protocol-unix", "--load=module-null-sink sink_name=null"],
        env=environment, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    before = {k: os.environ.get(k) for k in ("XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH")}
    os.environ.update({k: environment[k] for k in before})
    try:
        wait(lambda: (folder / "native").exists())
        yield environment
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        server.terminate()
        server.wait()


def wait(done: Callable[[], object], limit_s: float = 15.0) -> None:
    """Wait until `done()`, with an end."""
    until = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > until:
            raise TimeoutError("the sound server or the player did not start")
        time.sleep(0.05)
