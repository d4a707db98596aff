"""The card in a model file: written, read back, and refused where it is no card."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from fas_core import ModelError
from fas_core.card import Card
from fas_core.records.model_input import ModelInput, Resize
from fas_core.runtime.stored_card import read_card
from fas_core.scores.thresholds import Threshold

CARD = Card(
    input=ModelInput(("rgb", "ir"), 64, resize=Resize(crop=0.9)),
    threshold=Threshold(0.125, "eer", "dev"),
    recipe={"train": {"lr": 0.1, "seed": 14}, "modalities": ["rgb", "ir"]},
    data={"dev": "0123456789abcdef"},
    versions={"torch": "2.13.0"},
    plugins={"acme-fas": {"version": "0.3", "components": ["loss hinge"]}},
)


@pytest.mark.parametrize("card", [CARD, evolve(CARD, threshold=None, recipe={}, data={}, versions={})])
def test_a_card_is_read_back_as_it_was_written(card: Card) -> None:
    assert read_card(card.to_json(), "test") == card


def test_tuples_of_a_recipe_become_lists() -> None:
    assert evolve(CARD, recipe={"crop": (0.5, 1.0)}).recipe == {"crop": [0.5, 1.0]}


def test_the_json_names_the_labels() -> None:
    stored = json.loads(CARD.to_json())
    assert stored["labels"] == {"0": "attack", "1": "live"}
    assert stored["recipe_digest"] == CARD.digest
    assert stored["format"] == 1


def test_unknown_keys_of_a_newer_fas_are_ignored() -> None:
    later = json.loads(CARD.to_json()) | {"of_a_later_version": [1, 2]}
    assert read_card(json.dumps(later), "test") == CARD


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "not JSON"),
        ("[]", "no format number"),
        ("{}", "no format number"),
        ('{"format": 1}', "modalities: is required"),
        ('{"format": 3}', "newer fas"),
        (CARD.to_json().replace("64", '"big"'), "input_size: must be a whole number"),
        (CARD.to_json().replace("0.125", '"half"'), "threshold.value: must be a number"),
        (CARD.to_json().replace("0.9", "9"), "resize.crop: must be <= 1"),
    ],
)
def test_text_that_is_no_card_is_refused(text: str, match: str) -> None:
    with pytest.raises(ModelError, match=match) as refusal:
        read_card(text, "model.onnx")
    assert str(refusal.value).startswith("model.onnx: ")
    assert "\n" not in str(refusal.value)


def test_the_digest_depends_on_the_recipe_alone() -> None:
    backwards = {"modalities": ["rgb", "ir"], "train": {"seed": 14, "lr": 0.1}}
    assert evolve(CARD, recipe=backwards, threshold=None).digest == CARD.digest
    assert evolve(CARD, recipe=backwards | {"modalities": ["rgb"]}).digest != CARD.digest
    assert len(CARD.digest) == 16
