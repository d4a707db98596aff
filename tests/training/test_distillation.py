"""Training against a teacher: what is learned, that resuming is exact, and what is refused."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from attrs import evolve
from fixtures.recipes import plain_recipe, structured
from fixtures.updates import after_each_update
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from fas_core.config.load import merge
from fas_core.config.recipe import Recipe
from fas_core.data.loader import training_loader
from fas_core.data.open import open_choice
from fas_core.errors import ConfigError, FasError
from fas_core.exporting.export_card import export_card
from fas_core.models.build import build_model
from fas_core.records.outputs import Batch
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.training import job
from fas_core.training.distillation import distil, load_teacher
from fas_core.training.loss import build_loss
from fas_core.training.step import split_batch
from fas_core.training.updates import Updater

Student = Callable[..., Recipe]
EVERYTHING = {"average": 0.9, "accumulate": 2, "amp": "bf16"}
THIN = {"model": {"input_size": 32, "backbone": {"name": "feathernet_a", "width": 0.5}}}


@pytest.fixture(scope="module")
def teacher(training_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a network whose streaming head has other logits than the students'; do not change it."""
    path = tmp_path_factory.mktemp("teacher") / "run"
    tree = plain_recipe(training_faces, epochs=1)
    tree["model"]["input_size"] = 32
    job.start(path, structured(tree), registry())
    return path


def build_student(
    faces: Path,
    teacher: Path,
    changes: dict[str, Any] | None = None,
    weight: float | None = 0.7,
    **train: Any,
) -> Recipe:
    """Return the recipe of a network of half the width, whose batches are mixed."""
    if weight is not None:
        train["distillation"] = {"run": str(teacher), "weight": weight, "temperature": 3}
    tree = merge(plain_recipe(faces, **{"epochs": 1, **train}), {**THIN, "augment": {"mix": 1.0}})
    return structured(merge(tree, changes or {}))


@pytest.fixture
def student(training_faces: Path, teacher: Path) -> Student:
    """`student(changes={...}, weight=0.7, average=0.9)`: as `build_student`."""
    return partial(build_student, training_faces, teacher)


def read(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "last.safetensors")


def are_equal(first: Path, second: Path) -> bool:
    one, two = read(first), read(second)
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


