"""The contract checks accept components that keep their contract and name what others break."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.contracts import Exported, Verification, Verify
from fas_core.descriptors import KINDS
from fas_core.errors import ModelError
from fas_core.models.build import build_model
from fas_core.models.model import scorer
from fas_core.records.outputs import Batch, Outputs
from fas_core.registry import PluginRecord, Registry, registry
from fas_core.scores.table import ScoreTable
from fas_core.testing import checks as testing

Provide = Callable[..., str]


def names(kind: str) -> list[str]:
    return [component.name for component in registry().all(KINDS[kind])]


@pytest.fixture
def provide(monkeypatch: pytest.MonkeyPatch) -> Provide:
    """`provide(kind, target, **fields)` registers a component, `broken`, and gives its name."""

    def provided(kind: str, target: Callable[..., Any], **fields: Any) -> str:
        component = KINDS[kind](name="broken", summary="", target=f"{__name__}:target", **fields)
        monkeypatch.setattr(type(component), "load", lambda _: target)
        record = PluginRecord("acme", "acme-fas", "1", "active", components=(component,))
        monkeypatch.setattr(testing, "registry", lambda: Registry((record,)))
        return "broken"

    return provided


@pytest.mark.parametrize("name", [name for name in names("loss") if name != "am_softmax"])
def test_every_installed_loss_passes(name: str) -> None:
    testing.check_loss(name)


def test_a_loss_over_cosines_passes_with_a_model_that_has_them() -> None:
    tree = {"model": {"fusion": {"name": "concat_linear", "classifier": "cosine"}, "input_size": 64}}
    recipe = structure(tree, Recipe, registry(), "recipe")
    testing.check_loss("am_softmax", model=build_model(recipe, registry()))


@pytest.mark.parametrize("name", names("metric"))
def test_every_installed_metric_passes(name: str) -> None:
    testing.check_metric(name)


@pytest.mark.parametrize("name", [name for name in names("fusion") if name != "single"])
def test_every_installed_fusion_passes(name: str) -> None:
    testing.check_fusion(name)


def test_the_fusion_of_one_modality_passes_with_one() -> None:
    testing.check_fusion("single", modalities=("rgb",))


def test_a_backbone_passes() -> None:
    testing.check_backbone("feathernet_a", input_size=64)


@pytest.mark.parametrize("name", names("exporter"))
def test_every_installed_exporter_passes(name: str, tmp_path: Path) -> None:
    if name == "openvino" and find_spec("openvino") is None:
        pytest.skip("the extra openvino is not installed")
    testing.check_exporter(name, tmp_path)


def test_a_data_set_passes(tmp_path: Path) -> None:
    for place in ("train/live", "train/attack/print", "test/live", "test/attack/replay"):
        (tmp_path / place).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / place / "1.png"), np.zeros((8, 8, 3), np.uint8))
    testing.check_dataset("folder", tmp_path)


def a_loss(forward: Callable[[Outputs, Batch], torch.Tensor]) -> Callable[..., Any]:
    return lambda options, model: forward


def logits(outputs: Outputs) -> torch.Tensor:
    assert outputs.logits is not None
    return outputs.logits


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda outputs, batch: logits(outputs)[:, 1] * batch.label, "must be a scalar"),
        (lambda outputs, batch: -(logits(outputs).softmax(1)[:, 1] * batch.label).log().mean(), "inf"),
        (lambda outputs, batch: logits(outputs).square().mean(), "the same for any labels"),
        (
            lambda outputs, batch: (
                (batch.label - logits(outputs).detach()[:, 1]).square().mean()
                * torch.ones((), requires_grad=True)
            ),
            "no gradient",
        ),
    ],
)
def test_a_broken_loss_is_refused(
    provide: Provide, forward: Callable[[Outputs, Batch], torch.Tensor], message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        testing.check_loss(provide("loss", a_loss(forward)))


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (lambda scores: {}, "no figures"),
        (lambda scores: {"gap": 1}, "no float"),
        (lambda scores: {"gap": float("nan")}, "NaN though"),
        (lambda scores: {"first": float(scores.scores[0])}, "order of samples"),
        (lambda scores: {"gap": 0.5} if len(scores.live) else {}, "give NaN"),
    ],
)
def test_a_broken_metric_is_refused(
    provide: Provide, metric: Callable[[ScoreTable], dict[str, float]], message: str
) -> None:
    name = provide("metric", lambda options, scores, threshold: metric(scores))
    with pytest.raises(AssertionError, match=message):
        testing.check_metric(name)


def test_a_backbone_whose_map_has_another_shape_is_refused(provide: Provide) -> None:
    class Wrong(nn.Module):
        num_features, embedding_dim, num_logits, reduction = 8, 8, 2, 16

        def forward_features(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :1, ::8, ::8].repeat(1, 8, 1, 1)

        def forward_embedding(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(dim=(2, 3))

        def forward_head(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :2]

    name = provide("backbone", lambda options, **given: Wrong())
    with pytest.raises(AssertionError, match=r"gave \(4, 8, 8, 8\), promised \(4, 8, 4, 4\)"):
        testing.check_backbone(name, input_size=64)


def test_a_fusion_that_depends_on_the_order_of_the_mapping_is_refused(provide: Provide) -> None:
    class First(nn.Module):
        num_logits = 2

        def forward(self, branches: dict[str, torch.Tensor]) -> torch.Tensor:
            return next(iter(branches.values()))[:, :2]

    name = provide("fusion", lambda options, **given: First(), takes="embeddings")
    with pytest.raises(AssertionError, match="order of the mapping"):
        testing.check_fusion(name)


def test_an_exporter_that_leaves_other_files_is_refused(provide: Provide, tmp_path: Path) -> None:
    def export(options: object, model: Any, destination: Path, verify: Verify, **given: Any) -> Exported:
        destination.write_bytes(b"")
        destination.with_suffix(".tmp").write_bytes(b"")
        return Exported(destination, verify(scorer(model), tolerance=None, acer_loss=0.0))

    with pytest.raises(AssertionError, match="not just"):
        testing.check_exporter(provide("exporter", export, suffix=".bin"), tmp_path)


def test_an_exporter_without_verification_is_refused(provide: Provide, tmp_path: Path) -> None:
    def export(options: object, destination: Path, **given: Any) -> Exported:
        destination.write_bytes(b"")
        return Exported(destination, Verification(4, "dev", 0.0, 0.0))

    with pytest.raises(AssertionError, match="did not have what it wrote verified"):
        testing.check_exporter(provide("exporter", export, suffix=".bin"), tmp_path)


def test_a_data_set_whose_files_are_missing_is_refused(provide: Provide, tmp_path: Path) -> None:
    from fas_core.records.samples import SampleTable

    class Reader:
        def __init__(self, options: object, root: Path) -> None:
            self.root = root

        def prepare(self) -> None: ...

        def splits(self) -> tuple[str, ...]:
            return ("test",)

        def samples(self, split: str) -> SampleTable:
            columns = {"id": ["1"], "split": [split], "label": [1], "rgb": ["1.png"]}
            return SampleTable.of(columns, modalities=("rgb",), root=self.root)

    with pytest.raises(AssertionError, match=r"no such file: 1\.png"):
        testing.check_dataset(provide("dataset", Reader), tmp_path)


def test_scores_are_the_same_each_time_and_the_classes_overlap() -> None:
    table = testing.score_table(40, 61)
    assert np.array_equal(table.scores, testing.score_table(40, 61).scores)
    assert (len(table.live), len(table)) == (40, 101)
    assert table.live.min() < table.scores[40:].max()
    assert set(table.table.column("species").to_pylist()) == {"live", "print", "replay"}


def test_every_image_is_a_batch_for_the_tiny_model() -> None:
    images = testing.random_images(("rgb", "ir"))
    scores = scorer(testing.tiny_model(("rgb", "ir")))(images)
    assert scores.shape == (testing.BATCH,)
    assert len(set(scores)) == testing.BATCH


def test_verification_measures_the_difference_and_records_it() -> None:
    model, images = testing.tiny_model(), testing.random_images(("rgb",))
    results: list[Verification] = []
    verify = testing.verify_on(model, images, results)
    exact = scorer(model)
    shifts = np.array([0.0, 0.1, 0.0, 0.3])
    result = verify(lambda batch, presence=None: exact(batch) + shifts, tolerance=None, acer_loss=0.0)
    assert result.max_difference == pytest.approx(0.3)
    assert result.mean_difference == pytest.approx(0.1)
    assert results == [result]


def test_verification_refuses_a_larger_difference_than_the_tolerance() -> None:
    model, images = testing.tiny_model(), testing.random_images(("rgb",))
    verify, exact = testing.verify_on(model, images), scorer(model)
    assert verify(exact, tolerance=0.0, acer_loss=0.0).max_difference == 0
    for shift in (0.1, float("nan")):
        with pytest.raises(ModelError, match="scores differ"):
            verify(
                lambda batch, presence=None, shift=shift: exact(batch) + shift, tolerance=0.05, acer_loss=0
            )


def test_the_reference_is_the_model_before_the_exporter_changes_it() -> None:
    model, images = testing.tiny_model(), testing.random_images(("rgb",))
    verify = testing.verify_on(model, images)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(1)
    assert verify(scorer(model), tolerance=None, acer_loss=0.0).max_difference > 0


def test_all_outputs_depend_on_the_logits() -> None:
    logits = torch.tensor([[0.0, 1.0]] * 4, requires_grad=True)
    outputs = testing.outputs_of(logits)
    for output in (outputs.score, outputs.map, outputs.embedding):
        assert output is not None
        assert output.requires_grad
        assert len(output) == 4


def test_a_batch_has_images_of_three_modalities() -> None:
    batch = testing.batch_of(torch.tensor([1, 0, 1, 0]))
    assert {name: (value.shape, value.dtype) for name, value in batch.images.items()} == dict.fromkeys(
        ("rgb", "depth", "ir"), ((4, 32, 32, 3), torch.uint8)
    )
