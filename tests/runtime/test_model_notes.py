"""Notes on a model that the reader of its verdicts needs."""

from __future__ import annotations

from fas_core.card import Card
from fas_core.records.model_input import ModelInput
from fas_core.runtime.model_notes import SIMULATED, describe_training


def test_a_model_of_simulated_faces_has_a_note() -> None:
    model_input = ModelInput(("rgb",), 8)
    assert describe_training(Card(model_input, None, {"data": {"name": "synthetic"}})) == SIMULATED
    assert describe_training(Card(model_input, None, {"data": {"name": "nuaa"}})) is None
    assert describe_training(Card(model_input, None)) is None
