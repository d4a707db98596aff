"""Find out which entry of a published checkpoint is which: names, order, number and order of classes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from fas_core.errors import ModelError
from fas_core.models.matching import BATCH_COUNTER, EntryMatch
from fas_core.models.model import Model
from fas_core.models.pretrained import backbone_names


def published_names(model: Model) -> dict[str, str]:
    """Return `{name in the model: published name}`.

    A model with several branches has no published names: its entries keep the model's.
    """
    names = {name: name for name in model.state_dict()}
    if len(model.backbones) > 1:
        return names
    ((branch, backbone),) = model.backbones.items()
    prefix = f"backbones.{branch}."
    return names | {f"{prefix}{name}": published for name, published in backbone_names(backbone).items()}


def names_from_end(model: Mapping[str, Tensor], file: Mapping[str, Tensor]) -> dict[str, str]:
    """Return `{name in the model: name in the file at the same position}`, counted from the end."""
    model_names = [name for name in model if not name.endswith(BATCH_COUNTER)]
    file_names = [name for name in file if not name.endswith(BATCH_COUNTER)]
    pairs = dict(zip(reversed(model_names), reversed(file_names), strict=False))
    return {name: pairs.get(name, "") for name in model}


def count_classes(classifier: Collection[str], names: Mapping[str, str], file: Mapping[str, Tensor]) -> int:
    """Return how many classes the file's classifier has; 2 where the model has no classifier.

    Args:
        classifier: names of the classifier's entries in the model.
        names: `{name in the model: published name}`.
        file: state dict of the file.
    """
    entries = [file[names[name]] for name in classifier if names[name] in file]
    counts = {value.shape[0] for value in entries if value.ndim}
    return counts.pop() if len(counts) == 1 else 2


def match_by_order(model: Mapping[str, Tensor], file: Mapping[str, Tensor]) -> EntryMatch:
    """Match each entry of the model with the file's next one of the same shape and last word.

    The last word (`weight`, `running_mean`, ...) tells a batch norm's entries apart, which have one shape.
    """
    queues: dict[tuple[str, torch.Size], deque[str]] = defaultdict(deque)
    for name, value in file.items():
        queues[_last_word(name), value.shape].append(name)
    pairs, missing = [], []
    for name, value in model.items():
        if queue := queues[_last_word(name), value.shape]:
            pairs.append((name, queue.popleft()))
        elif not name.endswith(BATCH_COUNTER):
            missing.append(f"{name} {tuple(value.shape)}")
    used = {published for _, published in pairs}
    unused = tuple(f"{name} {tuple(value.shape)}" for name, value in file.items() if name not in used)
    return EntryMatch(tuple(pairs), missing=tuple(missing), unused=unused)


def _last_word(name: str) -> str:
    return name.rpartition(".")[2]


def make_live_second(model: Model, classifier: Collection[str], classes: int, live_class: int) -> None:
    """Swap classes 1 and `live_class` in the last layer, so that P(live) is the probability of class 1.

    Args:
        model: the model with the checkpoint's weights.
        classifier: names of the entries whose first dimension is the classes.
        classes: their number.
        live_class: index of the class live.

    Raises:
        ModelError: there is no such class, or the model has no layer whose classes could be swapped.
    """
    if not 0 <= live_class < classes:
        raise ModelError(f"--live-class {live_class}: the checkpoint has the classes 0 to {classes - 1}")
    if live_class == 1:
        return
    if not classifier:
        raise ModelError(f"--live-class {live_class}: this network has no classifier; its class live is 1")
    order = list(range(classes))
    order[1], order[live_class] = live_class, 1
    state = model.state_dict()
    if wrong := [name for name in classifier if state[name].shape[0] != classes]:
        raise ModelError(f"--live-class {live_class}: {wrong[0]} has no row for each class")
    with torch.no_grad():
        for name in classifier:
            state[name].copy_(state[name][order])
