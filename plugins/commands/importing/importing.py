"""Published checkpoints to run folders: `fas import`."""

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
from fas_core.models.checkpoint import save_state, save_weights
from fas_core.models.matching import EntryMatch, copy_matched, match_by_name
from fas_core.models.model import Model
from fas_core.models.pretrained import classifier_entries
from fas_core.models.published import PublishedCheckpoint, read_published
from fas_core.registry import Registry
from fas_core.runs.run import Run
from fas_plugins.commands.importing.continuing import training_state
from fas_plugins.commands.importing.entries import (
    count_classes,
    match_by_order,
    names_from_end,
    published_names,
)

Match = Literal["name", "order"]
USUAL_THRESHOLD = "fixed:0.5"
"""A published checkpoint comes without dev scores to fit one on."""


@frozen(eq=False)
class Imported:
    """What became of a checkpoint.

    Args:
        run: the run folder.
        source: the checkpoint.
        matched: which entries were taken.
        classes: how many the file's classifier tells apart; other than 2 gives pretrained weights only.
        epoch: after which training can be resumed; None where it cannot.
        why: it cannot.
    """

    run: Run
    source: Path
    matched: EntryMatch
    classes: int
    epoch: int | None = None
    why: str = ""

    @property
    def judges(self) -> bool:
        """Whether the run has a score to give."""
        return self.classes == 2

    def to_json(self) -> dict[str, Any]:
        """As the run folder keeps it, and `--json` prints it."""
        return {
            "run": str(self.run.path),
            "source": str(self.source),
            "classes": self.classes,
            "pretrained_only": not self.judges,
            "resumes_after_epoch": self.epoch,
            **self.matched.to_json(),
        }


def published_recipe(
    base: str, registry: Registry, arch: str, chosen: Mapping[str, Any], overrides: Mapping[str, Any]
) -> Recipe:
    """The recipe of a checkpoint's run.

    Args:
        base: recipe that says what neither the file nor the options do.
        arch: the backbone.
        chosen: `modalities`, `fusion`, `mean` and `std` as far as they were given.
        overrides: `{recipe path: value}`, over everything.

    Raises:
        FasError: a name or a value is wrong.
    """
    backbone = registry.find(Backbone, arch)
    start = load_recipe(base, registry)
    modalities = list(chosen.get("modalities") or start.modalities)
    usual = _usual_normalize(backbone, start, modalities)
    given = {key: chosen[key] for key in ("mean", "std") if chosen.get(key) is not None}
    settings = {
        "modalities": modalities,
        "model.backbone": arch,
        "model.fusion": chosen.get("fusion") or ("single" if len(modalities) == 1 else "concat_linear"),
        "model.input_size": backbone.input_size,
        "model.normalize": {name: _plain(value) | given for name, value in usual.items()},
        "threshold": USUAL_THRESHOLD,
    }
    return load_recipe(base, registry, settings | dict(overrides))


def _usual_normalize(backbone: Backbone, recipe: Recipe, modalities: list[str]) -> dict[str, Normalize]:
    """The backbone's own, or the recipe's; for modalities that the recipe has none for, its first one."""
    if backbone.normalize is not None:
        return dict.fromkeys(modalities, Normalize(*backbone.normalize))
    known = recipe.model.normalize
    first = next(iter(known.values()), Normalize())
    return {name: known.get(name, first) for name in modalities}


def _plain(normalize: Normalize) -> dict[str, list[float]]:
    return {"mean": list(normalize.mean), "std": list(normalize.std)}


def import_checkpoint(
    source: Path, path: Path, recipe: Recipe, registry: Registry, match: Match = "name", partial: bool = False
) -> Imported:
    """Make the run folder `path` of the checkpoint `source`, whole or not at all.

    Args:
        match: pair entries by published name, or by order and shape.
        partial: whether what fits is taken where not everything does; the rest has fresh weights.

    Raises:
        FasError: there is a run already, the file cannot be read, or it does not fit.
    """
    if path.exists():
        raise FasError(f"{path}: is there already: choose another -o")
    published = read_published(source)
    model, matched, classes = match_model(published, recipe, registry, match)
    if not matched.pairs or not (matched.exact or partial):
        raise ModelError(
            f"{source}: does not fit {_named(recipe)}: {matched.differences()}"
            + (f"; --partial takes the {len(matched.pairs)} entries that fit" if matched.pairs else "")
        )
    copy_matched(model, matched, published.weights)
    imported = Imported(Run(path, recipe, registry), source, matched, classes)
    return _write(imported, model, published)


def match_model(
    published: PublishedCheckpoint, recipe: Recipe, registry: Registry, match: Match = "name"
) -> tuple[Model, EntryMatch, int]:
    """The recipe's model with as many classes as the file has, not yet filled; the pairs; that number."""
    with torch.device("meta"):
        sketch = build_model(recipe, registry)
    ours, theirs = sketch.state_dict(), published.weights
    by_place = match == "order"
    names = names_from_end(ours, theirs) if by_place else published_names(sketch)
    classes = count_classes(classifier_entries(recipe, registry), names, theirs)
    torch.manual_seed(recipe.train.seed)
    model = build_model(recipe, registry, classes)
    ours = model.state_dict()
    return model, match_by_order(ours, theirs) if by_place else match_by_name(ours, names, theirs), classes


def _named(recipe: Recipe) -> str:
    chosen = recipe.model.backbone
    backbones = sorted({item.name for item in chosen.values()}) if isinstance(chosen, dict) else [chosen.name]
    return " + ".join(backbones) + (
        "" if len(recipe.modalities) == 1 else f" under {recipe.model.fusion.name}"
    )


def _write(imported: Imported, model: Model, published: PublishedCheckpoint) -> Imported:
    """The run folder, under a temporary name until it is whole."""
    path = imported.run.path
    with replacing(path) as folder:
        if imported.judges:
            imported = _write_run(imported, folder, model, published)
        else:
            run = imported.run.changed({"model.pretrained": str(path.resolve() / PRETRAINED)})
            imported = evolve(imported, run=run, why=f"{imported.classes} classes are not live and attack")
            evolve(run, path=folder).create()
            names, state = published_names(model), model.state_dict()
            save_file(
                {names[ours]: state[ours].contiguous() for ours, _ in imported.matched.pairs},
                folder / PRETRAINED,
            )
        evolve(imported.run, path=folder).write_text(
            "import.json", json.dumps(imported.to_json(), indent=2) + "\n"
        )
    return imported


def _write_run(imported: Imported, folder: Path, model: Model, published: PublishedCheckpoint) -> Imported:
    """Weights that judge and, where the file has what that takes, the state that training resumes from."""
    run = imported.run
    state = None
    try:
        if not imported.matched.exact:
            raise ModelError("not all of its entries were taken")
        run, state = training_state(run, model, published, imported.matched)
        imported = evolve(imported, run=run, epoch=published.epoch)
    except ModelError as error:
        imported = evolve(imported, why=error.message)
    inside = evolve(run, path=folder)
    inside.create()
    save_weights(model, inside.weights("best"))
    save_weights(model, inside.weights("last"))
    if state is not None:
        save_state(state, folder / "state.pt")
    return imported
