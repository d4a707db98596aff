"""Tell files that are no checkpoints by their first bytes, and say what to do with them."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

SAVE_STATE_DICT = "save model.state_dict() with torch.save, and import that file"

SIGNATURES = (
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file itself: fetch it with `git lfs pull`"),
    (0, b"\x89HDF", "an HDF5 file (Keras, for instance), not of PyTorch: export it to ONNX"),
    (4, b"TFL3", "a TensorFlow Lite file, not of PyTorch: export the model to ONNX"),
    (0, b"\x93NUMPY", "a NumPy array, not a checkpoint of PyTorch"),
    (0, b"\x1f\x8b", "a gzip archive: unpack it, and import the checkpoint inside"),
    (0, b"7z\xbc\xaf", "a 7z archive: unpack it, and import the checkpoint inside"),
    (0, b"Rar!", "a RAR archive: unpack it, and import the checkpoint inside"),
    (257, b"ustar", "a tar archive: unpack it, and import the checkpoint inside"),
    (0, b"<?xml", "an XML file, not a checkpoint of PyTorch"),
)
"""(position, bytes there, description) of formats that are told by them."""

PAGE = "a web page, not the file: download it in a browser, past the confirmation that the page asks for"


def is_safetensors(path: Path) -> bool:
    """Whether a file is safetensors: the length of its JSON header in eight bytes, and the header."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def describe_other_format(path: Path) -> str:
    """Return what a file is that is no checkpoint, and what to do; empty if it may be a checkpoint."""
    with path.open("rb") as file:
        head = file.read(512)
    for position, signature, text in SIGNATURES:
        if head[position:].startswith(signature):
            return text
    if head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return PAGE
    # ONNX: field 1 is the version, a number below 128; field 2 the producer, or field 7 the graph.
    if path.suffix == ".onnx" or (head[:1] == b"\x08" and head[2:3] in (b"\x12", b":")):
        return (
            "an ONNX file, which needs no import: `fas eval FILE` and `fas predict FILE` run it "
            "(with --foreign TERMS.yaml if another program exported it)"
        )
    return _describe_zip(path) if head.startswith(b"PK") else ""


def _describe_zip(path: Path) -> str:
    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
    except BadZipFile:
        return ""  # truncated
    inner = {name.partition("/")[2] for name in names}
    if "constants.pkl" in inner:
        return f"a TorchScript file, a program: load it with torch.jit.load in Python, {SAVE_STATE_DICT}"
    if "archive_format" in inner or any(name.endswith("serialized_exported_program.json") for name in names):
        return (
            "a program of torch.export, not a checkpoint: load it with torch.export.load in Python, "
            f"{SAVE_STATE_DICT.replace('model', 'program', 1)}"
        )
    if "data.pkl" in inner:
        return ""
    return f"a ZIP archive of other files ({names[0] if names else 'empty'}, ...): unpack it"
