"""The torch.export program: run by torch alone, card inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fas_core import DataError, ModelError
from fas_core.models.model import scorer
from fas_core.runtime.stored_card import read_card
from fas_core.testing import verify_on
from fas_plugins.exporters import program as exporter
from fas_plugins.exporters.options import TorchOptions

MODALITIES = ("rgb", "depth")


@pytest.mark.parametrize("partial", [False, True])
def test_scores_as_the_model_does(
    partial: bool, make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images = make_model(MODALITIES, partial=partial), faces(MODALITIES, 5)
    path, card = tmp_path / "model.pt2", make_card(MODALITIES, partial=partial)
    done = exporter.export(TorchOptions(), model, images, path, card, verify_on(model, images))
    assert done.verification.max_difference <= 1e-6
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt2"]
    extra = {"fas.json": ""}
    module = torch.export.load(path, extra_files=extra).module()
    assert read_card(extra["fas.json"], "test") == card
    given = [torch.from_numpy(images[name][:3]) for name in MODALITIES]
    with torch.inference_mode():
        score, logits = module(*given, *([torch.ones(3, 2, dtype=torch.bool)] if partial else []))
    np.testing.assert_allclose(score.numpy(), scorer(model)(images)[:3], atol=1e-6)
    assert logits.shape == (3, 2)


def test_nothing_is_written_when_scores_differ(
    make_model: Any, tiny_backbone: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    class Liar(tiny_backbone):  # type: ignore[misc]
        def forward_head(self, x: Tensor) -> Tensor:
            logits: Tensor = super().forward_head(x)
            return logits * 2 if torch.compiler.is_exporting() else logits

    model, images = make_model(backbone=Liar), faces(("rgb",), 3)
    verify = verify_on(model, images)
    with pytest.raises(ModelError, match="differ by"):
        exporter.export(TorchOptions(), model, images, tmp_path / "m.pt2", make_card(), verify)
    assert not list(tmp_path.iterdir())


def test_refuses_to_go_unverified(make_model: Any, faces: Any, make_card: Any, tmp_path: Path) -> None:
    model, images = make_model(), faces(("rgb",), 0)
    with pytest.raises(DataError, match="no samples"):
        exporter.export(
            TorchOptions(), model, images, tmp_path / "m.pt2", make_card(), verify_on(model, images)
        )
