"""Hearing labelled clips with the published networks: weights, export, what is kept of a clip."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly
from torch import Tensor, nn

from inference.audio.decode import decode_blocks
from inference.audio.excerpts import EXCERPT_CELLS
from inference.datasets import MusicSet
from inference.errors import UndertoneError
from inference.job import Job, Progress
from inference.models.musicnn import CELL_FRAMES, N_MELS, Musicnn
from inference.pipelines.undertone import Extractor
from inference.runtime import open_network
from inference.training.export import export_network
from inference.training.music_best_checkpoint import read_checkpoint
from inference.training.music_best_folds import Material
from inference.training.music_best_head import Clips
from inference.training.music_best_int8 import eight_bit_banks
from inference.training.music_best_sounds import no_music
from inference.training.music_revoiced import BAND, ONE_PLAYER, revoiced

__all__ = [
    "REVOICED",
    "VARIED",
    "WHEEL_SHA256",
    "Variation",
    "export_networks",
    "hear_clips",
    "hear_material",
    "hear_no_music",
    "published_networks",
    "read_wheel",
]

WHEEL_SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
"""Of musicnn-0.1.0-py3-none-any.whl, where the published weights are (ISC licence)."""

_BLOCK = 1 << 16
_SPEEDS = (94, 96, 97, 103, 104, 106)  # per cent
_DRIVEN_DB = 9.0

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Variation:
    """Another way to hear the same clips.

    Parameters
    ----------
    name : str
        Names what is kept in the work folder: raised when `change` changes.
    change : callable (samples, number of the clip) -> samples
        16 kHz mono, float32.
    """

    name: str
    change: Callable[[Array, int], Array]


REVOICED = (
    Variation("revoiced-2-band", lambda x, number: revoiced(x, (2, number), BAND)),
    Variation("revoiced-2-one", lambda x, number: revoiced(x, (1, number), ONE_PLAYER)),
)
"""Each clip by other instruments, as dense as it is and as one player would; see
`inference.training.music_revoiced`."""


def _part(x: Array, number: int) -> Array:
    """A stretch of it, half to six sevenths of its length."""
    rng = np.random.default_rng((1, number))
    length = int(len(x) * rng.uniform(0.5, 0.85))
    start = int(rng.integers(0, len(x) - length + 1))
    return x[start : start + length]


def _driven(x: Array, number: int) -> Array:
    """Up to 6 % slower or faster, and as much as 9 dB over full scale, where it is cut."""
    rng = np.random.default_rng((2, number))
    speed = int(rng.choice(_SPEEDS))
    y = resample_poly(x, 100, speed).astype(np.float32)
    gain = 10.0 ** (rng.uniform(0.0, _DRIVEN_DB) / 20.0) / max(float(np.abs(y).max()), 1e-3)
    cut: Array = np.clip(y * gain, -1.0, 1.0).astype(np.float32)
    return cut


VARIED = (Variation("part-1", _part), Variation("driven-1", _driven))
"""As a clip may be heard otherwise, for learning not to mind."""


def read_wheel(wheel: Path, name: str) -> dict[str, NDArray[np.float32]]:
    """Weights `name` ("MSD_musicnn" or "MTT_musicnn") out of the published wheel.

    Raises
    ------
    UndertoneError
        If it is not that wheel.
    """
    try:
        content = wheel.read_bytes()
    except OSError as error:
        raise UndertoneError(
            f"{wheel} cannot be read: {error.strerror}",
            "Fetch it with: pip download --no-deps musicnn==0.1.0",
        ) from error
    if hashlib.sha256(content).hexdigest() != WHEEL_SHA256:
        raise UndertoneError(
            f"{wheel.name} is not the wheel of musicnn 0.1.0",
            "Fetch it with: pip download --no-deps musicnn==0.1.0",
        )
    with zipfile.ZipFile(wheel) as archive:
        folder = f"musicnn/{name}"
        return read_checkpoint(
            archive.read(f"{folder}/.index"), archive.read(f"{folder}/.data-00000-of-00001")
        )


class _Tagger(nn.Module):
    """Only what the pipeline reads of MTT_musicnn."""

    def __init__(self, network: Musicnn) -> None:
        super().__init__()
        self.network = network

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        said = self.network(mel)
        return said.penultimate, said.tags


def export_networks(
    msd: Mapping[str, NDArray[np.float32]], mtt: Mapping[str, NDArray[np.float32]], folder: Path
) -> dict[str, Path]:
    """Write ``msd.onnx`` (10 cells) and ``mtt.onnx`` (one).

    The weights are as published, those of the first layer rounded to 8 bits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {"msd": folder / "msd.onnx", "mtt": folder / "mtt.onnx"}
    long, short = Musicnn(msd, EXCERPT_CELLS), Musicnn(mtt, 1)
    export_network(
        long,
        [torch.zeros(EXCERPT_CELLS * CELL_FRAMES, N_MELS)],
        paths["msd"],
        ["mel"],
        ["pooled", "penultimate", "tags"],
        {},
    )
    export_network(
        _Tagger(short),
        [torch.zeros(CELL_FRAMES, N_MELS)],
        paths["mtt"],
        ["mel"],
        ["penultimate", "tags"],
        {},
    )
    for path in paths.values():
        eight_bit_banks(path)
    return paths


