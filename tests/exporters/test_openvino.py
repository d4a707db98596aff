"""OpenVINO's two files, run by OpenVINO itself and by `ModelFile`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest

from fas_core import DataError, FasError, Model, ModelError, ModelFile
from fas_core.contracts import Exported
from fas_core.testing import score_images, verify_on
from fas_plugins.exporters import openvino as exporter
from fas_plugins.exporters.options import OpenVinoOptions

pytestmark = pytest.mark.usefixtures("openvino")

MODALITIES = ("rgb", "depth")


Write = Callable[..., tuple[Model, Exported]]


@pytest.fixture(scope="module")
def written(make_model: Any, faces: Any, make_card: Any, tmp_path_factory: pytest.TempPathFactory) -> Write:
    """`written(partial, options)`: a model and its export, made once for the same arguments."""

    @cache
    def write(partial: bool = False, **options: Any) -> tuple[Model, Exported]:
        model, images = make_model(MODALITIES, partial=partial), faces(MODALITIES, 5)
        card, verify = make_card(MODALITIES, partial=partial), verify_on(model, images)
        path = tmp_path_factory.mktemp("openvino") / "model.xml"
        return model, exporter.export(OpenVinoOptions(**options), model, images, path, card, verify)

    return write


def test_two_files_that_score_as_the_model_does(written: Write, faces: Any, make_card: Any) -> None:
    model, done = written()
    folder = done.path.parent
    assert sorted(path.name for path in folder.iterdir()) == ["model.bin", "model.xml"]
    assert done.size == sum(path.stat().st_size for path in folder.iterdir())
    assert done.verification.max_difference <= 1e-5
    images = faces(MODALITIES, 3)
    opened = ModelFile(done.path, threads=1)
    assert opened.card == make_card(MODALITIES)
    np.testing.assert_allclose(opened(images), score_images(model, images), atol=1e-6)
    assert opened.outputs(images)["logits"].shape == (3, 2)
    empty = {name: pixels[:0] for name, pixels in images.items()}
    assert opened.outputs(empty)["logits"].shape == (0, 2)


def test_the_graph_is_static_by_default(openvino: Any, written: Write, faces: Any) -> None:
    shapes = []
    for model, done in (written(), written(static=False)):
        graph = openvino.Core().read_model(done.path)
        shapes.append([str(given.get_partial_shape()) for given in graph.inputs])
        images = faces(MODALITIES, 4)
        np.testing.assert_allclose(ModelFile(done.path)(images), score_images(model, images), atol=1e-6)
    assert shapes == [["[1,16,16,3]"] * 2, ["[?,16,16,3]"] * 2]


def test_from_many_threads_at_once(written: Write, faces: Any) -> None:
    model, done = written()
    opened = ModelFile(done.path, threads=1)
    given = [faces(MODALITIES, count) for count in range(1, 17)]
    with ThreadPoolExecutor(4) as pool:
        for images, scores in zip(given, pool.map(opened, given), strict=True):
            np.testing.assert_allclose(scores, score_images(model, images), atol=1e-6)


def test_a_model_with_missing_modalities_takes_their_presence(written: Write, faces: Any) -> None:
    model, done = written(partial=True)
    images, opened = faces(MODALITIES, 4), ModelFile(done.path)
    presence = np.array([[True, False], [False, True], [True, True], [True, False]])
    np.testing.assert_allclose(opened(images, presence), score_images(model, images, presence), atol=1e-6)
    with pytest.raises(DataError, match="a modality or more in each row"):
        opened(images, np.zeros((4, 2), bool))


def test_int8_has_integers_inside(openvino: Any, written: Write) -> None:
    _, done = written(form="int8")
    assert 0 < done.verification.max_difference < 0.05
    kinds = {node.get_type_name() for node in openvino.Core().read_model(done.path).get_ops()}
    assert "FakeQuantize" in kinds
    assert done.facts["calibrated on"] == 5


@pytest.mark.parametrize("form", ["pruned", "pruned-int8"])
def test_pruned(form: str, written: Write) -> None:
    _, done = written(form=form, tolerance=1)
    assert sorted(path.name for path in done.path.parent.iterdir()) == ["model.bin", "model.xml"]
    assert done.verification.max_difference < 0.1
    assert done.facts["hidden channels"] == "12 of 12"  # fewer than a step of each modality


def test_damaged_files(written: Write, tmp_path: Path) -> None:
    _, done = written()
    xml, weights = (Path(copy(path, tmp_path)) for path in (done.path, *done.beside))
    weights.write_bytes(b"")
    with pytest.raises(ModelError, match="damaged"):
        ModelFile(xml)
    weights.unlink()
    with pytest.raises(ModelError, match=r"its weights are not beside it: no model\.bin"):
        ModelFile(xml)
    xml.write_text("<net/>")
    weights.write_bytes(b"")
    with pytest.raises(ModelError, match="cannot be loaded as OpenVINO") as refusal:
        ModelFile(xml)
    assert "\n" not in str(refusal.value)


def test_files_without_metadata_are_refused(openvino: Any, tmp_path: Path) -> None:
    parameter = openvino.opset8.parameter([1, 3], np.float32)
    model = openvino.Model([openvino.opset8.relu(parameter)], [parameter])
    openvino.save_model(model, tmp_path / "m.xml")
    with pytest.raises(ModelError, match="without fas metadata"):
        ModelFile(tmp_path / "m.xml")


def test_without_openvino(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    model, images = make_model(), faces(("rgb",), 2)
    with pytest.raises(FasError, match=r"pip install 'fas-core\[openvino\]'"):
        exporter.export(
            OpenVinoOptions(), model, images, tmp_path / "m.xml", make_card(), verify_on(model, images)
        )
    (tmp_path / "m.xml").write_text("")
    with pytest.raises(FasError, match=r"pip install 'fas-core\[openvino\]'"):
        ModelFile(tmp_path / "m.xml")
