"""Models of somebody else, whose terms are said by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fas_core import ConfigError, ModelError
from fas_core.config.recipe import Normalize
from fas_core.runtime import ExternalModel, ModelFile, Predictor

SIDE = 4
NORMALIZE = Normalize((0.1, 0.2, 0.3), (0.5, 0.25, 0.2))


def channel_means(path: Path, *, more: bool = False, batch: int | str = "batch") -> Path:
    """float (B, 3, 4, 4) -> (B, 3), the mean of each channel; and, if asked, a second output."""
    nodes = [helper.make_node("ReduceMean", ["data", "axes"], ["means"], keepdims=0)]
    outputs = [helper.make_tensor_value_info("means", TensorProto.FLOAT, [batch, 3])]
    if more:
        nodes.append(helper.make_node("Identity", ["data"], ["copy"]))
        outputs.append(helper.make_tensor_value_info("copy", TensorProto.FLOAT, [batch, 3, SIDE, SIDE]))
    given = helper.make_tensor_value_info("data", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])
    axes = numpy_helper.from_array(np.array([2, 3]), "axes")
    graph = helper.make_graph(nodes, "means", [given], outputs, [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path


def without_metadata(path: Path) -> Path:
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)
    return path


@pytest.fixture
def faces() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8)


def softmax(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.exp(values) / np.exp(values).sum(axis=1, keepdims=True))


def test_our_own_whose_metadata_was_lost(mean_model: Any) -> None:
    path = without_metadata(mean_model(("rgb", "ir")))
    with pytest.raises(ModelError, match=r"without fas metadata .* or describe it \(fas predict --foreign\)"):
        Predictor(path)
    predictor = Predictor(path, external=ExternalModel(("rgb", "ir"), 8, threshold=0.3), detect=False)
    found = predictor(rgb=np.full((9, 9, 3), 204, np.uint8), ir=np.zeros((9, 9, 3), np.uint8))
    assert (found.score, found.threshold) == (pytest.approx(0.4), 0.3)
    assert predictor.card.input.resize.crop == 1


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
@pytest.mark.parametrize("live", [0, 2])
def test_normalised_planes_to_logits(tmp_path: Path, faces: Any, channels: Any, live: int) -> None:
    terms = ExternalModel(("rgb",), SIDE, NORMALIZE, channels, gives="logits", live=live)
    means = ((faces / 255 - NORMALIZE.mean) / NORMALIZE.std).mean(axis=(1, 2))
    expected = softmax(means if channels == "rgb" else means[:, ::-1])[:, live]
    found = ModelFile(channel_means(tmp_path / "m.onnx"), external=terms)({"rgb": faces})
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_graph_for_one_image_at_a_time(tmp_path: Path, faces: Any) -> None:
    terms = ExternalModel(("rgb",), SIDE, NORMALIZE, gives="logits")
    many = ModelFile(channel_means(tmp_path / "many.onnx"), external=terms)
    one = ModelFile(channel_means(tmp_path / "one.onnx", batch=1), external=terms)
    np.testing.assert_array_equal(one({"rgb": faces}), many({"rgb": faces}))
    assert one({"rgb": faces[:0]}).shape == (0,)


def test_probabilities_are_taken_as_they_are(tmp_path: Path, faces: Any) -> None:
    zero_one = Normalize((0, 0, 0), (1, 1, 1))
    terms = ExternalModel(("rgb",), SIDE, zero_one, gives="probabilities", output="means")
    found = ModelFile(channel_means(tmp_path / "m.onnx", more=True), external=terms)({"rgb": faces})
    np.testing.assert_allclose(found, faces[..., 1].mean(axis=(1, 2)) / 255, rtol=1e-5)


@pytest.mark.parametrize(
    ("terms", "match"),
    [
        ({"modalities": ("rgb", "ir")}, "has the inputs data, not one for each of the modalities rgb, ir"),
        ({"normalize": None}, "cannot be run with the input that is described: "),
        ({"input_size": 8}, "cannot be run with the input that is described: "),
        ({"output": None}, "has the outputs means, copy: set `output` to one of them"),
        ({"output": "score"}, "has the outputs means, copy: set `output`"),
        ({"gives": "score"}, r"means has the shape \(1, 3\), not that of score"),
        ({"live": 3}, r"means has the shape \(1, 3\), not that of logits with a class 3"),
        ({"output": "copy"}, r"copy has the shape \(1, 3, 4, 4\), not that of logits"),
    ],
)
def test_terms_that_are_not_the_models(tmp_path: Path, terms: dict[str, Any], match: str) -> None:
    said = {"modalities": ("rgb",), "input_size": SIDE, "normalize": NORMALIZE, "output": "means"}
    path = channel_means(tmp_path / "m.onnx", more=True)
    with pytest.raises(ModelError, match=match) as refusal:
        ModelFile(path, external=ExternalModel(**{**said, "gives": "logits", **terms}))
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith(str(path))


def test_what_says_itself_what_it_is_needs_no_terms(mean_model: Any) -> None:
    with pytest.raises(ModelError, match="has fas metadata"):
        ModelFile(mean_model(), external=ExternalModel(("rgb",), 8))


def test_terms_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "terms.yaml"
    tree = {
        "modalities": ["rgb"],
        "input_size": SIDE,
        "normalize": {"mean": list(NORMALIZE.mean), "std": list(NORMALIZE.std)},
        "resize": {"crop": 0.5},
        "gives": "logits",
        "threshold": 0.5,
    }
    path.write_text(yaml.safe_dump(tree))
    terms = ExternalModel.read(path)
    assert (terms.normalize, terms.gives, terms.card.input.resize.crop) == (NORMALIZE, "logits", 0.5)
    for change, match in (
        ({"input_size": 0}, "input_size: must be >= 1: 0"),
        ({"input_size": 10**30}, "input_size: must be <= 8192: 1000"),
        ({"gives": "score of live"}, "gives"),
        ({"size": 3}, "size"),
    ):
        path.write_text(yaml.safe_dump(tree | change))
        with pytest.raises(ConfigError, match=match):
            ExternalModel.read(path)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        ExternalModel.read(tmp_path / "none.yaml")
    path.write_text("a: [")
    with pytest.raises(ConfigError, match=r"terms\.yaml: not YAML: "):
        ExternalModel.read(path)


def test_from_the_command_line(fas: Any, mean_model: Any, tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), np.full((9, 9, 3), 204, np.uint8))
    (tmp_path / "terms.yaml").write_text("{modalities: [rgb], input_size: 8}")
    arguments = ["predict", without_metadata(mean_model()), tmp_path / "a.png", "--no-detect"]
    result = fas(*arguments, "--foreign", tmp_path / "terms.yaml")
    assert result.exit_code == 2
    assert "no threshold goes with it" in result.stderr
    result = fas(*arguments, "--foreign", tmp_path / "terms.yaml", "--threshold", "fixed:0.3")
    assert result.exit_code == 0, result.stderr
    assert "0.8000  live" in result.stdout


def test_a_description_says_how_photos_are_cropped(mean_model: Any, tmp_path: Path) -> None:
    text = "{modalities: [rgb], input_size: 8, threshold: 0.5, crop: {margin: 0.85, region: landmarks}}"
    (tmp_path / "terms.yaml").write_text(text)
    external = ExternalModel.read(tmp_path / "terms.yaml")
    assert (external.crop.margin, external.crop.region) == (0.85, "landmarks")
    predictor = Predictor(without_metadata(mean_model()), external=external, detect=False)
    assert predictor.faces.settings == external.crop


def test_crops_are_described_for_each_modality(tmp_path: Path) -> None:
    terms = tmp_path / "terms.yaml"
    terms.write_text(
        "modalities: [near, far]\ninput_size: 4\ncrops:\n"
        "  near: {scale: 2.7, photo: rgb, interpolation: linear}\n  far: {scale: 4.0, photo: rgb}\n"
    )
    card = ExternalModel.read(terms).card
    assert card.input.photos == ("rgb",)
    assert card.input.crops["near"].scale == 2.7
    terms.write_text("modalities: [near, far]\ninput_size: 4\ncrops: {near: {scale: 2.7}}\n")
    with pytest.raises(ConfigError, match="one for each modality, or none: 'far' lacks it"):
        ExternalModel.read(terms)
