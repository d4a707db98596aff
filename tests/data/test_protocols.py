"""What `--protocol` names, over every registered data set."""

from __future__ import annotations

import pytest
from attrs import evolve

from fas_core import ConfigError, Dataset
from fas_core.config.structure import structure
from fas_core.data.protocols import find_protocol
from fas_core.registry import PluginRecord, Registry, registry

SETS = [
    (item.name, name) for item in registry().all(Dataset) if isinstance(item, Dataset) for name in item.sets
]


@pytest.mark.parametrize(("dataset", "name"), SETS)
def test_members_of_a_set_are_protocols_of_its_data_set(dataset: str, name: str) -> None:
    found = find_protocol(f"{dataset}-{name}", registry())
    assert found.is_set
    assert len(set(found.members)) == len(found.members) >= 2
    options = registry().find(Dataset, dataset).options
    for member in found.members:
        assert structure({"protocol": member}, options, registry(), dataset).protocol == member
        assert "/" not in member  # it names a folder


def test_one_of_a_set() -> None:
    found = find_protocol("cefa-4@2", registry())
    assert (found.dataset, found.members, found.is_set) == ("cefa", ("4@2",), False)
    assert found.overrides("4@2") == {"data.name": "cefa", "data.protocol": "4@2"}


def test_names_with_a_hyphen_are_taken_whole() -> None:
    cefa = registry().find(Dataset, "cefa")
    assert isinstance(cefa, Dataset)
    both = (cefa, evolve(cefa, name="cefa-4", sets={"x": ("4@1", "4@2")}))
    found = find_protocol("cefa-4-x", Registry((PluginRecord("p", "d", "1", "active", components=both),)))
    assert (found.dataset, found.members) == ("cefa-4", ("4@1", "4@2"))


@pytest.mark.parametrize("text", ["", "cefa", "cefa-", "-4", "nothing-4"])
def test_what_names_none(text: str) -> None:
    with pytest.raises(ConfigError, match=r"must be DATASET-PROTOCOL, .* or a set of them: .*cefa-4"):
        find_protocol(text, registry())


def test_a_qualified_name_picks_the_data_set() -> None:
    theirs = Dataset(name="cefa", summary="", target="acme:Cefa", sets={"7": ("7@1", "7@2")})
    other = PluginRecord("data", "acme-fas", "1.0", "active", components=(theirs,))
    both = Registry((*registry().records, other))
    assert find_protocol("cefa-4", both).dataset == "cefa"
    protocol = find_protocol("acme-fas:cefa-7", both)
    assert (protocol.dataset, protocol.members) == ("acme-fas:cefa", ("7@1", "7@2"))
    assert find_protocol("fas-core:cefa-4@1", both).dataset == "cefa"
