"""Layers of a model by name: which are frozen, and which have learning rates of their own.

A name is the path of a module or of a parameter in the model, such as `backbones.rgb.blocks.0`; it stands for
everything below it. `*` stands for any text within one word of it: `backbones.*` is every backbone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from fas_core.config.train import TrainConfig
from fas_core.errors import ConfigError, format_list, suggest_closest


def matches_name(pattern: str, name: str) -> bool:
    """Return whether a pattern stands for an entry of a model or a module.

    >>> matches_name("backbones.*.blocks", "backbones.rgb.blocks.0.weight"), matches_name("back", "backbones")
    (True, False)
    """
    words, parts = pattern.split("."), name.split(".")
    return len(parts) >= len(words) and all(map(fnmatchcase, parts, words))


def check_names(model: nn.Module, patterns: Iterable[str], key: str) -> None:
    """Refuse names, of the recipe's `key`, that stand for nothing in the model.

    Raises:
        ConfigError: one does; the message names the word that is wrong and the words that could stand there.
    """
    entries = list(model.state_dict())
    for pattern in patterns:
        below, words = entries, pattern.split(".")
        for count, word in enumerate(words):
            stem = ".".join(words[: count + 1])
            matching = [entry for entry in below if matches_name(stem, entry)]
            if not matching:
                known = {entry.split(".")[count] for entry in below if entry.count(".") >= count}
                raise ConfigError(f"{key}: no layer {pattern!r}: {word!r}{suggest_closest(word, known)}")
            below = matching


def freeze_layers(model: nn.Module, patterns: tuple[str, ...]) -> None:
    """Exclude the parameters of these layers from training.

    Raises:
        ConfigError: a name stands for nothing, or nothing is left to train.
    """
    check_names(model, patterns, "train.freeze")
    for name, parameter in model.named_parameters():
        if any(matches_name(pattern, name) for pattern in patterns):
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ConfigError(
            f"train.freeze: {format_list(patterns)}: nothing is left to train: leave a pattern out"
        )


def set_training_mode(model: nn.Module, frozen: tuple[str, ...]) -> None:
    """Set a model to training mode, and its frozen layers to evaluation mode.

    Their batch norms then use, and keep, their running statistics, and they have no dropout.
    """
    model.train()
    for name, module in model.named_modules():
        if name and any(matches_name(pattern, name) for pattern in frozen):
            module.eval()


def group_parameters(model: nn.Module, loss: nn.Module, config: TrainConfig) -> list[dict[str, Any]]:
    """Return the optimiser's parameter groups: one for each factor of the learning rate, `lr_factor`.

    Frozen parameters are in none. Of several names that stand for a parameter the longest counts.

    Raises:
        ConfigError: a name of `train.layer_lr` stands for nothing.
    """
    check_names(model, config.layer_lr, "train.layer_lr")
    groups: dict[float, list[nn.Parameter]] = {1.0: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault(_factor(name, config.layer_lr), []).append(parameter)
    groups[1.0] += loss.parameters()
    return [
        {"params": parameters, "lr": config.lr * factor, "lr_factor": factor}
        for factor, parameters in groups.items()
        if parameters
    ]


def _factor(name: str, factors: Mapping[str, float]) -> float:
    patterns = [pattern for pattern in factors if matches_name(pattern, name)]
    return factors[max(patterns, key=lambda pattern: pattern.count("."))] if patterns else 1.0
