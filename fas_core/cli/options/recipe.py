"""Flags that change a recipe: `--set`, and those of the published scripts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import rich_click as click

Command = Callable[..., Any]

FLAGS: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "train.batch_size": (("-b", "--b", "--batch-size"), int, "Samples in a batch."),
    "train.lr": (("--lr", "--learning-rate"), float, "Initial learning rate."),
    "train.every_decay": (("--every-decay",), int, "Epochs between decays of the learning rate."),
    "loss.gamma": (("--fl-gamma",), float, "Gamma of the focal loss."),
    "train.epochs": (("--epochs",), int, "Epochs in all."),
    "train.workers": (("-j", "--workers"), int, "Images that are read at the same time, by processes."),
    "model.input_size": (("--input-size", "--input_size"), int, "Side of the square input in pixels."),
    "train.seed": (("--random-seed",), int, "Seed of weights, order and augmentation."),
    "train.momentum": (("--momentum",), float, "Momentum of SGD."),
    "train.weight_decay": (("--weight-decay", "--wd"), float, "Weight decay (L2 penalty)."),
    "train.device": (("--device",), str, "Device to train on: auto, cpu, cuda, cuda:1, mps, ..."),
    "train.amp": (("--amp",), click.Choice(["fp32", "fp16", "bf16"]), "Mixed precision; fp32 for none."),
    "threshold": (("--threshold",), str, "Threshold policy: eer (fitted on dev), fixed:VALUE, ..."),
}
"""Flags by recipe path; the names are those of the published scripts and their usual variants."""


def recipe_options(command: Command) -> Command:
    """Give a command these flags, as one argument `overrides`: `{recipe path: value}` of those given."""

    @functools.wraps(command)
    def wrapped(*args: Any, sets: tuple[str, ...], data: str | None, **kwargs: Any) -> Any:
        from fas_core.config.load import parse_sets
        from fas_core.data.open import identify_dataset
        from fas_core.registry import registry

        overrides: dict[str, Any] = {}
        if data is not None:
            component, root = identify_dataset(data, registry())
            overrides["data"] = {"name": component.name} | ({"root": str(root)} if root else {})
        overrides |= parse_sets(sets)  # before the flags, which may be about a component that it chooses
        flags = {path: kwargs.pop(_parameter(path)) for path in FLAGS}
        overrides |= {path: value for path, value in flags.items() if value is not None}
        return command(*args, overrides=overrides, **kwargs)

    for path, (names, kind, text) in reversed(FLAGS.items()):
        wrapped = click.option(*names, _parameter(path), type=kind, help=f"{text} [{path}]")(wrapped)
    wrapped = click.option(
        "--data",
        metavar="ROOT_OR_NAME",
        help="Data set: NAME, NAME:ROOT, a folder or a manifest. [data]",
    )(wrapped)
    return click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="KEY=VALUE",
        help="Value of the recipe to change, e.g. train.lr=0.02; may be repeated.",
    )(wrapped)


def _parameter(path: str) -> str:
    return path.replace(".", "_")
