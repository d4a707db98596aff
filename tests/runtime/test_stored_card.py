"""Reading the card of a model file: as it was written, of other versions, damaged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from faults.mutation import mutations, run_reader

from fas_core import ModelError
from fas_core.card import FORMAT, Card
from fas_core.records.model_input import ModelInput, Resize, ScaledCrop
from fas_core.runtime.stored_card import read_card
from fas_core.scores.thresholds import Threshold

STORED_CARD = Card(
    ModelInput(("rgb", "ir"), 112, 48, Resize(0.9), partial=True), Threshold(0.5, "fixed:0.5", "given")
)


def change(**values: Any) -> str:
    tree = json.loads(STORED_CARD.to_json()) | values
    return json.dumps({key: value for key, value in tree.items() if value is not ...})


def test_a_card_is_read_as_it_was_written() -> None:
    assert read_card(STORED_CARD.to_json(), "m.onnx") == STORED_CARD


def test_a_card_with_crops_is_refused_by_readers_that_would_crop_otherwise() -> None:
    crops = {"near": ScaledCrop(2.7, "rgb", interpolation="linear"), "far": ScaledCrop(4.0, "rgb", "square")}
    card = Card(ModelInput(("near", "far"), 80, crops=crops), None)
    assert read_card(card.to_json(), "m.onnx") == card
    assert (json.loads(card.to_json())["format"], json.loads(STORED_CARD.to_json())["format"]) == (2, 1)
    with pytest.raises(ModelError, match=r"crops\.near\.scale: must be >= 1"):
        read_card(card.to_json().replace("2.7", "0.5"), "m.onnx")


def test_a_file_of_an_older_fas_has_networks_of_the_face_size() -> None:
    card = read_card(change(network_size=...), "m.onnx")
    assert (card.input.face_size, card.input.network_size) == (112, 112)


def test_unknown_keys_are_ignored_and_a_newer_format_is_refused() -> None:
    assert read_card(change(later=1), "m.onnx") == STORED_CARD
    with pytest.raises(ModelError, match=r"m\.onnx: written by a newer fas .*: upgrade fas-core"):
        read_card(change(format=FORMAT + 1), "m.onnx")


@pytest.mark.parametrize("text", ["", "{}", "[]", change(input_size="large"), change(modalities=...)])
def test_other_texts_are_one_line(text: str) -> None:
    with pytest.raises(ModelError, match=r"m\.onnx: its fas metadata cannot be read") as refusal:
        read_card(text, "m.onnx")
    assert "\n" not in str(refusal.value)


VALUES = [
    None,
    True,
    -1,
    10**9,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\ud800",
    [],
    ["a"],
    ["a", "a"],
    {},
]


def replace_values(tree: Any, node: Any) -> Iterator[str]:
    """Yield the JSON of a tree with each value of `node` replaced by others, and without it."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        original = node[key]
        for value in VALUES:
            node[key] = value
            yield json.dumps(tree)
        if isinstance(node, dict):
            del node[key]
            yield json.dumps(tree)
        node[key] = original
        if isinstance(original, dict | list):
            yield from replace_values(tree, original)


def test_cards_with_values_of_other_types_and_mutations() -> None:
    tree = json.loads(STORED_CARD.to_json())
    cards = [text.encode() for text in replace_values(tree, tree)]

    def read(data: bytes) -> object:
        card = read_card(data.decode(errors="replace"), "m.onnx")
        assert 0 < card.input.face_size < 10_000
        assert card.threshold is None or np.isfinite(card.threshold.value)
        assert card.modalities
        return str(card).encode()

    assert run_reader(read, [*cards, *mutations(cards[:1], 500)]) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 3000, "nested too deeply"),
        ('{"format": 1, "recipe": ' + '{"a":' * 3000 + "1" + "}" * 3001, "nested too deeply"),
        (change(input_size=float("nan")), "input_size: must be a whole number: nan"),
        (change(input_size="32"), "input_size: must be a whole number: '32'"),
        (change(input_size=0), "input_size"),
        (change(network_size=10**9), "network_size"),
        (
            change(threshold={"value": float("nan"), "policy": "eer", "source": "dev"}),
            "threshold.value: must be a finite number",
        ),
        (change(threshold=[0.5]), "threshold"),
        (change(modalities=[]), "modalities: must be one name or more"),
        (change(modalities=["rgb", "rgb"]), "modalities: must be one name or more, each different"),
        (change(threshold={"value": 0.5, "policy": "\ud800", "source": "dev"}), "not JSON"),
        ("9" * 5000, "not JSON"),
    ],
)
def test_cards_that_lie_are_one_line(text: str, reason: str) -> None:
    with pytest.raises(ModelError, match=f"m.onnx: its fas metadata cannot be read: {reason}") as caught:
        read_card(text, "m.onnx")
    assert "\n" not in str(caught.value)
