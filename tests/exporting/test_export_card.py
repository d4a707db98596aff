"""The card of exported files: its threshold, uncertain scores and paths."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve

from fas_core.card import Card
from fas_core.config.recipe import Recipe
from fas_core.data.threshold_advice import ThresholdAdvice
from fas_core.errors import ConfigError
from fas_core.exporting.export_card import export_card
from fas_core.exporting.export_run import open_run
from fas_core.records.model_input import ModelInput
from fas_core.registry import registry
from fas_core.runs.card import build_card
from fas_core.runtime.stored_card import read_card
from fas_core.scores.thresholds import Threshold

RUN = Path("runs/one")


def replace_card(
    monkeypatch: pytest.MonkeyPatch, recipe: Recipe, card: Card, advice: ThresholdAdvice | None
) -> Any:
    """Return a run whose card and advice are these."""
    monkeypatch.setattr("fas_core.exporting.export_card.build_card", lambda _: card)
    monkeypatch.setattr("fas_core.exporting.export_card.read_threshold_advice", lambda _: advice)
    return SimpleNamespace(path=RUN, recipe=recipe)


@pytest.mark.parametrize(
    ("weights", "source", "remains"),
    [("best", "dev", True), ("last", "dev", False), ("last", "given", True)],
)
def test_a_threshold_goes_only_with_the_weights_that_it_was_fitted_on(
    weights: Any, source: str, remains: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe()
    recipe = evolve(recipe, train=evolve(recipe.train, select="best"))
    tree = {"data": {"root": None}, "model": {"pretrained": None}, "train": {"cache": None}}
    card = Card(ModelInput(("rgb",), 8), Threshold(0.5, "eer", source), tree)
    run = replace_card(monkeypatch, recipe, card, None)
    assert export_card(run, weights) == (card if remains else evolve(card, threshold=None))


@pytest.mark.parametrize(("recommended", "warns"), [(False, True), (True, False), (None, False)])
def test_a_threshold_that_is_not_recommended_goes_with_a_warning(
    recommended: bool | None,
    warns: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    advice = ThresholdAdvice(recommended, "fitted in sessions of training")
    tree = {"data": {"root": None}, "model": {"pretrained": None}, "train": {"cache": None}}
    card = Card(ModelInput(("rgb",), 8), Threshold(0.5, "eer", "dev"), tree, threshold_note=advice.note)
    run = replace_card(monkeypatch, Recipe(), card, advice)
    exported = export_card(run, "best")
    assert exported.threshold == card.threshold
    assert read_card(exported.to_json(), "file").threshold_note == advice.note
    warning = "not recommended: fitted in sessions of training; it goes with the file nevertheless"
    assert (warning in " ".join(capsys.readouterr().err.split())) is warns


@pytest.mark.parametrize(
    ("pretrained", "exported"),
    [
        ("/home/me/w.pth", "w.pth"),
        ({"rgb": "/home/me/w.pth", "ir": "v.pth"}, {"rgb": "w.pth", "ir": "v.pth"}),
        (None, None),
    ],
)
def test_a_card_names_no_folders(pretrained: Any, exported: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = {
        "data": {"name": "folder", "root": "/home/me/faces"},
        "model": {"pretrained": pretrained},
        "train": {"cache": "/home/me/cache", "lr": 0.1},
        "seed": 1,
    }
    card = Card(ModelInput(("rgb",), 8), Threshold(0.5, "fixed:0.5", "given"), tree)
    run = replace_card(monkeypatch, Recipe(), card, None)
    recipe = {
        "data": {"name": "folder", "root": None},
        "model": {"pretrained": exported},
        "train": {"cache": None, "lr": 0.1},
        "seed": 1,
    }
    assert export_card(run, "best").recipe == recipe
    assert export_card(run, "best", keep_data_root=True).recipe["data"]["root"] == "/home/me/faces"


def test_a_card_has_the_reject_band_of_its_policy(trained: Path) -> None:
    run = open_run(trained, registry())
    own = export_card(run, "best").threshold
    assert own is not None
    assert own.reject is None
    card = export_card(run, "best", reject=f"{own.value - 0.1}:{own.value + 0.1}")
    assert card.threshold is not None
    assert card.threshold.reject is not None
    assert card.threshold.reject.source == "given"
    assert read_card(card.to_json(), "model.onnx").threshold == card.threshold
    trained_so = build_card(run.changed({"reject": "error:0"})).threshold
    assert trained_so is not None
    assert trained_so.reject is None or trained_so.reject.source == "dev"
    with pytest.raises(ConfigError, match="does not contain the threshold"):
        export_card(run, "best", reject="8:9")
