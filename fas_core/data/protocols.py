"""What `--protocol` names: a protocol of a data set, or a set of them that is reported as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from fas_core.descriptors import Dataset
from fas_core.errors import ConfigError, format_list
from fas_core.registry import Registry


@frozen
class Protocol:
    """A protocol of a data set.

    Args:
        name: as the user gave it, e.g. `cefa-4` or `cefa-4@2`.
        dataset: the data set's name.
        members: values of its `protocol` option; the sub-protocols of a set, or one.
        has_sub_protocols: whether it is a set.
    """

    name: str
    dataset: str
    members: tuple[str, ...]
    has_sub_protocols: bool

    def overrides(self, member: str) -> dict[str, Any]:
        """What of a recipe chooses this sub-protocol."""
        return {"data.name": self.dataset, "data.protocol": member}


def protocols_of(texts: Sequence[str], registry: Registry) -> dict[str, str]:
    """`DATASET-PROTOCOL`, each of another data set, as `{data set: protocol}`.

    Raises:
        ConfigError: as `find_protocol`; one is a set, or two are of one data set.
    """
    found: dict[str, str] = {}
    for text in texts:
        protocol = find_protocol(text, registry)
        if protocol.has_sub_protocols:
            members = [f"{protocol.dataset}-{member}" for member in protocol.members]
            raise ConfigError(f"--protocol {text!r}: a set of protocols: give one of {format_list(members)}")
        if protocol.dataset in found:
            raise ConfigError(f"--protocol {text!r}: a second protocol of {protocol.dataset}")
        found[protocol.dataset] = protocol.members[0]
    return found


def find_protocol(text: str, registry: Registry) -> Protocol:
    """`DATASET-SET` or `DATASET-PROTOCOL`, where SET is one of the data set's `sets`.

    Raises:
        ConfigError: there is no such data set, or it has no protocols.
    """
    datasets = {item.name: item for item in registry.all(Dataset) if isinstance(item, Dataset)}
    # Names may have a `-` themselves: the longest that fits is meant.
    fitting = [name for name in datasets if text.startswith(f"{name}-") and len(text) > len(name) + 1]
    if not fitting:
        sets = [f"{name}-{key}" for name, item in sorted(datasets.items()) for key in item.sets]
        raise ConfigError(
            f"--protocol {text!r}: must be DATASET-PROTOCOL, e.g. cefa-4@1, or a set of them: "
            f"{format_list(sets)}"
        )
    name = max(fitting, key=len)
    rest = text.removeprefix(f"{name}-")
    members = datasets[name].sets.get(rest)
    return Protocol(text, name, members or (rest,), has_sub_protocols=members is not None)
