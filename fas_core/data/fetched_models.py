"""The folder of models that `fas models get` fetched, and the names by which commands take them."""

from __future__ import annotations

import os
from pathlib import Path

from fas_core.component import NAME
from fas_core.errors import ModelError
from fas_core.user_paths import expand_user

FOLDER_VARIABLE = "FAS_MODELS_DIR"
"""Environment variable that names another folder."""

PREFIX = "public:"
"""Start of a MODEL argument that names a public model rather than a path."""

ENTRY_FILE = "model.yaml"
"""File of a fetched public model that describes it, see `fas_core.runtime.public_model`."""


def fetched_models_folder() -> Path:
    """Return the folder named by `FAS_MODELS_DIR`, or else `models` in the user's data folder of `fas`.

    The latter is `~/.local/share/fas/models` on Linux (or below XDG_DATA_HOME), `~/Library/Application
    Support/fas/models` on macOS and `%LOCALAPPDATA%\\fas\\models` on Windows.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return expand_user(folder)
    from platformdirs import user_data_path  # slow to import, and not needed for files that users name

    return user_data_path("fas", appauthor=False) / "models"


def fetched_model(name: str) -> Path:
    """Return the path of a model's ONNX file, whether it was fetched or not."""
    return fetched_models_folder() / f"{name}.onnx"


def public_model_folder(name: str) -> Path:
    """Return the folder of a public model, whether it was fetched or not."""
    return fetched_models_folder() / name


def is_public_model(path: Path) -> bool:
    """Return whether a path is the folder of a fetched public model."""
    return (path / ENTRY_FILE).is_file()


def resolve_model(text: str) -> Path:
    """Return the path that a MODEL argument stands for: itself, or the folder of a fetched public model.

    `public:NAME` names a public model, and so does NAME alone where no file or folder has that name.

    Raises:
        ModelError: the public model was not fetched.
    """
    name = text.removeprefix(PREFIX)
    is_named = text.startswith(PREFIX)
    if not is_named and (not NAME.fullmatch(name) or Path(text).exists()):
        return Path(text)
    if NAME.fullmatch(name) and is_public_model(public_model_folder(name)):
        return public_model_folder(name)
    if is_named:
        raise ModelError(
            f"{text}: not fetched: `fas models get {name}` fetches it, `fas models get` lists all"
        )
    return Path(text)
