"""The records of evaluated systems."""

from __future__ import annotations

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.report.systems import EvaluatedSystem, TrainingRecord


def test_the_threshold_is_the_results(system: EvaluatedSystem) -> None:
    fixed = evolve(system.result, threshold=Threshold(0.25, "fixed:0.25", "given"))
    assert evolve(system, result=fixed).threshold == 0.25
    at_zero = evolve(system.result, threshold=Threshold(0.0, "fixed:0", "given"))
    assert evolve(system, result=at_zero).threshold == 0.0


def test_without_a_threshold_it_is_none(system: EvaluatedSystem) -> None:
    assert evolve(system, result=evolve(system.result, threshold=None)).threshold is None


def test_systems_are_compared_by_identity_and_do_not_change(system: EvaluatedSystem) -> None:
    assert system != evolve(system)
    assert len({system, evolve(system)}) == 2
    with pytest.raises(FrozenInstanceError):
        system.name = "other"  # type: ignore[misc]


def test_a_training_record_needs_every_field() -> None:
    record = TrainingRecord("seed: 1\n", {"python": "3.12"}, {}, [], train_hours=None)
    assert (record.data, record.history, record.train_hours) == ({}, [], None)
    with pytest.raises(TypeError, match="history"):
        TrainingRecord("seed: 1\n", {}, {}, train_hours=None)  # type: ignore[call-arg]
