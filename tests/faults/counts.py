"""Counts of what the tests try: kills, power losses, mutations, bombs, ...; pytest prints their sums.

A test's counts travel in its report, so that they arrive from the processes of pytest-xdist too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import pytest

Trial = Literal[
    "kills",
    "random kills",
    "power losses",
    "full disks",
    "flipped bits",
    "mutations",
    "bombs",
    "requests",
    "command lines",
    "names",
]
PROPERTY = "trials "
_counts: Counter[str] = Counter()


def count(trial: Trial, number: int = 1) -> None:
    """Add to the counts of the test that runs."""
    _counts[trial] += number


def attach_counts(item: pytest.Item) -> None:
    """Move the counts of a test to its report."""
    item.user_properties += [(PROPERTY + trial, number) for trial, number in _counts.items()]
    _counts.clear()


def sum_counts(reports: Iterable[pytest.TestReport]) -> str:
    """Return the sums over the tests' reports, e.g. `12 kills, 4 power losses`; empty without any."""
    sums: Counter[str] = Counter()
    for report in reports:
        for name, number in report.user_properties if report.when == "teardown" else ():
            if name.startswith(PROPERTY):
                sums[name.removeprefix(PROPERTY)] += int(str(number))
    return ", ".join(f"{number:,} {trial}" for trial, number in sorted(sums.items()))
