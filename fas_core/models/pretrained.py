"""Start training from the weights of a published checkpoint: `model.pretrained` of a recipe."""

from __future__ import annotations

from pathlib import Path

import torch
from attrs import frozen
from torch import nn

from fas_core.config.recipe import Recipe
from fas_core.contracts import PretrainedBackbone, PublishedBackbone
from fas_core.errors import ConfigError, ModelError, format_list
from fas_core.models import PRETRAINED
from fas_core.models.build import build_model
from fas_core.models.matching import EntryMatch, add_prefix, copy_matched, match_by_name
from fas_core.models.model import Model
from fas_core.models.published import read_published
from fas_core.registry import Registry


@frozen
class PretrainedBranch:
    """Which entries of a branch (a modality, or `shared`) were copied from which file."""

    branch: str
    path: Path
    match: EntryMatch

    def describe(self) -> str:
        """Return what was copied and what was not, in one line."""
        texts = [f"{self.branch}: {len(self.match.pairs)} entries of {self.path}"]
        if self.match.adapted:
            texts.append(f"{format_list(self.match.adapted)} adapted to its input")
        if self.match.unused:
            texts.append(f"not taken: {format_list(self.match.unused, 3)}")
        return "; ".join(texts)


def load_pretrained(model: Model, recipe: Recipe, registry: Registry) -> list[PretrainedBranch]:
    """Fill the branches that `model.pretrained` names, except for their classifiers.

    Raises:
        ConfigError: `model.pretrained` names a branch that the model does not have.
        ModelError: a file cannot be read, or is of another architecture.
    """
    pretrained = recipe.model.pretrained
    if pretrained is None:
        return []
    paths = pretrained if isinstance(pretrained, dict) else dict.fromkeys(model.backbones, pretrained)
    if unknown := set(paths) - set(model.backbones):
        names = format_list(sorted(unknown))
        raise ConfigError(f"model.pretrained: no branch {names} (there are: {', '.join(model.backbones)})")
    classifier = classifier_entries(recipe, registry)
    return [_load_branch(model, branch, path, classifier) for branch, path in paths.items()]


def _load_branch(model: Model, branch: str, path: Path, classifier: frozenset[str]) -> PretrainedBranch:
    backbone = model.backbones[branch]
    path = _find_file(path, backbone)
    weights = read_published(path).weights
    prefix = f"backbones.{branch}."
    published = {name: other for name, other in backbone_names(backbone).items() if other}
    state = backbone.state_dict()
    state = {name: state[name] for name in published if prefix + name not in classifier}
    names = add_prefix(published, weights)
    match = match_by_name(state, names, weights, adapt_input=True)
    if match.missing or match.mismatched:
        reason = match.differences()
        raise ModelError(f"model.pretrained: {path} does not fit the backbone of {branch!r}: {reason}")
    copy_matched(backbone, match, weights)
    return PretrainedBranch(branch, path, match)


def _find_file(path: Path, backbone: nn.Module) -> Path:
    """Return the file of a path, of a run folder, or of the name of weights that the backbone finds."""
    if path.is_dir():
        return path / PRETRAINED
    is_name = path.parent == Path() and not path.suffix and not path.exists()
    return backbone.find_weights(path.name) if is_name and isinstance(backbone, PretrainedBackbone) else path


def backbone_names(backbone: nn.Module) -> dict[str, str]:
    """Return `{name in the backbone: published name}` of its state dict; empty: in no checkpoint."""
    names = backbone.state_dict()
    if isinstance(backbone, PublishedBackbone):
        return {name: backbone.published_name(name) for name in names}
    return {name: name for name in names}


def classifier_entries(recipe: Recipe, registry: Registry) -> frozenset[str]:
    """Return the names of the entries of the recipe's model whose shape depends on the number of classes."""
    with torch.device("meta"):
        two, three = (build_model(recipe, registry, classes).state_dict() for classes in (2, 3))
    return frozenset(name for name, value in two.items() if three[name].shape != value.shape)
