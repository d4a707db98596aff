"""The ONNX exporter: the graph, its agreement with torch, and no file where they disagree."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from attrs import evolve
from torch import Tensor, nn

from fas_core import (
    Card,
    ConfigError,
    DataError,
    FasError,
    Model,
    ModelError,
    ModelFile,
    ModelInput,
    Recipe,
    build_model,
    load_recipe,
)
from fas_core.contracts import Exported
from fas_core.testing import score_images, verify_on
from fas_plugins.backbones.central_difference import CentralDifferenceConv2d
from fas_plugins.exporters import onnx as exporter
from fas_plugins.exporters.options import OnnxOptions

OPTIONS = OnnxOptions()
MODALITIES = ("rgb", "depth", "ir")


def export(options: OnnxOptions, model: Model, samples: Any, destination: Path, card: Card) -> Exported:
    verify = verify_on(model, samples)
    return exporter.export(options, model, samples, destination, card, verify)


def run_onnx(path: Path, images: dict[str, Any]) -> dict[str, Any]:
    """Run the file by onnxruntime itself, without `ModelFile`."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, images), strict=True))


def run_torch(model: Model, images: dict[str, Any]) -> dict[str, Any]:
    with torch.inference_mode():
        outputs = model({name: torch.from_numpy(pixels) for name, pixels in images.items()})
    return {"score": outputs.score.numpy(), "logits": cast(Tensor, outputs.logits).numpy()}


@pytest.fixture(scope="module")
def feathernet(
    tmp_path_factory: pytest.TempPathFactory,
    faces: Callable[..., Any],
    make_card: Callable[..., Card],
) -> tuple[Model, Exported]:
    """FeatherNetB of 64 pixels with its published head, and its export."""
    chosen = {"backbone": "feathernet_b", "fusion": "single", "input_size": 64}
    torch.manual_seed(14)
    model = build_model(load_recipe(Recipe(), modalities=["rgb"], model=chosen))
    # Statistics of real activations, so that scores are neither 0 nor 1.
    images = {"rgb": torch.from_numpy(faces(("rgb",), 24, 64)["rgb"])}
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean over all batches
    model.train()(images)
    folder = tmp_path_factory.mktemp("feathernet")
    card = make_card(("rgb",), 64)
    return model, export(OPTIONS, model.eval(), faces(("rgb",), 6, 64), folder / "model.onnx", card)


def test_feathernet_agrees_at_every_batch_size(
    feathernet: tuple[Model, Exported], faces: Callable[..., Any]
) -> None:
    model, exported = feathernet
    found = exported.verification
    assert found.samples == 6
    assert found.mean_difference <= found.max_difference <= 1e-5
    for count in (1, 2, 7):
        images = faces(("rgb",), count, 64)
        found, expected = run_onnx(exported.path, images), run_torch(model, images)
        assert found["logits"].shape == (count, 64)
        np.testing.assert_allclose(found["score"], expected["score"], atol=1e-5)
        np.testing.assert_allclose(found["logits"], expected["logits"], atol=1e-4)


def test_feathernet_graph_is_one_clean_file(feathernet: tuple[Model, Exported]) -> None:
    _, exported = feathernet
    assert [path.name for path in exported.path.parent.iterdir()] == ["model.onnx"]
    assert exported.path.stat().st_size == exported.size
    loaded = onnx.load(exported.path, load_external_data=False)
    assert [entry.version for entry in loaded.opset_import if entry.domain == ""] == [18]
    assert exported.facts == {"opset": 18, "left over": "none"}
    assert not any(tensor.external_data for tensor in loaded.graph.initializer)
    kinds = [node.op_type for node in loaded.graph.node]
    assert kinds[:2] == ["Transpose", "Cast"]  # transposed while a pixel is one byte
    assert not {"BatchNormalization", "Identity", "Dropout"} & set(kinds)
    assert b".py" not in exported.path.read_bytes()  # no lines of anyone's source


