"""Put Undertone into the applications' menu of this user, or take it out again (--remove).

Writes the desktop file, the icons and the metainfo below the user's data folder (XDG_DATA_HOME,
else ~/.local/share); the desktop file starts the program of this checkout. `make menu` does it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
APP_ID = "io.github.undertone.Undertone"
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)


def data_home() -> Path:
    given = os.environ.get("XDG_DATA_HOME", "")
    return Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "share"


def files(data: Path) -> dict[Path, Path]:
    """Each file to be there, and the file of the checkout that it is made from."""
    icons = data / "icons" / "hicolor"
    pictures = ROOT / "resources" / "icons"
    found = {
        data / "applications" / f"{APP_ID}.desktop": ROOT / "packaging" / f"{APP_ID}.desktop",
        data / "metainfo" / f"{APP_ID}.metainfo.xml": ROOT / "packaging" / f"{APP_ID}.metainfo.xml",
        icons / "scalable" / "apps" / f"{APP_ID}.svg": pictures / "undertone.svg",
        icons / "symbolic" / "apps" / f"{APP_ID}-symbolic.svg": pictures / "undertone-symbolic.svg",
    }
    for size in SIZES:
        place = icons / f"{size}x{size}" / "apps" / f"{APP_ID}.png"
        found[place] = pictures / "app" / f"undertone-{size}.png"
    return found


def desktop_text(source: Path, program: Path) -> str:
    """The desktop file with the whole path of the program, quoted as its format asks."""
    path = str(program)
    for character in '\\"`$':
        path = path.replace(character, f"\\\\{character}" if character != "\\" else "\\\\\\\\")
    text = source.read_text("utf-8").replace("Exec=undertone ", f'Exec="{path}" ')
    return text.replace("TryExec=undertone\n", f"TryExec={program}\n")


def install(data: Path, program: Path) -> list[Path]:
    """Write all files; returns them."""
    found = files(data)
    for target, source in found.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".desktop":
            target.write_text(desktop_text(source, program), "utf-8")
        else:
            shutil.copyfile(source, target)
    return list(found)


def remove(data: Path) -> list[Path]:
    """Delete what `install` wrote; returns what was there."""
    there = [target for target in files(data) if target.exists()]
    for target in there:
        target.unlink()
    return there


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--remove", action="store_true", help="take it out of the menu")
    args = parser.parse_args(argv)
    data, program = data_home(), Path(sys.executable).with_name("undertone")
    done = remove(data) if args.remove else install(data, program)
    update = shutil.which("update-desktop-database")
    if update is not None:
        subprocess.run([update, str(data / "applications")], check=False, capture_output=True)
    print(f"undertone: {'removed' if args.remove else 'wrote'} {len(done)} files below {data}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
