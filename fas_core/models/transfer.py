"""From a published checkpoint's names to a model's: what imports and pretrained weights have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from attrs import frozen
from torch import Tensor, nn

from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, ModelError, format_list
from fas_core.models.build import build_model
from fas_core.models.matching import COUNTER, Matched, by_name, fill
from fas_core.models.model import Model
from fas_core.models.published import read_published
from fas_core.registry import Registry
from fas_core.runs.run import PRETRAINED


@frozen
class PretrainedBranch:
    """What a branch got of a file.

    Args:
        branch: the modality, or `shared`.
        path: the file.
        matched: the entries.
    """

    branch: str
    path: Path
    matched: Matched

    def text(self) -> str:
        """In one line."""
        found = self.matched
        parts = [f"{self.branch}: {len(found.pairs)} entries of {self.path}"]
        if found.adapted:
            parts.append(f"{format_list(found.adapted)} adapted to its input")
        if found.left:
            parts.append(f"not taken: {format_list(found.left, 3)}")
        return "; ".join(parts)


def published_names(model: Model) -> dict[str, str]:
    """`{our entry: its published name}`; of a model with several branches, which nobody published, ours."""
    names = {name: name for name in model.state_dict()}
    if len(model.backbones) > 1:
        return names
    ((branch, backbone),) = model.backbones.items()
    prefix = f"backbones.{branch}."
    theirs = backbone_names(backbone)
    return names | {f"{prefix}{name}": published for name, published in theirs.items()}


def backbone_names(backbone: nn.Module) -> dict[str, str]:
    """`{entry of a backbone: its published name}`."""
    published = getattr(backbone, "published_name", None)
    return {name: published(name) if published is not None else name for name in backbone.state_dict()}


def class_entries(recipe: Recipe, registry: Registry) -> frozenset[str]:
    """The entries of the recipe's model that are there once for each class: those of its classifier."""
    with torch.device("meta"):
        two, three = (build_model(recipe, registry, classes).state_dict() for classes in (2, 3))
    return frozenset(name for name, value in two.items() if three[name].shape != value.shape)


def class_count(classifier: frozenset[str], names: Mapping[str, str], theirs: Mapping[str, Tensor]) -> int:
    """How many classes a file's classifier tells apart; 2 where the model has none.

    Args:
        classifier: our entries that are there once for each class.
        names: `{our name: published name}`.
        theirs: the file's entries.
    """
    found = [theirs[names[name]] for name in classifier if names[name] in theirs]
    counts = {value.shape[0] for value in found if value.ndim}
    return counts.pop() if len(counts) == 1 else 2


def last_names(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> dict[str, str]:
    """`{our name: the file's name at the same place}`, both counted from the end."""
    mine = [name for name in ours if not name.endswith(COUNTER)]
    found = [name for name in theirs if not name.endswith(COUNTER)]
    pairs = dict(zip(reversed(mine), reversed(found), strict=False))
    return {name: pairs.get(name, "") for name in ours}


def load_pretrained(model: Model, recipe: Recipe, registry: Registry) -> list[PretrainedBranch]:
    """Fill the branches that `model.pretrained` names, but for their classifiers, and say what was taken.

    Raises:
        ConfigError: it names a branch that the model does not have.
        ModelError: a file cannot be read, or is of another architecture.
    """
    given = recipe.model.pretrained
    if given is None:
        return []
    paths = given if isinstance(given, dict) else dict.fromkeys(model.backbones, given)
    if unknown := set(paths) - set(model.backbones):
        raise ConfigError(
            f"model.pretrained: no branch {format_list(sorted(unknown))} "
            f"(there are: {', '.join(model.backbones)})"
        )
    classifier = class_entries(recipe, registry)
    return [_pretrain(model, branch, path, classifier) for branch, path in paths.items()]


def _pretrain(model: Model, branch: str, path: Path, classifier: frozenset[str]) -> PretrainedBranch:
    path = path / PRETRAINED if path.is_dir() else path
    backbone = model.backbones[branch]
    published = read_published(path)
    ours = {
        name: value
        for name, value in backbone.state_dict().items()
        if f"backbones.{branch}.{name}" not in classifier
    }
    matched = by_name(ours, backbone_names(backbone), published.weights, adapt=True)
    if matched.missing or matched.reshaped:
        raise ModelError(
            f"model.pretrained: {path} does not fit the backbone of {branch!r}: {matched.differences()}"
        )
    fill(backbone, matched, published.weights)
    return PretrainedBranch(branch, path, matched)