def test_feathernet_inputs_and_outputs(feathernet: tuple[Model, Exported]) -> None:
    graph = onnx.load(feathernet[1].path).graph
    (given,) = graph.input
    assert (given.name, given.type.tensor_type.elem_type) == ("rgb", onnx.TensorProto.UINT8)
    shapes = [
        [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (given, *graph.output)
    ]
    assert shapes == [["batch", 64, 64, 3], ["batch"], ["batch", 64]]
    assert [value.name for value in graph.output] == ["score", "logits"]


def test_metadata_is_the_card(feathernet: tuple[Model, Exported], make_card: Callable[..., Card]) -> None:
    card = make_card(("rgb",), 64)
    properties = {entry.key: entry.value for entry in onnx.load(feathernet[1].path).metadata_props}
    assert ModelFile(feathernet[1].path).card == card
    stored = json.loads(properties["fas"])
    assert stored == json.loads(card.to_json())
    assert stored["labels"] == {"0": "attack", "1": "live"}
    assert stored["recipe_digest"] == card.digest
    assert stored["threshold"] == {"value": 0.3125, "policy": "eer", "source": "dev"}


def test_three_modalities_keep_their_names(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model = make_model(MODALITIES)
    path = tmp_path / "model.onnx"
    export(OnnxOptions(opset=20), model, faces(MODALITIES, 3), path, make_card(MODALITIES))
    loaded = onnx.load(path)
    assert [entry.version for entry in loaded.opset_import] == [20]
    assert [given.name for given in loaded.graph.input] == list(MODALITIES)
    images = faces(MODALITIES, 4)
    backwards = {name: images[name] for name in reversed(MODALITIES)}
    expected = run_torch(model, images)
    for found in (run_onnx(path, images), run_onnx(path, backwards)):
        np.testing.assert_allclose(found["score"], expected["score"], atol=1e-6)
    swapped = images | {"rgb": images["ir"], "ir": images["rgb"]}
    assert np.abs(run_onnx(path, swapped)["score"] - expected["score"]).max() > 1e-3


def test_train_mode_makes_no_difference(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model, images = make_model().train(), faces(("rgb",), 2)
    images["rgb"].flags.writeable = False
    before = {name: value.clone() for name, value in model.state_dict().items()}
    export(OPTIONS, model, images, tmp_path / "train.onnx", make_card())
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    export(OPTIONS, make_model().eval(), images, tmp_path / "eval.onnx", make_card())
    assert (tmp_path / "train.onnx").read_bytes() == (tmp_path / "eval.onnx").read_bytes()
    assert capfd.readouterr() == ("", "")  # torch's exporter would have much to say


def test_central_differences_are_one_convolution(
    make_model: Any, tiny_backbone: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    class Differences(tiny_backbone):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            # Above the size up to which torch's exporter folds constants.
            self.more = nn.Sequential(CentralDifferenceConv2d(8, 64), nn.BatchNorm2d(64), nn.ReLU())
            self.head = nn.Linear(64, 2)

        def forward_embedding(self, x: Tensor) -> Tensor:
            return self.more(x).mean((2, 3))

    exported = export(
        OPTIONS, make_model(backbone=Differences), faces(("rgb",), 3), tmp_path / "m.onnx", make_card()
    )
    assert exported.facts["left over"] == "none"
    kinds = Counter(node.op_type for node in onnx.load(exported.path).graph.node)
    assert kinds["Conv"] == 3
    assert not {"ReduceSum", "Pad", "Sub", "BatchNormalization"} & set(kinds)


def assert_refused(model: Model, faces: Any, card: Card, folder: Path, match: str) -> None:
    """The error is one line, and an older file at the destination is unchanged."""
    destination = folder / "model.onnx"
    destination.write_bytes(b"an older export")
    with pytest.raises(ModelError, match=match) as refusal:
        export(OPTIONS, model, faces(("rgb",), 3), destination, card)
    assert "\n" not in str(refusal.value)
    assert [path.name for path in folder.iterdir()] == ["model.onnx"]
    assert destination.read_bytes() == b"an older export"


def test_refuses_a_graph_that_scores_otherwise(
    make_model: Any, tiny_backbone: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    class Liar(tiny_backbone):  # type: ignore[misc]
        def forward_head(self, x: Tensor) -> Tensor:
            logits: Tensor = super().forward_head(x)
            return logits * 2 if torch.compiler.is_exporting() else logits

    assert_refused(make_model(backbone=Liar), faces, make_card(), tmp_path, "differ by .* in score")


def test_refuses_logits_that_the_score_hides(
    make_model: Any, tiny_backbone: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    class Shifted(tiny_backbone):  # type: ignore[misc]
        def forward_head(self, x: Tensor) -> Tensor:
            logits: Tensor = super().forward_head(x)
            return logits + 1 if torch.compiler.is_exporting() else logits

    assert_refused(make_model(backbone=Shifted), faces, make_card(), tmp_path, "differ by 1 in logits")


def test_refuses_nan(make_model: Any, tiny_backbone: Any, faces: Any, make_card: Any, tmp_path: Path) -> None:
    class Undefined(tiny_backbone):  # type: ignore[misc]
        def forward_head(self, x: Tensor) -> Tensor:
            logits: Tensor = super().forward_head(x)
            return torch.log(-logits.abs() - 1)

    assert_refused(make_model(backbone=Undefined), faces, make_card(), tmp_path, "differ by nan in score")


def test_refuses_operators_without_an_onnx_equivalent(
    make_model: Any,
    tiny_backbone: Any,
    faces: Any,
    make_card: Any,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    class Eigen(tiny_backbone):  # type: ignore[misc]
        def forward_embedding(self, x: Tensor) -> Tensor:
            return x.mean((2, 3)) + torch.linalg.eigvals(x).real.mean((1, 2))[:, None]

    assert_refused(make_model(backbone=Eigen), faces, make_card(), tmp_path, "converted to ONNX: .*eig")
    assert capfd.readouterr() == ("", "")


def test_refuses_another_models_card(make_model: Any, faces: Any, make_card: Any, tmp_path: Path) -> None:
    card = evolve(make_card(), input=ModelInput(("ir",), 64))
    assert_refused(make_model(), faces, card, tmp_path, "metadata is of another model")


def test_refuses_an_opset_that_is_not_supported(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    newest = onnx.defs.onnx_opset_version()
    with pytest.raises(ConfigError, match=f"opset 99: the installed onnx knows opsets up to {newest}"):
        export(OnnxOptions(opset=99), make_model(), faces(("rgb",), 2), tmp_path / "m.onnx", make_card())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["fp32", "fp16"])
def test_the_oldest_opset_has_equal_scores(
    form: Any, make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images, card = make_model(MODALITIES), faces(MODALITIES, 5), make_card(MODALITIES)
    options = OnnxOptions(opset=11, form=form)
    path = export(options, model, images, tmp_path / "model.onnx", card).path
    loaded = onnx.load(path)
    assert [(entry.domain, entry.version) for entry in loaded.opset_import] == [("", 11)]
    assert loaded.ir_version == 6  # what runtimes of that time read
    assert ModelFile(path).card == card
    tolerance = 1e-6 if form == "fp32" else 1e-2
    np.testing.assert_allclose(
        run_onnx(path, images)["score"], run_torch(model, images)["score"], atol=tolerance
    )


def test_int8_per_channel_needs_opset_13(make_model: Any, faces: Any, make_card: Any, tmp_path: Path) -> None:
    images = faces(("rgb",), 8)
    with pytest.raises(ConfigError, match=r"opset 12 is too old for this graph, 13 is its oldest: .*Linear"):
        export(OnnxOptions(opset=12, form="int8"), make_model(), images, tmp_path / "m.onnx", make_card())
    assert not list(tmp_path.iterdir())
    options = OnnxOptions(opset=13, form="int8")
    path = export(options, make_model(), images, tmp_path / "m.onnx", make_card()).path
    assert onnx.load(path).opset_import[0].version == 13


@pytest.mark.parametrize("batch", [1, 3])
def test_a_static_batch_is_the_size_of_every_call(
    batch: int, make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images = make_model(MODALITIES), faces(MODALITIES, 7)
    options = OnnxOptions(static_batch=batch)
    path = export(options, model, images, tmp_path / "model.onnx", make_card(MODALITIES)).path
    graph = onnx.load(path).graph
    sizes = [value.type.tensor_type.shape.dim[0].dim_value for value in (*graph.input, *graph.output)]
    assert sizes == [batch] * 5
    assert not {"Shape", "Range", "Expand"} & {node.op_type for node in graph.node}
    expected = run_torch(model, images)["score"]
    np.testing.assert_allclose(ModelFile(path)(images), expected, atol=1e-6)  # 7 is no multiple of 3


def test_refuses_to_go_unverified(make_model: Any, faces: Any, make_card: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no samples"):
        export(OPTIONS, make_model(), faces(("rgb",), 0), tmp_path / "model.onnx", make_card())


def test_refuses_a_destination_that_cannot_be_written(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FasError, match="cannot be written"):
        export(OPTIONS, make_model(), faces(("rgb",), 2), tmp_path / "file" / "model.onnx", make_card())


@pytest.mark.parametrize("fusion", ["concat_linear", "score_mean"])
def test_a_model_with_missing_modalities_takes_their_presence(
    fusion: str, make_model: Callable[..., Model], make_card: Callable[..., Card], faces: Any, tmp_path: Path
) -> None:
    model, images = make_model(MODALITIES, joined=fusion, partial=True), faces(MODALITIES, 9)
    path = tmp_path / "model.onnx"
    export(OPTIONS, model, images, path, make_card(MODALITIES, partial=True))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [(given.name, given.type) for given in session.get_inputs()][-1] == ("presence", "tensor(bool)")
    rng = np.random.default_rng(1)
    presence = np.concatenate([np.eye(3, dtype=bool), rng.random((6, 3)) < 0.7])
    presence[:, 0] |= ~presence.any(axis=1)
    exported = ModelFile(path)
    np.testing.assert_allclose(exported(images, presence), score_images(model, images, presence), atol=1e-6)
    np.testing.assert_allclose(exported(images), score_images(model, images), atol=1e-6)
    pair = {name: images[name] for name in ("ir", "rgb")}
    alone = np.tile([True, False, True], (9, 1))
    np.testing.assert_allclose(exported(pair), score_images(model, images, alone), atol=1e-6)
    for given, rows, match in (
        ({}, None, "no images given; the model takes some of rgb, depth, ir"),
        (images, np.zeros((9, 3), bool), "a modality or more in each row"),
        (images, np.ones((9, 2), bool), r"presence must be \(9, 3\)"),
        (pair, np.ones((9, 3), bool), "promises a modality of which no images are given"),
    ):
        with pytest.raises(DataError, match=match):
            exported(given, rows)


def test_any_other_model_refuses_presence(
    make_model: Callable[..., Model], make_card: Callable[..., Card], faces: Any, tmp_path: Path
) -> None:
    images, path = faces(MODALITIES, 3), tmp_path / "model.onnx"
    export(OPTIONS, make_model(MODALITIES), images, path, make_card(MODALITIES))
    with pytest.raises(DataError, match="was not trained to do without a modality; the model takes rgb"):
        ModelFile(path)(images, np.ones((3, 3), bool))
