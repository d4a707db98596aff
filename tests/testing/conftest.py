"""Registering a component that breaks its contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fas_core.descriptors import KINDS
from fas_core.registry import PluginRecord, Registry
from fas_core.testing import support


@pytest.fixture
def provide(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`provide(kind, target, **fields)` registers a component, `broken`, and returns its name."""

    def register(kind: str, target: Callable[..., Any], **fields: Any) -> str:
        component = KINDS[kind](name="broken", summary="", target="acme_fas:target", **fields)
        monkeypatch.setattr(type(component), "load", lambda _: target)
        record = PluginRecord("acme", "acme-fas", "1", "active", components=(component,))
        monkeypatch.setattr(support, "registry", lambda: Registry((record,)))
        return "broken"

    return register
