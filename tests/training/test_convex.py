"""The convex solver: what it writes is an ordinary run; it continues where it stopped; what it refuses."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, DataError
from fas_core.inference.loaded_model import load_model
from fas_core.models.linear_head import capture_input
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.training import convex, job
from fas_core.training.convex import FeatureStore

MakeRecipe = Callable[..., Recipe]
LINEAR = {"model": {"backbone": {"name": "feathernet_a", "head": "linear"}}}
CONVEX = {"solver": "convex", "C": 0.01}


@pytest.fixture
def recipe(training_faces: Path, make_recipe: MakeRecipe) -> Recipe:
    return make_recipe(training_faces, LINEAR, **CONVEX, copies=1)


def test_the_run_is_one_as_any_other(recipe: Recipe, tmp_path: Path) -> None:
    outcome = job.start(tmp_path / "run", recipe, registry())

    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names >= {"recipe.yaml", "metrics.jsonl", "best.safetensors", "last.safetensors", "results.json"}
    assert "features" not in names
    run = Run.open(tmp_path / "run", registry())
    assert run.is_finished()
    (line,) = run.metrics()
    assert line["C"] == 0.01
    assert line["features"] == 64
    assert line["dev"]["eer"] == outcome.results["dev"].metrics["eer"]
    assert outcome.results["test"].metrics["auc"] > 0.9
    assert load_model(run.path, registry()).own_threshold == run.threshold()


def test_texture_is_trained(training_faces: Path, make_recipe: MakeRecipe, tmp_path: Path) -> None:
    """Bright and dark faces, of one texture but for noise: the classifier weighs statistics of early maps."""
    texture: dict[str, Any] = {"name": "texture", "network": "efficientnet_lite0", "blocks": [0, 1]}
    texture["statistics"] = ["mean", "relative_mean", "log_deviation"]
    recipe = make_recipe(training_faces, {"model": {"backbone": texture, "input_size": 32}}, **CONVEX)
    outcome = job.start(tmp_path / "run", recipe, registry())
    run = Run.open(tmp_path / "run", registry())
    (line,) = run.metrics()
    assert (line["C"], line["features"]) == (
        0.01,
        3 * (32 + 16),
    )  # channels of the stem and of the first block
    assert outcome.results["test"].metrics["auc"] > 0.9
    samples = job.open_choice(recipe.data, registry()).samples("test")
    images = next(convex.batches(samples, recipe.input, 32, 0))
    with torch.inference_mode():
        scores = run.model()({name: torch.from_numpy(pixels) for name, pixels in images.items()}).score
    np.testing.assert_allclose(scores, run.stored_scores("test").scores, atol=1e-5)
    assert load_model(run.path, registry()).own_threshold == run.threshold()


def test_only_the_classifier_is_fitted(recipe: Recipe, tmp_path: Path) -> None:
    run = job.start(tmp_path / "run", recipe, registry()).run
    torch.manual_seed(recipe.train.seed)
    fresh = convex.build_model(recipe, registry()).state_dict()
    fitted = load_file(run.weights("last"))
    changed = {name for name, value in fitted.items() if not torch.equal(value, fresh[name])}
    assert changed == {"backbones.rgb.classifier.weight", "backbones.rgb.classifier.bias"}


def test_the_weights_are_those_of_scikit_learn(
    training_faces: Path, make_recipe: MakeRecipe, tmp_path: Path
) -> None:
    """Standardised features, classes of equal size, no copies: the textbook's logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    recipe = make_recipe(training_faces, LINEAR, **CONVEX)
    run = job.start(tmp_path / "run", recipe, registry()).run
    model, train = run.model(), job.open_choice(recipe.data, registry()).samples("train")
    images = next(convex.batches(train, recipe.input, 32, 0))
    inputs = {name: torch.from_numpy(pixels) for name, pixels in images.items()}
    logits, features = capture_input(model, model.backbones["rgb"].classifier, inputs)
    assert logits is not None
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, tol=1e-9))
    reference.fit(features.numpy().astype(np.float64), train.labels)
    expected = reference.decision_function(features.numpy().astype(np.float64))
    np.testing.assert_allclose((logits[:, 1] - logits[:, 0]).numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("stop_after", [1, 3])
def test_resuming_keeps_what_was_computed(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    """Ctrl-C in the samples and in their copies; of four batches of 8 each, in files of two."""
    monkeypatch.setattr(convex, "BATCH_SIZE", 8)
    monkeypatch.setattr(convex, "STORED_BATCHES", 2)
    job.start(tmp_path / "whole", recipe, registry())
    original, calls = convex.capture_input, [0]
    stop = {1: 1, 3: 7}[stop_after]

    def capture(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == stop:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments)

    monkeypatch.setattr(convex, "capture_input", capture)
    with pytest.raises(KeyboardInterrupt):
        job.start(tmp_path / "run", recipe, registry())
    assert calls[0] == stop
    assert not Run.open(tmp_path / "run", registry()).is_finished()
    job.resume(tmp_path / "run", registry(), {})
    assert calls[0] == 8  # no batch twice
    first, second = (load_file(tmp_path / name / "best.safetensors") for name in ("whole", "run"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_other_samples_are_refused_on_resuming(
    tmp_path: Path, make_recipe: MakeRecipe, write_faces: Callable[..., None]
) -> None:
    for split in ("train", "dev"):
        write_faces(tmp_path / "faces", split, "live", 4, 170)
        write_faces(tmp_path / "faces", split, "attack/print", 4, 80)
    job.start(tmp_path / "run", make_recipe(tmp_path / "faces", LINEAR, **CONVEX), registry())
    (tmp_path / "faces" / "train" / "live" / "train-live-00.png").unlink()
    with pytest.raises(DataError, match="training samples have changed"):
        job.resume(tmp_path / "run", registry(), {}, anyway=True)


def test_c_is_chosen_by_cross_validation(
    training_faces: Path, make_recipe: MakeRecipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = job.start(tmp_path / "run", make_recipe(training_faces, LINEAR, solver="convex"), registry()).run
    (line,) = run.metrics()
    assert line["held_out_by"] == "id"  # the folder names neither people nor sessions
    assert str(line["C"]) in [str(float(key)) for key in line["held_out_eer"]]
    assert line["held_out_eer"][f"{line['C']:g}"] == min(line["held_out_eer"].values())
    assert "by the mean EER" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("changes", "train", "message"),
    [
        ({}, {}, "one linear layer computes from an embedding"),
        ({"model": {"backbone": "cdcn"}}, {}, "one linear layer"),
        ({"model": {"fusion": {"name": "concat_linear", "classifier": "cosine"}}}, {}, "one linear layer"),
        ({**LINEAR, "model": LINEAR["model"] | {"patches": {"grid": 2}}}, {}, "without model.patches"),
        ({**LINEAR, "model": LINEAR["model"] | {"num_classes": 3}}, {}, "must have two classes"),
    ],
)
def test_a_model_without_such_a_layer_is_refused(
    training_faces: Path,
    make_recipe: MakeRecipe,
    tmp_path: Path,
    changes: dict[str, Any],
    train: dict[str, Any],
    message: str,
) -> None:
    recipe = make_recipe(training_faces, changes, **CONVEX, **train)
    with pytest.raises(ConfigError, match=message):
        job.start(tmp_path / "run", recipe, registry())
    assert not (tmp_path / "run").exists()


def test_a_damaged_file_of_embeddings_is_named(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.append(0, np.ones((3, 2), np.float32))
    store.append(3, np.zeros((1, 2), np.float32))
    assert [len(table) for table in store.read()] == [3, 1]
    (tmp_path / "00000003.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(DataError, match=r"00000003\.npy: damaged"):
        store.read()


def test_three_modalities_with_copies_that_lack_some(tmp_path: Path, make_recipe: MakeRecipe) -> None:
    changes = {
        "data": {"name": "synthetic", "root": str(tmp_path / "faces"), "subjects": 9, "shots": 1, "size": 48},
        "modalities": ["rgb", "depth", "ir"],
        "model": {"backbone": "feathernet_b", "fusion": "concat_linear", "input_size": 32},
    }
    recipe = make_recipe(tmp_path, changes, **CONVEX, copies=1, modality_dropout=0.5)
    run = job.start(tmp_path / "run", recipe, registry()).run
    assert json.loads((run.path / "results.json").read_text())["splits"]["dev"]["metrics"]["auc"] > 0.5
    with pytest.raises(ConfigError, match="there are none"):
        job.start(
            tmp_path / "none",
            make_recipe(tmp_path, changes, **CONVEX, modality_dropout=0.5),
            registry(),
        )
