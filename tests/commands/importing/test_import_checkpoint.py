"""Checkpoints as they were published, to run folders, and to weights that training starts from."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fas_core.config.recipe import Recipe
from fas_core.descriptors import Backbone
from fas_core.errors import ConfigError, FasError, ModelError
from fas_core.models.build import build_model
from fas_core.models.checkpoint import load_state
from fas_core.models.matching import adapt_input_channels
from fas_core.models.model import Model
from fas_core.models.pretrained import PretrainedBranch, load_pretrained
from fas_core.models.published import read_published
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.runtime.model_file import ModelFile
from fas_core.scores.table import ScoreTable
from fas_core.training import job
from fas_plugins.commands.importing.entries import match_by_order
from fas_plugins.commands.importing.import_checkpoint import ImportedRun, import_checkpoint
from fas_plugins.commands.importing.recipe import build_recipe, list_assumptions

MakeRecipe = Callable[..., Recipe]
Weights = dict[str, Tensor]
SIDE = 64


def network(name: str, seed: int = 3, **settings: Any) -> nn.Module:
    """A backbone with seeded weights, in eval mode."""
    torch.manual_seed(seed)
    component = registry().find(Backbone, name)
    made = component.load()(component.options(), input_size=SIDE, **settings)
    assert isinstance(made, nn.Module)
    for value in made.state_dict().values():
        if value.is_floating_point() and value.ndim == 1:
            value.uniform_(0.5, 1.5)
    return made.eval()


def published(made: nn.Module, prefix: str = "") -> Weights:
    """Its state dict under published names."""
    return {prefix + made.published_name(name): value for name, value in made.state_dict().items()}  # type: ignore[operator]


def recipe_of(arch: str, chosen: dict[str, Any] | None = None, **overrides: Any) -> Recipe:
    settings = {"model.input_size": SIDE, **overrides}
    return build_recipe("feathernet-b-32", registry(), [arch], chosen or {}, settings)


def imports(source: Path, arch: str, path: Path, **more: Any) -> ImportedRun:
    return import_checkpoint([source], path, recipe_of(arch), registry(), **more)


@pytest.fixture(scope="module")
def feathernet() -> nn.Module:
    return network("feathernet_a")


@pytest.fixture(scope="module")
def checkpoint(feathernet: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "feathernet.pth"
    torch.save(published(feathernet), path)
    return path


@pytest.mark.parametrize(
    ("name", "prefix", "wrapped"),
    [
        ("a.pth", "", False),
        ("a.pth", "module.", False),
        ("a.pth.tar", "module.", True),
        ("a.tar", "", True),
        ("a.safetensors", "module.", False),
    ],
)
def test_every_published_form_gives_the_same_model(
    tmp_path: Path, feathernet: nn.Module, name: str, prefix: str, wrapped: bool
) -> None:
    weights, file = published(feathernet, prefix), tmp_path / name
    if name.endswith(".safetensors"):
        save_file(weights, file)
    else:
        torch.save({"epoch": 4, "state_dict": weights} if wrapped else weights, file)

    run = imports(file, "feathernet_a", tmp_path / "run").run

    x = torch.rand(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        assert torch.equal(run.model().backbones["depth"](x), feathernet(x))
    assert Run.open(tmp_path / "run", registry()).recipe == run.recipe
    assert run.threshold().value == 0.5
    assert run.recipe.model.normalize["depth"].mean[0] == pytest.approx(0.143, abs=1e-3)


def test_options_say_what_a_file_cannot() -> None:
    chosen = {"modalities": ["ir"], "mean": [0.1, 0.2, 0.3]}
    recipe = recipe_of("feathernet_a", chosen, threshold="fixed:0.7")
    assert recipe.modalities == ("ir",)
    assert recipe.model.normalize["ir"].mean == (0.1, 0.2, 0.3)
    assert recipe.model.normalize["ir"].std[0] == pytest.approx(0.1005, abs=1e-4)
    assert recipe.threshold == "fixed:0.7"


def test_a_network_that_predicts_a_map_scores_by_its_mean(tmp_path: Path) -> None:
    torch.save(published(network("cdcn")), tmp_path / "cdcn.pth")
    run = imports(tmp_path / "cdcn.pth", "cdcn", tmp_path / "run").run
    model = run.model()
    with torch.inference_mode():
        outputs = model({"depth": torch.randint(256, (2, SIDE, SIDE, 3), dtype=torch.uint8)})
    assert outputs.map is not None
    assert outputs.map.shape == (2, SIDE // 8, SIDE // 8)
    assert torch.allclose(outputs.score, outputs.map.mean(dim=(1, 2)))
    assert run.recipe.model.normalize["depth"].std[0] == pytest.approx(128 / 255)


@pytest.mark.parametrize("arch", ["feathernet_b", "mobilenetv2"])
def test_another_architecture_is_one_line_and_nothing_is_written(
    checkpoint: Path, tmp_path: Path, arch: str
) -> None:
    with pytest.raises(ModelError, match=f"does not fit {arch}") as raised:
        imports(checkpoint, arch, tmp_path / "run")
    assert "missing in the file" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_partial_takes_what_fits_and_keeps_the_rest_fresh(
    checkpoint: Path, feathernet: nn.Module, tmp_path: Path
) -> None:
    imported = imports(checkpoint, "feathernet_b", tmp_path / "run", partial=True)
    assert imported.matched.missing
    assert imported.epoch is None
    ours = load_file(tmp_path / "run" / "best.safetensors")
    stem = "features.0.0.weight"
    assert torch.equal(ours[f"backbones.depth.{stem}"], feathernet.state_dict()[stem])


class Payload:
    """Pickled, it asks its reader to make a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, feathernet: nn.Module) -> None:
    made_by_it = tmp_path / "made_by_it"
    torch.save({"state_dict": published(feathernet), "extra": Payload(made_by_it)}, tmp_path / "zip.pth")
    (tmp_path / "bare.pth.tar").write_bytes(pickle.dumps(Payload(made_by_it)))
    (tmp_path / "old.tar").write_bytes(pickle.dumps(Payload(made_by_it), protocol=2))
    for name, said in (
        ("zip.pth", "call (posix|nt).mkdir"),
        ("old.tar", "call (posix|nt).mkdir"),
        ("bare.pth.tar", "refused"),
    ):
        with pytest.raises(ModelError, match=said) as raised:
            imports(tmp_path / name, "feathernet_a", tmp_path / "run")
        assert "\n" not in str(raised.value)
    assert not made_by_it.exists()
    assert not (tmp_path / "run").exists()


