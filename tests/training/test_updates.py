"""Updates of the weights: batches in parts, clipped gradients, mixed precision, compiled models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from fas_core.config.recipe import Recipe
from fas_core.data.open import open_choice
from fas_core.errors import PluginError
from fas_core.models.build import build_model
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.training import job
from fas_core.training.process import accelerator_for
from fas_core.training.trainer import Training
from fas_core.training.updates import Updater

MakeRecipe = Callable[..., Recipe]
WriteFaces = Callable[[Path, str, str, int, int], None]


def largest_difference(first: Path, second: Path) -> float:
    """Between the weights of two files, batch norms' statistics among them."""
    one, other = load_file(first), load_file(second)
    return max(float((one[name].double() - other[name].double()).abs().max()) for name in one)


def test_a_batch_in_parts_updates_as_a_whole_one_where_batch_norms_are_frozen(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    runs = [
        job.start(
            tmp_path / f"{parts}",
            make_recipe(training_faces, epochs=1, freeze=freeze, accumulate=parts),
            registry(),
        ).run
        for freeze, parts in ((["backbones.rgb.features"], 1), (["backbones.rgb.features"], 3), ([], 2))
    ]
    whole, in_parts, trained = (run.weights("last") for run in runs)
    assert largest_difference(whole, in_parts) < 1e-6
    losses = [run.metrics()[0]["loss"] for run in runs]
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    assert load_file(whole).keys() == load_file(trained).keys()
    tracked = "backbones.rgb.features.0.1.num_batches_tracked"
    assert load_file(trained)[tracked] == 2 * 4  # a batch norm that is trained sees each part


def test_a_long_gradient_is_scaled_to_the_limit(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    """One update by plain SGD: the weights move by the learning rate times the gradient."""

    def move(clip: float | None) -> float:
        options = {"batch_size": 32, "momentum": 0.0, "weight_decay": 0.0, "lr": 0.1, "clip": clip}
        recipe = make_recipe(training_faces, epochs=1, **options)
        run = job.start(tmp_path / f"{clip}", recipe, registry()).run
        weights = load_file(run.weights("last"))
        torch.manual_seed(recipe.train.seed)
        before = dict(build_model(recipe, registry()).requires_grad_(False).named_parameters())
        return float(torch.cat([(weights[name] - before[name]).flatten() for name in before]).norm())

    free = move(None) / 0.1
    assert move(free / 4) == pytest.approx(0.1 * free / 4, rel=1e-3)
    assert move(4 * free) == pytest.approx(0.1 * free, rel=1e-6)


def test_mixed_precision_computes_in_bf16_and_keeps_weights_in_fp32(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    runs = {
        amp: job.start(tmp_path / amp, make_recipe(training_faces, epochs=1, amp=amp), registry()).run
        for amp in ("fp32", "bf16")
    }
    weights = load_file(runs["bf16"].weights("last"))
    assert {tensor.dtype for tensor in weights.values() if tensor.is_floating_point()} == {torch.float32}
    assert largest_difference(*(run.weights("last") for run in runs.values())) > 1e-4
    losses = [run.metrics()[0]["loss"] for run in runs.values()]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    assert losses[1] != losses[0]


def test_training_calls_the_compiled_model_where_the_recipe_says_so(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def compile_nothing(model: Any) -> Callable[..., Any]:
        return lambda *inputs: calls.append(model.training) or model(*inputs)

    monkeypatch.setattr("fas_core.training.updates.compile_forward", compile_nothing)
    job.start(tmp_path / "eager", make_recipe(training_faces, epochs=1), registry())
    assert not calls
    job.start(tmp_path / "compiled", make_recipe(training_faces, epochs=1, compile=True), registry())
    assert calls == [True] * 4
    weights = (tmp_path / name / "last.safetensors" for name in ("eager", "compiled"))
    assert largest_difference(*weights) == 0


@pytest.mark.long
# PyTorch's compiler warns of a part of PyTorch.
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")
def test_compiled_training_gives_nearly_the_same_loss_and_weights(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    """At a small rate: at a large one, differences of rounding grow from update to update."""
    losses = []
    for name, compiled in (("eager", False), ("compiled", True)):
        recipe = make_recipe(training_faces, epochs=1, lr=1e-4, compile=compiled)
        losses.append(job.start(tmp_path / name, recipe, registry()).run.metrics()[0]["loss"])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    one, other = (load_file(tmp_path / name / "last.safetensors") for name in ("eager", "compiled"))
    parameters = [name for name in one if "running_" not in name]  # variances of 3 differ by 0.01
    assert max(float((one[name] - other[name]).abs().max()) for name in parameters) < 1e-3


@pytest.fixture
def make_updater(training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe) -> Callable[..., Updater]:
    """`make_updater(**train options)`: of a run of two epochs of four updates that is ready to be trained."""

    def make(**options: Any) -> Updater:
        recipe = make_recipe(training_faces, {"model": {"input_size": 32}}, epochs=2, **options)
        samples = open_choice(recipe.data, registry()).samples("train")
        run = Run(tmp_path / "run", recipe, registry())
        return Training.prepare(run, samples, None, accelerator_for(recipe.train)).updater

    return make


def test_every_group_has_the_rate_of_the_update(make_updater: Callable[..., Updater]) -> None:
    schedule = {"name": "warmup", "updates": 2, "schedule": "step"}
    updater = make_updater(
        lr=0.5, every_decay=1, decay=0.25, schedule=schedule, layer_lr={"backbones.rgb.features.0": 0.5}
    )
    positions = [(0, 0), (0, 1), (0, 3), (1, 0), (1, 3)]
    rates = []
    for position in positions:
        rate = updater.set_rate(*position)
        groups = {group["lr_factor"]: group["lr"] for group in updater.optimizer.param_groups}
        assert groups == {1.0: rate, 0.5: rate / 2}
        rates.append(rate)
    assert rates == [0.25, 0.5, 0.5, 0.125, 0.125]


@pytest.mark.parametrize("factor", [-1.0, float("nan"), float("inf"), None, "1"])
def test_a_factor_that_is_no_number_from_0_is_one_line(
    make_updater: Callable[..., Updater], factor: Any
) -> None:
    updater = make_updater()
    updater.schedule = lambda update: factor
    with pytest.raises(PluginError, match=r"^schedule 'step': gave .* for update 6: must be a number >= 0$"):
        updater.set_rate(1, 2)


def test_adamw_and_mixed_precision(training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(training_faces, epochs=4, optimizer="adamw", lr=0.001, amp="bf16", schedule="cosine")
    losses = [line["loss"] for line in job.start(tmp_path / "run", recipe, registry()).run.metrics()]
    assert losses[-1] < losses[0]
