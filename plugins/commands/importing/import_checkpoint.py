"""Turn a published checkpoint into a run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from attrs import evolve, field, frozen
from safetensors.torch import save_file

from fas_core.atomic import replacing
from fas_core.config.recipe import Recipe
from fas_core.descriptors import Backbone
from fas_core.errors import FasError, ModelError, format_list
from fas_core.models import PRETRAINED
from fas_core.models.build import build_model
from fas_core.models.checkpoint import save_state
from fas_core.models.matching import EntryMatch, add_prefix, copy_matched, match_by_name
from fas_core.models.model import Model
from fas_core.models.pretrained import backbone_names, classifier_entries
from fas_core.models.published import PublishedCheckpoint, read_published
from fas_core.registry import Registry
from fas_core.runs.run import Run
from fas_plugins.commands.importing.entries import (
    count_classes,
    make_live_second,
    match_by_order,
    names_from_end,
    published_names,
)
from fas_plugins.commands.importing.resume_state import build_resume_state

Match = Literal["name", "order"]


@frozen(eq=False)
class ImportedRun:
    """The result of an import.

    Args:
        run: the run folder.
        sources: the checkpoints, one, or one for each branch.
        matched: which entries of the checkpoint are in the run's model.
        classes: number of classes of the checkpoint's classifier; other than 2 the run has pretrained weights
            only, unless there is a `live_class`.
        live_class: index of the class live in the checkpoint, which is 1 in the run; None where neither the
            user nor the backbone says.
        epoch: the epoch after which training can be resumed; None where it cannot.
        no_resume_reason: why training cannot be resumed; empty where it can.
        key: where in the file the state dict is; `other_keys` are those of others, which were not read.
        assumed: what neither the checkpoint nor the user says, see `list_assumptions`.
    """

    run: Run
    sources: tuple[Path, ...]
    matched: EntryMatch
    classes: int
    live_class: int | None = None
    epoch: int | None = None
    no_resume_reason: str = ""
    key: str = ""
    other_keys: tuple[str, ...] = ()
    assumed: Mapping[str, str] = field(factory=dict)

    @property
    def source_names(self) -> str:
        """The checkpoints' paths, joined."""
        return ", ".join(map(str, self.sources))

    @property
    def has_scores(self) -> bool:
        """Whether the model tells live from attack, so that it can be evaluated."""
        return self.classes == 2 or self.live_class is not None

    def to_json(self) -> dict[str, Any]:
        """Return the document of `import.json` and of `--json`."""
        return {
            "run": str(self.run.path),
            "source": self.source_names,
            "key": self.key,
            "other_keys": self.other_keys,
            "assumed": dict(self.assumed),
            "classes": self.classes,
            "live_class": self.live_class,
            "pretrained_only": not self.has_scores,
            "resumes_after_epoch": self.epoch,
            **self.matched.to_json(),
        }


def import_checkpoint(
    sources: Sequence[Path],
    path: Path,
    recipe: Recipe,
    registry: Registry,
    match: Match = "name",
    partial: bool = False,
    live_class: int | None = None,
    assumed: Mapping[str, str] | None = None,
) -> ImportedRun:
    """Write the run folder of a checkpoint, complete or not at all.

    Args:
        sources: the checkpoint, or one for each branch of the model.
        path: the run folder.
        recipe: of the run, see `build_recipe`.
        registry: of the plugins.
        match: pair entries by published name, or by order and shape.
        partial: whether entries that do not fit keep random weights, instead of being an error.
        live_class: index of the class live, if the checkpoint has another number or order of classes than
            attack and live; None: as published for the backbones.
        assumed: for the record, see `list_assumptions`.

    Raises:
        FasError: the folder exists, or the checkpoint cannot be read or does not fit.
    """
    if path.exists():
        raise FasError(f"{path}: exists already: choose another -o")
    published = read_branches(sources, recipe, registry)
    model, matched, classes = match_model(published, recipe, registry, match)
    if not matched.pairs or not (matched.exact or partial):
        advice = f"; --partial takes the {len(matched.pairs)} entries that fit" if matched.pairs else ""
        names = ", ".join(map(str, sources))
        raise ModelError(f"{names}: does not fit {_name_network(recipe)}: {matched.differences()}{advice}")
    copy_matched(model, matched, published.weights)
    run = Run(path, recipe, registry)
    if live_class is None:
        live_class = _published_live_class(recipe, registry, classes)
    if live_class is not None:
        run = run.changed({"model.num_classes": classes})
        make_live_second(model, classifier_entries(recipe, registry), classes, live_class)
    imported = ImportedRun(
        run,
        tuple(sources),
        matched,
        classes,
        live_class,
        key=published.key,
        other_keys=published.others,
        assumed=assumed or {},
    )
    return _write(imported, model, published)


