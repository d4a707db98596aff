"""Training that starts from pretrained weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.errors import ConfigError, ModelError
from fas_core.models import PRETRAINED
from fas_core.models.build import build_model
from fas_core.models.matching import EntryMatch
from fas_core.models.model import Model
from fas_core.models.pretrained import PretrainedBranch, backbone_names, classifier_entries, load_pretrained
from fas_core.models.published import read_published
from fas_core.registry import registry
from fas_plugins.backbones.efficientnet import EfficientNetLite0
from fas_plugins.backbones.options import EfficientNetOptions

STEM = "features.0.0.weight"


def make_recipe(pretrained: object, modalities: tuple[str, ...] = ("rgb",), **model: Any) -> Recipe:
    fusion = "single" if len(modalities) == 1 else "concat_linear"
    options = {"backbone": "feathernet_a", "fusion": fusion, "input_size": 64, "pretrained": pretrained}
    tree = {"modalities": list(modalities), "model": options | model}
    return structure(tree, Recipe, registry(), "test")


def load(recipe: Recipe) -> tuple[Model, list[PretrainedBranch]]:
    model = build_model(recipe, registry())
    return model, load_pretrained(model, recipe, registry())


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the weights of a FeatherNetA of five classes, under published names."""
    torch.manual_seed(3)
    (backbone,) = build_model(make_recipe(None), registry(), num_classes=5).backbones.values()
    names = backbone_names(backbone)
    path = tmp_path_factory.mktemp("pretrained") / PRETRAINED
    save_file({names[name]: value.contiguous() for name, value in backbone.state_dict().items()}, path)
    return path


def state(path: Path) -> dict[str, torch.Tensor]:
    return read_published(path).weights


def test_without_the_option_nothing_is_loaded() -> None:
    assert load(make_recipe(None))[1] == []


@pytest.mark.parametrize("folder", [False, True])
def test_a_branch_gets_the_weights_of_a_file_or_of_a_run_folder(weights: Path, folder: bool) -> None:
    model, (branch,) = load(make_recipe(str(weights.parent if folder else weights)))
    backbone = model.backbones["rgb"]
    names, source = backbone_names(backbone), state(weights)
    copied = {name for name, _ in branch.match.pairs}
    assert copied
    assert all(torch.equal(backbone.state_dict()[name], source[names[name]]) for name in copied)
    assert (branch.branch, branch.path) == ("rgb", weights)
    assert branch.describe().startswith(f"rgb: {len(copied)} entries of {weights}")


def test_entries_that_are_not_loaded_are_named() -> None:
    match = EntryMatch((("stem", "first"),), unused=("fc.weight", "fc.bias"))
    text = PretrainedBranch("ir", Path("a.pth"), match).describe()
    assert text == "ir: 1 entries of a.pth; not taken: fc.weight, fc.bias"


def test_each_branch_may_have_its_own_file(weights: Path) -> None:
    torch.manual_seed(4)
    model, (branch,) = load(make_recipe({"ir": str(weights)}, ("rgb", "ir")))
    assert branch.branch == "ir"
    stems = {name: backbone.state_dict()[STEM] for name, backbone in model.backbones.items()}
    assert torch.equal(stems["ir"], state(weights)[backbone_names(model.backbones["ir"])[STEM]])
    assert not torch.equal(stems["rgb"], stems["ir"])


def test_a_fusion_of_inputs_adapts_the_first_convolution(weights: Path) -> None:
    model, (branch,) = load(make_recipe(str(weights), ("rgb", "ir"), fusion="input_concat"))
    assert branch.branch == "shared"
    assert branch.match.adapted == (STEM,)
    assert f"{STEM} adapted to its input" in branch.describe()
    kernel = state(weights)[backbone_names(model.backbones["shared"])[STEM]]
    expected = torch.cat([kernel, kernel], dim=1) / 2
    torch.testing.assert_close(model.backbones["shared"].state_dict()[STEM], expected)


def test_an_unknown_branch_is_refused(weights: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.pretrained: no branch ir \(there are: rgb\)"):
        load(make_recipe({"ir": str(weights)}))


def test_another_architecture_is_refused(weights: Path) -> None:
    with pytest.raises(ModelError, match=r"does not fit the backbone of 'rgb': .*missing in the file"):
        load(make_recipe(str(weights), backbone="feathernet_b"))


def test_classifier_entries_depend_on_the_number_of_classes() -> None:
    mobilenet = make_recipe(None, backbone="mobilenetv2")
    assert classifier_entries(mobilenet, registry()) == {
        "backbones.rgb.classifier.weight",
        "backbones.rgb.classifier.bias",
    }
    fused = make_recipe(None, ("rgb", "ir"))
    assert classifier_entries(fused, registry()) == {"fusion.classifier.weight", "fusion.classifier.bias"}


def test_weights_have_a_name_where_the_backbone_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights of a whole network go to the early blocks that texture takes of it."""
    torch.manual_seed(3)
    network = EfficientNetLite0(EfficientNetOptions(), input_size=64, num_classes=5)
    path = tmp_path / "imagenet.pth"
    torch.save({network.published_name(name): value for name, value in network.state_dict().items()}, path)
    monkeypatch.setattr(EfficientNetLite0, "find_weights", staticmethod(lambda name: path))
    for backbone in ("efficientnet_lite0", "texture"):
        model, (branch,) = load(make_recipe("imagenet", backbone=backbone))
        weights = model.backbones["rgb"].state_dict()
        stem = "conv_stem.weight" if backbone == "efficientnet_lite0" else "blocks.0.0.weight"
        assert torch.equal(weights[stem], network.conv_stem.weight)
        assert branch.path == path
        assert not branch.match.missing


def test_a_file_goes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "imagenet").write_text("no checkpoint")
    with pytest.raises(ModelError, match="imagenet"):
        load(make_recipe("imagenet", backbone="efficientnet_lite0"))


def test_a_name_that_no_backbone_knows_is_no_file() -> None:
    with pytest.raises(ModelError, match="imagenet: no such file"):
        load(make_recipe("imagenet"))
