"""Cards of model files, those of other versions of fas among them. See also the card's own tests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fas_core import ModelError
from fas_core.card import FORMAT, Card
from fas_core.records.model_input import ModelInput, Resize
from fas_core.runtime.read_card import read_card
from fas_core.scores.thresholds import Threshold

CARD = Card(
    ModelInput(("rgb", "ir"), 112, 48, Resize(0.9), partial=True), Threshold(0.5, "fixed:0.5", "given")
)


def change(**values: Any) -> str:
    tree = json.loads(CARD.to_json()) | values
    return json.dumps({key: value for key, value in tree.items() if value is not ...})


def test_a_card_is_read_as_it_was_written() -> None:
    assert read_card(CARD.to_json(), "m.onnx") == CARD


def test_a_file_of_an_older_fas_has_networks_of_the_face_size() -> None:
    card = read_card(change(network_size=...), "m.onnx")
    assert (card.input.face_size, card.input.network_size) == (112, 112)


def test_unknown_keys_are_ignored_and_a_newer_format_is_refused() -> None:
    assert read_card(change(later=1), "m.onnx") == CARD
    with pytest.raises(ModelError, match=r"m\.onnx: written by a newer fas .*: upgrade fas-core"):
        read_card(change(format=FORMAT + 1), "m.onnx")


@pytest.mark.parametrize("text", ["", "{}", "[]", change(input_size="large"), change(modalities=...)])
def test_other_texts_are_one_line(text: str) -> None:
    with pytest.raises(ModelError, match=r"m\.onnx: its fas metadata cannot be read") as refusal:
        read_card(text, "m.onnx")
    assert "\n" not in str(refusal.value)