def save_as_before_zip(weights: Weights, path: Path) -> None:
    """As PyTorch before 1.6 did, which is what the published files are."""
    torch.save(weights, path, _use_new_zipfile_serialization=False)


def test_files_of_old_versions_are_read(tmp_path: Path, feathernet: nn.Module) -> None:
    save_as_before_zip(published(feathernet), tmp_path / "old.pth.tar")
    found = read_published(tmp_path / "old.pth.tar").weights
    assert all(torch.equal(found[name], value) for name, value in published(feathernet).items())


@pytest.mark.parametrize(
    ("name", "save"),
    [("a.pth", torch.save), ("a.pth.tar", save_as_before_zip), ("a.safetensors", save_file)],
)
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.3, 0.95])
def test_a_truncated_file_is_one_line(
    tmp_path: Path, feathernet: nn.Module, name: str, save: Callable[[Weights, Path], None], kept: float
) -> None:
    whole, cut = tmp_path / f"whole-{name}", tmp_path / f"cut-{name}"
    save(published(feathernet), whole)
    cut.write_bytes(whole.read_bytes()[: int(kept * whole.stat().st_size)])
    with pytest.raises(ModelError, match=r"cut.*truncated") as raised:
        imports(cut, "feathernet_a", tmp_path / "run")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("held", "said"),
    [({"model": 3}, "holds model"), ([1], "holds a list"), ({"state_dict": {}}, "empty")],
)
def test_what_is_no_state_dict_is_named(tmp_path: Path, held: object, said: str) -> None:
    torch.save(held, tmp_path / "a.pth")
    with pytest.raises(ModelError, match=said):
        read_published(tmp_path / "a.pth")


