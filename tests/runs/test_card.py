"""The card of a run: its threshold, data and plugins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fas_core.config.recipe import Recipe
from fas_core.registry import registry
from fas_core.runs.card import build_card, build_reference, describe_threshold
from fas_core.runs.run import Run


def test_a_card_has_no_threshold_where_none_can_be_fitted(
    tmp_path: Path, make_recipe: Callable[..., Recipe]
) -> None:
    run = Run(tmp_path / "run", make_recipe(tmp_path), registry())
    card = build_card(run)
    assert card.threshold is None
    assert card.data == {}
    assert card.modalities == ("rgb",)
    assert "fas-core" in card.versions
    assert build_card(run.changed({"threshold": "fixed:0.3"})).threshold is not None
    assert (build_reference(run), describe_threshold(run)) == (None, "")


def test_the_card_of_a_trained_run_has_its_threshold_and_data(trained: Path) -> None:
    run = Run.open(trained, registry())
    card = build_card(run)
    assert card.threshold == run.threshold()
    assert set(card.data) == {"train", "dev", "test"}
    assert card.reference == build_reference(run) is not None
