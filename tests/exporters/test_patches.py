"""A model that judges by patches is one graph: faces in, one call, the mean over patches out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fas_core.contracts import Exported
from fas_core.descriptors import Exporter
from fas_core.models.model import Model, scorer
from fas_core.registry import registry
from fas_core.runtime import ModelFile
from fas_core.testing.checks import verify_on

FORMATS = [
    ("onnx", {}),
    ("onnx", {"form": "fp16"}),
    ("onnx", {"form": "int8"}),
    ("onnx", {"form": "pruned", "tolerance": 1.0}),
    ("openvino", {}),
    ("torch", {}),
]
BOUND = {"fp16": 0.005, "int8": 0.1, "pruned": 0.1}
Made = Callable[..., Any]


def export(
    name: str, options: dict[str, Any], model: Model, images: Any, card: Any, folder: Path
) -> Exported:
    exporter = registry().find(Exporter, name)
    assert isinstance(exporter, Exporter)
    destination = folder / f"model{exporter.suffix}"
    done: Exported = exporter.load()(
        exporter.options(**options),
        model=model,
        samples=images,
        destination=destination,
        card=card,
        verify=verify_on(model, images),
    )
    return done


@pytest.mark.parametrize(("name", "options"), FORMATS)
@pytest.mark.parametrize("partial", [False, True])
def test_every_format_scores_faces_as_the_model_does(
    name: str,
    options: dict[str, Any],
    partial: bool,
    make_model: Made,
    faces: Made,
    make_card: Made,
    tmp_path: Path,
) -> None:
    if name == "openvino":
        pytest.importorskip("openvino", reason="the extra openvino is not installed")
    modalities = ("rgb", "ir")
    model = make_model(modalities, partial=partial, grid=3)
    card, images = make_card(modalities, partial=partial), faces(modalities, 12)
    done = export(name, options, model, images, card, tmp_path)
    assert done.verification.max_difference <= BOUND.get(options.get("form", ""), 1e-5)
    if name == "torch":
        return  # run by its exporter alone
    opened = ModelFile(done.path, threads=1)
    for count in (1, 5):
        given = faces(modalities, count)
        presence = np.array([[True, row % 2 == 0] for row in range(count)]) if partial else None
        np.testing.assert_allclose(
            opened(given, presence),
            scorer(model)(given, presence),
            atol=BOUND.get(options.get("form", ""), 1e-5),
        )
