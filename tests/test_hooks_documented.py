"""`docs/plugins.md` keeps up with the hooks, the descriptors and the contracts."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from fas_core import hookspecs, testing
from fas_core.component import Component
from fas_core.descriptors import KINDS
from fas_core.registry import registry
from fas_core.training.events import HOOKS

COMMON = {field.name for field in attrs.fields(Component)}
CALLS = {
    "backbone": ("in_channels", "input_size", "until", "num_classes"),
    "fusion": ("branches", "num_classes"),
    "dataset": ("root",),
    "augmentation": (),
    "loss": ("model",),
    "optimizer": ("parameters", "train"),
    "schedule": ("updates_per_epoch", "train"),
    "metric": ("scores", "threshold"),
    "exporter": ("model", "samples", "destination", "card", "verify"),
    "runtime": ("path", "threads"),
    "detector": ("model",),
    "tracker": (),
}
"""Arguments that a component's target is called with after its options."""


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "plugins.md").read_text(encoding="utf-8")


def section(page: str, kind: str) -> str:
    """What the page says below the heading of a hook."""
    _, heading, rest = page.partition(f"\n### `{KINDS[kind].hook}`\n")
    assert heading, f"no heading for {KINDS[kind].hook}"
    return re.split(r"\n##+ ", rest)[0]


def test_there_is_a_hook_for_every_kind_and_every_event() -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("fas_")}
    assert hooks == {kind.hook for kind in KINDS.values()} | set(hookspecs.EVENTS)
    assert tuple(HOOKS.values()) == hookspecs.EVENTS


@pytest.mark.parametrize("event", HOOKS)
def test_an_event_is_documented_with_its_fields(page: str, event: type[Any]) -> None:
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{HOOKS[event]}` |")]
    for field in attrs.fields(event):
        assert f"`{field.name}`" in row


@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_is_documented_with_its_descriptor(page: str, kind: str) -> None:
    text, descriptor = section(page, kind), KINDS[kind]
    assert f"`{descriptor.__name__}`" in text
    for field in {field.name for field in attrs.fields(descriptor)} - COMMON:
        assert f"`{field}`" in text


@pytest.mark.parametrize("kind", CALLS)
def test_every_target_takes_the_documented_arguments(page: str, kind: str) -> None:
    call = re.search(r"`target\(options(.*?)\)`", section(page, kind))
    assert call is not None
    assert tuple(re.findall(r"(\w+)=", call[1])) == CALLS[kind]
    for component in registry().all(KINDS[kind]):
        signature = inspect.signature(component.load())
        signature.bind(None, **dict.fromkeys(CALLS[kind]))


def test_every_kind_with_a_contract_has_a_call_and_a_check(page: str) -> None:
    assert set(CALLS) == set(KINDS) - {"command", "catalogue", "recipe"}
    for kind in CALLS:
        assert callable(getattr(testing, f"check_{kind}"))
        assert f"`check_{kind}`" in page


@pytest.mark.parametrize("field", sorted(COMMON))
def test_what_all_descriptors_have(page: str, field: str) -> None:
    assert f"`{field}`" in page


def test_the_ways_to_disable_a_plugin(page: str) -> None:
    assert "FAS_DISABLE_PLUGINS" in page
    assert "--disable-plugin" in page
