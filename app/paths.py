"""Where the program keeps what it stores: one folder (`--home`) or the platform's own places."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from inference.errors import UndertoneError

__all__ = ["HOME_VARIABLE", "Home", "home"]

HOME_VARIABLE = "UNDERTONE_HOME"
_APP_NAME = "undertone"


@dataclass(frozen=True, slots=True)
class Home:
    """The places of one installation. Nothing is created before `prepare` is called.

    Parameters
    ----------
    folder : Path
        What `--home` named, or the platform's data folder.
    settings_file : Path
        TOML, see `app.settings`.
    library_dir : Path
        Holds ``library.sqlite3``.
    models_dir : Path
        Models that the user installed or trained, one folder each.
    recordings_dir, log_dir : Path
        Sensor recordings; logs.
    """

    folder: Path
    settings_file: Path
    library_dir: Path
    models_dir: Path
    recordings_dir: Path
    log_dir: Path

    @property
    def undo_dir(self) -> Path:
        """What takes back the tags that were written into files, one file a run."""
        return self.folder / "undo"

    def prepare(self) -> Home:
        """Create the folders, readable by their owner alone, and return self.

        Raises
        ------
        UndertoneError
            If a folder cannot be made or is not writable.
        """
        for folder in (self.folder, self.settings_file.parent, self.library_dir):
            _make_private(folder)
        return self


def home(override: str | Path | None = None) -> Home:
    """The home that `override`, else ``UNDERTONE_HOME``, else the platform says.

    Parameters
    ----------
    override : str or Path, optional
        What ``--home`` was given; ``~`` is expanded, a relative path is taken from here.

    Raises
    ------
    UndertoneError
        If the named place exists and is not a folder.
    """
    named = override if override is not None else os.environ.get(HOME_VARIABLE) or None
    if named is None:
        return _platform_home()
    if not str(named):
        raise UndertoneError(
            "--home was given an empty name", "Write a folder, for instance --home ~/undertone"
        )
    folder = Path(os.path.abspath(Path(named).expanduser()))  # noqa: PTH100 (keeps symlinks)
    if folder.exists() and not folder.is_dir():
        raise UndertoneError(f"the home {folder} is not a folder", "Name a folder with --home DIR")
    return Home(
        folder=folder,
        settings_file=folder / "settings.toml",
        library_dir=folder,
        models_dir=folder / "models",
        recordings_dir=folder / "recordings",
        log_dir=folder / "logs",
    )


def _platform_home() -> Home:
    import platformdirs

    dirs = platformdirs.PlatformDirs(_APP_NAME, appauthor=False)
    data = Path(dirs.user_data_path)
    return Home(
        folder=data,
        settings_file=Path(dirs.user_config_path) / "settings.toml",
        library_dir=data,
        models_dir=data / "models",
        recordings_dir=data / "recordings",
        log_dir=Path(dirs.user_log_path),
    )


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UndertoneError(
            f"cannot create the folder {folder} ({error.strerror})",
            "Name another one with --home DIR",
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UndertoneError(
            f"the folder {folder} is not writable", "Name another one with --home DIR"
        )
