"""The flags that change a recipe: `--set`, and the published ones as they were."""

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
    "train.workers": (("-j", "--workers"), int, "Processes that read images."),
    "model.input_size": (("--input-size", "--input_size"), int, "Side of the square input, in pixels."),
    "train.seed": (("--random-seed",), int, "Of weights, order and augmentation."),
    "train.momentum": (("--momentum",), float, "Of SGD."),
    "train.weight_decay": (("--weight-decay", "--wd"), float, "L2 penalty."),
    "train.device": (("--device",), str, "auto, cpu, cuda, cuda:1, mps, ..."),
    "train.amp": (("--amp",), click.Choice(["fp32", "fp16", "bf16"]), "Mixed precision."),
    "threshold": (("--threshold",), str, "eer (fitted on dev) or fixed:VALUE."),
}


def recipe_options(command: Command) -> Command:
    """Give a command the flags; it receives `overrides`, `{recipe path: value}`, of those given."""

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
        "--data", metavar="ROOT_OR_NAME", help="NAME, NAME:ROOT, a folder or a manifest file. [data]"
    )(wrapped)
    return click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="KEY=VALUE",
        help="Any value of the recipe, e.g. train.lr=0.02.",
    )(wrapped)


def _parameter(path: str) -> str:
    return path.replace(".", "_")
