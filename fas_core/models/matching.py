"""Pairing our entries with those of a published checkpoint, and filling ours by the pairs."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

import torch
from attrs import asdict, frozen
from torch import Tensor, nn

from fas_core.errors import format_list

COUNTER = "num_batches_tracked"
"""Of batch norms: not written by PyTorch before 0.4.1, and of no use for judging."""


@frozen
class Matched:
    """Which entries belong together.

    Args:
        pairs: (ours, theirs).
        adapted: of the pairs, ours whose input channels differ: the first convolution.
        missing: ours that the file does not have; their values stay.
        reshaped: what differs in shape, as text; neither side is in a pair.
        left: theirs that nothing of ours takes.
    """

    pairs: tuple[tuple[str, str], ...]
    adapted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    reshaped: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether every entry of both sides is in a pair."""
        return not (self.missing or self.reshaped or self.left)

    def differences(self) -> str:
        """In one line, what is in no pair; empty where all are."""
        parts = (
            (self.missing, "missing in the file"),
            (self.reshaped, "of another shape"),
            (self.left, "left over in the file"),
        )
        return "; ".join(f"{len(names)} {what}: {format_list(names, 3)}" for names, what in parts if names)

    def to_json(self) -> dict[str, Any]:
        """The fields as plain data."""
        return asdict(self)


def by_name(
    ours: Mapping[str, Tensor], names: Mapping[str, str], theirs: Mapping[str, Tensor], *, adapt: bool = False
) -> Matched:
    """Pair entries by published name.

    Args:
        ours: our entries.
        names: `{our name: published name}`.
        theirs: the file's entries.
        adapt: whether the first convolution may have another number of input channels.
    """
    first = next((name for name, value in ours.items() if value.ndim == 4), None) if adapt else None
    pairs, adapted, missing, reshaped = [], [], [], []
    for name, wanted in ours.items():
        found = theirs.get(names[name])
        if found is None:
            if not name.endswith(COUNTER):
                missing.append(names[name])
        elif found.shape == wanted.shape:
            pairs.append((name, names[name]))
        elif name == first and _differs_in_inputs(found, wanted):
            pairs.append((name, names[name]))
            adapted.append(name)
        else:
            shapes = f"{tuple(found.shape)} and should be {tuple(wanted.shape)}"
            reshaped.append(f"{names[name]} is {shapes}")
    known = {names[name] for name in ours}
    left = tuple(name for name in theirs if name not in known)
    return Matched(tuple(pairs), tuple(adapted), tuple(missing), tuple(reshaped), left)


def by_order(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> Matched:
    """Pair each of ours with the file's first one of the same shape and last word that is not yet taken.

    The last word (`weight`, `running_mean`, ...) keeps apart what has one shape in a batch norm.
    """
    waiting: dict[tuple[str, torch.Size], deque[str]] = defaultdict(deque)
    for name, value in theirs.items():
        waiting[_last_word(name), value.shape].append(name)
    pairs, missing = [], []
    for name, wanted in ours.items():
        if queue := waiting[_last_word(name), wanted.shape]:
            pairs.append((name, queue.popleft()))
        elif not name.endswith(COUNTER):
            missing.append(f"{name} {tuple(wanted.shape)}")
    taken = {theirs_name for _, theirs_name in pairs}
    left = tuple(f"{name} {tuple(value.shape)}" for name, value in theirs.items() if name not in taken)
    return Matched(tuple(pairs), missing=tuple(missing), left=left)


def fill(network: nn.Module, matched: Matched, theirs: Mapping[str, Tensor]) -> None:
    """Give our entries the values of those they are paired with."""
    ours = network.state_dict()
    with torch.no_grad():
        for name, published in matched.pairs:
            value = theirs[published]
            if name in matched.adapted:
                value = with_inputs(value, ours[name].shape[1])
            ours[name].copy_(value)


def with_inputs(kernel: Tensor, channels: int) -> Tensor:
    """A convolution's (out, in, h, w) for another number of input channels, answering alike inputs alike.

    One channel gets the sum of the kernels, as if it stood in all of the old ones; more get the old kernels
    in turn, scaled so that copies of one image stacked give what the image gave.

    >>> with_inputs(torch.ones(1, 3, 1, 1), 1).flatten().tolist()
    [3.0]
    >>> with_inputs(torch.ones(1, 3, 1, 1), 6).flatten().tolist()
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    """
    if channels == 1:
        return kernel.sum(dim=1, keepdim=True)
    turns = torch.arange(channels) % kernel.shape[1]
    return kernel[:, turns] * (kernel.shape[1] / channels)


def _differs_in_inputs(found: Tensor, wanted: Tensor) -> bool:
    return found.ndim == 4 and found.shape[0] == wanted.shape[0] and found.shape[2:] == wanted.shape[2:]


def _last_word(name: str) -> str:
    return name.rpartition(".")[2]
