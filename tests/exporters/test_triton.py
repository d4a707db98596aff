"""Triton's model repository: its configuration, read by protobuf, says what the ONNX file beside it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from onnx import TensorProto

from fas_core import DataError, FasError, ModelError, ModelFile
from fas_core.testing import score_images, verify_on
from fas_plugins.exporters import triton as exporter
from fas_plugins.exporters.options import TritonOptions

MODALITIES = ("rgb", "depth")
TYPES = {"TYPE_BOOL": 1, "TYPE_UINT8": 2, "TYPE_FP32": 11}
"""As numbered in Triton's model_config.proto."""
ONNX = {TensorProto.UINT8: "TYPE_UINT8", TensorProto.FLOAT: "TYPE_FP32", TensorProto.BOOL: "TYPE_BOOL"}
Field = descriptor_pb2.FieldDescriptorProto
STRING, INT32, INT64, UINT64 = Field.TYPE_STRING, Field.TYPE_INT32, Field.TYPE_INT64, Field.TYPE_UINT64
FIELDS: dict[str, list[tuple[str, int, Any, bool]]] = {
    "Reshape": [("shape", 1, INT64, True)],
    "Input": [
        ("name", 1, STRING, False),
        ("data_type", 2, ".t.DataType", False),
        ("dims", 4, INT64, True),
        ("reshape", 5, ".t.Reshape", False),
    ],
    "Output": [
        ("name", 1, STRING, False),
        ("data_type", 2, ".t.DataType", False),
        ("dims", 3, INT64, True),
        ("label_filename", 4, STRING, False),
        ("reshape", 5, ".t.Reshape", False),
    ],
    "DynamicBatching": [("max_queue_delay_microseconds", 2, UINT64, False)],
    "Parameter": [("string_value", 1, STRING, False)],
    "Entry": [("key", 1, STRING, False), ("value", 2, ".t.Parameter", False)],
    "ModelConfig": [
        ("name", 1, STRING, False),
        ("max_batch_size", 4, INT32, False),
        ("input", 5, ".t.Input", True),
        ("output", 6, ".t.Output", True),
        ("dynamic_batching", 11, ".t.DynamicBatching", False),
        ("parameters", 14, ".t.Entry", True),
        ("backend", 17, STRING, False),
    ],
}
"""The part of Triton's ModelConfig message that is written: anything else in the file is an error."""


@pytest.fixture(scope="module")
def read_config() -> Callable[[Path], Any]:
    """Reads a `config.pbtxt` by protobuf's own parser."""
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    kinds = file.enum_type.add(name="DataType")
    kinds.value.add(name="TYPE_INVALID", number=0)
    for name, number in TYPES.items():
        kinds.value.add(name=name, number=number)
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            made = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if isinstance(kind, str):
                made.type_name = kind
                made.type = Field.TYPE_ENUM if kind == ".t.DataType" else Field.TYPE_MESSAGE
            else:
                made.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    config = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.ModelConfig"))
    return lambda path: text_format.Parse(path.read_text(encoding="utf-8"), config())


@pytest.fixture
def write(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> Callable[..., tuple[Path, Any, Any, Any]]:
    """`write(partial, options)`: the folder, the `Exported` record, the model and its samples."""

    def make(partial: bool = False, **options: Any) -> tuple[Path, Any, Any, Any]:
        model, images = make_model(MODALITIES, partial=partial), faces(MODALITIES, 5)
        card, verify = make_card(MODALITIES, partial=partial), verify_on(model, images)
        folder = tmp_path / "repository" / "face model"
        done = exporter.export(TritonOptions(**options), model, images, folder, card, verify)
        return folder, done, model, images

    return make


@pytest.mark.parametrize("partial", [False, True])
def test_the_configuration_is_of_the_graph(read_config: Any, write: Any, partial: bool) -> None:
    folder, done, _, _ = write(partial)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == ["1/model.onnx", "config.pbtxt", "labels.txt"]
    assert sorted(folder.parent.iterdir()) == [folder]
    assert done.path == folder / "1" / "model.onnx"
    assert done.size == sum((folder / name).stat().st_size for name in files)
    config, graph = read_config(folder / "config.pbtxt"), onnx.load(done.path).graph
    assert (config.name, config.backend, config.max_batch_size) == (folder.name, "onnxruntime", 32)
    assert config.HasField("dynamic_batching")
    for given, values in ((config.input, graph.input), (config.output, graph.output)):
        assert [one.name for one in given] == [value.name for value in values]
        for one, value in zip(given, values, strict=True):
            batch, *dims = value.type.tensor_type.shape.dim
            assert batch.dim_param  # any size
            assert one.data_type == TYPES[ONNX[value.type.tensor_type.elem_type]]
            shape = list(one.reshape.shape) if one.HasField("reshape") else list(one.dims)
            assert shape == [dim.dim_value for dim in dims]
            assert len(one.dims) >= 1
    assert [one.name for one in config.input] == [*MODALITIES, *(["presence"] if partial else [])]


def test_labels_are_of_the_logits(read_config: Any, write: Any) -> None:
    folder, _, _, _ = write()
    outputs = {output.name: output for output in read_config(folder / "config.pbtxt").output}
    assert (folder / outputs["logits"].label_filename).read_text().split() == ["attack", "live"]
    assert not outputs["score"].label_filename
    assert list(outputs["score"].dims) == [1]


def test_parameters_hold_threshold_and_preprocessing(read_config: Any, write: Any) -> None:
    folder, _, _, _ = write(max_batch=4, queue_delay=7)
    config = read_config(folder / "config.pbtxt")
    assert (config.max_batch_size, config.dynamic_batching.max_queue_delay_microseconds) == (4, 7)
    terms = {entry.key: entry.value.string_value for entry in config.parameters}
    assert terms == {
        "fas.modalities": "rgb,depth",
        "fas.resize_crop": "0.9",
        "fas.threshold": "0.3125",
        "fas.policy": "eer",
    }


def test_its_model_is_an_exported_onnx_file(write: Any) -> None:
    _, done, model, images = write()
    file = ModelFile(done.path)
    assert file.card.modalities == MODALITIES
    assert done.verification.max_difference <= 1e-4
    np.testing.assert_allclose(file(images), score_images(model, images), atol=1e-5)


def test_a_failure_writes_nothing_and_names_the_folder(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images, folder = make_model(), faces(("rgb",), 3), tmp_path / "face"

    def refuse(*_: Any, **__: Any) -> Any:
        raise ModelError(f"{folder}: not written: its scores differ")

    with pytest.raises(ModelError, match="differ"):
        exporter.export(TritonOptions(), model, images, folder, make_card(), refuse)
    none = {"rgb": images["rgb"][:0]}
    with pytest.raises(DataError, match=r"face: no samples") as refusal:
        exporter.export(TritonOptions(), model, none, folder, make_card(), verify_on(model, images))
    assert "part" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_not_replaced(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images = make_model(), faces(("rgb",), 3)
    (tmp_path / "face").mkdir()
    (tmp_path / "face" / "mine.txt").write_text("mine")
    with pytest.raises(FasError, match="is there already"):
        exporter.export(
            TritonOptions(), model, images, tmp_path / "face", make_card(), verify_on(model, images)
        )
    assert json.dumps([path.name for path in tmp_path.rglob("*")]) == '["face", "mine.txt"]'
