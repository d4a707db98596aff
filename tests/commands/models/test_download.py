"""Where files of public models are read from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixtures.public_models import TERMS

from fas_core import FasError
from fas_core.config.structure import structure
from fas_core.registry import Registry
from fas_core.runtime.public_model import PublicModel
from fas_plugins.commands.models.download import locate_file

FILE: dict[str, Any] = {"url": "https://a.example/v1/a%20b.onnx", "sha256": "0" * 64, "size": 5}
ENTRY: dict[str, Any] = {
    "name": "glow",
    "summary": "",
    "files": [FILE | {"terms": TERMS}],
    "threshold": 0.5,
    "licence": "MIT",
    "licence_url": "",
    "source": "",
    "training_data": "",
}


@pytest.fixture
def model() -> PublicModel:
    return structure(ENTRY, PublicModel, Registry(()), "test")


def test_a_file_is_at_its_source_or_at_a_mirror(model: PublicModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAS_MODELS_URL", raising=False)
    assert locate_file(model, model.files[0], None) == FILE["url"]
    monkeypatch.setenv("FAS_MODELS_URL", "https://mirror.example/models")
    assert locate_file(model, model.files[0], None) == "https://mirror.example/models/glow/a%20b.onnx"
    named = locate_file(model, model.files[0], "https://b.example/c.onnx")
    assert named == "https://b.example/c.onnx"  # rather than the mirror


@pytest.mark.parametrize("address", ["ftp://a.example/", "file:///etc/passwd", "https://"])
def test_other_addresses_are_refused(
    model: PublicModel, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FasError, match="give an address of https"):
        locate_file(model, model.files[0], address)
    monkeypatch.setenv("FAS_MODELS_URL", address)
    with pytest.raises(FasError, match="FAS_MODELS_URL"):
        locate_file(model, model.files[0], None)


def test_an_address_that_is_none_is_refused(model: PublicModel) -> None:
    with pytest.raises(FasError, match=r"--from http://\[::1/a\.onnx: not an address"):
        locate_file(model, model.files[0], "http://[::1/a.onnx")


def test_a_missing_path_is_named(model: PublicModel, tmp_path: Path) -> None:
    with pytest.raises(FasError, match=r"a b\.onnx: no such file"):
        locate_file(model, model.files[0], str(tmp_path))
