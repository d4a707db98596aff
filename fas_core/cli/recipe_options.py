"""Flags of the commands that change a recipe: `--set`, `--data` and a flag for each of the usual keys."""

from __future__ import annotations

import functools
from typing import Any

import click

from fas_core.cli.candidates import complete_dataset, complete_set
from fas_core.cli.command import option
from fas_core.cli.options import READERS, Command
from fas_core.cli.panels import DATA, MACHINE, MODEL, RECIPE, TRAINING, VERDICTS

PRECISIONS = click.Choice(["fp32", "fp16", "bf16"])

RECIPE_FLAGS: dict[str, tuple[tuple[str, ...], Any, str, str]] = {
    "train.batch_size": (("-b", "--b", "--batch-size"), int, TRAINING, "Samples in a batch."),
    "train.lr": (("--lr", "--learning-rate"), float, TRAINING, "Initial learning rate."),
    "train.every_decay": (("--every-decay",), int, TRAINING, "Epochs between decays of the learning rate."),
    "loss.gamma": (("--fl-gamma",), float, TRAINING, "Gamma of the focal loss."),
    "train.epochs": (("--epochs",), int, TRAINING, "Epochs in all."),
    "train.workers": (("-j", "--workers"), int, MACHINE, f"{READERS}, by processes."),
    "model.input_size": (("--input-size", "--input_size"), int, MODEL, "Side of the square input in pixels."),
    "train.seed": (("--random-seed",), int, TRAINING, "Seed of weights, order and augmentation."),
    "train.momentum": (("--momentum",), float, TRAINING, "Momentum, of an optimizer that has one."),
    "train.weight_decay": (("--weight-decay", "--wd"), float, TRAINING, "Weight decay (L2 penalty)."),
    "train.device": (("--device",), str, MACHINE, "Device to train on: auto, cpu, cuda, cuda:1, mps, ..."),
    "train.amp": (("--amp",), PRECISIONS, MACHINE, "Mixed precision; fp32 for none."),
    "train.distillation.run": (
        ("--distil-from",),
        str,
        TRAINING,
        "Run whose scores the model is trained to give, too: its teacher.",
    ),
    "threshold": (("--threshold",), str, VERDICTS, "Threshold policy: eer (fitted on dev), fixed:VALUE, ..."),
}
"""By recipe path: names, type, panel and text of a flag. Names are those of the published scripts and their
usual variants."""


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

    for path, (names, kind, panel, text) in reversed(RECIPE_FLAGS.items()):
        name, shown = path.replace(".", "_"), f"{text} [{path}]"
        wrapped = option(*names, name, type=kind, panel=panel, help=shown)(wrapped)
    wrapped = option(
        "--data",
        metavar="ROOT_OR_NAME",
        panel=DATA,
        shell_complete=complete_dataset,
        help="Data set: NAME, NAME:ROOT, a folder or a manifest. [data]",
    )(wrapped)
    return option(
        "--set",
        "sets",
        multiple=True,
        metavar="KEY=VALUE",
        panel=RECIPE,
        shell_complete=complete_set,
        help="Value of the recipe to change, e.g. train.lr=0.02; may be repeated.",
    )(wrapped)
