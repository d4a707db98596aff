"""Protocols by name, as `--protocol` takes them: one of a data set, or a set that is reported as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from fas_core.descriptors import Dataset
from fas_core.errors import ConfigError, format_list
from fas_core.registry import Registry


@frozen
class Protocol:
    """A protocol, or set of protocols, of a data set.

    Args:
        name: as the user gave it, e.g. `cefa-4` or `cefa-4@2`.
        members: values of the data set's `protocol` option; the sub-protocols of a set, or one.
    """

    name: str
    dataset: str
    members: tuple[str, ...]
    is_set: bool

    def overrides(self, member: str) -> dict[str, Any]:
        """Return the recipe overrides that select this sub-protocol."""
        return {"data.name": self.dataset, "data.protocol": member}


def protocols_of(texts: Sequence[str], registry: Registry) -> dict[str, str]:
    """Parse `DATASET-PROTOCOL` texts, each of another data set, to `{data set: protocol}`.

    Raises:
        ConfigError: as `find_protocol`; or a text names a set, or two name the same data set.
    """
    protocols: dict[str, str] = {}
    for text in texts:
        protocol = find_protocol(text, registry)
        if protocol.is_set:
            members = [f"{protocol.dataset}-{member}" for member in protocol.members]
            raise ConfigError(f"--protocol {text!r}: a set of protocols: give one of {format_list(members)}")
        if protocol.dataset in protocols:
            raise ConfigError(f"--protocol {text!r}: a second protocol of {protocol.dataset}")
        protocols[protocol.dataset] = protocol.members[0]
    return protocols


def find_protocol(text: str, registry: Registry) -> Protocol:
    """Find the protocol named `DATASET-PROTOCOL` or `DATASET-SET`, SET being one of the data set's `sets`.

    Raises:
        ConfigError: no data set has this name.
    """
    datasets = {name: item for item in registry.all(Dataset) for name in _names(item, registry)}
    # Names may contain a `-` themselves: the longest match wins.
    matches = [name for name in datasets if text.startswith(f"{name}-") and len(text) > len(name) + 1]
    if not matches:
        sets = [f"{registry.name_of(item)}-{key}" for item in registry.all(Dataset) for key in item.sets]
        form = f"DATASET-PROTOCOL, e.g. cefa-4@1, or a set of them: {format_list(sets)}"
        raise ConfigError(f"--protocol {text!r}: must be {form}")
    name = max(matches, key=len)
    protocol = text.removeprefix(f"{name}-")
    members = datasets[name].sets.get(protocol)
    dataset = registry.name_of(datasets[name])
    return Protocol(text, dataset, members or (protocol,), is_set=members is not None)


def _names(dataset: Dataset, registry: Registry) -> set[str]:
    """Return the names that find a data set: the qualified one, and the bare one unless another has it."""
    return {dataset.qualified_name, registry.name_of(dataset)}
