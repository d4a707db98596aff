"""`fas import`: turn a published checkpoint into a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_component, complete_recipe
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import output_options
from fas_core.cli.recipe_options import recipe_options
from fas_core.console import console
from fas_core.errors import format_list
from fas_core.text_table import Table

if TYPE_CHECKING:
    from fas_plugins.commands.importing.import_checkpoint import ImportedRun

Channels = tuple[float, float, float] | None


@click.command(
    cls=FasCommand,
    examples="""
        # a checkpoint of FeatherNetB
        fas import feathernetB.pth.tar --arch feathernet_b -o runs/published
        # a classifier of three classes, of which the third is live
        fas import classes.pth --arch mobilenetv2 --modality rgb --live-class 2
        # two branches in one file, under names of its own
        fas import fused.pth --arch feathernet_b --modality rgb,ir --match order
    """,
)
@click.argument(
    "checkpoints", metavar="CHECKPOINT...", type=click.Path(path_type=Path), nargs=-1, required=True
)
@option(
    "--arch",
    "archs",
    required=True,
    multiple=True,
    metavar="NAME",
    panel=panels.MODEL,
    shell_complete=complete_component("backbone"),
    help="Backbone of the checkpoint, see `fas models list`; repeat it for one of each modality, in their "
    "order. Then CHECKPOINT is one file, or one for each backbone.",
)
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="RUN",
    panel=panels.OUTPUT,
    help="Run folder to write; by default runs/CHECKPOINT.",
)
@option(
    "--recipe",
    "base",
    default="feathernet-b-32",
    show_default=True,
    panel=panels.RECIPE,
    shell_complete=complete_recipe,
    help="Recipe with the values that checkpoint and options do not set: modality, normalisation, data, ...",
)
@option(
    "--modality",
    metavar="NAME[,NAME...]",
    panel=panels.MODEL,
    help="Modalities of the input; by default the recipe's.",
)
@option(
    "--fusion",
    metavar="NAME",
    panel=panels.MODEL,
    shell_complete=complete_component("fusion"),
    help="Fusion of the branches; by default single for one modality, concat_linear for several, and "
    "score_mean for backbones of different checkpoints.",
)
@option(
    "--mean",
    type=float,
    nargs=3,
    default=None,
    panel=panels.MODEL,
    help="Mean of red, green and blue in [0, 1], to normalise.",
)
@option(
    "--std",
    type=float,
    nargs=3,
    default=None,
    panel=panels.MODEL,
    help="Deviation of red, green and blue, to normalise.",
)
@option(
    "--match",
    type=click.Choice(["name", "order"]),
    default="name",
    show_default=True,
    panel=panels.MODEL,
    help="Pair entries by their published names, or by order and shape where there are none.",
)
@option(
    "--live-class",
    type=click.IntRange(min=0),
    metavar="INDEX",
    panel=panels.MODEL,
    help="Index of the class live, from 0, in a classifier with other classes than attack and live; by "
    "default as published for the backbone.",
)
@option(
    "--partial",
    is_flag=True,
    panel=panels.MODEL,
    help="Keep random weights for entries that do not fit, instead of stopping.",
)
@recipe_options
@output_options
def command(
    checkpoints: tuple[Path, ...],
    archs: tuple[str, ...],
    output: Path | None,
    base: str,
    modality: str | None,
    fusion: str | None,
    mean: Channels,
    std: Channels,
    match: Literal["name", "order"],
    live_class: int | None,
    partial: bool,
    overrides: dict[str, Any],
) -> None:
    """Turn CHECKPOINT (.pth, .pth.tar, .ckpt, .safetensors, ...) into a run, for eval, export and --resume.

    Nothing in the file is executed. By default images are depth, normalised as published for CASIA-SURF, and
    the threshold is fixed:0.5. A checkpoint of other classes than attack and live (ImageNet's 1000) gives
    pretrained weights to train from; if one of them is live, --live-class makes it the score.
    """
    from fas_core.registry import registry
    from fas_plugins.commands.importing.import_checkpoint import import_checkpoint
    from fas_plugins.commands.importing.recipe import build_recipe, list_assumptions

    options = {
        "modalities": modality.split(",") if modality else None,
        "fusion": fusion,
        "mean": mean and list(mean),
        "std": std and list(std),
    }
    recipe = build_recipe(base, registry(), archs, options, overrides)
    path = output or Path("runs") / checkpoints[0].name.partition(".")[0]
    assumed = list_assumptions(base, recipe, registry(), archs, options, overrides)
    imported = import_checkpoint(checkpoints, path, recipe, registry(), match, partial, live_class, assumed)
    _warn(imported)
    if console.json:
        console.document(imported.to_json())
    else:
        _show(imported, match)


def _warn(imported: ImportedRun) -> None:
    matched = imported.matched
    for names, text in (
        (matched.missing, "are missing in the file and keep random weights"),
        (matched.mismatched, "have another shape and keep random weights"),
        (matched.unused, "of the file are not used"),
    ):
        if names:
            console.warn(f"{len(names)} entries {text}: {format_list(names)}")
    if not imported.has_scores:
        console.warn(
            f"{imported.classes} classes cannot mean live and attack: pretrained weights only, no score "
            "(--live-class INDEX if one of them is live)"
        )


def _show(imported: ImportedRun, match: str) -> None:
    run, matched, recipe = imported.run, imported.matched, imported.run.recipe
    if match == "order":
        columns = ("model", "file")
        console.table(Table("paired by order and shape", columns, list(matched.pairs), left=(0, 1)))
    key = f", under {imported.key!r}" if imported.key else ""
    console.info(f"run {run.path}: {len(matched.pairs)} entries of {imported.source_names}{key}")
    if imported.other_keys:
        console.info(f"not read: the state dicts under {format_list(imported.other_keys)}")
    for modality in recipe.modalities:
        values = recipe.model.normalize[modality]
        mean, std = (", ".join(f"{value:.4g}" for value in triple) for triple in (values.mean, values.std))
        order = f", {values.channels}" if values.channels != "rgb" else ""
        console.info(f"takes {modality} at {recipe.model.input_size} px, mean {mean}, std {std}{order}")
    for path, text in imported.assumed.items():
        console.info(f"assumed {path}: {text}")
    if not imported.has_scores:
        console.info(f"next: fas train {run.path / 'recipe.yaml'} --data ROOT_OR_NAME")
        return
    if imported.live_class is not None:
        console.info(f"score P(live): class {imported.live_class} of the file's {imported.classes}")
    console.info(f"threshold {recipe.threshold}")
    data = "" if recipe.data.root else f" --data {recipe.data.name}:ROOT"
    if imported.epoch is None:
        console.info(f"cannot be resumed: {imported.no_resume_reason}")
    else:
        console.info(f"next: fas train --resume {run.path}{data} (after epoch {imported.epoch})")
    console.info(f"next: fas eval {run.path}{data}")
