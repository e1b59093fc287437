"""Training of the music route: it learns what is there, nothing more, and exports what it is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from inference.audio.decode import decode_blocks
from inference.audio.frontend import ms_sg_image
from inference.evaluation import (
    Groups,
    Samples,
    cross_validate,
    grouped_folds,
    permute_labels,
    score,
)
from inference.job import run_to_end
from inference.models.classifier import ClassifierConfig
from inference.models.regressor import MusicCommittee, MusicHead, RegressorConfig
from inference.models.sensor import SensorNet
from inference.models.student import Student, StudentConfig
from inference.training.calibration import confidence_map, fit_temperature, tempered
from inference.training.distil import Distillation, change_gain, distil
from inference.training.export import (
    export_classifier,
    export_front_end,
    export_head,
    export_sensor,
)
from inference.training.loops import Optimisation, batches, class_weights
from inference.training.music import (
    HeadSystem,
    HeadTraining,
    Route,
    Targets,
    predict_music,
    train_head,
)
from inference.training.music_committee import (
    CommitteeSystem,
    CommitteeTraining,
    train_committee_head,
)
from inference.training.quantise import quantise
from inference.training.synthetic import calibration_segments, piece
from tests.inference import tiny_data

pytestmark = pytest.mark.training

SMALL = HeadTraining(
    regressor=RegressorConfig(width_in=8, hidden=16, width=12),
    classifier=ClassifierConfig(width_in=12, hidden=8),
    regress=Optimisation(epochs=16, batch=16, rate=1e-2),
    classify=Optimisation(epochs=16, batch=16, rate=1e-2),
    crop=6,
)
TINY = ClassifierConfig(width_in=4, hidden=4)
SMALL_COMMITTEE = CommitteeTraining(
    members=2,
    regressor=replace(SMALL.regressor, dropout=0.1, least_scale=0.05, limit=5.0),
    classifier=SMALL.classifier,
    regress=SMALL.regress,
    classify=SMALL.classify,
    crop=6,
    dropout_in=0.1,
)
TINY_STUDENT = StudentConfig(stem=4, widths=(8, 8, 16), blocks=(0, 0, 0), width=32)


def tunes(n: int = 64, seed: int = 0) -> Samples[np.ndarray]:
    """Feature sequences of different lengths that tell the quadrant, two clips an artist."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 4
    centres = rng.normal(size=(4, 8)) * 1.5
    x = [(centres[c] + rng.normal(size=(rng.integers(4, 12), 8))).astype(np.float32) for c in y]
    return Samples(x, y, np.array([f"artist{i // 8}{i % 4}" for i in range(n)]))


def targets(width: int = 12) -> Targets:
    rng = np.random.default_rng(1)
    labels = np.arange(20) % 4
    codes = rng.normal(size=(4, width))[labels] + 0.3 * rng.normal(size=(20, width))
    return Targets(codes.astype(np.float32), labels)


@pytest.mark.parametrize("route", list(Route))
def test_every_route_learns_and_none_learns_permuted_labels(route: Route) -> None:
    samples = tunes()
    system = HeadSystem(
        HeadTraining(
            route=route,
            regressor=SMALL.regressor,
            classifier=SMALL.classifier,
            regress=SMALL.regress,
            classify=SMALL.classify,
            crop=6,
        ),
        targets(),
    )
    folds = grouped_folds(samples.labels, Groups({"artist": samples.groups}), n_folds=2, seed=0)
    found = run_to_end(cross_validate(system, samples, folds, seeds=[0]))
    assert score(samples.labels, found.probabilities[0]).accuracy > 0.6
    fake = permute_labels(samples.labels, np.arange(64), seed=2)
    lost = Samples(samples.inputs, fake, samples.groups)
    folds = grouped_folds(fake, Groups({"artist": lost.groups}), n_folds=2, seed=0)
    found = run_to_end(cross_validate(system, lost, folds, seeds=[0]))
    assert score(fake, found.probabilities[0]).accuracy < 0.5


@pytest.mark.parametrize("route", list(Route))
def test_a_committee_learns_by_every_route(route: Route) -> None:
    samples = tunes()
    settings = replace(SMALL_COMMITTEE, route=route)
    system = CommitteeSystem(settings, targets() if route is Route.PHYSIOLOGICAL else None)
    folds = grouped_folds(samples.labels, Groups({"artist": samples.groups}), n_folds=2, seed=0)
    found = run_to_end(cross_validate(system, samples, folds, seeds=[0]))
    assert score(samples.labels, found.probabilities[0]).accuracy > 0.6


