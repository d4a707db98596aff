"""Flags of the commands that change a recipe: `--set`, `--data` and a flag for each of the usual keys."""

from __future__ import annotations

import functools
from typing import Any

import rich_click as click

from fas_core.cli.options import READERS, Command

RECIPE_FLAGS: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "train.batch_size": (("-b", "--b", "--batch-size"), int, "Samples in a batch."),
    "train.lr": (("--lr", "--learning-rate"), float, "Initial learning rate."),
    "train.every_decay": (("--every-decay",), int, "Epochs between decays of the learning rate."),
    "loss.gamma": (("--fl-gamma",), float, "Gamma of the focal loss."),
    "train.epochs": (("--epochs",), int, "Epochs in all."),
    "train.workers": (("-j", "--workers"), int, f"{READERS}, by processes."),
    "model.input_size": (("--input-size", "--input_size"), int, "Side of the square input in pixels."),
    "train.seed": (("--random-seed",), int, "Seed of weights, order and augmentation."),
    "train.momentum": (("--momentum",), float, "Momentum, of an optimizer that has one."),
    "train.weight_decay": (("--weight-decay", "--wd"), float, "Weight decay (L2 penalty)."),
    "train.device": (("--device",), str, "Device to train on: auto, cpu, cuda, cuda:1, mps, ..."),
    "train.amp": (("--amp",), click.Choice(["fp32", "fp16", "bf16"]), "Mixed precision; fp32 for none."),
    "train.distillation.run": (
        ("--distil-from",),
        str,
        "Run whose scores the model is trained to give, too: its teacher.",
    ),
    "threshold": (("--threshold",), str, "Threshold policy: eer (fitted on dev), fixed:VALUE, ..."),
}
"""Flags by recipe path; the names are those of the published scripts and their usual variants."""


def recipe_options(command: Command) -> Command:
    """Give a command `--set`, `--data` and `RECIPE_FLAGS`, as one argument `overrides`: `{path: value}`."""

    @functools.wraps(command)
    def wrapped(*args: Any, sets: tuple[str, ...], data: str | None, **kwargs: Any) -> Any:
        from fas_core.config.load import parse_sets
        from fas_core.data.open import identify_dataset
        from fas_core.registry import registry

        overrides: dict[str, Any] = {}
        if data is not None:
            component, root = identify_dataset(data, registry())
            name = registry().name_of(component)
            overrides["data"] = {"name": name} | ({"root": str(root)} if root else {})
        overrides |= parse_sets(sets)  # before the flags, which may be about a component that it chooses
        flags = {path: kwargs.pop(path.replace(".", "_")) for path in RECIPE_FLAGS}
        overrides |= {path: value for path, value in flags.items() if value is not None}
        return command(*args, overrides=overrides, **kwargs)

    for path, (names, kind, text) in reversed(RECIPE_FLAGS.items()):
        wrapped = click.option(*names, path.replace(".", "_"), type=kind, help=f"{text} [{path}]")(wrapped)
    wrapped = click.option(
        "--data", metavar="ROOT_OR_NAME", help="Data set: NAME, NAME:ROOT, a folder or a manifest. [data]"
    )(wrapped)
    return click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="KEY=VALUE",
        help="Value of the recipe to change, e.g. train.lr=0.02; may be repeated.",
    )(wrapped)
