"""A training at a time, and what an interrupted one had found out."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from app.personal_models import PersonalModelError, PersonalModels, write_atomically

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["TrainingLock", "Unfinished"]

_LOCK_FILE = "training.lock"
_UNFINISHED = "unfinished"


class TrainingLock:
    """Held while a model is trained or forgotten: one at a time, gone when the process is.

    Raises
    ------
    PersonalModelError
        On entering, if another process holds it.
    """

    def __init__(self, models: PersonalModels) -> None:
        self._path = models.folder / _LOCK_FILE
        self._file: Any = None

    def __enter__(self) -> TrainingLock:
        try:
            import fcntl
        except ImportError:  # no such locks on this system: then nobody is kept out
            return self
        # No lock where the folder cannot be made: nothing can be trained there either.
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = self._path.open("ab")
        if self._file is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                self._file.close()
                raise PersonalModelError(
                    "your model is being trained at this moment",
                    "Wait until that has ended, or cancel it",
                ) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


class Unfinished(MutableMapping[str, "NDArray[np.float64]"]):
    """What an interrupted training had found out, in files beside the versions.

    What was found out about other words than these is deleted. A file that cannot be written is
    left out: it only saves time.

    Parameters
    ----------
    models : PersonalModels
    words : str
        Digest of everything that is learned from.
    """

    def __init__(self, models: PersonalModels, words: str) -> None:
        self._all = models.folder / _UNFINISHED
        self._folder = self._all / words

    def begin(self) -> None:
        """Delete what is of other words."""
        with suppress(OSError):
            for other in self._all.iterdir():
                if other != self._folder:
                    shutil.rmtree(other, ignore_errors=True)

    def done(self) -> None:
        """Delete it all: the training has come to its end."""
        shutil.rmtree(self._all, ignore_errors=True)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        import numpy as np

        try:
            found = np.load(self._folder / f"{name}.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise KeyError(name) from error
        if found.dtype != np.float64 or not np.isfinite(found).all():
            raise KeyError(name)
        return np.asarray(found, np.float64)

    def __setitem__(self, name: str, value: NDArray[np.float64]) -> None:
        import numpy as np

        file = io.BytesIO()
        np.save(file, value)
        with suppress(PersonalModelError):
            write_atomically(self._folder / f"{name}.npy", file.getvalue())

    def __delitem__(self, name: str) -> None:
        (self._folder / f"{name}.npy").unlink()

    def __iter__(self) -> Iterator[str]:
        with suppress(OSError):
            yield from sorted(path.stem for path in self._folder.glob("*.npy"))

    def __len__(self) -> int:
        return sum(1 for _ in self)
