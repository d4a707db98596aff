"""The torch.export program: run by torch alone, card inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fas_core import DataError, ModelError, ModelFile
from fas_core.testing import score_images, verify_on
from fas_plugins.exporters import program as exporter
from fas_plugins.exporters.options import TorchOptions

MODALITIES = ("rgb", "depth")
TRUSTED = "FAS_TRUSTED_RUNTIMES"


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
    assert json.loads(extra["fas.json"]) == json.loads(card.to_json())
    given = [torch.from_numpy(images[name][:3]) for name in MODALITIES]
    with torch.inference_mode():
        score, logits = module(*given, *([torch.ones(3, 2, dtype=torch.bool)] if partial else []))
    np.testing.assert_allclose(score.numpy(), score_images(model, images)[:3], atol=1e-6)
    assert logits.shape == (3, 2)


@pytest.mark.parametrize("partial", [False, True])
def test_fas_runs_it_where_it_is_trusted(
    partial: bool,
    make_model: Any,
    faces: Any,
    make_card: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, images = make_model(MODALITIES, partial=partial), faces(MODALITIES, 5)
    path, card = tmp_path / "model.pt2", make_card(MODALITIES, partial=partial)
    exporter.export(TorchOptions(), model, images, path, card, verify_on(model, images))
    monkeypatch.delenv(TRUSTED, raising=False)
    with pytest.raises(ModelError, match=r"model\.pt2: not opened: .* set FAS_TRUSTED_RUNTIMES=torch"):
        ModelFile(path)
    monkeypatch.setenv(TRUSTED, "torch")
    file = ModelFile(path, threads=1)
    assert file.card == card
    for count in (5, 1):
        some = {name: pixels[:count] for name, pixels in images.items()}
        np.testing.assert_allclose(file(some), score_images(model, images)[:count], atol=1e-6)
    assert {name: values.shape for name, values in file.outputs(images).items()} == {
        "score": (5,),
        "logits": (5, 2),
    }
    if partial:
        presence = np.array([[True, False]] * 5)
        np.testing.assert_allclose(file(images, presence), score_images(model, images, presence), atol=1e-6)


def test_a_damaged_program_is_a_line(
    make_model: Any,
    faces: Any,
    make_card: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    model, images, path = make_model(), faces(("rgb",), 3), tmp_path / "m.pt2"
    exporter.export(TorchOptions(), model, images, path, make_card(), verify_on(model, images))
    monkeypatch.setenv(TRUSTED, "torch")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged or mixed up: m\.pt2 is not as it was written: export it"):
        ModelFile(path)
    capfd.readouterr()
    for damaged in (content[: len(content) // 2], b"", b"not a model\n"):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"m\.pt2: cannot be loaded as a torch program, damaged"):
            ModelFile(path)
    assert capfd.readouterr() == ("", "")  # PyTorch would log a traceback


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