def test_files_that_are_not_there_or_have_other_names(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_published(tmp_path / "none.pth")
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ModelError, match="an HDF5 file"):
        read_published(tmp_path / "a.h5")
    (tmp_path / "run").mkdir()
    with pytest.raises(FasError, match="exists already"):
        imports(checkpoint, "feathernet_a", tmp_path / "run")


def test_entries_without_published_names_are_paired_by_order(tmp_path: Path) -> None:
    """Several branches, under names of their own, from before batch norms counted batches."""
    recipe = recipe_of("feathernet_a", {"modalities": ["rgb", "ir"], "fusion": "concat_linear"})
    theirs: Weights = {}
    for branch in ("color", "infrared"):
        made = network("feathernet_a", seed=len(branch), until="embeddings")
        theirs |= {f"{branch}_net.{name}": value for name, value in made.state_dict().items()}
    theirs = {name: value for name, value in theirs.items() if not name.endswith("batches_tracked")}
    theirs |= {"fc.weight": torch.rand(2, 128), "fc.bias": torch.rand(2)}
    torch.save({"state_dict": theirs}, tmp_path / "fused.pth")

    imported = import_checkpoint(
        [tmp_path / "fused.pth"], tmp_path / "run", recipe, registry(), match="order"
    )

    pairs = dict(imported.matched.pairs)
    assert pairs["backbones.ir.features.0.0.weight"] == "infrared_net.features.0.0.weight"
    assert pairs["fusion.classifier.weight"] == "fc.weight"
    ours = load_file(tmp_path / "run" / "best.safetensors")
    assert all(torch.equal(ours[name], theirs[found]) for name, found in pairs.items())


def test_a_checkpoint_for_each_branch_becomes_one_model(tmp_path: Path) -> None:
    names = {"rgb": "feathernet_a", "ir": "feathernet_b"}
    options, sizes = {"modalities": list(names)}, {"model.input_size": SIDE}
    recipe = build_recipe("feathernet-b-32", registry(), list(names.values()), options, sizes)
    assert recipe.model.fusion.name == "score_mean"
    networks = {modality: network(name, until="logits") for modality, name in names.items()}
    for modality, module in networks.items():
        torch.save(published(module, "module."), tmp_path / f"{modality}.pth")
    sources = [tmp_path / "rgb.pth", tmp_path / "ir.pth"]

    imported = import_checkpoint(sources, tmp_path / "run", recipe, registry())

    assert imported.matched.exact
    state = load_file(tmp_path / "run" / "best.safetensors")
    for modality, module in networks.items():
        entries = module.state_dict()
        assert all(torch.equal(state[f"backbones.{modality}.{name}"], entries[name]) for name in entries)
    with pytest.raises(ModelError, match="does not fit"):
        import_checkpoint(sources[::-1], tmp_path / "swapped", recipe, registry())
    with pytest.raises(FasError, match="3 checkpoints for rgb, ir"):
        import_checkpoint([*sources, sources[0]], tmp_path / "more", recipe, registry())


def test_backbones_for_some_modalities_are_refused() -> None:
    options = {"modalities": ["rgb", "ir", "depth"]}
    with pytest.raises(ConfigError, match="2 backbones for the modalities rgb, ir, depth"):
        build_recipe("feathernet-b-32", registry(), ["feathernet_a", "feathernet_b"], options, {})


def test_order_keeps_apart_what_has_one_shape() -> None:
    four = {f"bn.{name}": torch.rand(3) for name in ("weight", "bias", "running_mean", "running_var")}
    other = {name.replace("bn", "norm"): value for name, value in reversed(four.items())}
    matched = match_by_order(four, {**other, "more.weight": torch.rand(9)})
    assert dict(matched.pairs) == {name: name.replace("bn", "norm") for name in four}
    assert matched.unused == ("more.weight (9,)",)