def test_a_member_imitates_the_mean_code_of_each_quadrant() -> None:
    samples, wanted = tunes(), targets()
    committee = train_committee_head(samples, SMALL_COMMITTEE, 0, wanted)
    means = wanted.quadrant_codes()
    np.testing.assert_allclose(means.mean(axis=0), 0.0, atol=1e-6)
    with torch.inference_mode():
        codes = np.stack(
            [committee(torch.from_numpy(x)[None]).codes[0].mean(dim=0) for x in samples.inputs]
        )
    nearest = np.linalg.norm(codes[:, None] - means[None], axis=2).argmin(axis=1)
    assert (nearest == samples.labels).mean() > 0.8


def test_one_loud_channel_does_not_decide() -> None:
    regressor = MusicHead(RegressorConfig(8, 4, 4, least_scale=0.5, limit=5.0), TINY).regressor
    x = torch.randn(200, 8)
    x[:, 0] = 0.0  # silent in all of the training
    regressor.fit_scale(x)
    assert float(regressor.feature_scale[0]) == 0.5
    loud = x[:1].clone()
    loud[0, 0] = 1e6
    assert float(regressor.scaled(loud)[0, 0]) == 5.0


def test_the_same_seed_gives_the_same_head() -> None:
    samples = tunes(16)
    a, b = (train_committee_head(samples, SMALL_COMMITTEE, 3, targets()) for _ in range(2))
    for x, y in zip(a.parameters(), b.parameters(), strict=True):
        assert torch.equal(x, y)
    a, b = (train_head(samples, SMALL, 3, targets()) for _ in range(2))
    for x, y in zip(a.parameters(), b.parameters(), strict=True):
        assert torch.equal(x, y)
    assert not a.training


def test_the_regressor_imitates_recordings_of_the_same_class() -> None:
    samples, wanted = tunes(), targets()
    head = train_head(samples, SMALL, 0, wanted)
    means = np.stack([wanted.codes[wanted.labels == c].mean(axis=0) for c in range(4)])
    with torch.inference_mode():
        codes = np.stack(
            [
                head.regressor(torch.from_numpy(x)[None])[0].mean(dim=0).numpy()
                for x in samples.inputs
            ]
        )
    nearest = np.linalg.norm(codes[:, None] - means[None], axis=2).argmin(axis=1)
    assert (nearest == samples.labels).mean() > 0.8


def test_pairing_never_leaves_the_class() -> None:
    wanted = targets()
    labels = np.random.default_rng(0).integers(0, 4, 200)
    members = wanted.member(labels, np.random.default_rng(1))
    assert np.array_equal(wanted.labels[members], labels)
    assert len(set(members)) == 20


def test_the_physiological_route_needs_targets() -> None:
    with pytest.raises(ValueError, match="needs targets"):
        train_head(tunes(16), SMALL, 0)


def test_songs_of_any_length_get_normalised_probabilities() -> None:
    head = MusicHead(SMALL.regressor, SMALL.classifier)
    songs = [np.random.default_rng(n).normal(size=(n, 8)).astype(np.float32) for n in (1, 84, 200)]
    p = predict_music(head, songs)
    assert p.shape == (3, 4)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-5)


def test_batches_cover_everything_once_and_none_is_single() -> None:
    for n in (2, 31, 32, 33, 65):
        parts = list(batches(n, 32, np.random.default_rng(0)))
        assert sorted(np.concatenate(parts)) == list(range(n))
        assert min(len(p) for p in parts) >= 2


def test_class_weights_make_classes_equal() -> None:
    y = np.array([0] * 30 + [1] * 10 + [2] * 5)
    weights = class_weights(y).numpy()
    assert weights[3] == 0.0
    np.testing.assert_allclose(weights[:3] * np.bincount(y), 15.0, rtol=1e-5)


def test_a_gain_on_images_is_a_gain_on_the_music(tmp_path: Path) -> None:
    x = piece(np.random.default_rng(0), 3.0) * np.float32(0.4)
    image = torch.from_numpy(ms_sg_image(x))[None]
    louder = torch.from_numpy(ms_sg_image(x * np.float32(2.0)))[None]
    made = change_gain(image, torch.tensor([20 * np.log10(2.0)], dtype=torch.float32))
    assert float((made - louder)[:, [0, 2]].abs().mean()) < 2e-3
    assert float((image - louder)[:, [0, 2]].abs().mean()) > 2e-2


def images_and_teacher(n: int = 6) -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(0)
    images = [rng.random((3, 64, 46 + 32 * 5)).astype(np.float16) for _ in range(n)]
    scale = rng.normal(size=32).astype(np.float32)
    teacher = []
    for image in images:
        image[0] *= rng.random()
        means = [image[0, :, 32 * i : 32 * i + 46].mean() for i in range(6)]
        teacher.append(np.outer(means, scale).astype(np.float32))
    return images, teacher