def read_branches(sources: Sequence[Path], recipe: Recipe, registry: Registry) -> PublishedCheckpoint:
    """Read a model's checkpoint, or join one for each of its branches under the model's names.

    Raises:
        FasError: a file cannot be read, or there is not one for each branch.
    """
    if len(sources) == 1:
        return read_published(sources[0])
    with torch.device("meta"):
        branches = build_model(recipe, registry).backbones
    if len(branches) != len(sources):
        raise FasError(
            f"{len(sources)} checkpoints for {format_list(list(branches))}: give one, or one for each"
        )
    weights = {}
    for source, (branch, backbone) in zip(sources, branches.items(), strict=True):
        names = {published: name for name, published in backbone_names(backbone).items()}
        for name, value in read_published(source).weights.items():
            weights[f"backbones.{branch}.{names.get(name, name)}"] = value
    return PublishedCheckpoint(sources[0], weights)


def _published_live_class(recipe: Recipe, registry: Registry, classes: int) -> int | None:
    """Return the class live as published for the backbones; None where it is 1 of 2 or they do not say."""
    choice = recipe.model.backbone
    choices = choice.values() if isinstance(choice, dict) else [choice]
    known = {
        (item.num_classes, item.live_class) for item in (registry.find(Backbone, c.name) for c in choices)
    }
    if len(known) > 1 or classes == 2:
        return None
    ((count, live_class),) = known
    return live_class if count == classes else None


def match_model(
    published: PublishedCheckpoint, recipe: Recipe, registry: Registry, match: Match = "name"
) -> tuple[Model, EntryMatch, int]:
    """Build the recipe's model with the checkpoint's number of classes, and pair their entries.

    Returns:
        The model with random weights, the pairs, and the number of classes.
    """
    with torch.device("meta"):
        sketch = build_model(recipe, registry)
    weights = published.weights
    if match == "order":
        names = names_from_end(sketch.state_dict(), weights)
    else:
        names = add_prefix(published_names(sketch), weights)
    classes = count_classes(classifier_entries(recipe, registry), names, weights)
    torch.manual_seed(recipe.train.seed)
    model = build_model(recipe, registry, classes)
    entries = model.state_dict()
    matched = match_by_order(entries, weights) if match == "order" else match_by_name(entries, names, weights)
    return model, matched, classes


def _name_network(recipe: Recipe) -> str:
    """Return e.g. `feathernet_b under concat_linear`."""
    choice = recipe.model.backbone
    backbones = sorted({item.name for item in choice.values()}) if isinstance(choice, dict) else [choice.name]
    fusion = "" if len(recipe.modalities) == 1 else f" under {recipe.model.fusion.name}"
    return " + ".join(backbones) + fusion


def _write(imported: ImportedRun, model: Model, published: PublishedCheckpoint) -> ImportedRun:
    """Write the run folder under a temporary name, and rename it when it is complete."""
    with replacing(imported.run.path) as folder:
        write = _write_run if imported.has_scores else _write_pretrained
        imported = write(imported, folder, model, published)
        evolve(imported.run, path=folder).write_text(
            "import.json", json.dumps(imported.to_json(), indent=2) + "\n"
        )
    return imported


def _write_pretrained(
    imported: ImportedRun, folder: Path, model: Model, published: PublishedCheckpoint
) -> ImportedRun:
    """Write weights to train from, under their published names, and a recipe that uses them."""
    path = imported.run.path.resolve() / PRETRAINED
    run = imported.run.changed({"model.pretrained": str(path)})
    evolve(run, path=folder).create()
    names, state = published_names(model), model.state_dict()
    weights = {names[entry]: state[entry].contiguous() for entry, _ in imported.matched.pairs}
    save_file(weights, folder / PRETRAINED)
    reason = f"{imported.classes} classes are not live and attack"
    return evolve(imported, run=run, no_resume_reason=reason)


def _write_run(
    imported: ImportedRun, folder: Path, model: Model, published: PublishedCheckpoint
) -> ImportedRun:
    """Write weights to evaluate and, where the checkpoint has it, the state that training resumes from."""
    state = None
    try:
        if not imported.matched.exact:
            raise ModelError("not all of its entries were taken")
        if imported.live_class not in (None, 1):
            raise ModelError("its classes are in another order now")
        run, state = build_resume_state(imported.run, model, published, imported.matched)
        imported = evolve(imported, run=run, epoch=published.epoch)
    except ModelError as error:
        imported = evolve(imported, no_resume_reason=error.message)
    run = evolve(imported.run, path=folder)
    run.create()
    run.save_weights(model, "best")
    run.save_weights(model, "last")
    if state is not None:
        save_state(state, folder / "state.pt")
    return imported