@pytest.fixture
def imagenet(tmp_path: Path) -> Path:
    path = tmp_path / "mobilenetv2.pth.tar"
    torch.save(published(network("mobilenetv2", num_classes=1000), "module."), path)
    return path


def test_a_thousand_classes_are_pretrained_weights_only(imagenet: Path, tmp_path: Path) -> None:
    imported = imports(imagenet, "mobilenetv2", tmp_path / "run")
    assert imported.classes == 1000
    assert not imported.has_scores
    run = Run.open(tmp_path / "run", registry())
    with pytest.raises(ModelError, match="pretrained weights only"):
        run.model()
    assert run.recipe.model.pretrained == (tmp_path / "run" / "pretrained.safetensors").resolve()
    kept, given = read_published(run.recipe.model.pretrained).weights, read_published(imagenet).weights
    assert set(kept) == set(given)
    assert all(torch.equal(kept[name], given[name]) for name in given)


def started(
    root: Path, imagenet: Path, make_recipe: MakeRecipe, **changes: Any
) -> tuple[Model, list[PretrainedBranch]]:
    """A model of MobileNetV2 as training starts with it, and what was taken."""
    model = {"backbone": "mobilenetv2", "pretrained": str(imagenet)} | changes.pop("model", {})
    recipe = make_recipe(root, {"model": model, **changes})
    built = build_model(recipe, registry())
    return built, load_pretrained(built, recipe, registry())


