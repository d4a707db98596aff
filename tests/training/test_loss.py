"""The loss of a recipe: callables of any kind, and what a model or data set lacks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from attrs import evolve
from torch import Tensor, nn

from fas_core.config.components import LossChoice
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.descriptors import Loss
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.models.build import build_model
from fas_core.models.model import Model
from fas_core.records.outputs import Batch, Outputs
from fas_core.records.samples import SampleTable
from fas_core.registry import PluginRecord, Registry, registry
from fas_core.training import job
from fas_core.training.loss import build_loss, check_targets, list_target_modalities


def hinge(outputs: Outputs, batch: Batch) -> Tensor:
    assert outputs.logits is not None
    margin = (outputs.logits[:, 1] - outputs.logits[:, 0]) * (2 * batch.label - 1)
    return (1 - margin).relu().mean()


def register(monkeypatch: pytest.MonkeyPatch, loss: object) -> tuple[LossChoice, Registry]:
    """Return the choice of a loss `acme` and a registry that has it beside all others."""
    component = Loss(name="acme", summary="", target="acme:loss")
    load = Loss.load
    monkeypatch.setattr(
        Loss, "load", lambda self: (lambda options, model: loss) if self.name == "acme" else load(self)
    )
    record = PluginRecord("acme", "acme-fas", "1", "active", components=(component,))
    return LossChoice("acme"), Registry((*registry().records, record))


def build(backbone: str, fusion: str = "single", modalities: tuple[str, ...] = ("rgb",)) -> Model:
    tree = {
        "modalities": list(modalities),
        "model": {"backbone": backbone, "fusion": fusion, "input_size": 64},
    }
    return build_model(structure(tree, Recipe, registry(), "test"), registry())


def test_a_function_trains_a_model(
    training_faces: Path,
    tmp_path: Path,
    make_recipe: Callable[..., Recipe],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choice, plugins = register(monkeypatch, hinge)
    recipe = evolve(make_recipe(training_faces, epochs=2), loss=choice)
    outcome = job.start(tmp_path / "run", recipe, plugins)
    losses = [line["loss"] for line in outcome.run.metrics()]
    assert losses[1] < losses[0]
    resumed = job.resume(tmp_path / "run", plugins, {"train.epochs": 3})
    assert len(resumed.run.metrics()) == 3


def test_a_callable_becomes_a_module_and_a_module_remains_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("feathernet_a")
    wrapped = build_loss(*register(monkeypatch, hinge), model)
    assert isinstance(wrapped, nn.Module)
    assert not list(wrapped.parameters())
    assert not wrapped.state_dict()
    module = nn.Module()
    module.forward = hinge  # type: ignore[assignment]
    assert build_loss(*register(monkeypatch, module), model) is module


@pytest.mark.parametrize(
    ("loss", "model", "message"),
    [
        ("focal", ("cdcn",), "loss 'focal' needs the output logits, .* only score, map, embedding, features"),
        ("cross_entropy", ("cdcn",), "such as map_mse"),
        ("map_mse", ("feathernet_a",), "'map_mse' needs the output map, .* only score, logits, embedding"),
        ("map_mse", ("feathernet_a", "se_fusion", ("rgb", "ir")), "such as focal"),
        ("contrast_depth", ("cdcn", "score_mean", ("rgb", "ir")), "needs the output map"),
    ],
)
def test_outputs_that_a_model_does_not_have_are_named(
    loss: str, model: tuple[Any, ...], message: str
) -> None:
    choice = structure({"loss": loss}, Recipe, registry(), "test").loss
    with pytest.raises(ConfigError, match=message):
        build_loss(choice, registry(), build(*model))


def test_a_map_too_small_for_its_loss_is_refused_when_it_is_built() -> None:
    tree = {"modalities": ["rgb"], "model": {"backbone": "cdcn", "fusion": "single", "input_size": 16}}
    tree["loss"] = "contrast_depth"
    recipe = structure(tree, Recipe, registry(), "test")
    with pytest.raises(ConfigError, match=r"needs a map of 3 x 3 or more, not \(2, 2\): raise input_size"):
        build_loss(recipe.loss, registry(), build_model(recipe, registry()))


def test_a_loss_without_needs_is_taken_to_need_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ConfigError, match=r"'acme' needs the output logits \(as it declares no `needs`\), and"
    ):
        build_loss(*register(monkeypatch, hinge), build("cdcn"))


def test_a_function_declares_its_needs_as_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    def distance(outputs: Outputs, batch: Batch) -> Tensor:
        return (outputs.score - batch.label).square().mean()

    vars(distance).update(needs=("score",), reads=("depth",))
    loss = build_loss(*register(monkeypatch, distance), build("cdcn"))
    assert list_target_modalities(loss) == ("depth",)
    outputs = Outputs(score=torch.tensor([0.5, 1.0]))
    label = torch.tensor([1, 1])
    assert loss(outputs, Batch({}, label, label)) == 0.125


def test_an_unknown_output_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = nn.Module()
    loss.needs = ("logit",)  # type: ignore[assignment]
    loss.forward = hinge  # type: ignore[assignment]
    with pytest.raises(FasError, match="needs logit, which no model has: outputs are score, logits"):
        build_loss(*register(monkeypatch, loss), build("feathernet_a"))


def test_a_target_that_returns_no_loss_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FasError, match="loss 'acme': its target returned None, which is not callable"):
        build_loss(*register(monkeypatch, None), build("feathernet_a"))


def test_missing_target_images_are_named_with_the_loss(tmp_path: Path) -> None:
    columns = {"id": ["1", "2"], "split": ["train"] * 2, "label": [1, 0], "rgb": ["1.png", "2.png"]}
    samples = SampleTable.of(columns, modalities=("rgb",), root=tmp_path)
    loss = nn.Module()
    check_targets("acme", loss, samples)
    loss.reads = ("depth",)  # type: ignore[assignment]
    with pytest.raises(DataError, match=r"no 'depth' images, from which loss 'acme' .* \(modalities: rgb\)"):
        check_targets("acme", loss, samples)
    columns["depth"] = ["1.png", None]  # type: ignore[list-item]
    samples = SampleTable.of(columns, modalities=("rgb", "depth"), root=tmp_path)
    with pytest.raises(DataError, match="1 of 2 samples have no 'depth' image, from which loss 'acme'"):
        check_targets("acme", loss, samples)
