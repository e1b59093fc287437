"""Covers of the demo library: circles on a gradient in the colours of the piece's mood, as PNG."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from app.demo.pieces import Piece
from inference.emotion import Quadrant

__all__ = ["paint_cover"]

SIZE_PX = 320
_COLOURS = {
    Quadrant.HAHV: ((250, 196, 73), (240, 112, 92)),
    Quadrant.HALV: ((178, 34, 52), (28, 16, 32)),
    Quadrant.LAHV: ((158, 214, 192), (70, 132, 166)),
    Quadrant.LALV: ((92, 108, 150), (24, 30, 54)),
}


def paint_cover(piece: Piece) -> bytes:
    """A square PNG of `SIZE_PX` pixels, the same for all pieces of one album."""
    rng = np.random.default_rng(zlib.crc32(f"{piece.artist} {piece.album}".encode()))
    top, bottom = (np.array(colour, dtype=np.float64) for colour in _COLOURS[piece.quadrant])
    y, x = np.mgrid[0:SIZE_PX, 0:SIZE_PX] / SIZE_PX
    slope = np.clip(y + 0.3 * (x - 0.5), 0.0, 1.0)[..., None]
    image = top * (1.0 - slope) + bottom * slope
    for _ in range(int(rng.integers(3, 7))):
        centre_x, centre_y = rng.uniform(0.1, 0.9, 2)
        radius = rng.uniform(0.08, 0.35)
        distance = np.hypot(x - centre_x, y - centre_y)
        # One pixel of soft edge.
        share = 0.35 * np.clip((radius - distance) * SIZE_PX, 0.0, 1.0)[..., None]
        colour = (top, bottom, np.array([255.0, 255.0, 255.0]))[int(rng.integers(3))]
        image = image * (1.0 - share) + colour * share
    return _png(np.clip(image, 0, 255).astype(np.uint8))


def _png(image: np.ndarray) -> bytes:
    """Encode an array of shape (height, width, 3), uint8."""
    height, width, _ = image.shape

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    # Filter 1 (difference to the left pixel) makes gradients small.
    rows[:, 0] = 1
    left = np.zeros_like(image)
    left[:, 1:] = image[:, :-1]
    rows[:, 1:] = (image - left).reshape(height, -1)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            chunk(b"IEND", b""),
        )
    )
