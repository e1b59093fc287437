"""Through a codec and back, for tests of how little a model minds what files go through."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from inference.audio.decode import decode_blocks

__all__ = ["Codec", "recoded"]

_FS_HZ = 16_000
_FRAME = 1152


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoding.

    Parameters
    ----------
    name : str
        FFmpeg's, such as "libmp3lame" or "libopus".
    suffix : str
        Of a file that holds it.
    rate_hz : int
    bit_rate : int, optional
        Bits a second; None for what is not compressed.
    """

    name: str
    suffix: str
    rate_hz: int
    bit_rate: int | None = None


def recoded(x: NDArray[np.float32], codec: Codec) -> NDArray[np.float32]:
    """`x`, shape (n,), 16 kHz mono, encoded, decoded and brought to 16 kHz again."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"clip{codec.suffix}"
        _encode(x, codec, path)
        with decode_blocks(path) as blocks:
            return np.concatenate(list(blocks))


def _encode(x: NDArray[np.float32], codec: Codec, path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec.name, rate=codec.rate_hz, layout="mono")
        if codec.bit_rate is not None:
            stream.bit_rate = codec.bit_rate
        for start in range(0, len(x), _FRAME):
            part = np.ascontiguousarray(x[None, start : start + _FRAME])
            frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
            frame.sample_rate, frame.pts = _FS_HZ, start
            frame.time_base = Fraction(1, _FS_HZ)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
