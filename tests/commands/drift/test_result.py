"""The records of a comparison, and their JSON."""

from __future__ import annotations

import pytest
from attrs import evolve

from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.drift.result import Change, Drift, Period, Share, Shift

CHANGE = Change(Share(1, 10, (0.0, 0.3)), Share(4, 10, (0.2, 0.6)), (0.0, 0.5), 0.2, False)
DRIFT = Drift(
    old=Period("may", 10, 10, {0.5: 0.7}),
    new=Period("june", 10, 10, {0.5: 0.6}),
    by="sample",
    threshold=Threshold(0.5, "fixed:0.5", "given"),
    significance=0.05,
    test_level=0.025,
    replicates=100,
    shift=Shift(0.4, 0.3, False, 0.45, (0.3, 0.6)),
    changes={"rejected": CHANGE},
    decidable=True,
)


def test_a_change_is_new_minus_old() -> None:
    assert CHANGE.difference == pytest.approx(0.3)
    assert CHANGE.to_json()["new"] == {
        "count": 4,
        "total": 10,
        "interval": (0.2, 0.6),
        "exact": False,
        "rate": 0.4,
    }


def test_any_clear_change_is_drift() -> None:
    assert not DRIFT.detected
    assert evolve(DRIFT, changes={"rejected": evolve(CHANGE, clear=True)}).detected
    assert evolve(DRIFT, shift=evolve(DRIFT.shift, clear=True)).detected


def test_the_document() -> None:
    document = DRIFT.to_json()
    assert document["old"] == {"name": "may", "samples": 10, "groups": 10, "quantiles": {"0.5": 0.7}}
    assert (document["each"], document["drift"]) == (0.025, False)
    assert document["threshold"]["value"] == 0.5
    assert document["rates"]["rejected"]["p"] == 0.2
    assert evolve(DRIFT, decidable=False).to_json()["drift"] is None
