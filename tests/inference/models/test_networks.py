"""The networks: shapes, parameter counts, the paper's equations, free lengths."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inference.errors import UndertoneError
from inference.models.attention import InnerAttention, PlainAttention
from inference.models.classifier import ClassifierConfig, SegmentClassifier
from inference.models.encoder import EncoderConfig, SegmentEncoder
from inference.models.registry import NETWORKS
from inference.models.regressor import MusicHead, Regressor, RegressorConfig
from inference.models.sensor import SensorConfig, SensorNet
from inference.models.vgg19 import VGG19Base, VGG19Blocks, VGG19Config, load_published_weights

pytestmark = pytest.mark.training


def examples(name: str, batch: int = 2, length: int = 5) -> list[Tensor]:
    torch.manual_seed(1)
    shapes = NETWORKS[name].inputs
    return [torch.rand(batch, *(length if n == -1 else n for n in s)) for s in shapes]


def outputs(found: Tensor | tuple[Tensor, ...]) -> list[Tensor]:
    return [found] if isinstance(found, Tensor) else list(found)


@pytest.mark.parametrize("name", NETWORKS)
def test_parameter_counts_are_as_documented(name: str) -> None:
    count = sum(p.numel() for p in NETWORKS[name].build().parameters())
    assert count == NETWORKS[name].parameters


@pytest.mark.parametrize("name", NETWORKS)
def test_a_sample_does_not_depend_on_its_batch(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name].build().eval()
    x = examples(name, batch=3)
    with torch.inference_mode():
        together = outputs(network(*x))
        alone = outputs(network(*(t[1:2] for t in x)))
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a[1:2], b, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", [n for n, net in NETWORKS.items() if net.inputs[0][0] == -1])
def test_any_number_of_segments(name: str) -> None:
    network = NETWORKS[name].build().eval()
    for length in (1, 2, 9):
        for out in outputs(network(*examples(name, length=length))):
            assert out.shape[0] == 2
            assert torch.isfinite(out).all()


@pytest.mark.parametrize("name", [n for n in NETWORKS if n != "vgg19"])
def test_every_parameter_learns(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name].build().train()
    sum((out * torch.rand_like(out)).sum() for out in outputs(network(*examples(name)))).backward()
    still = [k for k, p in network.named_parameters() if p.grad is None or not p.grad.abs().any()]
    assert still == []


def test_inner_attention_is_equations_6_to_8() -> None:
    torch.manual_seed(0)
    attention = InnerAttention(4)
    h = torch.randn(1, 6, 4)
    w_s, w_m, o_s = (
        attention.own.weight.detach().numpy(),
        attention.mean.weight.detach().numpy(),
        attention.context.detach().numpy(),
    )
    steps = h[0].numpy()
    r_mean = steps.mean(axis=0)
    o = np.stack([np.tanh(w_s @ step + w_m @ r_mean) for step in steps])  # (6)
    e = np.exp(o @ o_s)
    weights = e / e.sum()  # (7)
    found = attention(h)
    np.testing.assert_allclose(found.weights.detach().numpy()[0], weights, atol=1e-6)
    np.testing.assert_allclose(found.context.detach().numpy()[0], weights @ steps, atol=1e-6)  # (8)


def test_inner_attention_feels_the_mean_and_plain_attention_does_not() -> None:
    torch.manual_seed(0)
    h = torch.randn(1, 6, 8)
    changed = h.clone()
    changed[:, 5] += 3.0
    for attention, feels in ((InnerAttention(8), True), (PlainAttention(8), False)):
        a, b = attention(h).weights[0], attention(changed).weights[0]
        ratio_a, ratio_b = a[0] / a[1], b[0] / b[1]
        assert bool((ratio_a - ratio_b).abs() > 1e-4) is feels


def test_the_encoder_has_16_time_steps_and_the_papers_filters() -> None:
    encoder = SegmentEncoder(EncoderConfig(rows=32))
    convolutions = [m for m in encoder.modules() if isinstance(m, nn.Conv2d)]
    assert [(c.out_channels, c.kernel_size) for c in convolutions] == [(16, (3, 3)), (32, (3, 3))]
    found = encoder.eval()(torch.rand(2, 3, 32, 64))
    assert found.segments.shape == (2, 3, 128)
    assert found.weights.shape == (2, 3, 16)
    torch.testing.assert_close(found.weights.sum(dim=-1), torch.ones(2, 3))


def test_segments_are_encoded_each_by_itself() -> None:
    encoder = SegmentEncoder(EncoderConfig(rows=33)).eval()
    x = torch.rand(1, 4, 33, 64)
    torch.testing.assert_close(
        encoder(x).segments[:, [2, 0]], encoder(x[:, [2, 0]]).segments, atol=1e-5, rtol=1e-5
    )


def test_the_classifier_gives_normalised_log_probabilities() -> None:
    said = SegmentClassifier(ClassifierConfig(width_in=8)).eval()(torch.randn(3, 7, 8))
    torch.testing.assert_close(said.log_probabilities.exp().sum(dim=1), torch.ones(3))
    assert said.sequence.shape == (3, 128)


def test_the_regressor_standardises_and_answers_in_the_encoders_units() -> None:
    regressor = Regressor(RegressorConfig(width_in=4, hidden=8, width=3)).eval()
    features = torch.randn(50, 4) * 10 + 100
    regressor.fit_scale(features)
    regressor.code_mean.fill_(7.0)
    regressor.code_scale.fill_(2.0)
    x = features[None]
    torch.testing.assert_close(regressor(x), regressor.standardised(x) * 2.0 + 7.0)
    shifted = Regressor(RegressorConfig(width_in=4, hidden=8, width=3)).eval()
    shifted.load_state_dict(regressor.state_dict())
    shifted.fit_scale(features + 5.0)
    torch.testing.assert_close(shifted(x + 5.0), regressor(x), atol=1e-4, rtol=1e-4)


def test_temperature_softens_without_changing_the_order() -> None:
    torch.manual_seed(0)
    head = MusicHead().eval()
    x = torch.randn(4, 6, 512)
    before = head(x).log_probabilities
    head.temperature.fill_(3.0)
    after = head(x).log_probabilities
    assert torch.equal(before.argsort(dim=1), after.argsort(dim=1))
    assert bool((after.max(dim=1).values < before.max(dim=1).values).all())


def test_a_head_whose_parts_do_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="must read what"):
        MusicHead(RegressorConfig(width=64), ClassifierConfig(width_in=256))


def test_row_statistics_are_part_of_the_sensor_network() -> None:
    net = SensorNet().eval()
    gsr, ppg = torch.rand(1, 3, 33, 64), torch.rand(1, 3, 32, 64)
    before = net(gsr, ppg).segments
    net.fit_rows(0, torch.full((33,), 5.0), torch.full((33,), 2.0))
    torch.testing.assert_close(net(gsr * 2.0 + 5.0, ppg).segments, before, atol=1e-4, rtol=1e-4)
    assert "mean_0" in net.state_dict()


def test_columns_are_averaged_before_the_encoder() -> None:
    """Paper-spec item 3: 32 x 16 by default, native columns where it is asked for."""
    torch.manual_seed(0)
    net = SensorNet().eval()
    images = [torch.rand(2, 3, rows, 64) for rows in (33, 32)]
    flat = [
        x.unflatten(-1, (16, 4)).mean(-1, keepdim=True).expand(-1, -1, -1, -1, 4) for x in images
    ]
    torch.testing.assert_close(net(*images).segments, net(*(x.flatten(3) for x in flat)).segments)
    native = SensorNet(SensorConfig(decimation=1)).eval()
    assert not torch.allclose(
        native(*images).segments, native(*(x.flatten(3) for x in flat)).segments
    )


def test_longer_windows_end_where_the_short_one_does() -> None:
    torch.manual_seed(0)
    net = SensorNet(SensorConfig(scales=(1, 8))).eval()
    assert net.encoder.width == 4 * 128
    gsr, ppg = torch.rand(1, 2, 33, 512), torch.rand(1, 2, 32, 512)
    before = net(gsr, ppg).segments
    gsr[..., :448] += 1.0  # all but the last half second
    after = net(gsr, ppg).segments
    changed = (before - after).abs().amax((0, 1))
    assert changed[:128].max() == 0.0  # the 0.5 s of GSR
    assert changed[128:256].max() > 0.0  # its 4 s
    assert changed[256:].max() == 0.0


def test_named_features_move_the_answer_and_not_the_codes() -> None:
    torch.manual_seed(0)
    net = SensorNet(SensorConfig(features=22)).eval()
    images = [torch.rand(2, 3, rows, 64) for rows in (33, 32)]
    net.fit_features(torch.full((22,), 2.0), torch.full((22,), 3.0))
    usual, high = (net(*images, torch.full((2, 22), x)) for x in (2.0, 8.0))
    torch.testing.assert_close(usual.segments, high.segments)
    assert not torch.allclose(usual.log_probabilities, high.log_probabilities)
    # Extremes are cut at five deviations: one odd recording does not shout.
    far, farther = (net(*images, torch.full((2, 22), x)) for x in (1e3, 1e6))
    torch.testing.assert_close(far.log_probabilities, farther.log_probabilities)


def published_file(tmp_path: Path, config: VGG19Config) -> tuple[Path, str]:
    """A file in the layout of the published one, with random weights."""
    torch.manual_seed(3)
    model = VGG19Base(config)
    keys = (0, 2, 5, 9, 12, 16, 19, 22, 25, 29, 32, 35, 38, 42, 45, 48, 51)
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    content = {}
    for key, layer in zip(keys, layers, strict=True):
        content |= {f"{key}.weight": layer.weight.detach(), f"{key}.bias": layer.bias.detach()}
    path = tmp_path / "vgg_normalized.pth"
    torch.save(content, path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_published_weights_are_loaded_by_hash_only(tmp_path) -> None:
    config = VGG19Config(widths=(4, 4, 8, 8, 16))
    path, digest = published_file(tmp_path, config)
    model = load_published_weights(path, sha256=digest, config=config)
    torch.manual_seed(3)
    same = VGG19Base(config).eval()
    x = torch.rand(2, 3, 64, 46)
    torch.testing.assert_close(model(x), same(x))
    assert model(x).shape == (2, 16)
    assert not model.training
    every = VGG19Blocks(model)(x)
    assert every.shape == (2, 4 + 4 + 8 + 8 + 16)
    torch.testing.assert_close(every[:, -16:], model(x))
    torch.testing.assert_close(every[:, :4], model.blocks[0](model.colours(x)).mean((2, 3)).sqrt())
    with pytest.raises(UndertoneError, match="not the published VGG19 file"):
        load_published_weights(path)
    with pytest.raises(UndertoneError, match="cannot read"):
        load_published_weights(tmp_path / "missing.pth")


class Hostile:
    def __reduce__(self):
        return (print, ("this must not run",))


def test_a_weights_file_that_holds_code_is_refused(tmp_path, capsys) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"0.weight": Hostile()}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(UndertoneError, match="holds something else"):
        load_published_weights(path, sha256=digest)
    assert "must not run" not in capsys.readouterr().out
