"""Turn a published checkpoint into a run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from attrs import evolve, frozen
from safetensors.torch import save_file

from fas_core.atomic import replacing
from fas_core.config.load import load_recipe
from fas_core.config.recipe import Normalize, Recipe
from fas_core.descriptors import Backbone
from fas_core.errors import FasError, ModelError
from fas_core.models import PRETRAINED
from fas_core.models.build import build_model
from fas_core.models.checkpoint import PublishedCheckpoint, read_published, save_state, save_weights
from fas_core.models.matching import EntryMatch, copy_matched, match_by_name
from fas_core.models.model import Model
from fas_core.models.pretrained import classifier_entries
from fas_core.registry import Registry
from fas_core.runs.run import Run
from fas_plugins.commands.importing.entries import (
    count_classes,
    match_by_order,
    names_from_end,
    published_names,
)
from fas_plugins.commands.importing.resume_state import build_resume_state

Match = Literal["name", "order"]

DEFAULT_THRESHOLD = "fixed:0.5"
"""A published checkpoint has no dev scores to fit a threshold on."""


@frozen(eq=False)
class ImportedRun:
    """The result of an import.

    Args:
        run: the run folder.
        source: the checkpoint.
        matched: which entries of the checkpoint are in the run's model.
        classes: number of classes of the checkpoint's classifier; other than 2 the run has pretrained weights
            only.
        epoch: the epoch after which training can be resumed; None where it cannot.
        no_resume_reason: why training cannot be resumed; empty where it can.
    """

    run: Run
    source: Path
    matched: EntryMatch
    classes: int
    epoch: int | None = None
    no_resume_reason: str = ""

    @property
    def has_scores(self) -> bool:
        """Whether the model tells live from attack, so that it can be evaluated."""
        return self.classes == 2

    def to_json(self) -> dict[str, Any]:
        """Return the document of `import.json` and of `--json`."""
        return {
            "run": str(self.run.path),
            "source": str(self.source),
            "classes": self.classes,
            "pretrained_only": not self.has_scores,
            "resumes_after_epoch": self.epoch,
            **self.matched.to_json(),
        }


def build_recipe(
    base: str, registry: Registry, arch: str, options: Mapping[str, Any], overrides: Mapping[str, Any]
) -> Recipe:
    """Return the recipe of a checkpoint's run.

    Args:
        base: recipe with the values that neither the checkpoint nor the options have.
        registry: of the plugins.
        arch: the backbone.
        options: `modalities`, `fusion`, `mean` and `std`; None for the default.
        overrides: `{recipe path: value}`, which take precedence over everything.

    Raises:
        FasError: a name or a value is wrong.
    """
    backbone = registry.find(Backbone, arch)
    base_recipe = load_recipe(base, registry)
    modalities = list(options.get("modalities") or base_recipe.modalities)
    normalize = _default_normalize(backbone, base_recipe, modalities)
    channels = {key: options[key] for key in ("mean", "std") if options.get(key) is not None}
    settings = {
        "modalities": modalities,
        "model.backbone": arch,
        "model.fusion": options.get("fusion") or ("single" if len(modalities) == 1 else "concat_linear"),
        "model.input_size": backbone.input_size,
        "model.normalize": {
            name: {"mean": list(values.mean), "std": list(values.std)} | channels
            for name, values in normalize.items()
        },
        "threshold": DEFAULT_THRESHOLD,
    }
    return load_recipe(base, registry, settings | dict(overrides))


def _default_normalize(backbone: Backbone, recipe: Recipe, modalities: list[str]) -> dict[str, Normalize]:
    """Return the backbone's normalisation, else the recipe's; its first one for other modalities."""
    if backbone.normalize is not None:
        return dict.fromkeys(modalities, Normalize(*backbone.normalize))
    known = recipe.model.normalize
    first = next(iter(known.values()), Normalize())
    return {name: known.get(name, first) for name in modalities}


def import_checkpoint(
    source: Path, path: Path, recipe: Recipe, registry: Registry, match: Match = "name", partial: bool = False
) -> ImportedRun:
    """Write the run folder of a checkpoint, complete or not at all.

    Args:
        source: the checkpoint.
        path: the run folder.
        recipe: of the run, see `build_recipe`.
        registry: of the plugins.
        match: pair entries by published name, or by order and shape.
        partial: whether entries that do not fit keep random weights, instead of being an error.

    Raises:
        FasError: the folder exists, or the checkpoint cannot be read or does not fit.
    """
    if path.exists():
        raise FasError(f"{path}: exists already: choose another -o")
    published = read_published(source)
    model, matched, classes = match_model(published, recipe, registry, match)
    if not matched.pairs or not (matched.exact or partial):
        advice = f"; --partial takes the {len(matched.pairs)} entries that fit" if matched.pairs else ""
        raise ModelError(f"{source}: does not fit {_name_network(recipe)}: {matched.differences()}{advice}")
    copy_matched(model, matched, published.weights)
    imported = ImportedRun(Run(path, recipe, registry), source, matched, classes)
    return _write(imported, model, published)


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
    names = names_from_end(sketch.state_dict(), weights) if match == "order" else published_names(sketch)
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
        run, state = build_resume_state(imported.run, model, published, imported.matched)
        imported = evolve(imported, run=run, epoch=published.epoch)
    except ModelError as error:
        imported = evolve(imported, no_resume_reason=error.message)
    run = evolve(imported.run, path=folder)
    run.create()
    save_weights(model, run.weights("best"))
    save_weights(model, run.weights("last"))
    if state is not None:
        save_state(state, folder / "state.pt")
    return imported
