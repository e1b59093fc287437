"""The catalogue: finding models, trusting only what their cards describe."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference.catalog import (
    FRONT_ENDS,
    Calibration,
    CatalogError,
    ModelCard,
    ModelFile,
    faults,
    find,
    install,
    installed,
    resolve,
    store,
    write_model,
)
from tests.inference.runtime.tiny_models import tiny_card


@pytest.fixture(autouse=True)
def nothing_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shipped"
    monkeypatch.setattr(store, "shipped_dir", lambda: folder)
    return folder


def make(folder: Path, model_id: str = "tiny", version: str = "1.0", text: str = "net") -> Path:
    source = folder.parent / "made" / "net.onnx"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(text)
    write_model(replace(tiny_card(model_id), version=version), folder / model_id, {"head": source})
    return folder / model_id


def edit_card(folder: Path, **changes: Any) -> None:
    path = folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_written_model_is_found_and_verified(tmp_path: Path) -> None:
    folder = make(tmp_path / "models")
    model = find("tiny", tmp_path / "models")
    assert model.card.licence == "CC0-1.0"
    assert model.card.size_bytes == 3
    assert model.files == {"head": folder / "net.onnx"}
    assert [card.id for card in installed(tmp_path / "models")] == ["tiny"]
    assert faults(tmp_path / "models") == []


def test_a_card_survives_its_file() -> None:
    card = replace(
        tiny_card(),
        calibration=Calibration(0.8, ((0.3, 0.2), (0.9, 0.8))),
        config={"16": "energy replaces the lowest band", "17": [3, 64, 46]},
    )
    assert ModelCard.from_json(card.to_json()) == card


def test_without_models_the_error_says_what_to_do(tmp_path: Path) -> None:
    assert installed(tmp_path / "missing") == []
    with pytest.raises(CatalogError, match="no music model is installed") as caught:
        resolve(None, tmp_path)
    assert caught.value.remedy


def test_an_unknown_model_is_named_beside_those_there_are(tmp_path: Path) -> None:
    make(tmp_path / "models", "one")
    make(tmp_path / "models", "two")
    with pytest.raises(CatalogError, match="no model 'three'; installed: one, two"):
        resolve("three", tmp_path / "models")


def test_the_default_is_the_preferred_one_that_is_installed(tmp_path: Path) -> None:
    make(tmp_path / "models", "ms-sg-vgg19")
    assert resolve(None, tmp_path / "models").id == "ms-sg-vgg19"
    make(tmp_path / "models", "ms-sg-student")
    assert resolve(None, tmp_path / "models").id == "ms-sg-student"
    make(tmp_path / "models", "undertone-music")
    assert find(None, tmp_path / "models").card.id == "undertone-music"


def test_the_users_model_replaces_a_shipped_one_unless_it_is_older(
    tmp_path: Path, nothing_shipped: Path
) -> None:
    make(nothing_shipped, version="1.2")
    make(tmp_path / "models", version="1.10", text="newer")
    assert find("tiny", tmp_path / "models").card.version == "1.10"
    make(tmp_path / "models", version="1.1", text="older")
    assert find("tiny", tmp_path / "models").card.version == "1.2"


def test_a_changed_file_is_refused_although_its_size_is_right(tmp_path: Path) -> None:
    folder = make(tmp_path / "models")
    (folder / "net.onnx").write_text("evi")
    with pytest.raises(CatalogError, match=r"net\.onnx of model tiny is damaged") as caught:
        find("tiny", tmp_path / "models")
    assert "Install the model again" in str(caught.value)


def test_missing_and_truncated_files_are_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "models")
    (folder / "net.onnx").write_text("n")
    with pytest.raises(CatalogError, match="has 1 bytes in place of 3"):
        find("tiny", tmp_path / "models")
    (folder / "net.onnx").unlink()
    with pytest.raises(CatalogError, match=r"net\.onnx of model tiny is missing"):
        resolve("tiny", tmp_path / "models")
    assert [fault.folder for fault in faults(tmp_path / "models")] == [folder]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"schema": 99}, "newer Undertone. Update Undertone"),
        ({"schema": "new"}, "newer Undertone"),
        ({"id": "other"}, "holds the card of other"),
        ({"id": "../other"}, "id must be"),
        ({"kind": "video"}, "kind must be"),
        ({"version": "latest"}, "version must be"),
        ({"licence": None}, "licence is missing"),
        ({"calibration": {"temperature": 0}}, "temperature"),
        ({"calibration": {"confidence": [[0.9, 0.5], [0.1, 0.6]]}}, "rising"),
        ({"metrics": [{"name": "x"}]}, "card is wrong"),
        ({"files": [1]}, "card is wrong"),
    ],
)
def test_wrong_cards_are_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    folder = make(tmp_path / "models")
    edit_card(folder, **changes)
    assert installed(tmp_path / "models") == []
    with pytest.raises(CatalogError, match="cannot be used") as caught:
        find("tiny", tmp_path / "models")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../../secret.onnx", "/etc/passwd.onnx", "a\\b.onnx", "model.pkl", "card.json", ".x"]
)
def test_a_card_cannot_name_files_elsewhere_or_of_other_kinds(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path / "models")
    edit_card(folder, files={"head": {"name": name, "sha256": "0" * 64, "size_bytes": 1}})
    assert "card is wrong" in faults(tmp_path / "models")[0].reason


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b"[" * 100000])
def test_a_card_that_is_no_card_is_a_fault_not_a_crash(tmp_path: Path, content: bytes) -> None:
    folder = make(tmp_path / "models")
    (folder / "card.json").write_bytes(content)
    assert installed(tmp_path / "models") == []
    assert len(faults(tmp_path / "models")) == 1


def test_installing_copies_all_or_nothing(tmp_path: Path) -> None:
    source = make(tmp_path / "elsewhere")
    assert install(source, tmp_path / "models").id == "tiny"
    assert find("tiny", tmp_path / "models").files["head"].read_text() == "net"
    (source / "net.onnx").write_text("bad")
    with pytest.raises(CatalogError, match="damaged"):
        install(source, tmp_path / "models")
    assert find("tiny", tmp_path / "models").files["head"].read_text() == "net"
    assert [p.name for p in (tmp_path / "models").iterdir()] == ["tiny"]


def test_a_model_is_replaced_whole_and_keeps_its_readme(tmp_path: Path) -> None:
    folder = make(tmp_path / "models")
    (folder / "README.md").write_text("Timelines")
    (folder / "stray.onnx").write_text("old")
    make(tmp_path / "models", version="2.0", text="new")
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", "card.json", "net.onnx"]
    assert find("tiny", tmp_path / "models").card.version == "2.0"


def test_the_catalogue_starts_without_numpy_or_onnxruntime() -> None:
    script = (
        "import sys, inference.catalog\n"
        "print(sorted({'numpy', 'onnxruntime', 'torch', 'av'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_features_outlive_a_model_whose_head_alone_is_new() -> None:
    def files(**digests: str) -> dict[str, ModelFile]:
        return {role: ModelFile(f"{role}.onnx", 64 * d, 1) for role, d in digests.items()}

    first = replace(tiny_card(), files=files(front_end="a", head="b", classifier="c"))
    for other, same_features in (
        (replace(first, files=files(front_end="a", head="b", classifier="d")), True),
        (replace(first, calibration=Calibration(0.7)), True),
        (replace(first, version="2.0"), True),
        (replace(first, files=files(front_end="d", head="b", classifier="c")), False),
        (replace(first, files=files(front_end="a", head="d", classifier="c")), False),
    ):
        assert other.revision != first.revision
        assert (other.front_end == first.front_end) is same_features
    told = replace(first, title="Better told", summary="...", config={"note": 1})
    assert told.revision == first.revision
    assert replace(first, kind="sensor").front_end == ""


def test_names_of_features_follow_the_code_that_makes_them() -> None:
    from inference.audio.descriptors import DESCRIPTORS
    from inference.audio.frontend import MsSg
    from inference.pipelines.base import PIPELINES

    assert FRONT_ENDS.keys() == PIPELINES.keys()
    assert FRONT_ENDS["ms-sg"][0] == MsSg.id
    assert FRONT_ENDS["undertone"][0] == f"undertone-{DESCRIPTORS}"
