"""The folder of models that `fas models get` fetched."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

FOLDER_VARIABLE = "FAS_MODELS_DIR"
"""Environment variable that names another folder."""


def fetched_models_folder() -> Path:
    """Return the folder named by `FAS_MODELS_DIR`, or else `models` in the user's data folder of `fas`.

    The latter is `~/.local/share/fas/models` on Linux (or below XDG_DATA_HOME), `~/Library/Application
    Support/fas/models` on macOS and `%LOCALAPPDATA%\\fas\\models` on Windows.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder).expanduser() if folder else user_data_path("fas", appauthor=False) / "models"


def fetched_model(name: str) -> Path:
    """Return the path of a model's ONNX file, whether it was fetched or not."""
    return fetched_models_folder() / f"{name}.onnx"
