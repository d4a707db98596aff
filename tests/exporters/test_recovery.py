"""Recovery after pruning: nearer to the whole network, by the same batches the same weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from attrs import define
from numpy.typing import NDArray
from torch import Tensor, nn

from fas_core import Batch, ConfigError, Model, ModelFile
from fas_core.contracts import Exported
from fas_core.testing import score_images, verify_on
from fas_plugins.exporters import onnx as exporter
from fas_plugins.exporters import pruning
from fas_plugins.exporters.options import OnnxOptions

STEPS = 120


def draw(modalities: Sequence[str], count: int, seed: int) -> dict[str, NDArray[np.uint8]]:
    """Return images of random colours, each with noise."""
    rng = np.random.default_rng(seed)
    shape = (count, 16, 16, 3)
    return {
        name: (rng.integers(0, 200, (count, 1, 1, 3)) + rng.integers(0, 56, shape)).astype(np.uint8)
        for name in modalities
    }


def to_odds(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-odds, which a softmax of two logits hides near 0 and 1."""
    odds: NDArray[np.float64] = np.log(scores) - np.log1p(-scores)
    return odds


class Distance(nn.Module):
    """How far an embedding (B, E) is from the origin, (B,)."""

    def forward(self, embedding: Tensor) -> Tensor:
        return embedding.square().sum(dim=1).sqrt()


@define(eq=False)
class Colours:
    """Training images, `STEPS` batches an epoch."""

    modalities: tuple[str, ...] = ("rgb",)
    partial: bool = False
    readings: int = 0

    def count(self, epochs: float) -> int:
        return round(STEPS * epochs)

    def read(self, epochs: float) -> Iterator[Batch]:
        self.readings += 1
        generator = torch.Generator().manual_seed(5)
        for _ in range(self.count(epochs)):
            pixels = draw(self.modalities, 8, int(torch.randint(1000, (), generator=generator)))
            images = {name: torch.from_numpy(values) for name, values in pixels.items()}
            presence = torch.rand(8, len(self.modalities), generator=generator) > 0.3
            yield Batch(images, torch.zeros(8), torch.arange(8), presence if self.partial else None)


@pytest.fixture
def strongest(monkeypatch: pytest.MonkeyPatch) -> None:
    """All channels but eight of each set are pruned, with and without recovery."""
    for prices in ("PRICES", "RECOVERED_PRICES"):
        monkeypatch.setattr(pruning, prices, (1e9,))


@pytest.fixture(scope="module")
def model(make_model: Callable[..., Model], wide_backbone: Any) -> Model:
    """Its graph is converted once for all tests."""
    return make_model(backbone=wide_backbone)


@pytest.fixture
def export(make_card: Any, tmp_path: Path, strongest: None) -> Callable[..., Exported]:
    """`export(name, model, recover=1)`: a pruned file of the name, compared on 64 images."""

    def write(name: str, model: Model, training: Colours | None = None, **options: Any) -> Exported:
        images = draw(model.modalities, 64, 1)
        training = training or Colours(model.modalities, model.partial)
        options = {"form": "pruned", "tolerance": 1.0, **options}
        return exporter.export(
            OnnxOptions(**options),
            model,
            images,
            tmp_path / name,
            make_card(model.modalities, partial=model.partial),
            verify_on(model, images),
            training if options.get("recover") else None,
        )

    return write


@pytest.mark.parametrize("names", [("rgb",), pytest.param(("rgb", "ir"), marks=pytest.mark.long)])
def test_a_recovered_file_is_nearer_to_the_model(
    names: tuple[str, ...], model: Model, make_model: Callable[..., Model], wide_backbone: Any, export: Any
) -> None:
    """Also on images that neither calibration nor recovery has seen; of two modalities one may be missing."""
    model = make_model(names, wide_backbone, partial=True) if len(names) > 1 else model
    pruned, recovered = export("a.onnx", model), export("b.onnx", model, recover=1)
    assert pruned.facts["hidden channels"] == recovered.facts["hidden channels"]
    assert recovered.facts["epochs of recovery"] == "1"
    assert "epochs of recovery" not in pruned.facts
    others = draw(names, 64, 2)
    expected = to_odds(score_images(model, others))
    before, after = (
        np.abs(to_odds(ModelFile(done.path)(others)) - expected).mean() for done in (pruned, recovered)
    )
    assert after < 0.75 * before


def test_forms_of_one_export_are_recovered_once(model: Model, export: Any) -> None:
    """By the same training images the same graph is not trained again."""
    training = Colours()
    done = [export(name, model, training=training, recover=0.2) for name in ("a.onnx", "b.onnx")]
    assert done[0].path.read_bytes() == done[1].path.read_bytes()
    assert training.readings == 3  # the first file's samples and its training, the second one's samples


def test_the_same_batches_give_the_same_file(model: Model, export: Any) -> None:
    done = [export(name, model, recover=0.2) for name in ("a.onnx", "b.onnx")]
    assert done[0].path.read_bytes() == done[1].path.read_bytes()


def test_the_recovered_graph_is_quantized(model: Model, export: Any) -> None:
    done = export("a.onnx", model, recover=0.1, form="pruned-int8")
    assert done.facts["epochs of recovery"] == "0.1"
    assert "int8 layers" in done.facts


@pytest.mark.long
def test_novelty_is_recovered_too(make_model: Callable[..., Model], wide_backbone: Any, export: Any) -> None:
    model = make_model(backbone=wide_backbone)
    model.novelty = Distance()
    others = draw(("rgb",), 64, 2)
    with torch.inference_mode():
        expected = model({name: torch.from_numpy(pixels) for name, pixels in others.items()}).novelty
    pruned, recovered = export("a.onnx", model), export("b.onnx", model, recover=1)
    before, after = (
        np.abs(ModelFile(done.path).outputs(others, None)["novelty"] - expected.numpy()).mean()
        for done in (pruned, recovered)
    )
    assert after < before


def test_a_graph_of_a_fixed_batch_size_is_refused(model: Model, export: Any) -> None:
    with pytest.raises(ConfigError, match="leave static_batch out"):
        export("a.onnx", model, recover=1, static_batch=2)
