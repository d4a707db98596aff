"""Match a model's state dict with a published one entry by entry, and copy the matched values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from attrs import frozen
from torch import Tensor, nn

from fas_core.errors import ModelError, format_list

BATCH_COUNTER = "num_batches_tracked"
"""Entry of batch norms that PyTorch before 0.4.1 did not write; evaluation does not use it."""


@frozen
class EntryMatch:
    """Which entries of a model and of a file belong together.

    Args:
        pairs: (name in the model, name in the file).
        adapted: model entries among them with other input channels than the file's: the first convolution.
        missing: model entries that the file does not have; they keep their values.
        mismatched: model entries whose shape differs from the file's, with both shapes; they are in no pair.
        unused: file entries that no model entry is matched with.
    """

    pairs: tuple[tuple[str, str], ...]
    adapted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether every entry of model and file is in a pair."""
        return not (self.missing or self.mismatched or self.unused)

    def differences(self) -> str:
        """Describe in one line the entries that are in no pair; empty for an exact match."""
        problems = {
            "missing in the file": self.missing,
            "of another shape": self.mismatched,
            "left over in the file": self.unused,
        }
        texts = (f"{len(names)} {text}: {format_list(names, 3)}" for text, names in problems.items() if names)
        return "; ".join(texts)

    def to_json(self) -> dict[str, Any]:
        """Return the match as plain data, under the keys of `import.json`."""
        return {
            "pairs": self.pairs,
            "adapted": self.adapted,
            "missing": self.missing,
            "reshaped": self.mismatched,
            "left": self.unused,
        }


def add_prefix(names: Mapping[str, str], file: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the published names with the prefix that they have in the file, such as Lightning's `model.`.

    It is the one with which most of them are in the file; none where they are in it without one.

    Raises:
        ModelError: the file holds all of them several times, each time with another prefix.
    """
    published = {name for name in names.values() if not name.endswith(BATCH_COUNTER)}
    counts: Counter[str] = Counter()
    for entry in file:
        words = entry.split(".")
        for index in range(len(words)):
            if ".".join(words[index:]) in published:
                counts["".join(f"{word}." for word in words[:index])] += 1
    complete = [prefix for prefix, count in counts.items() if count == len(published)]
    if len(complete) > 1:
        networks = " and ".join(repr(prefix) for prefix in complete)
        raise ModelError(f"the file holds several such networks, below {networks}: save the right one alone")
    prefix = counts.most_common(1)[0][0] if counts else ""
    return {entry: prefix + name for entry, name in names.items()}


def match_by_name(
    model: Mapping[str, Tensor],
    names: Mapping[str, str],
    file: Mapping[str, Tensor],
    *,
    adapt_input: bool = False,
) -> EntryMatch:
    """Match the entries of two state dicts by `names`, `{name in the model: published name}`.

    With `adapt_input` the first convolution may have another number of input channels.
    """
    first = next((name for name, value in model.items() if value.ndim == 4), None) if adapt_input else None
    pairs, adapted, missing, mismatched = [], [], [], []
    for name, value in model.items():
        published, source = names[name], file.get(names[name])
        if source is None:
            if not name.endswith(BATCH_COUNTER):
                missing.append(published)
        elif source.shape == value.shape:
            pairs.append((name, published))
        elif name == first and _differ_in_input_channels(source, value):
            pairs.append((name, published))
            adapted.append(name)
        else:
            mismatched.append(f"{published} is {tuple(source.shape)} and should be {tuple(value.shape)}")
    known = {names[name] for name in model}
    unused = tuple(name for name in file if name not in known)
    return EntryMatch(tuple(pairs), tuple(adapted), tuple(missing), tuple(mismatched), unused)


def copy_matched(network: nn.Module, match: EntryMatch, file: Mapping[str, Tensor]) -> None:
    """Copy the values of the file's matched entries into the network."""
    state = network.state_dict()
    with torch.no_grad():
        for name, published in match.pairs:
            value = file[published]
            if name in match.adapted:
                value = adapt_input_channels(value, state[name].shape[1])
            state[name].copy_(value)


def adapt_input_channels(kernel: Tensor, channels: int) -> Tensor:
    """Return a convolution's kernel for another number of input channels: (out, in, h, w), `in` changed.

    One channel gets the sum of the kernels, as if the image stood in all of the old channels; more get the
    old kernels in turn, scaled so that stacked copies of an image give what the image gave.

    >>> adapt_input_channels(torch.ones(1, 3, 1, 1), 1).flatten().tolist()
    [3.0]
    >>> adapt_input_channels(torch.ones(1, 3, 1, 1), 6).flatten().tolist()
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    """
    if channels == 1:
        return kernel.sum(dim=1, keepdim=True)
    order = torch.arange(channels) % kernel.shape[1]
    return kernel[:, order] * (kernel.shape[1] / channels)


def _differ_in_input_channels(first: Tensor, second: Tensor) -> bool:
    """Whether two convolutions' kernels (out, in, h, w) have the same shape but for `in`."""
    return first.ndim == 4 and first.shape[0] == second.shape[0] and first.shape[2:] == second.shape[2:]
