"""The contract check of schedules accepts ours and names what others break."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from fas_core.descriptors import Schedule
from fas_core.registry import registry
from fas_core.testing import ContractError, check_schedule

Provide = Callable[..., str]


@pytest.mark.parametrize("name", [item.name for item in registry().all(Schedule)])
def test_every_installed_schedule_passes(name: str) -> None:
    check_schedule(name)


def test_it_needs_no_torch() -> None:
    check = "import sys; sys.modules['torch'] = None\nfrom fas_core.testing import check_schedule\n"
    subprocess.run([sys.executable, "-c", f"{check}check_schedule('one_cycle')"], check=True)


class Counting:
    """It counts for itself, and is lost when a run is resumed."""

    count = 0

    def __call__(self, update: int) -> float:
        self.count += 1
        return 1 / self.count


@pytest.mark.parametrize(
    ("target", "rule", "message"),
    [
        (lambda options, updates_per_epoch: None, "call", "raised TypeError: .*'train'"),
        (lambda options, **_: 0.1, "call", "target gave 0.1, which is not callable"),
        (
            lambda options, **_: lambda update: -0.1,
            "factor",
            "gave -0.1 for update 0 of 1 epochs of 1 updates",
        ),
        (lambda options, **_: lambda update: float("nan"), "factor", "gave nan for update 0"),
        (lambda options, **_: lambda update: "1", "factor", "gave '1' for update 0"),
        (lambda options, **_: lambda update: 0.0, "factor", "every factor of 1 epochs of 1 updates is 0"),
        (
            lambda options, **_: lambda update: 1 / (5 - update),
            "factor",
            "update 5 .* raised ZeroDivisionError",
        ),
        (
            lambda options, **_: Counting(),
            "update alone",
            "update 11 of 3 epochs of 4 updates: 1.0, and in order",
        ),
    ],
)
def test_a_broken_schedule_is_named(provide: Provide, target: Any, rule: str, message: str) -> None:
    with pytest.raises(ContractError, match=f"^broken: .*{message}") as caught:
        check_schedule(provide("schedule", target))
    assert caught.value.rule == rule
