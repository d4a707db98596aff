"""Fitting a run's novelty at export, and what exported file and run then tell."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result

from fas_core.errors import ConfigError
from fas_core.exporting.export_card import export_card
from fas_core.exporting.novelty import fit_novelty
from fas_core.models.checkpoint import save_weights
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.runtime import ModelFile

Fas = Callable[..., Result]


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_file_and_run_tell_the_same_novelty(fas: Fas, run: Path, faces: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    document = json.loads(fas("export", run, "--novelty", "-o", model, "--json").stdout)
    assert document["novelty"]["quantile"] == 0.99
    assert (document["novelty"]["source"], document["novelty"]["samples"]) == ("dev", 24)
    card = ModelFile(model).card
    assert card.novelty is not None
    assert card.novelty.to_json() == document["novelty"]
    photos = sorted(faces.rglob("*.png"))[:3]
    results = [
        json.loads(fas("predict", path, *photos, "--no-detect", "--json").stdout) for path in (model, run)
    ]
    assert results[0]["novelty"] == results[1]["novelty"] == document["novelty"]
    for one, other in zip(results[0]["rows"], results[1]["rows"], strict=True):
        assert one["novelty"]["distance"] == pytest.approx(other["novelty"]["distance"], rel=1e-3)
        assert one["novelty"]["limit"] == card.novelty.limit
        assert one["novelty"]["novel"] == (one["novelty"]["distance"] > card.novelty.limit)


def test_it_stays_with_the_run_and_its_best_weights(fas: Fas, run: Path) -> None:
    opened = Run.open(run, registry())
    assert opened.novelty() is None
    limit = fit_novelty(opened)
    assert opened.novelty() == export_card(opened, "best").novelty == limit
    assert export_card(opened, "last").novelty is None
    refused = fas("export", run, "--weights", "last", "--novelty")
    assert (refused.exit_code, "leave --weights out" in refused.output) == (2, True)


def test_it_is_of_the_weights_that_it_was_fitted_for(run: Path) -> None:
    opened = Run.open(run, registry())
    fit_novelty(opened)
    assert opened.model().novelty is not None
    assert opened.model("last").novelty is None
    model = opened.model()
    with torch.no_grad():
        next(model.parameters()).add_(1)
    save_weights(model, opened.weights())  # as by training on
    assert (opened.novelty(), opened.model().novelty) == (None, None)


def test_a_model_for_missing_modalities_is_refused(run: Path) -> None:
    changed = Run.open(run, registry()).changed({"train.modality_dropout": 0.3})
    with pytest.raises(ConfigError, match="accepts missing modalities"):
        fit_novelty(changed)
