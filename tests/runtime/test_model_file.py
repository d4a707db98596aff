"""Scoring an exported model. The models are written by hand, their scores known."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fas_core import DataError, ModelError
from fas_core.card import Card
from fas_core.contracts import Scorer
from fas_core.records.model_input import ModelInput
from fas_core.runtime import ModelFile
from fas_core.scores.thresholds import Threshold

SIDE = 8
CARD = Card(ModelInput(("rgb", "ir"), SIDE), Threshold(0.5, "fixed:0.5", "given"))
Images = dict[str, NDArray[np.uint8]]


def weighted_means(names: Sequence[str], output: str = "score") -> onnx.ModelProto:
    """score = 1 x the first modality's mean / 255 + 2 x the second's + ..."""
    nodes, parts = [], []
    for name in names:
        nodes.append(helper.make_node("Cast", [name], [f"{name}.float"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("ReduceMean", [f"{name}.float", "axes"], [f"{name}.mean"], keepdims=0))
        nodes.append(helper.make_node("Mul", [f"{name}.mean", f"{name}.weight"], [f"{name}.part"]))
        parts.append(f"{name}.part")
    nodes.append(helper.make_node("Sum", parts, [output]))
    constants = [numpy_helper.from_array(np.array([1, 2, 3]), "axes")]
    constants += [
        numpy_helper.from_array(np.float32((place + 1) / 255), f"{name}.weight")
        for place, name in enumerate(names)
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info(name, TensorProto.UINT8, ["batch", SIDE, SIDE, 3]) for name in names],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch"])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def with_metadata(model: onnx.ModelProto, text: str) -> onnx.ModelProto:
    model.metadata_props.add(key="fas", value=text)
    return model


@pytest.fixture
def written(tmp_path: Path) -> Callable[[onnx.ModelProto], Path]:
    def write(model: onnx.ModelProto) -> Path:
        path = tmp_path / "model.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return write


@pytest.fixture
def path(written: Callable[[onnx.ModelProto], Path]) -> Path:
    return written(with_metadata(weighted_means(CARD.modalities), CARD.to_json()))


def faces(count: int) -> Images:
    rng = np.random.default_rng(count)
    return {name: rng.integers(0, 256, (count, SIDE, SIDE, 3), np.uint8) for name in CARD.modalities}


def expected(images: Images) -> NDArray[np.float64]:
    return np.asarray(
        images["rgb"].mean((1, 2, 3)) / 255 + 2 * images["ir"].mean((1, 2, 3)) / 255, np.float64
    )


@pytest.mark.parametrize("count", [0, 1, 5])
def test_scores_a_batch(path: Path, count: int) -> None:
    scorer: Scorer = ModelFile(path)
    images = faces(count)
    scores = scorer(images)
    assert (scores.shape, scores.dtype) == ((count,), np.float64)
    np.testing.assert_allclose(scores, expected(images), rtol=1e-5)


def test_card_comes_along(path: Path) -> None:
    assert ModelFile(str(path)).card == CARD


def test_other_modalities_and_any_memory_layout(path: Path) -> None:
    images = faces(3)
    views = {name: np.asfortranarray(pixels) for name, pixels in reversed(images.items())}
    more = views | {"thermal": np.zeros((1, 2), np.uint8)}
    np.testing.assert_allclose(ModelFile(path, threads=1)(more), expected(images), rtol=1e-5)


def test_all_outputs_by_name(path: Path) -> None:
    images = faces(2)
    model = ModelFile(path)
    outputs = model.outputs(images)
    assert list(outputs) == ["score"]
    np.testing.assert_array_equal(outputs["score"].astype(np.float64), model(images))


def test_from_many_threads_at_once(path: Path) -> None:
    model = ModelFile(path, threads=1)
    batches = [faces(count) for count in range(1, 41)]
    with ThreadPoolExecutor(8) as pool:
        for images, scores in zip(batches, pool.map(model, batches), strict=True):
            np.testing.assert_allclose(scores, expected(images), rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda images: {"rgb": images["rgb"]}, "no 'ir' images given; the model takes rgb, ir"),
        (lambda images: images | {"ir": images["ir"][:1]}, "not 2 rgb, 1 ir"),
        (lambda images: images | {"ir": images["ir"][0]}, r"'ir' images are uint8 \(8, 8, 3\)"),
        (lambda images: images | {"ir": images["ir"][:, :4]}, r"'ir' images are uint8 \(2, 4, 8, 3\)"),
        (lambda images: images | {"ir": images["ir"][..., :1]}, r"each uint8 \(B, 8, 8, 3\)"),
        (lambda images: images | {"ir": images["ir"] / 255}, "'ir' images are float64"),
    ],
    ids=["missing", "counts", "no batch", "size", "grey", "dtype"],
)
def test_images_of_another_kind(path: Path, change: Callable[[Images], Any], match: str) -> None:
    with pytest.raises(DataError, match=match) as refusal:
        ModelFile(path)(change(faces(2)))
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith(str(path))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: b"\x89PNG\r\n\x1a\n" + data,
        lambda data: b"score,label\n" * 100,
    ],
    ids=["empty", "half", "a byte short", "png", "text"],
)
def test_damaged_files(
    path: Path, damage: Callable[[bytes], bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(damage(path.read_bytes()))
    assert_refused(path, "cannot be loaded as ONNX")
    assert capfd.readouterr() == ("", "")


def test_file_that_is_not_there(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.onnx", "no such model file")
    assert_refused(tmp_path, "a folder")


def test_onnx_of_somebody_else(written: Callable[[onnx.ModelProto], Path]) -> None:
    assert_refused(written(weighted_means(["rgb"])), "without fas metadata")


def test_metadata_that_is_no_card(written: Callable[[onnx.ModelProto], Path]) -> None:
    assert_refused(written(with_metadata(weighted_means(CARD.modalities), "{}")), "metadata cannot be read")


@pytest.mark.parametrize(
    "model", [weighted_means(["rgb"]), weighted_means(["rgb", "ir"], output="probability")]
)
def test_metadata_of_another_model(
    written: Callable[[onnx.ModelProto], Path], model: onnx.ModelProto
) -> None:
    assert_refused(written(with_metadata(model, CARD.to_json())), "metadata is of another model")


def assert_refused(path: Path, match: str) -> None:
    with pytest.raises(ModelError, match=match) as refusal:
        ModelFile(path)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith(str(path))


def test_needs_no_torch(path: Path) -> None:
    script = (
        "import sys, numpy\n"
        "import fas_core.runtime\n"
        "assert 'onnxruntime' not in sys.modules\n"
        f"white = numpy.full((1, {SIDE}, {SIDE}, 3), 255, numpy.uint8)\n"
        f"print(fas_core.runtime.ModelFile({str(path)!r})(dict(rgb=white, ir=white)))\n"
        "assert not {'torch', 'onnx', 'pyarrow', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout.strip(" []\n")) == pytest.approx(3)


def test_metadata_that_promises_another_size(written: Callable[[onnx.ModelProto], Path]) -> None:
    card = Card(ModelInput(("rgb", "ir"), SIDE * 2), None)
    model = ModelFile(written(with_metadata(weighted_means(("rgb", "ir")), card.to_json())))
    images = {name: np.zeros((1, SIDE * 2, SIDE * 2, 3), np.uint8) for name in ("rgb", "ir")}
    with pytest.raises(ModelError, match=r"\.onnx: cannot be run: .*invalid dimensions") as caught:
        model(images)
    assert "\n" not in str(caught.value)
