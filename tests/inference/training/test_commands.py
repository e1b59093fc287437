"""`undertone train` and `undertone evaluate`, whole, on tiny folders."""

import argparse
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from app.cli import evaluate as evaluate_command
from app.cli import train
from app.cli.dispatch import main
from inference.catalog import find
from inference.errors import UndertoneError
from inference.evaluation import read_results
from inference.models.vgg19 import VGG19Base, VGG19Config
from inference.training import commands, install
from tests.inference import tiny_data

pytestmark = pytest.mark.training


@pytest.fixture(autouse=True)
def small_teacher(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A narrow teacher in place of VGG19, and the paths that it was asked to read."""
    asked: list[Path] = []

    def load(path: Path, **_: object) -> VGG19Base:
        asked.append(path)
        torch.manual_seed(0)
        return VGG19Base(VGG19Config(widths=(4, 4, 4, 8, 512))).eval()

    monkeypatch.setattr(commands, "load_published_weights", load)
    monkeypatch.setattr("inference.models.vgg19.load_published_weights", load)
    return asked


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    tiny_data.write_music4q(root / "music", clips=12, artists=6, duration_s=2.0)
    tiny_data.write_hku956(root / "hku", listeners=3, songs=4, duration_s=12.0)
    return root


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One work folder for all: what one test computed, the next one finds."""
    return tmp_path_factory.mktemp("work")


def music_arguments(data: Path, work: Path, out: Path) -> list[str]:
    return [
        *("--root", str(data / "music"), "--sensor-root", str(data / "hku")),
        *("--weights", "w.pth", "--quick", "--work", str(work), "--out", str(out)),
    ]


def test_train_music_makes_a_model_that_classifies(
    data: Path, work: Path, tmp_path: Path, small_teacher: list[Path], capsys
) -> None:
    out = tmp_path / "models"
    arguments = ["train", "music", "--front-end", "student", *music_arguments(data, work, out)]
    assert main([*arguments, "--results", str(tmp_path / "results")]) == 0
    printed = capsys.readouterr()
    assert "together about" in printed.err
    assert printed.out.strip() == str(out / "ms-sg-student")
    assert small_teacher == [Path("w.pth")]
    model = find("ms-sg-student", out)
    assert set(model.files) == {"front_end", "head", "classifier"}
    assert {m.name for m in model.card.metrics} >= {"quadrant accuracy", "valence accuracy"}
    assert "research" in model.card.licence
    assert any("HKU956" in s.name for s in model.card.data)
    rows = read_results(tmp_path / "results" / "train-ms-sg-student.csv")
    assert rows[0]["accuracy"] == f"{model.card.metrics[0].value:.4f}"
    record = json.loads((tmp_path / "results" / "train-ms-sg-student.json").read_text())
    assert record["command"] == (
        "undertone train music --dataset music4q --folds 5 --front-end student --quick "
        "--root DIR --seeds 3 --sensor-dataset hku956 --sensor-root DIR --weights FILE"
    )

    from inference.runtime import MusicClassifier

    found = MusicClassifier.load("ms-sg-student", models_dir=out).classify(
        data / "music/audio/000.wav"
    )
    assert sum(found.estimate.probabilities) == pytest.approx(1.0, abs=1e-3)

    # A second run finds everything: the teacher is not asked again, the figures are the same.
    assert main([*arguments, "--results", str(tmp_path / "again")]) == 0
    assert small_teacher == [Path("w.pth")]
    assert read_results(tmp_path / "again" / "train-ms-sg-student.csv") == rows


def test_the_default_is_undertone_music_on_the_same_targets(
    data: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def train(clips, wheel, targets, recipe, work, folder, **more):
        asked.update(wheel=wheel, codes=targets.codes.shape, recipe=recipe, folder=folder, **more)
        yield from ()
        p = np.full((1, len(clips.labels), 4), 0.25)
        return SimpleNamespace(card=None, probabilities=p)

    monkeypatch.setattr(commands, "train_undertone_music", train)
    arguments = music_arguments(data, work, tmp_path / "models")
    assert main(["train", "music", *arguments, "--results", str(tmp_path / "r")]) == 0
    assert asked["wheel"] == Path("w.pth")
    assert asked["codes"][1] == 256
    assert asked["folder"] == tmp_path / "models" / "undertone-music"
    assert asked["recipe"].n_folds == 2
    rows = read_results(tmp_path / "r" / "train-undertone-music.csv")
    assert rows[0]["balanced_accuracy"] == "0.2500"


def test_the_head_of_vgg19_is_trained_and_installed(
    data: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "models"
    arguments = ["train", "music", "--front-end", "vgg19", *music_arguments(data, work, out)]
    assert main(arguments) == 0
    recipe = out / "ms-sg-vgg19"
    said: list[str] = []
    monkeypatch.setattr(install, "CALIBRATION_PIECES", 1)
    built = tmp_path / "built" / "ms-sg-vgg19"
    card = install.install_vgg19(Path("w.pth"), built, progress=said.append, recipe=recipe)
    assert card.id == "ms-sg-vgg19"
    assert any("8 bits" in text for text in said)
    model = find("ms-sg-vgg19", tmp_path / "built")
    assert set(model.files) == {"front_end", "head", "classifier"}


def test_installing_without_the_shipped_head_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UndertoneError, match=r"trained head.*model pack"):
        install.install_vgg19(Path("w.pth"), tmp_path / "ms-sg-vgg19", recipe=tmp_path / "none")


def test_train_sensor_reports_its_permuted_twin(data: Path, work: Path, tmp_path: Path) -> None:
    out, results = tmp_path / "models", tmp_path / "results"
    arguments = ["--root", str(data / "hku"), "--quick", "--work", str(work)]
    arguments += ["--compare", "features", "windows", "--out", str(out), "--results", str(results)]
    assert main(["train", "sensor", *arguments]) == 0
    model = find("ssia-cbgru", out)
    assert set(model.files) == {"sensor", "gsr", "ppg"}
    assert "CC BY-NC" in model.card.licence
    rows = read_results(results / "train-ssia-cbgru.csv")
    by_protocol = {p: [r["system"] for r in rows if r["protocol"] == p] for p in ("P1", "P3", "P4")}
    for protocol, names in by_protocol.items():
        for name in ("ssia-cbgru", "named features + forest"):
            assert {name, f"{name}, labels permuted"} <= set(names), protocol
        assert {"majority", "order in the session only"} <= set(names)
    assert "song consensus of other listeners" in by_protocol["P3"]
    assert "song consensus of other listeners" not in by_protocol["P4"]  # songs are unseen
    assert any("windows of 0.5, 4 and 12 s" in n for n in by_protocol["P4"])
    assert by_protocol["P3"][-1].startswith("consensus and sensors fused")
    assert {m.protocol[:2] for m in model.card.metrics} == {"P1", "P3", "P4"}
    told = {m.name.partition(": ")[2]: m for m in model.card.metrics if m.protocol[:2] == "P3"}
    for name in ("ssia-cbgru, labels permuted", "majority", "named features + forest"):
        row = next(r for r in rows if (r["protocol"], r["system"]) == ("P3", name))
        assert told[name].value == round(float(row["balanced_accuracy"]), 4)
    assert model.card.config["network"]["decimation"] == 4


def test_train_student_returns_the_weights(data: Path, work: Path, capsys) -> None:
    arguments = ["--root", str(data / "music"), "--weights", "w.pth", "--quick"]
    assert main(["train", "student", *arguments, "--work", str(work)]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.is_file()
    assert "output.weight" in torch.load(path, weights_only=True)


def test_a_dry_run_only_says_what_it_costs(data: Path, tmp_path: Path, capsys) -> None:
    arguments = music_arguments(data, tmp_path / "w", tmp_path / "o")
    assert main(["train", "music", "--front-end", "student", *arguments, "--dry-run"]) == 0
    assert "VGG19 features" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_missing_weights_and_folders_are_named(data: Path, tmp_path: Path, capsys) -> None:
    arguments = ["--root", str(data / "music"), "--sensor-root", str(data / "hku")]
    for front_end in ("student", "undertone"):
        more = ["--front-end", front_end, "--quick", "--work", str(tmp_path)]
        assert main(["train", "music", *arguments, *more]) == 1
        assert "--weights" in capsys.readouterr().err
    assert main(["train", "sensor", "--root", str(tmp_path)]) == 1
    assert "--root must hold" in capsys.readouterr().err
    assert main(["train", "sensor", "--root", str(data / "hku"), "--folds", "1"]) == 2


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_without_torch_the_extra_is_named(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    package = "training" if command == "train" else "evaluation"
    monkeypatch.setitem(sys.modules, f"inference.{package}.commands", None)
    monkeypatch.delattr(f"inference.{package}.commands", raising=False)
    what = "sensor" if command == "train" else "leak"
    assert main([command, what, "--root", str(tmp_path)]) == 1
    assert "undertone[train]" in capsys.readouterr().err


def evaluate(table: str, data: Path, work: Path, out: Path, *more: str) -> int:
    kind = "music" if table in ("controls", "int8", "table-3") else "hku"
    arguments = ["--root", str(data / kind), "--quick", "--work", str(work), "--out", str(out)]
    if kind == "music":
        arguments += ["--sensor-root", str(data / "hku"), "--weights", "w.pth"]
    return main(["evaluate", table, *arguments, *more])


def test_controls_compare_routes_on_the_same_folds(data: Path, work: Path, tmp_path: Path) -> None:
    names = "majority;ms-sg-vgg19;ms-sg-vgg19, direct"
    assert evaluate("controls", data, work, tmp_path, "--systems", names) == 0
    rows = read_results(tmp_path / "controls-music4q-p2-quick.csv")
    assert [r["system"] for r in rows] == names.split(";")
    pairs = read_results(tmp_path / "controls-music4q-p2-quick-differences.csv")
    assert [(r["system"], r["against"]) for r in pairs] == [("ms-sg-vgg19", "ms-sg-vgg19, direct")]
    record = json.loads((tmp_path / "controls-music4q-p2-quick.json").read_text())
    assert record["protocol"] == "P2"
    assert len(record["data_digest"]) == 64


def test_eight_bits_are_judged_before_the_same_heads(
    data: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "CALIBRATION_PIECES", 1)
    assert evaluate("int8", data, work, tmp_path) == 0
    rows = read_results(tmp_path / "int8-music4q-p2-quick.csv")
    assert [r["system"] for r in rows] == ["ms-sg-vgg19", "ms-sg-vgg19, int8"]
    pair = read_results(tmp_path / "int8-music4q-p2-quick-differences.csv")[0]
    assert 0.0 < float(pair["mean_dp"]) <= float(pair["mean_dp_high"]) < 0.1
    assert float(pair["same_quadrant_low"]) <= float(pair["same_quadrant"]) <= 1.0


def test_table_3_has_the_papers_rows(data: Path, work: Path, tmp_path: Path) -> None:
    assert evaluate("table-3", data, work, tmp_path) == 0
    rows = read_results(tmp_path / "table-3-music4q-p2-quick.csv")
    assert [r["system"] for r in rows] == [
        "majority",
        "MS-SG statistics + SVM",
        "Li et al. (CNN)",
        "Malik et al. (CRNN)",
        "MS + MLP + SIA-BGRU",
        "SG + MLP + SIA-BGRU",
        "MS-SG + MLP + SIA-BGRU",
    ]


@pytest.mark.parametrize(("protocol", "system"), [("P0", "SG + HIA-CBGRU"), ("P4", "PSD + SVM")])
def test_table_1_has_a_twin_for_every_system(
    protocol: str, system: str, data: Path, work: Path, tmp_path: Path, capsys
) -> None:
    more = ["--protocol", protocol, "--systems", f"majority;{system}"]
    assert evaluate("table-1", data, work, tmp_path, *more) == 0
    rows = read_results(tmp_path / f"table-1-hku956-{protocol.lower()}-quick.csv")
    names = ["majority", system, f"{system}, labels permuted"]
    assert [r["system"] for r in rows] == names
    assert {r["protocol"] for r in rows} == {protocol}
    assert ("what it measures" in capsys.readouterr().out) is (protocol == "P0")


def test_table_2_has_a_row_for_each_length(data: Path, work: Path, tmp_path: Path) -> None:
    assert evaluate("table-2", data, work, tmp_path, "--systems", "PSD + SVM") == 0
    rows = read_results(tmp_path / "table-2-hku956-p3-quick.csv")
    assert sorted({float(r["segment_s"]) for r in rows}) == [0.5, 1.0, 2.5, 5.0]


def test_the_leak_table_shows_the_leak(data: Path, work: Path, tmp_path: Path) -> None:
    assert evaluate("leak", data, work, tmp_path) == 0
    rows = read_results(tmp_path / "leak-hku956-quick.csv")
    permuted = {r["protocol"]: r for r in rows if "permuted" in r["system"]}
    assert permuted["P0"]["leaks"] == "True"
    assert float(permuted["P0"]["balanced_accuracy"]) > 0.6
    assert permuted["P1"]["leaks"] == "False"


def test_a_table_on_the_wrong_data_or_protocol_is_refused(
    data: Path, tmp_path: Path, capsys
) -> None:
    assert main(["evaluate", "leak", "--root", str(data), "--dataset", "music4q"]) == 1
    assert "another --dataset" in capsys.readouterr().err
    arguments = ["--root", str(data / "music"), "--sensor-root", str(data / "hku")]
    assert main(["evaluate", "controls", *arguments, "--protocol", "P3"]) == 1
    assert "P2" in capsys.readouterr().err


def test_figures_are_those_of_a_run_without_interruption(
    data: Path, work: Path, tmp_path: Path
) -> None:
    more = ["--systems", "RS-BF + RF"]
    assert evaluate("table-1", data, work, tmp_path / "a", *more) == 0
    assert evaluate("table-1", data, work, tmp_path / "b", *more, "--resume") == 0
    a, b = (read_results(tmp_path / f / "table-1-hku956-p3-quick.csv") for f in "ab")
    assert a == b
    assert np.isfinite(float(a[0]["balanced_accuracy"]))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["evaluate", "simulated", "--coupling", "6", "0"], "--coupling 6.0 0.0"),
        (["train", "sensor", "--root", "x", "--compare", "features"], "--compare features"),
        (
            [
                "evaluate",
                "music-checks",
                "--root",
                "x",
                "--sensor-root",
                "y",
                "--other",
                "emopia:z",
            ],
            "--other emopia:DIR",
        ),
    ],
)
def test_a_record_names_the_settings_and_no_place(arguments: list[str], told: str) -> None:
    parser = argparse.ArgumentParser()
    module = train if arguments[0] == "train" else evaluate_command
    module.add_parser(parser.add_subparsers(dest="command"))
    words = train.recorded(parser.parse_args(arguments), *arguments[:2])
    assert words[:3] == ["undertone", *arguments[:2]]
    assert told in " ".join(words)
    assert not {"x", "y", "z"} & set(words)
