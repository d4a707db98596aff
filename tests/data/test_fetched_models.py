"""Where fetched models are stored."""

from pathlib import Path

import pytest

from fas_core.data.fetched_models import fetched_model


def test_the_folder_is_the_variables_or_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FAS_MODELS_DIR", str(tmp_path / "m"))
    assert fetched_model("x") == tmp_path / "m/x.onnx"
    monkeypatch.delenv("FAS_MODELS_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert fetched_model("x").parts[-3:] == ("fas", "models", "x.onnx")
