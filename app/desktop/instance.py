"""Single instance: the first player of a home listens; a later start hands over its paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLockFile, QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.remote import MOST_BYTES, address, decode, encode

__all__ = ["InstanceServer"]


class InstanceServer(QObject):
    """Answers the messages of later starts and of `undertone control`.

    Parameters
    ----------
    home_folder : Path
        One player a home.
    answer : callable
        Called on the GUI thread with each message; returns the reply.
    """

    def __init__(
        self,
        home_folder: Path,
        answer: Callable[[dict[str, Any]], dict[str, Any]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._address = address(home_folder)
        self._answer = answer
        self._lock = QLockFile(self._address + ".lock")
        self._lock.setStaleLockTime(0)  # stale only when its process is gone
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def listen(self) -> bool:
        """Become the one player of this home; False where another one is."""
        if not self._lock.tryLock(100):
            return False
        QLocalServer.removeServer(self._address)  # left by one that was killed
        return self._server.listen(self._address)

    def close(self) -> None:
        self._server.close()
        self._lock.unlock()

    def _on_connection(self) -> None:
        while (connection := self._server.nextPendingConnection()) is not None:
            connection.setReadBufferSize(MOST_BYTES + 1)
            connection.readyRead.connect(lambda c=connection: self._on_ready(c))
            connection.disconnected.connect(connection.deleteLater)
            if connection.bytesAvailable():
                self._on_ready(connection)

    def _on_ready(self, connection: QLocalSocket) -> None:
        if not connection.canReadLine():
            if connection.bytesAvailable() > MOST_BYTES:
                connection.abort()
            return
        message = decode(bytes(connection.readLine().data()))
        if message is None:
            reply: dict[str, Any] = {"ok": False, "error": "not a JSON object on one line"}
        else:
            reply = self._answer(message)
        connection.write(encode(reply))
        connection.flush()
        connection.disconnectFromServer()
