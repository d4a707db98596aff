"""What the tables and the sentence say about a comparison."""

from __future__ import annotations

from collections.abc import Callable
from math import nan

import numpy as np
import pytest
from scipy import stats

from fas_core.console import Console
from fas_core.scores.ranked import Floats
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.drift.drift import find_drift
from fas_plugins.commands.drift.tables import describe_drift, drift_tables

Make = Callable[..., ScoreTable]
Normal = Callable[..., Floats]
HALF = Threshold(0.5, "fixed:0.5", "given")
FEW = 199


def test_a_wider_spread_is_found_though_no_score_exceeds_more_often(table: Make) -> None:
    old, new = stats.norm.ppf(np.linspace(0.001, 0.999, 999)), np.linspace(-4, 4, 999)
    found = find_drift(table(old), table(new), None, replicates=FEW)
    assert found.shift.exceeds == pytest.approx(0.5, abs=1e-5)
    assert "scores are spread differently" in describe_drift(found)


def test_nothing_seen_says_how_much_may_have_been_missed(table: Make, normal: Normal) -> None:
    found = find_drift(table(normal(0)), table(normal(1)), HALF, significance=0.01, replicates=FEW)
    assert not found.detected
    low, high = found.changes["rejected"].interval
    assert describe_drift(found) == (
        "no shift seen at a significance level of 0.01; "
        f"the rejection rate may have changed by {100 * low:.2f} to {100 * high:.2f} points"
    )


def test_tables_fit(capsys: pytest.CaptureFixture[str], table: Make) -> None:
    rng = np.random.default_rng(0)
    periods = [
        table(
            np.append(rng.normal(mean, 0.2, 399), nan),
            label=[at % 2 for at in range(400)],
            subject=[str(at // 8) for at in range(400)],
        )
        for mean in (0.5, 0.3)
    ]
    found = find_drift(*periods, HALF)
    for drawn in drift_tables(found):
        Console().table(drawn)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    (rejected,) = (line for line in lines if line.startswith("rejected"))
    share = found.changes["rejected"]
    assert rejected.split()[1:] == [
        *(f"{100 * share.old.rate:.2f}", f"{100 * share.new.rate:.2f}", f"+{100 * share.difference:.2f}"),
        *("0.001", "clear"),
    ]