@pytest.fixture(scope="module")
def distilled(training_faces: Path, teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a student; do not change it."""
    path = tmp_path_factory.mktemp("student") / "run"
    job.start(path, build_student(training_faces, teacher, **EVERYTHING), registry())
    return path


def test_a_weight_of_zero_is_training_alone(student: Student, tmp_path: Path) -> None:
    """To the bit: the teacher draws none of the student's random numbers."""
    job.start(tmp_path / "alone", student(weight=None), registry())
    job.start(tmp_path / "zero", student(weight=0), registry())
    assert are_equal(tmp_path / "alone", tmp_path / "zero")


def first_batch(recipe: Recipe) -> Batch:
    samples = open_choice(recipe.data, registry()).samples("train")
    return next(iter(training_loader(samples, recipe)))


def test_the_loss_is_the_weighted_sum_over_the_batch_as_the_student_sees_it(
    student: Student, teacher: Path
) -> None:
    """Of the images after cropping and mixing; T^2 times the divergence of Hinton et al., of the log-odds."""
    recipe = student()
    batch = first_batch(recipe)
    model = build_model(recipe, registry()).train()
    hard = build_loss(recipe.loss, registry(), model)
    loaded = load_teacher(recipe, registry(), Accelerator(cpu=True))
    loss = distil(hard, loaded, recipe, model)
    outputs = model(batch.images)

    with torch.no_grad():
        scored = Run.open(teacher, registry()).model()(batch.images)
    odds = [torch.logit(item.score.double()) / 3 for item in (outputs, scored)]
    (log_student, log_teacher) = (
        torch.stack([F.logsigmoid(-value), F.logsigmoid(value)], dim=1) for value in odds
    )
    soft = 9 * F.kl_div(log_student, log_teacher, log_target=True, reduction="batchmean")
    expected = 0.3 * hard(outputs, batch) + 0.7 * soft
    assert loss(outputs, batch).item() == pytest.approx(expected.item(), rel=1e-4)

    parts = split_batch(batch, 3)
    rows = torch.arange(len(batch.label)).tensor_split(3)
    total = sum(
        loss(evolve(outputs, logits=outputs.logits[row], score=outputs.score[row]), part).item() * len(row)
        for part, row in zip(parts, rows, strict=True)
    )
    assert total / len(batch.label) == pytest.approx(loss(outputs, batch).item(), rel=1e-5)


def test_nothing_of_the_teacher_is_trained_or_saved(student: Student) -> None:
    recipe = student()
    model = build_model(recipe, registry())
    loaded = load_teacher(recipe, registry(), Accelerator(cpu=True))
    loss = distil(build_loss(recipe.loss, registry(), model), loaded, recipe, model)
    assert not list(loss.parameters())
    assert not loss.state_dict()
    assert loaded is not None
    assert not loaded.model.training
    assert not loaded.compute_logits(first_batch(recipe)).requires_grad


def test_resuming_continues_exactly(
    student: Student, distilled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In mixed precision, with a running mean of the weights and batches in two parts."""

    def stop(_: Updater, number: int) -> None:
        if number == 2:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        after_each_update(patch, stop)
        with pytest.raises(KeyboardInterrupt):
            job.start(tmp_path / "cut", student(**EVERYTHING), registry())
    job.resume(tmp_path / "cut", registry(), {})
    assert are_equal(distilled, tmp_path / "cut")


def test_a_resumed_run_needs_the_teacher_that_it_began_with(
    distilled: Path, teacher: Path, tmp_path: Path
) -> None:
    run, moved = tmp_path / "run", tmp_path / "moved"
    shutil.copytree(distilled, run)
    shutil.copytree(teacher, moved)
    more = {"train.epochs": 2, "train.distillation.run": str(moved)}

    weights = moved / "best.safetensors"
    changed = {name: value * 1.01 for name, value in load_file(weights).items()}
    save_file(changed, weights)
    with pytest.raises(FasError) as refused:
        job.resume(run, registry(), more)
    assert any(line.startswith("weights of the teacher: ") for line in refused.value.problems)

    weights.unlink()
    with pytest.raises(FasError, match=r"train\.distillation\.run: .*best\.safetensors"):
        job.resume(run, registry(), more)

    shutil.copy(teacher / "best.safetensors", weights)
    job.resume(run, registry(), more)
    (start,) = json.loads((run / "history.json").read_text())[:1]
    assert start["conditions"]["teacher"] == _digest(teacher)


def _digest(run: Path) -> str:
    from safetensors import safe_open

    with safe_open(run / "best.safetensors", "pt") as file:
        return str(file.metadata()["sha256"])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"modalities": ["rgb", "ir"], "model": {**THIN["model"], "fusion": "concat_linear"}}, "modalities"),
        ({"model": {**THIN["model"], "input_size": 64}}, r"input size \(32\) and the student's \(64\)"),
        ({"crops": {"rgb": {"scale": 2.7}}}, "crops"),
    ],
)
def test_a_teacher_of_other_images_is_refused(
    student: Student, changes: dict[str, Any], problem: str
) -> None:
    recipe = student(changes)
    with pytest.raises(ConfigError, match=problem):
        load_teacher(recipe, registry(), Accelerator(cpu=True))


def test_a_network_that_predicts_a_map_is_not_taught(student: Student) -> None:
    recipe = student({"model": {**THIN["model"], "backbone": "cdcn"}, "loss": "map_mse"})
    teacher, model = load_teacher(recipe, registry(), Accelerator(cpu=True)), build_model(recipe, registry())
    with pytest.raises(ConfigError, match="this model predicts a map and has no logits"):
        distil(torch.nn.Identity(), teacher, recipe, model)


def test_what_is_no_run_is_refused_before_anything_is_written(student: Student, tmp_path: Path) -> None:
    recipe = student(distillation={"run": str(tmp_path)}, weight=None)
    with pytest.raises(FasError, match=r"train\.distillation\.run: .*not a run folder"):
        job.start(tmp_path / "run", recipe, registry())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"folds": "subject:5"}, "folds hold out people"), ({"train": {"solver": "convex"}}, "labels alone")],
)
def test_folds_and_the_convex_solver_have_no_teacher(
    student: Student, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        student(changes)


def test_an_exported_file_does_not_say_where_the_teacher_lay(distilled: Path) -> None:
    card = export_card(Run.open(distilled, registry()), "best")
    assert card.recipe["train"]["distillation"]["run"] == "run"


def test_the_flag_names_the_teacher(
    teacher: Path, training_faces: Path, tmp_path: Path, fas: Callable[..., Any]
) -> None:
    """With the recipe of the teacher; the student's recipe records it."""
    command = (
        "train",
        teacher / "recipe.yaml",
        "--distil-from",
        teacher,
        "--runs",
        tmp_path,
        "--name",
        "thin",
    )
    done = fas(*command, "--set", "model.backbone.width=0.5")
    assert done.exit_code == 0, done.output
    assert f"teacher {teacher}: feathernet_a" in done.output
    recipe = Run.open(tmp_path / "thin", registry()).recipe
    assert recipe.train.distillation is not None
    assert recipe.train.distillation.run == teacher