def test_distillation_explains_the_teacher_and_resumes(tmp_path: Path) -> None:
    images, teacher = images_and_teacher()
    settings = Distillation(
        TINY_STUDENT, Optimisation(epochs=6, batch=8, rate=1e-2), share=1.0, gain_db=0.0
    )
    losses = [p.item for p in distil(images, teacher, settings, 0)]
    assert len(losses) == 6
    assert losses[-1] < 0.6 * losses[0]
    file = tmp_path / "student.ck"
    job = distil(images, teacher, settings, 0, checkpoint=file)
    for _ in range(3):
        next(job)
    job.close()
    rest = [p.item for p in distil(images, teacher, settings, 0, checkpoint=file)]
    assert rest == pytest.approx(losses[3:], rel=1e-4)


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("members", [0, 3])
def test_exported_networks_say_what_torch_says(members: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    head: MusicHead | MusicCommittee = MusicHead()
    if members:
        config = RegressorConfig(hidden=8, least_scale=0.05, limit=5.0)
        head = MusicCommittee(
            [MusicHead(config, ClassifierConfig(hidden=5)) for _ in range(members)]
        )
    head.eval().temperature.fill_(1.7)
    export_head(head, tmp_path / "head.onnx")
    export_classifier(head, tmp_path / "classifier.npz")
    x = np.random.default_rng(0).normal(size=(3, 17, 512)).astype(np.float32)
    said, codes, attended = session(tmp_path / "head.onnx").run(None, {"features": x})
    expected = head(torch.from_numpy(x))
    np.testing.assert_allclose(said, expected.log_probabilities.detach(), atol=1e-5)
    np.testing.assert_allclose(codes, expected.codes.detach(), atol=1e-4)
    last = np.load(tmp_path / "classifier.npz")
    again = attended @ last["weight"] + last["bias"]
    again -= np.log(np.exp(again).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(again, said, atol=1e-5)


def test_exported_sensor_network_takes_any_number_of_segments(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = SensorNet().eval()
    export_sensor(net, tmp_path / "sensor.onnx")
    run = session(tmp_path / "sensor.onnx")
    for length in (1, 9):
        gsr = np.random.default_rng(1).normal(size=(2, length, 33, 64)).astype(np.float32)
        ppg = np.random.default_rng(2).normal(size=(2, length, 32, 64)).astype(np.float32)
        said, segments, _ = run.run(None, {"gsr": gsr, "ppg": ppg})
        expected = net(torch.from_numpy(gsr), torch.from_numpy(ppg))
        np.testing.assert_allclose(said, expected.log_probabilities.detach(), atol=1e-5)
        np.testing.assert_allclose(segments, expected.segments.detach(), atol=1e-4)


def test_eight_bits_are_close_to_32(tmp_path: Path) -> None:
    torch.manual_seed(0)
    student = Student(TINY_STUDENT).eval()
    export_front_end(student, tmp_path / "fp32.onnx")
    segments = list(calibration_segments(2))
    quantise(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", segments)
    a, b = (
        session(tmp_path / f"{n}.onnx").run(None, {"images": segments[0]})[0]
        for n in ("fp32", "int8")
    )
    assert a.shape == b.shape == (len(segments[0]), 32)
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.98
    assert not np.array_equal(a, b)


def test_the_first_convolutions_can_stay_float32(tmp_path: Path) -> None:
    export_front_end(Student(TINY_STUDENT).eval(), tmp_path / "fp32.onnx")
    quantise(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", calibration_segments(1), keep=3)
    graph = onnx.load(tmp_path / "int8.onnx").graph
    rounded = {out for n in graph.node if n.op_type == "DequantizeLinear" for out in n.output}
    inputs = [n.input[:2] for n in graph.node if n.op_type == "Conv"]
    assert [sum(i in rounded for i in pair) for pair in inputs] == [0, 0, 0, 2, 2, 2, 2]


def test_synthesised_music_is_repeatable_finite_and_varied() -> None:
    a, b = (piece(np.random.default_rng(5), 2.0) for _ in range(2))
    assert np.array_equal(a, b)
    assert np.isfinite(a).all()
    assert 0.1 < np.abs(a).max() <= 1.0
    levels = [s.mean() for s in calibration_segments(4)]
    assert np.std(levels) > 0.005


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    truth = rng.dirichlet(np.ones(4), 3000)
    y = np.array([rng.choice(4, p=p) for p in truth])
    sharp = tempered(truth, 0.5)
    assert fit_temperature(sharp, y) == pytest.approx(2.0, rel=0.15)
    pairs = confidence_map(truth, y)
    assert [a for a, _ in pairs] == sorted(a for a, _ in pairs)
    assert all(abs(a - b) < 0.12 for a, b in pairs)


def test_tiny_tunes_can_be_decoded(tmp_path: Path) -> None:
    root = tiny_data.write_music4q(tmp_path / "m", clips=4)
    sound = np.concatenate(list(decode_blocks(root / "audio/000.wav")))
    assert len(sound) == 48000
