"""Files that are no checkpoints are called what they are, with what to do."""

from __future__ import annotations

import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch

from fas_core.errors import ModelError
from fas_core.models.file_format import describe_other_format, is_safetensors
from fas_core.models.published import read_published


def refuse(path: Path, *words: str) -> None:
    with pytest.raises(ModelError) as error:
        read_published(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_programs_of_torch(tmp_path: Path) -> None:
    layer, x = torch.nn.Linear(2, 2).eval(), torch.zeros(1, 2)
    torch.jit.trace(layer, x).save(tmp_path / "script.pt")
    torch.export.save(torch.export.export(layer, (x,)), tmp_path / "program.pth")
    refuse(tmp_path / "script.pt", "a TorchScript file", "torch.jit.load", "state_dict()")
    refuse(tmp_path / "program.pth", "a program of torch.export", "torch.export.load")


def test_an_onnx_file_under_any_name(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [value], [value])
    for producer in ("pytorch", ""):
        onnx.save(onnx.helper.make_model(graph, producer_name=producer), tmp_path / "a.onnx")
        (tmp_path / "b.pth").write_bytes((tmp_path / "a.onnx").read_bytes())
        for name in ("a.onnx", "b.pth"):
            refuse(tmp_path / name, "an ONNX file", "fas eval FILE", "--foreign TERMS.yaml")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><title>Google Drive - Virus scan warning", "a web page, not the file"),
        (b"\n<HTML>", "a web page"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x1c\x00\x00\x00TFL3", "a TensorFlow Lite file"),
        (b"\x1f\x8b\x08", "a gzip archive: unpack it"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
        (b"Rar!\x1a\x07", "a RAR archive: unpack it"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    refuse(tmp_path / "a.pth", text)


def test_archives_of_files(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"x")
    with ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.write(tmp_path / "w.pth", "weights/w.pth")
    refuse(tmp_path / "a.pth", "a ZIP archive of other files (weights/w.pth, ...): unpack it")
    with tarfile.open(tmp_path / "a.pth.tar", "w") as archive_of_files:
        archive_of_files.add(tmp_path / "w.pth", "w.pth")
    refuse(tmp_path / "a.pth.tar", "a tar archive: unpack it")


def test_checkpoints_are_no_other_format(tmp_path: Path) -> None:
    for zipped in (True, False):
        torch.save({"a": torch.zeros(1)}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
        assert describe_other_format(tmp_path / "a.pth") == ""
        assert not is_safetensors(tmp_path / "a.pth")
