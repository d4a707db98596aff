"""Damaged and mixed-up files are recognised by their digests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import onnx
import pytest
from faults.counts import count
from onnx import TensorProto, helper

from fas_core import DataError, ModelError
from fas_core.digests import (
    check_model_file,
    check_record,
    hash_file,
    read_weights_digest,
    seal_model_file,
    seal_record,
)


def write_onnx(path: Path) -> Path:
    """Write y = x + x, with an entry in its metadata."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "double", values[:1], values[1:])
    model = helper.make_model(graph)
    helper.set_model_props(model, {"fas": "card"})
    onnx.save(model, path)
    return path


def flip_bit(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_the_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    assert hash_file(path) == hashlib.sha256(b"abc").hexdigest()


def test_a_sealed_onnx_file_is_valid_and_holds_the_digest_of_what_is_before_it(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "model.onnx")
    before = path.read_bytes()
    seal_model_file(path)
    check_model_file(path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata == {"fas": "card", "fas_sha256": hashlib.sha256(before).hexdigest()}


def test_every_flipped_bit_before_the_seal_is_seen(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "model.onnx")
    size = path.stat().st_size
    seal_model_file(path)
    count("flipped bits", size)
    for position in range(size):
        flip_bit(path, position)
        with pytest.raises(ModelError, match="damaged or mixed up"):
            check_model_file(path)
        flip_bit(path, position)
    check_model_file(path)


def test_the_seal_of_openvino_covers_the_weights_beside_it(tmp_path: Path) -> None:
    for name, weights in (("a", b"1"), ("b", b"2")):
        (tmp_path / f"{name}.xml").write_text("<net/>\n")
        (tmp_path / f"{name}.bin").write_bytes(weights)
        seal_model_file(tmp_path / f"{name}.xml")
        check_model_file(tmp_path / f"{name}.xml")
    (tmp_path / "b.bin").replace(tmp_path / "a.bin")
    with pytest.raises(ModelError, match=r"a\.xml: damaged or mixed up: a\.xml or its a\.bin is not"):
        check_model_file(tmp_path / "a.xml")


def test_files_without_a_seal_are_not_checked(tmp_path: Path) -> None:
    check_model_file(write_onnx(tmp_path / "model.onnx"))
    (tmp_path / "model.xml").write_text("<net/>")
    check_model_file(tmp_path / "model.xml")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "damaged"),
        (b"\x02\0\0\0\0\0\0\0[]", "damaged"),
        (b"\xff" * 16, "damaged"),
        (b"\x02\0\0\0\0\0\0\0{}", None),
    ],
)
def test_headers_of_safetensors(tmp_path: Path, content: bytes, expected: str | None) -> None:
    path = tmp_path / "best.safetensors"
    assert read_weights_digest(path) is None  # no such file
    path.write_bytes(content)
    if expected is None:
        assert read_weights_digest(path) is None
    else:
        with pytest.raises(ModelError, match=expected):
            read_weights_digest(path)


def test_a_record_is_recognised_by_its_digest(tmp_path: Path) -> None:
    record = seal_record({"b": [0.1, None], "a": "ä"})
    read = json.loads(json.dumps(record))
    assert check_record(read, tmp_path, "write it again") == {"b": [0.1, None], "a": "ä"}
    with pytest.raises(DataError, match="damaged or edited since it was written: write it again"):
        check_record(read | {"a": "b"}, tmp_path, "write it again")
    assert check_record({"a": 1}, tmp_path, "") == {"a": 1}  # of a former version
