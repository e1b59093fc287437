"""`make run`: open the player on MUSIC, or on the demo library; without a display print its moods.

The demo has a home of its own, `.demo/` in the checkout, so that it never mixes with your library.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UNDERTONE = [sys.executable, "-m", "app"]


def main() -> int:
    music = os.environ.get("MUSIC", "").strip()
    if music:
        folder = Path(music).expanduser()
        home: list[str] = []
        if not folder.exists():
            print(f"undertone: there is no folder {folder}. Check MUSIC=...", file=sys.stderr)
            return 2
    else:
        folder = ROOT / ".demo" / "music"
        home = ["--home", str(ROOT / ".demo" / "home")]
    try:
        if not music:
            make_demo(folder)
        if has_display():
            return run([*UNDERTONE, *home, "--music", str(folder)])
        print(
            "undertone: no display, so the library is tagged and its moods are listed here.",
            flush=True,
        )
        code = run([*UNDERTONE, *home, "tag", str(folder)])
        if code in (0, 1):
            run([*UNDERTONE, *home, "list"])
        return code
    except KeyboardInterrupt:
        return 130


def make_demo(folder: Path) -> None:
    from app.demo import PIECES, make_demo_library, song_path

    for number, piece in enumerate(PIECES, start=1):
        if not song_path(folder, piece).exists():
            place = f"{number} of {len(PIECES)}"
            print(f"undertone: composing the demo library, {place}: {piece.title}", flush=True)
            # What is there already is skipped, so one more at a time is as quick as all at once.
            make_demo_library(folder, limit=number)


def run(command: list[str]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def has_display() -> bool:
    """Whether an X11 or Wayland server answers; a stale DISPLAY would abort Qt without a word."""
    if os.environ.get("QT_QPA_PLATFORM"):
        return True
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    wayland = os.environ.get("WAYLAND_DISPLAY", "")
    if wayland and answers(socket.AF_UNIX, str(Path(runtime) / wayland)):
        return True
    host, colon, number = os.environ.get("DISPLAY", "").rpartition(":")
    number = number.partition(".")[0]
    if not (colon and number.isdigit()):
        return False
    if host in ("", "unix"):
        local = f"/tmp/.X11-unix/X{number}"
        return answers(socket.AF_UNIX, local) or answers(socket.AF_UNIX, "\0" + local)
    return answers(socket.AF_INET, (host, 6000 + int(number)))


def answers(family: socket.AddressFamily, address: object) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(1.0)
            client.connect(address)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