def published_networks(wheel: Path, folder: Path) -> dict[str, Path]:
    """`export_networks` of the published weights.

    Raises
    ------
    UndertoneError
        If `wheel` is another one.
    """
    return export_networks(
        read_wheel(wheel, "MSD_musicnn"), read_wheel(wheel, "MTT_musicnn"), folder
    )


def hear_clips(
    data: MusicSet, networks: Mapping[str, Path], work: Path, variation: Variation | None = None
) -> Job[Clips]:
    """What the pipeline hears in every clip, kept in `work`, one file a clip."""
    key = hashlib.sha256(b"".join(p.read_bytes() for _, p in sorted(networks.items())))
    kind = f"-{variation.name}" if variation else ""
    folder = work / f"heard-{key.hexdigest()[:12]}{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    extract = Extractor(open_network(networks["msd"]), open_network(networks["mtt"]))
    segments, songs = [], []
    for number, clip in enumerate(data.clips):
        path = folder / f"{clip.clip_id}.npz"
        if not path.exists():
            with decode_blocks(clip.path) as blocks:
                heard = extract(_changed(blocks, number, variation) if variation else blocks)
            part = path.with_suffix(".part.npz")
            np.savez(part, segments=heard.segments, song=heard.song)
            part.replace(path)
        with np.load(path) as arrays:
            segments.append(arrays["segments"])
            songs.append(arrays["song"])
        yield Progress(number + 1, len(data.clips), clip.clip_id)
    return Clips.of(segments, songs, [int(label) for label in data.labels])


def hear_material(
    data: MusicSet,
    networks: Mapping[str, Path],
    work: Path,
    varied: Sequence[Variation] = VARIED,
) -> Job[Material]:
    """All that the default model learns from: the clips as they are, revoiced and `varied`."""
    plain = yield from hear_clips(data, networks, work)
    others = []
    for variation in (*REVOICED, *varied):
        others.append((yield from hear_clips(data, networks, work, variation)))
    return Material(plain, tuple(others[: len(REVOICED)]), tuple(others[len(REVOICED) :]))


def _changed(blocks: Iterable[Array], number: int, variation: Variation) -> Iterator[Array]:
    changed = variation.change(np.concatenate(list(blocks)), number)
    for start in range(0, len(changed), _BLOCK):
        yield changed[start : start + _BLOCK]


def hear_no_music(networks: Mapping[str, Path], count: int = 240) -> NDArray[np.float32]:
    """Song vectors of made-up noises and voices, shape (count, k)."""
    extract = Extractor(open_network(networks["msd"]), open_network(networks["mtt"]))
    return np.stack([extract([x]).song for x in no_music(count)])
