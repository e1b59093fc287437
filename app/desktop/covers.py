"""Decodes a song cover to the size it is shown at, on a worker, whatever the picture holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QImage, QImageReader

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = ["load_cover"]

_MOST_BYTES = 40_000_000
_MOST_PIXELS = 100_000_000


def load_cover(library: Library, track_id: int, side: int) -> QImage | None:
    """The middle square of a song's cover.

    Parameters
    ----------
    side : int
        Of the square, px; a smaller picture is not blown up.

    Returns
    -------
    QImage or None
        None where there is no cover, or none that can be decoded.
    """
    data = library.cover(track_id)
    if not data or len(data) > _MOST_BYTES:
        return None
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid():
        if size.width() * size.height() > _MOST_PIXELS:
            return None
        if min(size.width(), size.height()) > side:
            fit = Qt.AspectRatioMode.KeepAspectRatioByExpanding
            reader.setScaledSize(size.scaled(side, side, fit))
    image = reader.read()
    if image.isNull():
        return None
    edge = min(image.width(), image.height())
    return image.copy((image.width() - edge) // 2, (image.height() - edge) // 2, edge, edge)