def test_training_starts_from_pretrained_weights_but_for_the_classifier(
    imagenet: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    model, (taken,) = started(tmp_path, imagenet, make_recipe)
    got, given = model.state_dict(), read_published(imagenet).weights
    assert got["backbones.rgb.classifier.weight"].shape == (2, 1280)
    for name in ("features.0.0.weight", "features.18.1.running_var"):
        assert torch.equal(got[f"backbones.rgb.{name}"], given[name])
    assert taken.describe().startswith(f"rgb: 312 entries of {imagenet}; not taken: classifier.1.weight, ")


def test_the_first_convolution_is_adapted_to_stacked_inputs(
    imagenet: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    both = {"modalities": ["rgb", "ir"], "model": {"fusion": "input_concat"}}
    model, (taken,) = started(tmp_path, imagenet, make_recipe, **both)
    kernel = read_published(imagenet).weights["features.0.0.weight"]
    image = torch.rand(1, 3, 8, 8)

    stacked = nn.functional.conv2d(
        torch.cat([image, image], dim=1), model.state_dict()["backbones.shared.features.0.0.weight"]
    )

    assert torch.allclose(stacked, nn.functional.conv2d(image, kernel), atol=1e-5)
    assert "features.0.0.weight adapted to its input" in taken.describe()


def test_one_channel_gets_what_all_of_them_would() -> None:
    kernel, grey = torch.rand(4, 3, 3, 3), torch.rand(1, 1, 8, 8)
    one = nn.functional.conv2d(grey, adapt_input_channels(kernel, 1))
    assert torch.allclose(one, nn.functional.conv2d(grey.expand(-1, 3, -1, -1), kernel), atol=1e-5)


def test_pretrained_may_be_given_for_one_branch(
    imagenet: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    of_ir = {"modalities": ["rgb", "ir"], "model": {"fusion": "pipenet", "pretrained": {"ir": str(imagenet)}}}
    model, (taken,) = started(tmp_path, imagenet, make_recipe, **of_ir)
    got, given = model.state_dict(), read_published(imagenet).weights["features.0.0.weight"]
    assert taken.branch == "ir"
    assert torch.equal(got["backbones.ir.features.0.0.weight"], given)
    assert not torch.equal(got["backbones.rgb.features.0.0.weight"], given)


def test_pretrained_weights_that_do_not_fit_are_refused(
    faces: Path, imagenet: Path, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    with pytest.raises(ConfigError, match=r"model\.pretrained: no branch ir"):
        started(tmp_path, imagenet, make_recipe, model={"pretrained": {"ir": str(imagenet)}})
    recipe = make_recipe(faces, {"model": {"pretrained": str(imagenet)}})
    with pytest.raises(ModelError, match="does not fit the backbone of 'rgb'"):
        job.start(tmp_path / "run", recipe, registry())
    assert not (tmp_path / "run").exists()


def trained_checkpoint(path: Path, made: nn.Module) -> dict[str, Tensor]:
    """A training checkpoint after two steps of SGD; its entries and parameters are in reverse order.

    Gives the momentum of each parameter by published name.
    """
    parameters = dict(reversed(list(made.named_parameters())))
    options = {"momentum": 0.8, "weight_decay": 3e-4, "nesterov": True}
    optimizer = torch.optim.SGD(parameters.values(), 0.01, **options)  # type: ignore[arg-type]
    for _ in range(2):
        optimizer.zero_grad()
        made.train()(torch.rand(2, 3, SIDE, SIDE)).square().mean().backward()
        optimizer.step()
    weights = dict(reversed(published(made, "module.").items()))
    torch.save({"epoch": 1, "state_dict": weights, "optimizer": optimizer.state_dict()}, path)
    return {name: optimizer.state[value]["momentum_buffer"] for name, value in parameters.items()}


def test_an_imported_training_checkpoint_is_resumed(faces: Path, tmp_path: Path) -> None:
    made = network("feathernet_a")
    momenta = trained_checkpoint(tmp_path / "a.pth.tar", made)
    settings = {"train.epochs": 2, "train.workers": 0, "train.device": "cpu", "train.batch_size": 16}
    data = {"name": "folder", "root": str(faces)}
    recipe = recipe_of("feathernet_a", {"modalities": ["rgb"]}, data=data, **settings)

    imported = import_checkpoint([tmp_path / "a.pth.tar"], tmp_path / "run", recipe, registry())

    assert imported.epoch == 1
    assert imported.run.recipe.train.momentum == 0.8
    assert imported.run.recipe.train.optimizer.options.nesterov
    assert imported.run.recipe.train.weight_decay == 3e-4
    kept = load_state(tmp_path / "run" / "state.pt")["optimizer"]["state"]
    for place, name in enumerate(dict(made.named_parameters())):
        assert torch.equal(kept[place]["momentum_buffer"], momenta[name])
    outcome = job.resume(tmp_path / "run", registry(), {})
    assert [line["epoch"] for line in outcome.run.metrics()] == [2]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"optimizer": None}, "no epoch and optimizer"),
        ({"optimizer": {"state": {}, "param_groups": [{"params": [0, 1], "lr": 1}]}}, "not SGD"),
        (
            {"optimizer": {"state": {}, "param_groups": [{"params": [0], "momentum": 0, "weight_decay": 0}]}},
            "of 1 parameters",
        ),
    ],
)
def test_why_a_checkpoint_cannot_be_resumed_is_said(
    feathernet: nn.Module, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    torch.save({"epoch": 1, "state_dict": published(feathernet), **change}, tmp_path / "a.pth")
    imported = imports(tmp_path / "a.pth", "feathernet_a", tmp_path / "run")
    assert imported.epoch is None
    assert why in imported.no_resume_reason
    assert not (tmp_path / "run" / "state.pt").exists()
    assert imported.run.model() is not None


@pytest.mark.parametrize("live_class", [0, 1, 2])
@pytest.mark.parametrize("arch", ["mobilenetv2", "fishnet99"])
def test_the_live_class_of_several_is_the_score(tmp_path: Path, arch: str, live_class: int) -> None:
    made = network(arch, num_classes=3)
    torch.save({"net": published(made), "epoch": 2}, tmp_path / "a.pth")
    imported = imports(tmp_path / "a.pth", arch, tmp_path / "run", live_class=live_class)
    assert imported.has_scores
    assert imported.run.recipe.model.num_classes == 3
    model = Run.open(tmp_path / "run", registry()).model()
    pixels = torch.randint(256, (3, SIDE, SIDE, 3), dtype=torch.uint8)
    with torch.inference_mode():
        outputs = model({"depth": pixels})
        logits = made(model.preprocess["depth"](pixels))
    assert outputs.logits is not None
    torch.testing.assert_close(outputs.logits[:, 1], logits[:, live_class])
    torch.testing.assert_close(outputs.score, logits.softmax(dim=1)[:, live_class])
    assert len(set(logits[0].tolist())) == 3


def test_two_classes_in_the_other_order_are_swapped(tmp_path: Path) -> None:
    made = network("mobilenetv2")
    torch.save(published(made), tmp_path / "a.pth")
    run = imports(tmp_path / "a.pth", "mobilenetv2", tmp_path / "run", live_class=0).run
    model, pixels = run.model(), torch.randint(256, (3, SIDE, SIDE, 3), dtype=torch.uint8)
    with torch.inference_mode():
        expected = made(model.preprocess["depth"](pixels)).softmax(dim=1)[:, 0]
        torch.testing.assert_close(model({"depth": pixels}).score, expected)


def test_a_live_class_that_does_not_exist_or_cannot_move_is_refused(tmp_path: Path, checkpoint: Path) -> None:
    torch.save(published(network("mobilenetv2", num_classes=3)), tmp_path / "a.pth")
    with pytest.raises(ModelError, match="the checkpoint has the classes 0 to 2"):
        imports(tmp_path / "a.pth", "mobilenetv2", tmp_path / "run", live_class=3)
    with pytest.raises(ModelError, match="this network has no classifier; its class live is 1"):
        imports(checkpoint, "feathernet_a", tmp_path / "run", live_class=0)
    assert not (tmp_path / "run").exists()


def test_three_classes_are_scored_alike_by_the_run_and_its_exported_file(
    fas: Callable[..., Any], tmp_path: Path, faces: Path
) -> None:
    made = network("mobilenetv2", num_classes=3).train()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # statistics of real activations, so that scores differ
    with torch.no_grad():
        made(torch.randn(8, 3, SIDE, SIDE))
    torch.save({"model": published(made)}, tmp_path / "a.pth")
    arguments = ["--arch", "mobilenetv2", "--modality", "rgb", "--input-size", SIDE, "--data", faces]
    result = fas("import", tmp_path / "a.pth", *arguments, "--live-class", 2, "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "score P(live): class 2 of the file's 3" in result.stdout
    assert "assumed resize.crop: 0.875, the central 87.5 % of a face's side" in result.stdout
    exported = fas("export", tmp_path / "run", "-o", tmp_path / "m.onnx", "--samples", 4, "--keep-data-root")
    assert exported.exit_code == 0, exported.output
    scores = {}
    for name in ("run", "m.onnx"):
        result = fas("eval", tmp_path / name, "--scores", tmp_path / f"{name}.csv")
        assert result.exit_code == 0, result.output
        scores[name] = ScoreTable.read(tmp_path / f"{name}.csv").scores
    assert np.ptp(scores["run"]) > 1e-3
    np.testing.assert_allclose(scores["m.onnx"], scores["run"], atol=1e-5)
    card = ModelFile(tmp_path / "m.onnx").card
    assert card.recipe["model"]["num_classes"] == 3


@pytest.mark.parametrize(
    ("options", "overrides", "assumed"),
    [
        ({}, {}, {"modalities", "model.normalize", "resize.crop", "threshold"}),
        ({"modalities": ["rgb"], "mean": [0, 0, 0]}, {}, {"resize.crop", "threshold"}),
        ({}, {"resize.crop": 1.0, "threshold": "fixed:0.3"}, {"modalities", "model.normalize"}),
        ({}, {"resize": {"crop": 1.0}}, {"modalities", "model.normalize", "threshold"}),
    ],
)
def test_what_nobody_said_is_listed(
    options: dict[str, Any], overrides: dict[str, Any], assumed: set[str]
) -> None:
    recipe = build_recipe("feathernet-b-32", registry(), ["mobilenetv2"], options, overrides)
    arguments = ("feathernet-b-32", recipe, registry(), ["mobilenetv2"], options, overrides)
    assert set(list_assumptions(*arguments)) == assumed
