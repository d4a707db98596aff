"""Training runs: the files of the run folder, exact resuming, which weights are the best, and refusals."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fixtures.updates import after_each_update
from safetensors.torch import load_file

from fas_core.config.recipe import Recipe
from fas_core.errors import DataError, FasError, ModelError
from fas_core.models.checkpoint import load_state
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.training import job
from fas_core.training.divergence import DivergedError
from fas_core.training.updates import Updater

MakeRecipe = Callable[..., Recipe]
WriteFaces = Callable[[Path, str, str, int, int], None]


def test_a_run_folder_holds_all_files(training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    outcome = job.start(tmp_path / "run", make_recipe(training_faces, epochs=12), registry())

    files = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"recipe.yaml", "environment.json", "metrics.jsonl", "best.safetensors"} <= files
    assert {"last.safetensors", "state.pt", "scores", "results.json"} <= files
    assert not [name for name in files if ".part" in name]
    lines = outcome.run.metrics()
    assert [line["epoch"] for line in lines] == list(range(1, 13))
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert set(outcome.results) == {"dev", "test"}
    assert outcome.results["test"].metrics["auc"] > 0.9
    assert Run.open(tmp_path / "run", registry()).recipe == outcome.run.recipe


def test_the_same_seed_gives_the_same_weights(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    for name in ("a", "b"):
        job.start(tmp_path / name, make_recipe(training_faces, epochs=1), registry())
    job.start(tmp_path / "c", make_recipe(training_faces, epochs=1, seed=15), registry())

    first, second, other = (load_file(tmp_path / name / "last.safetensors") for name in "abc")
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize(
    ("stop_after", "options"),
    [
        (2, {}),
        (4, {"workers": 1}),
        (5, {}),
        (5, {"average": 0.9}),
        (5, {"balance": "species", "accumulate": 2, "clip": 0.5}),
        (3, {"optimizer": "adamw", "schedule": {"name": "warmup", "updates": 6, "schedule": "one_cycle"}}),
        (
            5,
            {
                "optimizer": {"name": "torch", "type": "RMSprop"},
                "schedule": {"name": "cosine", "every": "update"},
            },
        ),
    ],
)
def test_resuming_continues_exactly(
    training_faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop_after: int,
    options: dict[str, Any],
    make_recipe: MakeRecipe,
) -> None:
    """Ctrl-C after the second, fourth (the epoch's last) and fifth batch of two epochs of four."""
    recipe = make_recipe(training_faces, epochs=2, **options)
    whole = job.start(tmp_path / "whole", recipe, registry())
    numbers = []

    def stop(_: Updater, number: int) -> None:
        numbers.append(number)
        if number == stop_after:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        after_each_update(patch, stop)
        with pytest.raises(KeyboardInterrupt):
            job.start(tmp_path / "cut", recipe, registry())
    assert len(numbers) == stop_after
    resumed = job.resume(tmp_path / "cut", registry(), {})

    for name in ("last.safetensors", "best.safetensors"):
        first, second = load_file(tmp_path / "whole" / name), load_file(tmp_path / "cut" / name)
        assert all(torch.equal(first[key], second[key]) for key in first)
    assert resumed.results["test"].metrics == whole.results["test"].metrics
    figures = [[(line["loss"], line["lr"]) for line in run.metrics()] for run in (whole.run, resumed.run)]
    assert figures[0] == figures[1]


def test_more_epochs_by_resuming(training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    job.start(tmp_path / "run", make_recipe(training_faces, epochs=1), registry())
    outcome = job.resume(tmp_path / "run", registry(), {"train.epochs": 2})
    assert [line["epoch"] for line in outcome.run.metrics()] == [1, 2]
    assert Run.open(tmp_path / "run", registry()).recipe.train.epochs == 2


def test_what_follows_the_epochs_may_end_the_run_which_can_be_resumed(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    recipe = make_recipe(training_faces, {"model": {"input_size": 32}}, epochs=3)
    run, seen = Run(tmp_path / "run", recipe, registry()), []

    def end_after_two() -> None:
        seen.append(len(run.metrics()))
        if len(seen) == 2:
            raise StopIteration

    with pytest.raises(StopIteration):
        job.start(run.path, recipe, registry(), after_epoch=end_after_two)
    assert not run.is_finished()
    outcome = job.resume(run.path, registry(), {}, after_epoch=end_after_two)
    assert seen == [1, 2, 3]
    assert outcome.run.is_finished()


def test_one_class_is_refused_before_anything_is_written(
    tmp_path: Path, make_recipe: MakeRecipe, write_faces: WriteFaces
) -> None:
    for split in ("train", "dev"):
        write_faces(tmp_path / "faces", split, "live", 4, 170)
    with pytest.raises(DataError, match="both classes"):
        job.start(tmp_path / "run", make_recipe(tmp_path / "faces"), registry())
    assert not (tmp_path / "run").exists()


def test_a_modality_that_is_missing_is_named(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    changes = {"modalities": ["rgb", "depth"], "model": {"fusion": "concat_linear"}}
    with pytest.raises(DataError, match="depth"):
        job.start(tmp_path / "run", make_recipe(training_faces, changes), registry())
    assert not (tmp_path / "run").exists()


def test_an_existing_run_is_not_overwritten(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    job.start(tmp_path / "run", make_recipe(training_faces, epochs=1), registry())
    before = (tmp_path / "run" / "metrics.jsonl").read_text()
    with pytest.raises(FasError, match="--resume"):
        job.start(tmp_path / "run", make_recipe(training_faces, epochs=1), registry())
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == before


def test_weights_of_another_recipe_are_refused(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    run = job.start(tmp_path / "run", make_recipe(training_faces, epochs=1), registry()).run
    changed = run.changed({"model.backbone": "feathernet_b"})
    with pytest.raises(ModelError, match="another model"):
        changed.model()


@pytest.mark.parametrize("damage", [b"", b"not weights"])
def test_damaged_files_are_one_line(
    training_faces: Path, tmp_path: Path, damage: bytes, make_recipe: MakeRecipe
) -> None:
    run = job.start(tmp_path / "run", make_recipe(training_faces, epochs=1), registry()).run
    run.weights().write_bytes(damage)
    (run.path / "state.pt").write_bytes(damage)
    with pytest.raises(ModelError, match=r"best\.safetensors") as weights:
        run.model()
    with pytest.raises(ModelError, match=r"state\.pt") as state:
        job.resume(run.path, registry(), {})
    assert "\n" not in str(weights.value) + str(state.value)


def test_a_loss_that_is_not_finite_ends_the_run_with_advice(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    with pytest.raises(DivergedError) as raised:
        job.start(tmp_path / "run", make_recipe(training_faces, epochs=3, lr=1e12), registry())
    message = str(raised.value)
    assert message.startswith(
        f"{tmp_path / 'run'}: diverged in epoch 1 at learning rate 1e+12: the loss of step "
    )
    assert message.endswith("; what was saved at epoch 1 stays: train anew with a lower train.lr")
    check_nothing_diverged_is_saved(tmp_path / "run")


def test_weights_that_are_not_finite_are_saved_nowhere(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an epoch's last step, whose loss is of the weights before; without dev any would be best."""

    def spoil(updater: Updater, number: int) -> None:
        if number == 4:
            next(updater.model.parameters()).data.view(-1)[0] = float("nan")

    shutil.copytree(training_faces, tmp_path / "faces", ignore=shutil.ignore_patterns("dev"))
    after_each_update(monkeypatch, spoil)
    with pytest.raises(DivergedError, match=r"diverged in epoch 1 .*: weights are not finite after step 4; "):
        job.start(tmp_path / "run", make_recipe(tmp_path / "faces", epochs=2), registry())
    check_nothing_diverged_is_saved(tmp_path / "run")


def check_nothing_diverged_is_saved(run: Path) -> None:
    state = load_state(run / "state.pt")
    assert all(bool(value.isfinite().all()) for value in state["model"].values())
    assert not list(run.glob("*.safetensors"))


@pytest.mark.parametrize("crash_after", [1, 3])
def test_a_crash_within_an_epoch_costs_a_step(
    training_faces: Path,
    tmp_path: Path,
    make_recipe: MakeRecipe,
    monkeypatch: pytest.MonkeyPatch,
    crash_after: int,
) -> None:
    """The state is saved before the first step, and here after every one."""
    recipe = make_recipe(training_faces, epochs=1, checkpoint_minutes=1e-9)
    whole = job.start(tmp_path / "whole", recipe, registry()).run
    with monkeypatch.context() as patch:

        def crash(_: Updater, number: int) -> None:
            if number == crash_after:
                raise RuntimeError("a crash")

        after_each_update(patch, crash)
        with pytest.raises(RuntimeError, match="a crash"):
            job.start(tmp_path / "run", recipe, registry())
    position = load_state(tmp_path / "run" / "state.pt")["position"]
    assert (position["epoch"], position["batch"]) == (0, crash_after - 1)
    with pytest.raises(FasError, match="--resume"):
        job.start(tmp_path / "run", recipe, registry())
    resumed = job.resume(tmp_path / "run", registry(), {}).run
    first, second = (load_file(run.weights()) for run in (whole, resumed))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert whole.metrics()[0]["loss"] == resumed.metrics()[0]["loss"]


def test_usr1_saves_and_goes_on_where_the_recipe_says_so(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    positions = []

    def act(_: Updater, number: int) -> None:
        positions.append(load_state(tmp_path / "run" / "state.pt")["position"]["batch"])
        if number == 2:
            signal.raise_signal(signal.SIGUSR1)

    after_each_update(monkeypatch, act)
    outcome = job.start(
        tmp_path / "run", make_recipe(training_faces, epochs=1, on_usr1="continue"), registry()
    )
    assert positions == [0, 0, 2, 2]
    assert outcome.run.is_finished()


def test_a_model_of_one_modality_learns_a_map_from_another(
    make_recipe: MakeRecipe, tmp_path: Path, write_faces: WriteFaces
) -> None:
    rows = ["rgb,depth,label,split"]
    for kind, label, levels in (("live", 1, (170, 200)), ("attack/print", 0, (80, 0))):
        for modality, level in zip(("rgb", "depth"), levels, strict=True):
            write_faces(tmp_path / modality, "train", kind, 6, level)
        for path in sorted((tmp_path / "rgb" / "train" / kind).iterdir()):
            place = path.relative_to(tmp_path / "rgb")
            rows.append(f"rgb/{place},depth/{place},{label},train")
    manifest = tmp_path / "faces.csv"
    manifest.write_text("\n".join(rows) + "\n")
    changes = {
        "data": {"name": "manifest", "root": str(manifest)},
        "model": {"backbone": "cdcn"},
        "loss": {"name": "contrast_depth", "target": "depth"},
    }
    recipe = make_recipe(manifest, changes, batch_size=4, epochs=1)
    outcome = job.start(tmp_path / "run", recipe, registry())
    assert recipe.modalities == ("rgb",)
    assert outcome.run.metrics()[0]["loss"] > 0

    manifest.write_text("\n".join(row.replace("depth", "thermal", 1) for row in rows) + "\n")
    with pytest.raises(DataError, match="no 'depth' images"):
        job.start(tmp_path / "other", recipe, registry())
    assert not (tmp_path / "other").exists()
